/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dwconv_tmpl.h - the f32 depthwise kernels, once for every vector width
 *
 * Included inside a target region after gemm_vec_<isa>.h, with DW_NAME(part)
 * defined.
 */

#define EACH_8(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define EACH_4(X) X(0) X(1) X(2) X(3)
#define EACH_1(X) X(0)

#define SUM_ZERO(i) V c##i = v_zero();
#define SUM_FMA(i)  v_acc_at(c##i, w, x + (i)*VW);
#define SUM_BIAS(i) c##i = v_add(c##i, bias);
#define SUM_CLIP(i) c##i = v_clip(c##i, lo, hi);
#define SUM_PUT(i)  v_storeu(y + (i)*VW, c##i);

/* One block of vectors beginning at element `at`; the slack makes the last
 * one whole, as single vectors wait for their own sums. */
#define BLOCK(EACH)                                                            \
    {                                                                          \
        float *y = t->y + at;                                                  \
        EACH(SUM_ZERO)                                                         \
        for (size_t k = 0; k < t->k; k++) {                                    \
            const float *x = t->x + t->off[k] + at;                            \
            const V w = v_dup(t->w + k);                                       \
            EACH(SUM_FMA)                                                      \
        }                                                                      \
        EACH(SUM_BIAS)                                                         \
        if (t->clip) {                                                         \
            EACH(SUM_CLIP)                                                     \
        }                                                                      \
        EACH(SUM_PUT)                                                          \
    }

void DW_NAME(tile)(const tni_dwconv_tile *t)
{
    const V bias = v_dup(&t->bias), lo = v_dup(&t->lo), hi = v_dup(&t->hi);
    const size_t end = t->n + TNI_DWCONV_SLACK;
    size_t at = 0;
    for (; at + 8 * VW <= end && at < t->n; at += 8 * VW) BLOCK(EACH_8)
    for (; at + 4 * VW <= end && at < t->n; at += 4 * VW) BLOCK(EACH_4)
    for (; at < t->n; at += VW) BLOCK(EACH_1)
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_tmpl.h - the tile of 8-bit convolutions, once for every vector width
 *
 * Included inside a target region after a simd_<isa>.h, with QCONV_NAME(part),
 * MR, VN (vectors of a panel), and
 *     Q_ROW(r)        adds 32-bit groups x times w0 ... to the sums of row r
 *     Q_STORE(r, p)   the codes of row r as bytes
 *     vi_dup(p)       the 32 bits at p in every lane
 *     vi_loadu, vi_storeu
 */

enum { QN = VN * VW };

#if VN == 2
#define Q_EACH_V(X, a) X(0, a) X(1, a)
#else
#define Q_EACH_V(X, a) X(0, a) X(1, a) X(2, a) X(3, a)
#endif
#if MR == 6
#define Q_EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5)
#else
#define Q_EACH_ROW(X)                                                          \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)
#endif

#define Q_START(v, r)  vi c##r##_##v = b##v;
#define Q_STARTS(r)    Q_EACH_V(Q_START, r)
#define Q_PTR(r)       const char *p##r = from + t->pix[(r) * ((r) < mr)];
#define Q_LOAD_W(v, a) const vi w##v = vi_loadu(w + (v)*VW);
#define Q_STEP(r)                                                              \
    if ((r) < mr) {                                                            \
        vi x = vi_dup(p##r + g);                                               \
        Q_ROW(r)                                                               \
    }
#define Q_KEEP(v, r) vi_storeu(sums + (r)*QN + (v)*VW, c##r##_##v);
#define Q_KEEPS(r)                                                             \
    if ((r) < mr) {                                                            \
        Q_EACH_V(Q_KEEP, r)                                                    \
    }

/* The ending of one vector of sums: `n` of them go to y. */
TN_INLINE vi q_quantized(vf v, vf lo, vf hi, vi zero)
{
    return vi_add(v_toint(v_min(v_max(v, lo), hi)), zero);
}

#define Q_LOAD_BIAS(v, a)  const vi b##v = vi_loadu(t->end.bias + (v)*VW);
#define Q_LOAD_SCALE(v, a) const vf s##v = v_load(t->end.scale + (v)*VW);
#define Q_CODES(v, r)                                                          \
    c##r##_##v = q_quantized(v_mul(vi_float(c##r##_##v), s##v), lo, hi, zero);
#define Q_BYTE_ROW(r)                                                          \
    if ((r) < mr) {                                                            \
        Q_EACH_V(Q_CODES, r)                                                   \
        Q_STORE(r, y + (r)*t->y_rs)                                            \
    }

/* Sums that end otherwise than as bytes, or not in whole panels. */
static TN_NOINLINE void q_finish(const tni_qconv_tile *t, const int32_t *sums)
{
    const tni_qconv_end *e = &t->end;
    const size_t n = (size_t)t->nr;
    for (size_t r = 0; r < (size_t)t->mr; r++) {
        const size_t at = r * t->y_rs;
        TN_ALIGNED(64) uint8_t bytes[QN];
        TN_ALIGNED(64) float f[QN];
        TN_ALIGNED(64) int32_t s[QN];
        for (size_t i = 0; i < QN; i += VW) {
            const vi v = vi_loadu(sums + r * QN + i);
            if (e->out == TNI_QCONV_I32) {
                vi_storeu(s + i, v);
                continue;
            }
            vf q = v_mul(vi_float(v), v_load(e->scale + i));
            if (e->out == TNI_QCONV_F32) {
                if (e->add != NULL) q = v_add(q, v_load(e->add + i));
                v_store(f + i, q);
                continue;
            }
            vi_store_u8(bytes + i, q_quantized(q, v_set1(e->lo), v_set1(e->hi),
                                               vi_set1(e->zero)));
        }
        if (e->out == TNI_QCONV_I32)
            memcpy((int32_t *)t->y + at, s, n * sizeof *s);
        else if (e->out == TNI_QCONV_F32)
            memcpy((float *)t->y + at, f, n * sizeof *f);
        else
            memcpy((uint8_t *)t->y + at, bytes, n);
    }
}

TN_INLINE void q_tile(const tni_qconv_tile *t, const int mr)
{
    const int32_t *w = t->w;
    Q_EACH_V(Q_LOAD_BIAS, 0)
    Q_EACH_ROW(Q_STARTS)
    for (size_t i = 0; i < t->n_runs; i++) {
        const char *from = t->x + t->run[i];
        Q_EACH_ROW(Q_PTR)
        for (size_t g = 0; g < 4 * t->len; g += 4) {
            Q_EACH_V(Q_LOAD_W, 0)
            Q_EACH_ROW(Q_STEP)
            w += QN;
        }
    }
    if (t->nr < QN || t->end.out != TNI_QCONV_BYTES) {
        TN_ALIGNED(64) int32_t sums[MR * QN];
        Q_EACH_ROW(Q_KEEPS)
        q_finish(t, sums);
        return;
    }
    const vf lo = v_set1(t->end.lo), hi = v_set1(t->end.hi);
    const vi zero = vi_set1(t->end.zero);
    uint8_t *y = t->y;
    Q_EACH_V(Q_LOAD_SCALE, 0)
    Q_EACH_ROW(Q_BYTE_ROW)
}

#define Q_CASE(r)                                                              \
    case (r) + 1: q_tile(t, (r) + 1); return;

void QCONV_NAME(tile)(const tni_qconv_tile *t)
{
    switch (t->mr) {
        Q_EACH_ROW(Q_CASE)
    }
}

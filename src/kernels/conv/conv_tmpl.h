/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_tmpl.h - the tile of a convolution, once for every vector width
 *
 * Included inside a target region after gemm_vec_<isa>.h and gemm_lists.h,
 * with CONV_NAME(part) defined, and store_quad and store_pair, which store
 * 4 or 2 rows of one vector each, transposed.
 */

enum { NR = VN * VW };

#define PX_PTR(r)      const float *p##r = t->x + t->pix[(r) * ((r) < mr)];
#define ACC_ZERO(v, r) V c##r##_##v = v_zero();
#define ACC_FMA(v, r)  v_acc(c##r##_##v, x, b##v);
#define ACC_LOAD(v, r) c##r##_##v = v_loadu(t->sums + (r)*NR + v * VW);
#define ACC_KEEP(v, r) v_storeu(t->sums + (r)*NR + v * VW, c##r##_##v);
#define ACC_COL(v, r)  c##r##_##v = v_add(c##r##_##v, b##v);
#define ACC_CLIP(v, r) c##r##_##v = v_clip(c##r##_##v, lo, hi);
#define LOAD_B(v, p)   const V b##v = v_loadu((p) + v * VW);
#define ROW_ZERO(r)    EACH_V(ACC_ZERO, r)
#define ROW_LOAD(r)                                                            \
    if (r < mr) {                                                              \
        EACH_V(ACC_LOAD, r)                                                    \
    }
#define ROW_KEEP(r)                                                            \
    if (r < mr) {                                                              \
        EACH_V(ACC_KEEP, r)                                                    \
    }
#define ROW_COL(r)                                                             \
    if (r < mr) {                                                              \
        EACH_V(ACC_COL, r)                                                     \
    }
#define ROW_CLIP(r)                                                            \
    if (r < mr) {                                                              \
        EACH_V(ACC_CLIP, r)                                                    \
    }
#define ROW_FMA(r, o)                                                          \
    if (r < mr) {                                                              \
        const V x = v_dup(p##r + (o));                                         \
        EACH_V(ACC_FMA, r)                                                     \
    }
/* Pixels come from as many places as there are channels and rows, which no
 * hardware prefetcher foresees; the tables do. An address past the last term
 * is of another pixel or nowhere, which a prefetch may have. */
#define PREFETCH(j)                                                            \
    __builtin_prefetch(                                                        \
        (const void *)((uintptr_t)p0 +                                         \
                       sizeof(float) * off[(j) + TNI_CONV_AHEAD]));
#define STEP(j)                                                                \
    {                                                                          \
        const size_t o = off[j];                                               \
        PREFETCH(j)                                                            \
        EACH_V(LOAD_B, w)                                                      \
        EACH_ROW_J(ROW_FMA, o)                                                 \
        w += NR;                                                               \
    }

TN_INLINE void store_one(float *y, size_t cs, V x)
{
    float tmp[VW];
    v_storeu(tmp, x);
    for (size_t j = 0; j < VW; j++) y[j * cs] = tmp[j];
}

/* Rows q ... q + 3 as far as they exist; v is one vector of each. */
#define STORE_QUAD(v, q0, q1, q2, q3)                                          \
    {                                                                          \
        float *y = t->y + v * VW * t->y_cs + (q0);                             \
        if (q3 < mr) {                                                         \
            store_quad(y, t->y_cs, c##q0##_##v, c##q1##_##v, c##q2##_##v,      \
                       c##q3##_##v);                                           \
        } else {                                                               \
            if (q1 < mr)                                                       \
                store_pair(y, t->y_cs, c##q0##_##v, c##q1##_##v);              \
            else if (q0 < mr)                                                  \
                store_one(y, t->y_cs, c##q0##_##v);                            \
            if (q2 < mr) store_one(y + 2, t->y_cs, c##q2##_##v);               \
        }                                                                      \
    }
#define STORE_PAIR(v, q0, q1)                                                  \
    {                                                                          \
        float *y = t->y + v * VW * t->y_cs + (q0);                             \
        if (q1 < mr)                                                           \
            store_pair(y, t->y_cs, c##q0##_##v, c##q1##_##v);                  \
        else if (q0 < mr)                                                      \
            store_one(y, t->y_cs, c##q0##_##v);                                \
    }
#if MR == 6
#define STORE_ALL(v, a) STORE_QUAD(v, 0, 1, 2, 3) STORE_PAIR(v, 4, 5)
#else
#define STORE_ALL(v, a)                                                        \
    STORE_QUAD(v, 0, 1, 2, 3)                                                  \
    STORE_QUAD(v, 4, 5, 6, 7) STORE_QUAD(v, 8, 9, 10, 11) STORE_PAIR(v, 12, 13)
#endif

TN_INLINE void tile(const tni_conv_tile *t, const int mr)
{
    const uint32_t *off = t->off;
    const float *w = t->w, *soon = t->soon;
    EACH_ROW(PX_PTR)
    EACH_ROW(ROW_ZERO)
    if (t->resume) {
        EACH_ROW(ROW_LOAD)
    }
    size_t k = t->k;
    for (; k >= 4; k -= 4) {
        STEP(0)
        STEP(1)
        STEP(2)
        STEP(3)
        off += 4;
        __builtin_prefetch(soon, 0, 2);
        soon += 16;
    }
    for (; k > 0; k--) {
        STEP(0)
        off += 1;
    }
    if (t->pause) {
        EACH_ROW(ROW_KEEP)
        return;
    }
    if (t->bias != NULL) {
        EACH_V(LOAD_B, t->bias)
        EACH_ROW(ROW_COL)
    }
    if (t->clip) {
        const V lo = v_dup(&t->lo), hi = v_dup(&t->hi);
        EACH_ROW(ROW_CLIP)
    }
    EACH_V(STORE_ALL, 0)
}

#define CASE_TILE(r)                                                           \
    case r + 1: tile(t, r + 1); return;

/* A panel with fewer channels than lanes goes through full-width copies. */
static TN_NOINLINE void narrow(const tni_conv_tile *t)
{
    TN_ALIGNED(64) float y[NR * MR], bias[NR];
    tni_conv_tile u = *t;
    u.y = y;
    u.y_cs = MR;
    u.nr = NR;
    for (size_t j = 0; j < NR; j++)
        bias[j] = t->bias != NULL && j < (size_t)t->nr ? t->bias[j] : 0.0f;
    if (t->bias != NULL) u.bias = bias;
    CONV_NAME(tile)(&u);
    for (size_t j = 0; j < (size_t)t->nr; j++)
        for (size_t r = 0; r < (size_t)t->mr; r++)
            t->y[j * t->y_cs + r] = y[j * MR + r];
}

void CONV_NAME(tile)(const tni_conv_tile *t)
{
    if (t->nr < NR) {
        narrow(t);
        return;
    }
    switch (t->mr) {
        EACH_ROW(CASE_TILE)
    }
}

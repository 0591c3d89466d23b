/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_tmpl.h - the f32 convolution kernels, once for every vector width
 *
 * Included inside a target region after gemm_vec_<isa>.h and gemm_lists.h,
 * with CONV_NAME(part) defined, and store_quad and store_pair, which store
 * 4 or 2 rows of one vector each, transposed, v_unzip(even, odd, x), which
 * sorts two vectors from x, and unzip_4, which does so with eight elements.
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

#define COPY_V(v, s) v_storeu(out + v * VW, v_loadu((s) + v * VW));

void CONV_NAME(unfold)(float *out, const float *x, const uint32_t *off,
                       size_t k, const uint32_t *pix, size_t n)
{
    if (n == NR && pix[NR - 1] - pix[0] == NR - 1) { /* neighbours */
        for (size_t i = 0; i < k; i++) {
            const float *s = x + pix[0] + off[i];
            EACH_V(COPY_V, s)
            out += NR;
        }
        return;
    }
    for (size_t i = 0; i < k; i++) {
        const float *s = x + off[i];
        for (size_t j = 0; j < n; j++) out[j] = s[pix[j]];
        for (size_t j = n; j < NR; j++) out[j] = 0.0f;
        out += NR;
    }
}

void CONV_NAME(finish)(float *y, const float *add, size_t n, bool clip,
                       float lo, float hi)
{
    const V vlo = v_dup(&lo), vhi = v_dup(&hi);
    size_t i = 0;
    for (; i + VW <= n; i += VW) {
        V v = v_loadu(y + i);
        if (add != NULL) v = v_add(v, v_loadu(add + i));
        if (clip) v = v_clip(v, vlo, vhi);
        v_storeu(y + i, v);
    }
    for (; i < n; i++) {
        if (add != NULL) y[i] += add[i];
        if (clip && y[i] < lo) y[i] = lo;
        if (clip && y[i] > hi) y[i] = hi;
    }
}

/* The last vectors overlap those before them. */
TN_INLINE void unzip_row(float *even, float *odd, const float *x, size_t n)
{
    size_t i = 0;
    for (; i + VW <= n; i += VW) v_unzip(even + i, odd + i, x + 2 * i);
    if (i == n) return;
    if (n >= VW) {
        i = n - VW;
        v_unzip(even + i, odd + i, x + 2 * i);
        return;
    }
    for (; i + 4 <= n; i += 4) unzip_4(even + i, odd + i, x + 2 * i);
    if (i < n && n >= 4)
        unzip_4(even + n - 4, odd + n - 4, x + 2 * (n - 4));
    else
        for (; i < n; i++) {
            even[i] = x[2 * i];
            odd[i] = x[2 * i + 1];
        }
}

void CONV_NAME(unzip)(float *even, float *odd, size_t out_ld, const float *x,
                      size_t ld, size_t n, size_t rows)
{
    for (; rows > 0; rows--, even += out_ld, odd += out_ld, x += ld)
        unzip_row(even, odd, x, n);
}

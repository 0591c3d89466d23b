/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm_tmpl.h - the f32 micro-kernels, written once for every vector width
 *
 * Included inside a target region after kernels/gemm/gemm_vec_<isa>.h, with
 * GEMM_NAME(form) and the row list EACH_ROW defined. Accumulators are named
 * variables: with an array gcc 12 keeps some of them in memory. `mr` is a
 * compile-time constant in every instance, so rows beyond it vanish.
 */

#define CAT_(a, b) a##b
#define CAT(a, b)  CAT_(a, b)

enum { NR = VN * VW };

/* Where row r of A is at step j of an unrolled group. */
#define A_ROW(r, j)                                                            \
    ((r) < 3    ? a0                                                           \
     : (r) < 6  ? a3                                                           \
     : (r) < 9  ? a6                                                           \
     : (r) < 12 ? a9                                                           \
                : a12) +                                                       \
        (size_t)((r) % 3) * rs + (j)
#define A_COL(r, j) a0 + (r)

#define ACC_ZERO(v, r) V c##r##_##v = v_zero();
#define ACC_LOAD(v, r) c##r##_##v = v_loadu(t->c + r * t->c_rs + v * VW);
/* Vectors that are not stored are not computed either. */
#define ACC_STORE(v, r)                                                        \
    if ((v) < nv) v_storeu(t->c + r * t->c_rs + v * VW, c##r##_##v);
#define ACC_FMA(v, r) v_acc(c##r##_##v, x, b##v);
#define ACC_MUL(v, r) c##r##_##v = v_mul(c##r##_##v, x);
#define ACC_ADD(v, r) c##r##_##v = v_add(c##r##_##v, x);
#define ACC_COL(v, r) c##r##_##v = v_add(c##r##_##v, b##v);
#define ACC_SUM(v, r)                                                          \
    c##r##_##v = v_add(c##r##_##v, v_loadu(t->add + r * t->add_rs + v * VW));
#define ACC_SUMB(v, r)                                                         \
    c##r##_##v =                                                               \
        v_add(c##r##_##v, v_mul(x, v_loadu(t->add + r * t->add_rs + v * VW)));
#define ACC_CLIP(v, r) c##r##_##v = v_clip(c##r##_##v, lo, hi);
#define LOAD_B(v, p)   const V b##v = v_loadu((p) + v * VW);

#define ROW_ZERO(r) EACH_V(ACC_ZERO, r)
/* The stores come at the end: by then their lines are there. */
#define ROW_WARM(r)                                                            \
    if (r < mr) {                                                              \
        __builtin_prefetch(t->c + (r)*t->c_rs, 1);                             \
        __builtin_prefetch(t->c + (r)*t->c_rs + NR - 1, 1);                    \
    }
#define ROW_WARM_ADD(r)                                                        \
    if (r < mr) {                                                              \
        __builtin_prefetch(t->add + (r)*t->add_rs);                            \
        __builtin_prefetch(t->add + (r)*t->add_rs + NR - 1);                   \
    }
#define ROW_LOAD(r)                                                            \
    if (r < mr) {                                                              \
        EACH_V(ACC_LOAD, r)                                                    \
    }
#define ROW_STORE(r)                                                           \
    if (r < mr) {                                                              \
        EACH_V(ACC_STORE, r)                                                   \
    }
#define ROW_MUL(r)                                                             \
    if (r < mr) {                                                              \
        EACH_V(ACC_MUL, r)                                                     \
    }
#define ROW_COL(r)                                                             \
    if (r < mr) {                                                              \
        EACH_V(ACC_COL, r)                                                     \
    }
#define ROW_SUM(r)                                                             \
    if (r < mr) {                                                              \
        EACH_V(ACC_SUM, r)                                                     \
    }
#define ROW_SUMB(r)                                                            \
    if (r < mr) {                                                              \
        EACH_V(ACC_SUMB, r)                                                    \
    }
#define ROW_CLIP(r)                                                            \
    if (r < mr) {                                                              \
        EACH_V(ACC_CLIP, r)                                                    \
    }
#define ROW_BIAS(r)                                                            \
    if (r < mr) {                                                              \
        const V x = v_dup(t->bias_row + r);                                    \
        EACH_V(ACC_ADD, r)                                                     \
    }
#define ROW_FMA_ROW(r, j)                                                      \
    if (r < mr) {                                                              \
        const V x = v_dup(A_ROW(r, j));                                        \
        EACH_V(ACC_FMA, r)                                                     \
    }
#define ROW_FMA_COL(r, j)                                                      \
    if (r < mr) {                                                              \
        const V x = v_dup(A_COL(r, j));                                        \
        EACH_V(ACC_FMA, r)                                                     \
    }

#define STEP_ROW(j)                                                            \
    {                                                                          \
        EACH_V(LOAD_B, b)                                                      \
        EACH_ROW_J(ROW_FMA_ROW, j)                                             \
        b += bs;                                                               \
    }
#define STEP_COL                                                               \
    {                                                                          \
        EACH_V(LOAD_B, b)                                                      \
        EACH_ROW_J(ROW_FMA_COL, 0)                                             \
        b += bs;                                                               \
        a0 += ks;                                                              \
    }

/* What follows the sums: the epilogue, then the store. */
#define TILE_FINISH                                                            \
    if (t->flags & TNI_TILE_ALPHA) {                                           \
        const V x = v_dup(&t->alpha);                                          \
        EACH_ROW(ROW_MUL)                                                      \
    }                                                                          \
    if (t->flags & TNI_TILE_BIAS_ROW) {                                        \
        EACH_ROW(ROW_BIAS)                                                     \
    }                                                                          \
    if (t->flags & TNI_TILE_BIAS_COL) {                                        \
        EACH_V(LOAD_B, t->bias_col)                                            \
        EACH_ROW(ROW_COL)                                                      \
    }                                                                          \
    if (t->flags & TNI_TILE_BETA) {                                            \
        const V x = v_dup(&t->beta);                                           \
        EACH_ROW(ROW_SUMB)                                                     \
    } else if (t->flags & TNI_TILE_ADD) {                                      \
        EACH_ROW(ROW_SUM)                                                      \
    }                                                                          \
    if (t->flags & TNI_TILE_CLIP) {                                            \
        const V lo = v_dup(&t->lo), hi = v_dup(&t->hi);                        \
        EACH_ROW(ROW_CLIP)                                                     \
    }                                                                          \
    EACH_ROW(ROW_STORE)

/* Hides where a number comes from. gcc 12 else keeps every sum of a stride and
 * an offset in a register of its own, and spills most of them; from the stride
 * alone the addressing modes do it for nothing. */
#define PIN_STRIDE(x) __asm__("" : "+r"(x))

/* bs is a constant when B is packed, ks when A is, nv the vectors of a row that
 * are wanted: see the callers. */
TN_INLINE void tile_row(const tni_gemm_tile *t, const int mr, const size_t bs)
{
    const int nv = VN;
    size_t rs = t->a_rs;
    const float *a0 = t->a, *b = t->b, *soon = t->soon;
    const float *a3 = a0 + (mr > 3 ? 3 * rs : 0);
    const float *a6 = a0 + (mr > 6 ? 6 * rs : 0);
    const float *a9 = a0 + (mr > 9 ? 9 * rs : 0);
    const float *a12 = a0 + (mr > 12 ? 12 * rs : 0);
    const size_t soon_step = t->soon_step != 0 ? t->soon_step : 16;
    EACH_ROW(ROW_ZERO)
    EACH_ROW(ROW_WARM)
    if (t->flags & TNI_TILE_ADD) {
        EACH_ROW(ROW_WARM_ADD)
    }
    if (t->flags & TNI_TILE_LOAD) {
        EACH_ROW(ROW_LOAD)
    }
    size_t k = t->k;
    for (; k >= 4; k -= 4) {
        PIN_STRIDE(rs);
        STEP_ROW(0)
        STEP_ROW(1)
        STEP_ROW(2)
        STEP_ROW(3)
        a0 += 4;
        a3 += 4;
        a6 += 4;
        a9 += 4;
        a12 += 4;
        __builtin_prefetch(soon, 0, 2);
        soon += soon_step;
    }
    for (; k > 0; k--) {
        STEP_ROW(0)
        a0 += 1;
        a3 += 1;
        a6 += 1;
        a9 += 1;
        a12 += 1;
    }
    (void)a3, (void)a6, (void)a9, (void)a12;
    TILE_FINISH
}

TN_INLINE void tile_col(const tni_gemm_tile *t, const int mr, const int nv,
                        const size_t bs, const size_t ks)
{
    const float *a0 = t->a, *b = t->b, *soon = t->soon;
    const size_t soon_step = t->soon_step != 0 ? t->soon_step : 16;
    EACH_ROW(ROW_ZERO)
    EACH_ROW(ROW_WARM)
    if (t->flags & TNI_TILE_ADD) {
        EACH_ROW(ROW_WARM_ADD)
    }
    if (t->flags & TNI_TILE_LOAD) {
        EACH_ROW(ROW_LOAD)
    }
    size_t k = t->k;
    for (; k >= 4; k -= 4) {
        STEP_COL
        STEP_COL
        STEP_COL
        STEP_COL
        __builtin_prefetch(soon, 0, 2);
        soon += soon_step;
    }
    for (; k > 0; k--) STEP_COL
    TILE_FINISH
}

/* One buffer of full-width rows from a tile's narrower ones. */
static void widen(float *out, const float *x, size_t x_rs, size_t rows,
                  size_t n)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < NR; j++)
            out[r * NR + j] = j < n ? x[r * x_rs + j] : 0.0f;
}

/* Runs `fn` on a tile narrower than the vectors: everything that has a column
 * goes through full-width copies. */
static TN_NOINLINE void narrow(const tni_gemm_tile *t, tni_gemm_tile_fn fn)
{
    TN_ALIGNED(64) float c[MR * NR], add[MR * NR], bias[NR];
    tni_gemm_tile u = *t;
    const size_t n = (size_t)t->nr, rows = (size_t)t->mr;
    u.nr = NR;
    u.c = c;
    u.c_rs = NR;
    u.add = add;
    u.add_rs = NR;
    u.bias_col = bias;
    if (t->flags & TNI_TILE_LOAD) widen(c, t->c, t->c_rs, rows, n);
    if (t->flags & TNI_TILE_ADD) widen(add, t->add, t->add_rs, rows, n);
    if (t->flags & TNI_TILE_BIAS_COL) widen(bias, t->bias_col, 0, 1, n);
    fn(&u);
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < n; j++) t->c[r * t->c_rs + j] = c[r * NR + j];
}

/* Of panels the stride is known when this is compiled. A family whose B is
 * always in panels, and A too where it goes by columns, says so and does
 * without the other half of the instances. */
#if defined(GEMM_PACKED_ONLY)
#define ROW_IN_PANELS(t) true
#define COL_IN_PANELS(t) true
#else
#define ROW_IN_PANELS(t) ((t)->b_ks == NR)
#define COL_IN_PANELS(t) ((t)->b_ks == NR && (t)->a_ks == MR)
#endif

#define CASE_ROW(r)                                                            \
    case r + 1:                                                                \
        if (ROW_IN_PANELS(t))                                                  \
            tile_row(t, r + 1, NR);                                            \
        else                                                                   \
            tile_row(t, r + 1, t->b_ks);                                       \
        return;
#define CASE_COL(r)                                                            \
    case r + 1:                                                                \
        if (COL_IN_PANELS(t))                                                  \
            tile_col(t, r + 1, VN, NR, MR);                                    \
        else                                                                   \
            tile_col(t, r + 1, VN, t->b_ks, t->a_ks);                          \
        return;

void GEMM_NAME(row)(const tni_gemm_tile *t)
{
    if (t->nr < NR) {
        narrow(t, GEMM_NAME(row));
        return;
    }
    switch (t->mr) {
        EACH_ROW(CASE_ROW)
    }
}

/* The first vector of a whole tile's full-width rows. */
static void col_slim(const tni_gemm_tile *t)
{
    tile_col(t, MR, 1, NR, MR);
}

/* A narrow tile is what a convolution's last pixels are for every channel:
 * 4 of 14x14. Tiles of fewer rows are rare, and what packs nothing too. */
void GEMM_NAME(col)(const tni_gemm_tile *t)
{
    if (t->nr < NR) {
        const bool slim = t->nr <= VW && t->mr == MR && COL_IN_PANELS(t);
        narrow(t, slim ? col_slim : GEMM_NAME(col));
        return;
    }
    switch (t->mr) {
        EACH_ROW(CASE_COL)
    }
}

/*
 * Few rows: one row of four panels, or up to three of two, so that there are
 * enough independent chains. Sums go to a buffer and from there through the
 * epilogue of the plain tile with no terms left.
 */
#define W_ZERO(i)  V w##i = v_zero();
#define W_PTR(i)   (b + (size_t)((i) / VN) * ps + (size_t)((i) % VN) * VW)
#define W_LOADC(i) w##i = v_loadu(c + (i)*VW);
#define W_FMA(i)   v_acc_at(w##i, x, W_PTR(i));
#define W_STORE(i) v_storeu(c + (i)*VW, w##i);
#define U_ZERO(i)  V w0_##i = v_zero(), w1_##i = v_zero(), w2_##i = v_zero();
#define U_LOADC(i)                                                             \
    w0_##i = v_loadu(c + (i)*VW);                                              \
    w1_##i = v_loadu(c + 2 * NR + (i)*VW);                                     \
    if (mr > 2) w2_##i = v_loadu(c + 4 * NR + (i)*VW);
#define U_FMA(i)                                                               \
    {                                                                          \
        const V y = v_loadu(W_PTR(i));                                         \
        v_acc(w0_##i, x0, y);                                                  \
        v_acc(w1_##i, x1, y);                                                  \
        if (mr > 2) v_acc(w2_##i, x2, y);                                      \
    }
#define U_STORE(i)                                                             \
    v_storeu(c + (i)*VW, w0_##i);                                              \
    v_storeu(c + 2 * NR + (i)*VW, w1_##i);                                     \
    if (mr > 2) v_storeu(c + 4 * NR + (i)*VW, w2_##i);

static void sum_1x4(const tni_gemm_tile *t, float *c)
{
    const float *a = t->a, *b = t->b;
    const size_t ps = t->b_ps, bs = t->b_ks;
    EACH_W4(W_ZERO)
    if (t->flags & TNI_TILE_LOAD) {
        EACH_W4(W_LOADC)
    }
    for (size_t k = 0; k < t->k; k++) {
        const V x = v_dup(a + k);
        EACH_W4(W_FMA)
        b += bs;
    }
    EACH_W4(W_STORE)
}

TN_INLINE void sum_rx2(const tni_gemm_tile *t, float *c, const int mr)
{
    const float *a0 = t->a, *a1 = a0 + t->a_rs,
                *a2 = mr > 2 ? a1 + t->a_rs : a1;
    const float *b = t->b;
    const size_t ps = t->b_ps, bs = t->b_ks;
    EACH_W2(U_ZERO)
    if (t->flags & TNI_TILE_LOAD) {
        EACH_W2(U_LOADC)
    }
    for (size_t k = 0; k < t->k; k++) {
        const V x0 = v_dup(a0 + k), x1 = v_dup(a1 + k), x2 = v_dup(a2 + k);
        EACH_W2(U_FMA)
        b += bs;
    }
    EACH_W2(U_STORE)
}

void GEMM_NAME(wide)(const tni_gemm_tile *t)
{
    TN_ALIGNED(64) float c[4 * NR];
    TN_ALIGNED(64) float c3[6 * NR];
    const size_t n = (size_t)t->nr, width = t->mr == 1 ? 4 * NR : 2 * NR;
    float *sums = t->mr == 1 ? c : c3;
    tni_gemm_tile u = *t;
    if (n <= NR) {
        GEMM_NAME(row)(t);
        return;
    }
    /* Panels that are not there are read as the last one that is. */
    if (n <= width - NR) {
        u.mr = t->mr;
        for (size_t j = 0; j < n; j += NR) {
            u = *t;
            u.nr = (int)(n - j < NR ? n - j : NR);
            u.b = t->b + j / NR * t->b_ps;
            u.c = t->c + j;
            if (t->flags & TNI_TILE_BIAS_COL) u.bias_col = t->bias_col + j;
            if (t->flags & TNI_TILE_ADD) u.add = t->add + j;
            GEMM_NAME(row)(&u);
        }
        return;
    }
    if (t->flags & TNI_TILE_LOAD)
        for (size_t r = 0; r < (size_t)t->mr; r++)
            for (size_t j = 0; j < width; j++)
                sums[r * width + j] = j < n ? t->c[r * t->c_rs + j] : 0;
    if (t->mr == 1)
        sum_1x4(t, sums);
    else if (t->mr == 2)
        sum_rx2(t, sums, 2);
    else
        sum_rx2(t, sums, 3);
    /* What is added may be C itself, which the sums now go over. */
    TN_ALIGNED(64) float add[6 * NR];
    if (t->flags & TNI_TILE_ADD)
        for (size_t r = 0; r < (size_t)t->mr; r++)
            for (size_t j = 0; j < n; j++)
                add[r * width + j] = t->add[r * t->add_rs + j];
    for (size_t r = 0; r < (size_t)t->mr; r++)
        for (size_t j = 0; j < n; j++)
            t->c[r * t->c_rs + j] = sums[r * width + j];
    if ((t->flags & ~TNI_TILE_LOAD) == 0) return;
    u.k = 0;
    u.flags = t->flags | TNI_TILE_LOAD;
    u.add_rs = width;
    for (size_t j = 0; j < n; j += NR) {
        u.nr = (int)(n - j < NR ? n - j : NR);
        u.c = t->c + j;
        if (t->flags & TNI_TILE_BIAS_COL) u.bias_col = t->bias_col + j;
        if (t->flags & TNI_TILE_ADD) u.add = add + j;
        GEMM_NAME(row)(&u);
    }
}

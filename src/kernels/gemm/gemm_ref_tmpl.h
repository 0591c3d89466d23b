/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm_ref_tmpl.h - the micro-kernel in plain C, the definition of the others
 *
 * Included with GEMM_NAME(form) and MADD(sum, a, b), which adds a term.
 */
enum { MR = 4, NR = 16 };

static float finish(const tni_gemm_tile *t, float x, size_t r, size_t j)
{
    if (t->flags & TNI_TILE_ALPHA) x *= t->alpha;
    if (t->flags & TNI_TILE_BIAS_ROW) x += t->bias_row[r];
    if (t->flags & TNI_TILE_BIAS_COL) x += t->bias_col[j];
    if (t->flags & TNI_TILE_BETA)
        x += t->beta * t->add[r * t->add_rs + j];
    else if (t->flags & TNI_TILE_ADD)
        x += t->add[r * t->add_rs + j];
    if (t->flags & TNI_TILE_CLIP) {
        if (x < t->lo) x = t->lo;
        if (x > t->hi) x = t->hi;
    }
    return x;
}

static void tile(const tni_gemm_tile *t)
{
    float sum[MR][NR] = {{0}};
    const size_t mr = (size_t)t->mr, nr = (size_t)t->nr;
    if (t->flags & TNI_TILE_LOAD)
        for (size_t r = 0; r < mr; r++)
            for (size_t j = 0; j < nr; j++) sum[r][j] = t->c[r * t->c_rs + j];
    for (size_t k = 0; k < t->k; k++) {
        const float *b = t->b + k * t->b_ks;
        for (size_t r = 0; r < mr; r++) {
            const float x = t->a[r * t->a_rs + k * t->a_ks];
            for (size_t j = 0; j < NR; j++) MADD(sum[r][j], x, b[j]);
        }
    }
    for (size_t r = 0; r < mr; r++)
        for (size_t j = 0; j < nr; j++)
            t->c[r * t->c_rs + j] = finish(t, sum[r][j], r, j);
}

void GEMM_NAME(row)(const tni_gemm_tile *t)
{
    tile(t);
}

void GEMM_NAME(col)(const tni_gemm_tile *t)
{
    tile(t);
}

void GEMM_NAME(wide)(const tni_gemm_tile *t)
{
    tni_gemm_tile u = *t;
    const size_t n = (size_t)t->nr;
    for (size_t j = 0; j < n; j += NR) {
        u.nr = (int)(n - j < NR ? n - j : NR);
        u.b = t->b + j / NR * t->b_ps;
        u.c = t->c + j;
        if (t->flags & TNI_TILE_BIAS_COL) u.bias_col = t->bias_col + j;
        if (t->flags & TNI_TILE_ADD) u.add = t->add + j;
        tile(&u);
    }
}

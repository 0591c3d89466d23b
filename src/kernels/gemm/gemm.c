/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm.c - cut a multiplication into micro-kernel calls
 *
 * A task owns a block of C. For each block of kc terms it walks the panels of
 * B (one panel stays in L1) and under each the tiles of A (the block stays in
 * L2). Nothing depends on the number of workers.
 */
#include "kernels/gemm/gemm.h"

#include "base/checked.h"
#include "kernels/sizes.h"
#include "tenon/base.h"

#include <string.h>

static const tni_gemm_kernels rows[] = {
#define TN_GEMM_KERNEL(isa, name, mr, nr, kc)                                  \
    {isa,                                                                      \
     #name,                                                                    \
     mr,                                                                       \
     nr,                                                                       \
     3,                                                                        \
     kc,                                                                       \
     tni_gemm_f32_row__##name,                                                 \
     tni_gemm_f32_col__##name,                                                 \
     tni_gemm_f32_wide__##name},
#include "kernels/gemm/gemm.def"
#undef TN_GEMM_KERNEL
};
enum { n_rows = sizeof rows / sizeof rows[0] };

void tni_gemm_init(tni_gemm_kernels *k, uint32_t isa)
{
    for (int i = 0; i < n_rows; i++)
        if ((rows[i].isa & isa) == rows[i].isa) *k = rows[i];
}

bool tni_gemm_row(tni_gemm_kernels *k, int i)
{
    if (i < 0 || i >= n_rows) return false;
    *k = rows[i];
    return true;
}

/* --- packing ------------------------------------------------------------ */

static bool packed_len(size_t k, size_t n, int width, size_t *len)
{
    const size_t w = (size_t)width;
    return tni_mul_size(ceil_div(n, w), w, len) && tni_mul_size(*len, k, len);
}

bool tni_gemm_packed_b_len(const tni_gemm_kernels *ker, size_t k, size_t n,
                           size_t *len)
{
    return packed_len(k, n, ker->nr, len);
}

bool tni_gemm_packed_a_len(const tni_gemm_kernels *ker, size_t m, size_t k,
                           size_t *len)
{
    return packed_len(k, m, ker->mr, len);
}

/* One panel of n <= w columns; element (k, j) is at src[k * ld + j]. */
static void pack_panel(float *out, const float *src, size_t ld, size_t k,
                       size_t n, size_t w)
{
    if (n == 6 && w == 6) { /* a copy of constant size is two moves */
        for (size_t i = 0; i < k; i++)
            memcpy(out + i * 6, src + i * ld, 6 * sizeof *out);
        return;
    }
    if (n == 14 && w == 14) {
        for (size_t i = 0; i < k; i++)
            memcpy(out + i * 14, src + i * ld, 14 * sizeof *out);
        return;
    }
    if (n == 16 && w == 16) {
        for (size_t i = 0; i < k; i++)
            memcpy(out + i * 16, src + i * ld, 16 * sizeof *out);
        return;
    }
    for (size_t i = 0; i < k; i++) {
        memcpy(out, src, n * sizeof *out);
        if (n < w) memset(out + n, 0, (w - n) * sizeof *out);
        out += w;
        src += ld;
    }
}

/* The same with element (k, j) at src[j * ld + k], in blocks that keep the
 * written lines in L1. */
static void pack_panel_trans(float *out, const float *src, size_t ld, size_t k,
                             size_t n, size_t w)
{
    enum { block = 16 };
    if (n < w) memset(out, 0, k * w * sizeof *out);
    for (size_t k0 = 0; k0 < k; k0 += block) {
        const size_t kb = min_size(block, k - k0);
        for (size_t j = 0; j < n; j++) {
            const float *s = src + j * ld + k0;
            float *o = out + k0 * w + j;
            for (size_t i = 0; i < kb; i++) o[i * w] = s[i];
        }
    }
}

static void pack(float *out, const float *src, size_t ld, bool trans, size_t k,
                 size_t n, size_t w)
{
    for (size_t j = 0; j < n; j += w) {
        const size_t nj = min_size(w, n - j);
        if (trans)
            pack_panel_trans(out, src + j * ld, ld, k, nj, w);
        else
            pack_panel(out, src + j, ld, k, nj, w);
        out += k * w;
    }
}

void tni_gemm_pack_b(const tni_gemm_kernels *ker, float *out, const float *b,
                     size_t ldb, bool trans, size_t k, size_t n)
{
    pack(out, b, ldb, trans, k, n, (size_t)ker->nr);
}

void tni_gemm_pack_b_rows(const tni_gemm_kernels *ker, float *out,
                          const float *b, size_t ldb, size_t k, size_t n,
                          size_t k0, size_t count)
{
    const size_t nr = (size_t)ker->nr;
    for (size_t j = 0; j < n; j += nr)
        pack_panel(out + j * k + k0 * nr, b + j, ldb, count,
                   min_size(nr, n - j), nr);
}

void tni_gemm_pack_a(const tni_gemm_kernels *ker, float *out, const float *a,
                     size_t lda, bool trans, size_t m, size_t k)
{
    pack(out, a, lda, !trans, k, m, (size_t)ker->mr);
}

/* --- cutting ------------------------------------------------------------ */

/* Rows of A that a task holds in L2 and columns it walks, at most. */
enum { max_rows = 96, max_rows_own_b = 240, max_cols = 512 };
/* Columns of B that stay in L1 beside a tile of A. */
enum { few_floats = 5 * 1024 };
/* Rows of A this far apart lie in the same lines of an L1 of 4096 bytes a way;
 * more rows than most_rivals push one another out of it, so they are copied to
 * where they do not, copy_gap floats further apart than they are long. */
enum { rival_floats = 1024, most_rivals = 8, copy_gap = 16 };
/* A task below this many multiply-adds is not worth handing out. */
enum { min_task = 1 << 17, want_tasks = 32 };

static bool is_wide(const tni_gemm_kernels *ker, const tni_gemm *g)
{
    return g->m <= (size_t)ker->wide_rows && g->a_packed == NULL && !g->a_trans;
}

/* Cuts n into at most `want` nearly equal parts of whole units. */
static size_t part(size_t n, size_t want, size_t unit, size_t max)
{
    const size_t parts = ceil_div(n, max) > want ? ceil_div(n, max) : want;
    return round_up(ceil_div(n, parts != 0 ? parts : 1), unit);
}

static bool has_rivals(const tni_gemm_kernels *ker, const tni_gemm *g)
{
    return g->a_packed == NULL && !g->a_trans && !is_wide(ker, g) &&
           ker->mr > most_rivals && g->m > most_rivals && g->k != 0 &&
           g->k % rival_floats == 0 && g->n > 4 * (size_t)ker->nr;
}

/* Floats of scratch that A takes of a block of at most k terms. */
static size_t a_scratch(const tni_gemm_plan *p, size_t k)
{
    return p->pack_a ? p->mc * k : p->copy_a ? p->mc * (k + copy_gap) : 0;
}

static size_t max_cols_in_l1(size_t k, size_t nr)
{
    const size_t cols = few_floats / (k != 0 ? k : 1) / nr * nr;
    return cols < 3 * nr ? max_cols : min_size(cols, max_cols);
}

void tni_gemm_plan_init(tni_gemm_plan *p, const tni_gemm_kernels *ker,
                        const tni_gemm *g)
{
    const size_t mr = (size_t)ker->mr, nr = (size_t)ker->nr;
    const size_t m = g->m != 0 ? g->m : 1, n = g->n != 0 ? g->n : 1;
    const size_t k = min_size(g->k, ker->kc);
    memset(p, 0, sizeof *p);
    p->pack_b = g->b_packed == NULL && (g->b_trans || m > 2 * mr);
    p->pack_a = g->a_packed == NULL && g->a_trans && n > 4 * nr;
    p->copy_a = has_rivals(ker, g);

    const size_t unit = is_wide(ker, g) ? (m == 1 ? 4 : 2) * nr : nr;
    const size_t rows_max = p->pack_b ? max_rows_own_b : max_rows;
    p->mc = part(m, 1, mr, round_up(rows_max, mr));
    p->m_tasks = ceil_div(m, p->mc);
    const size_t col_work = p->mc * (g->k != 0 ? g->k : 1);
    const size_t fill = ceil_div(min_task, col_work);
    size_t want = min_size(ceil_div(n, fill), ceil_div(want_tasks, p->m_tasks));
    if (p->pack_a || p->copy_a) want = min_size(want, ceil_div(n, 192));
    size_t cols = max_cols;
    if (p->pack_b && g->a_packed != NULL && g->k < ker->kc)
        cols = max_cols_in_l1(g->k, nr);
    p->nc = part(n, want, unit, cols);
    p->n_tasks = ceil_div(n, p->nc);
    if (g->m == 0 || g->n == 0) p->m_tasks = p->n_tasks = 0;

    const bool tail = g->b_packed == NULL && !p->pack_b && n % nr != 0;
    const size_t b_cols = p->pack_b ? p->nc : tail ? nr : 0;
    p->scratch_len = k * b_cols + a_scratch(p, k);
    p->scratch_len = round_up(p->scratch_len, TNI_ALIGN / sizeof(float));
}

/* --- running ------------------------------------------------------------ */

typedef struct block {
    const tni_gemm_kernels *ker;
    const tni_gemm_plan *p;
    const tni_gemm *g;
    const tni_epilogue *epi;
    size_t i0, j0, m, n; /* of C */
    size_t k0, k;        /* terms */
    float *pack_a, *pack_b;
} block;

static void set_epilogue(tni_gemm_tile *t, const tni_epilogue *e)
{
    t->alpha = e->alpha;
    t->beta = e->beta;
    t->lo = e->lo;
    t->hi = e->hi;
    if (!(e->alpha >= 1.0f && e->alpha <= 1.0f)) t->flags |= TNI_TILE_ALPHA;
    if (e->bias_row != NULL) t->flags |= TNI_TILE_BIAS_ROW;
    if (e->bias_col != NULL) t->flags |= TNI_TILE_BIAS_COL;
    if (e->add != NULL) {
        t->flags |= TNI_TILE_ADD;
        t->add_rs = e->add_ld;
        if (!(e->beta >= 1.0f && e->beta <= 1.0f)) t->flags |= TNI_TILE_BETA;
    }
    if (e->clip) t->flags |= TNI_TILE_CLIP;
}

/* Points the tile at the panel of B that holds columns j ... */
static void set_b(tni_gemm_tile *t, const block *w, size_t j)
{
    const tni_gemm *g = w->g;
    const size_t nr = (size_t)w->ker->nr, col = w->j0 + j;
    t->b_ks = nr;
    if (g->b_packed != NULL) {
        t->b = g->b_packed + col * g->k + w->k0 * nr;
        t->b_ps = g->k * nr;
    } else if (w->p->pack_b) {
        t->b = w->pack_b + j * w->k;
        t->b_ps = w->k * nr;
    } else {
        t->b = g->b + w->k0 * g->ldb + col;
        t->b_ks = g->ldb;
        t->b_ps = nr;
    }
    t->soon = t->b;
}

static void set_a(tni_gemm_tile *t, const block *w, size_t i)
{
    const tni_gemm *g = w->g;
    const size_t mr = (size_t)w->ker->mr, row = w->i0 + i;
    t->a_rs = 1;
    t->a_ks = mr;
    if (g->a_packed != NULL) {
        t->a = g->a_packed + row * g->k + w->k0 * mr;
    } else if (w->p->pack_a) {
        t->a = w->pack_a + i * w->k;
    } else if (w->p->copy_a) {
        t->a = w->pack_a + i * (w->k + copy_gap);
        t->a_rs = w->k + copy_gap;
        t->a_ks = 1;
    } else if (g->a_trans) {
        t->a = g->a + w->k0 * g->lda + row;
        t->a_ks = g->lda;
    } else {
        t->a = g->a + row * g->lda + w->k0;
        t->a_rs = g->lda;
        t->a_ks = 1;
    }
}

static void set_c(tni_gemm_tile *t, const block *w, size_t i, size_t j)
{
    const size_t row = w->i0 + i, col = w->j0 + j;
    const tni_epilogue *e = w->epi;
    t->c = w->g->c + row * w->g->ldc + col;
    if (t->flags & TNI_TILE_BIAS_ROW) t->bias_row = e->bias_row + row;
    if (t->flags & TNI_TILE_BIAS_COL) t->bias_col = e->bias_col + col;
    if (t->flags & TNI_TILE_ADD) t->add = e->add + row * e->add_ld + col;
}

/* How the rows of a block are cut into tiles. */
typedef struct row_cut {
    size_t tiles;
    bool even; /* rows of A in place may be cut evenly, panels may not */
    tni_gemm_tile_fn fn;
} row_cut;

static row_cut cut_rows(const block *w)
{
    const tni_gemm_kernels *ker = w->ker;
    const bool by_col = w->g->a_packed != NULL || w->g->a_trans;
    const row_cut c = {ceil_div(w->m, (size_t)ker->mr),
                       w->g->a_packed == NULL && !w->p->pack_a,
                       by_col ? ker->col : ker->row};
    return c;
}

static size_t row_of(const block *w, const row_cut *c, size_t tile)
{
    return c->even ? w->m * tile / c->tiles
                   : min_size(tile * (size_t)w->ker->mr, w->m);
}

/* Columns [j, j + n) of the block: every tile of rows under one panel. */
static void run_panel(tni_gemm_tile *t, const block *w, size_t j, size_t n)
{
    const size_t nr = (size_t)w->ker->nr, fetch = nr / 4;
    const row_cut c = cut_rows(w);
    t->nr = (int)n;
    for (size_t q = 0; q < c.tiles; q++) {
        const size_t i = row_of(w, &c, q);
        t->mr = (int)(row_of(w, &c, q + 1) - i);
        /* The first tiles fetch the next panel. */
        t->soon = t->b + (q < fetch ? t->b_ps + q * t->k * 4 : 0);
        set_a(t, w, i);
        set_c(t, w, i, j);
        c.fn(t);
    }
}

/* The same the other way round: every panel of n columns over one tile of
 * rows, which touches fewer pages of C when the panels stay in L1. */
static void run_rows(tni_gemm_tile *t, const block *w, size_t n)
{
    const size_t nr = (size_t)w->ker->nr;
    const row_cut c = cut_rows(w);
    for (size_t q = 0; q < c.tiles; q++) {
        const size_t i = row_of(w, &c, q);
        t->mr = (int)(row_of(w, &c, q + 1) - i);
        set_a(t, w, i);
        for (size_t j = 0; j < n; j += nr) {
            t->nr = (int)min_size(nr, n - j);
            set_b(t, w, j);
            set_c(t, w, i, j);
            c.fn(t);
        }
    }
}

static void run_wide(tni_gemm_tile *t, const block *w, size_t n)
{
    const size_t nr = (size_t)w->ker->nr;
    const size_t width = (w->m == 1 ? 4 : 2) * nr;
    t->mr = (int)w->m;
    for (size_t j = 0; j < n; j += width) {
        t->nr = (int)min_size(width, n - j);
        set_b(t, w, j);
        set_a(t, w, 0);
        set_c(t, w, 0, j);
        w->ker->wide(t);
    }
}

/* The block's rows of A, copied copy_gap floats further apart than w->k. */
static void copy_rows(const block *w)
{
    const float *a = w->g->a + w->i0 * w->g->lda + w->k0;
    for (size_t i = 0; i < w->m; i++)
        memcpy(w->pack_a + i * (w->k + copy_gap), a + i * w->g->lda,
               w->k * sizeof *a);
}

static void run_block(block *w, bool first, bool last)
{
    const tni_gemm *g = w->g;
    const size_t nr = (size_t)w->ker->nr;
    if (w->p->pack_a)
        tni_gemm_pack_a(w->ker, w->pack_a, g->a + w->k0 * g->lda + w->i0,
                        g->lda, true, w->m, w->k);
    if (w->p->copy_a) copy_rows(w);
    if (w->p->pack_b)
        tni_gemm_pack_b(w->ker, w->pack_b,
                        g->b_trans ? g->b + w->j0 * g->ldb + w->k0
                                   : g->b + w->k0 * g->ldb + w->j0,
                        g->ldb, g->b_trans, w->k, w->n);
    tni_gemm_tile t = {0};
    t.k = w->k;
    t.c_rs = g->ldc;
    if (!first) t.flags |= TNI_TILE_LOAD;
    if (last) set_epilogue(&t, w->epi);

    const bool in_place = g->b_packed == NULL && !w->p->pack_b;
    const size_t whole = in_place ? w->n / nr * nr : w->n;
    if (is_wide(w->ker, g)) {
        run_wide(&t, w, whole);
    } else if (w->k * w->n <= few_floats && !in_place) {
        run_rows(&t, w, whole);
    } else {
        for (size_t j = 0; j < whole; j += nr) {
            set_b(&t, w, j);
            run_panel(&t, w, j, min_size(nr, whole - j));
        }
    }
    if (whole < w->n) { /* the last columns of a B that is read in place */
        tni_gemm_pack_b(w->ker, w->pack_b,
                        g->b + w->k0 * g->ldb + w->j0 + whole, g->ldb, false,
                        w->k, w->n - whole);
        t.b = w->pack_b;
        t.b_ks = nr;
        run_panel(&t, w, whole, w->n - whole);
    }
}

void tni_gemm_task(const tni_gemm_kernels *ker, const tni_gemm_plan *p,
                   const tni_gemm *g, const tni_epilogue *epi, size_t task,
                   float *scratch)
{
    const size_t i0 = task % p->m_tasks * p->mc, j0 = task / p->m_tasks * p->nc;
    block w = {ker, p, g, epi, i0, j0, 0, 0, 0, 0, NULL, NULL};
    w.m = min_size(p->mc, g->m - i0);
    w.n = min_size(p->nc, g->n - j0);
    w.pack_a = scratch;
    w.pack_b = scratch;
    if (scratch != NULL)
        w.pack_b = scratch + a_scratch(p, min_size(g->k, ker->kc));
    do {
        w.k = min_size(ker->kc, g->k - w.k0);
        run_block(&w, w.k0 == 0, w.k0 + w.k == g->k);
        w.k0 += w.k;
    } while (w.k0 < g->k);
    if (epi->act != NULL) {
        for (size_t i = 0; i < w.m; i++) {
            float *c = g->c + (i0 + i) * g->ldc + j0;
            epi->act(c, c, w.n, epi->act_params);
        }
    }
}

typedef struct run_ctx {
    const tni_gemm_kernels *ker;
    const tni_gemm_plan *p;
    const tni_gemm *g;
    const tni_epilogue *epi;
    float *scratch;
} run_ctx;

static void run_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const run_ctx *r = ctx;
    float *scratch = r->scratch != NULL
                         ? r->scratch + (size_t)worker * r->p->scratch_len
                         : NULL;
    for (size_t i = begin; i < end; i++)
        tni_gemm_task(r->ker, r->p, r->g, r->epi, i, scratch);
}

void tni_gemm_run(const tni_gemm_kernels *ker, const tni_gemm_plan *p,
                  const tni_gemm *g, const tni_epilogue *epi, float *scratch,
                  const tni_par *par)
{
    run_ctx ctx = {ker, p, g, epi, scratch};
    tni_par_for(par, tni_gemm_tasks(p), run_tasks, &ctx);
}

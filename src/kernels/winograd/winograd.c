/* SPDX-License-Identifier: Apache-2.0 */
/*
 * winograd.c - cut a Winograd convolution into blocks of tiles
 *
 * A block's V stays in L2, or nearly, while the weights stream past it, a pass
 * of a few panels at a time; the sums of a pass stay in L2 until the output
 * transform has read them. Small images with many channels have too few tiles
 * for a block per worker: there V is shared and passes are the tasks.
 */
#include "kernels/winograd/winograd.h"

#include "base/checked.h"
#include "kernels/sizes.h"
#include "tenon/base.h"

#include <string.h>

static const tni_winograd_kernels rows[] = {
#define TN_WINOGRAD_KERNEL(isa, name, lanes)                                   \
    {isa,                                                                      \
     #name,                                                                    \
     lanes,                                                                    \
     tni_winograd_f32_load__##name,                                            \
     tni_winograd_f32_store__##name,                                           \
     {tni_winograd_f32_input1__##name, tni_winograd_f32_input2__##name,        \
      tni_winograd_f32_input4__##name},                                        \
     {tni_winograd_f32_output1__##name, tni_winograd_f32_output2__##name,      \
      tni_winograd_f32_output4__##name}},
#include "kernels/winograd/winograd.def"
#undef TN_WINOGRAD_KERNEL
};
enum { n_rows = sizeof rows / sizeof rows[0] };

void tni_winograd_init(tni_winograd_kernels *k, uint32_t isa)
{
    for (int i = 0; i < n_rows; i++)
        if ((rows[i].isa & isa) == rows[i].isa) *k = rows[i];
}

bool tni_winograd_row_at(tni_winograd_kernels *k, int i)
{
    if (i < 0 || i >= n_rows) return false;
    *k = rows[i];
    return true;
}

/* --- planning ------------------------------------------------------------ */

/* Lanes of the widest row: V, sums and tasks come in whole lines. */
enum { line = 16 };
/* Floats of V that a block should have, and tiles in any case. */
enum { block_floats = 72 * 1024, least_tiles = 32, most_tiles = 128 };
/* Fewer blocks than this, or more floats of weights, and V is shared: the
 * weights then stream past many tiles at a time. */
enum { own_blocks = 12, own_weights = 1 << 20 };
/* Floats of shared V. */
enum { chunk_floats = 2 << 20 };
/* Output channels of a pass. */
enum { pass_channels = 64 };

/* The side of the kernel: 3, or 1 for tiles of one pixel; 0: not for us. */
static size_t fits(const tni_conv_shape *s)
{
    const size_t side = s->kernel[1];
    if (s->groups != 1 || s->in[0] != 1 || s->out[0] != 1 || s->ic == 0 ||
        s->oc == 0 || s->n == 0 || s->kernel[0] != 1 || s->pad_lo[0] != 0)
        return 0;
    for (int d = 1; d < 3; d++) {
        const bool outside =
            s->pad_lo[d] != 0 || s->out[d] - 1 > (s->in[d] - 1) / s->stride[d];
        if (s->out[d] == 0 || s->in[d] == 0 || s->kernel[d] != side) return 0;
        if (side == 3 ? s->stride[d] != 1 || s->dilation[d] != 1
                      : side != 1 || outside)
            return 0;
    }
    return side;
}

/* From one term to the next: lines that a transform writes in turn must not
 * share a set of the cache, so an odd number of lines. */
static size_t odd_lines(size_t floats)
{
    return round_up(floats, line) + (floats / line % 2 == 0 ? line : 0);
}

static void plan_blocks(tni_winograd_plan *p)
{
    const size_t rows_total = p->rows * p->s.n;
    const size_t want = min_size(
        max_size(block_floats / (p->terms * p->s.ic), least_tiles), most_tiles);
    p->col_blocks = ceil_div(p->cols, want);
    p->block_cols = ceil_div(p->cols, p->col_blocks);
    p->row_blocks = ceil_div(rows_total, max_size(want / p->block_cols, 1));
    p->block_rows = ceil_div(rows_total, p->row_blocks);
    p->row_blocks = ceil_div(rows_total, p->block_rows);
}

static bool plan_sizes(tni_winograd_plan *p, const tni_winograd_kernels *ker,
                       size_t nr)
{
    const size_t tiles = p->block_rows * p->block_cols;
    const size_t lanes = (size_t)ker->lanes;
    size_t rows_in = 0, cols_in = 0, v = 0, all = 0;
    p->v_ld = round_up(p->s.ic, line);
    p->s_ld = round_up(min_size(p->pass, p->panels) * nr, line);
    /* Rows of 4 KiB would share their sets. */
    if (p->v_ld % 256 == 0) p->v_ld += line;
    if (!tni_mul_size(tiles, p->v_ld, &v) ||
        !tni_mul_size(v + 2 * line, p->terms, &p->v_len) ||
        !tni_mul_size(p->terms, p->s.ic, &all) ||
        !tni_mul_size(all, p->panels * nr, &p->packed_len) ||
        !tni_mul_size(p->block_rows, p->down, &rows_in) ||
        !tni_mul_size(p->block_cols, p->across, &cols_in) ||
        !tni_mul_size(rows_in + 2, (cols_in + 2) * lanes, &p->patch_len))
        return false;
    p->v_step = odd_lines(v);
    p->v_len = p->terms * p->v_step;
    p->s_step = odd_lines(tiles * p->s_ld);
    p->sums_len = p->terms * p->s_step;
    p->patch_len = round_up(p->patch_len, line);
    return true;
}

bool tni_winograd_plan_init(tni_winograd_plan *p,
                            const tni_winograd_kernels *ker,
                            const tni_gemm_kernels *gemm,
                            const tni_conv_shape *s, int m)
{
    const size_t nr = (size_t)gemm->nr;
    size_t limit = 0;
    memset(p, 0, sizeof *p);
    p->s = *s;
    const size_t kernel = fits(s);
    if (kernel == 0 || !(kernel == 1 ? m == 1 : m == 2 || m == 4)) return false;
    p->m = (size_t)m;
    p->side = p->m + kernel - 1;
    p->terms = p->side * p->side;
    p->down = m == 1 ? s->stride[1] : p->m;
    p->across = m == 1 ? s->stride[2] : p->m;
    if (!tni_mul_size(s->in[1], s->in[2], &p->in_len) ||
        !tni_mul_size(s->out[1], s->out[2], &p->out_len) ||
        !tni_mul_size(max_size(p->in_len, p->out_len), s->n, &limit) ||
        limit > UINT32_MAX || s->ic > UINT32_MAX || s->oc > UINT32_MAX)
        return false;
    p->rows = ceil_div(s->out[1], p->m);
    p->cols = ceil_div(s->out[2], p->m);
    p->panels = ceil_div(s->oc, nr);
    p->pass = max_size(pass_channels / nr, 1);
    p->k_step = ceil_div(s->ic, ceil_div(s->ic, gemm->kc));
    plan_blocks(p);
    if (!plan_sizes(p, ker, nr)) return false;
    const size_t blocks = p->row_blocks * p->col_blocks;
    p->shared = blocks < own_blocks || p->packed_len > own_weights;
    p->chunk = min_size(blocks, max_size(chunk_floats / p->v_len, 1));
    return true;
}

size_t tni_winograd_scratch_len(const tni_winograd_plan *p, int workers)
{
    const size_t own = p->patch_len + p->sums_len + (p->shared ? 0 : p->v_len);
    return (p->shared ? p->chunk * p->v_len : 0) + (size_t)workers * own;
}

/* --- weights ------------------------------------------------------------- */

enum { group = 8, most_terms = 36 }; /* filters transformed side by side */

/* G times three numbers: points 0, 1, -1, infinity. */
static void weights2(double t[][group], const double *g0, const double *g1,
                     const double *g2, size_t step)
{
    for (size_t i = 0; i < group; i++) {
        const double even = 0.5 * (g0[i] + g2[i]), odd = 0.5 * g1[i];
        t[0][i] = g0[i];
        t[step][i] = even + odd;
        t[2 * step][i] = even - odd;
        t[3 * step][i] = g2[i];
    }
}

/* Points 0, +-a, +-b, infinity with a^2 = 1/2, b^2 = 2; a row is divided by
 * the product of its point's distances from the others: -3/2 and 6. */
static void weights4(double t[][group], const double *g0, const double *g1,
                     const double *g2, size_t step)
{
    const double na = -2.0 / 3, nb = 1.0 / 6,
                 root_half = 0.70710678118654752440;
    for (size_t i = 0; i < group; i++) {
        const double ea = na * (g0[i] + 0.5 * g2[i]);
        const double oa = na * root_half * g1[i];
        const double eb = nb * (g0[i] + 2 * g2[i]);
        const double ob = nb * 2 * root_half * g1[i];
        t[0][i] = g0[i];
        t[step][i] = ea + oa;
        t[2 * step][i] = ea - oa;
        t[3 * step][i] = eb + ob;
        t[4 * step][i] = eb - ob;
        t[5 * step][i] = g2[i];
    }
}

/* U = G w G^T of eight kernels of nine weights. */
static void transform_weights(double out[most_terms][group], double w[9][group],
                              size_t m)
{
    double half[18][group]; /* [point][column] */
    const size_t side = m + 2;
    for (size_t j = 0; j < 3; j++) {
        if (m == 4)
            weights4(half + j, w[j], w[3 + j], w[6 + j], 3);
        else
            weights2(half + j, w[j], w[3 + j], w[6 + j], 3);
    }
    for (size_t i = 0; i < side; i++) {
        const double *h0 = half[3 * i], *h1 = half[3 * i + 1];
        if (m == 4)
            weights4(out + side * i, h0, h1, half[3 * i + 2], 1);
        else
            weights2(out + side * i, h0, h1, half[3 * i + 2], 1);
    }
}

/* Output channels [o, o + group) of a panel that begins at channel o0. */
static void pack_group(const tni_winograd_plan *p, float *panel, const float *w,
                       size_t nr, size_t o0, size_t o)
{
    const size_t ic = p->s.ic, step = ic * nr;
    double in[9][group], out[most_terms][group];
    for (size_t c = 0; c < ic; c++) {
        for (size_t i = 0; i < group; i++) {
            const bool real = o + i < p->s.oc;
            const float *s = w + ((real ? o + i : o0) * ic + c) * 9;
            for (size_t q = 0; q < 9; q++) in[q][i] = real ? (double)s[q] : 0.0;
        }
        transform_weights(out, in, p->m);
        float *to = panel + c * nr + (o - o0);
        for (size_t e = 0; e < p->terms; e++, to += step)
            for (size_t i = 0; i < group; i++) to[i] = (float)out[e][i];
    }
}

void tni_winograd_pack(const tni_winograd_plan *p, const tni_gemm_kernels *gemm,
                       float *packed, const float *w)
{
    const size_t nr = (size_t)gemm->nr;
    if (p->m == 1) {
        tni_gemm_pack_b(gemm, packed, w, p->s.ic, true, p->s.ic, p->s.oc);
        return;
    }
    for (size_t o0 = 0; o0 < p->s.oc; o0 += nr) {
        for (size_t o = o0; o < o0 + nr; o += group)
            pack_group(p, packed, w, nr, o0, o);
        packed += p->terms * p->s.ic * nr;
    }
}

/* --- running ------------------------------------------------------------- */

typedef struct run_ctx {
    const tni_winograd_plan *p;
    const tni_winograd_kernels *ker;
    const tni_gemm_kernels *gemm;
    const float *x, *packed;
    const tni_epilogue *epi;
    float *y, *shared, *scratch;
    size_t first_block; /* of the chunk */
    size_t blocks;      /* in it */
} run_ctx;

/* The part of a block that lies in one image, in tiles. */
typedef struct area {
    size_t image, row, rows, col, cols;
    size_t tile; /* of the block, with which it begins */
    size_t left; /* rows of the block that follow */
} area;

static void next_area(const tni_winograd_plan *p, area *a, size_t row)
{
    a->image = row / p->rows;
    a->row = row % p->rows;
    a->rows = min_size(p->rows - a->row, a->left);
    a->left -= a->rows;
}

static area first_area(const tni_winograd_plan *p, size_t block)
{
    area a = {0};
    const size_t row = block / p->col_blocks * p->block_rows;
    a.col = block % p->col_blocks * p->block_cols;
    a.cols = min_size(p->block_cols, p->cols - a.col);
    a.left = min_size(p->block_rows, p->rows * p->s.n - row);
    next_area(p, &a, row);
    return a;
}

static bool more_areas(const tni_winograd_plan *p, area *a)
{
    if (a->left == 0) return false;
    a->tile += a->rows * a->cols;
    next_area(p, a, a->image * p->rows + a->row + a->rows);
    return true;
}

static size_t block_tiles(const tni_winograd_plan *p, size_t block)
{
    const area a = first_area(p, block);
    return (a.rows + a.left) * a.cols;
}

static size_t patch_cols(const tni_winograd_plan *p, const area *a)
{
    return (a->cols - 1) * p->across + p->side;
}

/* Which of a row's transforms. */
static size_t form(const tni_winograd_plan *p)
{
    return p->m / 2;
}

/* The pixels that an area's tiles depend on, channels [c, c + lanes), zero
 * where the image is padded. */
static void load_patch(const run_ctx *r, const area *a, size_t c, float *patch)
{
    const tni_winograd_plan *p = r->p;
    const size_t lanes = (size_t)r->ker->lanes, ic = p->s.ic;
    const size_t h = p->s.in[1], w = p->s.in[2];
    const size_t above = p->s.pad_lo[1], left = p->s.pad_lo[2];
    const size_t n_rows_in = (a->rows - 1) * p->down + p->side;
    const size_t n_cols = patch_cols(p, a);
    /* Columns [lo, hi) of the patch are inside the image. */
    const size_t x0 = a->col * p->across, y0 = a->row * p->down;
    const size_t lo = x0 >= left ? 0 : min_size(left - x0, n_cols);
    const size_t end = w + left > x0 ? w + left - x0 : 0;
    const size_t hi = max_size(min_size(end, n_cols), lo);
    const float *image = r->x + (a->image * ic + c) * p->in_len;
    if (p->m == 1 && p->down == 1 && n_cols == w) { /* one long row */
        r->ker->load(patch, image + y0 * w, p->in_len, ic - c, n_rows_in * w);
        return;
    }
    for (size_t i = 0; i < n_rows_in; i++, patch += n_cols * lanes) {
        const size_t at = y0 + i;
        if (p->m == 1 && i % p->down != 0) continue; /* no tile looks at it */
        if (at < above || at - above >= h || lo == hi) {
            memset(patch, 0, n_cols * lanes * sizeof *patch);
            continue;
        }
        memset(patch, 0, lo * lanes * sizeof *patch);
        r->ker->load(patch + lo * lanes,
                     image + (at - above) * w + (x0 + lo - left), p->in_len,
                     ic - c, hi - lo);
        memset(patch + hi * lanes, 0, (n_cols - hi) * lanes * sizeof *patch);
    }
}

/* V of a block, channels [c0, c1). */
static void transform_input(const run_ctx *r, size_t block, size_t c0,
                            size_t c1, float *v, float *patch)
{
    const tni_winograd_plan *p = r->p;
    const size_t lanes = (size_t)r->ker->lanes;
    area a = first_area(p, block);
    do {
        const size_t row_step = patch_cols(p, &a) * lanes;
        for (size_t c = c0; c < c1; c += lanes) {
            load_patch(r, &a, c, patch);
            for (size_t i = 0; i < a.rows; i++) {
                const size_t tile = a.tile + i * a.cols;
                const tni_winograd_tiles t = {patch + i * p->down * row_step,
                                              row_step,
                                              p->across * lanes,
                                              v + tile * p->v_ld + c,
                                              p->v_step,
                                              p->v_ld,
                                              a.cols,
                                              NULL};
                r->ker->input[form(p)](&t);
            }
        }
    } while (more_areas(p, &a));
}

/* The sums of one term and one block of channels for every tile of a block and
 * the panels [o, o + n): t holds all that tiles share. */
static void multiply_term(const run_ctx *r, const tni_gemm_tile *first,
                          size_t tiles, size_t n, size_t panel_step,
                          const float *next)
{
    const size_t nr = (size_t)r->gemm->nr, fetch = nr / 4;
    const size_t chunks = ceil_div(tiles, (size_t)r->gemm->mr);
    tni_gemm_tile t = *first;
    for (size_t j = 0; j < n; j++) {
        t.b = first->b + j * panel_step;
        const float *soon = j + 1 < n ? t.b + panel_step : next;
        for (size_t i = 0, q = 0; i < chunks; i++) {
            const size_t end = tiles * (i + 1) / chunks;
            t.mr = (int)(end - q);
            t.a = first->a + q * t.a_rs;
            t.c = first->c + q * t.c_rs + j * nr;
            t.soon = i < fetch ? soon + i * t.k * 4 : soon;
            r->gemm->row(&t);
            q = end;
        }
    }
}

/* All terms of the panels [o, o + n) for a block. */
static void multiply(const run_ctx *r, size_t tiles, size_t o, size_t n,
                     const float *v, float *sums)
{
    const tni_winograd_plan *p = r->p;
    const size_t nr = (size_t)r->gemm->nr;
    const size_t panel_step = p->terms * p->s.ic * nr;
    tni_gemm_tile t = {0};
    t.a_rs = p->v_ld;
    t.a_ks = 1;
    t.b_ks = nr;
    t.c_rs = p->s_ld;
    t.nr = (int)nr;
    for (size_t e = 0; e < p->terms; e++) {
        for (size_t k = 0; k < p->s.ic; k += t.k) {
            t.k = min_size(p->k_step, p->s.ic - k);
            t.a = v + e * p->v_step + k;
            t.b = r->packed + o * panel_step + (e * p->s.ic + k) * nr;
            t.c = sums + e * p->s_step;
            t.flags = k != 0 ? TNI_TILE_LOAD : 0;
            multiply_term(r, &t, tiles, n, panel_step, t.b + t.k * nr);
        }
    }
}

/* Rows of an area's patch into y, with what is left of the epilogue. */
static void store_patch(const run_ctx *r, const area *a, size_t o,
                        const float *patch)
{
    const tni_winograd_plan *p = r->p;
    const tni_epilogue *e = r->epi;
    const size_t lanes = (size_t)r->ker->lanes, w = p->s.out[2];
    const size_t x0 = a->col * p->m, y0 = a->row * p->m;
    const size_t width = a->cols * p->m;
    size_t n = min_size(width, w - x0);
    size_t rows_out = min_size(a->rows * p->m, p->s.out[1] - y0);
    const size_t at = (a->image * p->s.oc + o) * p->out_len + y0 * w + x0;
    tni_winograd_row t = {0};
    t.cs = p->out_len;
    t.channels = min_size(p->s.oc - o, lanes);
    t.clip = e->clip;
    t.lo = e->lo;
    t.hi = e->hi;
    if (width == w) { /* one long row */
        n *= rows_out;
        rows_out = 1;
    }
    const bool late = e->act != NULL && (e->add != NULL || e->clip);
    for (size_t i = 0; i < rows_out; i++) {
        t.n = n;
        t.patch = patch + i * width * lanes;
        t.y = r->y + at + i * w;
        t.add = e->add != NULL ? e->add + at + i * w : NULL;
        r->ker->store(&t);
        for (size_t c = 0; late && c < t.channels; c++)
            e->act(t.y + c * t.cs, t.y + c * t.cs, n, e->act_params);
    }
}

/* Channels [o, o + n) of a block, from sums. */
static void transform_output(const run_ctx *r, size_t block, size_t o, size_t n,
                             float *sums, float *patch)
{
    const tni_winograd_plan *p = r->p;
    const tni_epilogue *e = r->epi;
    const size_t lanes = (size_t)r->ker->lanes;
    const bool early = e->act != NULL && e->add == NULL && !e->clip;
    area a = first_area(p, block);
    do {
        const size_t row_step = a.cols * p->m * lanes;
        for (size_t c = 0; c < n; c += lanes) {
            float bias[line] = {0};
            if (e->bias_row != NULL)
                memcpy(bias, e->bias_row + o + c,
                       min_size(lanes, n - c) * sizeof *bias);
            for (size_t i = 0; i < a.rows; i++) {
                const size_t tile = a.tile + i * a.cols;
                const tni_winograd_tiles t = {patch + i * p->m * row_step,
                                              row_step,
                                              p->m * lanes,
                                              sums + tile * p->s_ld + c,
                                              p->s_step,
                                              p->s_ld,
                                              a.cols,
                                              bias};
                r->ker->output[form(p)](&t);
            }
            if (early)
                e->act(patch, patch, a.rows * p->m * row_step, e->act_params);
            store_patch(r, &a, o + c, patch);
        }
    } while (more_areas(p, &a));
}

/* One pass over a block. */
static void do_pass(const run_ctx *r, size_t block, size_t pass, const float *v,
                    float *sums, float *patch)
{
    const tni_winograd_plan *p = r->p;
    const size_t nr = (size_t)r->gemm->nr, panel = pass * p->pass;
    const size_t n = min_size(p->pass, p->panels - panel);
    multiply(r, block_tiles(p, block), panel, n, v, sums);
    transform_output(r, block, panel * nr,
                     min_size(n * nr, p->s.oc - panel * nr), sums, patch);
}

static float *worker_scratch(const run_ctx *r, int worker)
{
    const tni_winograd_plan *p = r->p;
    return r->scratch + (size_t)worker * (p->patch_len + p->sums_len +
                                          (p->shared ? 0 : p->v_len));
}

static void own_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const run_ctx *r = ctx;
    const tni_winograd_plan *p = r->p;
    float *patch = worker_scratch(r, worker), *sums = patch + p->patch_len;
    float *v = sums + p->sums_len;
    for (size_t i = begin; i < end; i++) {
        transform_input(r, i, 0, p->s.ic, v, patch);
        for (size_t q = 0; q * p->pass < p->panels; q++)
            do_pass(r, i, q, v, sums, patch);
    }
}

static void input_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const run_ctx *r = ctx;
    const tni_winograd_plan *p = r->p;
    float *patch = worker_scratch(r, worker);
    for (size_t i = begin; i < end; i++) {
        const size_t block = i % r->blocks, c = i / r->blocks * line;
        transform_input(r, r->first_block + block, c,
                        min_size(c + line, p->s.ic),
                        r->shared + block * p->v_len, patch);
    }
}

static void pass_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const run_ctx *r = ctx;
    const tni_winograd_plan *p = r->p;
    float *patch = worker_scratch(r, worker), *sums = patch + p->patch_len;
    for (size_t i = begin; i < end; i++) {
        const size_t block = i % r->blocks;
        do_pass(r, r->first_block + block, i / r->blocks,
                r->shared + block * p->v_len, sums, patch);
    }
}

void tni_winograd_run(const tni_winograd_plan *p,
                      const tni_winograd_kernels *ker,
                      const tni_gemm_kernels *gemm, const float *x,
                      const float *packed, const tni_epilogue *epi, float *y,
                      float *scratch, const tni_par *par)
{
    const size_t blocks = p->row_blocks * p->col_blocks;
    run_ctx r = {p, ker, gemm, x, packed, epi, y, scratch, scratch, 0, 0};
    if (!p->shared) {
        tni_par_for(par, blocks, own_tasks, &r);
        return;
    }
    r.scratch = scratch + p->chunk * p->v_len;
    for (; r.first_block < blocks; r.first_block += r.blocks) {
        r.blocks = min_size(p->chunk, blocks - r.first_block);
        tni_par_for(par, r.blocks * ceil_div(p->s.ic, line), input_tasks, &r);
        tni_par_for(par, r.blocks * ceil_div(p->panels, p->pass), pass_tasks,
                    &r);
    }
}

/* --- choosing ------------------------------------------------------------ */

/* Costs in cycles of a core that does two vector multiply-adds in each. */
enum {
    stream_bytes = 3, /* of weights from memory, some cores asking for them */
    tile_terms = 8,   /* what a call of a micro-kernel costs beside its terms */
    direct_percent = 85, /* of the peak, that tni_conv_run reaches */
    /* Multiply-adds of an image that a byte of weights kept must save: less
     * time is not worth any memory (decision 0010). */
    byte_terms = 19,
    /* A tile's transforms of `lanes` channels, turning pixels included. */
    input1 = 8,
    output1 = 10,
    input2 = 50,
    output2 = 70,
    input4 = 110,
    output4 = 150
};

static double winograd_cost(const tni_conv_shape *s, size_t lanes, size_t nr,
                            size_t m)
{
    const double tiles =
        (double)ceil_div(s->out[1], m) * (double)ceil_div(s->out[2], m);
    const double terms = (double)((m + 2) * (m + 2));
    const double weights = terms * (double)s->ic * (double)round_up(s->oc, nr);
    const double calls = (double)tile_terms / (double)s->ic + 1;
    const double sums = tiles * weights * calls / (2.0 * (double)lanes);
    const double stream = weights * sizeof(float) / stream_bytes;
    const double in = (double)ceil_div(s->ic, lanes);
    const double out = (double)ceil_div(s->oc, lanes);
    return (sums > stream ? sums : stream) +
           tiles * (m == 2 ? in * input2 + out * output2
                           : in * input4 + out * output4);
}

static double direct_cost(const tni_conv_shape *s, size_t lanes, size_t nr)
{
    const double weights = 9.0 * (double)s->ic * (double)round_up(s->oc, nr);
    const double sums = weights * (double)s->out[1] * (double)s->out[2] /
                        (2.0 * (double)lanes) * 100.0 / direct_percent;
    const double stream = weights * sizeof(float) / stream_bytes;
    return sums > stream ? sums : stream;
}

/* Cycles as multiply-adds, so that a byte is worth the same in vectors of any
 * width, and the price of weights with so many terms for each kernel. */
static double priced(const tni_conv_shape *s, size_t lanes, double cycles,
                     double terms)
{
    const double bytes =
        terms * (double)s->ic * (double)s->oc * (double)sizeof(float);
    return cycles * 2.0 * (double)lanes + bytes * byte_terms;
}

/* Kernels of one element, whose sums are those of tni_conv_run: worth it where
 * its panels would be half empty and its channels are all on other pages. */
static int choose_point(const tni_conv_shape *s, size_t lanes, size_t nr,
                        size_t mr)
{
    const size_t len = s->out[1] * s->out[2];
    const double ic = (double)s->ic, rate = 2.0 * (double)lanes;
    const double turned = ic * (double)(round_up(s->oc, nr) * len) / rate +
                          (double)(ceil_div(s->ic, lanes) * input1 +
                                   ceil_div(s->oc, lanes) * output1) *
                              (double)len;
    const double pixels = ic * (double)(s->oc * round_up(len, nr)) / rate;
    return len >= 2 * mr && s->oc >= nr && turned < pixels ? 1 : 0;
}

int tni_winograd_choose(const tni_winograd_kernels *ker,
                        const tni_gemm_kernels *gemm, const tni_conv_shape *s)
{
    const size_t lanes = (size_t)ker->lanes, nr = (size_t)gemm->nr;
    const size_t kernel = fits(s);
    if (kernel == 0) return 0;
    if (kernel == 1) return choose_point(s, lanes, nr, (size_t)gemm->mr);
    const double direct = priced(s, lanes, direct_cost(s, lanes, nr), 9);
    const double two = priced(s, lanes, winograd_cost(s, lanes, nr, 2), 16);
    const double four = priced(s, lanes, winograd_cost(s, lanes, nr, 4), 36);
    const double best = two < four ? two : four;
    if (best > direct) return 0;
    return two < four ? 2 : 4;
}

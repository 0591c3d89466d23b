/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv.c - choose how a convolution is computed and cut it into tasks
 *
 * The sizes of tasks come from the shape alone, and every element is summed
 * in one order, so neither the method nor the workers change a bit.
 */
#include "kernels/conv/conv.h"

#include "base/checked.h"
#include "kernels/sizes.h"
#include "tenon/base.h"

#include <string.h>

static const tni_conv_kernels rows[] = {
#define TN_CONV_KERNEL(isa, name, mr, nr)                                      \
    {isa,                                                                      \
     #name,                                                                    \
     mr,                                                                       \
     nr,                                                                       \
     tni_conv_f32_tile__##name,                                                \
     tni_conv_f32_unfold__##name,                                              \
     tni_conv_f32_finish__##name,                                              \
     tni_conv_f32_unzip__##name},
#include "kernels/conv/conv.def"
#undef TN_CONV_KERNEL
};
enum { n_rows = sizeof rows / sizeof rows[0] };

void tni_conv_init(tni_conv_kernels *k, uint32_t isa)
{
    for (int i = 0; i < n_rows; i++)
        if ((rows[i].isa & isa) == rows[i].isa) *k = rows[i];
}

bool tni_conv_row(tni_conv_kernels *k, int i)
{
    if (i < 0 || i >= n_rows) return false;
    *k = rows[i];
    return true;
}

static bool mul3(size_t a, size_t b, size_t c, size_t *out)
{
    return tni_mul_size(a, b, out) && tni_mul_size(*out, c, out);
}

/* --- planning ------------------------------------------------------------ */

/* What a task keeps in L2 of the image, and how finely work is cut. */
enum { chunk_floats = 80 * 1024, want_tasks = 32, min_task = 1 << 17 };
/* What PIXELS unfolds at a time, which stays in L1 beside weights and results,
 * and panels of a task: results are written in runs of as many pixels as both
 * allow, each channel on a page of its own. */
enum { unfolded_floats = 6144, most_panels = 32 };
/* When PIXELS cuts channels too, and into how many at least. */
enum { few_tasks = 12, least_rows = 128 };

/* Size of the padded image, 0 in pad_len when the image itself will do. Of the
 * remainders modulo the stride only those that the kernel meets are kept. */
static bool plan_padding(tni_conv_plan *p)
{
    const tni_conv_shape *s = &p->s;
    bool copied = false;
    for (int d = 0; d < 3; d++) {
        size_t need = 0, reach = 0;
        if (!tni_mul_size(s->out[d] - 1, s->stride[d], &need) ||
            !tni_mul_size(s->kernel[d] - 1, s->dilation[d], &reach) ||
            !tni_add_size(need, reach, &need) || !tni_add_size(need, 1, &need))
            return false;
        p->need[d] = need;
        const size_t met = min_size(s->stride[d], reach + 1);
        if (!tni_mul_size(ceil_div(need, s->stride[d]), met, &p->pad_dim[d]))
            return false;
        copied |= s->pad_lo[d] != 0 || need > s->in[d] || s->stride[d] > 1;
    }
    if (!copied) {
        memcpy(p->pad_dim, s->in, sizeof p->pad_dim);
        p->pad_len = 0;
        return true;
    }
    return mul3(p->pad_dim[0], p->pad_dim[1], p->pad_dim[2], &p->pad_len);
}

/* Where coordinate `at` of the padded image is kept along axis d. */
static size_t sorted(const tni_conv_plan *p, int d, size_t at)
{
    const size_t s = p->s.stride[d];
    return s == 1 ? at : at % s * ceil_div(p->need[d], s) + at / s;
}

static bool plan_sizes(tni_conv_plan *p)
{
    const tni_conv_shape *s = &p->s;
    size_t image = 0;
    if (!mul3(s->in[0], s->in[1], s->in[2], &p->in_len) ||
        !mul3(s->out[0], s->out[1], s->out[2], &p->out_len) ||
        !mul3(s->kernel[0], s->kernel[1], s->kernel[2], &p->k) ||
        !tni_mul_size(p->k, s->ic, &p->k))
        return false;
    if (p->out_len == 0 || s->n == 0 || s->groups == 0 || s->oc == 0) {
        p->out_len = 0;
        return true;
    }
    if (!plan_padding(p) ||
        !mul3(max_size(p->pad_len, p->in_len), s->ic, s->groups, &image) ||
        !tni_add_size(p->k, p->out_len, &p->table_len) ||
        !tni_add_size(p->table_len, TNI_CONV_AHEAD, &p->table_len))
        return false;
    if (p->pad_len != 0) p->shared_len = round_up(image, 16);
    /* The tables hold 32-bit offsets within one group of one image. */
    return image <= UINT32_MAX && p->table_len <= UINT32_MAX;
}

/* Whole tiles per group of channels: what either orientation must compute. */
static tni_conv_method choose(const tni_conv_plan *p,
                              const tni_conv_kernels *ker,
                              const tni_gemm_kernels *gemm)
{
    const tni_conv_shape *s = &p->s;
    const size_t nr = (size_t)ker->nr, gnr = (size_t)gemm->nr;
    const bool point = p->k == s->ic;
    /* In multiply-adds: a transposing store costs about 8 terms, and with a
     * kernel of one element every term is on another page; unfolding a panel
     * costs some rows of it. */
    size_t channels = round_up(s->oc, nr) * p->out_len * (p->k + 8);
    if (point) channels += channels / 4;
    const size_t rows_cost = max_size(s->oc, 2) + (point ? 4 : 16);
    const size_t pixels = rows_cost * round_up(p->out_len, gnr) * (p->k + 2);
    return channels <= pixels ? TNI_CONV_CHANNELS : TNI_CONV_PIXELS;
}

/* Pixels and channels of a task: pixels so that their part of the image stays
 * in L2, channels so that there are tasks for everyone. */
static void plan_tasks(tni_conv_plan *p, size_t oc_unit, size_t p_unit,
                       size_t oc_max)
{
    const tni_conv_shape *s = &p->s;
    size_t per_pixel = s->ic; /* floats that one more pixel brings in */
    for (int d = 0; d < 3; d++)
        per_pixel *= min_size(s->stride[d], min_size(s->kernel[d], 8));
    const size_t fit = max_size(chunk_floats / max_size(per_pixel, 1), 8);
    const size_t parts = max_size(p->out_len / max_size(fit, 8 * p_unit), 1);
    p->p_step = round_up(ceil_div(p->out_len, parts), p_unit);
    p->p_tasks = ceil_div(p->out_len, p->p_step);

    const size_t others = p->p_tasks * s->groups * s->n;
    const size_t work = max_size(p->p_step * max_size(p->k, 1) * oc_unit, 1);
    const size_t units = ceil_div(s->oc, oc_unit);
    size_t step = max_size(ceil_div(min_task, work), 1);
    step = max_size(step, units * others / want_tasks);
    step = min_size(min_size(step, units), max_size(oc_max / oc_unit, 1));
    p->oc_step = step * oc_unit;
    p->oc_tasks = ceil_div(s->oc, p->oc_step);
}

/* PIXELS: up to most_panels panels of pixels. Channels are cut only where the panels
 * are too few, as every task unfolds its own, at the price of some tiles. */
static void plan_panels(tni_conv_plan *p, const tni_gemm_kernels *gemm)
{
    const tni_conv_shape *s = &p->s;
    const size_t nr = (size_t)gemm->nr, mr = (size_t)gemm->mr;
    const size_t panels = ceil_div(p->out_len, nr), others = s->groups * s->n;
    const size_t step = panels * others / want_tasks;
    p->p_step = nr * min_size(max_size(step, 1), most_panels);
    p->p_tasks = ceil_div(p->out_len, p->p_step);
    const size_t fit = unfolded_floats / (nr * max_size(p->k, 1));
    p->p_some = nr * min_size(max_size(fit, 1), p->p_step / nr);
    const size_t cut = ceil_div(few_tasks, p->p_tasks * others);
    const size_t most = max_size(s->oc / least_rows, 1);
    p->oc_step = round_up(ceil_div(s->oc, min_size(cut, most)), mr);
    p->oc_tasks = ceil_div(s->oc, p->oc_step);
}

bool tni_conv_plan_method(tni_conv_plan *p, const tni_conv_kernels *ker,
                          const tni_gemm_kernels *gemm, const tni_conv_shape *s,
                          tni_conv_method method)
{
    memset(p, 0, sizeof *p);
    p->s = *s;
    p->method = method;
    if (!plan_sizes(p)) return false;
    if (method == TNI_CONV_CHANNELS) {
        if (!tni_gemm_packed_b_len(gemm, p->k, s->oc, &p->group_len))
            return false;
        if (p->out_len != 0)
            plan_tasks(p, (size_t)ker->nr, (size_t)ker->mr, SIZE_MAX);
        /* A block of a panel of weights stays in L1 from tile to tile. */
        p->k_step = ceil_div(p->k, ceil_div(max_size(p->k, 1), gemm->kc));
        p->k_step = max_size(p->k_step, 1);
        if (p->k_step < p->k) p->worker_len = p->p_step * (size_t)ker->nr;
    } else {
        if (!tni_gemm_packed_a_len(gemm, s->oc, p->k, &p->group_len))
            return false;
    }
    if (method == TNI_CONV_PIXELS && p->out_len != 0) {
        plan_panels(p, gemm);
        p->worker_len = p->p_some * min_size(p->k, gemm->kc);
    }
    p->worker_len = round_up(p->worker_len, 16);
    return tni_mul_size(p->group_len, s->groups, &p->packed_len);
}

bool tni_conv_plan_init(tni_conv_plan *p, const tni_conv_kernels *ker,
                        const tni_gemm_kernels *gemm, const tni_conv_shape *s)
{
    memset(p, 0, sizeof *p);
    p->s = *s;
    if (!plan_sizes(p)) return false;
    const tni_conv_method method =
        p->out_len != 0 ? choose(p, ker, gemm) : TNI_CONV_CHANNELS;
    return tni_conv_plan_method(p, ker, gemm, s, method);
}

void tni_conv_pack(const tni_conv_plan *p, const tni_conv_kernels *ker,
                   const tni_gemm_kernels *gemm, float *packed, const float *w)
{
    (void)ker;
    for (size_t g = 0; g < p->s.groups; g++) {
        float *out = packed + g * p->group_len;
        const float *src = w + g * p->s.oc * p->k;
        if (p->method == TNI_CONV_CHANNELS)
            tni_gemm_pack_b(gemm, out, src, p->k, true, p->k, p->s.oc);
        else
            tni_gemm_pack_a(gemm, out, src, p->k, false, p->s.oc, p->k);
    }
}

void tni_conv_tables(const tni_conv_plan *p, uint32_t *tables)
{
    const tni_conv_shape *s = &p->s;
    const size_t *dim = p->pad_dim;
    if (p->table_len == 0) return;
    for (size_t c = 0; c < s->ic; c++)
        for (size_t a = 0; a < s->kernel[0]; a++)
            for (size_t b = 0; b < s->kernel[1]; b++)
                for (size_t d = 0; d < s->kernel[2]; d++) {
                    size_t at = c * dim[0] + sorted(p, 0, a * s->dilation[0]);
                    at = at * dim[1] + sorted(p, 1, b * s->dilation[1]);
                    at = at * dim[2] + sorted(p, 2, d * s->dilation[2]);
                    *tables++ = (uint32_t)at;
                }
    for (size_t a = 0; a < s->out[0]; a++)
        for (size_t b = 0; b < s->out[1]; b++)
            for (size_t d = 0; d < s->out[2]; d++)
                *tables++ = (uint32_t)((a * dim[1] + b) * dim[2] + d);
    for (int i = 0; i < TNI_CONV_AHEAD; i++) *tables++ = 0;
}

/* --- running ------------------------------------------------------------- */

typedef struct run_ctx {
    const tni_conv_plan *p;
    const tni_conv_kernels *ker;
    const tni_gemm_kernels *gemm;
    const float *x, *packed;
    const uint32_t *off, *pix;
    const tni_epilogue *epi;
    float *y, *shared, *scratch;
    size_t image; /* which one, when it is padded */
} run_ctx;

/* Columns [lo, hi) of one remainder c: what is outside the input is zero. */
static void pad_columns(const tni_conv_plan *p, const float *row, float *out,
                        size_t c, size_t lo, size_t hi)
{
    const tni_conv_shape *s = &p->s;
    for (size_t i = lo; i < hi; i++) {
        const size_t at = i * s->stride[2] + c;
        const bool inside = at >= s->pad_lo[2] && at - s->pad_lo[2] < s->in[2];
        out[i] = inside ? row[at - s->pad_lo[2]] : 0.0f;
    }
}

/* One row of the input into its sorted place. */
static void pad_row(const tni_conv_plan *p, const tni_conv_kernels *ker,
                    const float *row, float *out)
{
    const tni_conv_shape *s = &p->s;
    const size_t sw = s->stride[2], left = s->pad_lo[2], in = s->in[2];
    const size_t width = ceil_div(p->need[2], sw);
    const size_t met = p->pad_dim[2] / width;
    size_t lo = 0, hi = 0; /* columns that are done in one go */
    if (sw == 1) {
        lo = min_size(left, width);
        hi = min_size(in + left, width);
        memcpy(out + lo, row, (hi - lo) * sizeof *out);
    } else if (sw == 2 && met == 2) {
        lo = min_size(ceil_div(left, 2), width);
        hi = max_size(min_size((in + left) / 2, width), lo);
        if (hi > lo)
            ker->unzip(out + lo, out + width + lo, 0, row + (2 * lo - left), 0,
                       hi - lo, 1);
    } else if (left == 0 && met == 1) {
        hi = min_size(ceil_div(in, sw), width);
        for (size_t i = 0; i < hi; i++) out[i] = row[i * sw];
    }
    for (size_t c = 0; c < met; c++) {
        pad_columns(p, row, out + c * width, c, 0, lo);
        pad_columns(p, row, out + c * width, c, hi, width);
    }
}

/* Copies one channel into its padded place; every element is written. */
static void pad_channel(const tni_conv_plan *p, const tni_conv_kernels *ker,
                        const float *x, float *out)
{
    const tni_conv_shape *s = &p->s;
    const size_t *in = s->in, *lo = s->pad_lo, *dim = p->pad_dim;
    const size_t len0 = ceil_div(p->need[0], s->stride[0]);
    const size_t len1 = ceil_div(p->need[1], s->stride[1]);
    for (size_t i = 0; i < dim[0]; i++) {
        const size_t a = i % len0 * s->stride[0] + i / len0;
        for (size_t j = 0; j < dim[1]; j++, out += dim[2]) {
            const size_t b = j % len1 * s->stride[1] + j / len1;
            const bool inside = a >= lo[0] && a - lo[0] < in[0] && b >= lo[1] &&
                                b - lo[1] < in[1];
            if (inside)
                pad_row(p, ker, x + ((a - lo[0]) * in[1] + (b - lo[1])) * in[2],
                        out);
            else
                memset(out, 0, dim[2] * sizeof *out);
        }
    }
}

static void pad_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const run_ctx *r = ctx;
    const size_t channels = r->p->s.ic * r->p->s.groups;
    const float *x = r->x + r->image * channels * r->p->in_len;
    (void)worker;
    for (size_t c = begin; c < end; c++)
        pad_channel(r->p, r->ker, x + c * r->p->in_len,
                    r->shared + c * r->p->pad_len);
}

/* What the tiles left to do for channels [o, o + n) of pixels [q, q + len);
 * late: that is the residual and the clamp too. */
static void finish(const run_ctx *r, size_t base, size_t n, size_t q,
                   size_t len, bool late)
{
    const tni_epilogue *e = r->epi;
    if (!late && e->act == NULL) return;
    for (size_t o = 0; o < n; o++) {
        float *y = r->y + (base + o) * r->p->out_len + q;
        if (late)
            r->ker->finish(y, e->add + (base + o) * r->p->out_len + q, len,
                           e->clip, e->lo, e->hi);
        if (e->act != NULL) e->act(y, y, len, e->act_params);
    }
}

/* Every tile of pixels [q0, q0 + len) under one panel of weights; t holds the
 * first pixel's y and sums. */
static void run_tiles(const run_ctx *r, const tni_conv_tile *first, size_t q0,
                      size_t len)
{
    const size_t nr = (size_t)r->ker->nr;
    const size_t tiles = ceil_div(len, (size_t)r->ker->mr), fetch = nr / 4;
    tni_conv_tile t = *first;
    for (size_t i = 0, q = 0; i < tiles; i++) {
        const size_t end = len * (i + 1) / tiles;
        t.mr = (int)(end - q);
        t.pix = r->pix + q0 + q;
        t.y = first->y + q;
        if (first->sums != NULL) t.sums = first->sums + q * nr;
        /* The first tiles fetch the block that follows, in memory too. */
        t.soon = t.w + (i < fetch ? t.k * nr + i * t.k * 4 : 0);
        r->ker->tile(&t);
        q = end;
    }
}

/* Channels [o0, o0 + n) of pixels [q0, q0 + len) with the CHANNELS tile. */
static void task_channels(const run_ctx *r, const float *x, size_t image,
                          size_t group, size_t o0, size_t n, size_t q0,
                          size_t len, float *sums)
{
    const tni_conv_plan *p = r->p;
    const size_t nr = (size_t)r->ker->nr;
    const size_t chan = group * p->s.oc; /* first of the group */
    const size_t out = (image * p->s.groups * p->s.oc + chan) * p->out_len;
    tni_conv_tile t = {0};
    t.x = x;
    t.y_cs = p->out_len;
    t.clip = r->epi->clip && r->epi->add == NULL;
    t.lo = r->epi->lo;
    t.hi = r->epi->hi;
    t.sums = sums;
    for (size_t o = o0; o < o0 + n; o += nr) {
        t.nr = (int)min_size(nr, o0 + n - o);
        if (r->epi->bias_row != NULL) t.bias = r->epi->bias_row + chan + o;
        t.y = r->y + out + o * p->out_len + q0;
        size_t k0 = 0;
        do {
            t.k = min_size(p->k_step, p->k - k0);
            t.off = r->off + k0;
            t.w = r->packed + group * p->group_len + o * p->k + k0 * nr;
            t.resume = k0 != 0;
            k0 += t.k;
            t.pause = k0 < p->k;
            run_tiles(r, &t, q0, len);
        } while (k0 < p->k);
        finish(r, image * p->s.groups * p->s.oc + chan + o, (size_t)t.nr, q0,
               len, r->epi->add != NULL);
    }
}

/* Channels [o, o + n) of pixels [q, q + len), a few panels next to each other:
 * t holds what the tiles share. The first tiles fetch what the next panels are
 * unfolded from, at `next` and every t->soon_step floats: a line of each page,
 * which nobody foresees. */
static void run_channels(const run_ctx *r, const tni_gemm_tile *first, size_t o,
                         size_t n, size_t len, const float *next)
{
    const size_t mr = (size_t)r->gemm->mr, nr = (size_t)r->gemm->nr;
    const size_t fetch = round_up(len, nr) / 4;
    tni_gemm_tile t = *first;
    size_t call = 0;
    for (size_t i = 0; i < n; i += mr) {
        t.mr = (int)min_size(mr, n - i);
        t.a = first->a + (o + i) * r->p->k;
        if (t.bias_row != NULL) t.bias_row = first->bias_row + o + i;
        for (size_t q = 0; q < len; q += nr, call++) {
            t.nr = (int)min_size(nr, len - q);
            t.b = first->b + q * t.k;
            t.c = first->c + (o + i) * t.c_rs + q;
            if (t.add != NULL) t.add = first->add + (o + i) * t.c_rs + q;
            t.soon = t.b; /* just written: nothing to fetch */
            if (next != NULL && call < fetch)
                t.soon =
                    next + call % 4 * (t.k / 4) * t.soon_step + call / 4 * 16;
            r->gemm->col(&t);
        }
    }
}

/* Channels [o0, o0 + n) of pixels [q0, q0 + len), unfolded a few panels at a
 * time. */
static void task_pixels(const run_ctx *r, const float *x, size_t image,
                        size_t group, size_t o0, size_t n, size_t q0,
                        size_t len, float *panels)
{
    const tni_conv_plan *p = r->p;
    const size_t nr = (size_t)r->gemm->nr, mr = (size_t)r->gemm->mr;
    const size_t chan = group * p->s.oc, end = q0 + len;
    const size_t base = image * p->s.groups * p->s.oc + chan;
    const tni_epilogue *e = r->epi;
    const bool point = p->k == p->s.ic && p->k > 1;
    tni_gemm_tile t = {0};
    t.a_rs = 1;
    t.a_ks = mr;
    t.b = panels;
    t.b_ks = nr;
    t.soon_step = point ? (size_t)(r->off[1] - r->off[0]) : 0;
    t.c_rs = t.add_rs = p->out_len;
    t.lo = e->lo;
    t.hi = e->hi;
    if (e->bias_row != NULL) t.bias_row = e->bias_row + chan;
    for (size_t q = q0, some; q < end; q += some) {
        some = min_size(p->p_some, end - q);
        t.c = r->y + base * p->out_len + q;
        if (e->add != NULL) t.add = e->add + base * p->out_len + q;
        for (size_t k = 0; k == 0 || k < p->k; k += t.k) {
            t.k = min_size(r->gemm->kc, p->k - k);
            t.a = r->packed + group * p->group_len + k * mr;
            t.flags = k != 0 ? TNI_TILE_LOAD : 0;
            const bool last = k + t.k == p->k;
            if (last && t.bias_row != NULL) t.flags |= TNI_TILE_BIAS_ROW;
            if (last && t.add != NULL) t.flags |= TNI_TILE_ADD;
            if (last && e->clip) t.flags |= TNI_TILE_CLIP;
            for (size_t i = 0; i < some; i += nr)
                r->ker->unfold(panels + i * t.k, x, r->off + k, t.k,
                               r->pix + q + i, min_size(nr, some - i));
            const float *next = NULL;
            if (point && !last)
                next = x + r->pix[q] + r->off[k + t.k] + 15;
            else if (point && q + some < end)
                next = x + r->pix[q + some] + r->off[0] + 15;
            run_channels(r, &t, o0, n, some, next);
            if (t.k == 0) break;
        }
    }
    finish(r, base + o0, n, q0, len, false);
}

static void conv_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const run_ctx *r = ctx;
    const tni_conv_plan *p = r->p;
    const size_t per_image = p->s.groups * p->p_tasks * p->oc_tasks;
    for (size_t i = begin; i < end; i++) {
        const size_t image = r->image + i / per_image;
        size_t t = i % per_image;
        const size_t group = t / (p->p_tasks * p->oc_tasks);
        t %= p->p_tasks * p->oc_tasks;
        const size_t q0 = t / p->oc_tasks * p->p_step;
        const size_t o0 = t % p->oc_tasks * p->oc_step;
        const size_t len = min_size(p->p_step, p->out_len - q0);
        const size_t n = min_size(p->oc_step, p->s.oc - o0);
        float *scratch = p->worker_len != 0
                             ? r->scratch + (size_t)worker * p->worker_len
                             : NULL;
        const float *x;
        if (p->pad_len != 0)
            x = r->shared + group * p->s.ic * p->pad_len;
        else
            x = r->x + (image * p->s.groups + group) * p->s.ic * p->in_len;
        if (p->method == TNI_CONV_CHANNELS)
            task_channels(r, x, image, group, o0, n, q0, len, scratch);
        else
            task_pixels(r, x, image, group, o0, n, q0, len, scratch);
    }
}

void tni_conv_run(const tni_conv_plan *p, const tni_conv_kernels *ker,
                  const tni_gemm_kernels *gemm, const float *x,
                  const float *packed, const uint32_t *tables,
                  const tni_epilogue *epi, float *y, float *scratch,
                  const tni_par *par)
{
    if (p->out_len == 0) return;
    run_ctx r = {p,    ker, gemm, x,       packed, tables,
                 NULL, epi, y,    scratch, NULL,   0};
    r.scratch = scratch != NULL ? scratch + p->shared_len : NULL;
    r.pix = tables + p->k;
    const size_t tasks = p->s.groups * p->p_tasks * p->oc_tasks;
    if (p->pad_len == 0) {
        tni_par_for(par, p->s.n * tasks, conv_tasks, &r);
        return;
    }
    for (; r.image < p->s.n; r.image++) {
        tni_par_for(par, p->s.ic * p->s.groups, pad_tasks, &r);
        tni_par_for(par, tasks, conv_tasks, &r);
    }
}

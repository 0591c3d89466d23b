/* SPDX-License-Identifier: Apache-2.0 */
/* dwconv.c - cut depthwise convolutions into strips of sorted rows */
#include "kernels/dwconv/dwconv.h"

#include "base/checked.h"
#include "tenon/base.h"

#include <string.h>

static const tni_dwconv_kernels rows[] = {
#define TN_DWCONV_KERNEL(isa, name)                                            \
    {isa, #name, tni_dwconv_f32_tile__##name, NULL, NULL},
#include "kernels/dwconv/dwconv.def"
#undef TN_DWCONV_KERNEL
};
enum { n_rows = sizeof rows / sizeof rows[0] };

static void set_shared(tni_dwconv_kernels *k)
{
    tni_conv_kernels conv;
    tni_conv_init(&conv, k->isa);
    k->unzip = conv.unzip;
    k->finish = conv.finish;
}

void tni_dwconv_init(tni_dwconv_kernels *k, uint32_t isa)
{
    for (int i = 0; i < n_rows; i++)
        if ((rows[i].isa & isa) == rows[i].isa) *k = rows[i];
    set_shared(k);
}

bool tni_dwconv_row(tni_dwconv_kernels *k, int i)
{
    if (i < 0 || i >= n_rows) return false;
    *k = rows[i];
    set_shared(k);
    return true;
}

/* --- planning ------------------------------------------------------------ */

/* Floats of a strip, so that it stays in L1 with what comes of it. */
enum { strip_floats = 4096 };

static size_t ceil_div(size_t a, size_t b)
{
    return a / b + (a % b != 0);
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Sorted rows that n output rows read: of each remainder. */
static size_t rows_for(const tni_conv_shape *s, size_t n)
{
    const size_t reach = (s->kernel[1] - 1) * s->dilation[1] + 1;
    return ceil_div((n - 1) * s->stride[1] + reach, s->stride[1]);
}

static size_t planes(const tni_conv_shape *s)
{
    return s->stride[1] * s->stride[2];
}

bool tni_dwconv_plan_init(tni_dwconv_plan *p, const tni_conv_shape *s)
{
    const size_t limit = (size_t)1 << 24;
    memset(p, 0, sizeof *p);
    p->s = *s;
    if (s->ic != 1 || s->in[0] != 1 || s->out[0] != 1 || s->kernel[0] != 1 ||
        s->pad_lo[0] != 0)
        return false;
    for (int d = 1; d < 3; d++)
        if (s->in[d] > limit || s->out[d] > limit || s->pad_lo[d] > limit ||
            s->kernel[d] > 64 || s->dilation[d] > 1024 || s->stride[d] > 16 ||
            s->out[d] == 0)
            return false;
    p->in_len = s->in[1] * s->in[2];
    p->out_len = s->out[1] * s->out[2];
    p->k = s->kernel[1] * s->kernel[2];
    p->table_len = p->k;
    const size_t reach = (s->kernel[2] - 1) * s->dilation[2] + 1;
    p->width = ceil_div((s->out[2] - 1) * s->stride[2] + reach, s->stride[2]);
    const size_t row = planes(s) * p->width;
    p->rows = strip_floats / row;
    p->rows = p->rows > rows_for(s, 1) ? p->rows - rows_for(s, 1) : 0;
    if (p->rows < 4) p->rows = 4;
    p->strips = ceil_div(s->out[1], p->rows);
    p->rows = ceil_div(s->out[1], p->strips);
    p->taps = rows_for(s, p->rows);
    size_t len = 0;
    if (!tni_mul_size(p->taps, row, &len) || len > UINT32_MAX / 2) return false;
    p->worker_len = len + p->rows * p->width + 4 * TNI_DWCONV_SLACK;
    p->worker_len = ceil_div(p->worker_len, 16) * 16;
    return true;
}

void tni_dwconv_tables(const tni_dwconv_plan *p, uint32_t *tables)
{
    const tni_conv_shape *s = &p->s;
    for (size_t a = 0; a < s->kernel[1]; a++) {
        for (size_t b = 0; b < s->kernel[2]; b++) {
            const size_t r = a * s->dilation[1], c = b * s->dilation[2];
            const size_t plane =
                r % s->stride[1] * s->stride[2] + c % s->stride[2];
            const size_t row = plane * p->taps + r / s->stride[1];
            *tables++ = (uint32_t)(row * p->width + c / s->stride[2]);
        }
    }
}

/* --- running ------------------------------------------------------------- */

typedef struct run_ctx {
    const tni_dwconv_plan *p;
    const tni_dwconv_kernels *ker;
    const float *x, *w;
    const uint32_t *off;
    const tni_epilogue *epi;
    float *y, *scratch;
} run_ctx;

/* Columns [lo, hi) of one remainder c: what is outside the input is zero. */
static void sort_columns(const run_ctx *r, const float *row, float *out,
                         size_t c, size_t lo, size_t hi)
{
    const tni_conv_shape *s = &r->p->s;
    for (size_t i = lo; i < hi; i++) {
        const size_t at = i * s->stride[2] + c;
        const bool inside = at >= s->pad_lo[2] && at - s->pad_lo[2] < s->in[2];
        out[i] = inside ? row[at - s->pad_lo[2]] : 0.0f;
    }
}

/* One input row into its places of the sorted strip; `out` is that of
 * remainder 0, the others follow `step` apart. */
static void sort_row(const run_ctx *r, const float *row, float *out,
                     size_t step)
{
    const tni_conv_shape *s = &r->p->s;
    const size_t sw = s->stride[2], left = s->pad_lo[2], in = s->in[2];
    const size_t width = r->p->width;
    size_t lo = 0, hi = 0; /* columns that are done in one go */
    if (sw == 1) {
        lo = min_size(left, width);
        hi = min_size(in + left, width);
        memcpy(out + lo, row, (hi - lo) * sizeof *out);
    } else if (sw == 2) {
        lo = min_size(ceil_div(left, 2), width);
        hi = min_size((in + left) / 2, width);
        if (hi < lo) hi = lo;
        if (hi > lo)
            r->ker->unzip(out + lo, out + step + lo, row + (2 * lo - left),
                          hi - lo);
    }
    for (size_t c = 0; c < sw; c++) {
        sort_columns(r, row, out + c * step, c, 0, lo);
        sort_columns(r, row, out + c * step, c, hi, width);
    }
}

/* Sorted rows of a strip that begins at output row q. */
static void sort_strip(const run_ctx *r, const float *x, size_t q, float *out)
{
    const tni_dwconv_plan *p = r->p;
    const tni_conv_shape *s = &p->s;
    const size_t sh = s->stride[1], step = p->taps * p->width;
    for (size_t i = 0; i < p->taps * sh; i++) {
        const size_t at = q * sh + i; /* in the padded image */
        const bool inside = at >= s->pad_lo[1] && at - s->pad_lo[1] < s->in[1];
        float *to = out + (i % sh * s->stride[2] * p->taps + i / sh) * p->width;
        if (inside) {
            sort_row(r, x + (at - s->pad_lo[1]) * s->in[2], to, step);
            continue;
        }
        for (size_t c = 0; c < s->stride[2]; c++)
            memset(to + c * step, 0, p->width * sizeof *to);
    }
}

static void one_filter(const run_ctx *r, const float *sorted, float *sums,
                       size_t image, size_t chan, size_t q, size_t n)
{
    const tni_dwconv_plan *p = r->p;
    const tni_epilogue *e = r->epi;
    const size_t ow = p->s.out[2], channels = p->s.groups * p->s.oc;
    const size_t at = (image * channels + chan) * p->out_len + q * ow;
    float *y = r->y + at;
    tni_dwconv_tile t = {
        sorted, r->off, r->w + chan * p->k, p->k, sums, 0, 0, false,
        e->lo,  e->hi};
    t.n = (n - 1) * p->width + ow;
    t.clip = e->clip && e->add == NULL;
    if (e->bias_row != NULL) t.bias = e->bias_row[chan];
    r->ker->tile(&t);
    for (size_t i = 0; i < n; i++)
        memcpy(y + i * ow, sums + i * p->width, ow * sizeof *y);
    if (e->add != NULL)
        r->ker->finish(y, e->add + at, n * ow, e->clip, e->lo, e->hi);
    if (e->act != NULL) e->act(y, y, n * ow, e->act_params);
}

static void strip_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const run_ctx *r = ctx;
    const tni_dwconv_plan *p = r->p;
    float *sorted = r->scratch + (size_t)worker * p->worker_len;
    const size_t sorted_len = planes(&p->s) * p->taps * p->width;
    float *sums = sorted + sorted_len + 2 * TNI_DWCONV_SLACK;
    for (size_t i = 0; i < 2 * TNI_DWCONV_SLACK; i++)
        sorted[sorted_len + i] = 0.0f;
    for (size_t i = begin; i < end; i++) {
        const size_t plane = i / p->strips, q = i % p->strips * p->rows;
        const size_t n = min_size(p->rows, p->s.out[1] - q);
        const size_t image = plane / p->s.groups, g = plane % p->s.groups;
        sort_strip(r, r->x + plane * p->in_len, q, sorted);
        for (size_t o = 0; o < p->s.oc; o++)
            one_filter(r, sorted, sums, image, g * p->s.oc + o, q, n);
    }
}

void tni_dwconv_run(const tni_dwconv_plan *p, const tni_dwconv_kernels *ker,
                    const float *x, const float *w, const uint32_t *tables,
                    const tni_epilogue *epi, float *y, float *scratch,
                    const tni_par *par)
{
    run_ctx r = {p, ker, x, w, tables, epi, y, scratch};
    tni_par_for(par, p->s.n * p->s.groups * p->strips, strip_tasks, &r);
}

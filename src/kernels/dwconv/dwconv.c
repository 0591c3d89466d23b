/* SPDX-License-Identifier: Apache-2.0 */
/* dwconv.c - cut depthwise convolutions into strips of sorted rows */
#include "kernels/dwconv/dwconv.h"

#include "base/checked.h"
#include "kernels/sizes.h"
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
enum { strip_floats = 4096, max_batch = 8, align = 8 };

/* Rows of the padded image that n output rows read. */
static size_t rows_for(const tni_conv_shape *s, size_t n)
{
    return (n - 1) * s->stride[1] + (s->kernel[1] - 1) * s->dilation[1] + 1;
}

/* Where the columns of a row go. Remainder c of the padded image begins with
 * its padding; the row begins so that its part of the image is aligned, as
 * stores that cross a line are slow. */
static void plan_columns(tni_dwconv_plan *p)
{
    const tni_conv_shape *s = &p->s;
    const size_t sw = s->stride[2], left = s->pad_lo[2], in = s->in[2];
    const size_t reach = (s->kernel[2] - 1) * s->dilation[2] + 1;
    p->width = ceil_div((s->out[2] - 1) * sw + reach, sw);
    p->pairs = sw == 2 ? in / 2 : 0;
    for (size_t c = 0; c < sw; c++) {
        const size_t first = left > c ? ceil_div(left - c, sw) : 0;
        const size_t end = in + left > c ? ceil_div(in + left - c, sw) : 0;
        const size_t room = p->width > first ? p->width - first : 0;
        p->lead[c] = (align - first % align) % align;
        p->from[c] = p->lead[c] + first;
        p->count[c] = end > first ? min_size(end - first, room) : 0;
        p->pairs = min_size(p->pairs, p->count[c]);
        if (p->pitch < p->lead[c] + p->width) p->pitch = p->lead[c] + p->width;
    }
    p->pitch = ceil_div(p->pitch, align) * align;
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
            s->kernel[d] > 64 || s->dilation[d] > 1024 ||
            s->stride[d] > TNI_DWCONV_STRIDE || s->out[d] == 0)
            return false;
    p->in_len = s->in[1] * s->in[2];
    p->out_len = s->out[1] * s->out[2];
    p->k = s->kernel[1] * s->kernel[2];
    p->table_len = p->k;
    plan_columns(p);
    const size_t side = s->kernel[1];
    p->near_side = side == 3 || side == 5 ? side : 0;
    for (int d = 1; d < 3; d++)
        if (s->kernel[d] != side || s->stride[d] != 1 || s->dilation[d] != 1)
            p->near_side = 0;
    const size_t row = s->stride[2] * p->pitch, fit = strip_floats / row;
    const size_t least = rows_for(s, 1);
    p->rows = fit > least ? (fit - least) / s->stride[1] + 1 : 0;
    if (p->rows < 4) p->rows = 4;
    p->strips = ceil_div(s->out[1], p->rows);
    p->rows = ceil_div(s->out[1], p->strips);
    p->taps = rows_for(s, p->rows);
    size_t len = 0;
    if (!tni_mul_size(p->taps, row, &len) || len > UINT32_MAX / 2) return false;
    len = ceil_div(len + TNI_DWCONV_SLACK, 16) * 16;
    p->batch = p->strips > 1 || len > strip_floats ? 1 : strip_floats / len;
    p->batch = min_size(p->batch, max_batch);
    p->worker_len = p->batch * len;
    return true;
}

void tni_dwconv_tables(const tni_dwconv_plan *p, uint32_t *tables)
{
    const tni_conv_shape *s = &p->s;
    for (size_t a = 0; a < s->kernel[1]; a++) {
        for (size_t b = 0; b < s->kernel[2]; b++) {
            const size_t r = a * s->dilation[1], c = b * s->dilation[2];
            const size_t plane = c % s->stride[2];
            const size_t row = r * s->stride[2] + plane;
            *tables++ =
                (uint32_t)(row * p->pitch + p->lead[plane] + c / s->stride[2]);
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
    tni_dwconv_tile tile; /* what all tiles share */
} run_ctx;

/* Copies rows of n floats: short ones, for which a call of memcpy costs more
 * than the copy. */
static void copy_rows(float *out, size_t out_ld, const float *in, size_t in_ld,
                      size_t count, size_t n)
{
    const size_t eights = n / 8 * 8;
    for (; count > 0; count--, out += out_ld, in += in_ld) {
        for (size_t i = 0; i < eights; i += 8)
            memcpy(out + i, in + i, 8 * sizeof *out);
        if (n >= 4) { /* what is left, overlapping */
            if (n - eights > 4)
                memcpy(out + eights, in + eights, 4 * sizeof *out);
            if (n > eights) memcpy(out + n - 4, in + n - 4, 4 * sizeof *out);
        } else {
            for (size_t i = 0; i < n; i++) out[i] = in[i];
        }
    }
}

/* n rows of the image into sorted rows, which are zero beforehand. */
static void sort_rows(const run_ctx *r, const float *x, size_t n, float *out)
{
    const tni_dwconv_plan *p = r->p;
    const size_t sw = p->s.stride[2], left = p->s.pad_lo[2];
    const size_t ld = sw * p->pitch, in = p->s.in[2];
    if (sw == 1) {
        copy_rows(out + p->from[0], ld, x, in, n, p->count[0]);
        return;
    }
    if (p->pairs > 0) {
        const size_t even = left % 2, odd = 1 - even;
        r->ker->unzip(out + even * p->pitch + p->from[even],
                      out + odd * p->pitch + p->from[odd], ld, x, in, p->pairs,
                      n);
    }
    for (size_t c = 0; c < sw; c++) {
        if (p->count[c] <= p->pairs) continue;
        const size_t first = (p->from[c] - p->lead[c]) * sw + c - left;
        for (size_t i = 0; i < n; i++) {
            float *to = out + i * ld + c * p->pitch + p->from[c];
            const float *row = x + i * in + first;
            for (size_t j = p->pairs; j < p->count[c]; j++) to[j] = row[j * sw];
        }
    }
}

/* Sorted rows of a strip that begins at output row q. Columns beside the image
 * are never written: they were zero before the first strip, and so were rows
 * beside it when a strip is a whole plane. */
static void sort_strip(const run_ctx *r, const float *x, size_t q, float *out)
{
    const tni_dwconv_plan *p = r->p;
    const size_t at = q * p->s.stride[1]; /* in the padded image */
    const size_t top = p->s.pad_lo[1], end = top + p->s.in[1];
    const size_t ld = p->s.stride[2] * p->pitch;
    /* Rows [above, below) are inside the image. */
    const size_t above = at < top ? min_size(top - at, p->taps) : 0;
    const size_t below = end > at ? min_size(end - at, p->taps) : above;
    if (below > above)
        sort_rows(r, x + (at + above - top) * p->s.in[2], below - above,
                  out + above * ld);
    if (p->strips > 1) {
        memset(out, 0, above * ld * sizeof *out);
        memset(out + below * ld, 0, (p->taps - below) * ld * sizeof *out);
    }
}

/* Output rows [q, q + n) of one plane from a sorted strip, with every filter
 * of its channel; t holds what strips share. */
static void sum_strip(const run_ctx *r, const tni_dwconv_tile *shared,
                      const float *sorted, size_t plane, size_t q, size_t n)
{
    const tni_dwconv_plan *p = r->p;
    const size_t first = plane % p->s.groups * p->s.oc;
    tni_dwconv_tile t = *shared;
    t.x = sorted + (t.near_side != 0 ? r->off[0] : 0);
    t.y = r->y + plane * p->s.oc * p->out_len + q * t.cols;
    t.w = r->w + first * p->k;
    t.rows = n;
    for (size_t o = 0; o < p->s.oc; o++) {
        if (r->epi->bias_row != NULL) t.bias = r->epi->bias_row[first + o];
        r->ker->tile(&t);
        t.w += p->k;
        t.y += p->out_len;
    }
}

/* What the tiles left to do for n elements from `at`. */
static void finish(const run_ctx *r, size_t at, size_t n)
{
    const tni_epilogue *e = r->epi;
    float *y = r->y + at;
    if (e->add != NULL)
        r->ker->finish(y, e->add + at, n, e->clip, e->lo, e->hi);
    if (e->act != NULL) e->act(y, y, n, e->act_params);
}

/* Planes in strips, one after the other. */
static void strip_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const run_ctx *r = ctx;
    const tni_dwconv_plan *p = r->p;
    float *sorted = r->scratch + (size_t)worker * p->worker_len;
    memset(sorted, 0, p->worker_len * sizeof *sorted);
    for (size_t i = begin; i < end; i++) {
        const size_t plane = i / p->strips, q = i % p->strips * p->rows;
        const size_t n = min_size(p->rows, p->s.out[1] - q);
        sort_strip(r, r->x + plane * p->in_len, q, sorted);
        sum_strip(r, &r->tile, sorted, plane, q, n);
        for (size_t o = 0; o < p->s.oc; o++)
            finish(r, (plane * p->s.oc + o) * p->out_len + q * p->s.out[2],
                   n * p->s.out[2]);
    }
}

/*
 * Small planes, several at a time: a vector that is read right after its parts
 * were stored separately has to wait for them.
 */
static void plane_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const run_ctx *r = ctx;
    const tni_dwconv_plan *p = r->p;
    const size_t len = p->worker_len / p->batch, all = p->s.oc * p->out_len;
    float *sorted = r->scratch + (size_t)worker * p->worker_len;
    memset(sorted, 0, p->worker_len * sizeof *sorted);
    while (begin < end) {
        const size_t n = min_size(p->batch, end - begin);
        for (size_t k = 0; k < n; k++)
            sort_strip(r, r->x + (begin + k) * p->in_len, 0, sorted + k * len);
        for (size_t k = 0; k < n; k++)
            sum_strip(r, &r->tile, sorted + k * len, begin + k, 0, p->s.out[1]);
        finish(r, begin * all, n * all);
        begin += n;
    }
}

void tni_dwconv_run(const tni_dwconv_plan *p, const tni_dwconv_kernels *ker,
                    const float *x, const float *w, const uint32_t *tables,
                    const tni_epilogue *epi, float *y, float *scratch,
                    const tni_par *par)
{
    run_ctx r = {p, ker, x, w, tables, epi, y, scratch, {0}};
    r.tile.x_rs = p->s.stride[1] * p->s.stride[2] * p->pitch;
    r.tile.off = tables;
    r.tile.k = p->k;
    r.tile.near_side = p->near_side;
    r.tile.cols = p->s.out[2];
    r.tile.clip = epi->clip && epi->add == NULL;
    r.tile.lo = epi->lo;
    r.tile.hi = epi->hi;
    tni_par_for(par, p->s.n * p->s.groups * p->strips,
                p->strips > 1 ? strip_tasks : plane_tasks, &r);
}

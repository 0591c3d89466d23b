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
enum { strip_floats = 4096, max_batch = 8, max_stride = 16 };

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
            s->kernel[d] > 64 || s->dilation[d] > 1024 ||
            s->stride[d] > max_stride || s->out[d] == 0)
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
    len += p->rows * p->width + 4 * TNI_DWCONV_SLACK;
    len = ceil_div(len, 16) * 16;
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

/* Where the columns of a row go: of remainder c those with index [first, last)
 * exist, [lo, hi) are sorted in one go. The same for every row. */
typedef struct column_cut {
    size_t lo, hi;
    size_t first[max_stride], last[max_stride];
} column_cut;

static void cut_columns(const tni_dwconv_plan *p, column_cut *cut)
{
    const size_t sw = p->s.stride[2], left = p->s.pad_lo[2], in = p->s.in[2];
    cut->lo = cut->hi = 0;
    if (sw == 2) {
        cut->lo = min_size(ceil_div(left, 2), p->width);
        cut->hi = min_size((in + left) / 2, p->width);
        if (cut->hi < cut->lo) cut->hi = cut->lo;
    }
    for (size_t c = 0; c < sw; c++) {
        cut->first[c] = left > c ? ceil_div(left - c, sw) : 0;
        cut->last[c] =
            in + left > c ? min_size(ceil_div(in + left - c, sw), p->width) : 0;
    }
}

/* One input row into its places of the sorted strip, which is zero beforehand;
 * `out` is that of remainder 0, the others follow `step` apart. */
static void sort_row(const run_ctx *r, const column_cut *cut, const float *row,
                     float *out, size_t step)
{
    const size_t sw = r->p->s.stride[2], left = r->p->s.pad_lo[2];
    const size_t lo = cut->lo, hi = cut->hi;
    if (hi > lo)
        r->ker->unzip(out + lo, out + step + lo, row + (2 * lo - left),
                      hi - lo);
    for (size_t c = 0; c < sw; c++)
        for (size_t i = cut->first[c]; i < cut->last[c]; i++) {
            if (i == lo && hi > lo) i = hi;
            if (i < cut->last[c]) out[c * step + i] = row[i * sw + c - left];
        }
}

/* Sorted rows of a strip that begins at output row q; what is outside the
 * image stays as it is. */
static void sort_strip(const run_ctx *r, const float *x, size_t q, float *out)
{
    const tni_dwconv_plan *p = r->p;
    const tni_conv_shape *s = &p->s;
    const size_t sh = s->stride[1], step = p->taps * p->width;
    const size_t top = s->pad_lo[1], left = s->pad_lo[2];
    if (sh == 1 && s->stride[2] == 1) {
        const size_t skip = q < top ? min_size(top - q, p->taps) : 0;
        const size_t first = q + skip - top; /* of the input's rows */
        if (q + skip < top || first >= s->in[1] || left >= p->width) return;
        copy_rows(out + skip * p->width + left, p->width, x + first * s->in[2],
                  s->in[2], min_size(p->taps - skip, s->in[1] - first),
                  min_size(s->in[2], p->width - left));
        return;
    }
    column_cut cut;
    cut_columns(p, &cut);
    for (size_t c = 0; c < sh; c++) {
        float *to = out + c * s->stride[2] * step;
        size_t at = q * sh + c; /* in the padded image */
        for (size_t i = 0; i < p->taps; i++, at += sh, to += p->width)
            if (at >= top && at - top < s->in[1])
                sort_row(r, &cut, x + (at - top) * s->in[2], to, step);
    }
}

/* One strip of one input channel on its way through the phases. */
typedef struct strip {
    float *sorted, *sums;
    size_t plane, q, n; /* image and channel; first output row, rows */
} strip;

static size_t first_output(const run_ctx *r, const strip *st, size_t filter)
{
    const tni_dwconv_plan *p = r->p;
    return (st->plane * p->s.oc + filter) * p->out_len + st->q * p->s.out[2];
}

static void sum_strip(const run_ctx *r, const strip *st, size_t filter)
{
    const tni_dwconv_plan *p = r->p;
    const tni_epilogue *e = r->epi;
    const size_t chan = st->plane % p->s.groups * p->s.oc + filter;
    tni_dwconv_tile t = {
        st->sorted, r->off, r->w + chan * p->k, p->k, st->sums, 0, 0, false,
        e->lo,      e->hi};
    t.n = (st->n - 1) * p->width + p->s.out[2];
    t.clip = e->clip && e->add == NULL;
    if (e->bias_row != NULL) t.bias = e->bias_row[chan];
    r->ker->tile(&t);
}

static void finish_strip(const run_ctx *r, const strip *st, size_t filter)
{
    const tni_epilogue *e = r->epi;
    const size_t at = first_output(r, st, filter), ow = r->p->s.out[2];
    float *y = r->y + at;
    copy_rows(y, ow, st->sums, r->p->width, st->n, ow);
    if (e->add != NULL)
        r->ker->finish(y, e->add + at, st->n * ow, e->clip, e->lo, e->hi);
    if (e->act != NULL) e->act(y, y, st->n * ow, e->act_params);
}

/*
 * Small planes go through each phase several at a time: a vector that is read
 * right after its parts were stored separately has to wait for them.
 */
static void strip_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const run_ctx *r = ctx;
    const tni_dwconv_plan *p = r->p;
    const size_t slot_len = p->worker_len / p->batch;
    const size_t sorted_len =
        planes(&p->s) * p->taps * p->width + 2 * TNI_DWCONV_SLACK;
    strip st[max_batch];
    for (size_t k = 0; k < p->batch; k++) {
        st[k].sorted =
            r->scratch + (size_t)worker * p->worker_len + k * slot_len;
        st[k].sums = st[k].sorted + sorted_len;
        memset(st[k].sorted, 0, sorted_len * sizeof(float));
    }
    while (begin < end) {
        const size_t n = min_size(p->batch, end - begin);
        for (size_t k = 0; k < n; k++, begin++) {
            st[k].plane = p->strips > 1 ? begin / p->strips : begin;
            st[k].q = (begin - st[k].plane * p->strips) * p->rows;
            st[k].n = min_size(p->rows, p->s.out[1] - st[k].q);
            /* Whole planes have their padding in the same places. */
            if (p->strips > 1)
                memset(st[k].sorted, 0, sorted_len * sizeof(float));
            sort_strip(r, r->x + st[k].plane * p->in_len, st[k].q,
                       st[k].sorted);
        }
        for (size_t o = 0; o < p->s.oc; o++) {
            for (size_t k = 0; k < n; k++) sum_strip(r, &st[k], o);
            for (size_t k = 0; k < n; k++) finish_strip(r, &st[k], o);
        }
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

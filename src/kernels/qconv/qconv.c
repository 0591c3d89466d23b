/* SPDX-License-Identifier: Apache-2.0 */
/* qconv.c - plans, packing and the loops around the tiles of qconv.h */
#include "kernels/qconv/qconv.h"

#include "base/checked.h"
#include "tenon/base.h"

#include <string.h>

enum {
    BAND = 160 << 10, /* bytes of a band: beside a panel of weights in L2 */
    SLACK = 64        /* the last run's last group may read beyond the band */
};

static const tni_qconv_row table[] = {
#define TN_QCONV_KERNEL(isa, form, name, mr, nr)                               \
    {isa,                                                                      \
     #name,                                                                    \
     form,                                                                     \
     mr,                                                                       \
     nr,                                                                       \
     tni_qconv_tile__##name,                                                   \
     tni_qconv_prepare__##name},
#include "kernels/qconv/qconv.def"
#undef TN_QCONV_KERNEL
};

bool tni_qconv_table(tni_qconv_row *row, int i)
{
    if (i < 0 || (size_t)i >= sizeof table / sizeof table[0]) return false;
    *row = table[i];
    return true;
}

void tni_qconv_init(tni_qconv_kernels *k, uint32_t isa)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if ((table[i].isa & ~isa) == 0) k->rows[table[i].form] = table[i];
}

/* --- plan ---------------------------------------------------------------- */

static bool padded(const tni_qconv_shape *s, int i)
{
    const size_t reach =
        (s->out[i] - 1) * s->stride[i] + (s->kernel[i] - 1) * s->dilation[i];
    return s->pad_lo[i] != 0 || reach >= s->in[i];
}

/* Pixels of a product are rows of one column. */
static void flatten(tni_qconv_shape *s)
{
    for (int i = 0; i < 2; i++)
        if (s->kernel[i] != 1 || s->stride[i] != 1 || s->pad_lo[i] != 0 ||
            s->out[i] != s->in[i])
            return;
    s->in[0] *= s->n * s->in[1];
    s->out[0] = s->in[0];
    s->n = s->in[1] = s->out[1] = 1;
}

/* Rows of output per band: few enough for the cache, and for each worker
 * some. */
static void cut(tni_qconv_plan *p, size_t row_bytes, int n_workers)
{
    const tni_qconv_shape *s = &p->s;
    const size_t step = s->kernel[0] == 1 ? 1 : s->stride[0];
    const size_t want = n_workers > 1 ? 4 * (size_t)n_workers : 1;
    const size_t mr = (size_t)p->row.mr, others = s->n * s->groups;
    size_t rows = row_bytes == 0 ? s->out[0] : BAND / row_bytes / step;
    if (rows > s->out[0]) rows = s->out[0];
    if (rows == 0) rows = 1;
    while (rows > 1 && rows * s->out[1] >= 4 * mr &&
           (s->out[0] + rows - 1) / rows * others < want)
        rows = (rows + 1) / 2;
    if (s->out[1] == 1 && rows > mr && rows < s->out[0]) rows -= rows % mr;
    p->rows = rows;
    p->bands = (s->out[0] + rows - 1) / rows;
    p->oc_step = p->panels;
    while (p->oc_step > 1 &&
           (p->panels + p->oc_step - 1) / p->oc_step * p->bands * others < want)
        p->oc_step = (p->oc_step + 1) / 2;
    p->oc_tasks = (p->panels + p->oc_step - 1) / p->oc_step;
}

/* Of the offsets of runs and pixels. */
static size_t table_bytes(const tni_qconv_plan *p)
{
    return (4 * (p->n_runs + p->rows * p->s.out[1]) + 63) / 64 * 64;
}

static bool sizes(tni_qconv_plan *p, int n_workers)
{
    const tni_qconv_shape *s = &p->s;
    size_t row_bytes, bytes, groups;
    if (!tni_mul_size(p->band_w, s->ic * p->elem, &row_bytes)) return false;
    cut(p, p->in_place ? 0 : row_bytes, n_workers);
    p->band_h = s->kernel[0] == 1 ? p->rows
                                  : (p->rows - 1) * s->stride[0] +
                                        (s->kernel[0] - 1) * s->dilation[0] + 1;
    if (p->in_place) row_bytes = s->in[1] * s->groups * s->ic;
    /* Offsets have 32 bits. */
    if (!tni_mul_size(row_bytes,
                      p->in_place ? p->rows * s->stride[0] +
                                        s->kernel[0] * s->dilation[0]
                                  : p->band_h,
                      &bytes) ||
        bytes > UINT32_MAX / 2)
        return false;
    p->worker_bytes = p->in_place ? 0 : (bytes + 2 * SLACK - 1) / 64 * 64;
    p->worker_bytes += table_bytes(p);
    groups = p->n_runs * p->len;
    return tni_mul_size(groups, 4 * (size_t)p->row.nr, &p->panel_bytes) &&
           tni_mul_size(p->panel_bytes, p->panels, &bytes) &&
           tni_mul_size(bytes, s->groups, &p->packed_bytes);
}

bool tni_qconv_plan_init(tni_qconv_plan *p, const tni_qconv_row *row,
                         const tni_qconv_shape *shape, bool x_signed,
                         int n_workers)
{
    memset(p, 0, sizeof *p);
    p->s = *shape;
    p->row = *row;
    p->x_signed = x_signed;
    tni_qconv_shape *s = &p->s;
    flatten(s);
    const size_t nr = (size_t)row->nr;
    const bool pairs = row->form == TNI_QCONV_PAIRS;
    p->elem = pairs ? 2 : 1;
    p->per = pairs ? 2 : 4;
    p->panels = (s->oc + nr - 1) / nr;
    p->oc_len = s->groups * p->panels * nr;
    if (s->n * s->groups * s->oc * s->out[0] * s->out[1] == 0) return true;
    const bool wide = s->kernel[1] > 1 && s->dilation[1] == 1;
    p->n_runs = s->kernel[0] * (wide ? 1 : s->kernel[1]);
    p->run_terms = s->ic * (wide ? s->kernel[1] : 1);
    p->len = (p->run_terms + p->per - 1) / p->per;
    p->in_place = !pairs && x_signed == (row->form == TNI_QCONV_SIGNED) &&
                  !padded(s, 0) && !padded(s, 1) && p->run_terms % 4 == 0 &&
                  (!wide || s->groups == 1);
    for (int i = 0; i < 2; i++)
        p->gather[i] = s->kernel[i] == 1 ? s->stride[i] : 1;
    p->band_w = s->kernel[1] == 1 ? s->out[1]
                                  : (s->out[1] - 1) * s->stride[1] +
                                        (s->kernel[1] - 1) * s->dilation[1] + 1;
    return sizes(p, n_workers);
}

/* --- weights ------------------------------------------------------------- */

/* Term `term` of run `run` of channel o, 0 beyond. */
static int32_t weight(const tni_qconv_plan *p, const tni_qconv_weights *w,
                      size_t o, size_t run, size_t term)
{
    const tni_qconv_shape *s = &p->s;
    if (term >= p->run_terms) return 0;
    const size_t tap =
        p->run_terms == s->ic ? run : run * s->kernel[1] + term / s->ic;
    const uint8_t u =
        w->w[o * w->o_step + term % s->ic * w->c_step + tap * w->tap_step];
    return (w->is_signed ? (int8_t)u : u) - w->zero[o * w->zero_step];
}

/* Two unsigned bytes times two of these, added, fit 16 bits. */
static bool is_narrow(int32_t a, int32_t b)
{
    const int32_t up = (a > 0 ? a : 0) + (b > 0 ? b : 0);
    const int32_t down = (a < 0 ? a : 0) + (b < 0 ? b : 0);
    return 255 * up <= INT16_MAX && 255 * down >= INT16_MIN;
}

bool tni_qconv_weights_fit(const tni_qconv_plan *p, const tni_qconv_weights *w)
{
    const tni_qconv_form form = p->row.form;
    if (form == TNI_QCONV_PAIRS) return true;
    for (size_t o = 0; o < p->s.groups * p->s.oc; o++) {
        const int32_t zero = w->zero[o * w->zero_step];
        if (form != TNI_QCONV_NARROW && zero == (w->is_signed ? 0 : 128))
            continue;
        for (size_t r = 0; r < p->n_runs; r++) {
            for (size_t t = 0; t < p->run_terms; t += 2) {
                const int32_t a = weight(p, w, o, r, t);
                const int32_t b = weight(p, w, o, r, t + 1);
                if (a < -128 || a > 127 || b < -128 || b > 127 ||
                    (form == TNI_QCONV_NARROW && !is_narrow(a, b)))
                    return false;
            }
        }
    }
    return true;
}

bool tni_qconv_plan_for(tni_qconv_plan *p, const tni_qconv_kernels *k,
                        const tni_qconv_shape *s, const tni_qconv_weights *w,
                        bool x_signed, int n_workers)
{
    static const tni_qconv_form best[] = {TNI_QCONV_QUADS, TNI_QCONV_SIGNED,
                                          TNI_QCONV_NARROW, TNI_QCONV_PAIRS};
    for (size_t i = 0; i < sizeof best / sizeof best[0]; i++) {
        const tni_qconv_row *row = &k->rows[best[i]];
        if (row->tile == NULL) continue;
        if (!tni_qconv_plan_init(p, row, s, x_signed, n_workers)) return false;
        if (tni_qconv_weights_fit(p, w)) return true;
    }
    return false;
}

static void pack_channel(const tni_qconv_plan *p, char *to, int32_t *sum,
                         const tni_qconv_weights *w, size_t o)
{
    const size_t nr = (size_t)p->row.nr;
    uint32_t total = 0;
    for (size_t r = 0; r < p->n_runs; r++) {
        for (size_t t = 0; t < p->len * p->per; t++) {
            const int32_t v = weight(p, w, o, r, t);
            const int16_t wide = (int16_t)v;
            const size_t at = (r * p->len + t / p->per) * 4 * nr;
            total += (uint32_t)v;
            if (p->elem == 2)
                memcpy(to + at + t % 2 * 2, &wide, sizeof wide);
            else
                to[at + t % 4] = (char)v;
        }
    }
    *sum = (int32_t)total;
}

void tni_qconv_pack(const tni_qconv_plan *p, void *packed, int32_t *sums,
                    const tni_qconv_weights *w)
{
    const tni_qconv_shape *s = &p->s;
    const size_t nr = (size_t)p->row.nr;
    memset(packed, 0, p->packed_bytes);
    memset(sums, 0, p->oc_len * sizeof *sums);
    for (size_t o = 0; o < s->groups * s->oc; o++) {
        const size_t at = tni_qconv_oc_at(p, o);
        char *to = (char *)packed + at / nr * p->panel_bytes + at % nr * 4;
        pack_channel(p, to, &sums[at], w, o);
    }
}

size_t tni_qconv_oc_at(const tni_qconv_plan *p, size_t o)
{
    const size_t len = p->panels * (size_t)p->row.nr;
    return o / p->s.oc * len + o % p->s.oc;
}

/* What 0 is once a band is in the row's form. */
static int32_t zero_in_form(const tni_qconv_plan *p, int zero)
{
    if (p->row.form == TNI_QCONV_PAIRS) return 0;
    if (p->row.form == TNI_QCONV_SIGNED) return zero - (p->x_signed ? 0 : 128);
    return zero + (p->x_signed ? 128 : 0);
}

void tni_qconv_bias(const tni_qconv_plan *p, int32_t *out, const int32_t *bias,
                    const int32_t *sums, int zero)
{
    const uint32_t z = (uint32_t)zero_in_form(p, zero);
    for (size_t i = 0; i < p->oc_len; i++)
        out[i] = (int32_t)(0u - z * (uint32_t)sums[i]);
    for (size_t o = 0; bias != NULL && o < p->s.groups * p->s.oc; o++) {
        int32_t *to = &out[tni_qconv_oc_at(p, o)];
        *to = (int32_t)((uint32_t)*to + (uint32_t)bias[o]);
    }
}

/* --- run ----------------------------------------------------------------- */

typedef struct job {
    const tni_qconv_plan *p;
    const uint8_t *x;
    int zero;
    const char *packed;
    const tni_qconv_end *end;
    char *y;
    size_t y_elem;
    char *scratch;
} job;

/* Pixels [first, last) of a row of the band, from the image's row. */
static void put_pixels(const job *q, char *to, const uint8_t *row, size_t first,
                       size_t last)
{
    const tni_qconv_plan *p = q->p;
    const tni_qconv_shape *s = &p->s;
    const size_t pixel = s->groups * s->ic;
    const size_t from = first * p->gather[1] - s->pad_lo[1];
    if (s->groups == 1 && p->gather[1] == 1) {
        p->row.prepare(to + first * s->ic * p->elem, row + from * pixel,
                       (last - first) * s->ic, p->x_signed, q->zero);
        return;
    }
    for (size_t i = first; i < last; i++)
        p->row.prepare(to + i * s->ic * p->elem,
                       row + (i * p->gather[1] - s->pad_lo[1]) * pixel, s->ic,
                       p->x_signed, q->zero);
}

/* The image's rows from that of output row oy on, as a band. */
static void put_band(const job *q, char *band, const uint8_t *image, size_t oy,
                     size_t rows)
{
    const tni_qconv_plan *p = q->p;
    const tni_qconv_shape *s = &p->s;
    const size_t h = s->kernel[0] == 1
                         ? rows
                         : (rows - 1) * s->stride[0] +
                               (s->kernel[0] - 1) * s->dilation[0] + 1;
    const size_t pixel = s->ic * p->elem, width = p->band_w * pixel;
    const int fill = (uint8_t)zero_in_form(p, q->zero);
    /* Columns of the band that are in the image. */
    const size_t g = p->gather[1], end = s->in[1] + s->pad_lo[1];
    size_t first = (s->pad_lo[1] + g - 1) / g, last = (end + g - 1) / g;
    if (last > p->band_w) last = p->band_w;
    if (first > last) first = last;
    for (size_t r = 0; r < h; r++) {
        char *to = band + r * width;
        const size_t at = oy * s->stride[0] + r * p->gather[0];
        if (at < s->pad_lo[0] || at - s->pad_lo[0] >= s->in[0]) {
            memset(to, fill, width);
            continue;
        }
        memset(to, fill, first * pixel);
        memset(to + last * pixel, fill, width - last * pixel);
        put_pixels(q, to,
                   image + (at - s->pad_lo[0]) * s->in[1] * s->groups * s->ic,
                   first, last);
    }
    memset(band + h * width, 0, SLACK);
}

/* Offsets of the runs of a patch, and of the pixels of a band. */
static void offsets(const tni_qconv_plan *p, uint32_t *run, uint32_t *pix,
                    size_t rows)
{
    const tni_qconv_shape *s = &p->s;
    const size_t pixel = s->ic * p->elem * (p->in_place ? s->groups : 1);
    const size_t width = pixel * (p->in_place ? s->in[1] : p->band_w);
    const size_t per_row = p->n_runs / s->kernel[0];
    size_t step[2];
    for (int i = 0; i < 2; i++)
        step[i] = p->in_place || s->kernel[i] != 1 ? s->stride[i] : 1;
    for (size_t i = 0; i < p->n_runs; i++)
        run[i] = (uint32_t)(i / per_row * s->dilation[0] * width +
                            i % per_row * s->dilation[1] * pixel);
    for (size_t y = 0; y < rows; y++)
        for (size_t x = 0; x < s->out[1]; x++)
            *pix++ = (uint32_t)(y * step[0] * width + x * step[1] * pixel);
}

/* What one worker does with one band of one group of an image. */
typedef struct band_job {
    size_t group, oy, rows;
    const char *x; /* where the pixels' offsets begin */
    const uint32_t *run, *pix;
    char *y; /* the band's first pixel */
} band_job;

static void run_panel(const job *q, const band_job *b, size_t panel)
{
    const tni_qconv_plan *p = q->p;
    const size_t mr = (size_t)p->row.mr, nr = (size_t)p->row.nr;
    const size_t channels = p->s.groups * p->s.oc, first = panel * nr;
    const size_t at = (b->group * p->panels + panel) * nr;
    const size_t pixels = b->rows * p->s.out[1];
    tni_qconv_tile t = {.x = b->x,
                        .run = b->run,
                        .n_runs = p->n_runs,
                        .len = p->len,
                        .w = q->packed + at / nr * p->panel_bytes,
                        .end = *q->end,
                        .y_rs = channels};
    t.nr = (int)(p->s.oc - first < nr ? p->s.oc - first : nr);
    t.end.bias += at;
    if (t.end.scale != NULL) t.end.scale += at;
    if (t.end.add != NULL) t.end.add += at;
    for (size_t i = 0; i < pixels; i += mr) {
        t.pix = b->pix + i;
        t.mr = (int)(pixels - i < mr ? pixels - i : mr);
        t.y = b->y + (i * channels + b->group * p->s.oc + first) * q->y_elem;
        p->row.tile(&t);
    }
}

static void run_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const job *q = ctx;
    const tni_qconv_plan *p = q->p;
    const tni_qconv_shape *s = &p->s;
    char *band = q->scratch + (size_t)worker * p->worker_bytes;
    uint32_t *run =
        (uint32_t *)(void *)(band + p->worker_bytes - table_bytes(p));
    uint32_t *pix = run + p->n_runs;
    const size_t in_len = s->in[0] * s->in[1] * s->groups * s->ic;
    const size_t out_len = s->out[0] * s->out[1] * s->groups * s->oc;
    size_t ready = SIZE_MAX;
    offsets(p, run, pix, p->rows);
    for (size_t i = begin; i < end; i++) {
        const size_t which = i / p->oc_tasks;
        const size_t image = which / p->bands / s->groups;
        band_job b = {.group = which / p->bands % s->groups,
                      .oy = which % p->bands * p->rows,
                      .x = band,
                      .run = run,
                      .pix = pix};
        const uint8_t *x = q->x + image * in_len + b.group * s->ic;
        b.rows = s->out[0] - b.oy < p->rows ? s->out[0] - b.oy : p->rows;
        b.y = q->y + (image * out_len + b.oy * s->out[1] * s->groups * s->oc) *
                         q->y_elem;
        if (p->in_place)
            b.x = (const char *)x +
                  b.oy * s->stride[0] * s->in[1] * s->groups * s->ic;
        else if (ready != which)
            put_band(q, band, x, b.oy, b.rows);
        ready = which;
        const size_t from = i % p->oc_tasks * p->oc_step;
        for (size_t j = from; j < from + p->oc_step && j < p->panels; j++)
            run_panel(q, &b, j);
    }
}

void tni_qconv_run(const tni_qconv_plan *p, const uint8_t *x, int zero,
                   const void *packed, const tni_qconv_end *end, void *y,
                   char *scratch, const tni_par *par)
{
    const tni_qconv_shape *s = &p->s;
    if (s->n * s->groups * s->oc * s->out[0] * s->out[1] == 0) return;
    job q = {.p = p,
             .x = x,
             .zero = zero,
             .packed = packed,
             .end = end,
             .y = y,
             .y_elem = end->out == TNI_QCONV_BYTES ? 1 : 4,
             .scratch = scratch};
    tni_par_for(par, s->n * s->groups * p->bands * p->oc_tasks, run_tasks, &q);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* qdwconv.c - plans, packing and the loop over rows of qdwconv.h */
#include "kernels/qdwconv/qdwconv.h"

#include "base/checked.h"
#include "tenon/base.h"

#include <string.h>

static const tni_qdwconv_kernels table[] = {
#define TN_QDWCONV_KERNEL(isa, name, channels)                                 \
    {isa, #name, channels, tni_qdwconv_tile__##name},
#include "kernels/qdwconv/qdwconv.def"
#undef TN_QDWCONV_KERNEL
};

bool tni_qdwconv_table(tni_qdwconv_kernels *row, int i)
{
    if (i < 0 || (size_t)i >= sizeof table / sizeof table[0]) return false;
    *row = table[i];
    return true;
}

void tni_qdwconv_init(tni_qdwconv_kernels *k, uint32_t isa)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if ((table[i].isa & ~isa) == 0) *k = table[i];
}

bool tni_qdwconv_plan_init(tni_qdwconv_plan *p, const tni_qdwconv_kernels *row,
                           const tni_qconv_shape *s, bool x_signed)
{
    size_t n;
    memset(p, 0, sizeof *p);
    if (s->ic != 1 || s->oc != 1) return false;
    p->s = *s;
    p->row = *row;
    p->x_signed = x_signed;
    p->taps = s->kernel[0] * s->kernel[1];
    p->pairs = (p->taps + 1) / 2;
    p->len = (s->groups + row->block - 1) / row->block * row->block;
    if (!tni_mul_size(p->len, p->pairs * 4, &p->packed_bytes) ||
        !tni_mul_size(s->out[1], 2 * p->pairs * sizeof(uint8_t *), &n))
        return false;
    p->worker_bytes = (n + p->len + 127) / 64 * 64;
    return true;
}

size_t tni_qdwconv_at(const tni_qdwconv_plan *p, size_t c)
{
    const size_t i = c % p->row.block;
    return c - i + i % 8 / 4 * (p->row.block / 2) + i / 8 * 4 + i % 4;
}

void tni_qdwconv_pack(const tni_qdwconv_plan *p, int16_t *packed, int32_t *sums,
                      const tni_qconv_weights *w)
{
    const size_t block = p->row.block;
    memset(packed, 0, p->packed_bytes);
    for (size_t c = 0; c < p->s.groups; c++) {
        const size_t at = tni_qdwconv_at(p, c);
        int16_t *to =
            packed + at / block * block * 2 * p->pairs + at % block * 2;
        sums[c] = 0;
        for (size_t t = 0; t < p->taps; t++) {
            const uint8_t u = w->w[c * w->o_step + t * w->tap_step];
            const int32_t v =
                (w->is_signed ? (int8_t)u : u) - w->zero[c * w->zero_step];
            to[t / 2 * 2 * block + t % 2] = (int16_t)v;
            sums[c] += v;
        }
    }
}

typedef struct job {
    const tni_qdwconv_plan *p;
    const uint8_t *x;
    uint8_t zero;
    const int16_t *packed;
    const tni_qconv_end *end;
    uint8_t *y;
    char *scratch;
} job;

/* Output columns whose tap, `shift` to the right, lies in the image. */
static void columns(const tni_qconv_shape *s, size_t shift, size_t *first,
                    size_t *last)
{
    const size_t step = s->stride[1], pad = s->pad_lo[1];
    *first = shift < pad ? (pad - shift + step - 1) / step : 0;
    *last =
        s->in[1] + pad > shift ? (s->in[1] + pad - shift - 1) / step + 1 : 0;
    if (*last > s->out[1]) *last = s->out[1];
    if (*first > *last) *first = *last;
}

/* Where every tap of every pixel of output row oy is. */
static void find_taps(const job *q, const uint8_t **tap, const uint8_t *image,
                      const uint8_t *pad, size_t oy)
{
    const tni_qconv_shape *s = &q->p->s;
    const size_t n = 2 * q->p->pairs, pixel = s->stride[1] * s->groups;
    for (size_t t = 0; t < n; t++) {
        /* An odd last one has a weight of zero. */
        const size_t k = t < q->p->taps ? t : 0;
        const size_t y = oy * s->stride[0] + k / s->kernel[1] * s->dilation[0];
        const size_t shift = k % s->kernel[1] * s->dilation[1];
        size_t first = 0, last = 0;
        if (y >= s->pad_lo[0] && y - s->pad_lo[0] < s->in[0])
            columns(s, shift, &first, &last);
        for (size_t i = 0; i < first; i++) tap[i * n + t] = pad;
        for (size_t i = last; i < s->out[1]; i++) tap[i * n + t] = pad;
        if (first == last) continue;
        const uint8_t *from =
            image + ((y - s->pad_lo[0]) * s->in[1] + first * s->stride[1] +
                     shift - s->pad_lo[1]) *
                        s->groups;
        for (size_t i = first; i < last; i++, from += pixel)
            tap[i * n + t] = from;
    }
}

static void run_rows(void *ctx, size_t begin, size_t end, int worker)
{
    const job *q = ctx;
    const tni_qdwconv_plan *p = q->p;
    const tni_qconv_shape *s = &p->s;
    char *mine = q->scratch + (size_t)worker * p->worker_bytes;
    const uint8_t **tap = (const uint8_t **)(void *)mine;
    uint8_t *pad = (uint8_t *)(mine + s->out[1] * 2 * p->pairs * sizeof *tap);
    memset(pad, q->zero, s->groups);
    for (size_t i = begin; i < end; i++) {
        const size_t image = i / s->out[0];
        find_taps(q, tap, q->x + image * s->in[0] * s->in[1] * s->groups, pad,
                  i % s->out[0]);
        const tni_qdwconv_tile t = {.tap = tap,
                                    .pairs = p->pairs,
                                    .pixels = s->out[1],
                                    .channels = s->groups,
                                    .x_signed = p->x_signed,
                                    .w = q->packed,
                                    .bias = q->end->bias,
                                    .scale = q->end->scale,
                                    .lo = q->end->lo,
                                    .hi = q->end->hi,
                                    .zero = q->end->zero,
                                    .y = q->y + i * s->out[1] * s->groups};
        p->row.tile(&t);
    }
}

void tni_qdwconv_run(const tni_qdwconv_plan *p, const uint8_t *x, int zero,
                     const int16_t *packed, const tni_qconv_end *end,
                     uint8_t *y, char *scratch, const tni_par *par)
{
    job q = {p, x, (uint8_t)zero, packed, end, y, scratch};
    tni_par_for(par, p->s.n * p->s.out[0], run_rows, &q);
}

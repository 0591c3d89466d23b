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
    p->pairs = (s->kernel[0] + 1) / 2 * s->kernel[1];
    if (s->out[1] > 0)
        p->across = (s->out[1] - 1) * s->stride[1] +
                    (s->kernel[1] - 1) * s->dilation[1] + 1;
    p->len = (s->groups + row->block - 1) / row->block * row->block;
    if (!tni_mul_size(p->len, p->pairs * 4, &p->packed_bytes) ||
        !tni_mul_size(p->across, s->kernel[0] * sizeof(uint8_t *), &n))
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
    const size_t block = p->row.block, rows = p->s.kernel[0];
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
            const size_t i = t / p->s.kernel[1], j = t % p->s.kernel[1];
            to[(j * ((rows + 1) / 2) + i / 2) * 2 * block + i % 2] = (int16_t)v;
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

/* Where the rows under the windows of output row oy are, column by column. */
static void find_columns(const job *q, const uint8_t **at, const uint8_t *image,
                         const uint8_t *pad, size_t oy)
{
    const tni_qconv_shape *s = &q->p->s;
    const size_t rows = s->kernel[0], across = q->p->across;
    for (size_t i = 0; i < rows; i++) {
        const size_t y = oy * s->stride[0] + i * s->dilation[0];
        const bool in = y >= s->pad_lo[0] && y - s->pad_lo[0] < s->in[0];
        const size_t first = !in                     ? across
                             : s->pad_lo[1] < across ? s->pad_lo[1]
                                                     : across;
        size_t last = in ? s->pad_lo[1] + s->in[1] : across;
        if (last > across) last = across;
        for (size_t j = 0; j < first; j++) at[j * rows + i] = pad;
        for (size_t j = last; j < across; j++) at[j * rows + i] = pad;
        if (first == across) continue;
        const uint8_t *from = image + (y - s->pad_lo[0]) * s->in[1] * s->groups;
        for (size_t j = first; j < last; j++, from += s->groups)
            at[j * rows + i] = from;
    }
}

static void run_rows(void *ctx, size_t begin, size_t end, int worker)
{
    const job *q = ctx;
    const tni_qdwconv_plan *p = q->p;
    const tni_qconv_shape *s = &p->s;
    char *mine = q->scratch + (size_t)worker * p->worker_bytes;
    const uint8_t **at = (const uint8_t **)(void *)mine;
    uint8_t *pad = (uint8_t *)(mine + p->across * s->kernel[0] * sizeof *at);
    memset(pad, q->zero, s->groups);
    for (size_t i = begin; i < end; i++) {
        const size_t image = i / s->out[0];
        find_columns(q, at, q->x + image * s->in[0] * s->in[1] * s->groups, pad,
                     i % s->out[0]);
        const tni_qdwconv_tile t = {.at = at,
                                    .rows = s->kernel[0],
                                    .columns = s->kernel[1],
                                    .stride = s->stride[1],
                                    .dilation = s->dilation[1],
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

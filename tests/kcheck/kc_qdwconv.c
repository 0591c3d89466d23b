/* SPDX-License-Identifier: Apache-2.0 */
/* kc_qdwconv.c - depthwise 8-bit convolutions, bit for bit */
#include "kc_window.h"
#include "kcheck.h"
#include "kernels/qdwconv/qdwconv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct call {
    tni_qdwconv_plan plan;
    const uint8_t *x;
    int zero;
    const int16_t *packed;
    tni_qconv_end end;
    uint8_t *y;
    char *scratch;
} call;

static void thunk(void *p)
{
    call *c = p;
    tni_qdwconv_run(&c->plan, c->x, c->zero, c->packed, &c->end, c->y,
                    c->scratch, NULL);
}

static void draw_shape(kc *t, tni_qconv_shape *s, size_t block)
{
    memset(s, 0, sizeof *s);
    s->n = kc_pick(t, "n", 1, 2);
    s->groups = kc_dim(t, "channels", block, 100);
    if (s->groups == 0) s->groups = 1;
    s->ic = s->oc = 1;
    for (size_t d = 0; d < 2; d++) {
        s->in[d] = kc_pick(t, "in", 1, d == 1 ? 20 : 9);
        kc_draw_window(t, s, d);
    }
}

static uint8_t expect(const call *c, const tni_qconv_weights *w, size_t n,
                      size_t p, size_t chan, int32_t bias, float scale)
{
    const tni_qconv_shape *s = &c->plan.s;
    const tni_qconv_end *e = &c->end;
    uint32_t sum = (uint32_t)bias;
    for (size_t t = 0; t < s->kernel[0] * s->kernel[1]; t++) {
        const size_t y = p / s->out[1] * s->stride[0] +
                         t / s->kernel[1] * s->dilation[0] - s->pad_lo[0];
        const size_t x = p % s->out[1] * s->stride[1] +
                         t % s->kernel[1] * s->dilation[1] - s->pad_lo[1];
        if (y >= s->in[0] || x >= s->in[1]) continue; /* wrapped below 0 too */
        const uint8_t u =
            c->x[((n * s->in[0] + y) * s->in[1] + x) * s->groups + chan];
        sum += (uint32_t)((kc_byte(u, c->plan.x_signed) - c->zero) *
                          (kc_byte(w->w[chan * w->o_step + t], w->is_signed) -
                           w->zero[chan * w->zero_step]));
    }
    float f = (float)(int32_t)sum * scale;
    f = f > e->lo ? f : e->lo;
    f = f < e->hi ? f : e->hi;
    return (uint8_t)((int)rintf(f) + e->zero);
}

/* Weights, zero points, bias and scales of any values. */
static void draw_weights(kc *t, tni_qconv_weights *w, size_t channels,
                         size_t taps)
{
    uint8_t *bytes = kc_own(t, channels * taps);
    int32_t *zero = kc_own(t, channels * 4);
    kc_fill_bytes(t, bytes, channels * taps);
    *w = (tni_qconv_weights){.w = bytes,
                             .o_step = taps,
                             .c_step = taps,
                             .tap_step = 1,
                             .zero = zero};
    w->is_signed = kc_pick(t, "w_signed", 0, 1) != 0;
    w->zero_step = kc_pick(t, "zeros", 0, 1);
    for (size_t i = 0; i < channels; i++)
        zero[i] = (int)(kc_rand(t) & 255) - (w->is_signed ? 128 : 0);
}

static void one_case(kc *t, const tni_qdwconv_kernels *row)
{
    call c = {.zero = 0};
    tni_qconv_shape s;
    tni_qconv_weights w;
    draw_shape(t, &s, row->block);
    const bool x_signed = kc_pick(t, "x_signed", 0, 1) != 0;
    if (!tni_qdwconv_plan_init(&c.plan, row, &s, x_signed)) return;
    const tni_qdwconv_plan *p = &c.plan;
    draw_weights(t, &w, s.groups, p->taps);
    c.zero = (int)kc_pick(t, "x_zero", 0, 255) - (x_signed ? 128 : 0);
    const size_t pixels = s.out[0] * s.out[1];
    const size_t x_len = s.n * s.in[0] * s.in[1] * s.groups;
    uint8_t *x = kc_in(t, x_len, 1);
    int16_t *packed = kc_in(t, p->packed_bytes, 4);
    int32_t *sums = kc_own(t, s.groups * 4), *given = kc_own(t, s.groups * 4);
    int32_t *bias = kc_in(t, p->len * 4, 4);
    float *scale = kc_in(t, p->len * 4, 4), *scales = kc_own(t, s.groups * 4);
    kc_fill_bytes(t, x, x_len);
    tni_qdwconv_pack(p, packed, sums, &w);
    memset(bias, 0, p->len * 4);
    memset(scale, 0, p->len * 4);
    for (size_t i = 0; i < s.groups; i++) {
        given[i] = (int32_t)(kc_rand(t) & 0xffff) - 0x8000;
        scales[i] = (float)kc_uniform(t, 1e-5, 1e-2);
        bias[tni_qdwconv_at(p, i)] = given[i] - c.zero * sums[i];
        scale[tni_qdwconv_at(p, i)] = scales[i];
    }
    c.end.zero = (int32_t)kc_pick(t, "y_zero", 0, 255);
    if (kc_pick(t, "y_signed", 0, 1) != 0) c.end.zero -= 128;
    c.end.lo = (float)((c.end.zero < 0 ? -128 : 0) - c.end.zero);
    c.end.hi = c.end.lo + 255.0f;
    c.end.bias = bias;
    c.end.scale = scale;
    c.x = x;
    c.packed = packed;
    c.y = kc_out(t, s.n * pixels * s.groups, 1);
    c.scratch = kc_out(t, p->worker_bytes, 64);
    if (!kc_call(t, thunk, &c)) return;
    uint8_t *want = kc_own(t, s.n * pixels * s.groups);
    for (size_t i = 0; i < s.n * pixels * s.groups; i++) {
        const size_t g = i % s.groups, at = i / s.groups;
        want[i] =
            expect(&c, &w, at / pixels, at % pixels, g, given[g], scales[g]);
    }
    (void)kc_same(t, "y", c.y, want, s.n * pixels * s.groups, 1);
}

/* Two layers of MobileNetV2. */
static void bench(kc *t, const tni_qdwconv_kernels *row, size_t channels,
                  size_t in, size_t stride)
{
    const size_t out = (in - 1) / stride + 1;
    const tni_qconv_shape s = {1,        channels,   1,      1,
                               {in, in}, {out, out}, {3, 3}, {stride, stride},
                               {1, 1},   {1, 1}};
    call c = {.zero = 100};
    char label[80];
    if (!tni_qdwconv_plan_init(&c.plan, row, &s, false)) return;
    int32_t *bias = kc_own(t, c.plan.len * 4);
    float *scale = kc_own(t, c.plan.len * 4);
    int16_t *packed = kc_own(t, c.plan.packed_bytes);
    uint8_t *x = kc_own(t, in * in * channels);
    kc_fill_bytes(t, x, in * in * channels);
    memset(packed, 1, c.plan.packed_bytes);
    memset(bias, 0, c.plan.len * 4);
    for (size_t i = 0; i < c.plan.len; i++) scale[i] = 1e-3f;
    c.x = x;
    c.packed = packed;
    c.end = (tni_qconv_end){TNI_QCONV_BYTES, bias,   scale, NULL,
                            -100.0f,         155.0f, 100};
    c.y = kc_own(t, out * out * channels);
    c.scratch = kc_own(t, c.plan.worker_bytes);
    (void)snprintf(label, sizeof label, "%zu %zux%zu s%zu", channels, in, in,
                   stride);
    kc_bench_int8(t, label, 18.0 * (double)(out * out * channels),
                  (double)((in * in + out * out) * channels), thunk, &c);
}

static const char *const names[] = {
#define TN_QDWCONV_KERNEL(isa, name, channels) "tni_qdwconv_tile__" #name,
#include "kernels/qdwconv/qdwconv.def"
#undef TN_QDWCONV_KERNEL
};

void kc_family_qdwconv(kc *t)
{
    tni_qdwconv_kernels row;
    for (int i = 0; tni_qdwconv_table(&row, i); i++) {
        if (!kc_begin(t, names[i], row.isa)) continue;
        while (kc_case(t, 120)) one_case(t, &row);
        if (!kc_bench_begin(t)) continue;
        bench(t, &row, 96, 112, 2);
        bench(t, &row, 144, 56, 1);
        bench(t, &row, 384, 14, 1);
    }
}

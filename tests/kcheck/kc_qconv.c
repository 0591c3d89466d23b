/* SPDX-License-Identifier: Apache-2.0 */
/* kc_qconv.c - 8-bit convolutions, bit for bit; times ResNet-50's layers */
#include "kc_layers.h"
#include "kc_window.h"
#include "kcheck.h"
#include "kernels/qconv/qconv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct call {
    tni_qconv_plan plan;
    const uint8_t *x;
    int zero;
    const void *packed;
    tni_qconv_end end;
    void *y;
    char *scratch;
} call;

static void thunk(void *p)
{
    call *c = p;
    tni_qconv_run(&c->plan, c->x, c->zero, c->packed, &c->end, c->y, c->scratch,
                  NULL);
}

static void draw_shape(kc *t, tni_qconv_shape *s, size_t nr)
{
    memset(s, 0, sizeof *s);
    s->n = kc_pick(t, "n", 1, 2);
    s->groups = kc_pick(t, "groups", 0, 2) == 0 ? 3 : 1;
    s->ic = kc_pick(t, "ic", 1, 9);
    s->oc = kc_dim(t, "oc", nr, 70);
    if (s->oc == 0) s->oc = 1;
    if (kc_pick(t, "deep", 0, 5) == 0) s->ic = 4 * kc_pick(t, "quads", 8, 90);
    const bool point = kc_pick(t, "point", 0, 2) == 0;
    for (size_t d = 0; d < 2; d++) {
        s->in[d] = kc_pick(t, "in", 1, d == 1 ? 40 : 12);
        s->out[d] = s->in[d];
        s->kernel[d] = s->stride[d] = s->dilation[d] = 1;
        if (point) continue;
        kc_draw_window(t, s, d);
    }
}

/* The sum of output (n, g, o) at pixel p, by definition. */
static int32_t sum(const call *c, const tni_qconv_shape *s, bool x_signed,
                   const tni_qconv_weights *w, size_t n, size_t chan, size_t p)
{
    const size_t g = chan / s->oc;
    int64_t total = 0;
    for (size_t ic = 0; ic < s->ic; ic++) {
        for (size_t t = 0; t < s->kernel[0] * s->kernel[1]; t++) {
            const size_t y = p / s->out[1] * s->stride[0] +
                             t / s->kernel[1] * s->dilation[0];
            const size_t x = p % s->out[1] * s->stride[1] +
                             t % s->kernel[1] * s->dilation[1];
            if (y < s->pad_lo[0] || y - s->pad_lo[0] >= s->in[0] ||
                x < s->pad_lo[1] || x - s->pad_lo[1] >= s->in[1])
                continue;
            const size_t at = ((n * s->in[0] + y - s->pad_lo[0]) * s->in[1] +
                               x - s->pad_lo[1]) *
                                  s->groups * s->ic +
                              g * s->ic + ic;
            const uint8_t v =
                w->w[chan * w->o_step + ic * w->c_step + t * w->tap_step];
            total += (int64_t)(kc_byte(c->x[at], x_signed) - c->zero) *
                     (kc_byte(v, w->is_signed) - w->zero[chan * w->zero_step]);
        }
    }
    return (int32_t)(uint32_t)(uint64_t)total;
}

static void expect(void *want, size_t at, const tni_qconv_end *e, int32_t v,
                   float scale, float add)
{
    float f = (float)v * scale;
    if (e->out == TNI_QCONV_I32) {
        ((int32_t *)want)[at] = v;
    } else if (e->out == TNI_QCONV_F32) {
        ((float *)want)[at] = e->add != NULL ? f + add : f;
    } else {
        f = f > e->lo ? f : e->lo;
        f = f < e->hi ? f : e->hi;
        ((uint8_t *)want)[at] = (uint8_t)((int)rintf(f) + e->zero);
    }
}

/* Weights and zero points: of one for all channels, or each its own. */
static void draw_weights(kc *t, tni_qconv_weights *w, const tni_qconv_shape *s,
                         tni_qconv_form form)
{
    const size_t taps = s->kernel[0] * s->kernel[1];
    const size_t channels = s->groups * s->oc;
    uint8_t *bytes = kc_own(t, channels * s->ic * taps);
    int32_t *zero = kc_own(t, channels * 4);
    const bool any_zero = form == TNI_QCONV_PAIRS;
    kc_fill_bytes(t, bytes, channels * s->ic * taps);
    w->w = bytes;
    w->o_step = s->ic * taps;
    w->c_step = taps;
    w->tap_step = 1;
    w->is_signed = kc_pick(t, "w_signed", 0, 1) != 0;
    w->zero_step = kc_pick(t, "zeros", 0, 1);
    for (size_t i = 0; i < channels; i++) {
        const int z = (int)(kc_rand(t) & 255) - (w->is_signed ? 128 : 0);
        zero[i] = any_zero ? z : w->is_signed ? 0 : 128;
    }
    /* Two of 64 are the most that may meet. */
    for (size_t i = 0; form == TNI_QCONV_NARROW && i < channels * s->ic * taps;
         i++)
        bytes[i] = (uint8_t)(bytes[i] % 129 + (w->is_signed ? 192 : 64));
    w->zero = zero;
}

static void draw_end(kc *t, call *c, size_t channels, float *scale, float *add)
{
    tni_qconv_end *e = &c->end;
    e->out = (tni_qconv_out)kc_pick(t, "out", 0, 2);
    e->zero = (int32_t)kc_pick(t, "y_zero", 0, 255);
    if (kc_pick(t, "y_signed", 0, 1) != 0) e->zero -= 128;
    e->lo = (float)((e->zero < 0 ? -128 : 0) - e->zero);
    e->hi = e->lo + 255.0f;
    if (kc_pick(t, "held", 0, 3) == 0) e->lo = 0.0f;
    for (size_t i = 0; i < channels; i++) {
        scale[i] = (float)kc_uniform(t, 1e-5, 1e-2);
        add[i] = (float)kc_uniform(t, -9, 9);
    }
}

static void one_case(kc *t, const tni_qconv_row *row)
{
    call c = {.zero = 0};
    tni_qconv_shape s;
    tni_qconv_weights w;
    draw_shape(t, &s, (size_t)row->nr);
    const bool x_signed = kc_pick(t, "x_signed", 0, 1) != 0;
    const int workers = (int)kc_pick(t, "workers", 1, 9);
    if (!tni_qconv_plan_init(&c.plan, row, &s, x_signed, workers)) return;
    const tni_qconv_plan *p = &c.plan;
    draw_weights(t, &w, &s, row->form);
    if (!tni_qconv_weights_fit(p, &w)) kc_fail(t, "the weights do not fit");
    c.zero = (int)kc_pick(t, "x_zero", 0, 255) - (x_signed ? 128 : 0);
    const size_t channels = s.groups * s.oc, pixels = s.out[0] * s.out[1];
    const size_t x_len = s.n * s.in[0] * s.in[1] * s.groups * s.ic;
    const size_t y_len = s.n * pixels * channels;
    uint8_t *x = kc_in(t, x_len, 1);
    kc_fill_bytes(t, x, x_len);
    c.x = x;
    void *packed = kc_in(t, p->packed_bytes, 64);
    int32_t *sums = kc_own(t, p->oc_len * 4),
            *bias = kc_in(t, p->oc_len * 4, 4);
    int32_t *given = kc_own(t, channels * 4);
    float *scales = kc_own(t, channels * 4), *adds = kc_own(t, channels * 4);
    float *scale = kc_in(t, p->oc_len * 4, 4),
          *add = kc_in(t, p->oc_len * 4, 4);
    draw_end(t, &c, channels, scales, adds);
    kc_fill_bytes(t, given, channels * 4);
    tni_qconv_pack(p, packed, sums, &w);
    tni_qconv_bias(p, bias, given, sums, c.zero);
    memset(scale, 0, p->oc_len * 4);
    memset(add, 0, p->oc_len * 4);
    for (size_t o = 0; o < channels; o++) {
        scale[tni_qconv_oc_at(p, o)] = scales[o];
        add[tni_qconv_oc_at(p, o)] = adds[o];
    }
    c.packed = packed;
    c.end.bias = bias;
    c.end.scale = scale;
    c.end.add = kc_pick(t, "adds", 0, 1) != 0 ? add : NULL;
    const size_t elem = c.end.out == TNI_QCONV_BYTES ? 1 : 4;
    c.y = kc_out(t, y_len * elem, elem);
    c.scratch = kc_out(t, p->worker_bytes, 64);
    if (!kc_call(t, thunk, &c)) return;
    void *want = kc_own(t, y_len * elem);
    for (size_t i = 0; i < y_len; i++) {
        const size_t o = i % channels, at = i / channels;
        const int32_t v =
            sum(&c, &s, x_signed, &w, at / pixels, o, at % pixels);
        expect(want, i, &c.end, (int32_t)((uint32_t)v + (uint32_t)given[o]),
               scales[o], adds[o]);
    }
    (void)kc_same(t, "y", c.y, want, y_len, elem);
}

static bool bench_prepare(kc *t, call *c, const tni_qconv_row *row, size_t i,
                          double *ops, double *bytes)
{
    const size_t in = layers[i].size, k = layers[i].kernel;
    const size_t out = (in + 2 * (k / 2) - k) / layers[i].stride + 1;
    const tni_qconv_shape s = {1,
                               1,
                               layers[i].ic,
                               layers[i].oc,
                               {in, in},
                               {out, out},
                               {k, k},
                               {layers[i].stride, layers[i].stride},
                               {1, 1},
                               {k / 2, k / 2}};
    if (!tni_qconv_plan_init(&c->plan, row, &s, false, 1)) return false;
    const tni_qconv_plan *p = &c->plan;
    const size_t x_len = s.ic * in * in, y_len = s.oc * out * out;
    const size_t w_len = s.oc * s.ic * k * k;
    const int32_t none = 0;
    uint8_t *x = kc_own(t, x_len), *bytes_w = kc_own(t, w_len);
    void *packed = kc_own(t, p->packed_bytes);
    int32_t *sums = kc_own(t, p->oc_len * 4), *bias = kc_own(t, p->oc_len * 4);
    float *scale = kc_own(t, p->oc_len * 4);
    kc_fill_bytes(t, x, x_len);
    kc_fill_bytes(t, bytes_w, w_len);
    for (size_t j = 0; j < w_len; j++)
        bytes_w[j] = (uint8_t)(bytes_w[j] % 129 + 192);
    const tni_qconv_weights w = {bytes_w, s.ic * k * k, k * k, 1,
                                 true,    &none,        0};
    tni_qconv_pack(p, packed, sums, &w);
    c->zero = 110;
    tni_qconv_bias(p, bias, NULL, sums, c->zero);
    for (size_t o = 0; o < p->oc_len; o++) scale[o] = 1e-3f;
    c->x = x;
    c->packed = packed;
    c->y = kc_own(t, y_len);
    c->scratch = kc_own(t, p->worker_bytes);
    c->end = (tni_qconv_end){TNI_QCONV_BYTES, bias,   scale, NULL,
                             -100.0f,         155.0f, 100};
    *ops = 2.0 * (double)y_len * (double)(s.ic * k * k);
    *bytes = (double)(x_len + y_len + w_len);
    return true;
}

typedef struct network {
    call *calls;
} network;

/* One image through all the layers, each as often as it occurs. */
static void network_thunk(void *p)
{
    const network *net = p;
    for (size_t i = 0; i < n_layers; i++)
        for (size_t q = 0; q < layers[i].times; q++) thunk(&net->calls[i]);
}

static void bench(kc *t, const tni_qconv_row *row)
{
    call *calls = kc_own(t, n_layers * sizeof *calls);
    network net = {calls};
    double ops = 0, bytes = 0, f = 0, b = 0;
    for (size_t i = 0; i < n_layers; i++) {
        char label[80];
        if (!bench_prepare(t, &calls[i], row, i, &f, &b)) return;
        (void)snprintf(label, sizeof label, "%zux %zu>%zu %zux%zu k%zu s%zu",
                       layers[i].times, layers[i].ic, layers[i].oc,
                       layers[i].size, layers[i].size, layers[i].kernel,
                       layers[i].stride);
        kc_bench_int8(t, label, f, b, thunk, &calls[i]);
        ops += f * (double)layers[i].times;
        bytes += b * (double)layers[i].times;
    }
    kc_bench_int8(t, "ResNet-50", ops, bytes, network_thunk, &net);
}

static const char *const names[] = {
#define TN_QCONV_KERNEL(isa, form, name, mr, nr) "tni_qconv__" #name,
#include "kernels/qconv/qconv.def"
#undef TN_QCONV_KERNEL
};

void kc_family_qconv(kc *t)
{
    tni_qconv_row row;
    for (int i = 0; tni_qconv_table(&row, i); i++) {
        if (!kc_begin(t, names[i], row.isa)) continue;
        while (kc_case(t, 120)) one_case(t, &row);
        if (kc_bench_begin(t)) bench(t, &row);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* kc_dwconv.c - f32 depthwise convolutions; times MobileNetV2's layers */
#include "kcheck.h"
#include "kernels/dwconv/dwconv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct call {
    const tni_dwconv_kernels *ker;
    tni_dwconv_plan plan;
    const float *x, *w;
    uint32_t *tables;
    tni_epilogue epi;
    float *y, *scratch;
} call;

static void thunk(void *p)
{
    call *c = p;
    tni_dwconv_run(&c->plan, c->ker, c->x, c->w, c->tables, &c->epi, c->y,
                   c->scratch, NULL);
}

/* The definition, in the order of the taps. */
static float element(const tni_conv_shape *s, bool fused, const float *x,
                     const float *w, size_t oh, size_t ow)
{
    float sum = 0;
    for (size_t a = 0; a < s->kernel[1]; a++) {
        for (size_t b = 0; b < s->kernel[2]; b++, w++) {
            const size_t h = oh * s->stride[1] + a * s->dilation[1];
            const size_t v = ow * s->stride[2] + b * s->dilation[2];
            const bool in = h >= s->pad_lo[1] && h - s->pad_lo[1] < s->in[1] &&
                            v >= s->pad_lo[2] && v - s->pad_lo[2] < s->in[2];
            const float e =
                in ? x[(h - s->pad_lo[1]) * s->in[2] + (v - s->pad_lo[2])]
                   : 0.0f;
            sum = fused ? fmaf(*w, e, sum) : sum + *w * e;
        }
    }
    return sum;
}

static void draw_shape(kc *t, tni_conv_shape *s)
{
    memset(s, 0, sizeof *s);
    s->n = kc_pick(t, "n", 1, 2);
    s->groups = kc_pick(t, "channels", 1, 5);
    s->ic = 1;
    s->oc = kc_pick(t, "multiplier", 1, 2);
    for (int d = 0; d < 3; d++)
        s->in[d] = s->out[d] = s->kernel[d] = s->stride[d] = s->dilation[d] = 1;
    for (int d = kc_pick(t, "rank", 1, 2) == 1 ? 2 : 1; d < 3; d++) {
        s->in[d] = kc_pick(t, "in", 1, d == 2 ? 150 : 60);
        s->kernel[d] = kc_pick(t, "kernel", 1, 5);
        s->stride[d] = kc_pick(t, "stride", 1, 3);
        s->dilation[d] = kc_pick(t, "dilation", 1, 2);
        s->pad_lo[d] = kc_pick(t, "pad", 0, 4);
        const size_t reach = (s->kernel[d] - 1) * s->dilation[d] + 1;
        size_t padded = s->in[d] + s->pad_lo[d] + kc_pick(t, "pad_hi", 0, 4);
        if (padded < reach) padded = reach;
        s->out[d] = (padded - reach) / s->stride[d] + 1;
    }
}

static void draw_epilogue(kc *t, call *c, size_t channels, size_t len)
{
    const tni_epilogue none = TNI_EPILOGUE_NONE;
    const size_t bits = kc_pick(t, "epilogue", 0, 7);
    c->epi = none;
    if (bits & 1) {
        float *b = kc_in(t, channels * 4, 4);
        kc_fill_normal(t, b, channels);
        c->epi.bias_row = b;
    }
    if (bits & 2) {
        float *add = kc_in(t, len * 4, 4);
        kc_fill_normal(t, add, len);
        c->epi.add = add;
    }
    if (bits & 4) {
        c->epi.clip = true;
        c->epi.lo = -1.0f;
        c->epi.hi = 2.0f;
    }
}

static void one_case(kc *t, call *c)
{
    tni_conv_shape s;
    draw_shape(t, &s);
    if (!tni_dwconv_plan_init(&c->plan, &s)) {
        kc_fail(t, "no plan for a depthwise shape");
        return;
    }
    const tni_dwconv_plan *p = &c->plan;
    const size_t channels = s.groups * s.oc;
    const size_t x_len = s.n * s.groups * p->in_len;
    const size_t y_len = s.n * channels * p->out_len;
    float *x = kc_in(t, x_len * 4, 4), *w = kc_in(t, channels * p->k * 4, 4);
    kc_fill_normal(t, x, x_len);
    kc_fill_normal(t, w, channels * p->k);
    draw_epilogue(t, c, channels, y_len);
    c->tables = kc_in(t, p->table_len * 4, 4);
    tni_dwconv_tables(p, c->tables);
    c->x = x;
    c->w = w;
    c->y = kc_out(t, y_len * 4, 4);
    c->scratch = kc_out(t, p->worker_len * 4, 64);
    if (!kc_call(t, thunk, c)) return;

    float *want = kc_own(t, y_len * 4);
    for (size_t i = 0; i < y_len; i++) {
        const size_t plane = i / p->out_len, q = i % p->out_len;
        const size_t chan = plane % channels;
        float v = element(&s, c->ker->isa != 0, x + plane / s.oc * p->in_len,
                          w + chan * p->k, q / s.out[2], q % s.out[2]);
        v += c->epi.bias_row != NULL ? c->epi.bias_row[chan] : 0.0f;
        if (c->epi.add != NULL) v += c->epi.add[i];
        if (c->epi.clip && v < c->epi.lo) v = c->epi.lo;
        if (c->epi.clip && v > c->epi.hi) v = c->epi.hi;
        want[i] = v;
    }
    (void)kc_same_f32(t, "y", c->y, want, y_len);
}

static void bench(kc *t, const tni_dwconv_kernels *ker)
{
    static const size_t layers[][4] = {
        {32, 112, 3, 1}, {96, 112, 3, 2}, {144, 56, 3, 1}, {144, 56, 3, 2},
        {192, 28, 3, 1}, {384, 14, 3, 1}, {960, 7, 3, 1},  {240, 28, 5, 1},
    };
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        const size_t c = layers[i][0], in = layers[i][1], k = layers[i][2];
        const size_t out = (in - 1) / layers[i][3] + 1;
        const tni_epilogue none = TNI_EPILOGUE_NONE;
        const tni_conv_shape s = {1,           c,
                                  1,           1,
                                  {1, in, in}, {1, out, out},
                                  {1, k, k},   {1, layers[i][3], layers[i][3]},
                                  {1, 1, 1},   {0, k / 2, k / 2}};
        call q = {.ker = ker, .epi = none};
        char label[64];
        if (!tni_dwconv_plan_init(&q.plan, &s)) return;
        float *x = kc_own(t, c * in * in * 4), *w = kc_own(t, c * k * k * 4);
        kc_fill_normal(t, x, c * in * in);
        kc_fill_normal(t, w, c * k * k);
        q.tables = kc_own(t, q.plan.table_len * 4);
        tni_dwconv_tables(&q.plan, q.tables);
        q.x = x;
        q.w = w;
        q.y = kc_own(t, c * out * out * 4);
        q.scratch = kc_own(t, q.plan.worker_len * 4);
        q.epi.clip = true;
        q.epi.hi = 6.0f;
        (void)snprintf(label, sizeof label, "%zu %zux%zu k%zu s%zu", c, in, in,
                       k, layers[i][3]);
        kc_bench(t, label, 2.0 * (double)(c * out * out * k * k),
                 4.0 * (double)(c * (in * in + out * out)), thunk, &q);
    }
}

void kc_family_dwconv(kc *t)
{
    static const char *const names[] = {
#define TN_DWCONV_KERNEL(isa, name) "tni_dwconv_f32__" #name,
#include "kernels/dwconv/dwconv.def"
#undef TN_DWCONV_KERNEL
    };
    tni_dwconv_kernels ker;
    for (int i = 0; tni_dwconv_row(&ker, i); i++) {
        if (!kc_begin(t, names[i], ker.isa)) continue;
        call c = {.ker = &ker};
        while (kc_case(t, 300)) one_case(t, &c);
        if (kc_bench_begin(t)) bench(t, &ker);
    }
}

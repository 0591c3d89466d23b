/* SPDX-License-Identifier: Apache-2.0 */
/* kc_bconv.c - convolutions of bfloat16 pairs, in every bit */
#include "kcheck.h"
#include "kernels/bconv/bconv.h"
#include "tensor/half.h"

#include <math.h>
#include <string.h>

typedef struct call {
    const tni_conv_kernels *ker;
    const tni_gemm_kernels *gemm;
    tni_conv_plan plan;
    const float *x, *packed;
    uint32_t *tables;
    tni_epilogue epi;
    float *y, *scratch;
} call;

static void thunk(void *p)
{
    call *c = p;
    tni_conv_run(&c->plan, c->ker, c->gemm, c->x, c->packed, c->tables, &c->epi,
                 c->y, c->scratch, NULL);
}

static float rounded(float x)
{
    return tni_bf16_to_f32(tni_f32_to_bf16(x));
}

/* One output of one group's x and one row of w: a chain over pairs of channels
 * and taps, the odd channel of a pair first. The data are far from denormal. */
static float element(const tni_conv_shape *s, const float *x, const float *w,
                     size_t row, size_t col)
{
    const size_t in_len = s->in[1] * s->in[2];
    const size_t taps = s->kernel[1] * s->kernel[2];
    float sum = 0.0f;
    for (size_t c = 0; c < s->ic; c += 2)
        for (size_t k = 0; k < taps; k++)
            for (size_t q = c + 2; q-- > c;) {
                const size_t a = row * s->stride[1] + k / s->kernel[2];
                const size_t b = col * s->stride[2] + k % s->kernel[2];
                const bool in = q < s->ic && a >= s->pad_lo[1] &&
                                a - s->pad_lo[1] < s->in[1] &&
                                b >= s->pad_lo[2] &&
                                b - s->pad_lo[2] < s->in[2];
                if (!in) continue;
                const size_t at =
                    (a - s->pad_lo[1]) * s->in[2] + b - s->pad_lo[2];
                sum = fmaf(rounded(x[q * in_len + at]),
                           rounded(w[q * taps + k]), sum);
            }
    return sum;
}

static void draw_shape(kc *t, tni_conv_shape *s, size_t nr)
{
    memset(s, 0, sizeof *s);
    s->n = kc_pick(t, "n", 1, 2);
    s->groups = kc_pick(t, "groups", 1, 2);
    s->ic = kc_pick(t, "ic", 1, 9);
    s->oc = kc_dim(t, "oc", nr, 70);
    if (s->oc == 0) s->oc = 1;
    const bool deep = kc_pick(t, "deep", 0, 15) == 0;
    if (deep) s->ic = kc_pick(t, "deep_ic", 500, 600);
    s->in[0] = s->out[0] = 1;
    for (int d = 0; d < 3; d++)
        s->kernel[d] = s->stride[d] = s->dilation[d] = 1;
    for (int d = 1; d < 3; d++) {
        s->in[d] = kc_pick(t, "in", 3, deep ? 5 : 20);
        s->kernel[d] = kc_pick(t, "kernel", 1, 3);
        s->stride[d] = kc_pick(t, "stride", 1, 2);
        s->pad_lo[d] = kc_pick(t, "pad", 0, 1);
        s->out[d] =
            (s->in[d] + 2 * s->pad_lo[d] - s->kernel[d]) / s->stride[d] + 1;
    }
}

/* Sizes, weights and tables of a shape; false when it is not for conv. */
static bool prepare(kc *t, call *c, const tni_conv_shape *s, const float *w,
                    size_t method)
{
    const tni_conv_shape pairs = tni_bconv_shape(s);
    tni_conv_plan *p = &c->plan;
    if (!(method == 2 ? tni_conv_plan_init(p, c->ker, c->gemm, &pairs)
                      : tni_conv_plan_method(p, c->ker, c->gemm, &pairs,
                                             (tni_conv_method)method)))
        return false;
    float *turned = kc_own(t, s->groups * s->oc * p->k * 4);
    float *packed = kc_in(t, p->packed_len * 4, 64);
    c->tables = kc_in(t, p->table_len * 4, 4);
    tni_bconv_pair_weights(s, tni_bf16_from_f32__ref, turned, w);
    tni_conv_pack(p, c->ker, c->gemm, packed, turned);
    tni_conv_tables(p, c->tables);
    c->packed = packed;
    return true;
}

static void one_case(kc *t, call *c)
{
    const tni_epilogue none = TNI_EPILOGUE_NONE;
    tni_conv_shape s;
    draw_shape(t, &s, (size_t)c->ker->nr);
    const size_t taps = s.kernel[1] * s.kernel[2], in_len = s.in[1] * s.in[2];
    const size_t w_len = s.groups * s.oc * s.ic * taps;
    const size_t x_len = s.n * s.groups * s.ic * in_len;
    float *w = kc_own(t, w_len * 4), *x = kc_own(t, x_len * 4);
    kc_fill_normal(t, w, w_len);
    kc_fill_normal(t, x, x_len);
    if (!prepare(t, c, &s, w, kc_pick(t, "method", 0, 2))) return;
    const tni_conv_plan *p = &c->plan;
    const size_t pairs_len = s.n * s.groups * p->s.ic * in_len;
    const size_t y_len = s.n * s.groups * s.oc * p->out_len;
    float *pairs = kc_in(t, pairs_len * 4, 4);
    tni_bconv_pair_image(&s, tni_bf16_from_f32__ref, pairs, x, NULL);
    c->x = pairs;
    c->y = kc_out(t, y_len * 4, 4);
    c->scratch = kc_out(t, tni_conv_scratch_len(p, 1) * 4, 64);
    c->epi = none;
    if (!kc_call(t, thunk, c)) return;

    float *want = kc_own(t, y_len * 4);
    for (size_t i = 0; i < y_len; i++) {
        const size_t q = i % p->out_len, o = i / p->out_len;
        const size_t chan = o % (s.groups * s.oc), plane = o / s.oc;
        want[i] = element(&s, x + plane * s.ic * in_len, w + chan * s.ic * taps,
                          q / s.out[2], q % s.out[2]);
    }
    (void)kc_same_f32(t, "y", c->y, want, y_len);
}

/* 1x1 and strided 3x3 layers, where Winograd does not serve. */
static void bench(kc *t, call *c)
{
    static const struct {
        size_t ic, oc, size, kernel, stride;
        const char *label;
    } layers[] = {{64, 256, 56, 1, 1, "64 -> 256, 56x56, 1x1"},
                  {1024, 256, 14, 1, 1, "1024 -> 256, 14x14, 1x1"},
                  {128, 128, 56, 3, 2, "128 -> 128, 56x56, 3x3/2"}};
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        const size_t in = layers[i].size, k = layers[i].kernel;
        const size_t st = layers[i].stride,
                     out = (in + 2 * (k / 2) - k) / st + 1;
        const tni_epilogue none = TNI_EPILOGUE_NONE;
        const tni_conv_shape s = {1,
                                  1,
                                  layers[i].ic,
                                  layers[i].oc,
                                  {1, in, in},
                                  {1, out, out},
                                  {1, k, k},
                                  {1, st, st},
                                  {1, 1, 1},
                                  {0, k / 2, k / 2}};
        const size_t w_len = s.oc * s.ic * k * k, x_len = s.ic * in * in;
        float *w = kc_own(t, w_len * 4), *x = kc_own(t, x_len * 4);
        float *pairs = kc_own(t, x_len * 4);
        kc_fill_normal(t, w, w_len);
        kc_fill_normal(t, x, x_len);
        if (!prepare(t, c, &s, w, 2)) return;
        tni_bconv_pair_image(&s, tni_bf16_from_f32__ref, pairs, x, NULL);
        c->x = pairs;
        c->y = kc_own(t, s.oc * out * out * 4);
        c->scratch = kc_own(t, tni_conv_scratch_len(&c->plan, 1) * 4);
        c->epi = none;
        kc_bench(t, layers[i].label, 2.0 * (double)w_len * (double)(out * out),
                 2.0 * (double)(w_len + x_len + 2 * s.oc * out * out), thunk,
                 c);
    }
}

void kc_family_bconv(kc *t)
{
    static const char *const names[] = {
#define TN_BCONV_KERNEL(isa, name, mr, nr, conv) "tni_bconv__" #name,
#include "kernels/bconv/bconv.def"
#undef TN_BCONV_KERNEL
    };
    tni_conv_kernels ker;
    for (int i = 0; tni_bconv_row(&ker, i); i++) {
        tni_gemm_kernels gemm;
        tni_bgemm_init(&gemm, ker.isa);
        if (!kc_begin(t, names[i], ker.isa)) continue;
        call c = {.ker = &ker, .gemm = &gemm};
        while (kc_case(t, 150)) one_case(t, &c);
        if (kc_bench_begin(t)) bench(t, &c);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* kc_conv.c - f32 convolutions of every method; times ResNet-50's layers */
#include "kc_epilogue.h"
#include "kc_layers.h"
#include "kcheck.h"
#include "kernels/conv/conv.h"

#include <math.h>
#include <stdio.h>
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

/* Sum of one output element in double; mag is the sum of magnitudes. */
static double sum(const tni_conv_shape *s, const float *x, const float *w,
                  const size_t at[3], double *mag)
{
    double r = 0;
    *mag = 0;
    for (size_t c = 0; c < s->ic; c++)
        for (size_t a = 0; a < s->kernel[0]; a++)
            for (size_t b = 0; b < s->kernel[1]; b++)
                for (size_t d = 0; d < s->kernel[2]; d++, w++) {
                    const size_t k[3] = {a, b, d};
                    size_t i = c;
                    bool in = true;
                    for (int q = 0; q < 3; q++) {
                        const size_t v =
                            at[q] * s->stride[q] + k[q] * s->dilation[q];
                        in = in && v >= s->pad_lo[q] &&
                             v - s->pad_lo[q] < s->in[q];
                        i = i * s->in[q] + (in ? v - s->pad_lo[q] : 0);
                    }
                    if (!in) continue;
                    const double p = (double)x[i] * (double)*w;
                    r += p;
                    *mag += fabs(p);
                }
    return r;
}

static void draw_shape(kc *t, tni_conv_shape *s, size_t nr)
{
    memset(s, 0, sizeof *s);
    s->n = kc_pick(t, "n", 1, 2);
    s->groups = kc_pick(t, "groups", 1, 3);
    s->ic = kc_pick(t, "ic", 1, 9);
    s->oc = kc_dim(t, "oc", nr, 70);
    if (s->oc == 0) s->oc = 1;
    const size_t rank = kc_pick(t, "rank", 1, 3);
    const bool point = kc_pick(t, "point", 0, 3) == 0;
    /* More terms than the kernels sum in one go. */
    const bool deep = kc_pick(t, "deep", 0, 7) == 0;
    if (deep) s->ic = kc_pick(t, "deep_ic", 250, 600);
    for (size_t d = 0; d < 3; d++) {
        s->in[d] = s->out[d] = s->kernel[d] = s->stride[d] = s->dilation[d] = 1;
        if (d + rank < 3) continue;
        s->in[d] = kc_pick(t, "in", 1, deep ? 5 : d == 2 ? 40 : 12);
        s->out[d] = s->in[d];
        if (point) continue;
        s->kernel[d] = kc_pick(t, "kernel", 1, 4);
        s->stride[d] = kc_pick(t, "stride", 1, 3);
        s->dilation[d] = kc_pick(t, "dilation", 1, 2);
        s->pad_lo[d] = kc_pick(t, "pad", 0, 3);
        const size_t reach = (s->kernel[d] - 1) * s->dilation[d] + 1;
        const size_t pad_hi = kc_pick(t, "pad_hi", 0, 3);
        size_t padded = s->in[d] + s->pad_lo[d] + pad_hi;
        if (padded < reach) padded = reach;
        s->out[d] = (padded - reach) / s->stride[d] + 1;
    }
}

static void one_case(kc *t, call *c, bool exact)
{
    tni_conv_shape s;
    draw_shape(t, &s, (size_t)c->ker->nr);
    const size_t method = kc_pick(t, "method", 0, 2);
    if (!(method == 2 ? tni_conv_plan_init(&c->plan, c->ker, c->gemm, &s)
                      : tni_conv_plan_method(&c->plan, c->ker, c->gemm, &s,
                                             (tni_conv_method)method)))
        return;
    const tni_conv_plan *p = &c->plan;
    const size_t x_len = s.n * s.groups * s.ic * p->in_len;
    const size_t y_len = s.n * s.groups * s.oc * p->out_len;
    const size_t w_len = s.groups * s.oc * p->k;
    float *x = kc_in(t, x_len * 4, 4), *w = kc_own(t, w_len * 4);
    float *packed = kc_in(t, p->packed_len * 4, 64);
    uint32_t *tables = kc_in(t, p->table_len * 4, 4);
    if (exact) {
        kc_fill_int(t, x, x_len, 3);
        kc_fill_int(t, w, w_len, 3);
    } else {
        kc_fill_normal(t, x, x_len);
        kc_fill_normal(t, w, w_len);
    }
    tni_conv_pack(p, c->ker, c->gemm, packed, w);
    tni_conv_tables(p, tables);
    c->epi = kc_draw_epilogue(t, s.groups * s.oc, y_len, exact);
    c->x = x;
    c->packed = packed;
    c->tables = tables;
    c->y = kc_out(t, y_len * 4, 4);
    c->scratch = kc_out(t, tni_conv_scratch_len(p, 1) * 4, 64);
    if (!kc_call(t, thunk, c)) return;

    double *want = kc_own(t, y_len * 8), *tol = kc_own(t, y_len * 8);
    size_t i = 0;
    for (size_t n = 0; n < s.n * s.groups; n++) {
        for (size_t o = 0; o < s.oc; o++) {
            const size_t chan = n % s.groups * s.oc + o;
            for (size_t q = 0; q < p->out_len; q++, i++) {
                const size_t at[3] = {q / s.out[2] / s.out[1],
                                      q / s.out[2] % s.out[1], q % s.out[2]};
                double mag = 0;
                double v = sum(&s, x + n * s.ic * p->in_len, w + chan * p->k,
                               at, &mag);
                if (c->epi.bias_row != NULL) v += (double)c->epi.bias_row[chan];
                if (c->epi.add != NULL) v += (double)c->epi.add[i];
                if (c->epi.clip)
                    v = fmin(fmax(v, (double)c->epi.lo), (double)c->epi.hi);
                if (c->epi.act != NULL) v = 2 * v + 3;
                want[i] = v;
                tol[i] =
                    exact ? 0.0 : 0x1p-24 * (double)(p->k + 4) * (mag + 16);
            }
        }
    }
    (void)kc_near(t, "y", c->y, want, tol, y_len);
}

static bool bench_prepare(kc *t, call *c, size_t i, double *flops,
                          double *bytes)
{
    const size_t in = layers[i].size, k = layers[i].kernel;
    const size_t out = (in + 2 * (k / 2) - k) / layers[i].stride + 1;
    const tni_conv_shape s = {1,
                              1,
                              layers[i].ic,
                              layers[i].oc,
                              {1, in, in},
                              {1, out, out},
                              {1, k, k},
                              {1, layers[i].stride, layers[i].stride},
                              {1, 1, 1},
                              {0, k / 2, k / 2}};
    const tni_epilogue none = TNI_EPILOGUE_NONE;
    if (!tni_conv_plan_init(&c->plan, c->ker, c->gemm, &s)) return false;
    const size_t x_len = s.ic * in * in, y_len = s.oc * out * out;
    const size_t w_len = s.oc * c->plan.k;
    float *x = kc_own(t, x_len * 4), *w = kc_own(t, w_len * 4);
    float *packed = kc_own(t, c->plan.packed_len * 4);
    float *bias = kc_own(t, s.oc * 4);
    kc_fill_normal(t, x, x_len);
    kc_fill_normal(t, w, w_len);
    kc_fill_normal(t, bias, s.oc);
    c->tables = kc_own(t, c->plan.table_len * 4);
    tni_conv_pack(&c->plan, c->ker, c->gemm, packed, w);
    tni_conv_tables(&c->plan, c->tables);
    c->x = x;
    c->packed = packed;
    c->y = kc_own(t, y_len * 4);
    c->scratch = kc_own(t, tni_conv_scratch_len(&c->plan, 1) * 4);
    c->epi = none;
    c->epi.bias_row = bias;
    c->epi.clip = true;
    c->epi.hi = INFINITY;
    *flops = 2.0 * (double)y_len * (double)c->plan.k;
    *bytes = 4.0 * (double)(x_len + y_len + w_len);
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

static void bench(kc *t, const tni_conv_kernels *ker,
                  const tni_gemm_kernels *gemm)
{
    call *calls = kc_own(t, n_layers * sizeof *calls);
    network net = {calls};
    double flops = 0, bytes = 0, f = 0, b = 0;
    for (size_t i = 0; i < n_layers; i++) {
        char label[80];
        calls[i].ker = ker;
        calls[i].gemm = gemm;
        if (!bench_prepare(t, &calls[i], i, &f, &b)) return;
        (void)snprintf(label, sizeof label, "%zux %zu>%zu %zux%zu k%zu s%zu",
                       layers[i].times, layers[i].ic, layers[i].oc,
                       layers[i].size, layers[i].size, layers[i].kernel,
                       layers[i].stride);
        kc_bench(t, label, f, b, thunk, &calls[i]);
        flops += f * (double)layers[i].times;
        bytes += b * (double)layers[i].times;
    }
    kc_bench(t, "ResNet-50", flops, bytes, network_thunk, &net);
}

void kc_family_conv(kc *t)
{
    static const char *const names[] = {
#define TN_CONV_KERNEL(isa, name, mr, nr) "tni_conv_f32__" #name,
#include "kernels/conv/conv.def"
#undef TN_CONV_KERNEL
    };
    tni_conv_kernels ker;
    for (int i = 0; tni_conv_row(&ker, i); i++) {
        tni_gemm_kernels gemm;
        if (!kc_begin(t, names[i], ker.isa)) continue;
        tni_gemm_init(&gemm, ker.isa);
        call c = {.ker = &ker, .gemm = &gemm};
        while (kc_case(t, 300)) one_case(t, &c, kc_index(t) % 4 != 3);
        if (kc_bench_begin(t)) bench(t, &ker, &gemm);
    }
}

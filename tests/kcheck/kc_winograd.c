/* SPDX-License-Identifier: Apache-2.0 */
/* kc_winograd.c - 3x3 convolutions by Winograd, beside the direct method */
#include "kc_epilogue.h"
#include "kcheck.h"
#include "kernels/winograd/winograd.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct call {
    const tni_winograd_kernels *ker;
    const tni_gemm_kernels *gemm;
    const tni_conv_kernels *conv; /* the direct method, for comparison */
    tni_winograd_plan plan;
    tni_conv_plan direct;
    uint32_t *tables;
    const float *x, *packed;
    tni_epilogue epi;
    float *y, *scratch;
} call;

static void thunk(void *p)
{
    call *c = p;
    tni_winograd_run(&c->plan, c->ker, c->gemm, c->x, c->packed, &c->epi, c->y,
                     c->scratch, NULL);
}

static void direct_thunk(void *p)
{
    call *c = p;
    tni_conv_run(&c->direct, c->conv, c->gemm, c->x, c->packed, c->tables,
                 &c->epi, c->y, c->scratch, NULL);
}

/* Kernels of one element: strides, no padding. */
static void draw_point(kc *t, tni_conv_shape *s)
{
    for (int d = 1; d < 3; d++) {
        s->kernel[d] = 1;
        s->pad_lo[d] = 0;
        s->stride[d] = kc_pick(t, "stride", 1, 3);
        s->dilation[d] = kc_pick(t, "dilation", 1, 2);
        s->out[d] = (s->in[d] - 1) / s->stride[d] + 1;
    }
}

static void draw_shape(kc *t, tni_conv_shape *s, size_t nr)
{
    memset(s, 0, sizeof *s);
    s->groups = 1;
    s->n = kc_pick(t, "n", 1, 3);
    s->ic = kc_pick(t, "ic", 1, 40);
    s->oc = kc_dim(t, "oc", nr, 100);
    if (s->oc == 0) s->oc = 1;
    /* More terms than are summed in one go; more weights than a task owns. */
    const bool deep = kc_pick(t, "deep", 0, 15) == 0;
    if (deep) s->ic = kc_pick(t, "deep_ic", 250, 600);
    for (int d = 0; d < 3; d++)
        s->in[d] = s->out[d] = s->kernel[d] = s->stride[d] = s->dilation[d] = 1;
    for (int d = 1; d < 3; d++) {
        const bool large = !deep && kc_pick(t, "large", 0, 7) == 0;
        s->in[d] = kc_pick(t, "in", 1, large ? 90 : 20);
        s->kernel[d] = 3;
        s->pad_lo[d] = kc_pick(t, "pad", 0, 3);
        size_t padded = s->in[d] + s->pad_lo[d] + kc_pick(t, "pad_hi", 0, 3);
        if (padded < 3) padded = 3;
        s->out[d] = padded - 2;
    }
    if (kc_pick(t, "point", 0, 3) == 0) draw_point(t, s);
}

/* One element in double. */
static double sum(const tni_conv_shape *s, const float *x, const float *w,
                  size_t row, size_t col)
{
    const size_t side = s->kernel[1];
    double r = 0;
    for (size_t c = 0; c < s->ic; c++) {
        for (size_t q = 0; q < side * side; q++, w++) {
            const size_t i = row * s->stride[1] + q / side;
            const size_t j = col * s->stride[2] + q % side;
            if (i < s->pad_lo[1] || i - s->pad_lo[1] >= s->in[1] ||
                j < s->pad_lo[2] || j - s->pad_lo[2] >= s->in[2])
                continue;
            const size_t at =
                (c * s->in[1] + i - s->pad_lo[1]) * s->in[2] + j - s->pad_lo[2];
            r += (double)x[at] * (double)*w;
        }
    }
    return r;
}

/* X W of winograd.h for one image and output channel, X of the whole image. */
static double magnitude(const tni_conv_shape *s, const float *x, const float *w)
{
    const size_t len = s->in[1] * s->in[2], taps = s->kernel[1] * s->kernel[2];
    double all = 0;
    for (size_t c = 0; c < s->ic; c++, x += len, w += taps) {
        double largest = 0, weights = 0;
        for (size_t i = 0; i < len; i++)
            largest = fmax(largest, fabs((double)x[i]));
        for (size_t q = 0; q < taps; q++) weights += fabs((double)w[q]);
        all += largest * weights;
    }
    return all;
}

static void expect(const call *c, const float *x, const float *w, double *want,
                   double *tol)
{
    const tni_winograd_plan *p = &c->plan;
    const tni_conv_shape *s = &p->s;
    const double factor = (double)(p->m * p->m);
    const size_t taps = s->kernel[1] * s->kernel[2];
    size_t i = 0;
    for (size_t n = 0; n < s->n; n++) {
        const float *image = x + n * s->ic * p->in_len;
        for (size_t o = 0; o < s->oc; o++) {
            const float *weights = w + o * s->ic * taps;
            const double bound = 0x1p-24 * (double)(s->ic + 32) *
                                 (factor * magnitude(s, image, weights) + 40);
            for (size_t q = 0; q < p->out_len; q++, i++) {
                double v = sum(s, image, weights, q / s->out[2], q % s->out[2]);
                if (c->epi.bias_row != NULL) v += (double)c->epi.bias_row[o];
                if (c->epi.add != NULL) v += (double)c->epi.add[i];
                if (c->epi.clip)
                    v = fmin(fmax(v, (double)c->epi.lo), (double)c->epi.hi);
                if (c->epi.act != NULL) v = 2 * v + 3;
                want[i] = v;
                tol[i] = 2 * bound;
            }
        }
    }
}

/* Does the same with another row; SIMD rows must agree in every bit. */
static void other_row(kc *t, const call *c, const float *w, uint32_t isa,
                      float *y)
{
    tni_winograd_kernels ker;
    tni_gemm_kernels gemm;
    call o = *c;
    tni_winograd_init(&ker, isa);
    tni_gemm_init(&gemm, isa);
    o.ker = &ker;
    o.gemm = &gemm;
    if (!tni_winograd_plan_init(&o.plan, &ker, &gemm, &c->plan.s,
                                (int)c->plan.m))
        return;
    float *packed = kc_own(t, o.plan.packed_len * 4);
    tni_winograd_pack(&o.plan, &gemm, packed, w);
    o.packed = packed;
    o.y = y;
    o.scratch = kc_own(t, tni_winograd_scratch_len(&o.plan, 1) * 4);
    thunk(&o);
}

static void one_case(kc *t, call *c)
{
    tni_conv_shape s;
    draw_shape(t, &s, (size_t)c->gemm->nr);
    const bool two = kc_pick(t, "two", 0, 2) == 0;
    const int m = s.kernel[1] == 1 ? 1 : two ? 2 : 4;
    if (!tni_winograd_plan_init(&c->plan, c->ker, c->gemm, &s, m)) {
        kc_fail(t, "no plan for the shape");
        return;
    }
    const tni_winograd_plan *p = &c->plan;
    const size_t x_len = s.n * s.ic * p->in_len;
    const size_t y_len = s.n * s.oc * p->out_len;
    const size_t w_len = s.oc * s.ic * s.kernel[1] * s.kernel[2];
    float *x = kc_in(t, x_len * 4, 4), *w = kc_own(t, w_len * 4);
    float *packed = kc_in(t, p->packed_len * 4, 64);
    kc_fill_normal(t, x, x_len);
    kc_fill_normal(t, w, w_len);
    tni_winograd_pack(p, c->gemm, packed, w);
    c->epi = kc_draw_epilogue(t, s.oc, y_len, true);
    c->x = x;
    c->packed = packed;
    c->y = kc_out(t, y_len * 4, 4);
    c->scratch = kc_out(t, tni_winograd_scratch_len(p, 1) * 4, 64);
    if (!kc_call(t, thunk, c)) return;

    double *want = kc_own(t, y_len * 8), *tol = kc_own(t, y_len * 8);
    expect(c, x, w, want, tol);
    if (!kc_near(t, "y", c->y, want, tol, y_len)) return;
    if (c->ker->isa == TN_ISA_AVX2 || c->ker->isa == TN_ISA_REF ||
        !kc_runs(t, TN_ISA_AVX2))
        return;
    float *same = kc_own(t, y_len * 4);
    other_row(t, c, w, TN_ISA_AVX2, same);
    (void)kc_same_f32(t, "y against AVX2", c->y, same, y_len);
}

/* Layers of ResNet, VGG and YOLO. */
static const struct {
    size_t ic, oc, size, kernel, stride;
} layers[] = {
    {64, 64, 56, 3, 1},    {128, 128, 28, 3, 1},   {256, 256, 14, 3, 1},
    {512, 512, 7, 3, 1},   {64, 64, 224, 3, 1},    {64, 128, 112, 3, 1},
    {128, 128, 112, 3, 1}, {256, 256, 56, 3, 1},   {512, 512, 28, 3, 1},
    {512, 512, 14, 3, 1},  {16, 16, 160, 3, 1},    {32, 32, 80, 3, 1},
    {64, 64, 40, 3, 1},    {128, 128, 20, 3, 1},   {64, 80, 80, 3, 1},
    {8, 8, 56, 3, 1},      {3, 64, 224, 3, 1},     {64, 256, 56, 1, 1},
    {256, 64, 56, 1, 1},   {512, 128, 28, 1, 1},   {256, 1024, 14, 1, 1},
    {1024, 256, 14, 1, 1}, {512, 2048, 7, 1, 1},   {2048, 512, 7, 1, 1},
    {512, 1024, 28, 1, 2}, {1024, 2048, 14, 1, 2},
};

static tni_conv_shape layer(size_t i)
{
    const size_t in = layers[i].size, k = layers[i].kernel;
    const size_t stride = layers[i].stride, out = (in - 1) / stride + 1;
    const tni_conv_shape s = {1,
                              1,
                              layers[i].ic,
                              layers[i].oc,
                              {1, in, in},
                              {1, out, out},
                              {1, k, k},
                              {1, stride, stride},
                              {1, 1, 1},
                              {0, k / 2, k / 2}};
    return s;
}

/* m is 0 for the direct method. */
static bool bench_prepare(kc *t, call *c, size_t i, int m)
{
    const tni_conv_shape s = layer(i);
    const tni_epilogue none = TNI_EPILOGUE_NONE;
    if (!(m != 0 ? tni_winograd_plan_init(&c->plan, c->ker, c->gemm, &s, m)
                 : tni_conv_plan_init(&c->direct, c->conv, c->gemm, &s)))
        return false;
    const size_t x_len = s.ic * s.in[1] * s.in[2];
    const size_t y_len = s.oc * s.out[1] * s.out[2];
    const size_t w_len = s.oc * s.ic * s.kernel[1] * s.kernel[2];
    float *x = kc_own(t, x_len * 4), *w = kc_own(t, w_len * 4);
    float *packed =
        kc_own(t, (m != 0 ? c->plan.packed_len : c->direct.packed_len) * 4);
    float *bias = kc_own(t, s.oc * 4);
    kc_fill_normal(t, x, x_len);
    kc_fill_normal(t, w, w_len);
    kc_fill_normal(t, bias, s.oc);
    if (m != 0) {
        tni_winograd_pack(&c->plan, c->gemm, packed, w);
    } else {
        c->tables = kc_own(t, c->direct.table_len * 4);
        tni_conv_pack(&c->direct, c->conv, c->gemm, packed, w);
        tni_conv_tables(&c->direct, c->tables);
    }
    c->x = x;
    c->packed = packed;
    c->y = kc_own(t, y_len * 4);
    c->scratch = kc_own(t, 4 * (m != 0 ? tni_winograd_scratch_len(&c->plan, 1)
                                       : tni_conv_scratch_len(&c->direct, 1)));
    c->epi = none;
    c->epi.bias_row = bias;
    c->epi.clip = true;
    c->epi.hi = INFINITY;
    return true;
}

/* Rates are those of the direct method's multiply-adds: above the machine's
 * peak, where Winograd is worth it. A star marks what would be chosen. */
static void bench(kc *t, call *c)
{
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        const tni_conv_shape s = layer(i);
        const int chosen = tni_winograd_choose(c->ker, c->gemm, &s);
        const double out = (double)(s.out[1] * s.out[2]);
        const double in = (double)(s.in[1] * s.in[2]);
        const double taps = (double)(s.kernel[1] * s.kernel[2]);
        for (int m = 0; m <= 4; m += m != 0 ? m : 1) {
            char label[80], name[16];
            if (m != 0 && (m == 1) != (s.kernel[1] == 1)) continue;
            if (!bench_prepare(t, c, i, m)) return;
            if (m > 1)
                (void)snprintf(name, sizeof name, "F(%d,3)", m);
            else
                (void)snprintf(name, sizeof name, m != 0 ? "turned" : "direct");
            (void)snprintf(label, sizeof label,
                           "%zu>%zu %zux%zu k%zu s%zu %s%s", s.ic, s.oc,
                           s.in[1], s.in[2], s.kernel[1], s.stride[1], name,
                           chosen == m ? " *" : "");
            kc_bench(t, label, 2.0 * (double)(s.oc * s.ic) * taps * out,
                     4.0 * ((double)s.ic * in + (double)s.oc * out),
                     m != 0 ? thunk : direct_thunk, c);
        }
    }
}

void kc_family_winograd(kc *t)
{
    static const char *const names[] = {
#define TN_WINOGRAD_KERNEL(isa, name, lanes) "tni_winograd_f32__" #name,
#include "kernels/winograd/winograd.def"
#undef TN_WINOGRAD_KERNEL
    };
    tni_winograd_kernels ker;
    for (int i = 0; tni_winograd_row_at(&ker, i); i++) {
        tni_gemm_kernels gemm;
        tni_conv_kernels conv;
        if (!kc_begin(t, names[i], ker.isa)) continue;
        tni_gemm_init(&gemm, ker.isa);
        tni_conv_init(&conv, ker.isa);
        call c = {.ker = &ker, .gemm = &gemm, .conv = &conv};
        while (kc_case(t, 200)) one_case(t, &c);
        if (kc_bench_begin(t)) bench(t, &c);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_dynamic_quantize_linear.c - ONNX DynamicQuantizeLinear, opset 11
 *
 * Shapes:  x[...] -> y[...], y_scale[], y_zero_point[]
 * Types:   x and y_scale f32; y and y_zero_point u8
 * Numeric: scale = (max(x, 0) - min(x, 0)) / 255, 1 where that is 0;
 *          zero point = -min / scale; y as QuantizeLinear
 * Source:  onnx.ai/onnx/operators, DynamicQuantizeLinear; node tests
 *          test_dynamicquantizelinear*
 */
#include "ops/qgrid.h"

enum { BLOCK = 256, LANES = 16 };

/* Smallest and largest with 0 among them, NaN passed over. */
static void range(float *min, float *max, const float *x, size_t n,
                  const tni_kernels *kernels)
{
    if (kernels != NULL) {
        const float low = kernels->reduce.row[TNI_REDUCE_MIN](x, n);
        const float high = kernels->reduce.row[TNI_REDUCE_MAX](x, n);
        *min = low < 0.0f ? low : 0.0f;
        *max = high > 0.0f ? high : 0.0f;
        if (low == low) return;
    }
    float lo[LANES] = {0.0f}, hi[LANES] = {0.0f};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            lo[k] = x[i + k] < lo[k] ? x[i + k] : lo[k];
            hi[k] = x[i + k] > hi[k] ? x[i + k] : hi[k];
        }
    for (; i < n; i++) {
        lo[0] = x[i] < lo[0] ? x[i] : lo[0];
        hi[0] = x[i] > hi[0] ? x[i] : hi[0];
    }
    *min = *max = 0.0f;
    for (size_t k = 0; k < LANES; k++) {
        *min = lo[k] < *min ? lo[k] : *min;
        *max = hi[k] > *max ? hi[k] : *max;
    }
}

typedef struct dynamic_job {
    const float *x;
    uint8_t *y;
    float scale, zero;
    const tni_kernels *kernels; /* NULL: loops */
} dynamic_job;

static void quantize_piece(void *ctx, size_t row, size_t first, size_t n)
{
    const dynamic_job *j = ctx;
    float v[BLOCK];
    (void)row;
    if (j->kernels != NULL) {
        j->kernels->quant.u8_from_f32(j->x + first, j->y + first, n, j->scale,
                                      (int)j->zero);
        return;
    }
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t m = n - i < BLOCK ? n - i : BLOCK;
        for (size_t e = 0; e < m; e++) v[e] = j->x[first + i + e] / j->scale;
        tni_quantize(j->y + first + i, TN_U8, v, m, &j->zero, 0, true);
    }
}

static void quantize(tni_tensor *const *out, int n_out, const tni_tensor *x,
                     const tni_kernels *kernels, const tni_par *par)
{
    dynamic_job j = {.x = x->data, .kernels = kernels};
    const float none = 0.0f;
    float min = 0.0f, max = 0.0f;
    uint8_t zero = 0;
    range(&min, &max, x->data, (size_t)x->len, kernels);
    j.scale = max == min ? 1.0f : (max - min) / 255.0f;
    const float at = -min / j.scale;
    tni_quantize(&zero, TN_U8, &at, 1, &none, 0, true);
    j.zero = (float)zero;
    if (out[0] != NULL) {
        j.y = out[0]->data;
        tni_rows_for(par, 1, (size_t)x->len, quantize_piece, &j);
    }
    if (n_out > 1 && out[1] != NULL) *TNI_DATA(float, out[1]) = j.scale;
    if (n_out > 2 && out[2] != NULL) *TNI_DATA(uint8_t, out[2]) = zero;
}

static tn_status infer(tni_infer *c)
{
    TN_TRY(tni_infer_same(c, 0, 0));
    if (c->n_out > 0 && c->out[0].kind == TN_KIND_TENSOR)
        c->out[0].dtype = TN_U8;
    TN_TRY(tni_infer_dims(c, 1, TN_F32, 0, NULL));
    return tni_infer_dims(c, 2, TN_U8, 0, NULL);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    TN_TRY(tni_ref_output(c, 0, TN_U8, x->rank, x->dims));
    TN_TRY(tni_ref_output(c, 1, TN_F32, 0, NULL));
    TN_TRY(tni_ref_output(c, 2, TN_U8, 0, NULL));
    quantize(c->out, c->n_out, x, NULL, c->par);
    return TN_OK;
}

typedef struct dynamic_state {
    int n_out;
    const tni_kernels *kernels;
} dynamic_state;

static void run(const tni_run *c)
{
    const dynamic_state *s = c->state;
    quantize(c->out, s->n_out, c->in[0], s->kernels, c->par);
}

static tn_status plan(tni_plan *c)
{
    dynamic_state *s = TNI_NEW(c->arena, dynamic_state);
    if (s == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    s->n_out = c->n_out;
    s->kernels = c->kernels;
    c->state = s;
    c->run = run;
    return TN_OK;
}

static const tni_arg in[] = {{"x", TNI_T(TN_F32), 0, 0}};
static const tni_arg out[] = {
    {"y", TNI_T(TN_U8), 0, 0},
    {"y_scale", TNI_T(TN_F32), 0, 0},
    {"y_zero_point", TNI_T(TN_U8), 0, 0},
};

static const tni_op_version versions[] = {
    {.since = 11,
     TNI_IN(in),
     TNI_OUT(out),
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_dynamic_quantize_linear = {
    .domain = "",
    .name = "DynamicQuantizeLinear",
    .summary = "Reals to uint8 with a scale from their range",
    TNI_VERSIONS(versions),
};

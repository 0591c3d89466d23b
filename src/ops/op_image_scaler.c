/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_image_scaler.c - ONNX ImageScaler, experimental in opset 1
 *
 * Shapes:  x[N, C, H, W] -> y[N, C, H, W]
 * Types:   f32, f64, f16, bf16
 * Attrs:   scale, bias (C numbers; absent: zeros)
 * Numeric: y = scale x + bias[c], two roundings
 * Source:  experimental operator of opset 1 that ONNX Runtime runs; written by
 *          the CoreML and WinML exporters
 */
#include "ops/elementwise.h"

TNI_MAP_LOOP(loop_f32, float, float, args->f[0] * x + args->f[1])
TNI_MAP_LOOP(loop_f64, double, double,
             (double)args->f[0] * x + (double)args->f[1])

static const tni_ew_map map = {.fn = {TNI_LOOPS_FLOAT(loop)}};

typedef struct scaler_state {
    float scale;
    int n_bias; /* 0: none */
    const float *bias;
} scaler_state;

static tn_status state_init(scaler_state *s, const tni_node *node, int rank,
                            const int64_t *dims, tn_err *err)
{
    s->scale = tni_attr_float(node, "scale", 1.0f);
    s->bias = tni_attr_floats(node, "bias", &s->n_bias);
    if (rank != 4 || (s->n_bias != 0 && dims[1] != s->n_bias))
        return tni_fail(err, TN_EINVAL,
                        "expected x of rank 4 with %d channels; the rank is %d",
                        s->n_bias, rank);
    return TN_OK;
}

/* One image and channel at a time. */
static void apply(const scaler_state *s, tni_tensor *y, const tni_tensor *x,
                  const tni_par *par)
{
    const size_t size = tn_dtype_size(x->dtype);
    const size_t plane = (size_t)(x->dims[2] * x->dims[3]);
    const int64_t planes = x->dims[0] * x->dims[1];
    for (int64_t p = 0; p < planes; p++) {
        tni_ew_args args = {.f = {s->scale, 0.0f, 0.0f}};
        if (s->n_bias != 0) args.f[1] = s->bias[p % x->dims[1]];
        const size_t at = (size_t)p * plane * size;
        tni_ew_map_apply(par, &map, x->dtype, &args, TNI_DATA(char, y) + at,
                         TNI_CDATA(char, x) + at, plane);
    }
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    scaler_state s;
    TN_TRY(state_init(&s, c->node, x->rank, x->dims, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, x->dims));
    if (tni_ref_wants(c, 0)) apply(&s, c->out[0], x, c->par);
    return TN_OK;
}

static void run(const tni_run *c)
{
    apply(c->state, c->out[0], c->in[0], c->par);
}

static tn_status plan(tni_plan *c)
{
    if (c->out[0] == NULL) return TN_OK;
    scaler_state *s = TNI_NEW(c->arena, scaler_state);
    if (s == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    TN_TRY(state_init(s, c->node, c->in[0]->rank, c->in[0]->dims, c->err));
    float *bias = TNI_NEW_ARRAY(c->arena, float, s->n_bias + 1);
    if (bias == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    for (int i = 0; i < s->n_bias; i++) bias[i] = s->bias[i];
    s->bias = bias;
    c->state = s;
    c->run = run;
    return TN_OK;
}

static const tni_arg in[] = {{"input", TNI_FLOATS, 'T', 0}};
static const tni_arg out[] = {{"output", TNI_FLOATS, 'T', 0}};

static const tni_attr_spec attrs[] = {
    {"bias", TNI_ATTR_FLOATS, NULL},
    {"scale", TNI_ATTR_FLOAT, "1"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_image_scaler = {
    .domain = "",
    .name = "ImageScaler",
    .summary = "An image times a number, plus a number per channel",
    TNI_VERSIONS(versions),
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_causal_conv_with_state.c - ONNX CausalConvWithState, opset 27
 *
 * Shapes:  input[B, C, L], weight[C, 1, k], bias[C], past_state[B, C, k-1] ->
 *          output[B, C, L], present_state[B, C, k-1]: the last k-1 values of
 *          past (or zeros) and input
 * Attrs:   activation "none", "silu" or its alias "swish"
 * Source:  github.com/onnx/onnx docs/Operators.md#CausalConvWithState
 */
#include "ops/nn.h"

#include <math.h>

#define T27 (TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16))

enum { INPUT, WEIGHT, BIAS, PAST };

static const tni_arg in_27[] = {
    {"input", T27, 'T', 0},
    {"weight", T27, 'T', 0},
    {"bias", T27, 'T', TNI_OPTIONAL},
    {"past_state", T27, 'T', TNI_OPTIONAL},
};
static const tni_arg out_27[] = {
    {"output", T27, 'T', 0},
    {"present_state", T27, 'T', 0},
};
static const tni_attr_spec attrs_27[] = {
    {"activation", TNI_ATTR_STRING, "none"},
};

static tn_status causal_conv_with_state_infer(tni_infer *c)
{
    int64_t b = TNI_DIM_UNKNOWN, ch = TNI_DIM_UNKNOWN, k = TNI_DIM_UNKNOWN;
    int64_t one = 1, carry;
    if (!tni_attr_is(c->node, "activation", "none", "none") &&
        !tni_attr_is(c->node, "activation", "silu", "none") &&
        !tni_attr_is(c->node, "activation", "swish", "none"))
        return tni_fail(c->err, TN_EINVAL,
                        "activation is none of none, silu, swish");
    TN_TRY(tni_nn_want_rank(c, INPUT, 3));
    TN_TRY(tni_nn_want_rank(c, WEIGHT, 3));
    TN_TRY(tni_nn_want_rank(c, BIAS, 1));
    TN_TRY(tni_nn_want_rank(c, PAST, 3));
    TN_TRY(tni_nn_merge_dim(c, INPUT, 0, &b));
    TN_TRY(tni_nn_merge_dim(c, PAST, 0, &b));
    TN_TRY(tni_nn_merge_dim(c, INPUT, 1, &ch));
    TN_TRY(tni_nn_merge_dim(c, WEIGHT, 0, &ch));
    TN_TRY(tni_nn_merge_dim(c, BIAS, 0, &ch));
    TN_TRY(tni_nn_merge_dim(c, PAST, 1, &ch));
    TN_TRY(tni_nn_merge_dim(c, WEIGHT, 1, &one));
    TN_TRY(tni_nn_merge_dim(c, WEIGHT, 2, &k));
    if (k == 0) return tni_fail(c->err, TN_EINVAL, "empty kernel");
    carry = TNI_DIM_IS_KNOWN(k) ? k - 1 : TNI_DIM_UNKNOWN;
    TN_TRY(tni_nn_merge_dim(c, PAST, 2, &carry));
    TN_TRY(tni_infer_same(c, 0, 0));
    if (c->n_out > 1)
        TN_TRY(tni_infer_dims(c, 1, tni_infer_dtype(c, 0), 3,
                              (const int64_t[3]){b, ch, carry}));
    return TN_OK;
}

static tn_status causal_conv_with_state_ref(tni_ref *c)
{
    const tni_tensor *const t = c->in[INPUT];
    const bool silu = !tni_attr_is(c->node, "activation", "none", "none");
    const int64_t ch = t->dims[1], len = t->dims[2];
    const int64_t k = c->in[WEIGHT]->dims[2], carry = k - 1;
    const double *x = NULL, *w = NULL, *bias = NULL, *past = NULL;
    double *y = NULL, *state = NULL, *line;
    TN_TRY(tni_ref_output(c, 0, t->dtype, 3, t->dims));
    TN_TRY(tni_ref_output(c, 1, t->dtype, 3,
                          (const int64_t[3]){t->dims[0], ch, carry}));
    TN_TRY(tni_nn_load(c, t, &x));
    TN_TRY(tni_nn_load(c, c->in[WEIGHT], &w));
    if (tni_ref_has(c, BIAS)) TN_TRY(tni_nn_load(c, c->in[BIAS], &bias));
    if (tni_ref_has(c, PAST)) TN_TRY(tni_nn_load(c, c->in[PAST], &past));
    TN_TRY(tni_nn_open(c, 0, &y));
    TN_TRY(tni_nn_open(c, 1, &state));
    line = tni_nn_doubles(c, carry + len);
    if (line == NULL) return tni_ref_nomem(c);
    for (int64_t u = 0; u < t->dims[0] * ch; u++) {
        for (int64_t i = 0; i < carry; i++)
            line[i] = past != NULL ? past[u * carry + i] : 0;
        for (int64_t i = 0; i < len; i++) line[carry + i] = x[u * len + i];
        for (int64_t i = 0; i < len && y != NULL; i++) {
            double sum = bias != NULL ? bias[u % ch] : 0;
            for (int64_t j = 0; j < k; j++)
                sum += line[i + j] * w[u % ch * k + j];
            y[u * len + i] = silu ? sum / (1.0 + exp(-sum)) : sum;
        }
        for (int64_t i = 0; i < carry && state != NULL; i++)
            state[u * carry + i] = line[len + i];
    }
    tni_nn_store(c, 0, y);
    tni_nn_store(c, 1, state);
    return TN_OK;
}

static const tni_op_version causal_conv_with_state_versions[] = {
    {.since = 27,
     TNI_IN(in_27),
     TNI_OUT(out_27),
     TNI_ATTRS(attrs_27),
     .infer = causal_conv_with_state_infer,
     .ref = causal_conv_with_state_ref},
};

const tni_op tni_op_causal_conv_with_state = {
    .domain = "",
    .name = "CausalConvWithState",
    .summary = "Depthwise causal convolution that carries its tail.",
    TNI_VERSIONS(causal_conv_with_state_versions),
};

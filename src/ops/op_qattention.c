/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_qattention.c - com.microsoft QAttention
 *
 * Shapes:  input[B, S, I], weight[I, Hq + Hk + Hv], bias[Hq + Hk + Hv],
 *          input_scale[], weight_scale[] or one per column, mask_index,
 *          input_zero_point, weight_zero_point, past  ->  as Attention
 * Types:   u8, s8 with f32
 * Numeric: Attention (op_ms_attention.c) of (input - zero) * scale and
 *          (weight - zero) * scale
 * Source:  ONNX Runtime docs/ContribOperators.md, com.microsoft.QAttention
 */
#include "ops/msquant.h"

enum { INPUT, WEIGHT, BIAS, IN_SCALE, W_SCALE, MASK, IN_ZERO, W_ZERO, PAST };
enum { N_ATTENTION = 5 }; /* input, weights, bias, mask, past */
static const int from[N_ATTENTION] = {INPUT, WEIGHT, BIAS, MASK, PAST};

static const tni_op_version *attention(void)
{
    return &tni_op_ms_attention.versions[0];
}

static tn_status infer(tni_infer *c)
{
    const tni_type *in[N_ATTENTION] = {NULL};
    const tni_tensor *known[N_ATTENTION] = {NULL};
    tni_type wide[2];
    tni_infer inner = *c;
    for (int i = 0; i < N_ATTENTION; i++) {
        if (!tni_infer_has(c, from[i])) continue;
        in[i] = c->in[from[i]];
        if (i >= 2) continue;
        wide[i] = *in[i];
        wide[i].dtype = TN_F32;
        in[i] = &wide[i];
    }
    inner.in = in;
    inner.in_const = known;
    inner.n_in = N_ATTENTION;
    return attention()->infer(&inner);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *in[N_ATTENTION] = {NULL};
    tni_tensor wide[2];
    tni_ref inner = *c;
    for (int i = 0; i < N_ATTENTION; i++)
        if (tni_ref_has(c, from[i])) in[i] = c->in[from[i]];
    TN_TRY(tni_ms_dequantize(c, &wide[0], c->in[INPUT], c->in[IN_SCALE],
                             tni_ref_has(c, IN_ZERO) ? c->in[IN_ZERO] : NULL,
                             INPUT));
    TN_TRY(tni_ms_dequantize(c, &wide[1], c->in[WEIGHT], c->in[W_SCALE],
                             tni_ref_has(c, W_ZERO) ? c->in[W_ZERO] : NULL,
                             WEIGHT));
    in[0] = &wide[0];
    in[1] = &wide[1];
    inner.in = in;
    inner.n_in = N_ATTENTION;
    return attention()->ref(&inner);
}

#define F TNI_T(TN_F32)
static const tni_arg ins[] = {
    {"input", TNI_MS_INT8S, 'A', 0},
    {"weight", TNI_MS_INT8S, 'W', 0},
    {"bias", F, 0, 0},
    {"input_scale", F, 0, 0},
    {"weight_scale", F, 0, 0},
    {"mask_index", TNI_T(TN_I32), 0, TNI_OPTIONAL},
    {"input_zero_point", TNI_MS_INT8S, 'A', TNI_OPTIONAL},
    {"weight_zero_point", TNI_MS_INT8S, 'W', TNI_OPTIONAL},
    {"past", F, 0, TNI_OPTIONAL},
};
static const tni_arg outs[] = {
    {"output", F, 0, 0},
    {"present", F, 0, TNI_OPTIONAL},
};
static const tni_attr_spec attrs[] = {
    {"do_rotary", TNI_ATTR_INT, "0"},
    {"mask_filter_value", TNI_ATTR_FLOAT, "-10000"},
    {"num_heads", TNI_ATTR_INT, "required"},
    {"past_present_share_buffer", TNI_ATTR_INT, "0"},
    {"scale", TNI_ATTR_FLOAT, NULL},
    {"unidirectional", TNI_ATTR_INT, "0"},
};

static const tni_op_version versions[] = {
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_qattention = {
    .domain = "com.microsoft",
    .name = "QAttention",
    .summary = "Attention over 8-bit inputs and weights.",
    TNI_VERSIONS(versions),
};

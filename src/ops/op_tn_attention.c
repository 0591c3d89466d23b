/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_tn_attention.c - tenon Attention: products and Softmax that spell it out
 *
 * Made by the pass fuse_attention, never read from a file. It computes what
 * Softmax(Q K^T * scale + mask) V computes: a row that the mask takes away
 * altogether gives NaN, where ONNX's Attention gives zeros, and a mask has as
 * many columns as there are keys, or one.
 *
 * Shapes:  Q[B, S, H*D], K[B, T, H*D], V[B, T, H*Dv] -> Y[B, S, H*Dv]; the
 *          mask is added, broadcast to [B, H, S, T]
 * Types:   f32
 * Attrs:   q_num_heads, kv_num_heads, scale as Attention
 * Numeric: see attn.h
 * Source:  docs/modules/passes.md
 */
#include "ops/attn.h"

static const tni_arg in[] = {{"Q", TNI_T(TN_F32), 'T', 0},
                             {"K", TNI_T(TN_F32), 'T', 0},
                             {"V", TNI_T(TN_F32), 'T', 0},
                             {"mask", TNI_T(TN_F32), 'T', TNI_OPTIONAL}};
static const tni_arg out[] = {{"Y", TNI_T(TN_F32), 'T', 0}};

static const tni_attr_spec attrs[] = {
    {"kv_num_heads", TNI_ATTR_INT, "required"},
    {"q_num_heads", TNI_ATTR_INT, "required"},
    {"scale", TNI_ATTR_FLOAT, "required"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = tni_attention_infer,
     .ref = tni_attention_ref,
     .plan = tni_attention_plan},
};

const tni_op tni_op_tn_attention = {
    .domain = "tenon",
    .name = "Attention",
    .summary = "Attention as products and Softmax spell it out.",
    TNI_VERSIONS(versions),
};

/* SPDX-License-Identifier: Apache-2.0 */
/* op_rotary_embedding.c - ONNX RotaryEmbedding, opset 23; see rotary.h */
#include "ops/rotary.h"

#define T (TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16))

static const tni_arg in_23[] = {
    {"X", T, 'T', 0},
    {"cos_cache", T, 'T', 0},
    {"sin_cache", T, 'T', 0},
    {"position_ids", TNI_T(TN_I64), 0, TNI_OPTIONAL},
};
static const tni_arg out_23[] = {{"Y", T, 'T', 0}};
static const tni_attr_spec attrs_23[] = {
    {"interleaved", TNI_ATTR_INT, "0"},
    {"num_heads", TNI_ATTR_INT, NULL},
    {"rotary_embedding_dim", TNI_ATTR_INT, "0"},
};

static const tni_rotary_op kind = {.cos_in = 1, .sin_in = 2, .pos_in = 3};

static tn_status rotary_embedding_infer(tni_infer *c)
{
    if (tni_infer_ranked(c, 0) && c->in[0]->rank == 3 &&
        tni_attr_int(c->node, "num_heads", 0) <= 0)
        return tni_fail(c->err, TN_EINVAL,
                        "num_heads is required with an input of rank 3");
    return tni_rotary_infer(c, &kind);
}

static tn_status rotary_embedding_ref(tni_ref *c)
{
    return tni_rotary_ref(c, &kind);
}

static const tni_op_version rotary_embedding_versions[] = {
    {.since = 23,
     TNI_IN(in_23),
     TNI_OUT(out_23),
     TNI_ATTRS(attrs_23),
     .infer = rotary_embedding_infer,
     .ref = rotary_embedding_ref},
};

const tni_op tni_op_rotary_embedding = {
    .domain = "",
    .name = "RotaryEmbedding",
    .summary = "Rotates vectors by their position.",
    TNI_VERSIONS(rotary_embedding_versions),
};

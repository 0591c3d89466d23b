/* SPDX-License-Identifier: Apache-2.0 */
/* op_ms_rotary_embedding.c - com.microsoft RotaryEmbedding; see rotary.h. Its
 * attribute scale is accepted and, as in ONNX Runtime, without effect. */
#include "ops/rotary.h"

#define T (TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16))

static const tni_arg in_1[] = {
    {"input", T, 'T', 0},
    {"position_ids", TNI_T(TN_I64), 0, 0},
    {"cos_cache", T, 'T', 0},
    {"sin_cache", T, 'T', 0},
};
static const tni_arg out_1[] = {{"output", T, 'T', 0}};
static const tni_attr_spec attrs_1[] = {
    {"interleaved", TNI_ATTR_INT, "0"},
    {"is_packed_batching", TNI_ATTR_INT, "0"},
    {"num_heads", TNI_ATTR_INT, "0"},
    {"rotary_embedding_dim", TNI_ATTR_INT, "0"},
    {"scale", TNI_ATTR_FLOAT, "1"},
};

static const tni_rotary_op kind = {.cos_in = 2, .sin_in = 3, .pos_in = 1};

static tn_status ms_rotary_embedding_infer(tni_infer *c)
{
    if (tni_attr_int(c->node, "is_packed_batching", 0) != 0)
        return tni_fail(c->err, TN_EUNSUPPORTED,
                        "packed batches are not supported");
    return tni_rotary_infer(c, &kind);
}

static tn_status ms_rotary_embedding_ref(tni_ref *c)
{
    return tni_rotary_ref(c, &kind);
}

static const tni_op_version ms_rotary_embedding_versions[] = {
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_1),
     .infer = ms_rotary_embedding_infer,
     .ref = ms_rotary_embedding_ref},
};

const tni_op tni_op_ms_rotary_embedding = {
    .domain = "com.microsoft",
    .name = "RotaryEmbedding",
    .summary = "Rotates vectors by their position.",
    TNI_VERSIONS(ms_rotary_embedding_versions),
};

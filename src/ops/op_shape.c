/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_shape.c - ONNX Shape, opsets 1, 15
 *
 * Shapes:  data[d0 … dn]  ->  shape[end - start], both clamped to the rank
 * Types:   all -> int64
 */
#include "ops/infer.h"

static void range(int *start, int *end, const tni_node *node, int rank)
{
    int64_t s = tni_attr_int(node, "start", 0);
    int64_t e = tni_attr_int(node, "end", rank);
    if (s < 0) s = s < -rank ? 0 : s + rank;
    if (e < 0) e = e < -rank ? 0 : e + rank;
    *start = (int)(s > rank ? rank : s);
    *end = (int)(e > rank ? rank : e);
    if (*end < *start) *end = *start;
}

static tn_status infer(tni_infer *c)
{
    int64_t n = TNI_DIM_UNKNOWN;
    if (tni_infer_ranked(c, 0)) {
        int start = 0, end = 0;
        range(&start, &end, c->node, c->in[0]->rank);
        n = end - start;
    }
    return tni_infer_dims(c, 0, TN_I64, 1, &n);
}

static tn_status ref(tni_ref *c)
{
    int start = 0, end = 0;
    range(&start, &end, c->node, c->in[0]->rank);
    const int64_t n = end - start;
    TN_TRY(tni_ref_output(c, 0, TN_I64, 1, &n));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    int64_t *y = TNI_DATA(int64_t, c->out[0]);
    for (int d = start; d < end; d++) y[d - start] = c->in[0]->dims[d];
    return TN_OK;
}

static const tni_arg ins[] = {{"data", TNI_ANY, 'T', 0}};
static const tni_arg outs[] = {{"shape", TNI_T(TN_I64), 0, 0}};
static const tni_attr_spec attrs[] = {{"start", TNI_ATTR_INT, "0"},
                                      {"end", TNI_ATTR_INT, NULL}};

static const tni_op_version versions[] = {
    {.since = 15, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .traits = TNI_SHAPE_ONLY, .infer = infer, .ref = ref},
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), .traits = TNI_SHAPE_ONLY,
     .infer = infer, .ref = ref},
};

const tni_op tni_op_shape = {
    .domain = "",
    .name = "Shape",
    .summary = "The extents of a tensor",
    TNI_VERSIONS(versions),
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_hardmax.c - ONNX Hardmax, opsets 1, 13
 *
 * Shapes:  input[…]  ->  output alike: 1 at the first largest element of each
 *          row, 0 elsewhere. A row is one axis; below opset 13 it is all axes
 *          from `axis` on
 * Types:   floats
 */
#include "ops/infer.h"
#include "ops/order.h"

#include <string.h>

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    const bool flat = c->opset < 13;
    const int64_t a = tni_attr_int(c->node, "axis", flat ? 1 : -1);
    int axis = 0;
    int64_t n = 1, inner = 1;
    if (!flat || a != x->rank)
        TN_TRY(tni_axis(&axis, a, x->rank, c->err));
    else
        axis = x->rank;
    for (int d = axis; d < x->rank; d++) {
        if (flat || d == axis)
            n *= x->dims[d];
        else
            inner *= x->dims[d];
    }
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, x->dims));
    if (!tni_ref_wants(c, 0) || x->len == 0) return TN_OK;
    uint64_t *keys = tni_ref_scratch(c, (size_t)n * sizeof *keys);
    if (keys == NULL) return tni_ref_nomem(c);
    memset(c->out[0]->data, 0, (size_t)x->len * tn_dtype_size(x->dtype));
    for (int64_t row = 0; row < x->len / n; row++) {
        const int64_t first = row / inner * n * inner + row % inner;
        tni_order_keys(keys, x, first, inner, n, TNI_NAN_LAST);
        int64_t best = 0;
        for (int64_t i = 1; i < n; i++)
            if (keys[i] > keys[best]) best = i;
        tni_set_f64(c->out[0], first + best * inner, 1.0);
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"input", TNI_FLOATS, 'T', 0}};
static const tni_arg outs[] = {{"output", TNI_FLOATS, 'T', 0}};
static const tni_attr_spec attrs_13[] = {{"axis", TNI_ATTR_INT, "-1"}};
static const tni_attr_spec attrs_1[] = {{"axis", TNI_ATTR_INT, "1"}};

static const tni_op_version versions[] = {
    {.since = 13, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs_13),
     .infer = tni_infer_unary, .ref = ref},
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs_1),
     .infer = tni_infer_unary, .ref = ref},
};

const tni_op tni_op_hardmax = {
    .domain = "",
    .name = "Hardmax",
    .summary = "One at the largest element, zero elsewhere",
    TNI_VERSIONS(versions),
};

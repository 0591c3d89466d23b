/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_constant.c - ONNX Constant, opsets 1, 11, 12
 *
 * Shapes:  ()  ->  output, the value of the one attribute given
 * Types:   all; value_float(s), value_int(s), value_string(s) give float32,
 *          int64 and strings, 0-D or 1-D. A sparse value is dense by the time
 *          it is here.
 * Errors:  EINVAL no value
 */
#include "ops/infer.h"

#include <string.h>

/* The value as a tensor over the node's own memory; `one` and `strings` hold
 * scalars. False when there is none. */
static bool value_of(tni_tensor *t, const tni_node *node, int64_t *one,
                     float *one_float)
{
    const tni_tensor *tensor = tni_attr_tensor(node, "value");
    if (tensor == NULL) tensor = tni_attr_tensor(node, "sparse_value");
    if (tensor != NULL) {
        *t = *tensor;
        return true;
    }
    memset(t, 0, sizeof *t);
    for (int i = 0; i < node->n_attrs; i++) {
        const tni_attr *a = &node->attrs[i];
        const void *data = NULL;
        tn_dtype dtype = TN_UNDEFINED;
        int rank = 1;
        const int64_t n = (int64_t)a->n;
        if (strcmp(a->name, "value_float") == 0) {
            *one_float = a->v.f;
            data = one_float;
            dtype = TN_F32;
            rank = 0;
        } else if (strcmp(a->name, "value_int") == 0) {
            *one = a->v.i;
            data = one;
            dtype = TN_I64;
            rank = 0;
        } else if (strcmp(a->name, "value_string") == 0) {
            data = &a->v.s;
            dtype = TN_STRING;
            rank = 0;
        } else if (strcmp(a->name, "value_floats") == 0) {
            data = a->v.floats;
            dtype = TN_F32;
        } else if (strcmp(a->name, "value_ints") == 0) {
            data = a->v.ints;
            dtype = TN_I64;
        } else if (strcmp(a->name, "value_strings") == 0) {
            data = a->v.strings;
            dtype = TN_STRING;
        }
        if (dtype == TN_UNDEFINED) continue;
        if (!tni_tensor_set_shape(t, dtype, rank, &n)) return false;
        /* Only read from: the tensor never leaves as writable. */
        memcpy(&t->data, &data, sizeof data);
        return true;
    }
    return false;
}

static tn_status no_value(tn_err *err)
{
    return tni_fail(err, TN_EINVAL, "no value attribute, expected one");
}

static tn_status infer(tni_infer *c)
{
    tni_tensor t;
    int64_t one = 0;
    float one_float = 0.0f;
    if (!value_of(&t, c->node, &one, &one_float)) return no_value(c->err);
    if (c->n_out > 0) tni_type_of(&c->out[0], &t);
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    tni_tensor t;
    int64_t one = 0;
    float one_float = 0.0f;
    if (!value_of(&t, c->node, &one, &one_float)) return no_value(c->err);
    return tni_ref_output_copy(c, 0, &t);
}

static const tni_arg outs[] = {{"output", TNI_ANY, 0, 0}};
static const tni_attr_spec attrs[] = {
    {"value", TNI_ATTR_TENSOR, NULL},
    {"sparse_value", TNI_ATTR_TENSOR, NULL},
    {"value_float", TNI_ATTR_FLOAT, NULL},
    {"value_floats", TNI_ATTR_FLOATS, NULL},
    {"value_int", TNI_ATTR_INT, NULL},
    {"value_ints", TNI_ATTR_INTS, NULL},
    {"value_string", TNI_ATTR_STRING, NULL},
    {"value_strings", TNI_ATTR_STRINGS, NULL}};

static const tni_op_version versions[] = {
    {.since = 12, TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer, .ref = ref},
    {.since = 11, TNI_OUT(outs), .attrs = attrs, .n_attrs = 2, .infer = infer,
     .ref = ref},
    {.since = 1, TNI_OUT(outs), .attrs = attrs, .n_attrs = 1, .infer = infer,
     .ref = ref},
};

const tni_op tni_op_constant = {
    .domain = "",
    .name = "Constant",
    .summary = "A value that is part of the model",
    TNI_VERSIONS(versions),
};

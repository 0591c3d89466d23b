/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_category_mapper.c - ai.onnx.ml CategoryMapper
 *
 * Shapes:  x[…] -> y[…]
 * Types:   string -> i64, i64 -> string
 * Numeric: exact
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#CategoryMapper
 */
#include "ops/ml.h"

static tn_status infer(tni_infer *c)
{
    TN_TRY(tni_infer_same(c, 0, 0));
    c->out[0].dtype = tni_infer_dtype(c, 0) == TN_STRING ? TN_I64 : TN_STRING;
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    int n = 0, n_strings = 0;
    const int64_t *ints = tni_attr_ints(c->node, "cats_int64s", &n);
    const tn_string *strings =
        tni_attr_strings(c->node, "cats_strings", &n_strings);
    if (n != n_strings || n == 0)
        return tni_fail(c->err, TN_EINVAL,
                        "cats_int64s has %d entries, cats_strings %d", n,
                        n_strings);
    const bool from_text = x->dtype == TN_STRING;
    tni_dict d;
    TN_TRY(tni_dict_init(&d, from_text ? strings : NULL, ints, n, c->scratch,
                         c->err));
    TN_TRY(
        tni_ref_output(c, 0, from_text ? TN_I64 : TN_STRING, x->rank, x->dims));
    if (from_text) {
        const int64_t absent = tni_attr_int(c->node, "default_int64", -1);
        for (int64_t i = 0; i < x->len; i++) {
            const int64_t k =
                tni_dict_find_string(&d, TNI_CDATA(tn_string, x)[i]);
            TNI_DATA(int64_t, c->out[0])[i] = k < 0 ? absent : ints[k];
        }
        return TN_OK;
    }
    tn_string absent = tni_attr_string(c->node, "default_string");
    if (absent.ptr == NULL) absent = (tn_string){"_Unused", 7};
    for (int64_t i = 0; i < x->len; i++) {
        const int64_t k = tni_dict_find_int(&d, TNI_CDATA(int64_t, x)[i]);
        TNI_DATA(tn_string, c->out[0])[i] = k < 0 ? absent : strings[k];
    }
    return TN_OK;
}

static const tni_arg in[] = {{"X", TNI_STRINGS | TNI_T(TN_I64), 0, 0}};
static const tni_arg out[] = {{"Y", TNI_STRINGS | TNI_T(TN_I64), 0, 0}};
static const tni_attr_spec attrs[] = {
    {"cats_int64s", TNI_ATTR_INTS, NULL},
    {"cats_strings", TNI_ATTR_STRINGS, NULL},
    {"default_int64", TNI_ATTR_INT, "-1"},
    {"default_string", TNI_ATTR_STRING, "_Unused"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_category_mapper = {.domain = "ai.onnx.ml",
                                       .name = "CategoryMapper",
                                       .summary =
                                           "strings to integers and back",
                                       TNI_VERSIONS(versions)};

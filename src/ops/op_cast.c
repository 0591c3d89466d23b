/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_cast.c - ONNX Cast, opsets 1, 6, 9, 13, 19, 21, 23, 24, 25, 28
 *
 * Shapes:  x[...] -> y[...]
 * Types:   all but complex, either way
 * Attrs:   to (in opset 1 a name, "FLOAT"), saturate, round_mode
 * Errors:  EINVAL a string that is no number
 * Numeric: see convert.h for numbers and cast.c for strings
 * Source:  onnx.ai/onnx/operators, Cast; node tests test_cast_*
 */
#include "ops/cast.h"

static tn_status by_name(tn_dtype *to, const tni_node *node, tn_err *err)
{
    static const struct {
        const char *name;
        tn_dtype dtype;
    } names[] = {
        {"FLOAT", TN_F32},     {"UINT8", TN_U8},   {"INT8", TN_I8},
        {"UINT16", TN_U16},    {"INT16", TN_I16},  {"INT32", TN_I32},
        {"INT64", TN_I64},     {"BOOL", TN_BOOL},  {"FLOAT16", TN_F16},
        {"DOUBLE", TN_F64},    {"UINT32", TN_U32}, {"UINT64", TN_U64},
        {"STRING", TN_STRING},
    };
    for (int i = 0; i < TNI_COUNT(names); i++) {
        if (!tni_attr_is(node, "to", names[i].name, NULL)) continue;
        *to = names[i].dtype;
        return TN_OK;
    }
    const tn_string s = tni_attr_string(node, "to");
    return tni_fail(err, TN_EUNSUPPORTED, "attribute 'to' is '%.*s', no dtype",
                    s.len < 40 ? (int)s.len : 40, s.len > 0 ? s.ptr : "");
}

static tn_status target(tn_dtype *to, const tni_node *node, tn_err *err)
{
    if (node->ver->since == 1) return by_name(to, node, err);
    const int64_t v = tni_attr_int(node, "to", 0);
    if (v <= 0 || v >= TN_DTYPE_COUNT || (TNI_CAST_DTYPES & TNI_T(v)) == 0)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "attribute 'to' is %lld, not a dtype to cast to",
                        (long long)v);
    *to = (tn_dtype)v;
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    tn_dtype to = TN_UNDEFINED;
    TN_TRY(target(&to, c->node, c->err));
    return tni_cast_infer(c, to);
}

static tn_status ref(tni_ref *c)
{
    tn_dtype to = TN_UNDEFINED;
    TN_TRY(target(&to, c->node, c->err));
    return tni_cast_ref(c, to);
}

static tn_status plan(tni_plan *c)
{
    tn_dtype to = TN_UNDEFINED;
    TN_TRY(target(&to, c->node, c->err));
    return tni_cast_plan(c, to);
}

static const tni_arg in[] = {{"input", TNI_CAST_DTYPES, 0, 0}};
static const tni_arg out[] = {{"output", TNI_CAST_DTYPES, 0, 0}};

static const tni_attr_spec attrs[] = {
    {"round_mode", TNI_ATTR_STRING, "up"},
    {"saturate", TNI_ATTR_INT, "1"},
    {"to", TNI_ATTR_INT, "required"},
};
static const tni_attr_spec attrs_1[] = {{"to", TNI_ATTR_STRING, "required"}};

static const tni_op_version versions[] = {
    {.since = 6,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_INPLACE,
     .infer = infer,
     .ref = ref,
     .plan = plan},
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs_1),
     .traits = TNI_INPLACE,
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_cast = {
    .domain = "",
    .name = "Cast",
    .summary = "The same values in another dtype",
    TNI_VERSIONS(versions),
};

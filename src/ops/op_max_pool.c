/* SPDX-License-Identifier: Apache-2.0 */
/* op_max_pool.c - ONNX MaxPool, opsets 1, 8, 10, 12, 22; see pool.h */
#include "ops/pool.h"

static const tni_arg in_22[] = {
    {"X", TNI_FLOATS | TNI_T(TN_I8) | TNI_T(TN_U8), 'T', 0}};
static const tni_arg out_22[] = {
    {"Y", TNI_FLOATS | TNI_T(TN_I8) | TNI_T(TN_U8), 'T', 0},
    {"Indices", TNI_T(TN_I64), 0, TNI_OPTIONAL},
};

static const tni_arg in_12[] = {{"X",
                                 TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16) |
                                     TNI_T(TN_I8) | TNI_T(TN_U8),
                                 'T', 0}};
static const tni_arg out_12[] = {
    {"Y",
     TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16) | TNI_T(TN_I8) |
         TNI_T(TN_U8),
     'T', 0},
    {"Indices", TNI_T(TN_I64), 0, TNI_OPTIONAL},
};

static const tni_arg in_10[] = {
    {"X", TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16), 'T', 0}};
static const tni_arg out_10[] = {
    {"Y", TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16), 'T', 0},
    {"Indices", TNI_T(TN_I64), 0, TNI_OPTIONAL},
};

static const tni_arg in_1[] = {
    {"X", TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16), 'T', 0}};
static const tni_arg out_1[] = {
    {"Y", TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16), 'T', 0},
};

static const tni_attr_spec attrs_22[] = {
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
    {"ceil_mode", TNI_ATTR_INT, "0"},
    {"dilations", TNI_ATTR_INTS, NULL},
    {"kernel_shape", TNI_ATTR_INTS, "required"},
    {"pads", TNI_ATTR_INTS, NULL},
    {"storage_order", TNI_ATTR_INT, "0"},
    {"strides", TNI_ATTR_INTS, NULL},
};

static const tni_attr_spec attrs_8[] = {
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
    {"kernel_shape", TNI_ATTR_INTS, "required"},
    {"pads", TNI_ATTR_INTS, NULL},
    {"storage_order", TNI_ATTR_INT, "0"},
    {"strides", TNI_ATTR_INTS, NULL},
};

static const tni_attr_spec attrs_1[] = {
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
    {"kernel_shape", TNI_ATTR_INTS, "required"},
    {"pads", TNI_ATTR_INTS, NULL},
    {"strides", TNI_ATTR_INTS, NULL},
};

static tn_status max_pool_ref(tni_ref *c)
{
    return tni_pool_ref(c, TNI_POOL_MAX);
}

static tn_status max_pool_plan(tni_plan *c)
{
    return tni_pool_plan(c, TNI_POOL_MAX);
}

static const tni_op_version max_pool_versions[] = {
    {.since = 22,
     TNI_IN(in_22),
     TNI_OUT(out_22),
     TNI_ATTRS(attrs_22),
     .infer = tni_pool_infer,
     .ref = max_pool_ref,
     .plan = max_pool_plan},
    {.since = 12,
     TNI_IN(in_12),
     TNI_OUT(out_12),
     TNI_ATTRS(attrs_22),
     .infer = tni_pool_infer,
     .ref = max_pool_ref,
     .plan = max_pool_plan},
    {.since = 10,
     TNI_IN(in_10),
     TNI_OUT(out_10),
     TNI_ATTRS(attrs_22),
     .infer = tni_pool_infer,
     .ref = max_pool_ref,
     .plan = max_pool_plan},
    {.since = 8,
     TNI_IN(in_10),
     TNI_OUT(out_10),
     TNI_ATTRS(attrs_8),
     .infer = tni_pool_infer,
     .ref = max_pool_ref,
     .plan = max_pool_plan},
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_1),
     .infer = tni_pool_infer,
     .ref = max_pool_ref,
     .plan = max_pool_plan},
};

const tni_op tni_op_max_pool = {
    .domain = "",
    .name = "MaxPool",
    .summary = "Largest element of each window.",
    TNI_VERSIONS(max_pool_versions),
};

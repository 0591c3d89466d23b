/* SPDX-License-Identifier: Apache-2.0 */
/* op_average_pool.c - ONNX AveragePool, opsets 1, 7, 10, 19, 22; see pool.h */
#include "ops/pool.h"

static const tni_arg in_22[] = {{"X", TNI_FLOATS, 'T', 0}};
static const tni_arg out_22[] = {
    {"Y", TNI_FLOATS, 'T', 0},
};

static const tni_arg in_19[] = {
    {"X", TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16), 'T', 0}};
static const tni_arg out_19[] = {
    {"Y", TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16), 'T', 0},
};

static const tni_attr_spec attrs_22[] = {
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
    {"ceil_mode", TNI_ATTR_INT, "0"},
    {"count_include_pad", TNI_ATTR_INT, "0"},
    {"dilations", TNI_ATTR_INTS, NULL},
    {"kernel_shape", TNI_ATTR_INTS, "required"},
    {"pads", TNI_ATTR_INTS, NULL},
    {"strides", TNI_ATTR_INTS, NULL},
};

static const tni_attr_spec attrs_10[] = {
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
    {"ceil_mode", TNI_ATTR_INT, "0"},
    {"count_include_pad", TNI_ATTR_INT, "0"},
    {"kernel_shape", TNI_ATTR_INTS, "required"},
    {"pads", TNI_ATTR_INTS, NULL},
    {"strides", TNI_ATTR_INTS, NULL},
};

static const tni_attr_spec attrs_7[] = {
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
    {"count_include_pad", TNI_ATTR_INT, "0"},
    {"kernel_shape", TNI_ATTR_INTS, "required"},
    {"pads", TNI_ATTR_INTS, NULL},
    {"strides", TNI_ATTR_INTS, NULL},
};

static const tni_attr_spec attrs_1[] = {
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
    {"kernel_shape", TNI_ATTR_INTS, "required"},
    {"pads", TNI_ATTR_INTS, NULL},
    {"strides", TNI_ATTR_INTS, NULL},
};

static tn_status average_pool_ref(tni_ref *c)
{
    return tni_pool_ref(c, TNI_POOL_AVERAGE);
}

static tn_status average_pool_plan(tni_plan *c)
{
    return tni_pool_plan(c, TNI_POOL_AVERAGE);
}

static const tni_op_version average_pool_versions[] = {
    {.since = 22,
     TNI_IN(in_22),
     TNI_OUT(out_22),
     TNI_ATTRS(attrs_22),
     .infer = tni_pool_infer,
     .ref = average_pool_ref,
     .plan = average_pool_plan},
    {.since = 19,
     TNI_IN(in_19),
     TNI_OUT(out_19),
     TNI_ATTRS(attrs_22),
     .infer = tni_pool_infer,
     .ref = average_pool_ref,
     .plan = average_pool_plan},
    {.since = 10,
     TNI_IN(in_19),
     TNI_OUT(out_19),
     TNI_ATTRS(attrs_10),
     .infer = tni_pool_infer,
     .ref = average_pool_ref,
     .plan = average_pool_plan},
    {.since = 7,
     TNI_IN(in_19),
     TNI_OUT(out_19),
     TNI_ATTRS(attrs_7),
     .infer = tni_pool_infer,
     .ref = average_pool_ref,
     .plan = average_pool_plan},
    {.since = 1,
     TNI_IN(in_19),
     TNI_OUT(out_19),
     TNI_ATTRS(attrs_1),
     .infer = tni_pool_infer,
     .ref = average_pool_ref,
     .plan = average_pool_plan},
};

const tni_op tni_op_average_pool = {
    .domain = "",
    .name = "AveragePool",
    .summary = "Mean of each window.",
    TNI_VERSIONS(average_pool_versions),
};

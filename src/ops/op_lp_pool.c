/* SPDX-License-Identifier: Apache-2.0 */
/* op_lp_pool.c - ONNX LpPool, opsets 1, 2, 18, 22; see pool.h */
#include "ops/pool.h"

static const tni_arg in_22[] = {{"X", TNI_FLOATS, 'T', 0}};
static const tni_arg out_22[] = {
    {"Y", TNI_FLOATS, 'T', 0},
};

static const tni_arg in_18[] = {
    {"X", TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16), 'T', 0}};
static const tni_arg out_18[] = {
    {"Y", TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16), 'T', 0},
};

static const tni_attr_spec attrs_22[] = {
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
    {"ceil_mode", TNI_ATTR_INT, "0"},
    {"dilations", TNI_ATTR_INTS, NULL},
    {"kernel_shape", TNI_ATTR_INTS, "required"},
    {"p", TNI_ATTR_INT, "2"},
    {"pads", TNI_ATTR_INTS, NULL},
    {"strides", TNI_ATTR_INTS, NULL},
};

static const tni_attr_spec attrs_2[] = {
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
    {"kernel_shape", TNI_ATTR_INTS, "required"},
    {"p", TNI_ATTR_INT, "2"},
    {"pads", TNI_ATTR_INTS, NULL},
    {"strides", TNI_ATTR_INTS, NULL},
};

static const tni_attr_spec attrs_1[] = {
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
    {"kernel_shape", TNI_ATTR_INTS, NULL},
    {"p", TNI_ATTR_FLOAT, "2"},
    {"pads", TNI_ATTR_INTS, NULL},
    {"strides", TNI_ATTR_INTS, NULL},
};

static tn_status lp_pool_ref(tni_ref *c)
{
    return tni_pool_ref(c, TNI_POOL_LP);
}

static const tni_op_version lp_pool_versions[] = {
    {.since = 22,
     TNI_IN(in_22),
     TNI_OUT(out_22),
     TNI_ATTRS(attrs_22),
     .infer = tni_pool_infer,
     .ref = lp_pool_ref},
    {.since = 18,
     TNI_IN(in_18),
     TNI_OUT(out_18),
     TNI_ATTRS(attrs_22),
     .infer = tni_pool_infer,
     .ref = lp_pool_ref},
    {.since = 2,
     TNI_IN(in_18),
     TNI_OUT(out_18),
     TNI_ATTRS(attrs_2),
     .infer = tni_pool_infer,
     .ref = lp_pool_ref},
    {.since = 1,
     TNI_IN(in_18),
     TNI_OUT(out_18),
     TNI_ATTRS(attrs_1),
     .infer = tni_pool_infer,
     .ref = lp_pool_ref},
};

const tni_op tni_op_lp_pool = {
    .domain = "",
    .name = "LpPool",
    .summary = "Lp norm of each window.",
    TNI_VERSIONS(lp_pool_versions),
};

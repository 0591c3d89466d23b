/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_cum_prod.c - ONNX CumProd, opset 26
 *
 * Shapes:  x[...], axis (one integer) -> y[...]
 * Types:   floats, i32, i64, u32, u64
 * Attrs:   exclusive, reverse
 * Numeric: one rounding each step; integers wrap
 * Source:  onnx.ai/onnx/operators, CumProd; node tests test_cumprod_*
 */
#include "ops/cumulate.h"

TNI_ZIP_LOOP(loop_f32, float, float, float, x *y)
TNI_ZIP_LOOP(loop_f64, double, double, double, x *y)
TNI_ZIP_LOOP(loop_i32, int32_t, uint32_t, int32_t, x *y)
TNI_ZIP_LOOP(loop_u32, uint32_t, uint32_t, uint32_t, x *y)
TNI_ZIP_LOOP(loop_i64, int64_t, uint64_t, int64_t, x *y)
TNI_ZIP_LOOP(loop_u64, uint64_t, uint64_t, uint64_t, x *y)

TNI_CUMULATE_LINE(line_f32, float, float, 1, total *x)
TNI_CUMULATE_LINE(line_f64, double, double, 1, total *x)
TNI_CUMULATE_LINE(line_i32, int32_t, uint32_t, 1, total *x)
TNI_CUMULATE_LINE(line_u32, uint32_t, uint32_t, 1, total *x)
TNI_CUMULATE_LINE(line_i64, int64_t, uint64_t, 1, total *x)
TNI_CUMULATE_LINE(line_u64, uint64_t, uint64_t, 1, total *x)

static const tni_ew_zip zip = {
    .fn = {TNI_LOOPS_FLOAT(loop), [TN_I32] = loop_i32, [TN_U32] = loop_u32,
           [TN_I64] = loop_i64, [TN_U64] = loop_u64},
};
static const tni_cumulate op = {
    .zip = &zip,
    .line = {TNI_LOOPS_FLOAT(line), [TN_I32] = line_i32, [TN_U32] = line_u32,
             [TN_I64] = line_i64, [TN_U64] = line_u64},
    .identity = 1.0,
};

static tn_status ref(tni_ref *c)
{
    return tni_cumulate_ref(c, &op);
}

static tn_status plan(tni_plan *c)
{
    return tni_cumulate_plan(c, &op);
}

static const tni_arg in[] = {
    {"x", TNI_CUMULATE_DTYPES, 'T', 0},
    {"axis", TNI_T(TN_I32) | TNI_T(TN_I64), 0, 0},
};
static const tni_arg out[] = {{"y", TNI_CUMULATE_DTYPES, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 26,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(tni_cumulate_attrs),
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_cum_prod = {
    .domain = "",
    .name = "CumProd",
    .summary = "Running product along an axis",
    TNI_VERSIONS(versions),
};

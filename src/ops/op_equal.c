/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_equal.c - ONNX Equal, opsets 1, 7, 11, 13, 19
 *
 * Shapes:  a, b broadcast -> c (bool); before opset 7 b goes into a by
 *          broadcast and axis
 * Types:   all numeric, bool, string
 * Numeric: exact; strings byte by byte
 * Source:  onnx.ai/onnx/operators, Equal; node tests test_equal*
 */
#include "ops/elementwise.h"

#include <string.h>

static bool same_string(tn_string a, tn_string b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

TNI_ZIP_COMPARE_LOOPS(loop, x == y)
TNI_ZIP_LOOP(loop_bool, uint8_t, uint8_t, uint8_t, (x != 0) == (y != 0))

static void loop_string(void *to, const void *from_x, const void *from_y,
                        size_t n, size_t sx, size_t sy, const tni_ew_args *args)
{
    const tn_string *x = from_x, *y = from_y;
    uint8_t *z = to;
    (void)args;
    for (size_t i = 0; i < n; i++) z[i] = same_string(x[i * sx], y[i * sy]);
}

static const tni_ew_zip zip = {
    .fn =
        {TNI_LOOPS_FLOAT(loop),
         TNI_LOOPS_INT(loop), [TN_BOOL] = loop_bool, [TN_STRING] = loop_string},
    .to_bool = true,
};

static tn_status ref(tni_ref *c)
{
    return tni_ew_zip_ref(c, &zip);
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_zip_plan(c, &zip);
}

static const tni_arg in[] = {
    {"A", TNI_NUMERIC | TNI_BOOLS | TNI_STRINGS, 'T', 0},
    {"B", TNI_NUMERIC | TNI_BOOLS | TNI_STRINGS, 'T', 0},
};
static const tni_arg out[] = {{"C", TNI_BOOLS, 0, 0}};

static const tni_op_version versions[] = {
    {.since = 7,
     TNI_IN(in),
     TNI_OUT(out),
     .infer = tni_infer_compare,
     .ref = ref,
     .plan = plan},
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(tni_ew_legacy_attrs),
     .infer = tni_infer_legacy_compare,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_equal = {
    .domain = "",
    .name = "Equal",
    .summary = "a == b",
    TNI_VERSIONS(versions),
};

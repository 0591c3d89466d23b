/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_trilu.c - ONNX Trilu, opset 14
 *
 * Shapes:  input[…, m, n]  ->  output like input, zero below (upper) or above
 *          diagonal k of every matrix
 * Types:   all
 * Errors:  EINVAL rank below 2
 * Numeric: bit-exact
 */
#include "ops/trilu.h"

static const tni_op_version versions[] = {
    {.since = 14, TNI_TRILU_SIGNATURE},
};

const tni_op tni_op_trilu = {
    .domain = "",
    .name = "Trilu",
    .summary = "Keeps a triangle of every matrix",
    TNI_VERSIONS(versions),
};

/* SPDX-License-Identifier: Apache-2.0 */
/* op_ms_trilu.c - com.microsoft Trilu, version 1: as ONNX has it since 14 */
#include "ops/trilu.h"

static const tni_op_version versions[] = {
    {.since = 1, TNI_TRILU_SIGNATURE},
};

const tni_op tni_op_ms_trilu = {
    .domain = "com.microsoft",
    .name = "Trilu",
    .summary = "Keeps a triangle of every matrix",
    TNI_VERSIONS(versions),
};

/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ndjson.c - Ultralytics NDJSON */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("ndjson", "x.ndjson", data, size);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_via.c - VIA files */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("via", "x.json", data, size);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_via_csv.c - VIA's tables */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("via", "via.csv", data, size);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_csv.c - CSV manifests */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("csv", "x.csv", data, size);
    return 0;
}

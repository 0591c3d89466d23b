/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_openimages.c - Open Images */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("openimages", "train-annotations-bbox.csv", data, size);
    return 0;
}

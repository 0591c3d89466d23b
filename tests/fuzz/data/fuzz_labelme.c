/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_labelme.c - LabelMe files */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("labelme", "x.json", data, size);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_cvat.c - CVAT XML */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("cvat", "annotations.xml", data, size);
    return 0;
}

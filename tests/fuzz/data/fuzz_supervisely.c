/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_supervisely.c - Supervisely projects */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("supervisely", "meta.json", data, size);
    return 0;
}

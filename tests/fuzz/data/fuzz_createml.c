/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_createml.c - Create ML JSON */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("createml", "x.json", data, size);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_imagefolder.c - images in folders of classes */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("imagefolder", "a/x.png", data, size);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_label_studio.c - tasks of Label Studio */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("label-studio", "x.json", data, size);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_yolo.c - data.yaml, lists and labels of YOLO */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("yolo", "data.yaml", data, size);
    return 0;
}

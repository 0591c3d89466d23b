/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_kitti.c - KITTI labels */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("kitti", "label_2/000000.txt", data, size);
    return 0;
}

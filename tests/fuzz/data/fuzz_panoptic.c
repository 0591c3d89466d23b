/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_panoptic.c - COCO panoptic files, with PNGs of segments or without */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("coco", "annotations/panoptic_val.json", data, size);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_mot_det.c - detections of MOT sequences */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("mot", "det/det.txt", data, size);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_voc.c - Pascal VOC */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("voc", "Annotations/a.xml", data, size);
    return 0;
}

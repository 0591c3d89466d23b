/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_hf_metadata.c - Hugging Face metadata */
#include "fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format("hf-metadata", "metadata.jsonl", data, size);
    return 0;
}

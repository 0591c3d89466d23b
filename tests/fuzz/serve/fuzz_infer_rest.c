/* SPDX-License-Identifier: Apache-2.0 */
/* An inference request by REST. The first byte chooses how it says where its
 * JSON ends: not at all, a raw request, or a length in the two bytes behind. */
#include "infer_fuzzing.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char length[24] = "";
    tni_span header = {NULL, 0};
    if (size < 3) return 0;
    if (data[0] % 3 == 1) header = tni_span_of("0");
    if (data[0] % 3 == 2) {
        (void)snprintf(length, sizeof length, "%u", data[1] | data[2] << 8);
        header = tni_span_of(length);
    }
    tni_served model = fuzz_model(data[0] % 3 == 1 || (data[0] & 64) != 0);
    uint8_t *body = fuzz_body(data + 3, size - 3);
    tni_mem mem;
    tni_arena arena;
    tni_infer q;
    tn_err err;
    tni_mem_init(&mem, NULL, 64 << 20);
    tni_arena_init(&arena, &mem, 4096);
    if (tni_infer_begin(&q, &model, &arena, 1 << 20, &err) == TN_OK &&
        tni_infer_read_rest(&q, body, size - 3, header, &err) == TN_OK)
        fuzz_answer(&q, tni_infer_write_rest);
    tni_infer_end(&q);
    tni_arena_fini(&arena);
    free(body);
    return 0;
}

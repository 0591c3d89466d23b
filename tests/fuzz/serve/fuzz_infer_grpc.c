/* SPDX-License-Identifier: Apache-2.0 */
/* A ModelInferRequest. */
#include "infer_fuzzing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tni_served model = fuzz_model(size % 2 == 0);
    uint8_t *body = fuzz_body(data, size);
    tni_infer_target target;
    tni_mem mem;
    tni_arena arena;
    tni_infer q;
    tn_err err;
    tni_mem_init(&mem, NULL, 64 << 20);
    tni_arena_init(&arena, &mem, 4096);
    (void)!tni_infer_peek_grpc(&target, body, size, &err);
    if (tni_infer_begin(&q, &model, &arena, 1 << 20, &err) == TN_OK &&
        tni_infer_read_grpc(&q, body, size, &err) == TN_OK)
        fuzz_answer(&q, tni_infer_write_grpc);
    tni_infer_end(&q);
    tni_arena_fini(&arena);
    free(body);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_pbtxt.c - a model's configuration, as text or JSON by its first byte;
 * what is accepted is written as JSON, which is accepted again
 */
#include "serve/model_config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct sink {
    char bytes[1 << 20];
    size_t n;
    int full;
} sink;

static tn_status keep(void *ctx, const void *bytes, size_t size, tn_err *err)
{
    sink *s = ctx;
    (void)err;
    if (size > sizeof s->bytes - s->n) {
        s->full = 1;
        return TN_OK;
    }
    memcpy(s->bytes + s->n, bytes, size);
    s->n += size;
    return TN_OK;
}

static void again(const tni_model_config *c, tni_arena *arena)
{
    sink *s = calloc(1, sizeof *s);
    tni_out *out = calloc(1, sizeof *out);
    tni_model_config second;
    tn_err err;
    memset(&err, 0, sizeof err);
    /* What is not said is completed from the model before it is written. */
    for (size_t i = 0; i < c->n_inputs; i++)
        if (c->inputs[i].rank < 0 || c->inputs[i].dtype == TN_UNDEFINED)
            goto out;
    for (size_t i = 0; i < c->n_outputs; i++)
        if (c->outputs[i].rank < 0 || c->outputs[i].dtype == TN_UNDEFINED)
            goto out;
    if (s == NULL || out == NULL) goto out;
    tni_out_init(out, keep, s, NULL);
    tni_model_config_write(c, out);
    if (tni_out_flush(out) != TN_OK || s->full) goto out;
    tni_model_config_init(&second);
    const tn_status status = tni_model_config_read(
        &second, (tni_span){s->bytes, s->n}, true, arena, &err);
    if (status == TN_OK && (second.n_inputs != c->n_inputs ||
                            second.max_batch_size != c->max_batch_size ||
                            second.n_parameters != c->n_parameters))
        abort();
out:
    free(s);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tni_mem mem;
    tni_arena arena;
    tni_model_config c;
    tn_err err;
    if (size == 0) return 0;
    memset(&err, 0, sizeof err);
    tni_mem_init(&mem, NULL, (size_t)64 << 20);
    tni_arena_init(&arena, &mem, 1 << 12);
    tni_model_config_init(&c);
    const tni_span text = {(const char *)data + 1, size - 1};
    if (tni_model_config_read(&c, text, data[0] == '{', &arena, &err) == TN_OK)
        again(&c, &arena);
    tni_arena_fini(&arena);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* infer_fuzzing.h - a model that is not there, for readers of requests */
#ifndef TN_FUZZ_INFER_FUZZING_H
#define TN_FUZZ_INFER_FUZZING_H

#include "serve/inference.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t fuzz_any[2] = {-1, -1};
static const int64_t fuzz_image[3] = {-1, 2, 2};
static const char *const fuzz_labels[] = {"zero", "one \"1\""};

static const tni_port fuzz_inputs[] = {
    {"f", TN_F32, 3, fuzz_image, false, NULL, 0},
    {"s", TN_STRING, 2, fuzz_any, false, NULL, 0},
    {"i", TN_I64, 2, fuzz_any, false, NULL, 0},
    {"u", TN_U64, 2, fuzz_any, false, NULL, 0},
    {"b", TN_BOOL, 2, fuzz_any, false, NULL, 0},
    {"h", TN_F16, 2, fuzz_any, false, NULL, 0},
    {"c", TN_I8, 2, fuzz_any, false, NULL, 0},
    {"d", TN_F64, 2, fuzz_any, false, NULL, 0},
};

static const tni_port fuzz_outputs[] = {
    {"o", TN_F32, 2, fuzz_any, false, fuzz_labels, 2},
    {"t", TN_STRING, 2, fuzz_any, false, NULL, 0},
};

/* `one`: a model of a single input, which raw requests may ask. */
static tni_served fuzz_model(bool one)
{
    const tni_served m = {.name = "m",
                          .version = "1",
                          .platform = "onnxruntime_onnx",
                          .inputs = fuzz_inputs,
                          .outputs = fuzz_outputs,
                          .n_inputs = one ? 1 : 8,
                          .n_outputs = 2,
                          .max_batch_size = one ? 4 : 0};
    return m;
}

static volatile unsigned fuzz_sum;

/* Reads all of the tensors, and writes an answer. */
static void fuzz_answer(tni_infer *q,
                        tn_status (*write)(tni_infer *,
                                           const tn_tensor *const *,
                                           tni_reply *, tn_err *))
{
    static const float values[4] = {1.5F, -0.25F, 3e38F, 0.0F};
    static const tn_string texts[2] = {{"a\"\n", 3}, {"", 0}};
    const int64_t dims[2] = {2, 2}, two[2] = {2, 1};
    tn_tensor *t[2] = {NULL, NULL};
    tni_reply reply;
    tn_err err;
    unsigned sum = 0;
    for (size_t i = 0; i < q->model->n_inputs; i++) {
        if (q->inputs[i] == NULL || tn_tensor_dtype(q->inputs[i]) == TN_STRING)
            continue;
        const uint8_t *p = tn_tensor_cdata(q->inputs[i]);
        for (size_t k = 0; k < tn_tensor_size(q->inputs[i]); k++) sum += p[k];
    }
    memset(&reply, 0, sizeof reply);
    if (tn_tensor_new(&t[0], TN_F32, 2, dims, NULL, &err) == TN_OK &&
        tn_tensor_new_strings(&t[1], 2, two, texts, NULL, &err) == TN_OK) {
        const tn_tensor *outputs[2] = {t[0], t[1]};
        memcpy(tn_tensor_data(t[0]), values, sizeof values);
        if (write(q, outputs, &reply, &err) == TN_OK)
            for (size_t i = 0; i < reply.n_pieces; i++) {
                const uint8_t *p = reply.pieces[i].bytes;
                for (size_t k = 0; k < reply.pieces[i].size; k++) sum += p[k];
            }
    }
    tn_tensor_free(t[0]);
    tn_tensor_free(t[1]);
    fuzz_sum = sum; /* so that the bytes are read */
}

/* A copy as the transports make it: aligned, of its very size. */
static uint8_t *fuzz_body(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = aligned_alloc(64, (size + 64) & ~(size_t)63);
    if (copy == NULL) abort();
    if (size > 0) memcpy(copy, bytes, size);
    return copy;
}

#endif

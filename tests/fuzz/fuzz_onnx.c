/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_onnx.c - a model from bytes to answers, under tiny limits
 *
 * Decode, infer, optimise, plan and run once on zeros (unknown extents become
 * 1). Whatever the bytes are, every step either works or says what is wrong.
 */
#include "tenon/tenon.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { most_inputs = 8, most_elements = 1 << 14 };

static tn_limits tight(void)
{
    tn_limits l = TN_LIMITS_INIT;
    l.max_file_bytes = 1 << 20;
    l.max_tensor_bytes = 1 << 20;
    l.max_total_bytes = 1 << 24;
    l.max_nodes = 500;
    l.max_nesting = 6;
    l.max_name_bytes = 256;
    l.max_loop_trips = 20;
    return l;
}

/* A zero value for an input; NULL when it is none that can be made here. */
static tn_tensor *make_input(const tn_model *model, size_t i)
{
    tn_value_info info;
    tn_tensor *t = NULL;
    if (tn_model_input(model, i, &info) != TN_OK ||
        info.kind != TN_KIND_TENSOR || info.rank < 0)
        return NULL;
    int64_t n = 1;
    for (int d = 0; d < info.rank; d++) {
        if (info.dims[d] < 0) info.dims[d] = 1;
        if (info.dims[d] > most_elements) return NULL;
        n *= info.dims[d];
        if (n > most_elements) return NULL;
    }
    if (tn_tensor_new(&t, info.dtype, info.rank, info.dims, NULL, NULL) !=
        TN_OK)
        return NULL;
    return t;
}

static void run_once(const tn_model *model, tn_session *session)
{
    tn_run *run = NULL;
    tn_tensor *inputs[most_inputs] = {NULL};
    tn_err err;
    const size_t n = tn_model_n_inputs(model);
    bool ready = n <= most_inputs;
    if (tn_run_new(&run, session, &err) != TN_OK) return;
    for (size_t i = 0; i < n && ready; i++) {
        inputs[i] = make_input(model, i);
        ready = inputs[i] != NULL &&
                tn_run_set_input(run, i, inputs[i], &err) == TN_OK;
    }
    if (ready && tn_run_exec(run, &err) == TN_OK) {
        for (size_t i = 0; i < tn_model_n_outputs(model); i++) {
            char text[32];
            const tn_tensor *t = tn_run_output(run, i);
            if (t == NULL) continue;
            const int64_t len = tn_tensor_len(t);
            for (int64_t k = 0; k < len && k < most_elements; k++)
                (void)tn_tensor_format(t, k, text, sizeof text);
        }
    }
    tn_run_free(run);
    for (size_t i = 0; i < most_inputs; i++) tn_tensor_free(inputs[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const tn_limits limits = tight();
    tn_model_opts opts = TN_MODEL_OPTS_INIT;
    tn_model *model = NULL;
    tn_err err;
    opts.limits = &limits;
    const tn_status status =
        tn_model_open_memory(&model, data, size, &opts, &err);
    if (status != TN_OK) {
        if (model != NULL || err.code != status || err.message[0] == '\0')
            abort();
        return 0;
    }
    tn_session *session = NULL;
    tn_session_opts with = TN_SESSION_OPTS_INIT;
    with.limits = &limits;
    with.n_threads = 1;
    with.run_limit_bytes = 1 << 24;
    with.plan_cache_bytes = 1 << 22;
    if (tn_session_new(&session, model, &with, &err) == TN_OK)
        run_once(model, session);
    tn_session_free(session);
    tn_model_close(model);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static tn_status open_bytes(rig *r, const pb *bytes,
                            const tn_session_opts *opts, tn_err *err)
{
    tn_status status =
        tn_model_open_memory(&r->model, bytes->bytes, bytes->size, NULL, err);
    if (status == TN_OK)
        status = tn_session_new(&r->session, r->model, opts, err);
    return status == TN_OK ? tn_run_new(&r->run, r->session, err) : status;
}

tn_status rig_try(rig *r, pb bytes, const tn_session_opts *opts, tn_err *err)
{
    memset(r, 0, sizeof *r);
    r->own = bytes;
    return open_bytes(r, &r->own, opts, err);
}

rig rig_own(pb bytes, const tn_session_opts *opts)
{
    rig r;
    tn_err err;
    if (rig_try(&r, bytes, opts, &err) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    return r;
}

rig rig_open(const pb *bytes, uint32_t flags, int threads)
{
    rig r = {0};
    tn_err err;
    tn_session_opts opts = TN_SESSION_OPTS_INIT;
    opts.flags = flags;
    opts.n_threads = threads;
    if (open_bytes(&r, bytes, &opts, &err) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    return r;
}

void rig_close(rig *r)
{
    tn_run_free(r->run);
    tn_session_free(r->session);
    tn_model_close(r->model);
    pb_free(&r->own);
}

tn_tensor *rig_input(int rank, const int64_t *dims)
{
    tn_tensor *x = NULL;
    tn_err err;
    assert_int_equal(tn_tensor_new(&x, TN_F32, rank, dims, NULL, &err), TN_OK);
    float *data = tn_tensor_data(x);
    for (int64_t i = 0; i < tn_tensor_len(x); i++)
        data[i] = (float)(i * 37 % 101) * 0.05f - 2.5f;
    return x;
}

const tn_tensor *rig_exec(rig *r, tn_tensor *const *in, size_t n)
{
    tn_err err;
    for (size_t i = 0; i < n; i++)
        if (tn_run_set_input(r->run, i, in[i], &err) != TN_OK)
            fail_msg("%s: %s", err.where, err.message);
    if (tn_run_exec(r->run, &err) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    return tn_run_output(r->run, 0);
}

const tn_tensor *rig_run(rig *r, tn_tensor *x)
{
    return rig_exec(r, &x, 1);
}

typedef struct lines {
    char *text;
    size_t size;
} lines;

static void add_line(void *ctx, const char *line)
{
    const lines *l = ctx;
    const size_t used = strlen(l->text);
    (void)snprintf(l->text + used, l->size - used, "%s\n", line);
}

void rig_describe(const rig *r, char *text, size_t size)
{
    tn_err err;
    lines l = {text, size};
    text[0] = '\0';
    assert_int_equal(tn_session_describe(r->session, add_line, &l, &err),
                     TN_OK);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_infer.c - an inference by REST: read, queue, write, on the I/O thread
 *
 * Only the run itself happens elsewhere: done() comes from a compute thread
 * and hands the call back to its loop.
 */
#include "serve/api_call.h"

static void finish(tni_post *post)
{
    tni_call *call = tni_call_of_post(post);
    tn_err err;
    tni_err_clear(&err);
    tni_reply reply = {NULL, 0, 0, false};
    call->x->on_cancel = NULL;
    if (call->job.status != TN_OK) {
        tni_call_fail(call, call->job.status, &call->job.err);
        return;
    }
    const tn_status s =
        tni_infer_write_rest(&call->infer, call->job.outputs, &reply, &err);
    if (s != TN_OK)
        tni_call_fail(call, s == TN_EINVAL ? TN_EINTERNAL : s, &err);
    else
        tni_call_reply(call, &reply);
}

void tni_call_back(tni_call *call, void (*run)(tni_post *post))
{
    call->post.run = run;
    if (call->loop != NULL)
        tni_loop_post(call->loop, &call->post);
    else
        run(&call->post);
}

static void done(tni_job *job)
{
    tni_call_back(job->ctx, finish);
}

static void on_cancel(tni_exchange *x)
{
    tni_call *call = x->state;
    tni_job_cancel(&call->job);
}

void tni_call_deadline(tni_call *call)
{
    const tni_infer *q = &call->infer;
    uint64_t at = call->x->deadline_ns;
    uint64_t within = call->served->default_timeout_ns;
    if (q->timeout_us != 0 && q->timeout_us < UINT64_MAX / 1000 &&
        (within == 0 || q->timeout_us * 1000 < within))
        within = q->timeout_us * 1000;
    if (within != 0 && within < UINT64_MAX - call->start_ns &&
        (at == 0 || call->start_ns + within < at))
        at = call->start_ns + within;
    call->job.deadline_ns = at;
}

tn_status tni_call_submit(tni_call *call, void (*on_done)(tni_job *job),
                          void (*on_lost)(tni_exchange *x), tn_err *err)
{
    tni_exchange *x = call->x;
    call->job.model = call->served;
    call->job.inputs = call->infer.inputs;
    call->job.wanted = call->infer.wanted;
    call->job.priority = call->infer.priority;
    call->job.done = on_done;
    call->job.ctx = call;
    tni_call_deadline(call);
    /* From here on done() may run on another thread at any moment. */
    if (on_lost != NULL) {
        x->state = call;
        x->on_cancel = on_lost;
    }
    call->submitted = true;
    const tn_status s = tni_job_submit(&call->job, err);
    if (s != TN_OK) {
        call->submitted = false;
        if (on_lost != NULL) x->on_cancel = NULL;
    }
    return s;
}

void tni_api_infer(tni_call *call)
{
    tni_exchange *x = call->x;
    tn_err err;
    tni_err_clear(&err);
    if (!tni_call_model(call)) return;
    tn_status s = tni_infer_begin(&call->infer, call->served, &call->arena,
                                  call->api->opts.max_answer_bytes, &err);
    if (s == TN_OK) {
        call->inferring = true;
        s = tni_infer_read_rest(
            &call->infer, x->body, x->body_len,
            tni_exchange_header(x, "inference-header-content-length"), &err);
    }
    if (s == TN_OK) s = tni_call_submit(call, done, on_cancel, &err);
    if (s != TN_OK) tni_call_fail(call, s, &err);
}

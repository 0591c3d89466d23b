/* SPDX-License-Identifier: Apache-2.0 */
/* test_scheduler.c - jobs run, alone and together, and every other end */
#include "serve/models.h"
#include "sys/clock.h"
#include "sys/thread.h"
#include "tenon/tenon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;

/* --- a bench ------------------------------------------------------------ */

static tni_repository *open_example(const char *name, int threads,
                                    int64_t max_batch)
{
    char path[512];
    const char *paths[1] = {path};
    tni_repository_opts o;
    tni_repository *r = NULL;
    memset(&o, 0, sizeof o);
    (void)snprintf(path, sizeof path, "%s/%s/model.onnx", TEST_EXAMPLES, name);
    o.paths = paths;
    o.n_paths = 1;
    o.strict = true;
    o.n_threads = threads;
    o.default_max_batch = max_batch;
    o.max_queue_ns = UINT64_C(60000000000);
    assert_int_equal(tni_repository_open(&r, &o, &err), TN_OK);
    assert_int_equal(tni_repository_wait(r, &err), TN_OK);
    return r;
}

static tni_served *get(tni_repository *r)
{
    tni_served *m =
        tni_repository_get(r, tni_span_of("model"), tni_span_of(""), &err);
    if (m == NULL) fail_msg("%s", err.message);
    return m;
}

typedef struct call {
    tni_job job;
    tni_monitor *lock;
    size_t *n_done;
    tn_tensor *inputs[4];
    bool is_done;
} call;

static void call_done(tni_job *job)
{
    call *c = job->ctx;
    tni_monitor_lock(c->lock);
    c->is_done = true;
    (*c->n_done)++;
    tni_monitor_wake_all(c->lock);
    tni_monitor_unlock(c->lock);
}

typedef struct bench {
    tni_mem mem;
    tni_monitor *lock;
    size_t n_done;
} bench;

static void bench_init(bench *b)
{
    memset(b, 0, sizeof *b);
    tni_mem_init(&b->mem, NULL, 0);
    assert_int_equal(tni_monitor_new(&b->lock, &b->mem, &err), TN_OK);
}

static void bench_fini(bench *b)
{
    tni_monitor_free(b->lock, &b->mem);
}

static void bench_wait(bench *b, size_t n)
{
    tni_monitor_lock(b->lock);
    while (b->n_done < n) tni_monitor_wait(b->lock, 0);
    tni_monitor_unlock(b->lock);
}

/* A job with inputs of its own, no two alike. */
static void call_init(call *c, bench *b, tni_served *m, int64_t rows,
                      unsigned seed)
{
    memset(c, 0, sizeof *c);
    c->lock = b->lock;
    c->n_done = &b->n_done;
    c->job.model = m;
    c->job.inputs = c->inputs;
    c->job.done = call_done;
    c->job.ctx = c;
    for (size_t i = 0; i < m->n_inputs; i++) {
        int64_t dims[TN_MAX_RANK];
        const tni_port *p = &m->inputs[i];
        for (int k = 0; k < p->rank; k++)
            dims[k] = p->dims[k] >= 0 ? p->dims[k] : k == 0 ? rows : 1;
        assert_int_equal(
            tn_tensor_new(&c->inputs[i], p->dtype, p->rank, dims, NULL, &err),
            TN_OK);
        if (p->dtype != TN_F32) continue;
        float *x = tn_tensor_data(c->inputs[i]);
        const int64_t n = tn_tensor_len(c->inputs[i]);
        for (int64_t k = 0; k < n; k++) {
            seed = seed * 1664525u + 1013904223u;
            x[k] = (float)(seed >> 8) * 0x1p-22f - 2.0f;
        }
    }
}

static void call_fini(call *c)
{
    for (size_t i = 0; i < 4; i++) tn_tensor_free(c->inputs[i]);
}

/* --- tests -------------------------------------------------------------- */

static void one_job_runs(void **state)
{
    (void)state;
    bench b;
    call c;
    tni_model_counts counts;
    bench_init(&b);
    tni_repository *r = open_example("digits-pytorch", 2, 8);
    tni_served *m = get(r);
    assert_int_equal(m->max_batch_size, 8);
    assert_string_equal(m->version, "1");
    call_init(&c, &b, m, 1, 1);
    assert_int_equal(tni_job_submit(&c.job, &err), TN_OK);
    bench_wait(&b, 1);
    assert_int_equal(c.job.status, TN_OK);
    const tn_tensor *y = c.job.outputs[0];
    assert_int_equal(tn_tensor_dims(y)[0], 1);
    assert_true(c.job.enqueue_ns <= c.job.start_ns);
    assert_true(c.job.start_ns <= c.job.input_end_ns);
    assert_true(c.job.input_end_ns <= c.job.infer_end_ns);
    assert_true(c.job.infer_end_ns <= c.job.end_ns);
    tni_served_counts(m, &counts);
    assert_int_equal(counts.success.count, 1);
    assert_int_equal(counts.inference_count, 1);
    assert_int_equal(counts.execution_count, 1);
    assert_int_equal(counts.pending, 0);
    tni_job_release(&c.job);
    call_fini(&c);
    tni_served_release(m);
    tni_repository_close(r, 0);
    bench_fini(&b);
}

/* What a job of these inputs gives when it runs in a session of its own. */
static void check_alone(const call *c, const char *name)
{
    char path[512];
    tn_model *model = NULL;
    tn_session *session = NULL;
    tn_run *run = NULL;
    tn_session_opts so = TN_SESSION_OPTS_INIT;
    so.n_threads = 1;
    (void)snprintf(path, sizeof path, "%s/%s/model.onnx", TEST_EXAMPLES, name);
    assert_int_equal(tn_model_open(&model, path, NULL, &err), TN_OK);
    assert_int_equal(tn_session_new(&session, model, &so, &err), TN_OK);
    assert_int_equal(tn_run_new(&run, session, &err), TN_OK);
    assert_int_equal(tn_run_set_input(run, 0, c->inputs[0], &err), TN_OK);
    assert_int_equal(tn_run_exec(run, &err), TN_OK);
    const tn_tensor *want = tn_run_output(run, 0), *got = c->job.outputs[0];
    tn_diff diff;
    assert_int_equal(tn_tensor_compare(&diff, got, want, 0.0, 0.0, &err),
                     TN_OK);
    /* Other kernels may serve more rows. */
    assert_true(diff.max_abs < 1e-4);
    tn_run_free(run);
    tn_session_free(session);
    tn_model_close(model);
}

enum { MIX = 200 };

/* Batches of all mixes: every job gets its own rows. */
static void rows_come_back(void **state)
{
    (void)state;
    static call calls[MIX];
    bench b;
    bench_init(&b);
    tni_repository *r = open_example("digits-pytorch", 2, 8);
    tni_served *m = get(r);
    for (unsigned i = 0; i < MIX; i++)
        call_init(&calls[i], &b, m, 1 + (int64_t)(i * 7 % 4), i + 1);
    for (size_t i = 0; i < MIX; i++)
        assert_int_equal(tni_job_submit(&calls[i].job, &err), TN_OK);
    bench_wait(&b, MIX);
    for (size_t i = 0; i < MIX; i++) {
        assert_int_equal(calls[i].job.status, TN_OK);
        assert_int_equal(tn_tensor_dims(calls[i].job.outputs[0])[0],
                         tn_tensor_dims(calls[i].inputs[0])[0]);
        if (i % 10 == 0) check_alone(&calls[i], "digits-pytorch");
    }
    for (size_t i = 0; i < MIX; i++) {
        tni_job_release(&calls[i].job);
        call_fini(&calls[i]);
    }
    tni_served_release(m);
    tni_repository_close(r, 0);
    bench_fini(&b);
}

/* Cancelled at whatever point it has come to, a job ends once. */
static void jobs_are_cancelled(void **state)
{
    (void)state;
    static call calls[MIX];
    tni_model_counts counts;
    bench b;
    bench_init(&b);
    tni_repository *r = open_example("digits-pytorch", 2, 8);
    tni_served *m = get(r);
    for (unsigned i = 0; i < MIX; i++) {
        call_init(&calls[i], &b, m, 1, i + 1);
        assert_int_equal(tni_job_submit(&calls[i].job, &err), TN_OK);
        if (i % 3 == 0) tni_job_cancel(&calls[i - i % 7].job);
    }
    bench_wait(&b, MIX);
    for (size_t i = 0; i < MIX; i++) {
        const tn_status s = calls[i].job.status;
        assert_true(s == TN_OK || s == TN_ECANCELED);
        tni_job_cancel(&calls[i].job); /* too late: nothing happens */
        tni_job_release(&calls[i].job);
        call_fini(&calls[i]);
    }
    tni_served_counts(m, &counts);
    assert_int_equal(counts.success.count + counts.cancelled, MIX);
    assert_int_equal(counts.pending, 0);
    tni_served_release(m);
    tni_repository_close(r, 0);
    bench_fini(&b);
}

typedef struct releaser {
    call *calls;
    bench *b;
} releaser;

static void release_all(void *ctx)
{
    releaser *w = ctx;
    bench_wait(w->b, MIX);
    for (size_t i = 0; i < MIX; i++) {
        tni_job_release(&w->calls[i].job);
        call_fini(&w->calls[i]);
    }
}

/* Jobs that wait when the server ends are finished or cancelled, not lost. */
static void closing_ends_all(void **state)
{
    (void)state;
    static call calls[MIX];
    bench b;
    bench_init(&b);
    tni_repository *r = open_example("digits-keras", 1, 4);
    tni_served *m = get(r);
    for (unsigned i = 0; i < MIX; i++) call_init(&calls[i], &b, m, 1, i + 1);
    for (size_t i = 0; i < MIX; i++)
        assert_int_equal(tni_job_submit(&calls[i].job, &err), TN_OK);
    tni_served_release(m);
    releaser who = {calls, &b};
    tni_thread *t = NULL;
    assert_int_equal(
        tni_thread_start(&t, release_all, &who, "release", &b.mem, &err),
        TN_OK);
    tni_repository_close(r, 0);
    tni_thread_join(t);
    bench_fini(&b);
}

static void wrong_jobs_are_refused(void **state)
{
    (void)state;
    bench b;
    call c;
    bench_init(&b);
    tni_repository *r = open_example("digits-pytorch", 1, 8);
    tni_served *m = get(r);
    call_init(&c, &b, m, 9, 1);
    assert_int_equal(tni_job_submit(&c.job, &err), TN_EINVAL);
    assert_non_null(strstr(err.message, "9 rows, expected 1 to 8"));
    call_fini(&c);
    call_init(&c, &b, m, 1, 1);
    tn_tensor *x = c.inputs[0];
    c.inputs[0] = NULL;
    assert_int_equal(tni_job_submit(&c.job, &err), TN_EINVAL);
    assert_non_null(strstr(err.message, "is missing"));
    c.inputs[0] = x;
    c.job.deadline_ns = 1;
    assert_int_equal(tni_job_submit(&c.job, &err), TN_ETIMEOUT);
    tni_job_release(&c.job); /* of a refused one: nothing */
    call_fini(&c);
    const int64_t dims[1] = {3};
    call_init(&c, &b, m, 1, 1);
    tn_tensor_free(c.inputs[0]);
    assert_int_equal(tn_tensor_new(&c.inputs[0], TN_F32, 1, dims, NULL, &err),
                     TN_OK);
    assert_int_equal(tni_job_submit(&c.job, &err), TN_EINVAL);
    assert_non_null(strstr(err.message, "is [3], expected [-1,"));
    call_fini(&c);
    assert_null(
        tni_repository_get(r, tni_span_of("../model"), tni_span_of(""), &err));
    assert_int_equal(err.code, TN_ENOTFOUND);
    assert_null(
        tni_repository_get(r, tni_span_of("model"), tni_span_of("2"), &err));
    assert_int_equal(err.code, TN_ENOTFOUND);
    tni_served_release(m);
    tni_repository_close(r, 0);
    bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_job_runs),
        cmocka_unit_test(rows_come_back),
        cmocka_unit_test(jobs_are_cancelled),
        cmocka_unit_test(closing_ends_all),
        cmocka_unit_test(wrong_jobs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

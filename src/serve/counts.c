/* SPDX-License-Identifier: Apache-2.0 */
/* counts.c - statistics of a model */
#include "serve/scheduler.h"
#include "sys/clock.h"

#include <math.h>
#include <string.h>

const double tni_latency_bounds_us[TNI_LATENCY_BUCKETS] = {
    50,     100,    200,    300,     500,     750,      1000,     1500,
    2000,   3000,   5000,   7500,    10000,   15000,    25000,    50000,
    100000, 250000, 500000, 1000000, 2500000, 10000000, 60000000, (double)INFINITY};

static void add(tni_duration *d, uint64_t ns)
{
    d->count++;
    d->ns += ns;
}

static void add_bucket(uint64_t *buckets, uint64_t ns)
{
    const double us = (double)ns * 1e-3;
    int i = 0;
    while (i < TNI_LATENCY_BUCKETS - 1 && us > tni_latency_bounds_us[i]) i++;
    buckets[i]++;
}

void tni_counts_refused(tni_model_counts *c, tn_status status)
{
    add(&c->fail, 0);
    if (status == TN_EBUSY)
        c->rejected++;
    else if (status == TN_ETIMEOUT)
        c->timed_out++;
    else
        c->failed++;
}

void tni_counts_job(tni_model_counts *c, const tni_job *job, int64_t rows)
{
    const uint64_t total = job->end_ns - job->enqueue_ns;
    if (job->status != TN_OK) {
        add(&c->fail, total);
        if (job->status == TN_ECANCELED)
            c->cancelled++;
        else if (job->status == TN_ETIMEOUT)
            c->timed_out++;
        else
            c->failed++;
        return;
    }
    const uint64_t queue = job->start_ns - job->enqueue_ns;
    const uint64_t infer = job->infer_end_ns - job->input_end_ns;
    add(&c->success, total);
    add(&c->queue, queue);
    add(&c->compute_input, job->input_end_ns - job->start_ns);
    add(&c->compute_infer, infer);
    add(&c->compute_output, job->end_ns - job->infer_end_ns);
    add_bucket(c->total_buckets, total);
    add_bucket(c->queue_buckets, queue);
    add_bucket(c->infer_buckets, infer);
    c->inference_count += (uint64_t)rows;
}

/* The place of a batch size, sorted; NULL when all are taken. */
static tni_batch_count *batch_count(tni_model_counts *c, uint64_t size)
{
    size_t i = 0;
    while (i < c->n_batches && c->batches[i].batch_size < size) i++;
    if (i < c->n_batches && c->batches[i].batch_size == size)
        return &c->batches[i];
    if (c->n_batches == TNI_BATCH_ROWS) return NULL;
    memmove(&c->batches[i + 1], &c->batches[i],
            (c->n_batches - i) * sizeof c->batches[0]);
    memset(&c->batches[i], 0, sizeof c->batches[i]);
    c->batches[i].batch_size = size;
    c->n_batches++;
    return &c->batches[i];
}

void tni_counts_batch(tni_model_counts *c, int64_t rows, const tni_job *job)
{
    c->execution_count++;
    c->last_inference_ms = tni_clock_epoch_ms();
    tni_batch_count *b = batch_count(c, (uint64_t)rows);
    if (b == NULL) return;
    add(&b->input, job->input_end_ns - job->start_ns);
    add(&b->infer, job->infer_end_ns - job->input_end_ns);
    add(&b->output, job->end_ns - job->infer_end_ns);
}

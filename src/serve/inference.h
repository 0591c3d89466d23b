/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inference.h - an inference request, from its bytes to a job's tensors, and from
 * a job's outputs to the bytes of its answer
 *
 *     tni_infer_begin(&q, model, &arena, max_answer_bytes);
 *     tni_infer_read_rest(&q, body, size, header_length, &err);
 *     … a job with q.inputs, q.wanted, q.priority …
 *     tni_infer_write_rest(&q, job->outputs, &reply, &err);
 *     … send reply.pieces; when they are sent, release the job and …
 *     tni_infer_end(&q);
 *
 * Nothing here waits, logs or knows of connections. What it makes lives in the
 * arena, but for the tensors, which tni_infer_end frees. Binary inputs are
 * views into the request's body: it must outlive the job. Binary outputs are
 * views into the job's: it must outlive the sending.
 *
 * Threads: one at a time. Errors: TN_EINVAL, TN_EFORMAT (of the request),
 * TN_ELIMIT, TN_EUNSUPPORTED, TN_ENOMEM; the message names the tensor, what was
 * found and what was expected.
 */
#ifndef TN_SRC_SERVE_INFERENCE_H
#define TN_SRC_SERVE_INFERENCE_H

#include "base/alloc.h"
#include "serve/exchange.h"
#include "serve/models.h"

/* What is asked of an output. */
typedef struct tni_infer_output {
    bool binary;      /* REST: as bytes behind the JSON; gRPC: always */
    uint32_t classes; /* the N highest as "value:index[:label]"; 0: as it is */
} tni_infer_output;

typedef struct tni_infer {
    tni_arena *arena;
    tni_served *model; /* the caller's reference */
    uint64_t max_answer_bytes;

    /* What the request said; spans are unescaped and in the arena. */
    tni_span id; /* "" when it gave none; echoed */
    uint64_t timeout_us;
    uint32_t priority; /* 0: the model's default */
    /* A client that asks for it gets one more, empty, answer at the end of a
     * stream: parameter triton_enable_empty_final_response. */
    bool empty_final;

    bool binary_output; /* REST: what outputs are unless they say otherwise */

    bool *given;               /* model->n_inputs: named by the request */
    tn_tensor **inputs;        /* model->n_inputs; NULL: optional, left out */
    bool *wanted;              /* model->n_outputs */
    tni_infer_output *outputs; /* model->n_outputs */
    size_t *order; /* n_order outputs as the request named them, or the
                      model's order */
    size_t n_order;
} tni_infer;

/* The bytes of an answer. */
typedef struct tni_reply {
    tni_piece *pieces; /* release is NULL in all: the caller's to set */
    size_t n_pieces;
    /* REST: length of the JSON in front when `binary`, for the header
     * Inference-Header-Content-Length. */
    size_t json_bytes;
    bool binary;
} tni_reply;

/* Clears q. TN_ENOMEM. */
tn_status tni_infer_begin(tni_infer *q, tni_served *model, tni_arena *arena,
                          uint64_t max_answer_bytes, tn_err *err);
/* Frees the tensors; the arena is the caller's. */
void tni_infer_end(tni_infer *q);

/*
 * REST: `body` is JSON, or JSON of header_length bytes with binary tensors
 * behind it; header_length is the value of Inference-Header-Content-Length (p
 * NULL when the request has none), "0" for a raw request. `body` is 64-byte
 * aligned and may be written to. Reshapes of the batch are not done here:
 * tensors have the shapes that the request gives, checked against the ports by
 * tni_job_submit.
 */
tn_status tni_infer_read_rest(tni_infer *q, uint8_t *body, size_t size,
                              tni_span header_length, tn_err *err);
tn_status tni_infer_write_rest(tni_infer *q, const tn_tensor *const *outputs,
                               tni_reply *reply, tn_err *err);

/* gRPC: which model a ModelInferRequest is for, without reading the rest. The
 * spans are views into it. */
typedef struct tni_infer_target {
    tni_span name, version, id;
} tni_infer_target;
tn_status tni_infer_peek_grpc(tni_infer_target *out, const uint8_t *message,
                              size_t size, tn_err *err);
/* A ModelInferRequest into tensors; a ModelInferResponse out of them. */
tn_status tni_infer_read_grpc(tni_infer *q, uint8_t *message, size_t size,
                              tn_err *err);
tn_status tni_infer_write_grpc(tni_infer *q, const tn_tensor *const *outputs,
                               tni_reply *reply, tn_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* inference_read.h - what the readers and writers of requests share */
#ifndef TN_SRC_SERVE_INFERENCE_READ_H
#define TN_SRC_SERVE_INFERENCE_READ_H

#include "serve/inference.h"

/* What a request says of an input before its values. */
typedef struct tni_tensor_head {
    char label[84]; /* its name, for messages */
    tn_dtype dtype;
    int rank;
    int64_t dims[TN_MAX_RANK];
    int64_t elements; /* once tni_infer_shape has checked it */
} tni_tensor_head;

typedef enum tni_parameter_kind {
    TNI_PARAMETER_OTHER,
    TNI_PARAMETER_BOOL,
    TNI_PARAMETER_INT,
    TNI_PARAMETER_TEXT
} tni_parameter_kind;

typedef struct tni_parameter {
    tni_parameter_kind kind;
    int64_t number; /* of BOOL too */
    tni_span text;
} tni_parameter;

/* An input by name that was not given before. */
tn_status tni_infer_input(tni_infer *q, tni_span name, size_t *out,
                          tn_err *err);
/* Asks for an output; for all of them when none was asked for. */
tn_status tni_infer_want(tni_infer *q, tni_span name, tni_infer_output what,
                         tn_err *err);
void tni_infer_want_all(tni_infer *q, tni_infer_output what);
/* A parameter of the request; those that nobody knows are passed over. */
tn_status tni_infer_parameter(tni_infer *q, tni_span key,
                              const tni_parameter *p, tn_err *err);

tn_status tni_infer_shape(tni_tensor_head *h, tn_err *err);
tn_status tni_infer_datatype(tni_tensor_head *h, tni_span name, tn_err *err);
/* A tensor of raw bytes, little-endian: a view where they are aligned. */
tn_status tni_infer_take(tni_infer *q, const tni_tensor_head *h, uint8_t *bytes,
                         size_t size, tn_tensor **out, tn_err *err);

/* Moves a tensor's bytes down to where they are aligned: over bytes of the
 * request that have been read (from *free_from on), or over what was moved
 * before. Where they are then; *free_from is behind them. Call it for one
 * tensor after the other, in the order of their bytes. */
uint8_t *tni_infer_settle(uint8_t **free_from, uint8_t *bytes, size_t size);

/* The classes asked for of an output, as strings; the caller frees *out. */
tn_status tni_infer_classify(tni_infer *q, size_t output, const tn_tensor *t,
                             tn_tensor **out, tn_err *err);
/* Strings as lengths and bytes. */
tn_status tni_infer_strings_size(const tn_tensor *t, uint64_t *size,
                                 tn_err *err);
void tni_infer_put_strings(uint8_t *out, const tn_tensor *t);
/* The raw bytes of an output: the tensor's own, or in the arena. */
tn_status tni_infer_output_bytes(tni_infer *q, const tn_tensor *t,
                                 const void **bytes, uint64_t *size,
                                 tn_err *err);

#endif

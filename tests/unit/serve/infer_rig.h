/* SPDX-License-Identifier: Apache-2.0 */
/* infer_rig.h - a model made by hand, requests for it, and their answers */
#ifndef TN_TESTS_INFER_RIG_H
#define TN_TESTS_INFER_RIG_H

#include "serve/inference.h"

#include <stdlib.h>
#include <string.h>

enum { RIG_DTYPES = 14 };

static const tn_dtype rig_dtypes[RIG_DTYPES] = {
    TN_F32, TN_BOOL, TN_U8,  TN_U16, TN_U32, TN_U64,  TN_I8,
    TN_I16, TN_I32,  TN_I64, TN_F16, TN_F64, TN_BF16, TN_STRING};
static const char *const rig_names[RIG_DTYPES] = {
    "FP32",  "BOOL",  "UINT8", "UINT16", "UINT32", "UINT64", "INT8",
    "INT16", "INT32", "INT64", "FP16",   "FP64",   "BF16",   "BYTES"};

/* An optional input and an output of every datatype, each named after it. */
typedef struct rig {
    tni_port ports[RIG_DTYPES];
    tni_served model;
    tni_mem mem;
    tni_arena arena;
    tni_infer q;
    tn_err err;
    uint8_t *body;
} rig;

static const int64_t rig_dims[2] = {-1, -1};

static void rig_open(rig *r)
{
    memset(r, 0, sizeof *r);
    for (int i = 0; i < RIG_DTYPES; i++) {
        r->ports[i].name = rig_names[i];
        r->ports[i].dtype = rig_dtypes[i];
        r->ports[i].rank = 2;
        r->ports[i].dims = rig_dims;
        r->ports[i].optional = true;
    }
    r->model.name = "m";
    r->model.version = "3";
    r->model.platform = "onnxruntime_onnx";
    r->model.inputs = r->model.outputs = r->ports;
    r->model.n_inputs = r->model.n_outputs = RIG_DTYPES;
    tni_mem_init(&r->mem, NULL, 64u << 20);
    tni_arena_init(&r->arena, &r->mem, 4096);
}

static void rig_reset(rig *r)
{
    tni_infer_end(&r->q);
    tni_arena_reset(&r->arena);
    free(r->body);
    r->body = NULL;
}

static void rig_close(rig *r)
{
    rig_reset(r);
    tni_arena_fini(&r->arena);
}

/* A copy of the request, aligned and of its exact size. */
static tn_status rig_begin(rig *r, const void *bytes, size_t size)
{
    rig_reset(r);
    memset(&r->err, 0, sizeof r->err);
    r->body = aligned_alloc(64, (size + 64) / 64 * 64);
    if (size > 0) memcpy(r->body, bytes, size);
    return tni_infer_begin(&r->q, &r->model, &r->arena, 1u << 20, &r->err);
}

/* All pieces behind each other, terminated; the caller frees. */
static inline char *rig_join(const tni_reply *reply, size_t *size)
{
    size_t n = 0;
    for (size_t i = 0; i < reply->n_pieces; i++) n += reply->pieces[i].size;
    char *all = malloc(n + 1);
    *size = n;
    n = 0;
    for (size_t i = 0; i < reply->n_pieces; i++) {
        memcpy(all + n, reply->pieces[i].bytes, reply->pieces[i].size);
        n += reply->pieces[i].size;
    }
    all[n] = '\0';
    return all;
}

#endif

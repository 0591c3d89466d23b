/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.c - ModelProto: the parts around the graph
 *
 * The graph is decoded last, since operator sets and functions may stand
 * behind it in the file.
 */
#include "onnx/decode.h"

#include "base/checked.h"

#include <string.h>

/* Numbers of ModelProto's fields. */
enum {
    f_ir_version = 1,
    f_producer_name = 2,
    f_producer_version = 3,
    f_domain = 4,
    f_model_version = 5,
    f_doc_string = 6,
    f_graph = 7,
    f_opset_import = 8,
    f_metadata_props = 14,
    f_functions = 25
};

tn_status tni_decode_nomem(tni_decoder *d)
{
    return tni_fail(d->err, TN_ENOMEM,
                    "out of memory, or past tn_limits.max_total_bytes");
}

tn_status tni_decode_name(tni_decoder *d, tni_bytes b, const char **out)
{
    const uint64_t at = b.len != 0 ? (uint64_t)(b.ptr - d->model->bytes) : 0;
    if (b.len > d->model->limits.max_name_bytes)
        return tni_fail_at(d->err, TN_ELIMIT, at,
                           "a name has %zu bytes; the limit is %u", b.len,
                           d->model->limits.max_name_bytes);
    if (b.len != 0 && memchr(b.ptr, 0, b.len) != NULL)
        return tni_fail_at(d->err, TN_EFORMAT, at,
                           "a name has a zero byte inside");
    *out = tni_arena_strndup(d->arena, (const char *)b.ptr, b.len);
    return *out != NULL ? TN_OK : tni_decode_nomem(d);
}

/* Text that only people read: cut at a zero byte, of any length. */
static tn_status decode_text(tni_decoder *d, const tni_wire *w,
                             const tni_field *f, const char **out)
{
    tni_bytes b;
    TN_TRY(tni_wire_bytes(w, f, &b));
    *out = tni_arena_strndup(d->arena, (const char *)b.ptr, b.len);
    return *out != NULL ? TN_OK : tni_decode_nomem(d);
}

/* --- operator sets, metadata -------------------------------------------- */

static tn_status count_fields(const tni_wire *start, uint32_t number, int *n)
{
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    *n = 0;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number != number) continue;
        if (*n == INT32_MAX)
            return tni_fail(w.err, TN_ELIMIT, "too many entries in %s", w.what);
        (*n)++;
    }
}

static tn_status decode_opset(tni_decoder *d, const tni_wire *w,
                              const tni_field *f, tni_opset_import *out)
{
    tni_wire sub;
    tni_field g;
    bool more = false;
    out->domain = "";
    out->version = 0;
    TN_TRY(tni_wire_enter(w, f, "OperatorSetIdProto", &sub));
    for (;;) {
        TN_TRY(tni_wire_next(&sub, &g, &more));
        if (!more) break;
        if (g.number == 1) {
            tni_bytes b;
            TN_TRY(tni_wire_bytes(&sub, &g, &b));
            TN_TRY(tni_decode_name(d, b, &out->domain));
        }
        if (g.number == 2) TN_TRY(tni_wire_i64(&sub, &g, &out->version));
    }
    /* A version below 1, which some converters write beside the right one,
     * counts as no import. */
    if (strcmp(out->domain, "ai.onnx") == 0) out->domain = "";
    return TN_OK;
}

tn_status tni_decode_opsets(tni_decoder *d, const tni_wire *start,
                            uint32_t number, tni_opset_import **out, int *n)
{
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    TN_TRY(count_fields(start, number, n));
    *out = TNI_NEW_ARRAY(d->arena, tni_opset_import, *n);
    if (*out == NULL) return tni_decode_nomem(d);
    int at = 0;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number == number) TN_TRY(decode_opset(d, &w, &f, &(*out)[at++]));
    }
}

static tn_status decode_prop(tni_decoder *d, const tni_wire *w,
                             const tni_field *f, tni_model_prop *out)
{
    tni_wire sub;
    tni_field g;
    bool more = false;
    out->key = out->value = "";
    TN_TRY(tni_wire_enter(w, f, "StringStringEntryProto", &sub));
    for (;;) {
        TN_TRY(tni_wire_next(&sub, &g, &more));
        if (!more) return TN_OK;
        if (g.number == 1) TN_TRY(decode_text(d, &sub, &g, &out->key));
        if (g.number == 2) TN_TRY(decode_text(d, &sub, &g, &out->value));
    }
}

/* --- functions ----------------------------------------------------------- */

static tn_status decode_function(tni_decoder *d, const tni_wire *w,
                                 const tni_field *f)
{
    tni_function *fn = TNI_NEW(d->arena, tni_function);
    if (fn == NULL) return tni_decode_nomem(d);
    fn->domain = fn->name = fn->overload = "";
    TN_TRY(tni_wire_enter(w, f, "FunctionProto", &fn->body));
    tni_wire sub = fn->body;
    tni_field g;
    bool more = false;
    for (;;) {
        TN_TRY(tni_wire_next(&sub, &g, &more));
        if (!more) break;
        if (g.number != 1 && g.number != 10 && g.number != 13) continue;
        tni_bytes b;
        const char *text = NULL;
        TN_TRY(tni_wire_bytes(&sub, &g, &b));
        TN_TRY(tni_decode_name(d, b, &text));
        if (g.number == 1) fn->name = text;
        if (g.number == 10) fn->domain = text;
        if (g.number == 13) fn->overload = text;
    }
    if (strcmp(fn->domain, "ai.onnx") == 0) fn->domain = "";
    TN_TRY(tni_decode_opsets(d, &fn->body, 9, &fn->opsets, &fn->n_opsets));
    /* A zero byte cannot be part of a name, so it can part them. */
    const size_t nd = strlen(fn->domain), nn = strlen(fn->name),
                 no = strlen(fn->overload);
    char *key = tni_arena_alloc(&d->tmp, nd + nn + no + 2, 1);
    if (key == NULL) return tni_decode_nomem(d);
    memcpy(key, fn->domain, nd + 1);
    memcpy(key + nd + 1, fn->name, nn + 1);
    memcpy(key + nd + nn + 2, fn->overload, no);
    bool fresh = false;
    void **slot = tni_strmap_add(&d->functions, key, nd + nn + no + 2, &fresh);
    if (slot == NULL) return tni_decode_nomem(d);
    if (!fresh)
        return tni_fail_at(d->err, TN_EFORMAT, tni_wire_offset(w, f->at),
                           "function '%.80s' of domain '%.80s' is defined "
                           "twice",
                           fn->name, fn->domain);
    *slot = fn;
    return TN_OK;
}

/* --- external data ------------------------------------------------------- */

static tn_status open_external(tni_decoder *d, tni_bytes location,
                               const tni_file_map **out)
{
    tn_model *m = d->model;
    const char *name = NULL;
    TN_TRY(tni_decode_name(d, location, &name));
    bool fresh = false;
    void **slot = tni_strmap_add(&d->locations, name, strlen(name), &fresh);
    if (slot == NULL) return tni_decode_nomem(d);
    if (!fresh && *slot != NULL) {
        *out = &m->external[(uintptr_t)*slot - 1];
        return TN_OK;
    }
    if (m->n_external == d->cap_external) {
        const int cap = d->cap_external == 0 ? 4 : d->cap_external * 2;
        tni_file_map *grown = TNI_NEW_ARRAY(d->arena, tni_file_map, cap);
        if (grown == NULL) return tni_decode_nomem(d);
        if (m->n_external > 0)
            memcpy(grown, m->external, (size_t)m->n_external * sizeof *grown);
        m->external = grown;
        d->cap_external = cap;
    }
    tni_file_map *map = &m->external[m->n_external];
    const uint64_t most = m->limits.max_file_bytes;
    if (d->path != NULL)
        TN_TRY(tni_file_map_open_beside(map, d->path, name, most, d->err));
    else if (d->base_dir != NULL)
        TN_TRY(tni_file_map_open_in(map, d->base_dir, name, most, d->err));
    else
        return tni_fail(d->err, TN_EINVAL,
                        "external data in '%.100s' is refused; set "
                        "tn_model_opts.base_dir to the folder that has it",
                        name);
    m->n_external++;
    if (m->detached) TN_TRY(tni_file_map_detach(map, d->err));
    *slot = (void *)(uintptr_t)m->n_external;
    m->file_bytes += map->size;
    *out = map;
    return TN_OK;
}

static tn_status find_external(void *host, const tni_external *e, size_t need,
                               tni_bytes *out, tn_err *err)
{
    tni_decoder *d = host;
    const tni_file_map *map = NULL;
    const int shown = (int)(e->location.len < 100 ? e->location.len : 100);
    const char *text =
        e->location.ptr != NULL ? (const char *)e->location.ptr : "";
    const tn_status status = open_external(d, e->location, &map);
    if (status == TN_ENOTFOUND)
        return tni_fail(err, status,
                        "external data file '%.*s' is missing; copy it beside "
                        "the model, where its export wrote it",
                        shown, text);
    TN_TRY(status);
    if (e->has_length && e->length != need)
        return tni_fail(err, TN_EFORMAT,
                        "external data '%.*s' gives %llu bytes; the tensor "
                        "needs %zu",
                        shown, text, (unsigned long long)e->length, need);
    if (e->offset > map->size || map->size - (size_t)e->offset < need)
        return tni_fail(err, TN_EFORMAT,
                        "external data '%.*s' has %zu bytes; the tensor needs "
                        "%zu from offset %llu on: the file is cut short or "
                        "belongs to another model",
                        shown, text, map->size, need,
                        (unsigned long long)e->offset);
    static const uint8_t nothing[1];
    out->ptr = map->bytes != NULL ? map->bytes + e->offset : nothing;
    out->len = need;
    return TN_OK;
}

/* --- the model ----------------------------------------------------------- */

static tn_status decode_header(tni_decoder *d, const tni_wire *start,
                               tni_wire *graph)
{
    tn_model *m = d->model;
    tni_wire w = *start;
    tni_field f;
    bool more = false, has_graph = false;
    int n_props = 0;
    TN_TRY(count_fields(start, f_metadata_props, &n_props));
    m->metadata = TNI_NEW_ARRAY(d->arena, tni_model_prop, n_props);
    if (m->metadata == NULL) return tni_decode_nomem(d);
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) break;
        switch (f.number) {
        case f_ir_version: TN_TRY(tni_wire_i64(&w, &f, &m->ir_version)); break;
        case f_producer_name:
            TN_TRY(decode_text(d, &w, &f, &m->producer_name));
            break;
        case f_producer_version:
            TN_TRY(decode_text(d, &w, &f, &m->producer_version));
            break;
        case f_domain: TN_TRY(decode_text(d, &w, &f, &m->domain)); break;
        case f_model_version:
            TN_TRY(tni_wire_i64(&w, &f, &m->model_version));
            break;
        case f_doc_string: TN_TRY(decode_text(d, &w, &f, &m->doc)); break;
        case f_graph:
            if (has_graph)
                return tni_fail_at(d->err, TN_EFORMAT,
                                   tni_wire_offset(&w, f.at),
                                   "the file has two graphs; expected one");
            TN_TRY(tni_wire_enter(&w, &f, "GraphProto", graph));
            has_graph = true;
            break;
        case f_metadata_props:
            TN_TRY(decode_prop(d, &w, &f, &m->metadata[m->n_metadata]));
            m->n_metadata++;
            break;
        default: break;
        }
    }
    if (!has_graph)
        return tni_fail(d->err, TN_EFORMAT,
                        "the file has no graph; it is not an ONNX model, or "
                        "was cut short");
    if (m->ir_version < 1)
        return tni_fail(d->err, TN_EFORMAT,
                        "ir_version is %lld; expected 1 or more: this is not "
                        "an ONNX model",
                        (long long)m->ir_version);
    return TN_OK;
}

static tn_status decode_functions(tni_decoder *d, const tni_wire *start)
{
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number == f_functions) TN_TRY(decode_function(d, &w, &f));
    }
}

/* Files that are often taken for models, by their first bytes. */
static tn_status check_kind(tni_decoder *d, const uint8_t *p, size_t n)
{
    if (n == 0)
        return tni_fail(d->err, TN_EFORMAT,
                        "the file is empty; expected an ONNX model");
    if (n >= 8 && memcmp(p + 4, "ORTM", 4) == 0)
        return tni_fail(d->err, TN_EUNSUPPORTED,
                        "this is an ORT-format file; use the .onnx file it was "
                        "made from");
    if (n >= 4 && memcmp(p, "PK\003\004", 4) == 0)
        return tni_fail(d->err, TN_EFORMAT,
                        "this is a zip archive (a PyTorch checkpoint, maybe); "
                        "export the model to ONNX");
    if (n >= 8 && memcmp(p, "\211HDF\r\n\032\n", 8) == 0)
        return tni_fail(d->err, TN_EFORMAT,
                        "this is an HDF5 file (a Keras model, maybe); export "
                        "the model to ONNX");
    if (n >= 23 && memcmp(p, "version https://git-lfs", 23) == 0)
        return tni_fail(d->err, TN_EFORMAT,
                        "this is a Git LFS pointer, not the model; run 'git "
                        "lfs pull'");
    return TN_OK;
}

static tn_status decode_all(tni_decoder *d, const void *bytes, size_t size)
{
    tn_model *m = d->model;
    tni_wire w, graph = {0};
    int n_ops = 0;
    TN_TRY(check_kind(d, bytes, size));
    tni_wire_init(&w, bytes, size, "ModelProto", tni_wire_depth(&m->limits),
                  d->err);
    TN_TRY(decode_header(d, &w, &graph));
    TN_TRY(tni_decode_opsets(d, &w, f_opset_import, &m->opsets, &m->n_opsets));
    const tni_op *const *ops = tni_ops(&n_ops);
    for (int i = 0; i < n_ops; i++) {
        bool fresh = false;
        void **slot =
            tni_strmap_add(&d->ops, ops[i]->name, strlen(ops[i]->name), &fresh);
        if (slot == NULL) return tni_decode_nomem(d);
        if (fresh) *slot = tni_unconst(ops[i]);
    }
    TN_TRY(decode_functions(d, &w));
    TN_TRY(tni_decode_graph(d, &graph, NULL, &m->graph));
    m->graph_name = m->graph->name;
    return tni_graph_finish(m->graph, d->err);
}

tn_status tni_decode_model(tni_decoder *d, const void *bytes, size_t size)
{
    tn_model *m = d->model;
    m->bytes = bytes;
    m->producer_name = m->producer_version = m->domain = m->doc = "";
    m->graph_name = "";
    d->arena = &m->arena;
    tni_arena_init(&d->tmp, &m->mem, 1 << 16);
    tni_strmap_init(&d->symbols, &d->tmp);
    tni_strmap_init(&d->ops, &d->tmp);
    tni_strmap_init(&d->functions, &d->tmp);
    tni_strmap_init(&d->locations, &d->tmp);
    d->src.arena = d->arena;
    d->src.limits = &m->limits;
    d->src.zero_copy = true;
    d->src.external = find_external;
    d->src.host = d;
    d->src.err = d->err;
    const tn_status status = decode_all(d, bytes, size);
    tni_arena_fini(&d->tmp);
    return status;
}

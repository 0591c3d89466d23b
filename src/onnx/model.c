/* SPDX-License-Identifier: Apache-2.0 */
/* model.c - the public tn_model: open, look at, close */
#include "onnx/model.h"

#include "base/limits.h"
#include "onnx/decode.h"

#include <stdio.h>
#include <string.h>

/* --- facts for inspection ------------------------------------------------ */

static tn_status nomem(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or past tn_limits.max_total_bytes");
}

/* A text that grows by pieces and is cut to its room. */
typedef struct text {
    char buf[1024];
    size_t used;
} text;

static void put(text *t, const char *piece)
{
    for (; *piece != '\0' && t->used + 1 < sizeof t->buf; piece++)
        t->buf[t->used++] = *piece;
    t->buf[t->used] = '\0';
}

static void put_type(const tn_model *m, text *t, const tni_type *type,
                     int depth)
{
    static const char *const open[] = {"", "", "seq(", "optional(", "map("};
    if (type == NULL || type->kind == TN_KIND_NONE || depth <= 0) {
        put(t, "?");
        return;
    }
    if (type->kind != TN_KIND_TENSOR) {
        put(t, open[type->kind]);
        if (type->kind == TN_KIND_MAP) {
            put(t, tn_dtype_name(type->dtype));
            put(t, ",");
        }
        put_type(m, t, type->elem, depth - 1);
        put(t, ")");
        return;
    }
    put(t, type->dtype != TN_UNDEFINED ? tn_dtype_name(type->dtype) : "?");
    if (type->rank < 0) return;
    put(t, "[");
    for (int i = 0; i < type->rank; i++) {
        char number[32];
        const int64_t dim = type->dims[i];
        if (i > 0) put(t, ",");
        if (TNI_DIM_IS_SYMBOL(dim)) {
            put(t, m->symbols[TNI_DIM_SYMBOL_ID(dim)]);
        } else if (dim < 0) {
            put(t, "?");
        } else {
            (void)snprintf(number, sizeof number, "%lld", (long long)dim);
            put(t, number);
        }
    }
    put(t, "]");
}

static tn_status describe(tn_model *m, tn_value_info *info, const char *name,
                          const tni_type *type, tn_err *err)
{
    memset(info, 0, sizeof *info);
    info->name = name;
    info->kind = type->kind;
    const tni_type *inner = type;
    int depth = 0;
    while (inner->kind != TN_KIND_TENSOR && inner->elem != NULL &&
           depth++ < TN_MAX_RANK)
        inner = inner->elem;
    info->dtype = inner->dtype;
    info->rank = type->kind == TN_KIND_TENSOR ? type->rank : -1;
    for (int i = 0; i < info->rank; i++) {
        const int64_t dim = type->dims[i];
        info->dims[i] = dim >= 0 ? dim : -1;
        if (TNI_DIM_IS_SYMBOL(dim))
            info->dim_names[i] = m->symbols[TNI_DIM_SYMBOL_ID(dim)];
    }
    text t;
    t.used = 0;
    t.buf[0] = '\0';
    put_type(m, &t, type, (int)m->limits.max_nesting);
    info->type_text = tni_arena_strndup(&m->arena, t.buf, t.used);
    return info->type_text != NULL ? TN_OK : nomem(err);
}

/* What an output is shown as: inference first, then what the file says. */
static void shown_output(tni_type *out, const tni_type *found,
                         const tni_type *told)
{
    *out = *found;
    if (found->kind == TN_KIND_NONE) {
        *out = *told;
        return;
    }
    if (told->kind != found->kind) return;
    if (out->elem == NULL) out->elem = told->elem;
    if (out->dtype == TN_UNDEFINED) out->dtype = told->dtype;
    if (out->rank < 0) {
        out->rank = told->rank;
        for (int i = 0; i < told->rank; i++) out->dims[i] = told->dims[i];
    }
    if (out->rank != told->rank) return;
    for (int i = 0; i < out->rank; i++)
        if (out->dims[i] == TNI_DIM_UNKNOWN) out->dims[i] = told->dims[i];
}

static tn_status describe_ends(tn_model *m, tn_err *err)
{
    const tni_graph *g = m->graph;
    m->inputs = TNI_NEW_ARRAY(&m->arena, tni_value *, g->n_inputs);
    m->input_infos = TNI_NEW_ARRAY(&m->arena, tn_value_info, g->n_inputs);
    m->output_infos = TNI_NEW_ARRAY(&m->arena, tn_value_info, g->n_outputs);
    if (m->inputs == NULL || m->input_infos == NULL || m->output_infos == NULL)
        return nomem(err);
    for (int i = 0; i < g->n_inputs; i++) {
        tni_value *v = g->inputs[i];
        if (v->constant != NULL) continue;
        TN_TRY(
            describe(m, &m->input_infos[m->n_inputs], v->name, &v->type, err));
        m->inputs[m->n_inputs++] = v;
    }
    for (int i = 0; i < g->n_outputs; i++) {
        tni_type type;
        shown_output(&type, &g->outputs[i]->type, &m->declared_outputs[i]);
        TN_TRY(
            describe(m, &m->output_infos[i], g->outputs[i]->name, &type, err));
    }
    return TN_OK;
}

/* --- operators and weights ---------------------------------------------- */

typedef struct survey {
    tn_model *model;
    tni_strmap rows; /* "domain.name" -> tni_model_op_row */
    tni_arena tmp;
    tn_err *err;
} survey;

static tn_status count_op(survey *s, const tni_node *node)
{
    const size_t nd = strlen(node->domain), nn = strlen(node->op_type);
    char *key = tni_arena_alloc(&s->tmp, nd + nn + 2, 1);
    if (key == NULL) return nomem(s->err);
    memcpy(key, node->op_type, nn + 1);
    memcpy(key + nn + 1, node->domain, nd + 1);
    bool fresh = false;
    void **slot = tni_strmap_add(&s->rows, key, nn + nd + 2, &fresh);
    if (slot == NULL) return nomem(s->err);
    if (fresh) {
        tni_model_op_row *row = TNI_NEW(&s->tmp, tni_model_op_row);
        if (row == NULL) return nomem(s->err);
        row->domain = node->domain[0] != '\0' ? node->domain : "ai.onnx";
        row->name = node->op_type;
        row->supported = true;
        *slot = row;
    }
    tni_model_op_row *row = *slot;
    row->n_uses++;
    if (node->ver == NULL) row->supported = false;
    return TN_OK;
}

static tn_status survey_graph(survey *s, const tni_graph *g)
{
    tn_model *m = s->model;
    for (int i = 0; i < g->n_values; i++) {
        const tni_tensor *t = g->values[i]->constant;
        if (t != NULL && t->kind == TN_KIND_TENSOR)
            m->weights_bytes[t->dtype] += tn_tensor_size(t);
    }
    for (int i = 0; i < g->n_nodes; i++) {
        const tni_node *node = g->nodes[i];
        m->n_nodes++;
        TN_TRY(count_op(s, node));
        for (int k = 0; k < node->n_attrs; k++) {
            const tni_attr *a = &node->attrs[k];
            /* As deep as decoding allowed. */
            if (a->kind == TNI_ATTR_GRAPH) TN_TRY(survey_graph(s, a->v.graph));
            if (a->kind == TNI_ATTR_GRAPHS)
                for (size_t j = 0; j < a->n; j++)
                    TN_TRY(survey_graph(s, a->v.graphs[j]));
        }
    }
    return TN_OK;
}

static bool row_before(const tni_model_op_row *a, const tni_model_op_row *b)
{
    const int c = strcmp(a->name, b->name);
    return c != 0 ? c < 0 : strcmp(a->domain, b->domain) < 0;
}

static tn_status collect_ops(survey *s)
{
    tn_model *m = s->model;
    m->ops = TNI_NEW_ARRAY(&m->arena, tni_model_op_row, s->rows.n);
    if (m->ops == NULL) return nomem(s->err);
    for (size_t i = 0; i < s->rows.cap; i++)
        if (s->rows.slots[i].key != NULL)
            m->ops[m->n_ops++] =
                *(const tni_model_op_row *)s->rows.slots[i].value;
    /* Shell sort: no memory, no recursion, fast enough for any file. */
    size_t gap = 1;
    while (gap < m->n_ops / 3) gap = gap * 3 + 1;
    for (; gap > 0; gap /= 3) {
        for (size_t i = gap; i < m->n_ops; i++) {
            const tni_model_op_row row = m->ops[i];
            size_t at = i;
            for (; at >= gap && row_before(&row, &m->ops[at - gap]); at -= gap)
                m->ops[at] = m->ops[at - gap];
            m->ops[at] = row;
        }
    }
    return TN_OK;
}

static tn_status describe_all(tn_model *m, tn_err *err)
{
    survey s;
    memset(&s, 0, sizeof s);
    s.model = m;
    s.err = err;
    tni_arena_init(&s.tmp, &m->mem, 1 << 12);
    tni_strmap_init(&s.rows, &s.tmp);
    tn_status status = survey_graph(&s, m->graph);
    if (status == TN_OK) status = collect_ops(&s);
    tni_arena_fini(&s.tmp);
    TN_TRY(status);
    return describe_ends(m, err);
}

/* --- opening ------------------------------------------------------------- */

typedef struct source {
    const char *path; /* or NULL: */
    const void *bytes;
    size_t size;
    bool lenient;
} source;

static tn_status new_model(tn_model **out, const tn_model_opts *opts,
                           tn_err *err)
{
    const tn_allocator *a =
        opts->allocator != NULL ? opts->allocator : &tni_libc_allocator;
    tn_model *m = a->alloc(a->ctx, sizeof *m, _Alignof(tn_model));
    if (m == NULL) return nomem(err);
    memset(m, 0, sizeof *m);
    tni_limits_fill(&m->limits, opts->limits);
    if (opts->logger != NULL) m->logger = *opts->logger;
    m->detached = (opts->flags & TN_MODEL_DETACHED) != 0;
    const uint64_t most = m->limits.max_total_bytes;
    tni_mem_init(&m->mem, a, most < SIZE_MAX ? (size_t)most : SIZE_MAX);
    tni_arena_init(&m->arena, &m->mem, 1 << 14);
    *out = m;
    return TN_OK;
}

static tn_status load(tn_model *m, const source *src, const char *base_dir,
                      tn_err *err)
{
    const void *bytes = src->bytes;
    size_t size = src->size;
    if (src->path != NULL) {
        TN_TRY(tni_file_map_open(&m->file, src->path, m->limits.max_file_bytes,
                                 err));
        if (m->detached) TN_TRY(tni_file_map_detach(&m->file, err));
        bytes = m->file.bytes;
        size = m->file.size;
    } else if (size > m->limits.max_file_bytes) {
        return tni_fail(err, TN_ELIMIT,
                        "the model has %zu bytes, more than the limit of %llu",
                        size, (unsigned long long)m->limits.max_file_bytes);
    }
    m->file_bytes = size;
    tni_decoder d;
    memset(&d, 0, sizeof d);
    d.model = m;
    d.err = err;
    d.path = src->path;
    d.base_dir = base_dir;
    d.lenient = src->lenient;
    TN_TRY(tni_decode_model(&d, bytes, size));
    TN_TRY(tni_model_infer(m, src->lenient, err));
    return describe_all(m, err);
}

static tn_status open_source(tn_model **out, const source *src,
                             const tn_model_opts *user, tn_err *err)
{
    static const tn_model_opts defaults = TN_MODEL_OPTS_INIT;
    tn_model_opts opts = defaults;
    tn_err scratch; /* the places below add to it even when nobody asks */
    if (err == NULL) err = &scratch;
    tni_err_clear(err);
    *out = NULL;
    if (user != NULL)
        memcpy(&opts, user,
               user->struct_size < sizeof opts ? user->struct_size
                                               : sizeof opts);
    tn_model *m = NULL;
    TN_TRY(new_model(&m, &opts, err));
    const tn_status status = load(m, src, opts.base_dir, err);
    if (status != TN_OK) {
        if (src->path != NULL &&
            strncmp(err->where, src->path, strlen(src->path)) != 0)
            tni_err_where(err, "%s", src->path);
        tn_model_close(m);
        return status;
    }
    /* Tensors that were not aligned in the file have been copied. */
    tni_file_map_drop(&m->file);
    *out = m;
    return TN_OK;
}

tn_status tn_model_open(tn_model **out, const char *path,
                        const tn_model_opts *opts, tn_err *err)
{
    const source src = {path, NULL, 0, false};
    return open_source(out, &src, opts, err);
}

tn_status tn_model_open_lenient(tn_model **out, const char *path,
                                const tn_model_opts *opts, tn_err *err)
{
    const source src = {path, NULL, 0, true};
    return open_source(out, &src, opts, err);
}

tn_status tn_model_open_memory(tn_model **out, const void *bytes, size_t size,
                               const tn_model_opts *opts, tn_err *err)
{
    const source src = {NULL, bytes, size, false};
    return open_source(out, &src, opts, err);
}

void tn_model_close(tn_model *model)
{
    if (model == NULL) return;
    for (int i = 0; i < model->n_external; i++)
        tni_file_map_close(&model->external[i]);
    tni_file_map_close(&model->file);
    tni_arena_fini(&model->arena);
    const tn_allocator a = model->mem.allocator;
    a.free(a.ctx, model, sizeof *model, _Alignof(tn_model));
}

/* --- looking ------------------------------------------------------------- */

size_t tn_model_n_inputs(const tn_model *model)
{
    return (size_t)model->n_inputs;
}

size_t tn_model_n_outputs(const tn_model *model)
{
    return (size_t)model->graph->n_outputs;
}

tn_status tn_model_input(const tn_model *model, size_t i, tn_value_info *info)
{
    if (i >= (size_t)model->n_inputs) return TN_EINVAL;
    *info = model->input_infos[i];
    return TN_OK;
}

tn_status tn_model_output(const tn_model *model, size_t i, tn_value_info *info)
{
    if (i >= (size_t)model->graph->n_outputs) return TN_EINVAL;
    *info = model->output_infos[i];
    return TN_OK;
}

static long find_info(const tn_value_info *infos, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(infos[i].name, name) == 0) return (long)i;
    return -1;
}

long tn_model_find_input(const tn_model *model, const char *name)
{
    return find_info(model->input_infos, (size_t)model->n_inputs, name);
}

long tn_model_find_output(const tn_model *model, const char *name)
{
    return find_info(model->output_infos, (size_t)model->graph->n_outputs,
                     name);
}

tn_status tn_model_get_info(const tn_model *model, tn_model_info *info)
{
    tn_model_info full = TN_MODEL_INFO_INIT;
    full.producer_name = model->producer_name;
    full.producer_version = model->producer_version;
    full.domain = model->domain;
    full.graph_name = model->graph_name;
    full.doc = model->doc;
    full.ir_version = model->ir_version;
    full.model_version = model->model_version;
    full.file_bytes = model->file_bytes;
    for (int i = 0; i < TN_DTYPE_COUNT; i++)
        full.weights_bytes += model->weights_bytes[i];
    full.n_nodes = model->n_nodes;
    full.n_opsets = (size_t)model->n_opsets;
    full.n_metadata = (size_t)model->n_metadata;
    full.n_ops = model->n_ops;
    for (size_t i = 0; i < model->n_ops; i++)
        if (!model->ops[i].supported) full.n_unsupported++;
    const size_t size = info->struct_size;
    if (size < sizeof size) return TN_EINVAL;
    full.struct_size = size;
    memcpy(info, &full, size < sizeof full ? size : sizeof full);
    return TN_OK;
}

tn_status tn_model_opset(const tn_model *model, size_t i, const char **domain,
                         int64_t *version)
{
    if (i >= (size_t)model->n_opsets) return TN_EINVAL;
    const tni_opset_import *o = &model->opsets[i];
    *domain = o->domain[0] != '\0' ? o->domain : "ai.onnx";
    *version = o->version;
    return TN_OK;
}

tn_status tn_model_metadata(const tn_model *model, size_t i, const char **key,
                            const char **value)
{
    if (i >= (size_t)model->n_metadata) return TN_EINVAL;
    *key = model->metadata[i].key;
    *value = model->metadata[i].value;
    return TN_OK;
}

tn_status tn_model_op(const tn_model *model, size_t i, const char **domain,
                      const char **name, size_t *n_uses, int *supported)
{
    if (i >= model->n_ops) return TN_EINVAL;
    const tni_model_op_row *row = &model->ops[i];
    *domain = row->domain;
    *name = row->name;
    *n_uses = row->n_uses;
    *supported = row->supported ? 1 : 0;
    return TN_OK;
}

uint64_t tn_model_weights_bytes(const tn_model *model, tn_dtype dtype)
{
    const unsigned i = (unsigned)dtype;
    return i < TN_DTYPE_COUNT ? model->weights_bytes[i] : 0;
}

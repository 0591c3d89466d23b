/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode_graph.c - GraphProto, NodeProto and calls of model functions
 *
 * A graph is read in several walks over its fields, since each kind may stand
 * anywhere: inputs, initializers, what the nodes produce, declared types, the
 * nodes, outputs. By the time a node's inputs are looked up, every name of the
 * graph is known, so nodes may come in any order.
 *
 * A call of a model function is replaced by the function's nodes, decoded
 * anew for every call: formal inputs and outputs are bound to the caller's
 * values, everything else gets a name that begins with the call's.
 */
#include "onnx/decode.h"

#include "base/checked.h"

#include <stdio.h>
#include <string.h>

/* Numbers of GraphProto's fields. */
enum {
    g_node = 1,
    g_name = 2,
    g_initializer = 5,
    g_input = 11,
    g_output = 12,
    g_value_info = 13,
    g_sparse_initializer = 15
};

/* Numbers of NodeProto's fields. */
enum {
    n_input = 1,
    n_output = 2,
    n_name = 3,
    n_op_type = 4,
    n_attribute = 5,
    n_domain = 7,
    n_overload = 8
};

/* Numbers of FunctionProto's fields. */
enum { fn_input = 4, fn_output = 5, fn_node = 7, fn_value_info = 12 };

/* --- names --------------------------------------------------------------- */

tni_value *tni_scope_find(const tni_scope *s, tni_bytes name, bool *bound)
{
    *bound = false;
    for (; s != NULL; s = s->outer) {
        void *const *slot =
            tni_strmap_find(&s->names, (const char *)name.ptr, name.len);
        if (slot != NULL) {
            *bound = true;
            return *slot;
        }
    }
    return NULL;
}

/* The slot of a name of this scope; *fresh tells whether it is new. */
static tn_status bind(tni_scope *s, tni_bytes name, void ***slot, bool *fresh)
{
    *slot = tni_strmap_add(&s->names, (const char *)name.ptr, name.len, fresh);
    return *slot != NULL ? TN_OK : tni_decode_nomem(s->d);
}

static tn_status new_value(tni_scope *s, tni_bytes name, tni_value **out)
{
    tni_decoder *d = s->d;
    const char *text = NULL;
    TN_TRY(tni_decode_name(d, name, &text));
    if (s->prefix != NULL) {
        const size_t np = strlen(s->prefix), nt = strlen(text);
        char *full = tni_arena_alloc(d->arena, np + nt + 2, 1);
        if (full == NULL) return tni_decode_nomem(d);
        memcpy(full, s->prefix, np);
        full[np] = '/';
        memcpy(full + np + 1, text, nt + 1);
        text = full;
    }
    *out = tni_graph_add_value(s->graph, text);
    return *out != NULL ? TN_OK : tni_decode_nomem(d);
}

tn_status tni_scope_define(tni_scope *s, tni_bytes name, tni_value **out)
{
    void **slot = NULL;
    bool fresh = false;
    TN_TRY(bind(s, name, &slot, &fresh));
    if (!fresh)
        return tni_fail_at(
            s->d->err, TN_EFORMAT, (uint64_t)(name.ptr - s->d->model->bytes),
            "the name '%.*s' is given twice; each value needs a "
            "name of its own",
            (int)(name.len < 120 ? name.len : 120), (const char *)name.ptr);
    TN_TRY(new_value(s, name, out));
    *slot = *out;
    return TN_OK;
}

/* --- one node ------------------------------------------------------------ */

typedef struct node_head {
    tni_bytes name_bytes;
    const char *name, *op_type, *domain, *overload;
    int n_in, n_out, n_attrs;
    int opset;
} node_head;

/* The imported version of a domain, 0 when there is none. */
static int imported(const tni_opset_import *opsets, int n, const char *domain)
{
    for (int i = 0; i < n; i++)
        if (opsets[i].version > 0 && strcmp(opsets[i].domain, domain) == 0)
            return opsets[i].version > INT32_MAX ? INT32_MAX
                                                 : (int)opsets[i].version;
    return 0;
}

static tn_status read_head(tni_scope *s, const tni_wire *start, node_head *h)
{
    tni_decoder *d = s->d;
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    memset(h, 0, sizeof *h);
    h->name = h->op_type = h->domain = h->overload = "";
    int *counts[6] = {NULL, &h->n_in, &h->n_out, NULL, NULL, &h->n_attrs};
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) break;
        if (f.number < 6 && counts[f.number] != NULL) {
            if (*counts[f.number] == INT32_MAX)
                return tni_fail(d->err, TN_ELIMIT, "too many fields");
            ++*counts[f.number];
        }
        const char **text = f.number == n_name       ? &h->name
                            : f.number == n_op_type  ? &h->op_type
                            : f.number == n_domain   ? &h->domain
                            : f.number == n_overload ? &h->overload
                                                     : NULL;
        if (text == NULL) continue;
        tni_bytes b;
        TN_TRY(tni_wire_bytes(&w, &f, &b));
        TN_TRY(tni_decode_name(d, b, text));
    }
    if (strcmp(h->domain, "ai.onnx") == 0) h->domain = "";
    h->opset = imported(s->opsets, s->n_opsets, h->domain);
    if (h->opset == 0)
        h->opset = imported(d->model->opsets, d->model->n_opsets, h->domain);
    /* The first models import nothing and mean version 1; some exporters
     * forget the other domains and mean what was current. */
    if (h->opset == 0) h->opset = h->domain[0] == '\0' ? 1 : INT32_MAX;
    return TN_OK;
}

static void head_where(const tni_scope *s, const node_head *h, int index)
{
    if (h->name[0] != '\0')
        tni_err_where(s->d->err, "node %d '%.80s' (%.60s)", index, h->name,
                      h->op_type);
    else
        tni_err_where(s->d->err, "node %d (%.60s)", index, h->op_type);
}

static tn_status read_inputs(const tni_scope *s, const tni_wire *start,
                             tni_value **in)
{
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    int at = 0;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number != n_input) continue;
        tni_bytes b;
        TN_TRY(tni_wire_bytes(&w, &f, &b));
        bool bound = true;
        in[at] = b.len != 0 ? tni_scope_find(s, b, &bound) : NULL;
        if (!bound)
            return tni_fail_at(s->d->err, TN_EFORMAT, tni_wire_offset(&w, f.at),
                               "input %d '%.*s' is neither an input of the "
                               "graph, nor an initializer, nor produced by a "
                               "node",
                               at, (int)(b.len < 120 ? b.len : 120),
                               (const char *)b.ptr);
        at++;
    }
}

static tn_status read_outputs(const tni_scope *s, const tni_wire *start,
                              tni_value **out)
{
    tni_wire w = *start;
    tni_field f;
    bool more = false, bound = false;
    int at = 0;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number != n_output) continue;
        tni_bytes b;
        TN_TRY(tni_wire_bytes(&w, &f, &b));
        out[at++] = b.len != 0 ? tni_scope_find(s, b, &bound) : NULL;
    }
}

/* The attributes; *n gets fewer than there are fields where a function's
 * caller leaves some out. */
static tn_status read_attrs(const tni_scope *s, const tni_wire *start,
                            tni_attr *attrs, int *n)
{
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    *n = 0;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number != n_attribute) continue;
        tni_wire sub;
        bool present = false;
        tni_attr *a = &attrs[*n];
        TN_TRY(tni_wire_enter(&w, &f, "AttributeProto", &sub));
        TN_TRY(tni_decode_attr(s, &sub, a, &present));
        if (!present) continue;
        for (int i = 0; i < *n; i++)
            if (strcmp(attrs[i].name, a->name) == 0)
                return tni_fail_at(s->d->err, TN_EFORMAT,
                                   tni_wire_offset(&w, f.at),
                                   "attribute '%.64s' is given twice", a->name);
        ++*n;
    }
}

/* --- Constant ------------------------------------------------------------ */

/* The tensor of a Constant's attribute, NULL when it is of no known form. */
static tn_status constant_of(const tni_scope *s, const tni_attr *a,
                             const tni_tensor **out)
{
    tni_decoder *d = s->d;
    *out = NULL;
    if (a->kind == TNI_ATTR_TENSOR) {
        *out = a->v.tensor;
        return TN_OK;
    }
    tni_tensor *t = TNI_NEW(d->arena, tni_tensor);
    if (t == NULL) return tni_decode_nomem(d);
    const int64_t dims[1] = {(int64_t)a->n};
    tn_dtype dtype = TN_UNDEFINED;
    int rank = 1;
    const void *from = NULL;
    switch (a->kind) {
    case TNI_ATTR_FLOAT:
        dtype = TN_F32;
        rank = 0;
        from = &a->v.f;
        break;
    case TNI_ATTR_INT:
        dtype = TN_I64;
        rank = 0;
        from = &a->v.i;
        break;
    case TNI_ATTR_STRING:
        dtype = TN_STRING;
        rank = 0;
        from = &a->v.s;
        break;
    case TNI_ATTR_FLOATS:
        dtype = TN_F32;
        from = a->v.floats;
        break;
    case TNI_ATTR_INTS:
        dtype = TN_I64;
        from = a->v.ints;
        break;
    case TNI_ATTR_STRINGS:
        dtype = TN_STRING;
        from = a->v.strings;
        break;
    default: return TN_OK;
    }
    TN_TRY(tni_tensor_alloc(t, d->arena, dtype, rank, dims, d->err));
    if (t->len != 0)
        memcpy(t->data, from, (size_t)t->len * tn_dtype_size(dtype));
    *out = t;
    return TN_OK;
}

static tn_status decode_constant(const tni_scope *s, const tni_wire *w,
                                 const node_head *h)
{
    tni_decoder *d = s->d;
    tni_attr *attrs = TNI_NEW_ARRAY(d->arena, tni_attr, h->n_attrs);
    tni_value **out = TNI_NEW_ARRAY(d->arena, tni_value *, h->n_out);
    if (attrs == NULL || out == NULL) return tni_decode_nomem(d);
    int n = 0;
    TN_TRY(read_attrs(s, w, attrs, &n));
    TN_TRY(read_outputs(s, w, out));
    const tni_tensor *t = NULL;
    for (int i = 0; i < n; i++)
        if (strncmp(attrs[i].name, "value", 5) == 0 ||
            strcmp(attrs[i].name, "sparse_value") == 0)
            TN_TRY(constant_of(s, &attrs[i], &t));
    if (t == NULL || h->n_out != 1)
        return tni_fail_at(d->err, TN_EFORMAT, tni_wire_offset(w, w->at),
                           "a Constant needs one attribute 'value' (or one of "
                           "its other forms) and one output");
    if (out[0] == NULL) return TN_OK;
    out[0]->constant = t;
    tni_type_of(&out[0]->type, t);
    return TN_OK;
}

/* --- calls of functions -------------------------------------------------- */

static tn_status find_function(const tni_scope *s, const node_head *h,
                               tni_function **out)
{
    tni_decoder *d = s->d;
    *out = NULL;
    if (d->functions.n == 0) return TN_OK;
    const size_t nd = strlen(h->domain), nn = strlen(h->op_type),
                 no = strlen(h->overload);
    const tni_arena_mark mark = tni_arena_save(&d->tmp);
    char *key = tni_arena_alloc(&d->tmp, nd + nn + no + 2, 1);
    if (key == NULL) return tni_decode_nomem(d);
    memcpy(key, h->domain, nd + 1);
    memcpy(key + nd + 1, h->op_type, nn + 1);
    memcpy(key + nd + nn + 2, h->overload, no);
    void *const *slot = tni_strmap_find(&d->functions, key, nd + nn + no + 2);
    if (slot != NULL) *out = *slot;
    tni_arena_rewind(&d->tmp, mark);
    return TN_OK;
}

/* "name#7", or the operator's name where the call has none. */
static tn_status call_prefix(tni_scope *s, const node_head *h, const char **out)
{
    tni_decoder *d = s->d;
    const char *base = h->name[0] != '\0' ? h->name : h->op_type;
    const char *outer = s->prefix != NULL ? s->prefix : "";
    const size_t size = strlen(base) + strlen(outer) + 32;
    char *text = tni_arena_alloc(d->arena, size, 1);
    if (text == NULL) return tni_decode_nomem(d);
    (void)snprintf(text, size, "%s%s%s#%d", outer, outer[0] != '\0' ? "/" : "",
                   base, d->n_calls++);
    *out = text;
    return TN_OK;
}

/* --- nodes --------------------------------------------------------------- */

tn_status tni_decode_count_node(tni_decoder *d)
{
    if (d->n_nodes >= d->model->limits.max_nodes)
        return tni_fail(d->err, TN_ELIMIT,
                        "the model has more than %u nodes, the limit of "
                        "tn_limits.max_nodes",
                        d->model->limits.max_nodes);
    d->n_nodes++;
    return TN_OK;
}

/* Name, inputs, outputs and attributes of a node made for them. */
static tn_status fill_node(tni_scope *s, const tni_wire *w, const node_head *h,
                           tni_node *node)
{
    tni_decoder *d = s->d;
    node->opset = h->opset;
    node->name = h->name;
    if (s->prefix != NULL) {
        const char *base = h->name[0] != '\0' ? h->name : h->op_type;
        const size_t size = strlen(s->prefix) + strlen(base) + 2;
        char *text = tni_arena_alloc(d->arena, size, 1);
        if (text == NULL) return tni_decode_nomem(d);
        (void)snprintf(text, size, "%s/%s", s->prefix, base);
        node->name = text;
    }
    TN_TRY(read_inputs(s, w, node->in));
    while (node->n_in > 0 && node->in[node->n_in - 1] == NULL) node->n_in--;
    TN_TRY(read_outputs(s, w, node->out));
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] != NULL) node->out[i]->producer = node;
    return read_attrs(s, w, node->attrs, &node->n_attrs);
}

static tn_status decode_plain(tni_scope *s, const tni_wire *w, node_head *h)
{
    tni_decoder *d = s->d;
    const tni_op *op = NULL;
    const tni_op_version *ver = NULL;
    TN_TRY(tni_decode_op(d, h->domain, h->op_type, h->opset, &op, &ver));
    tni_node *node = tni_graph_add_node(s->graph, h->domain, h->op_type,
                                        h->n_in, h->n_out, h->n_attrs);
    if (node == NULL) return tni_decode_nomem(d);
    node->op = op;
    node->ver = ver;
    return fill_node(s, w, h, node);
}

static tn_status decode_gradient(tni_scope *s, const tni_wire *w, node_head *h,
                                 int index)
{
    tni_decoder *d = s->d;
    tni_node node = {.domain = h->domain, .op_type = h->op_type};
    node.index = index;
    node.n_in = h->n_in;
    node.n_out = h->n_out;
    node.in = TNI_NEW_ARRAY(d->arena, tni_value *, h->n_in);
    node.out = TNI_NEW_ARRAY(d->arena, tni_value *, h->n_out);
    node.attrs = TNI_NEW_ARRAY(d->arena, tni_attr, h->n_attrs);
    if (node.in == NULL || node.out == NULL || node.attrs == NULL)
        return tni_decode_nomem(d);
    TN_TRY(fill_node(s, w, h, &node));
    return tni_gradient_add(s, &node);
}

static tn_status decode_node(tni_scope *s, const tni_wire *w, node_head *h,
                             int index)
{
    tni_decoder *d = s->d;
    tni_function *fn = NULL;
    TN_TRY(tni_decode_count_node(d));
    if (h->op_type[0] == '\0')
        return tni_fail_at(d->err, TN_EFORMAT, tni_wire_offset(w, w->at),
                           "the node names no operator");
    /* Operators do nothing but make outputs, and some optimisers leave husks
     * without any behind. */
    if (h->n_out == 0) return TN_OK;
    TN_TRY(find_function(s, h, &fn));
    if (fn != NULL) {
        tni_value **in = TNI_NEW_ARRAY(&d->tmp, tni_value *, h->n_in);
        tni_value **out = TNI_NEW_ARRAY(&d->tmp, tni_value *, h->n_out);
        if (in == NULL || out == NULL) return tni_decode_nomem(d);
        const char *prefix = NULL;
        TN_TRY(read_inputs(s, w, in));
        TN_TRY(read_outputs(s, w, out));
        TN_TRY(call_prefix(s, h, &prefix));
        return tni_decode_call(s, w, fn, in, h->n_in, out, h->n_out, prefix);
    }
    if (h->domain[0] == '\0' && strcmp(h->op_type, "Constant") == 0)
        return decode_constant(s, w, h);
    if (tni_gradient_is(h->domain, h->op_type))
        return decode_gradient(s, w, h, index);
    return decode_plain(s, w, h);
}

/* While a graph is decoded, n_uses marks values that are constants: several
 * exporters give a name to two of them and mean the last, which is also what
 * ONNX Runtime takes. */
enum { is_constant_mark = -1 };

static tn_status is_constant_node(const tni_wire *start, bool *out)
{
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    *out = false;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number == n_op_type && f.type == TNI_WIRE_LEN)
            *out = f.bytes.len == 8 && memcmp(f.bytes.ptr, "Constant", 8) == 0;
        if (f.number == n_domain && f.type == TNI_WIRE_LEN &&
            f.bytes.len != 0 &&
            !(f.bytes.len == 7 && memcmp(f.bytes.ptr, "ai.onnx", 7) == 0)) {
            *out = false;
            return TN_OK;
        }
    }
}

/* Binds one output name of a node. */
static tn_status define_output(tni_scope *s, const tni_wire *w,
                               const tni_field *f, bool constant)
{
    tni_decoder *d = s->d;
    tni_bytes b;
    TN_TRY(tni_wire_bytes(w, f, &b));
    if (b.len == 0) return TN_OK;
    void **slot = NULL;
    bool fresh = false;
    TN_TRY(bind(s, b, &slot, &fresh));
    tni_value *v = *slot;
    if (fresh) {
        TN_TRY(new_value(s, b, &v));
        *slot = v;
        if (constant) v->n_uses = is_constant_mark;
        return TN_OK;
    }
    if (v != NULL && v->is_output) {
        /* A formal output of a function, waiting for its producer. */
        v->is_output = false;
        return TN_OK;
    }
    if (v != NULL && constant && v->n_uses == is_constant_mark) {
        if (d->model->logger.write != NULL &&
            d->model->logger.level >= TN_LOG_WARN) {
            char text[160];
            (void)snprintf(text, sizeof text, "name=%.120s kept=last", v->name);
            d->model->logger.write(d->model->logger.ctx, TN_LOG_WARN,
                                   "onnx.constant.twice", text);
        }
        return TN_OK;
    }
    return tni_fail_at(d->err, TN_EFORMAT, tni_wire_offset(w, f->at),
                       "the name '%.*s' is given twice; each value needs a "
                       "name of its own",
                       (int)(b.len < 120 ? b.len : 120), (const char *)b.ptr);
}

/* Defines what a node produces, before any node is decoded. */
static tn_status define_outputs(tni_scope *s, const tni_wire *body,
                                uint32_t number)
{
    tni_wire w = *body, sub;
    tni_field f, g;
    bool more = false, inner = false;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number != number) continue;
        bool constant = false;
        TN_TRY(tni_wire_enter(&w, &f, "NodeProto", &sub));
        TN_TRY(is_constant_node(&sub, &constant));
        for (;;) {
            TN_TRY(tni_wire_next(&sub, &g, &inner));
            if (!inner) break;
            if (g.number == n_output)
                TN_TRY(define_output(s, &sub, &g, constant));
        }
    }
}

tn_status tni_decode_nodes(tni_scope *s, const tni_wire *body, uint32_t number)
{
    tni_decoder *d = s->d;
    tni_wire w = *body, sub;
    tni_field f;
    bool more = false;
    int index = 0;
    s->first_node = s->graph->n_nodes;
    TN_TRY(define_outputs(s, body, number));
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return tni_gradient_expand_all(s);
        if (f.number != number) continue;
        node_head h;
        TN_TRY(tni_wire_enter(&w, &f, "NodeProto", &sub));
        TN_TRY(read_head(s, &sub, &h));
        const tn_status status = decode_node(s, &sub, &h, index);
        if (status != TN_OK) {
            /* Of nested places the outermost and the innermost are told. */
            const bool inner = s->outer != NULL || s->function != NULL;
            if (!inner || !tni_decode_has_place(d)) head_where(s, &h, index);
            return status;
        }
        index++;
    }
}

/* --- functions ----------------------------------------------------------- */

/* Calls fn for each string in fields `number`. */
static tn_status each_name(const tni_wire *start, uint32_t number,
                           tn_status (*fn)(void *ctx, int i, tni_bytes name),
                           void *ctx)
{
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    int i = 0;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number != number) continue;
        tni_bytes b;
        TN_TRY(tni_wire_bytes(&w, &f, &b));
        TN_TRY(fn(ctx, i++, b));
    }
}

typedef struct formals {
    tni_scope *scope;
    tni_value *const *actual;
    int n;
} formals;

static tn_status bind_input(void *ctx, int i, tni_bytes name)
{
    formals *a = ctx;
    void **slot = NULL;
    bool fresh = false;
    TN_TRY(bind(a->scope, name, &slot, &fresh));
    *slot = i < a->n ? a->actual[i] : NULL;
    return TN_OK;
}

/* Binds a formal output to the caller's value. An output that is also an
 * input needs a node of its own, since the caller's value is not the input. */
static tn_status bind_output(void *ctx, int i, tni_bytes name)
{
    formals *a = ctx;
    tni_scope *s = a->scope;
    tni_value *actual = i < a->n ? a->actual[i] : NULL;
    void **slot = NULL;
    bool fresh = false;
    if (actual == NULL) return TN_OK; /* not wanted */
    TN_TRY(bind(s, name, &slot, &fresh));
    if (fresh) {
        *slot = actual;
        actual->is_output = true; /* until its producer is met */
        return TN_OK;
    }
    tni_value *from = *slot;
    if (from == NULL)
        return tni_fail(s->d->err, TN_EFORMAT,
                        "output %d of the function is an input that the call "
                        "omits",
                        i);
    tni_node *node = tni_graph_add_node(s->graph, "", "Identity", 1, 1, 0);
    if (node == NULL) return tni_decode_nomem(s->d);
    TN_TRY(
        tni_decode_op(s->d, "", "Identity", INT32_MAX, &node->op, &node->ver));
    node->opset = INT32_MAX;
    node->name = s->prefix;
    node->in[0] = from;
    node->out[0] = actual;
    actual->producer = node;
    return TN_OK;
}

static tn_status expand(tni_scope *s, tni_function *fn, tni_value *const *in,
                        int n_in, tni_value *const *out, int n_out)
{
    formals inputs = {s, in, n_in}, outputs = {s, out, n_out};
    TN_TRY(each_name(&fn->body, fn_input, bind_input, &inputs));
    TN_TRY(each_name(&fn->body, fn_output, bind_output, &outputs));
    TN_TRY(tni_decode_nodes(s, &fn->body, fn_node));
    for (int i = 0; i < n_out; i++)
        if (out[i] != NULL && out[i]->is_output)
            return tni_fail(s->d->err, TN_EFORMAT,
                            "no node of function '%.80s' produces its output "
                            "%d",
                            fn->name, i);
    return TN_OK;
}

tn_status tni_decode_call(const tni_scope *caller, const tni_wire *call,
                          tni_function *fn, tni_value *const *in, int n_in,
                          tni_value *const *out, int n_out, const char *prefix)
{
    tni_decoder *d = caller->d;
    if (fn->active)
        return tni_fail_at(d->err, TN_EFORMAT, tni_wire_offset(call, call->at),
                           "function '%.80s' calls itself; model functions "
                           "must not be recursive",
                           fn->name);
    if (d->depth >= (int)d->model->limits.max_nesting)
        return tni_fail_at(d->err, TN_ELIMIT, tni_wire_offset(call, call->at),
                           "functions and subgraphs are nested more than %d "
                           "deep",
                           d->depth);
    tni_scope s;
    memset(&s, 0, sizeof s);
    s.d = d;
    s.graph = caller->graph;
    s.opsets = fn->opsets;
    s.n_opsets = fn->n_opsets;
    s.function = fn;
    s.call = call;
    s.call_scope = caller;
    s.prefix = prefix;
    tni_strmap_init(&s.names, &d->tmp);
    fn->active = true;
    d->depth++;
    const tn_status status = expand(&s, fn, in, n_in, out, n_out);
    d->depth--;
    fn->active = false;
    return status;
}

/* --- graphs -------------------------------------------------------------- */

static tn_status decode_input(tni_scope *s, const tni_wire *w,
                              const tni_field *f)
{
    tni_wire sub;
    tni_bytes name;
    tni_type type;
    tni_value *v = NULL;
    TN_TRY(tni_wire_enter(w, f, "ValueInfoProto", &sub));
    TN_TRY(tni_decode_value_info(s->d, &sub, &name, &type));
    TN_TRY(tni_scope_define(s, name, &v));
    v->type = type;
    v->is_input = true;
    s->graph->inputs[s->graph->n_inputs++] = v;
    return TN_OK;
}

static tn_status decode_initializer(tni_scope *s, const tni_wire *w,
                                    const tni_field *f)
{
    tni_decoder *d = s->d;
    const bool sparse = f->number == g_sparse_initializer;
    tni_wire sub;
    tni_bytes name = {NULL, 0};
    tni_tensor *t = TNI_NEW(d->arena, tni_tensor);
    if (t == NULL) return tni_decode_nomem(d);
    TN_TRY(tni_wire_enter(w, f, sparse ? "SparseTensorProto" : "TensorProto",
                          &sub));
    tni_tensor_src src = d->src;
    src.raw = !sparse;
    TN_TRY(sparse ? tni_decode_sparse(&src, &sub, t, &name)
                  : tni_decode_tensor(&src, &sub, t, &name));
    if (name.len == 0)
        return tni_fail_at(d->err, TN_EFORMAT, tni_wire_offset(w, f->at),
                           "an initializer has no name");
    void **slot = NULL;
    bool fresh = false;
    TN_TRY(bind(s, name, &slot, &fresh));
    tni_value *v = *slot;
    if (fresh) {
        TN_TRY(new_value(s, name, &v));
        *slot = v;
    }
    v->constant = t;
    v->n_uses = is_constant_mark;
    tni_type_of(&v->type, t);
    return TN_OK;
}

/* Notes a declared type where none is known; its extents are forgotten, since
 * exporters leave stale ones behind. */
static tn_status decode_hint(tni_scope *s, const tni_wire *w,
                             const tni_field *f)
{
    tni_wire sub;
    tni_bytes name;
    tni_type type;
    TN_TRY(tni_wire_enter(w, f, "ValueInfoProto", &sub));
    TN_TRY(tni_decode_value_info(s->d, &sub, &name, &type));
    void *const *slot =
        tni_strmap_find(&s->names, (const char *)name.ptr, name.len);
    if (slot == NULL || *slot == NULL) return TN_OK;
    tni_value *v = *slot;
    if (v->type.kind != TN_KIND_NONE) return TN_OK;
    for (int i = 0; i < type.rank; i++) type.dims[i] = TNI_DIM_UNKNOWN;
    v->type = type;
    return TN_OK;
}

static tn_status decode_output(tni_scope *s, const tni_wire *w,
                               const tni_field *f)
{
    tni_decoder *d = s->d;
    tni_graph *g = s->graph;
    tni_wire sub;
    tni_bytes name;
    tni_type type;
    bool bound = false;
    TN_TRY(tni_wire_enter(w, f, "ValueInfoProto", &sub));
    TN_TRY(tni_decode_value_info(d, &sub, &name, &type));
    tni_value *v = tni_scope_find(s, name, &bound);
    if (v == NULL)
        return tni_fail_at(d->err, TN_EFORMAT, tni_wire_offset(w, f->at),
                           "output '%.*s' of the graph is produced by no node",
                           (int)(name.len < 120 ? name.len : 120),
                           (const char *)name.ptr);
    if (g->parent == NULL) d->model->declared_outputs[g->n_outputs] = type;
    g->outputs[g->n_outputs++] = v;
    return TN_OK;
}

static tn_status count_fields(const tni_wire *start, uint32_t number, int *n)
{
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    *n = 0;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number == number && *n < INT32_MAX) ++*n;
    }
}

/* Calls fn for each field with one of two numbers. */
static tn_status
each_field(tni_scope *s, const tni_wire *start, uint32_t a, uint32_t b,
           tn_status (*fn)(tni_scope *s, const tni_wire *w, const tni_field *f))
{
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number == a || f.number == b) TN_TRY(fn(s, &w, &f));
    }
}

static tn_status decode_graph_name(tni_scope *s, const tni_wire *w,
                                   const tni_field *f)
{
    tni_bytes b;
    TN_TRY(tni_wire_bytes(w, f, &b));
    return tni_decode_name(s->d, b, &s->graph->name);
}

static tn_status decode_body(tni_scope *s, const tni_wire *w)
{
    tni_decoder *d = s->d;
    tni_graph *g = s->graph;
    int n_in = 0, n_out = 0;
    TN_TRY(count_fields(w, g_input, &n_in));
    TN_TRY(count_fields(w, g_output, &n_out));
    g->inputs = TNI_NEW_ARRAY(d->arena, tni_value *, n_in);
    g->outputs = TNI_NEW_ARRAY(d->arena, tni_value *, n_out);
    if (g->inputs == NULL || g->outputs == NULL) return tni_decode_nomem(d);
    if (g->parent == NULL) {
        d->model->declared_outputs = TNI_NEW_ARRAY(d->arena, tni_type, n_out);
        if (d->model->declared_outputs == NULL) return tni_decode_nomem(d);
    }
    TN_TRY(each_field(s, w, g_name, g_name, decode_graph_name));
    TN_TRY(each_field(s, w, g_input, g_input, decode_input));
    TN_TRY(each_field(s, w, g_initializer, g_sparse_initializer,
                      decode_initializer));
    TN_TRY(tni_decode_nodes(s, w, g_node));
    TN_TRY(each_field(s, w, g_value_info, g_output, decode_hint));
    return each_field(s, w, g_output, g_output, decode_output);
}

tn_status tni_decode_graph(tni_decoder *d, tni_wire *w, const tni_scope *outer,
                           tni_graph **out)
{
    if (d->depth >= (int)d->model->limits.max_nesting)
        return tni_fail_at(d->err, TN_ELIMIT, tni_wire_offset(w, w->at),
                           "functions and subgraphs are nested more than %d "
                           "deep",
                           d->depth);
    tni_scope s;
    memset(&s, 0, sizeof s);
    s.d = d;
    s.outer = outer;
    s.opsets = d->model->opsets;
    s.n_opsets = d->model->n_opsets;
    if (outer != NULL) {
        s.opsets = outer->opsets;
        s.n_opsets = outer->n_opsets;
        s.function = outer->function;
        s.call = outer->call;
        s.call_scope = outer->call_scope;
        s.prefix = outer->prefix;
    }
    s.graph = tni_graph_new(d->arena, outer != NULL ? outer->graph : NULL);
    if (s.graph == NULL) return tni_decode_nomem(d);
    tni_strmap_init(&s.names, &d->tmp);
    d->depth++;
    const tn_status status = decode_body(&s, w);
    d->depth--;
    *out = s.graph;
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* decode.h - ModelProto to a graph: what the decoding files share */
#ifndef TN_SRC_ONNX_DECODE_H
#define TN_SRC_ONNX_DECODE_H

#include "base/strmap.h"
#include "base/wire.h"
#include "onnx/decode_tensor.h"
#include "onnx/model.h"
#include "ops/op.h"

#include <string.h>

/* A model-local function, kept as bytes and decoded anew at each call. */
typedef struct tni_function {
    tni_wire body; /* of the FunctionProto */
    const char *domain, *name, *overload;
    tni_opset_import *opsets;
    int n_opsets;
    bool active; /* being expanded: a call of it would be a recursion */
} tni_function;

typedef struct tni_decoder {
    tn_model *model;
    tni_arena *arena; /* the model's */
    tni_arena tmp;    /* freed after decoding */
    tn_err *err;
    const char *path;     /* of the model file, NULL in memory */
    const char *base_dir; /* in memory: of external data, or NULL */
    bool lenient;         /* unknown operators are kept */
    tni_tensor_src src;

    tni_strmap symbols;   /* dim_param -> model symbol + 1 */
    tni_strmap ops;       /* operator name -> tni_op */
    tni_strmap functions; /* "domain:name:overload" -> tni_function */
    tni_strmap locations; /* external file -> index in model->external + 1 */
    int cap_external, cap_symbols;
    uint32_t n_nodes; /* decoded so far, calls included */
    int n_calls;
    int64_t gradient_steps; /* spent so far, see gradient.c */
    int depth; /* graphs and functions around the current place */
} tni_decoder;

/*
 * Where names are looked up: a graph, or the body of a function that is being
 * expanded into the graph of its caller.
 */
typedef struct tni_scope {
    tni_decoder *d;
    tni_graph *graph;
    const struct tni_scope *outer; /* of a subgraph; NULL ends the search */
    tni_strmap names;              /* -> tni_value; NULL: an omitted input */
    const tni_opset_import *opsets;
    int n_opsets;
    /* In a function: the call, its scope, and what inner names begin with. */
    const tni_function *function;
    const tni_wire *call;
    const struct tni_scope *call_scope;
    const char *prefix;
    struct pending *gradients; /* Gradient nodes to expand at the end */
    int first_node;            /* of the graph that belongs to this scope */
} tni_scope;

/* Decodes a whole ModelProto into d->model; the graph is finished, types are
 * those that the file declares. */
tn_status tni_decode_model(tni_decoder *d, const void *bytes, size_t size);

/* A terminated copy; TN_ELIMIT when too long, TN_EFORMAT with a NUL inside. */
tn_status tni_decode_name(tni_decoder *d, tni_bytes b, const char **out);

/* A graph message into a new graph whose names are looked up in `scope`'s
 * graph and further out (NULL at the top). */
tn_status tni_decode_graph(tni_decoder *d, tni_wire *w, const tni_scope *outer,
                           tni_graph **out);

/* The nodes, field `number`, of a graph or a function body into a scope whose
 * inputs and initializers are bound. */
tn_status tni_decode_nodes(tni_scope *s, const tni_wire *body, uint32_t number);

/* Replaces a call by the nodes of the function. `call` is the NodeProto. */
tn_status tni_decode_call(const tni_scope *s, const tni_wire *call,
                          tni_function *fn, tni_value *const *in, int n_in,
                          tni_value *const *out, int n_out, const char *prefix);

/*
 * An AttributeProto in a scope. *present is false when it refers to an
 * attribute that the call of the function does not give.
 */
tn_status tni_decode_attr(const tni_scope *s, const tni_wire *attr,
                          tni_attr *out, bool *present);

/* A TypeProto. Unknown extents have symbols when they are named. */
tn_status tni_decode_type(tni_decoder *d, const tni_wire *w, tni_type *out,
                          int depth);

/* A ValueInfoProto's name and type; kind NONE when it has none. */
tn_status tni_decode_value_info(tni_decoder *d, const tni_wire *w,
                                tni_bytes *name, tni_type *type);

/* OperatorSetIdProto fields `number` of a message. */
tn_status tni_decode_opsets(tni_decoder *d, const tni_wire *w, uint32_t number,
                            tni_opset_import **out, int *n);

/* The operator and version a node means, or a helpful TN_EUNSUPPORTED. In
 * lenient decoding *ver may come back NULL with a stand-in for *op. */
tn_status tni_decode_op(tni_decoder *d, const char *domain, const char *name,
                        int opset, const tni_op **op,
                        const tni_op_version **ver);

/* Infers the types of every value of the model (typing.c). */
tn_status tni_model_infer(tn_model *model, bool lenient, tn_err *err);

/* The scope's value of that name, in it or further out; NULL. *bound tells an
 * omitted function input from a name that is not known. */
tni_value *tni_scope_find(const tni_scope *s, tni_bytes name, bool *bound);

/* A new value of the scope, bound to the name. TN_EFORMAT when it exists. */
tn_status tni_scope_define(tni_scope *s, tni_bytes name, tni_value **out);

tn_status tni_decode_nomem(tni_decoder *d);

/* Counts one more node; TN_ELIMIT when there are too many. */
tn_status tni_decode_count_node(tni_decoder *d);

/* ai.onnx.preview.training Gradient (gradient.c): noted where it stands, and
 * replaced by other nodes once the scope has all of its own. */
bool tni_gradient_is(const char *domain, const char *op_type);
tn_status tni_gradient_add(tni_scope *s, const tni_node *node);
tn_status tni_gradient_expand_all(tni_scope *s);

/* Whether the error tells of a node already. */
static inline bool tni_decode_has_place(const tni_decoder *d)
{
    return d->err != NULL && strncmp(d->err->where, "node ", 5) == 0;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graph.h - the IR: types, values, nodes, attributes, graphs
 *
 * A graph is a list of nodes in execution order over values, each produced
 * once. Subgraphs (bodies of If, Loop, Scan) are graphs whose nodes may use
 * values of the graphs around them. Everything lives in the model's arena and
 * is freed with it. Builders are exclusive; a finished graph is immutable.
 */
#ifndef TN_SRC_GRAPH_GRAPH_H
#define TN_SRC_GRAPH_GRAPH_H

#include "tensor/tensor.h"

typedef struct tni_graph tni_graph;
typedef struct tni_node tni_node;
typedef struct tni_value tni_value;
typedef struct tni_op tni_op;                 /* ops/op.h */
typedef struct tni_op_version tni_op_version; /* ops/op.h */

/*
 * Static type of a value. An extent >= 0 is known; TNI_DIM_UNKNOWN is not;
 * anything below is a symbol: TNI_DIM_SYMBOL(i) names the model's symbol i,
 * and equal symbols are equal extents. rank -1: not even the rank is known.
 */
typedef struct tni_type {
    tn_kind kind;
    tn_dtype dtype; /* tensor elements; map keys */
    int rank;
    int64_t dims[TN_MAX_RANK];
    const struct tni_type *elem; /* sequence, optional: item; map: value */
} tni_type;

#define TNI_DIM_SYMBOL(i)     (-2 - (int64_t)(i))
#define TNI_DIM_IS_SYMBOL(d)  ((d) <= -2)
#define TNI_DIM_SYMBOL_ID(d)  ((int)(-2 - (d)))
#define TNI_DIM_IS_KNOWN(d)   ((d) >= 0)

typedef enum tni_attr_kind {
    TNI_ATTR_NONE = 0,
    TNI_ATTR_FLOAT,
    TNI_ATTR_INT,
    TNI_ATTR_STRING,
    TNI_ATTR_TENSOR,
    TNI_ATTR_GRAPH,
    TNI_ATTR_FLOATS,
    TNI_ATTR_INTS,
    TNI_ATTR_STRINGS,
    TNI_ATTR_TENSORS,
    TNI_ATTR_GRAPHS,
    TNI_ATTR_TYPE
} tni_attr_kind;

typedef struct tni_attr {
    const char *name;
    tni_attr_kind kind;
    size_t n; /* of the plural kinds */
    union {
        float f;
        int64_t i;
        tn_string s;
        const tni_tensor *tensor;
        tni_graph *graph;
        const float *floats;
        const int64_t *ints;
        const tn_string *strings;
        const tni_tensor *const *tensors;
        tni_graph *const *graphs;
        const tni_type *type;
    } v;
} tni_attr;

struct tni_value {
    const char *name; /* "" for a value a pass made; never NULL */
    int id;           /* dense within its graph */
    tni_type type;
    const tni_tensor *constant; /* initializer or folded, else NULL */
    tni_node *producer;         /* NULL: graph input or constant */
    tni_graph *graph;           /* where it is defined */
    int n_uses;                 /* by node inputs, captures and outputs */
    bool is_input, is_output;   /* of its graph */
};

struct tni_node {
    const tni_op *op;
    const tni_op_version *ver;
    const char *name;   /* "" allowed, never NULL */
    const char *domain; /* "" is ai.onnx */
    const char *op_type;
    int opset; /* imported version of its domain */
    int index; /* position in graph->nodes */
    int n_in, n_out, n_attrs;
    tni_value **in;  /* NULL: omitted */
    tni_value **out; /* NULL: omitted */
    tni_attr *attrs;
    tni_graph *graph;
    /* Values of outer graphs that the node's subgraphs use, so that lifetimes
     * and schedules see them. Filled by tni_graph_finish. */
    int n_captures;
    tni_value **captures;
};

struct tni_graph {
    const char *name;
    tni_arena *arena;  /* the model's */
    tni_graph *parent; /* NULL at the top */
    int n_nodes, n_values, n_inputs, n_outputs;
    int cap_nodes, cap_values;
    tni_node **nodes;
    tni_value **values;
    tni_value **inputs;
    tni_value **outputs;
    int n_captures; /* outer values used inside, each once */
    tni_value **captures;
};

/* --- building ---------------------------------------------------------- */

/* Each returns NULL when memory is out. Strings are borrowed: they must live
 * as long as the arena. */
tni_graph *tni_graph_new(tni_arena *arena, tni_graph *parent);
tni_value *tni_graph_add_value(tni_graph *graph, const char *name);
/* A constant value over a tensor that lives as long as the arena. */
tni_value *tni_graph_add_constant(tni_graph *graph, const char *name,
                                  const tni_tensor *tensor);
/* Appended to the node list; in, out and attrs arrays are allocated. */
tni_node *tni_graph_add_node(tni_graph *graph, const char *domain,
                             const char *op_type, int n_in, int n_out,
                             int n_attrs);

/*
 * Sorts nodes into execution order (stable), counts uses, collects captures,
 * numbers nodes and values; recursive into subgraphs. TN_EFORMAT on a cycle or
 * a value nobody produces, with the node's and value's name. May be called
 * again after editing.
 */
tn_status tni_graph_finish(tni_graph *graph, tn_err *err);

/* --- editing (passes) -------------------------------------------------- */

/* Moves uses of many values in one sweep, subgraphs and outputs included:
 * every use of a value v of `graph` with to[v->id] != NULL becomes a use of
 * that, which must not itself be replaced. Use counts are stale until tni_graph_finish. */
void tni_graph_redirect(tni_graph *graph, tni_value *const *to);
/* Marks a node for removal (index becomes -1); its inputs lose a use and its
 * outputs their producer. */
void tni_node_remove(tni_node *node);
/* Drops removed nodes and renumbers; cheap, call once per pass. */
void tni_graph_compact(tni_graph *graph);
/* True when `value` is used exactly once and is no graph output. */
bool tni_value_single_use(const tni_value *value);

/* --- attributes -------------------------------------------------------- */

const tni_attr *tni_attr_find(const tni_node *node, const char *name);
int64_t tni_attr_int(const tni_node *node, const char *name, int64_t absent);
float tni_attr_float(const tni_node *node, const char *name, float absent);
/* Pointer and count; NULL and 0 when absent. */
const int64_t *tni_attr_ints(const tni_node *node, const char *name, int *n);
const float *tni_attr_floats(const tni_node *node, const char *name, int *n);
const tn_string *tni_attr_strings(const tni_node *node, const char *name,
                                  int *n);
/* {NULL, 0} when absent. */
tn_string tni_attr_string(const tni_node *node, const char *name);
/* True when the string attribute equals `text`; when it is absent, whether
 * `absent` equals `text` (absent may be NULL). */
bool tni_attr_is(const tni_node *node, const char *name, const char *text,
                 const char *absent);
const tni_tensor *tni_attr_tensor(const tni_node *node, const char *name);
tni_graph *tni_attr_graph(const tni_node *node, const char *name);
/* True when both have the same value; false where that is not looked into
 * (graphs, types, lists of tensors and strings, large tensors). */
bool tni_attr_same(const tni_attr *a, const tni_attr *b);

/* --- types ------------------------------------------------------------- */

static inline void tni_type_tensor(tni_type *t, tn_dtype dtype, int rank)
{
    t->kind = TN_KIND_TENSOR;
    t->dtype = dtype;
    t->rank = rank;
    t->elem = NULL;
}

/* True for a tensor whose rank and every extent are known. */
bool tni_type_is_static(const tni_type *t);
/* "float32[2,3,?]", "seq(map(string,float32))"; returns buf. */
char *tni_type_format(char *buf, size_t size, const tni_type *t);
/* The type of a value in hand. */
void tni_type_of(tni_type *t, const tni_tensor *value);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op.h - what an operator is, and the four contexts its functions get
 *
 * An operator is one file, op_<name>.c, that ends in a `const tni_op`; the
 * table is ops.def. Its life has four stages, and everything that can fail
 * belongs in the first three:
 *
 *   infer  dtypes and shapes of the outputs from those of the inputs (and
 *          from input values where they are known). Called with symbols at
 *          load, with numbers at plan.
 *   ref    plain C, the truth: constant folding, tests, and execution where
 *          there is no plan. May fail on data (an index out of range).
 *   plan   optional: choose kernels, pack weights, size scratch.
 *   run    set by plan; cannot fail, allocates nothing, takes no locks.
 */
#ifndef TN_SRC_OPS_OP_H
#define TN_SRC_OPS_OP_H

#include "base/par.h"
#include "graph/graph.h"

#include <stdatomic.h>

/* --- dtype sets -------------------------------------------------------- */

#define TNI_T(t) (1u << (t))
#define TNI_FLOATS                                                             \
    (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16) | TNI_T(TN_BF16))
#define TNI_SINTS   (TNI_T(TN_I8) | TNI_T(TN_I16) | TNI_T(TN_I32) | TNI_T(TN_I64))
#define TNI_UINTS   (TNI_T(TN_U8) | TNI_T(TN_U16) | TNI_T(TN_U32) | TNI_T(TN_U64))
#define TNI_INTS    (TNI_SINTS | TNI_UINTS)
#define TNI_NUMERIC (TNI_FLOATS | TNI_INTS)
#define TNI_BOOLS   TNI_T(TN_BOOL)
#define TNI_STRINGS TNI_T(TN_STRING)
#define TNI_FP8                                                                \
    (TNI_T(TN_F8E4M3FN) | TNI_T(TN_F8E4M3FNUZ) | TNI_T(TN_F8E5M2) |            \
     TNI_T(TN_F8E5M2FNUZ))
#define TNI_SUBBYTE                                                            \
    (TNI_T(TN_U4) | TNI_T(TN_I4) | TNI_T(TN_F4E2M1) | TNI_T(TN_U2) |           \
     TNI_T(TN_I2))
/* Every element type there is; for operators that only move data. */
#define TNI_ANY             0x7fffffeu
#define TNI_ALL_BUT_STRINGS (TNI_ANY & ~TNI_STRINGS)

/* --- signature --------------------------------------------------------- */

enum {
    TNI_OPTIONAL = 1,  /* may be omitted */
    TNI_VARIADIC = 2,  /* last entry: this one and any number more (>= 1,
                          or >= 0 with TNI_OPTIONAL) */
    TNI_NONTENSOR = 4, /* a sequence, optional or map may stand here; what
                          exactly is checked by infer */
    TNI_HETERO = 8     /* variadic whose members may differ in dtype */
};

typedef struct tni_arg {
    const char *name;
    uint32_t dtypes; /* TNI_T set; 0 means any */
    char tie;        /* arguments with the same letter share a dtype; 0 none */
    uint8_t flags;
} tni_arg;

/* Documentation and validation of an attribute: an unknown one is refused. */
typedef struct tni_attr_spec {
    const char *name;
    tni_attr_kind kind;
    const char *absent; /* default as text; NULL: none; "required" */
} tni_attr_spec;

enum {
    /* The same inputs may give other outputs (random operators, training
     * dropout): never folded or merged. */
    TNI_IMPURE = 1 << 0,
    /* Output 0 has the bytes of input 0 (Reshape, Squeeze, Identity): the
     * planner lets them share memory. ref must work when the data pointers
     * are equal (nothing to copy) and when they differ (copy). */
    TNI_VIEW = 1 << 1,
    /* Output 0 may use the memory of any input of its size and dtype, element
     * by element. */
    TNI_INPLACE = 1 << 2,
    /* Output shapes depend on input values: infer may leave them unknown even
     * when every input shape is; ref calls tni_ref_output itself. */
    TNI_DATA_SHAPED = 1 << 3,
    /* Only the shape of input 0 matters (Shape, Size): folds once that is
     * known. in[0]->data may then be NULL in ref. */
    TNI_SHAPE_ONLY = 1 << 4,
    /* Outputs are pieces of input 0 (Split, Slice): see tni_op_version.piece.
     * Where they are, they share its memory and the node is no step. */
    TNI_CUTS = 1 << 5,
    /* Inputs are pieces of output 0 (Concat): the planner may have them
     * computed there; run leaves out what lies in place already. */
    TNI_JOINS = 1 << 6
};

/* --- contexts ---------------------------------------------------------- */

typedef struct tni_infer {
    const tni_node *node;
    int opset;
    int n_in, n_out;
    const tni_type *const *in;         /* NULL: omitted; kind NONE: unknown */
    const tni_tensor *const *in_const; /* value where known, else NULL */
    tni_type *out;                     /* to fill, zeroed; kind NONE: unknown */
    tni_arena *arena;                  /* for tni_type.elem */
    /* Infers a subgraph: types of its explicit inputs in, of its outputs out
     * (n_outputs of the graph). NULL when the caller cannot. */
    tn_status (*graph)(struct tni_infer *c, const tni_graph *graph,
                       const tni_type *in, int n_in, tni_type *out);
    void *host;
    tn_err *err;
} tni_infer;

typedef struct tni_ref {
    const tni_node *node;
    int opset;
    int n_in, n_out;
    const tni_tensor *const *in; /* NULL: omitted */
    tni_tensor *const *out;      /* NULL: omitted. Shape and data are set when
                                    infer knew them; else data is NULL */
    tni_arena *out_arena;        /* outputs and what they point to */
    tni_arena *scratch;          /* rewound when ref returns */
    const tni_par *par;
    /* Runs a subgraph (If, Loop, Scan): explicit inputs in, outputs filled
     * with shallow values whose memory is in `arena` or borrowed from the
     * inputs and captured values. NULL when the caller cannot. */
    tn_status (*call)(struct tni_ref *c, const tni_graph *graph,
                      const tni_tensor *const *in, int n_in, tni_tensor *out,
                      int n_out, tni_arena *arena);
    void *host;
    uint64_t seed;      /* of random operators without a seed attribute */
    uint64_t max_trips; /* limit of loop iterations */
    tn_err *err;
} tni_ref;

/*
 * Gives output i its shape and memory. Calling it when infer already did is
 * allowed and checks that the shapes agree (TN_EINTERNAL if not). Does nothing
 * for an omitted output.
 */
tn_status tni_ref_output(tni_ref *c, int i, tn_dtype dtype, int rank,
                         const int64_t *dims);
/* Output i becomes a deep copy of a value of any kind. */
tn_status tni_ref_output_copy(tni_ref *c, int i, const tni_tensor *value);
/* Bytes from scratch, 64-byte aligned; NULL when memory is out: the caller
 * then returns tni_ref_nomem(c). */
void *tni_ref_scratch(tni_ref *c, size_t size);
tn_status tni_ref_nomem(tni_ref *c);

/* True when input / output i is present. */
static inline bool tni_ref_has(const tni_ref *c, int i)
{
    return i < c->n_in && c->in[i] != NULL;
}
static inline bool tni_ref_wants(const tni_ref *c, int i)
{
    return i < c->n_out && c->out[i] != NULL;
}

/* Where run reports impossible data (an index out of range): it finishes with
 * any defined result and the executor turns the message into TN_EINVAL. */
typedef struct tni_fault {
    _Atomic(const char *) message; /* a string constant; NULL: none */
} tni_fault;

/* What run gets. Pointers are stable for the call; scratch is the plan's. */
typedef struct tni_run {
    const void *state;           /* what plan left */
    const tni_tensor *const *in; /* NULL: omitted */
    tni_tensor *const *out;      /* NULL: omitted */
    void *scratch; /* scratch_bytes, 64-byte aligned, all workers */
    const tni_par *par;
    tni_fault *fault;
} tni_run;

static inline void tni_run_fault(const tni_run *c, const char *message)
{
    atomic_store_explicit(&c->fault->message, message, memory_order_relaxed);
}

struct tni_kernels; /* kernels/kernels.h */

typedef struct tni_plan {
    const tni_node *node;
    int opset;
    int n_in, n_out;
    const tni_type *const *in;         /* NULL: omitted; all static */
    const tni_tensor *const *in_const; /* weights; NULL: known only at run */
    const tni_type *const *out;        /* NULL: omitted */
    const struct tni_kernels *kernels;
    int n_workers;    /* upper bound of tni_par_workers at run */
    tni_arena *arena; /* for state; lives as long as the plan */
    /*
     * Memory that depends on the node's constants alone (packed weights),
     * kept once per session and shared by all its plans. Returns the block of
     * (node, slot), 64-byte aligned, with *fresh set when the caller must fill
     * it; NULL when memory is out. `size` must be the same every time.
     */
    void *(*prepack)(struct tni_plan *c, int slot, size_t size, bool *fresh);
    /*
     * Elements [at, at + len) of constant input i, to be packed: in_const[i]
     * has its shape, but its data may lie at any address (tensor/raw.h).
     * Asking for parts of a MiB keeps memory low. Valid until the next call;
     * NULL when memory is out.
     */
    const void *(*weights)(struct tni_plan *c, int i, size_t at, size_t len);
    void *host;
    bool exact; /* only algorithms with the reference's summation error */
    bool bf16;  /* bfloat16 products are welcome */
    tn_err *err;
    /* Results. run stays NULL to execute ref instead. */
    void (*run)(const tni_run *c);
    void *state;
    size_t scratch_bytes;
    /* Constant inputs (1u << i) that run never reads, as they were packed. */
    uint32_t packed;
    /* What became of the wish for bf16, in a word or two; NULL: it was none,
     * or nothing here that could be. */
    bool in_bf16;
    const char *precision;
} tni_plan;

/* The word where no instruction multiplies pairs. */
#define TNI_BF16_WIDENED "bf16, widened: saves memory, not time"

/* --- the operator ------------------------------------------------------ */

struct tni_op_version {
    int since;      /* first opset with this meaning */
    int deprecated; /* first opset without it, 0: still there */
    const tni_arg *in, *out;
    int n_in, n_out;
    const tni_attr_spec *attrs;
    int n_attrs;
    uint32_t traits;
    tn_status (*infer)(tni_infer *c);
    tn_status (*ref)(tni_ref *c);
    tn_status (*plan)(tni_plan *c); /* NULL: ref runs */
    /* TNI_CUTS: where output k begins in input 0; TNI_JOINS: where input k does
     * in output 0, in bytes. False when its elements are not all there one
     * after another, or that is not known. Shapes are static; of c, only what
     * describes the node is set. */
    bool (*piece)(const tni_plan *c, int k, size_t *offset);
};

struct tni_op {
    const char *domain, *name, *summary;
    const tni_op_version *versions; /* newest first */
    int n_versions;
};

#define TNI_COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))
/* Initialisers for the arrays above: `TNI_IN(args)`, … */
#define TNI_IN(a)       .in = (a), .n_in = TNI_COUNT(a)
#define TNI_OUT(a)      .out = (a), .n_out = TNI_COUNT(a)
#define TNI_ATTRS(a)    .attrs = (a), .n_attrs = TNI_COUNT(a)
#define TNI_VERSIONS(a) .versions = (a), .n_versions = TNI_COUNT(a)

#define TN_OP(name) extern const tni_op tni_op_##name;
#include "ops/ops.def"
#undef TN_OP

/* Every operator, in the order of ops.def. */
const tni_op *const *tni_ops(int *n);

/* Domains "ai.onnx" and "" are the same. NULL when the name is unknown. */
const tni_op *tni_op_find(const char *domain, const char *name);
/* The meaning in force at `opset`; NULL when the operator is younger, or was
 * removed before it. */
const tni_op_version *tni_op_at(const tni_op *op, int opset);

/* --- calling an operator ------------------------------------------------ */

/* Whether the operator is known and its inputs are as many as its signature
 * wants, the required ones given. */
bool tni_op_arity_ok(const tni_node *node);
/*
 * Checks arity, dtypes and attributes against the signature, then infers.
 * On failure err->where names the node.
 */
tn_status tni_op_infer(tni_infer *c);
/* Runs ref; on failure err->where names the node. */
tn_status tni_op_ref(tni_ref *c);
/* "node 17 'conv1' (Conv)" in front of err->where. */
void tni_op_err_where(tn_err *err, const tni_node *node);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - a graph settled for one combination of input shapes
 *
 * Walks the graph once with known input types: infers, folds what the shapes
 * make constant, lets every operator choose its kernels, and places all
 * intermediate tensors in one block. What depends on values (NonZero, a Loop
 * with a computed trip count) becomes a dynamic step: inferred, and given
 * memory from the run's arena, when it is reached.
 *
 * A plan is immutable and shared by all run contexts of its session.
 */
#ifndef TN_SRC_EXEC_PLAN_H
#define TN_SRC_EXEC_PLAN_H

#include "base/par.h"
#include "exec/weights.h"
#include "kernels/kernels.h"
#include "ops/op.h"
#include "sys/mutex.h"

typedef struct tni_exec_plan tni_exec_plan;

/* What planning needs from its session, and the caches it keeps there. */
typedef struct tni_planner {
    tni_mem *mem;
    tni_mutex *lock; /* over everything below */
    tni_kernels kernels;
    int n_workers;
    bool reference;   /* no operator plans: plain C everywhere */
    bool keep_values; /* no sharing of memory between values */
    bool exact, bf16; /* as in tni_plan */
    uint64_t seed;
    uint64_t run_limit_bytes; /* 0: none */
    uint64_t max_trips;
    uint64_t cache_limit_bytes;
    tni_weights weights;
    tni_exec_plan *plans; /* most recently used first */
    size_t plan_bytes;
} tni_planner;

typedef enum tni_slot_where {
    TNI_SLOT_NONE = 0, /* not used in this plan */
    TNI_SLOT_CONST,    /* `constant` */
    TNI_SLOT_INPUT,    /* explicit input `index` */
    TNI_SLOT_CAPTURE,  /* captured value `index` */
    TNI_SLOT_BLOCK,    /* at `offset` of the frame's block */
    TNI_SLOT_ALIAS,    /* in slot `index`'s memory from `offset` on */
    TNI_SLOT_HEAP      /* from the run's arena when its step is reached */
} tni_slot_where;

/* A value of the graph, or one it captures, in a plan. */
typedef struct tni_slot {
    tni_type type;
    const tni_tensor *constant;
    const tni_tensor *settled; /* a raw constant as steps read it */
    bool read;                 /* the constant, by a step */
    tni_slot_where where;
    int index;
    size_t offset;
} tni_slot;

typedef struct tni_step {
    const tni_node *node;
    void (*run)(const tni_run *c); /* NULL: execute ref */
    const void *state;
    const char *precision; /* as in tni_plan */
    bool in_bf16, dynamic;
    int n_in, n_out;
    int *in, *out; /* slots, -1: omitted */
} tni_step;

struct tni_exec_plan {
    tni_arena arena;
    const tni_graph *graph;
    int64_t *key;
    size_t key_len;
    tni_slot *slots; /* graph->n_values, then graph->n_captures */
    int n_slots;
    tni_step *steps;
    int n_steps, n_dynamic, n_reference, n_bf16;
    int *aliases; /* slots with TNI_SLOT_ALIAS in order of definition */
    int n_aliases;
    size_t block_bytes, scratch_bytes;
    size_t peak_bytes;    /* the scratch behind the block, aligned */
    size_t weights_bytes; /* constants that steps read unpacked */
    size_t bytes;         /* of the plan itself */
    int refs;             /* frames using it, under the planner's lock */
    tni_exec_plan *next;
};

tn_status tni_planner_init(tni_planner *p, tni_mem *mem, tn_err *err);
void tni_planner_fini(tni_planner *p);

/*
 * The plan for these input and capture types, from the cache or made now;
 * give it back with tni_plan_release.
 * `captures` may be NULL when the graph has none. Threads: any.
 */
tn_status tni_plan_acquire(tni_exec_plan **out, tni_planner *p,
                           const tni_graph *graph, const tni_type *inputs,
                           int n_inputs, const tni_type *captures, tn_err *err);
void tni_plan_release(tni_planner *p, tni_exec_plan *plan);

/* The slot of a value that the plan's graph defines or captures, -1 if none. */
int tni_plan_slot(const tni_graph *graph, const tni_value *value);
/* The slot whose memory this one has a part of; itself when it is no alias. */
int tni_plan_root(const tni_exec_plan *plan, int slot);
/* Of a static tensor; too large to place when it overflows. */
size_t tni_plan_bytes(const tni_type *t);

/*
 * Infers a subgraph for an operator that is being inferred: declared inputs
 * get `in`, captured values the types of `scope`. Outputs it cannot tell stay
 * unknown; never fails for that reason.
 */
typedef struct tni_plan_scope {
    const tni_graph *graph;
    const tni_slot *slots;
    const struct tni_plan_scope *outer;
    tni_planner *planner;
    tni_arena *arena;
    int depth;
} tni_plan_scope;

tn_status tni_plan_infer_graph(tni_infer *c, const tni_graph *graph,
                               const tni_type *in, int n_in, tni_type *out);

/* Settles one node in hand (a dynamic step) with the operator's plan; leaves
 * result->run NULL when ref has to do it. Memory from `arena`. */
tn_status tni_plan_node(tni_plan *result, tni_planner *p, const tni_node *node,
                        const tni_type *const *in,
                        const tni_tensor *const *in_const,
                        const tni_type *const *out, tni_arena *arena,
                        tn_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weights.h - constants on their way from the model to kernels
 *
 * Most weights are read once: to be packed. They are taken from the file in
 * parts whose pages are let go at once, so that a session holds one copy. What
 * a step reads as it is must be plain (tensor/raw.h); a raw constant is then
 * copied, once per session. Everything here is under the planner's lock.
 */
#ifndef TN_SRC_EXEC_WEIGHTS_H
#define TN_SRC_EXEC_WEIGHTS_H

#include "ops/op.h"

enum { TNI_PACKED_BUCKETS = 256, TNI_SETTLED_BUCKETS = 64 };

typedef struct tni_packed tni_packed;
typedef struct tni_settled tni_settled;

typedef struct tni_weights {
    tni_mem *mem;
    tni_arena arena; /* the entries */
    tni_packed *packed[TNI_PACKED_BUCKETS];
    tni_settled *settled[TNI_SETTLED_BUCKETS];
    size_t packed_bytes;
    /* Parts of raw weights. Kept while a graph is planned: given back and asked
     * for by every node, it would leave holes in the C library's heap. */
    void *buffer;
    size_t buffer_bytes;
    /* Tells that these bytes, maybe of the model's file, have been read and
     * will not be for a while; NULL: nobody wants to know. */
    void (*drop)(void *ctx, const void *bytes, size_t size);
    void *drop_ctx;
} tni_weights;

void tni_weights_init(tni_weights *w, tni_mem *mem);
void tni_weights_fini(tni_weights *w);
/* Planning is over for now: gives back what only that needed. */
void tni_weights_rest(tni_weights *w);

/* One node's planning: what its plan function is given as host. */
typedef struct tni_packing {
    tni_weights *weights;
    bool shared; /* by all plans: it depends on the graph's constants alone */
    const void *read; /* the last part, to be let go */
    size_t read_bytes;
} tni_packing;

/* Connects c with w; the end is tni_weights_end. */
void tni_weights_begin(tni_packing *p, tni_weights *w, tni_plan *c,
                       bool shared);
void tni_weights_end(tni_packing *p, tni_plan *c);

/* The constant as kernels read it: itself, or the session's plain copy. */
tn_status tni_weights_settle(const tni_tensor **out, tni_weights *w,
                             const tni_tensor *t, tn_err *err);

#endif

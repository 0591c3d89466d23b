/* SPDX-License-Identifier: Apache-2.0 */
/*
 * move.h - moving elements: strided and mapped copies of any dtype
 *
 * A plan is computed once from shapes; running it only copies. Work is split
 * by output, so results never depend on the number of workers. Source and
 * destination must not overlap.
 */
#ifndef TN_SRC_OPS_MOVE_H
#define TN_SRC_OPS_MOVE_H

#include "kernels/transpose/transpose.h"
#include "ops/op.h"

/* Tile doubles the rank of its input before dimensions are merged. */
enum { TNI_COPY_RANK = 2 * TN_MAX_RANK };

typedef enum tni_copy_kind {
    TNI_COPY_ROWS,      /* both sides contiguous along the last dimension */
    TNI_COPY_FILL,      /* one source element for each row */
    TNI_COPY_TRANSPOSE, /* contiguous along different dimensions */
    TNI_COPY_STRIDED
} tni_copy_kind;

/* to[i · to_strides] = from[i · from_strides] for every index i of dims. */
typedef struct tni_copy {
    tni_copy_kind kind;
    size_t elem; /* bytes moved as one: 1, 2, 4, 8 or 16 */
    int rank;    /* at least 2 once initialised */
    int64_t len; /* elements; 0: nothing to do */
    int64_t dims[TNI_COPY_RANK];
    int64_t to[TNI_COPY_RANK];   /* bytes */
    int64_t from[TNI_COPY_RANK]; /* bytes */
    int64_t block[2];            /* of the last two dimensions, per unit */
    int64_t n_units, units_per_task;
    tni_transpose_fn turn; /* TRANSPOSE: a kernel, else plain C */
} tni_copy;

/* C-order strides in elements. */
void tni_strides(int64_t *strides, int rank, const int64_t *dims);
/* Product of n extents: a number, the one symbol among ones, or
 * TNI_DIM_UNKNOWN. */
int64_t tni_dims_product(int n, const int64_t *dims);
/* a * b of non-negative extents; TN_ELIMIT on overflow. */
tn_status tni_extent_mul(int64_t *out, int64_t a, int64_t b, tn_err *err);

/* Strides are in elements and may be zero (source) or negative. */
void tni_copy_init(tni_copy *p, size_t elem, int rank, const int64_t *dims,
                   const int64_t *to, const int64_t *from);
/* Lets a transposition use a kernel; NULL kernels change nothing. */
void tni_copy_tune(tni_copy *p, const struct tni_kernels *kernels);
/* `to` and `from` point at the element of index 0. */
void tni_copy_run(const tni_copy *p, void *to, const void *from,
                  const tni_par *par);

/*
 * to[i] = from[sum of at[d][i_d]], or *fill where any of them is -1. `at` has
 * offsets in elements.
 */
typedef struct tni_map {
    size_t elem;
    int rank; /* leading dimensions that have a map */
    int64_t dims[TN_MAX_RANK];
    const int64_t *at[TN_MAX_RANK];
    int64_t run; /* elements copied together after the mapped dimensions */
    int64_t len; /* products of dims */
} tni_map;

/* Trailing dimensions whose map is the identity are folded into `run`;
 * from_dims are those of the source. */
void tni_map_init(tni_map *m, size_t elem, int rank, const int64_t *dims,
                  const int64_t *from_dims, const int64_t *const *at);
void tni_map_run(const tni_map *m, void *to, const void *from,
                 const void *fill, const tni_par *par);

/* n elements of `elem` bytes become *value. */
void tni_fill(void *to, const void *value, size_t elem, int64_t n);

/* Elements of `from` into `to`, of the same size; nothing when they share
 * memory. Strings share their bytes. */
void tni_move(tni_tensor *to, const tni_tensor *from);

/* The ref and infer of operators whose output 0 is input 0 in another shape
 * end in this. */
tn_status tni_ref_reshaped(tni_ref *c, int rank, const int64_t *dims);

/* "float32[2,3]" of a tensor for messages; returns buf. */
char *tni_shape_text(char *buf, size_t size, const tni_tensor *t);

/* The first element of a tensor of any integer or float dtype, truncated;
 * TN_EINVAL when it has not exactly one element. `what` is for the message. */
tn_status tni_scalar_i64(int64_t *out, const tni_tensor *t, const char *what,
                         tn_err *err);
/* TN_EINVAL unless i is within [-n, n); negative counts from the end. */
tn_status tni_index(int64_t *out, int64_t i, int64_t n, tn_err *err);

/* The dtype in attribute `name` (a TensorProto number), `absent` without it;
 * TN_EINVAL when it is not one. */
tn_status tni_attr_dtype(tn_dtype *out, const tni_node *node, const char *name,
                         tn_dtype absent, tn_err *err);

#endif

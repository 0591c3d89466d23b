/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tensor.h - the one representation of a value, inside and outside
 *
 * A value is a dense tensor or a container. Elements lie in C order without
 * padding. 2- and 4-bit types hold one element per byte: the importer unpacks
 * them once, so that no operator has to know about nibbles.
 */
#ifndef TN_SRC_TENSOR_TENSOR_H
#define TN_SRC_TENSOR_TENSOR_H

#include "base/alloc.h"
#include "base/err.h"
#include "tenon/tensor.h"

#include <stdbool.h>

typedef struct tni_scaled tni_scaled; /* tensor/raw.h */

/* The public tn_tensor. Zeroed it is "no value". */
struct tn_tensor {
    tn_kind kind;
    tn_dtype dtype; /* MAP: of the keys; SEQUENCE: of the items, if tensors */
    int rank;
    int64_t dims[TN_MAX_RANK];
    int64_t len; /* TENSOR: product of dims; containers: items */
    /* TENSOR: elements (STRING: tn_string[]). SEQUENCE, OPTIONAL: an array of
     * `len` const tn_tensor pointers. MAP: two pointers, keys and values. */
    void *data;
    /* Storage when made by the public API; inside the library a tensor lives
     * in an arena and owner stays NULL. */
    struct tni_tensor_owner *owner;
    /* A constant that is computed when it is read, see tensor/raw.h; data is
     * NULL then. */
    const tni_scaled *scaled;
};

typedef struct tn_tensor tni_tensor;

/* Extent of a dimension that is not known; smaller values are symbols, see
 * graph/graph.h. */
#define TNI_DIM_UNKNOWN ((int64_t)-1)

static inline bool tni_is_float(tn_dtype t)
{
    return t == TN_F32 || t == TN_F64 || t == TN_F16 || t == TN_BF16;
}

static inline bool tni_is_signed_int(tn_dtype t)
{
    return t == TN_I8 || t == TN_I16 || t == TN_I32 || t == TN_I64;
}

static inline bool tni_is_unsigned_int(tn_dtype t)
{
    return t == TN_U8 || t == TN_U16 || t == TN_U32 || t == TN_U64;
}

/* Number of elements of a shape; false on a negative extent or overflow. */
bool tni_dims_len(int64_t *len, int rank, const int64_t *dims);

/* Bytes of `len` elements; false on overflow. */
bool tni_elems_size(size_t *size, tn_dtype dtype, int64_t len);

/* Fills kind, dtype, dims and len, leaves data alone; false as above. */
bool tni_tensor_set_shape(tni_tensor *t, tn_dtype dtype, int rank,
                          const int64_t *dims);

/* set_shape and 64-byte aligned, uninitialised elements from the arena
 * (strings: zeroed, so that each is a valid empty string). */
tn_status tni_tensor_alloc(tni_tensor *t, tni_arena *arena, tn_dtype dtype,
                           int rank, const int64_t *dims, tn_err *err);

/* Deep copy, containers and string bytes included. */
tn_status tni_tensor_copy(tni_tensor *to, const tni_tensor *from,
                          tni_arena *arena, tn_err *err);

bool tni_same_shape(const tni_tensor *a, const tni_tensor *b);
/* True when both are dense tensors of the same numbers, bit for bit; large ones
 * only when they are of the same memory. Raw ones may be given (raw.h). */
bool tni_same_tensor(const tni_tensor *a, const tni_tensor *b);

/* "float32[2,3,?]" into buf, always terminated; returns buf. */
char *tni_shape_format(char *buf, size_t size, tn_dtype dtype, int rank,
                       const int64_t *dims);

/* Element access for shape tensors and scalars: any integer or bool dtype
 * (get_i64, which also truncates floats), any numeric dtype (get_f64). */
int64_t tni_get_i64(const tni_tensor *t, int64_t i);
double tni_get_f64(const tni_tensor *t, int64_t i);
/* Stores v converted as Cast would (floats round, integers truncate). */
void tni_set_f64(tni_tensor *t, int64_t i, double v);

#define TNI_DATA(T, t)  ((T *)(t)->data)
#define TNI_CDATA(T, t) ((const T *)(t)->data)

#endif

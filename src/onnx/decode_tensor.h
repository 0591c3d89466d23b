/* SPDX-License-Identifier: Apache-2.0 */
/* decode_tensor.h - TensorProto and its relatives to values */
#ifndef TN_SRC_ONNX_DECODE_TENSOR_H
#define TN_SRC_ONNX_DECODE_TENSOR_H

#include "base/wire.h"
#include "tensor/raw.h"

/* Where a tensor keeps its bytes outside the file. */
typedef struct tni_external {
    tni_bytes location;
    uint64_t offset;
    uint64_t length;
    bool has_length;
} tni_external;

typedef struct tni_tensor_src {
    tni_arena *arena;
    const tn_limits *limits; /* filled in */
    /* The bytes outlive the arena: elements may stay where they are. */
    bool zero_copy;
    /* Large ones even at addresses their dtype does not allow: tensor/raw.h. */
    bool raw;
    /* Finds the bytes of external data, which outlive the arena; NULL when
     * external data is refused. */
    tn_status (*external)(void *host, const tni_external *e, size_t need,
                          tni_bytes *out, tn_err *err);
    void *host;
    tn_err *err;
} tni_tensor_src;

/* Messages that may nest below one whose limit is `nesting` (each level of
 * subgraph takes three). */
static inline int tni_wire_depth(const tn_limits *limits)
{
    return (int)limits->max_nesting * 3 + 8;
}

/*
 * Decodes a TensorProto: w is at its first byte and is used up. `name` (may be
 * NULL) receives the tensor's name. On failure err->where names the tensor.
 */
tn_status tni_decode_tensor(const tni_tensor_src *src, tni_wire *w,
                            tni_tensor *out, tni_bytes *name);

/* Decodes a SparseTensorProto into a dense tensor. */
tn_status tni_decode_sparse(const tni_tensor_src *src, tni_wire *w,
                            tni_tensor *out, tni_bytes *name);

/* Decodes a SequenceProto, OptionalProto or MapProto (onnx-data.proto). */
tn_status tni_decode_sequence(const tni_tensor_src *src, tni_wire *w,
                              tni_tensor *out, int depth);
tn_status tni_decode_optional(const tni_tensor_src *src, tni_wire *w,
                              tni_tensor *out, int depth);
tn_status tni_decode_map(const tni_tensor_src *src, tni_wire *w,
                         tni_tensor *out, int depth);

/* Elements of `n_bytes` little-endian bytes into dtype's memory form at `to`:
 * swapped on big-endian machines. */
void tni_copy_elems_le(void *to, const void *from, size_t n_bytes,
                       tn_dtype dtype, bool swap);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define TNI_BIG_ENDIAN 1
#else
#define TNI_BIG_ENDIAN 0
#endif

/* The same address without const, for tensors over read-only bytes. */
static inline void *tni_unconst(const void *p)
{
    return (void *)(uintptr_t)p;
}

#endif

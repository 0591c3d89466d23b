/* SPDX-License-Identifier: Apache-2.0 */
/*
 * raw.h - weights that are not in memory yet as kernels want to read them
 *
 * A weight may lie in its file at an odd address, or stand for another one
 * whose rows a pass has scaled, or that is of halves. Such a tensor is raw: what
 * packs weights reads it in parts, and nobody else needs a second copy of the
 * file in memory.
 * Only constants of graphs may be raw; kernels, references and callers get
 * plain tensors.
 */
#ifndef TN_SRC_TENSOR_RAW_H
#define TN_SRC_TENSOR_RAW_H

#include "tensor/tensor.h"

/* Smaller tensors are made plain where they are decoded or computed: all that
 * is read element by element (shapes, axes, biases, scales) is below this. */
enum { TNI_RAW_MIN_BYTES = 1 << 16 };

/* Row i along the first dimension is row i of `from` times by[i]. The tensor's
 * data is NULL, its dtype float32. */
struct tni_scaled {
    const void *from; /* at any address */
    tn_dtype dtype;   /* of those: float32, float16 or bfloat16 */
    const double *by; /* NULL: as they are */
};

/* Bytes of one number in an element: 4 for a complex64. */
size_t tni_dtype_part(tn_dtype dtype);

/* False for a raw tensor. */
bool tni_tensor_is_plain(const tni_tensor *t);
/* Writes elements [at, at + len) of a tensor, raw or not, to aligned memory. */
void tni_tensor_read(void *to, const tni_tensor *t, size_t at, size_t len);
/* Where those elements come from, for letting the memory go; *size in bytes. */
const void *tni_tensor_source(const tni_tensor *t, size_t at, size_t len,
                              size_t *size);
/* A plain copy of a raw tensor; a plain one keeps its elements. */
tn_status tni_tensor_settle(tni_tensor *to, const tni_tensor *from,
                            tni_arena *arena, tn_err *err);

#endif

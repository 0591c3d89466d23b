/* SPDX-License-Identifier: Apache-2.0 */
/* value.h - storage of values made by the public API */
#ifndef TN_SRC_TENSOR_VALUE_H
#define TN_SRC_TENSOR_VALUE_H

#include "tensor/tensor.h"

typedef struct tni_tensor_owner {
    tni_tensor tensor;
    tni_mem mem;
    tni_arena arena; /* elements, strings, items */
} tni_tensor_owner;

/* An empty value and the arena its parts go to; freed by tn_tensor_free. */
tn_status tni_value_new(tn_tensor **out, tni_arena **arena,
                        const tn_allocator *allocator, tn_err *err);

#endif

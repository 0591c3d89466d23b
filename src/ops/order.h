/* SPDX-License-Identifier: Apache-2.0 */
/* order.h - putting elements of any dtype in order */
#ifndef TN_SRC_OPS_ORDER_H
#define TN_SRC_OPS_ORDER_H

#include "ops/op.h"

/* Where NaN stands. */
typedef enum tni_nan { TNI_NAN_LAST, TNI_NAN_FIRST } tni_nan;

/*
 * keys[i] orders as element first + i * step does, for n elements of any
 * numeric or bool dtype; both zeros are one value, and so are all NaNs.
 */
void tni_order_keys(uint64_t *keys, const tni_tensor *t, int64_t first,
                    int64_t step, int64_t n, tni_nan nan);

/* Bytewise, a prefix before the longer. */
int tni_string_compare(const tn_string *a, const tn_string *b);

/* True when item a comes before item b; a strict total order (break ties by
 * the number of the item). */
typedef bool (*tni_before_fn)(const void *ctx, int64_t a, int64_t b);

/* The first k of items 0 … n-1 in order into out[k]; k <= n. A heap of k. */
void tni_order_first(int64_t *out, int64_t k, int64_t n, tni_before_fn before,
                     const void *ctx);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* cumulate.h - running sums and products along an axis */
#ifndef TN_SRC_OPS_CUMULATE_H
#define TN_SRC_OPS_CUMULATE_H

#include "ops/elementwise.h"

/* Along a line of neighbours: n >= 1 elements from y and x on, each `step` (1
 * or -1) from the last. */
typedef void (*tni_cumulate_fn)(void *y, const void *x, size_t n,
                                ptrdiff_t step, bool exclusive);

typedef struct tni_cumulate {
    const tni_ew_zip *zip; /* total, element */
    tni_cumulate_fn line[TN_DTYPE_COUNT];
    double identity; /* first element of an exclusive total */
} tni_cumulate;

/* A line of T, computed in W; `expr` uses total and x. */
#define TNI_CUMULATE_LINE(name, T, W, identity, expr)                          \
    static void name(void *to, const void *from, size_t n, ptrdiff_t step,     \
                     bool exclusive)                                           \
    {                                                                          \
        const T *a = from;                                                     \
        T *y = to;                                                             \
        W total = (identity);                                                  \
        for (size_t i = 0; i < n; i++) {                                       \
            const ptrdiff_t at = (ptrdiff_t)i * step;                          \
            const W x = (W)a[at];                                              \
            const W next = i == 0 ? x : (expr);                                \
            y[at] = (T)(exclusive ? total : next);                             \
            total = exclusive ? (W)(expr) : next;                              \
        }                                                                      \
    }

#define TNI_CUMULATE_DTYPES                                                    \
    (TNI_FLOATS | TNI_T(TN_I32) | TNI_T(TN_I64) | TNI_T(TN_U32) | TNI_T(TN_U64))

extern const tni_attr_spec tni_cumulate_attrs[2];

tn_status tni_cumulate_ref(tni_ref *c, const tni_cumulate *op);
tn_status tni_cumulate_plan(tni_plan *c, const tni_cumulate *op);

#endif

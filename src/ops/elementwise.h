/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elementwise.h - what elementwise operators are made of
 *
 * An operator of this family is a table of typed loops: tni_ew_map for one input,
 * tni_ew_zip for two with NumPy broadcasting, tni_ew_fold for any number. From the
 * table come its ref and its run. Halves and fp8 have no loops of their own:
 * they pass through the float loop in blocks and are rounded once.
 *
 * Work is split by output into pieces that depend on the shape alone, so the
 * bits are the same for any number of threads. Every loop works when the
 * output is one of the inputs.
 */
#ifndef TN_SRC_OPS_ELEMENTWISE_H
#define TN_SRC_OPS_ELEMENTWISE_H

#include "kernels/kernels.h"
#include "ops/bcast.h"
#include "ops/convert.h"
#include "ops/infer.h"

/* --- narrow floats ------------------------------------------------------ */

/* Halves and smaller floats to and from float; cvt may be NULL. */
void tni_widen(const tni_cvt_kernels *cvt, float *to, const void *from,
               tn_dtype dtype, size_t n);
void tni_narrow(const tni_cvt_kernels *cvt, void *to, tn_dtype dtype,
                const float *from, size_t n);

/* --- one input --------------------------------------------------------- */

/* Numbers that the loops of an operator take from its attributes. */
typedef struct tni_ew_args {
    float f[3]; /* what a kernel gets as params */
    int64_t i;
    const void *p[2]; /* scalars of the loop's own dtype */
} tni_ew_args;

typedef void (*tni_ew_map_fn)(void *y, const void *x, size_t n,
                              const tni_ew_args *args);

typedef struct tni_ew_map {
    tni_ew_map_fn fn[TN_DTYPE_COUNT]; /* by input dtype */
    bool to_bool;    /* else the output has the input's dtype */
    bool has_kernel; /* for f32, and what passes through f32 */
    tni_unary_op kernel;
    void (*args)(tni_ew_args *args, const tni_node *node); /* NULL: none */
} tni_ew_map;

tn_status tni_ew_map_ref(tni_ref *c, const tni_ew_map *map);
tn_status tni_ew_map_plan(tni_plan *c, const tni_ew_map *map);

/* One map applied to elements in memory, with given arguments. */
void tni_ew_map_apply(const tni_par *par, const tni_ew_map *map, tn_dtype dtype,
                      const tni_ew_args *args, void *y, const void *x,
                      size_t n);
/* The same with what the kernels have for it; NULL: as above. */
void tni_ew_map_apply_kernel(const tni_par *par, const tni_ew_map *map,
                             const tni_kernels *kernels, tn_dtype dtype,
                             const tni_ew_args *args, void *y, const void *x,
                             size_t n);

/* A loop from T to R; `expr` uses x (a T) and args. */
#define TNI_MAP_LOOP(name, T, R, expr)                                         \
    static void name(void *to, const void *from, size_t n,                     \
                     const tni_ew_args *args)                                  \
    {                                                                          \
        const T *a = from;                                                     \
        R *y = to;                                                             \
        (void)args;                                                            \
        for (size_t i = 0; i < n; i++) {                                       \
            const T x = a[i];                                                  \
            y[i] = (R)(expr);                                                  \
        }                                                                      \
    }

/* --- two inputs -------------------------------------------------------- */

/* sx and sy are 0 or 1. */
typedef void (*tni_ew_zip_fn)(void *z, const void *x, const void *y, size_t n,
                              size_t sx, size_t sy, const tni_ew_args *args);

typedef struct tni_ew_zip {
    tni_ew_zip_fn fn[TN_DTYPE_COUNT]; /* by input dtype */
    bool to_bool;
    bool has_kernel; /* for f32, and what passes through f32 */
    tni_binary_op kernel;
    bool divides; /* an integer 0 in input 1 is TN_EINVAL */
    /* Lays input 1 under input 0; NULL: tni_ew_place. */
    tn_status (*place)(tni_shape *b, const tni_shape *a, const tni_node *node,
                       tn_err *err);
    void (*args)(tni_ew_args *args, const tni_node *node);
} tni_ew_zip;

tn_status tni_ew_zip_ref(tni_ref *c, const tni_ew_zip *zip);
tn_status tni_ew_zip_plan(tni_plan *c, const tni_ew_zip *zip);

/* A loop from two T to R; `expr` uses x and y (of type W, widened) and args. */
#define TNI_ZIP_LOOP(name, T, W, R, expr)                                      \
    static void name(void *to, const void *from_x, const void *from_y,         \
                     size_t n, size_t sx, size_t sy, const tni_ew_args *args)  \
    {                                                                          \
        const T *a = from_x, *b = from_y;                                      \
        R *z = to;                                                             \
        (void)args;                                                            \
        if (sx != 0 && sy != 0) {                                              \
            for (size_t i = 0; i < n; i++) {                                   \
                const W x = (W)a[i], y = (W)b[i];                              \
                z[i] = (R)(expr);                                              \
            }                                                                  \
        } else if (sx != 0) {                                                  \
            const W y = (W)b[0];                                               \
            for (size_t i = 0; i < n; i++) {                                   \
                const W x = (W)a[i];                                           \
                z[i] = (R)(expr);                                              \
            }                                                                  \
        } else {                                                               \
            const W x = (W)a[0];                                               \
            for (size_t i = 0; i < n; i++) {                                   \
                const W y = (W)b[i * sy];                                      \
                z[i] = (R)(expr);                                              \
            }                                                                  \
        }                                                                      \
    }

/* The eight integer loops of an operator, computed in an unsigned type of at
 * least 32 bits, so that overflow wraps as two's complement does. */
#define TNI_ZIP_WRAP_LOOPS(name, expr)                                         \
    TNI_ZIP_LOOP(name##_i8, int8_t, uint32_t, int8_t, expr)                    \
    TNI_ZIP_LOOP(name##_u8, uint8_t, uint32_t, uint8_t, expr)                  \
    TNI_ZIP_LOOP(name##_i16, int16_t, uint32_t, int16_t, expr)                 \
    TNI_ZIP_LOOP(name##_u16, uint16_t, uint32_t, uint16_t, expr)               \
    TNI_ZIP_LOOP(name##_i32, int32_t, uint32_t, int32_t, expr)                 \
    TNI_ZIP_LOOP(name##_u32, uint32_t, uint32_t, uint32_t, expr)               \
    TNI_ZIP_LOOP(name##_i64, int64_t, uint64_t, int64_t, expr)                 \
    TNI_ZIP_LOOP(name##_u64, uint64_t, uint64_t, uint64_t, expr)

/* The eight integer loops in the dtype itself. */
#define TNI_ZIP_INT_LOOPS(name, expr)                                          \
    TNI_ZIP_LOOP(name##_i8, int8_t, int8_t, int8_t, expr)                      \
    TNI_ZIP_LOOP(name##_u8, uint8_t, uint8_t, uint8_t, expr)                   \
    TNI_ZIP_LOOP(name##_i16, int16_t, int16_t, int16_t, expr)                  \
    TNI_ZIP_LOOP(name##_u16, uint16_t, uint16_t, uint16_t, expr)               \
    TNI_ZIP_LOOP(name##_i32, int32_t, int32_t, int32_t, expr)                  \
    TNI_ZIP_LOOP(name##_u32, uint32_t, uint32_t, uint32_t, expr)               \
    TNI_ZIP_LOOP(name##_i64, int64_t, int64_t, int64_t, expr)                  \
    TNI_ZIP_LOOP(name##_u64, uint64_t, uint64_t, uint64_t, expr)

/* All numeric loops of a comparison. */
#define TNI_ZIP_COMPARE_LOOPS(name, expr)                                      \
    TNI_ZIP_LOOP(name##_f32, float, float, uint8_t, expr)                      \
    TNI_ZIP_LOOP(name##_f64, double, double, uint8_t, expr)                    \
    TNI_ZIP_LOOP(name##_i8, int8_t, int8_t, uint8_t, expr)                     \
    TNI_ZIP_LOOP(name##_u8, uint8_t, uint8_t, uint8_t, expr)                   \
    TNI_ZIP_LOOP(name##_i16, int16_t, int16_t, uint8_t, expr)                  \
    TNI_ZIP_LOOP(name##_u16, uint16_t, uint16_t, uint8_t, expr)                \
    TNI_ZIP_LOOP(name##_i32, int32_t, int32_t, uint8_t, expr)                  \
    TNI_ZIP_LOOP(name##_u32, uint32_t, uint32_t, uint8_t, expr)                \
    TNI_ZIP_LOOP(name##_i64, int64_t, int64_t, uint8_t, expr)                  \
    TNI_ZIP_LOOP(name##_u64, uint64_t, uint64_t, uint8_t, expr)

/* Initialisers of a table's fn: `.fn = {TNI_LOOPS_FLOAT(add), …}`. */
#define TNI_LOOPS_FLOAT(name) [TN_F32] = name##_f32, [TN_F64] = name##_f64
#define TNI_LOOPS_SINT(name)                                                   \
    [TN_I8] = name##_i8, [TN_I16] = name##_i16, [TN_I32] = name##_i32,         \
    [TN_I64] = name##_i64
#define TNI_LOOPS_UINT(name)                                                   \
    [TN_U8] = name##_u8, [TN_U16] = name##_u16, [TN_U32] = name##_u32,         \
    [TN_U64] = name##_u64
#define TNI_LOOPS_INT(name) TNI_LOOPS_SINT(name), TNI_LOOPS_UINT(name)

/* --- any number of inputs ---------------------------------------------- */

/* Folds the inputs from the left with `zip`, then divides by their number when
 * `mean` is set (floats only). */
typedef struct tni_ew_fold {
    const tni_ew_zip *zip;
    bool mean;
} tni_ew_fold;

tn_status tni_ew_fold_ref(tni_ref *c, const tni_ew_fold *fold);
tn_status tni_ew_fold_plan(tni_plan *c, const tni_ew_fold *fold);

/* --- signatures of opsets 1 to 6 --------------------------------------- */

/* Binary operators before opset 7: `broadcast`, `axis`, and the ignored
 * `consumed_inputs`; the output has the shape of input 0. */
extern const tni_attr_spec tni_ew_legacy_attrs[3];
/* Only `consumed_inputs`, of unary operators in opset 1. */
extern const tni_attr_spec tni_ew_consumed_attrs[1];

tn_status tni_infer_legacy(tni_infer *c);
tn_status tni_infer_legacy_compare(tni_infer *c);
/* Output 0 has the shape of input 0 and is bool. */
tn_status tni_infer_unary_bool(tni_infer *c);

/* Places input 1's shape under input 0's as the attribute `axis` asks. */
tn_status tni_ew_place(tni_shape *b, const tni_shape *a, const tni_node *node,
                       tn_err *err);

#endif

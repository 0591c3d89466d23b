/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convert.c - elements of one dtype to another, as ONNX Cast defines it
 *
 * Two steps in blocks that stay in the first cache: any dtype to the widest
 * of its kind (float, double, int64 or uint64), and from there to any dtype.
 * A step that would change nothing is left out.
 */
#include "ops/convert.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 256 };

/* What a dtype is widened to. */
typedef enum wide_kind {
    WIDE_NONE,
    WIDE_F32,
    WIDE_F64,
    WIDE_I64,
    WIDE_U64
} wide_kind;

static wide_kind wide_of(tn_dtype dtype)
{
    switch (dtype) {
    case TN_F32:
    case TN_F16:
    case TN_BF16:
    case TN_F8E4M3FN:
    case TN_F8E4M3FNUZ:
    case TN_F8E5M2:
    case TN_F8E5M2FNUZ:
    case TN_F4E2M1:
    case TN_F8E8M0: return WIDE_F32;
    case TN_F64: return WIDE_F64;
    case TN_U8:
    case TN_I8:
    case TN_U16:
    case TN_I16:
    case TN_I32:
    case TN_I64:
    case TN_BOOL:
    case TN_U32:
    case TN_U4:
    case TN_I4:
    case TN_U2:
    case TN_I2: return WIDE_I64;
    case TN_U64: return WIDE_U64;
    default: return WIDE_NONE;
    }
}

bool tni_can_convert(tn_dtype dtype)
{
    return wide_of(dtype) != WIDE_NONE;
}

/* --- widening ---------------------------------------------------------- */

#define WIDEN(T, expr)                                                         \
    do {                                                                       \
        const T *x = from;                                                     \
        for (size_t i = 0; i < n; i++) to[i] = (expr);                         \
        return;                                                                \
    } while (0)

static void widen_f32(float *to, const void *from, tn_dtype dtype, size_t n)
{
    switch (dtype) {
    case TN_F32: memcpy(to, from, n * sizeof *to); return;
    case TN_F16: WIDEN(uint16_t, tni_f16_to_f32(x[i]));
    case TN_BF16: WIDEN(uint16_t, tni_bf16_to_f32(x[i]));
    default: WIDEN(uint8_t, tni_f8_to_f32(dtype, x[i]));
    }
}

static void widen_i64(int64_t *to, const void *from, tn_dtype dtype, size_t n)
{
    switch (dtype) {
    case TN_I8:
    case TN_I4:
    case TN_I2: WIDEN(int8_t, x[i]);
    case TN_U8:
    case TN_U4:
    case TN_U2: WIDEN(uint8_t, x[i]);
    case TN_BOOL: WIDEN(uint8_t, x[i] != 0);
    case TN_I16: WIDEN(int16_t, x[i]);
    case TN_U16: WIDEN(uint16_t, x[i]);
    case TN_I32: WIDEN(int32_t, x[i]);
    case TN_U32: WIDEN(uint32_t, x[i]);
    default: memcpy(to, from, n * sizeof *to); return;
    }
}

#undef WIDEN

/* --- narrowing --------------------------------------------------------- */

/* Rounds to odd: a later rounding to fewer bits then gives what one rounding
 * of the double would have given. */
static float f64_to_f32_odd(double v)
{
    const float f = (float)v;
    const uint32_t bits = tni_f32_bits(f);
    if ((double)f == v || v != v || (bits & 1u) != 0) return f;
    if ((bits & 0x7fffffffu) == 0x7f800000u) /* overflow: largest finite */
        return isinf(v) ? f : tni_bits_f32(bits - 1u);
    return tni_bits_f32(fabs((double)f) < fabs(v) ? bits + 1u : bits - 1u);
}

static uint8_t f32_to_e8m0(float v, const tni_convert_mode *mode)
{
    const uint32_t bits = tni_f32_bits(v);
    const uint32_t frac = bits & 0x7fffffu;
    uint32_t exp = (bits >> 23) & 0xffu;
    if (exp == 0xff) return frac == 0 && !mode->no_saturate ? 0xfe : 0xff;
    bool up = false;
    if (mode->round == TNI_ROUND_UP)
        up = frac != 0;
    else if (mode->round == TNI_ROUND_NEAREST)
        up = frac > 0x400000u || (frac == 0x400000u && exp > 0);
    if (up && !(exp == 0xfe && !mode->no_saturate)) exp++;
    return (uint8_t)exp;
}

#define NARROW(T, expr)                                                        \
    do {                                                                       \
        T *y = to;                                                             \
        for (size_t i = 0; i < n; i++) y[i] = (T)(expr);                       \
        return;                                                                \
    } while (0)

/* Two's complement of 4 and 2 bits, one element per byte. */
#define INT4(v) ((((v)&15) ^ 8) - 8)
#define INT2(v) ((((v)&3) ^ 2) - 2)

static void narrow_f64(void *to, tn_dtype dtype, const double *x, size_t n,
                       const tni_convert_mode *mode)
{
    switch (dtype) {
    case TN_F32: NARROW(float, x[i]);
    case TN_F64: memcpy(to, x, n * sizeof *x); return;
    case TN_F16: NARROW(uint16_t, tni_f32_to_f16(f64_to_f32_odd(x[i])));
    case TN_BF16: NARROW(uint16_t, tni_f32_to_bf16(f64_to_f32_odd(x[i])));
    case TN_U8: NARROW(uint8_t, tni_f64_to_i32(x[i]));
    case TN_I8: NARROW(int8_t, tni_f64_to_i32(x[i]));
    case TN_U16: NARROW(uint16_t, tni_f64_to_i32(x[i]));
    case TN_I16: NARROW(int16_t, tni_f64_to_i32(x[i]));
    case TN_U32: NARROW(uint32_t, tni_f64_to_i64(x[i]));
    case TN_I32: NARROW(int32_t, tni_f64_to_i32(x[i]));
    case TN_U64: NARROW(uint64_t, tni_f64_to_u64(x[i]));
    case TN_I64: NARROW(int64_t, tni_f64_to_i64(x[i]));
    case TN_BOOL: NARROW(uint8_t, x[i] != 0.0);
    case TN_U4: NARROW(uint8_t, tni_f64_to_i32(x[i]) & 15);
    case TN_I4: NARROW(int8_t, INT4(tni_f64_to_i32(x[i])));
    case TN_U2: NARROW(uint8_t, tni_f64_to_i32(x[i]) & 3);
    case TN_I2: NARROW(int8_t, INT2(tni_f64_to_i32(x[i])));
    case TN_F8E8M0: NARROW(uint8_t, f32_to_e8m0(f64_to_f32_odd(x[i]), mode));
    default:
        NARROW(uint8_t,
               tni_f32_to_f8(dtype, f64_to_f32_odd(x[i]), !mode->no_saturate));
    }
}

static void narrow_f32(void *to, tn_dtype dtype, const float *x, size_t n,
                       const tni_convert_mode *mode)
{
    switch (dtype) {
    case TN_F32: memcpy(to, x, n * sizeof *x); return;
    case TN_F64: NARROW(double, x[i]);
    case TN_F16: NARROW(uint16_t, tni_f32_to_f16(x[i]));
    case TN_BF16: NARROW(uint16_t, tni_f32_to_bf16(x[i]));
    case TN_U8: NARROW(uint8_t, tni_f64_to_i32((double)x[i]));
    case TN_I8: NARROW(int8_t, tni_f64_to_i32((double)x[i]));
    case TN_U16: NARROW(uint16_t, tni_f64_to_i32((double)x[i]));
    case TN_I16: NARROW(int16_t, tni_f64_to_i32((double)x[i]));
    case TN_U32: NARROW(uint32_t, tni_f64_to_i64((double)x[i]));
    case TN_I32: NARROW(int32_t, tni_f64_to_i32((double)x[i]));
    case TN_U64: NARROW(uint64_t, tni_f64_to_u64((double)x[i]));
    case TN_I64: NARROW(int64_t, tni_f64_to_i64((double)x[i]));
    case TN_BOOL: NARROW(uint8_t, x[i] != 0.0f);
    case TN_U4: NARROW(uint8_t, tni_f64_to_i32((double)x[i]) & 15);
    case TN_I4: NARROW(int8_t, INT4(tni_f64_to_i32((double)x[i])));
    case TN_U2: NARROW(uint8_t, tni_f64_to_i32((double)x[i]) & 3);
    case TN_I2: NARROW(int8_t, INT2(tni_f64_to_i32((double)x[i])));
    case TN_F8E8M0: NARROW(uint8_t, f32_to_e8m0(x[i], mode));
    default: NARROW(uint8_t, tni_f32_to_f8(dtype, x[i], !mode->no_saturate));
    }
}

/* To a float of any kind; false when dtype is not one. */
static bool narrow_i64_float(void *to, tn_dtype dtype, const int64_t *x,
                             bool is_unsigned, size_t n,
                             const tni_convert_mode *mode)
{
    if (dtype == TN_F64) {
        double *y = to;
        for (size_t i = 0; i < n; i++)
            y[i] = is_unsigned ? (double)(uint64_t)x[i] : (double)x[i];
        return true;
    }
    if (wide_of(dtype) != WIDE_F32) return false;
    float wide[BLOCK];
    const size_t size = tn_dtype_size(dtype);
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t m = n - i < BLOCK ? n - i : BLOCK;
        float *y = dtype == TN_F32 ? (float *)to + i : wide;
        for (size_t j = 0; j < m; j++)
            y[j] = is_unsigned ? (float)(uint64_t)x[i + j] : (float)x[i + j];
        if (y == wide) narrow_f32((char *)to + i * size, dtype, wide, m, mode);
    }
    return true;
}

static void narrow_i64(void *to, tn_dtype dtype, const int64_t *x,
                       bool is_unsigned, size_t n, const tni_convert_mode *mode)
{
    if (narrow_i64_float(to, dtype, x, is_unsigned, n, mode)) return;
    switch (dtype) {
    case TN_U8: NARROW(uint8_t, x[i]);
    case TN_I8: NARROW(int8_t, x[i]);
    case TN_U16: NARROW(uint16_t, x[i]);
    case TN_I16: NARROW(int16_t, x[i]);
    case TN_U32: NARROW(uint32_t, x[i]);
    case TN_I32: NARROW(int32_t, x[i]);
    case TN_BOOL: NARROW(uint8_t, x[i] != 0);
    case TN_U4: NARROW(uint8_t, x[i] & 15);
    case TN_I4: NARROW(int8_t, INT4(x[i]));
    case TN_U2: NARROW(uint8_t, x[i] & 3);
    case TN_I2: NARROW(int8_t, INT2(x[i]));
    default: memcpy(to, x, n * sizeof *x); return;
    }
}

#undef NARROW

/* --- both -------------------------------------------------------------- */

static void convert_block(void *to, tn_dtype to_dtype, const void *from,
                          tn_dtype from_dtype, size_t n,
                          const tni_convert_mode *mode)
{
    union {
        float f32[BLOCK];
        int64_t i64[BLOCK];
    } wide;
    if (wide_of(from_dtype) == WIDE_F32) {
        widen_f32(wide.f32, from, from_dtype, n);
        narrow_f32(to, to_dtype, wide.f32, n, mode);
    } else {
        widen_i64(wide.i64, from, from_dtype, n);
        narrow_i64(to, to_dtype, wide.i64, false, n, mode);
    }
}

/* Straight to float, where that takes no rounding beyond the one there is;
 * false for dtypes that go by way of int64. */
static bool ints_to_f32(float *y, const void *from, tn_dtype dtype, size_t n)
{
#define LOOP(T)                                                                \
    do {                                                                       \
        const T *x = from;                                                     \
        for (size_t i = 0; i < n; i++) y[i] = (float)x[i];                     \
        return true;                                                           \
    } while (0)
    switch (dtype) {
    case TN_U8:
    case TN_U4:
    case TN_U2: LOOP(uint8_t);
    case TN_I8:
    case TN_I4:
    case TN_I2: LOOP(int8_t);
    case TN_U16: LOOP(uint16_t);
    case TN_I16: LOOP(int16_t);
    case TN_I32: LOOP(int32_t);
    default: return false;
    }
#undef LOOP
}

void tni_convert(void *to, tn_dtype to_dtype, const void *from,
                 tn_dtype from_dtype, size_t n, const tni_convert_mode *mode)
{
    static const tni_convert_mode defaults = {false, TNI_ROUND_UP};
    if (mode == NULL) mode = &defaults;
    const size_t to_size = tn_dtype_size(to_dtype);
    const size_t from_size = tn_dtype_size(from_dtype);
    if (n == 0) return;
    if (to_dtype == from_dtype) {
        if (to != from) memcpy(to, from, n * to_size);
    } else if (from_dtype == TN_F64) {
        narrow_f64(to, to_dtype, from, n, mode);
    } else if (from_dtype == TN_F32) {
        narrow_f32(to, to_dtype, from, n, mode);
    } else if (from_dtype == TN_I64 || from_dtype == TN_U64) {
        narrow_i64(to, to_dtype, from, from_dtype == TN_U64, n, mode);
    } else if (to_dtype == TN_F32 && wide_of(from_dtype) == WIDE_F32) {
        widen_f32(to, from, from_dtype, n);
    } else if (to_dtype == TN_F32 && ints_to_f32(to, from, from_dtype, n)) {
        return;
    } else if (to_dtype == TN_I64 && wide_of(from_dtype) == WIDE_I64) {
        widen_i64(to, from, from_dtype, n);
    } else {
        for (size_t i = 0; i < n; i += BLOCK)
            convert_block((char *)to + i * to_size, to_dtype,
                          (const char *)from + i * from_size, from_dtype,
                          n - i < BLOCK ? n - i : BLOCK, mode);
    }
}

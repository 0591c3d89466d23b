/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smallfloat.c - fp8, fp4 and e8m0 to and from float
 *
 * One description per format drives both directions: exponent and mantissa
 * bits, bias, and which codes are special. Encoding searches no tables: the
 * value is scaled to an integer count of the format's smallest step at its
 * exponent and rounded half to even.
 * Source: onnx.ai/onnx/technical/float8.html, float4.html; OCP MX v1.0.
 */
#include "tensor/half.h"

#include <math.h>

typedef struct small_format {
    int exp_bits, man_bits, bias;
    bool has_inf;      /* exponent all ones is inf/NaN as in IEEE */
    bool nan_all_ones; /* S.1111.111 is NaN */
    bool nan_neg_zero; /* 0x80 is NaN and there is no negative zero */
    bool has_nan;
} small_format;

static bool format_of(small_format *f, tn_dtype dtype)
{
    static const small_format e4m3fn = {4, 3, 7, false, true, false, true};
    static const small_format e4m3fnuz = {4, 3, 8, false, false, true, true};
    static const small_format e5m2 = {5, 2, 15, true, false, false, true};
    static const small_format e5m2fnuz = {5, 2, 16, false, false, true, true};
    static const small_format e2m1 = {2, 1, 1, false, false, false, false};
    switch (dtype) {
    case TN_F8E4M3FN: *f = e4m3fn; return true;
    case TN_F8E4M3FNUZ: *f = e4m3fnuz; return true;
    case TN_F8E5M2: *f = e5m2; return true;
    case TN_F8E5M2FNUZ: *f = e5m2fnuz; return true;
    case TN_F4E2M1: *f = e2m1; return true;
    default: return false;
    }
}

float tni_f8_to_f32(tn_dtype dtype, uint8_t v)
{
    if (dtype == TN_F8E8M0)
        return v == 0xff ? NAN : ldexpf(1.0f, (int)v - 127);
    small_format f;
    if (!format_of(&f, dtype)) return NAN;
    const int width = f.exp_bits + f.man_bits;
    const int sign = (v >> width) & 1;
    const int exp = (v >> f.man_bits) & ((1 << f.exp_bits) - 1);
    const int man = v & ((1 << f.man_bits) - 1);
    const int exp_ones = (1 << f.exp_bits) - 1;
    const int man_ones = (1 << f.man_bits) - 1;
    if (f.nan_neg_zero && sign != 0 && exp == 0 && man == 0) return NAN;
    if (f.nan_all_ones && exp == exp_ones && man == man_ones) return NAN;
    if (f.has_inf && exp == exp_ones) {
        if (man != 0) return NAN;
        return sign != 0 ? -INFINITY : INFINITY;
    }
    const float mag =
        exp == 0 ? ldexpf((float)man, 1 - f.bias - f.man_bits)
                 : ldexpf((float)(man + (1 << f.man_bits)),
                          exp - f.bias - f.man_bits);
    return sign != 0 ? -mag : mag;
}

/* Largest finite code without sign. */
static int max_code(const small_format *f)
{
    const int all = (1 << (f->exp_bits + f->man_bits)) - 1;
    if (f->has_inf) return all - (1 << f->man_bits);
    return f->nan_all_ones ? all - 1 : all;
}

static uint8_t e8m0_from(float x, bool saturate)
{
    if (isnan(x)) return 0xff;
    const float mag = fabsf(x);
    if (isinf(mag)) return saturate ? 0xfe : 0xff;
    if (mag == 0.0f) return 0;
    int exp = 0;
    /* mag = m * 2^exp, m in [0.5, 1): rounding half up to the next power. */
    const float m = frexpf(mag, &exp);
    int code = exp - 1 + 127 + (m >= 0.75f ? 1 : 0);
    if (code < 0) code = 0;
    if (code > 254) code = saturate ? 254 : 255;
    return (uint8_t)code;
}

uint8_t tni_f32_to_f8(tn_dtype dtype, float x, bool saturate)
{
    if (dtype == TN_F8E8M0) return e8m0_from(x, saturate);
    small_format f;
    if (!format_of(&f, dtype)) return 0;
    const int width = f.exp_bits + f.man_bits;
    const unsigned sign = signbit(x) ? 1u << width : 0u;
    const unsigned ones = (1u << width) - 1u;
    const unsigned nan_code = f.nan_neg_zero ? 1u << width
                              : f.nan_all_ones ? sign | ones
                              : f.has_inf      ? sign | ones
                                               : 1u << width; /* -0 */
    if (isnan(x)) return (uint8_t)nan_code;
    const float mag = fabsf(x);
    const unsigned top = (unsigned)max_code(&f);
    if (isinf(mag)) {
        if (!f.has_nan || saturate) return (uint8_t)(sign | top);
        return (uint8_t)(f.has_inf ? sign | (top + 1u) : nan_code);
    }
    int exp = 0;
    (void)frexpf(mag, &exp);
    int e = exp - 1; /* mag in [2^e, 2^(e+1)) */
    if (mag == 0.0f || e < 1 - f.bias) e = 1 - f.bias;
    /* Count of steps of 2^(e - man_bits), rounded half to even. */
    const double steps = nearbyint(ldexp((double)mag, f.man_bits - e));
    /* Codes are consecutive: subnormals from 0, then each exponent. */
    const double code = steps + (double)((e - (1 - f.bias)) << f.man_bits);
    unsigned c = code > (double)top ? top + 1u : (unsigned)code;
    if (c > top) {
        if (saturate || !f.has_nan) return (uint8_t)(sign | top);
        return (uint8_t)(f.has_inf ? sign | (top + 1u) : nan_code);
    }
    if (c == 0 && f.nan_neg_zero) return 0;
    return (uint8_t)(sign | c);
}

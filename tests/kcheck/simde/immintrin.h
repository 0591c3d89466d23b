/* SPDX-License-Identifier: Apache-2.0 */
/*
 * immintrin.h - x86 intrinsics in portable C, by SIMDe, for kcheck-emu512
 *
 * Found before the compiler's own header when the *_avx512*.c rows are built
 * a second time, so that their semantics can be checked on any CPU. What the
 * packaged SIMDe lacks or rounds twice is defined here.
 */
#ifndef TN_TESTS_KCHECK_SIMDE_IMMINTRIN_H
#define TN_TESTS_KCHECK_SIMDE_IMMINTRIN_H

#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t __mmask8;
typedef uint16_t __mmask16;
typedef uint32_t __mmask32;
typedef uint64_t __mmask64;

#ifndef _MM_FROUND_NO_EXC
#define _MM_FROUND_NO_EXC 8
#endif
#ifndef _MM_FROUND_TO_NEAREST_INT
#define _MM_FROUND_TO_NEAREST_INT 0
#define _MM_FROUND_TO_NEG_INF     1
#define _MM_FROUND_TO_POS_INF     2
#define _MM_FROUND_TO_ZERO        3
#define _MM_FROUND_CUR_DIRECTION  4
#endif

/* scalef multiplies by 2^floor(b) with one rounding; SIMDe rounds 2^b too. */
#undef _mm512_scalef_ps
#define _mm512_scalef_ps kcs_scalef_ps
static inline __m512 kcs_scalef_ps(__m512 a, __m512 b)
{
    float x[16], y[16];
    memcpy(x, &a, 64);
    memcpy(y, &b, 64);
    for (int i = 0; i < 16; i++) {
        if (isnan(x[i]) || isnan(y[i]))
            x[i] = x[i] + y[i];
        else
            x[i] = ldexpf(x[i], y[i] > 400    ? 400
                                : y[i] < -400 ? -400
                                              : (int)floorf(y[i]));
    }
    memcpy(&a, x, 64);
    return a;
}

/* Two fused multiply-adds, of the upper terms first; denormals count as zeros
 * on the way in and out. SIMDe sums in another order and rounds products. */
#undef _mm512_dpbf16_ps
#define _mm512_dpbf16_ps kcs_dpbf16_ps
static inline uint32_t kcs_flush(uint32_t u)
{
    return (u & 0x7f800000u) == 0 ? u & 0x80000000u : u;
}

static inline uint32_t kcs_bf16_madd(uint32_t sum, uint32_t a, uint32_t b)
{
    float x, y, z;
    sum = kcs_flush(sum);
    a = kcs_flush(a);
    b = kcs_flush(b);
    memcpy(&x, &a, 4);
    memcpy(&y, &b, 4);
    memcpy(&z, &sum, 4);
    z = fmaf(x, y, z);
    memcpy(&sum, &z, 4);
    return kcs_flush(sum);
}

static inline __m512 kcs_dpbf16_ps(__m512 acc, __m512 a, __m512 b)
{
    uint32_t s[16], x[16], y[16];
    memcpy(s, &acc, 64);
    memcpy(x, &a, 64);
    memcpy(y, &b, 64);
    for (int i = 0; i < 16; i++) {
        s[i] = kcs_bf16_madd(s[i], x[i] & 0xffff0000u, y[i] & 0xffff0000u);
        s[i] = kcs_bf16_madd(s[i], x[i] << 16, y[i] << 16);
    }
    memcpy(&acc, s, 64);
    return acc;
}

/* Fused means one rounding; SIMDe multiplies, rounds, and adds. */
#define KCS_FUSED(name, V, n, sa, sc)                                          \
    static inline V name(V a, V b, V c)                                        \
    {                                                                          \
        float x[n], y[n], z[n];                                                \
        memcpy(x, &a, sizeof x);                                               \
        memcpy(y, &b, sizeof y);                                               \
        memcpy(z, &c, sizeof z);                                               \
        for (int i = 0; i < (n); i++) z[i] = fmaf(sa x[i], y[i], sc z[i]);     \
        memcpy(&c, z, sizeof z);                                               \
        return c;                                                              \
    }
KCS_FUSED(kcs_fmadd_512, __m512, 16, +, +)
KCS_FUSED(kcs_fmsub_512, __m512, 16, +, -)
KCS_FUSED(kcs_fnmadd_512, __m512, 16, -, +)
KCS_FUSED(kcs_fmadd_256, __m256, 8, +, +)
KCS_FUSED(kcs_fmsub_256, __m256, 8, +, -)
KCS_FUSED(kcs_fnmadd_256, __m256, 8, -, +)
KCS_FUSED(kcs_fmadd_128, __m128, 4, +, +)
KCS_FUSED(kcs_fnmadd_128, __m128, 4, -, +)
#undef _mm512_fmadd_ps
#undef _mm512_fmsub_ps
#undef _mm512_fnmadd_ps
#undef _mm256_fmadd_ps
#undef _mm256_fmsub_ps
#undef _mm256_fnmadd_ps
#undef _mm_fmadd_ps
#undef _mm_fnmadd_ps
#define _mm512_fmadd_ps  kcs_fmadd_512
#define _mm512_fmsub_ps  kcs_fmsub_512
#define _mm512_fnmadd_ps kcs_fnmadd_512
#define _mm256_fmadd_ps  kcs_fmadd_256
#define _mm256_fmsub_ps  kcs_fmsub_256
#define _mm256_fnmadd_ps kcs_fnmadd_256
#define _mm_fmadd_ps     kcs_fmadd_128
#define _mm_fnmadd_ps    kcs_fnmadd_128

/* One vector in, one out: n elements, each `expr` of x[i]. */
#define KCS_MAP(name, R, rt, A, at, n, expr)                                   \
    static inline R name(A a_)                                                 \
    {                                                                          \
        at x[n];                                                               \
        rt y[n];                                                               \
        R r_;                                                                  \
        memset(&r_, 0, sizeof r_);                                             \
        memcpy(x, &a_, sizeof x);                                              \
        for (int i = 0; i < (n); i++) y[i] = (rt)(expr);                       \
        memcpy(&r_, y, sizeof y);                                              \
        return r_;                                                             \
    }

#undef _mm512_roundscale_ps
#define _mm512_roundscale_ps kcs_roundscale_ps
static inline __m512 kcs_roundscale_ps(__m512 a, int imm)
{
    float x[16];
    memcpy(x, &a, 64);
    for (int i = 0; i < 16; i++) {
        const float v = ldexpf(x[i], imm >> 4);
        const float r = (imm & 4) != 0   ? nearbyintf(v)
                        : (imm & 3) == 1 ? floorf(v)
                        : (imm & 3) == 2 ? ceilf(v)
                        : (imm & 3) == 3 ? truncf(v)
                                         : nearbyintf(v);
        x[i] = ldexpf(r, -(imm >> 4));
    }
    memcpy(&a, x, 64);
    return a;
}

static inline int32_t kcs_to_i32(float v)
{
    const float r = nearbyintf(v);
    return r >= -0x1p31f && r < 0x1p31f ? (int32_t)r : INT32_MIN;
}

#ifndef _mm512_cvtepi32_ps
KCS_MAP(kcs_cvtepi32_ps, __m512, float, __m512i, int32_t, 16, x[i])
#define _mm512_cvtepi32_ps kcs_cvtepi32_ps
#endif
#ifndef _mm512_cvtps_epi32
KCS_MAP(kcs_cvtps_epi32, __m512i, int32_t, __m512, float, 16, kcs_to_i32(x[i]))
#define _mm512_cvtps_epi32 kcs_cvtps_epi32
#endif
#ifndef _mm512_cvtepi32_epi8
KCS_MAP(kcs_cvtepi32_epi8, __m128i, int8_t, __m512i, int32_t, 16, x[i])
#define _mm512_cvtepi32_epi8 kcs_cvtepi32_epi8
#endif
#ifndef _mm512_cvtusepi32_epi8
KCS_MAP(kcs_cvtusepi32_epi8, __m128i, uint8_t, __m512i, uint32_t, 16,
        x[i] > 255 ? 255 : x[i])
#define _mm512_cvtusepi32_epi8 kcs_cvtusepi32_epi8
#endif
#ifndef _mm512_cvtepi32_epi16
KCS_MAP(kcs_cvtepi32_epi16, __m256i, int16_t, __m512i, int32_t, 16, x[i])
#define _mm512_cvtepi32_epi16 kcs_cvtepi32_epi16
#endif
#ifndef _mm512_cvtepu8_epi32
KCS_MAP(kcs_cvtepu8_epi32, __m512i, int32_t, __m128i, uint8_t, 16, x[i])
#define _mm512_cvtepu8_epi32 kcs_cvtepu8_epi32
#endif
#ifndef _mm512_cvtepi8_epi32
KCS_MAP(kcs_cvtepi8_epi32, __m512i, int32_t, __m128i, int8_t, 16, x[i])
#define _mm512_cvtepi8_epi32 kcs_cvtepi8_epi32
#endif
#ifndef _mm512_cvtepu16_epi32
KCS_MAP(kcs_cvtepu16_epi32, __m512i, int32_t, __m256i, uint16_t, 16, x[i])
#define _mm512_cvtepu16_epi32 kcs_cvtepu16_epi32
#endif
#ifndef _mm512_cvtepi16_epi32
KCS_MAP(kcs_cvtepi16_epi32, __m512i, int32_t, __m256i, int16_t, 16, x[i])
#define _mm512_cvtepi16_epi32 kcs_cvtepi16_epi32
#endif

#ifndef _mm512_srai_epi32
#define _mm512_srai_epi32 kcs_srai_epi32
static inline __m512i kcs_srai_epi32(__m512i a, unsigned n)
{
    int32_t x[16];
    memcpy(x, &a, 64);
    for (int i = 0; i < 16; i++) x[i] >>= n > 31 ? 31 : n;
    memcpy(&a, x, 64);
    return a;
}
#endif
#ifndef _mm512_extractf32x8_ps
#define _mm512_extractf32x8_ps kcs_extractf32x8_ps
static inline __m256 kcs_extractf32x8_ps(__m512 a, int half)
{
    __m256 r;
    memcpy(&r, (const char *)&a + 32 * (half & 1), 32);
    return r;
}
#endif
#ifndef _mm512_shuffle_f32x4
#define _mm512_shuffle_f32x4 kcs_shuffle_f32x4
static inline __m512 kcs_shuffle_f32x4(__m512 a, __m512 b, int imm)
{
    char x[64], y[64], r[64];
    memcpy(x, &a, 64);
    memcpy(y, &b, 64);
    memcpy(r, x + 16 * (imm & 3), 16);
    memcpy(r + 16, x + 16 * (imm >> 2 & 3), 16);
    memcpy(r + 32, y + 16 * (imm >> 4 & 3), 16);
    memcpy(r + 48, y + 16 * (imm >> 6 & 3), 16);
    memcpy(&a, r, 64);
    return a;
}
#endif

/* Halves are added pairwise: the order that the compilers' macros take. */
#define KCS_REDUCE(name, op)                                                   \
    static inline float name(__m512 a)                                         \
    {                                                                          \
        float x[16];                                                           \
        memcpy(x, &a, 64);                                                     \
        for (int w = 8; w >= 1; w /= 2)                                        \
            for (int i = 0; i < w; i++) x[i] = op;                             \
        return x[0];                                                           \
    }
#ifndef _mm512_reduce_add_ps
KCS_REDUCE(kcs_reduce_add_ps, x[i] + x[i + w])
#define _mm512_reduce_add_ps kcs_reduce_add_ps
#endif
#ifndef _mm512_reduce_max_ps
KCS_REDUCE(kcs_reduce_max_ps, x[i] > x[i + w] ? x[i] : x[i + w])
#define _mm512_reduce_max_ps kcs_reduce_max_ps
#endif

/* SIMDe drops the payload of a NaN. */
static inline float kcs_half_to_float(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16;
    const int exp = h >> 10 & 31, frac = h & 1023;
    float f = ldexpf(exp != 0 ? frac + 1024 : frac, (exp != 0 ? exp : 1) - 25);
    uint32_t u;
    memcpy(&u, &f, 4);
    if (exp == 31) u = 0x7f800000u | frac << 13 | (frac != 0 ? 1u << 22 : 0);
    u |= sign;
    memcpy(&f, &u, 4);
    return f;
}
static inline uint16_t kcs_float_to_half(float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    const uint16_t sign = (uint16_t)(u >> 16 & 0x8000);
    if (isnan(f)) return (uint16_t)(sign | 0x7e00 | (u >> 13 & 0x3ff));
    const float a = fabsf(f);
    if (a >= 65520) return (uint16_t)(sign | 0x7c00);
    int e;
    (void)frexpf(a, &e);
    if (e < -13 || a == 0) e = -13;
    /* In units of the last place, 2^(e - 11); a carry moves to the exponent. */
    const int units = (int)nearbyintf(ldexpf(a, 11 - e));
    return (uint16_t)(sign | (units + ((e + 13) << 10)));
}
#undef _mm512_cvtps_ph
#undef _mm512_cvtph_ps
KCS_MAP(kcs_cvtps_ph, __m256i, uint16_t, __m512, float, 16,
        kcs_float_to_half(x[i]))
KCS_MAP(kcs_cvtph_ps, __m512, float, __m256i, uint16_t, 16,
        kcs_half_to_float(x[i]))
/* To nearest even is all that the kernels ask for. */
#define _mm512_cvtps_ph(v, mode) kcs_cvtps_ph(v)
#define _mm512_cvtph_ps          kcs_cvtph_ps
#ifndef _mm512_stream_ps
#define _mm512_stream_ps(p, v) _mm512_storeu_ps(p, v)
#endif

/* Masked loads and stores touch the chosen elements only. */
#define KCS_MASKED(kind, V, elem, n)                                           \
    static inline V kcs_mask_loadu_##kind(V src, uint64_t m, const void *p)    \
    {                                                                          \
        for (int i = 0; i < (n); i++)                                          \
            if ((m >> i & 1) != 0)                                             \
                memcpy((char *)&src + i * (elem),                              \
                       (const char *)p + i * (elem), elem);                    \
        return src;                                                            \
    }                                                                          \
    static inline V kcs_maskz_loadu_##kind(uint64_t m, const void *p)          \
    {                                                                          \
        V zero;                                                                \
        memset(&zero, 0, sizeof zero);                                         \
        return kcs_mask_loadu_##kind(zero, m, p);                              \
    }                                                                          \
    static inline void kcs_mask_storeu_##kind(void *p, uint64_t m, V v)        \
    {                                                                          \
        for (int i = 0; i < (n); i++)                                          \
            if ((m >> i & 1) != 0)                                             \
                memcpy((char *)p + i * (elem), (const char *)&v + i * (elem),  \
                       elem);                                                  \
    }
KCS_MASKED(512_ps, __m512, 4, 16)
KCS_MASKED(512_epi32, __m512i, 4, 16)
KCS_MASKED(512_epi16, __m512i, 2, 32)
KCS_MASKED(512_epi8, __m512i, 1, 64)
KCS_MASKED(256_ps, __m256, 4, 8)
KCS_MASKED(256_epi32, __m256i, 4, 8)
KCS_MASKED(256_epi16, __m256i, 2, 16)
KCS_MASKED(256_epi8, __m256i, 1, 32)
KCS_MASKED(128_ps, __m128, 4, 4)
KCS_MASKED(128_epi32, __m128i, 4, 4)
KCS_MASKED(128_epi16, __m128i, 2, 8)
KCS_MASKED(128_epi8, __m128i, 1, 16)

#undef _mm512_mask_loadu_ps
#undef _mm512_maskz_loadu_ps
#undef _mm512_mask_storeu_ps
#define _mm512_mask_loadu_ps  kcs_mask_loadu_512_ps
#define _mm512_maskz_loadu_ps kcs_maskz_loadu_512_ps
#define _mm512_mask_storeu_ps kcs_mask_storeu_512_ps
#undef _mm512_mask_loadu_epi32
#undef _mm512_maskz_loadu_epi32
#undef _mm512_mask_storeu_epi32
#define _mm512_mask_loadu_epi32  kcs_mask_loadu_512_epi32
#define _mm512_maskz_loadu_epi32 kcs_maskz_loadu_512_epi32
#define _mm512_mask_storeu_epi32 kcs_mask_storeu_512_epi32
#undef _mm512_maskz_loadu_epi16
#undef _mm512_mask_storeu_epi16
#define _mm512_maskz_loadu_epi16 kcs_maskz_loadu_512_epi16
#define _mm512_mask_storeu_epi16 kcs_mask_storeu_512_epi16
#undef _mm512_maskz_loadu_epi8
#undef _mm512_mask_storeu_epi8
#define _mm512_maskz_loadu_epi8 kcs_maskz_loadu_512_epi8
#define _mm512_mask_storeu_epi8 kcs_mask_storeu_512_epi8
#undef _mm256_maskz_loadu_ps
#undef _mm256_mask_storeu_ps
#define _mm256_maskz_loadu_ps kcs_maskz_loadu_256_ps
#define _mm256_mask_storeu_ps kcs_mask_storeu_256_ps
#undef _mm256_maskz_loadu_epi32
#undef _mm256_mask_storeu_epi32
#define _mm256_maskz_loadu_epi32 kcs_maskz_loadu_256_epi32
#define _mm256_mask_storeu_epi32 kcs_mask_storeu_256_epi32
#undef _mm256_maskz_loadu_epi16
#undef _mm256_mask_storeu_epi16
#define _mm256_maskz_loadu_epi16 kcs_maskz_loadu_256_epi16
#define _mm256_mask_storeu_epi16 kcs_mask_storeu_256_epi16
#undef _mm256_maskz_loadu_epi8
#undef _mm256_mask_storeu_epi8
#define _mm256_maskz_loadu_epi8 kcs_maskz_loadu_256_epi8
#define _mm256_mask_storeu_epi8 kcs_mask_storeu_256_epi8
#undef _mm_maskz_loadu_ps
#undef _mm_mask_storeu_ps
#define _mm_maskz_loadu_ps kcs_maskz_loadu_128_ps
#define _mm_mask_storeu_ps kcs_mask_storeu_128_ps
#undef _mm_maskz_loadu_epi32
#undef _mm_mask_storeu_epi32
#define _mm_maskz_loadu_epi32 kcs_maskz_loadu_128_epi32
#define _mm_mask_storeu_epi32 kcs_mask_storeu_128_epi32
#undef _mm_maskz_loadu_epi16
#undef _mm_mask_storeu_epi16
#define _mm_maskz_loadu_epi16 kcs_maskz_loadu_128_epi16
#define _mm_mask_storeu_epi16 kcs_mask_storeu_128_epi16
#undef _mm_maskz_loadu_epi8
#undef _mm_mask_storeu_epi8
#define _mm_maskz_loadu_epi8 kcs_maskz_loadu_128_epi8
#define _mm_mask_storeu_epi8 kcs_mask_storeu_128_epi8

#ifndef _mm_prefetch
#define _mm_prefetch(p, hint) ((void)(p))
#endif

/* Dot products of four unsigned by four signed bytes, wrapping around. */
#define KCS_DPBUSD(name, V, n)                                                 \
    static inline V name(V acc, V a, V b)                                      \
    {                                                                          \
        uint32_t s[n];                                                         \
        uint8_t x[4 * (n)];                                                    \
        int8_t y[4 * (n)];                                                     \
        memcpy(s, &acc, sizeof s);                                             \
        memcpy(x, &a, sizeof x);                                               \
        memcpy(y, &b, sizeof y);                                               \
        for (int i = 0; i < 4 * (n); i++)                                      \
            s[i / 4] += (uint32_t)((int)x[i] * y[i]);                          \
        memcpy(&acc, s, sizeof s);                                             \
        return acc;                                                            \
    }
KCS_DPBUSD(kcs_dpbusd_512, __m512i, 16)
KCS_DPBUSD(kcs_dpbusd_256, __m256i, 8)
static inline __m512i kcs_madd_epi16(__m512i a, __m512i b)
{
    int16_t x[32], y[32];
    int32_t s[16];
    memcpy(x, &a, sizeof x);
    memcpy(y, &b, sizeof y);
    for (int i = 0; i < 16; i++)
        s[i] = x[2 * i] * y[2 * i] + x[2 * i + 1] * y[2 * i + 1];
    memcpy(&a, s, sizeof s);
    return a;
}
#ifndef _mm512_cvtepi16_epi8
KCS_MAP(kcs_cvtepi16_epi8, __m256i, int8_t, __m512i, int16_t, 32, x[i])
#define _mm512_cvtepi16_epi8 kcs_cvtepi16_epi8
#endif
#ifndef _mm512_cvtepi8_epi16
KCS_MAP(kcs_cvtepi8_epi16, __m512i, int16_t, __m256i, int8_t, 32, x[i])
#define _mm512_cvtepi8_epi16 kcs_cvtepi8_epi16
#endif
#ifndef _mm512_cvtepu8_epi16
KCS_MAP(kcs_cvtepu8_epi16, __m512i, int16_t, __m256i, uint8_t, 32, x[i])
#define _mm512_cvtepu8_epi16 kcs_cvtepu8_epi16
#endif
static inline __m512i kcs_maddubs_epi16(__m512i a, __m512i b)
{
    uint8_t x[64];
    int8_t y[64];
    int16_t s[32];
    memcpy(x, &a, sizeof x);
    memcpy(y, &b, sizeof y);
    for (int i = 0; i < 32; i++) {
        const int v = x[2 * i] * y[2 * i] + x[2 * i + 1] * y[2 * i + 1];
        s[i] = (int16_t)(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
    }
    memcpy(&a, s, sizeof s);
    return a;
}
#undef _mm512_maddubs_epi16
#define _mm512_maddubs_epi16 kcs_maddubs_epi16
#undef _mm512_madd_epi16
#define _mm512_madd_epi16 kcs_madd_epi16
#undef _mm512_dpbusd_epi32
#undef _mm256_dpbusd_avx_epi32
#define _mm512_dpbusd_epi32     kcs_dpbusd_512
#define _mm256_dpbusd_avx_epi32 kcs_dpbusd_256

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* peak.c - choose the widest multiply-add loop; the plain C one */
#include "kernels/peak/peak.h"

#include "kernels/rows.h"
#include "tenon/base.h"

static float madd(float a, float b, float c)
{
    return a * b + c;
}

static float same(float v)
{
    return v;
}

static void store(float *p, float v)
{
    *p = v;
}

#define TYPE         float
#define FMA(a, b, c) madd(a, b, c)
#define SET1         same
#define STORE        store
#define WIDTH        1
void tni_peak_f32__ref(float *out, size_t n)
#include "kernels/peak/peak_tmpl.h"

#undef TYPE
#undef FMA
#undef SET1
#undef STORE
#undef WIDTH

    static int32_t madd_int(int32_t a, int32_t b, int32_t c)
{
    return (int32_t)((uint32_t)a * (uint32_t)b + (uint32_t)c);
}

static int32_t seed(float v)
{
    return (int32_t)(1000.0f * v);
}

static void store_int(int32_t *p, int32_t v)
{
    *p = v;
}

#define TYPE         int32_t
#define FMA(a, b, c) madd_int(a, b, c)
#define SET1         seed
#define STORE        store_int
#define WIDTH        1
void tni_peak_i8__ref(int32_t *out, size_t n)
#include "kernels/peak/peak_tmpl.h"

    tni_peak_i8_fn tni_peak_i8_select(uint32_t isa, int *width)
{
    *width = 1;
#if TN_ARCH_X86_64
    if ((isa & TN_ISA_AVX512_VNNI) != 0) {
        *width = 64;
        return tni_peak_i8__avx512vnni;
    }
    if ((isa & (TN_ISA_AVX512 | TN_ISA_AVXVNNI)) != 0) {
        *width = 32;
        return (isa & TN_ISA_AVX512) != 0 ? tni_peak_i8__avx512
                                          : tni_peak_i8__avxvnni;
    }
    if ((isa & TN_ISA_AVX2) != 0) {
        *width = 16;
        return tni_peak_i8__avx2;
    }
#elif TN_ARCH_AARCH64
    if ((isa & TN_ISA_NEON_DOT) != 0) {
        *width = 16;
        return tni_peak_i8__neondot;
    }
    if ((isa & TN_ISA_NEON) != 0) {
        *width = 8;
        return tni_peak_i8__neon;
    }
#else
    (void)isa;
#endif
    return tni_peak_i8__ref;
}

tni_peak_fn tni_peak_select(uint32_t isa, int *width)
{
    *width = 1;
#if TN_ARCH_X86_64
    if ((isa & TN_ISA_AVX512) != 0) {
        *width = 16;
        return tni_peak_f32__avx512;
    }
    if ((isa & TN_ISA_AVX2) != 0) {
        *width = 8;
        return tni_peak_f32__avx2;
    }
#elif TN_ARCH_AARCH64
    if ((isa & TN_ISA_NEON) != 0) {
        *width = 4;
        return tni_peak_f32__neon;
    }
#else
    (void)isa;
#endif
    return tni_peak_f32__ref;
}

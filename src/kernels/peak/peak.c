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

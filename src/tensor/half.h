/* SPDX-License-Identifier: Apache-2.0 */
/* half.h - scalar conversions of the small float types (IEEE, round to even) */
#ifndef TN_SRC_TENSOR_HALF_H
#define TN_SRC_TENSOR_HALF_H

#include "base/float_bits.h"
#include "tenon/tensor.h"

#include <stdbool.h>

static inline float tni_f16_to_f32(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    uint32_t exp = (h >> 10) & 0x1fu, man = h & 0x3ffu;
    if (exp == 0x1fu) return tni_bits_f32(sign | 0x7f800000u | (man << 13));
    if (exp == 0) {
        if (man == 0) return tni_bits_f32(sign);
        exp = 113;
        while ((man & 0x400u) == 0) {
            man <<= 1;
            exp--;
        }
        return tni_bits_f32(sign | (exp << 23) |
                            ((man & 0x3ffu) << 13));
    }
    return tni_bits_f32(sign | ((exp + 112) << 23) | (man << 13));
}

static inline uint16_t tni_f32_to_f16(float f)
{
    const uint32_t u = tni_f32_bits(f);
    const uint32_t sign = (u >> 16) & 0x8000u;
    const uint32_t abs = u & 0x7fffffffu;
    if (abs > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u | ((abs >> 13) & 0x3ffu));
    if (abs >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u);
    if (abs < 0x38800000u) {
        /* Subnormal: let the float adder round at the right place. */
        const float half = tni_bits_f32(abs) + 0.5f;
        return (uint16_t)(sign | (tni_f32_bits(half) - 0x3f000000u));
    }
    const uint32_t odd = (abs >> 13) & 1u;
    return (uint16_t)(sign | ((abs - 0x38000000u + 0xfffu + odd) >> 13));
}

static inline float tni_bf16_to_f32(uint16_t b)
{
    return tni_bits_f32((uint32_t)b << 16);
}

static inline uint16_t tni_f32_to_bf16(float f)
{
    const uint32_t u = tni_f32_bits(f);
    if ((u & 0x7fffffffu) > 0x7f800000u) return (uint16_t)((u >> 16) | 0x40u);
    return (uint16_t)((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

/* fp8, fp4 and e8m0 (TN_F8…, TN_F4E2M1, TN_F8E8M0), see smallfloat.c.
 * `saturate` as ONNX Cast has it. */
float tni_f8_to_f32(tn_dtype dtype, uint8_t v);
uint8_t tni_f32_to_f8(tn_dtype dtype, float f, bool saturate);

#endif

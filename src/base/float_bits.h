/* SPDX-License-Identifier: Apache-2.0 */
/* float_bits.h - the bits of a float as an integer, and back */
#ifndef TN_SRC_BASE_FLOAT_BITS_H
#define TN_SRC_BASE_FLOAT_BITS_H

#include <stdint.h>
#include <string.h>

static inline uint32_t tni_f32_bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static inline float tni_bits_f32(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

#endif

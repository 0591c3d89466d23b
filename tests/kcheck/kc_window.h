/* SPDX-License-Identifier: Apache-2.0 */
/* kc_window.h - what the two families of 8-bit convolutions draw and read */
#ifndef TN_TESTS_KCHECK_WINDOW_H
#define TN_TESTS_KCHECK_WINDOW_H

#include "kcheck.h"
#include "kernels/qconv/qconv.h"

/* A window over axis d of s->in[d] elements, and how often it fits. */
static inline void kc_draw_window(kc *t, tni_qconv_shape *s, size_t d)
{
    s->kernel[d] = kc_pick(t, "kernel", 1, 4);
    s->stride[d] = kc_pick(t, "stride", 1, 3);
    s->dilation[d] = kc_pick(t, "dilation", 1, 2);
    s->pad_lo[d] = kc_pick(t, "pad", 0, 3);
    const size_t reach = (s->kernel[d] - 1) * s->dilation[d] + 1;
    size_t padded = s->in[d] + s->pad_lo[d] + kc_pick(t, "pad_hi", 0, 3);
    if (padded < reach) padded = reach;
    s->out[d] = (padded - reach) / s->stride[d] + 1;
}

static inline int kc_byte(uint8_t u, bool is_signed)
{
    return is_signed ? (int8_t)u : u;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* kc_epilogue.h - drawing what follows a float convolution */
#ifndef TN_TESTS_KCHECK_EPILOGUE_H
#define TN_TESTS_KCHECK_EPILOGUE_H

#include "kcheck.h"
#include "kernels/gemm/gemm.h"

/* Exact for integers. */
static inline void kc_twice(const float *x, float *y, size_t n,
                            const float *params)
{
    for (size_t i = 0; i < n; i++) y[i] = 2.0f * x[i] + params[0];
}

/* Any of: a bias for every channel, len addends, bounds and, where asked, an
 * activation. */
static inline tni_epilogue kc_draw_epilogue(kc *t, size_t channels, size_t len,
                                            bool may_act)
{
    static const float param = 3.0f;
    tni_epilogue epi = TNI_EPILOGUE_NONE;
    const size_t bits = kc_pick(t, "epilogue", 0, 15);
    if (bits & 1) {
        float *b = kc_in(t, channels * 4, 4);
        kc_fill_int(t, b, channels, 4);
        epi.bias_row = b;
    }
    if (bits & 2) {
        float *add = kc_in(t, len * 4, 4);
        kc_fill_int(t, add, len, 4);
        epi.add = add;
    }
    if (bits & 4) {
        epi.clip = true;
        epi.lo = -9.0f;
        epi.hi = 30.0f;
    }
    if ((bits & 8) && may_act) {
        epi.act = kc_twice;
        epi.act_params = &param;
    }
    return epi;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* msquant.c - from 8-bit integers and back */
#include "ops/msquant.h"

#include <math.h>

tn_status tni_ms_dequantize(tni_ref *c, tni_tensor *out, const tni_tensor *x,
                            const tni_tensor *scale, const tni_tensor *zero,
                            int at)
{
    const int64_t columns = x->rank > 0 ? x->dims[x->rank - 1] : 1;
    if (scale->len != 1 && scale->len != columns)
        return tni_fail(c->err, TN_EINVAL,
                        "the scale of input %d has %lld elements, expected 1 "
                        "or %lld",
                        at, (long long)scale->len, (long long)columns);
    if (zero != NULL && zero->len != 1 && zero->len != scale->len)
        return tni_fail(c->err, TN_EINVAL,
                        "the zero point of input %d has %lld elements, "
                        "expected 1 or %lld",
                        at, (long long)zero->len, (long long)scale->len);
    TN_TRY(tni_tensor_alloc(out, c->scratch, TN_F32, x->rank, x->dims, c->err));
    float *y = TNI_DATA(float, out);
    const uint8_t *bits = TNI_CDATA(uint8_t, x);
    const float *s = TNI_CDATA(float, scale);
    for (int64_t i = 0; i < x->len; i++) {
        const int64_t j = scale->len == 1 ? 0 : i % columns;
        const int64_t z =
            zero != NULL ? tni_get_i64(zero, zero->len == 1 ? 0 : j) : 0;
        const int v = x->dtype == TN_I8 ? (int8_t)bits[i] : (int)bits[i];
        y[i] = (float)(v - (int)z) * s[j];
    }
    return TN_OK;
}

void tni_ms_requantize(double *y, const double *x, int64_t n)
{
    float min = 0.0f, max = 0.0f;
    for (int64_t i = 0; i < n; i++) {
        min = fminf(min, (float)x[i]);
        max = fmaxf(max, (float)x[i]);
    }
    const float scale = max > min ? (max - min) / 255.0f : 1.0f;
    const float zero = rintf(fminf(fmaxf(-min / scale, 0.0f), 255.0f));
    for (int64_t i = 0; i < n; i++) {
        const float q = rintf((float)x[i] / scale) + zero;
        y[i] = (double)(fminf(fmaxf(q, 0.0f), 255.0f) - zero) * (double)scale;
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* msattn.c - masks of com.microsoft's attention operators */
#include "ops/msattn.h"

tn_status tni_ms_mask_kind(tni_ms_mask *kind, int rank, const int64_t *dims,
                           int64_t b, int64_t s, int64_t t, tn_err *err)
{
    *kind = TNI_MS_MASK_NONE;
    if (rank == 1 && dims[0] == b)
        *kind = TNI_MS_MASK_ENDS;
    else if (rank == 1 && dims[0] == 2 * b)
        *kind = TNI_MS_MASK_ENDS_STARTS;
    else if (rank == 2 && dims[0] == b && dims[1] == t)
        *kind = TNI_MS_MASK_KEYS;
    else if (rank == 2 && (dims[0] == b || dims[0] == 1) && dims[1] == 1)
        return TN_OK; /* a placeholder that masks nothing */
    else if (rank == 3 && dims[0] == b && dims[1] == s && dims[2] == t)
        *kind = TNI_MS_MASK_SCORES;
    else if (rank == 4 || (rank == 1 && dims[0] == 3 * b + 2))
        return tni_fail(err, TN_EUNSUPPORTED,
                        "a mask of rank %d and first extent %lld is not "
                        "supported",
                        rank, (long long)dims[0]);
    else
        return tni_fail(err, TN_EINVAL,
                        "a mask of rank %d does not fit batch %lld, %lld "
                        "queries and %lld keys",
                        rank, (long long)b, (long long)s, (long long)t);
    return TN_OK;
}

int64_t tni_ms_mask_len(tni_ms_mask kind, int64_t b, int64_t s, int64_t t)
{
    if (kind == TNI_MS_MASK_NONE) return 0;
    return kind == TNI_MS_MASK_SCORES ? b * s * t : b * t;
}

#define DEFINE_MASK(NAME, T)                                                   \
    void NAME(T *out, tni_ms_mask kind, const int32_t *mask, int64_t b,        \
              int64_t s, int64_t t, T filter)                                  \
    {                                                                          \
        const int64_t n = tni_ms_mask_len(kind, b, s, t);                      \
        if (kind == TNI_MS_MASK_KEYS || kind == TNI_MS_MASK_SCORES) {          \
            for (int64_t i = 0; i < n; i++) out[i] = mask[i] > 0 ? 0 : filter; \
            return;                                                            \
        }                                                                      \
        for (int64_t i = 0; i < n; i++) {                                      \
            const int64_t k = i / t, j = i % t;                                \
            const int64_t first =                                              \
                kind == TNI_MS_MASK_ENDS_STARTS ? mask[b + k] : 0;             \
            out[i] = j < mask[k] && j >= first ? 0 : filter;                   \
        }                                                                      \
    }

DEFINE_MASK(tni_ms_mask_f64, double)
DEFINE_MASK(tni_ms_mask_f32, float)

void tni_ms_mask_strides(tni_attn_bias *bias, tni_ms_mask kind, int64_t s,
                         int64_t t)
{
    const bool scores = kind == TNI_MS_MASK_SCORES;
    bias->stride[0] = scores ? s * t : t;
    bias->stride[1] = 0;
    bias->stride[2] = scores ? t : 0;
    bias->stride[3] = 1;
    bias->len = t;
}

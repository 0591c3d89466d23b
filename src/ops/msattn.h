/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msattn.h - what com.microsoft's attention operators share
 *
 * Their masks are int32: 1-D with the length of each sequence (or lengths and
 * then first positions), 2-D [B, T] or 3-D [B, S, T] with 0 for masked. A
 * masked score has mask_filter_value added, a large negative number, so that a
 * row masked everywhere is uniform rather than zero.
 */
#ifndef TN_SRC_OPS_MSATTN_H
#define TN_SRC_OPS_MSATTN_H

#include "ops/attn.h"

typedef enum tni_ms_mask {
    TNI_MS_MASK_NONE,
    TNI_MS_MASK_ENDS,        /* [B] */
    TNI_MS_MASK_ENDS_STARTS, /* [2 B] */
    TNI_MS_MASK_KEYS,        /* [B, T] */
    TNI_MS_MASK_SCORES       /* [B, S, T] */
} tni_ms_mask;

/* What a mask of this shape means; TN_EINVAL or TN_EUNSUPPORTED for none. */
tn_status tni_ms_mask_kind(tni_ms_mask *kind, int rank, const int64_t *dims,
                           int64_t b, int64_t s, int64_t t, tn_err *err);
/* Elements of the additive form, [B, 1 or S, T]. */
int64_t tni_ms_mask_len(tni_ms_mask kind, int64_t b, int64_t s, int64_t t);
/* Fills it; and the strides that go with it. */
void tni_ms_mask_f64(double *out, tni_ms_mask kind, const int32_t *mask,
                     int64_t b, int64_t s, int64_t t, double filter);
void tni_ms_mask_f32(float *out, tni_ms_mask kind, const int32_t *mask,
                     int64_t b, int64_t s, int64_t t, float filter);
void tni_ms_mask_strides(tni_attn_bias *bias, tni_ms_mask kind, int64_t s,
                         int64_t t);

#endif

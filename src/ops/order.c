/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order.c - order-preserving keys and a bounded heap
 *
 * A float's bits order like a sign-magnitude integer: negative values are
 * inverted, others get the top bit (IEEE 754 totalOrder without NaN payloads).
 */
#include "ops/order.h"

#include "tensor/half.h"

#include <string.h>

static const uint64_t TOP = (uint64_t)1 << 63;

static uint64_t key_f64(double v, tni_nan nan)
{
    if (v != v) return nan == TNI_NAN_LAST ? UINT64_MAX : 0;
    if (!(v < 0.0) && !(v > 0.0)) v = 0.0; /* no negative zero */
    uint64_t u = 0;
    memcpy(&u, &v, sizeof u);
    return (u & TOP) != 0 ? ~u : u | TOP;
}

#define KEYS(T, EXPR)                                                          \
    do {                                                                       \
        const T *x = t->data;                                                  \
        for (int64_t i = 0; i < n; i++) {                                      \
            const T v = x[first + i * step];                                   \
            keys[i] = (EXPR);                                                  \
        }                                                                      \
    } while (0)

void tni_order_keys(uint64_t *keys, const tni_tensor *t, int64_t first,
                    int64_t step, int64_t n, tni_nan nan)
{
    switch (t->dtype) {
    case TN_F32: KEYS(float, key_f64((double)v, nan)); break;
    case TN_F64: KEYS(double, key_f64(v, nan)); break;
    case TN_F16:
        KEYS(uint16_t, key_f64((double)tni_f16_to_f32(v), nan));
        break;
    case TN_BF16:
        KEYS(uint16_t, key_f64((double)tni_bf16_to_f32(v), nan));
        break;
    case TN_I8: KEYS(int8_t, (uint64_t)(int64_t)v ^ TOP); break;
    case TN_I16: KEYS(int16_t, (uint64_t)(int64_t)v ^ TOP); break;
    case TN_I32: KEYS(int32_t, (uint64_t)(int64_t)v ^ TOP); break;
    case TN_I64: KEYS(int64_t, (uint64_t)v ^ TOP); break;
    case TN_BOOL:
    case TN_U8: KEYS(uint8_t, v); break;
    case TN_U16: KEYS(uint16_t, v); break;
    case TN_U32: KEYS(uint32_t, v); break;
    case TN_U64: KEYS(uint64_t, v); break;
    default:
        for (int64_t i = 0; i < n; i++)
            keys[i] = key_f64(tni_get_f64(t, first + i * step), nan);
        break;
    }
}

int tni_string_compare(const tn_string *a, const tn_string *b)
{
    const size_t n = a->len < b->len ? a->len : b->len;
    const int c = n > 0 ? memcmp(a->ptr, b->ptr, n) : 0;
    if (c != 0) return c;
    return a->len < b->len ? -1 : a->len > b->len ? 1 : 0;
}

/* Restores the heap (the last in order on top) below place i. */
static void sift_down(int64_t *heap, int64_t i, int64_t n,
                      tni_before_fn before, const void *ctx)
{
    const int64_t item = heap[i];
    for (;;) {
        int64_t child = 2 * i + 1;
        if (child >= n) break;
        if (child + 1 < n && before(ctx, heap[child], heap[child + 1]))
            child++;
        if (!before(ctx, item, heap[child])) break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = item;
}

void tni_order_first(int64_t *out, int64_t k, int64_t n, tni_before_fn before,
                     const void *ctx)
{
    if (k <= 0) return;
    for (int64_t i = 0; i < k; i++) out[i] = i;
    for (int64_t i = k / 2 - 1; i >= 0; i--) sift_down(out, i, k, before, ctx);
    for (int64_t i = k; i < n; i++) {
        if (!before(ctx, i, out[0])) continue;
        out[0] = i;
        sift_down(out, 0, k, before, ctx);
    }
    for (int64_t end = k - 1; end > 0; end--) {
        const int64_t last = out[0];
        out[0] = out[end];
        out[end] = last;
        sift_down(out, 0, end, before, ctx);
    }
}

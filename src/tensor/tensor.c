/* SPDX-License-Identifier: Apache-2.0 */
/* tensor.c - shapes, copies and element access inside the library */
#include "tensor/tensor.h"

#include "base/checked.h"
#include "tensor/half.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool tni_dims_len(int64_t *len, int rank, const int64_t *dims)
{
    int64_t n = 1;
    bool zero = false;
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0) return false;
        if (dims[i] == 0) zero = true;
    }
    if (!zero) {
        for (int i = 0; i < rank; i++)
            if (!tni_mul_i64(n, dims[i], &n)) return false;
    }
    *len = zero ? 0 : n;
    return true;
}

bool tni_elems_size(size_t *size, tn_dtype dtype, int64_t len)
{
    size_t n = 0;
    return tni_to_size(len, &n) && tni_mul_size(n, tn_dtype_size(dtype), size);
}

bool tni_tensor_set_shape(tni_tensor *t, tn_dtype dtype, int rank,
                          const int64_t *dims)
{
    int64_t len = 0;
    size_t size = 0;
    if (rank < 0 || rank > TN_MAX_RANK || !tni_dims_len(&len, rank, dims) ||
        !tni_elems_size(&size, dtype, len))
        return false;
    t->kind = TN_KIND_TENSOR;
    t->dtype = dtype;
    t->rank = rank;
    if (rank > 0) memmove(t->dims, dims, (size_t)rank * sizeof dims[0]);
    t->len = len;
    return true;
}

tn_status tni_tensor_alloc(tni_tensor *t, tni_arena *arena, tn_dtype dtype,
                           int rank, const int64_t *dims, tn_err *err)
{
    if (!tni_tensor_set_shape(t, dtype, rank, dims)) {
        char text[160];
        return tni_fail(err, TN_ELIMIT, "%s is too large to address",
                        tni_shape_format(text, sizeof text, dtype, rank, dims));
    }
    size_t size = 0;
    if (!tni_elems_size(&size, dtype, t->len)) return TN_EINTERNAL;
    t->data = tni_arena_alloc(arena, size, TNI_ALIGN);
    if (t->data == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory for %zu bytes", size);
    if (dtype == TN_STRING) memset(t->data, 0, size);
    return TN_OK;
}

static tn_status copy_strings(tni_tensor *to, const tni_tensor *from,
                              tni_arena *arena, tn_err *err)
{
    const tn_string *src = TNI_CDATA(tn_string, from);
    tn_string *dst = TNI_DATA(tn_string, to);
    for (int64_t i = 0; i < from->len; i++) {
        char *bytes = tni_arena_strndup(arena, src[i].ptr, src[i].len);
        if (bytes == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        dst[i].ptr = bytes;
        dst[i].len = src[i].len;
    }
    return TN_OK;
}

static tn_status copy_depth(tni_tensor *to, const tni_tensor *from,
                            tni_arena *arena, int depth, tn_err *err)
{
    if (depth > 32)
        return tni_fail(err, TN_ELIMIT, "containers nest deeper than 32");
    if (from->kind == TN_KIND_TENSOR) {
        TN_TRY(tni_tensor_alloc(to, arena, from->dtype, from->rank, from->dims,
                                err));
        if (from->dtype == TN_STRING) return copy_strings(to, from, arena, err);
        size_t size = 0;
        if (!tni_elems_size(&size, from->dtype, from->len)) return TN_EINTERNAL;
        if (size != 0) memcpy(to->data, from->data, size);
        return TN_OK;
    }
    *to = *from;
    to->owner = NULL;
    to->data = NULL;
    const int64_t n = from->kind == TN_KIND_MAP ? 2 : from->len;
    if (n == 0 || from->data == NULL) return TN_OK;
    const tni_tensor *const *src = from->data;
    const tni_tensor **dst = TNI_NEW_ARRAY(arena, const tni_tensor *, n);
    if (dst == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < n; i++) {
        tni_tensor *item = TNI_NEW(arena, tni_tensor);
        if (item == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        TN_TRY(copy_depth(item, src[i], arena, depth + 1, err));
        dst[i] = item;
    }
    to->data = dst;
    return TN_OK;
}

tn_status tni_tensor_copy(tni_tensor *to, const tni_tensor *from,
                          tni_arena *arena, tn_err *err)
{
    struct tni_tensor_owner *owner = to->owner;
    const tn_status status = copy_depth(to, from, arena, 0, err);
    to->owner = owner;
    return status;
}

bool tni_same_shape(const tni_tensor *a, const tni_tensor *b)
{
    return a->rank == b->rank &&
           (a->rank == 0 ||
            memcmp(a->dims, b->dims, (size_t)a->rank * sizeof a->dims[0]) == 0);
}

bool tni_same_tensor(const tni_tensor *a, const tni_tensor *b)
{
    size_t size = 0;
    if (a == b) return true;
    if (a->kind != TN_KIND_TENSOR || b->kind != TN_KIND_TENSOR ||
        a->dtype != b->dtype || !tni_same_shape(a, b) || a->dtype == TN_STRING)
        return false;
    return tni_elems_size(&size, a->dtype, a->len) && a->scaled == b->scaled &&
           (a->data == b->data ||
            (size <= 4096 && memcmp(a->data, b->data, size) == 0));
}

char *tni_shape_format(char *buf, size_t size, tn_dtype dtype, int rank,
                       const int64_t *dims)
{
    if (size == 0) return buf;
    int n = snprintf(buf, size, "%s", tn_dtype_name(dtype));
    size_t used = n < 0 ? 0 : (size_t)n;
    if (rank < 0) {
        if (used < size) (void)snprintf(buf + used, size - used, "[...]");
        return buf;
    }
    for (int i = 0; i <= rank && used < size; i++) {
        const char *open = i == 0 ? "[" : "";
        const char *sep = i > 0 && i < rank ? "," : "";
        if (i == rank)
            n = snprintf(buf + used, size - used, "%s]", open);
        else if (dims[i] >= 0)
            n = snprintf(buf + used, size - used, "%s%s%lld", open, sep,
                         (long long)dims[i]);
        else
            n = snprintf(buf + used, size - used, "%s%s?", open, sep);
        used += n < 0 ? 0 : (size_t)n;
    }
    return buf;
}

/* A double as int64 without undefined behaviour: saturates, NaN is 0. */
static int64_t f64_to_i64(double v)
{
    if (v != v) return 0;
    if (v >= 9223372036854775808.0) return INT64_MAX;
    if (v <= -9223372036854775808.0) return INT64_MIN;
    return (int64_t)v;
}

int64_t tni_get_i64(const tni_tensor *t, int64_t i)
{
    switch (t->dtype) {
    case TN_I64: return TNI_CDATA(int64_t, t)[i];
    case TN_I32: return TNI_CDATA(int32_t, t)[i];
    case TN_I16: return TNI_CDATA(int16_t, t)[i];
    case TN_I8:
    case TN_I4:
    case TN_I2: return TNI_CDATA(int8_t, t)[i];
    case TN_U64: return (int64_t)TNI_CDATA(uint64_t, t)[i];
    case TN_U32: return TNI_CDATA(uint32_t, t)[i];
    case TN_U16: return TNI_CDATA(uint16_t, t)[i];
    case TN_U8:
    case TN_U4:
    case TN_U2:
    case TN_BOOL: return TNI_CDATA(uint8_t, t)[i];
    default: return f64_to_i64(tni_get_f64(t, i));
    }
}

double tni_get_f64(const tni_tensor *t, int64_t i)
{
    switch (t->dtype) {
    case TN_F32: return (double)TNI_CDATA(float, t)[i];
    case TN_F64: return TNI_CDATA(double, t)[i];
    case TN_F16: return (double)tni_f16_to_f32(TNI_CDATA(uint16_t, t)[i]);
    case TN_BF16: return (double)tni_bf16_to_f32(TNI_CDATA(uint16_t, t)[i]);
    case TN_U64: return (double)TNI_CDATA(uint64_t, t)[i];
    case TN_C64: return (double)TNI_CDATA(float, t)[2 * i];
    case TN_C128: return TNI_CDATA(double, t)[2 * i];
    case TN_F8E4M3FN:
    case TN_F8E4M3FNUZ:
    case TN_F8E5M2:
    case TN_F8E5M2FNUZ:
    case TN_F4E2M1:
    case TN_F8E8M0:
        return (double)tni_f8_to_f32(t->dtype, TNI_CDATA(uint8_t, t)[i]);
    case TN_STRING:
    case TN_UNDEFINED: return 0.0;
    default: return (double)tni_get_i64(t, i);
    }
}

void tni_set_f64(tni_tensor *t, int64_t i, double v)
{
    switch (t->dtype) {
    case TN_F32: TNI_DATA(float, t)[i] = (float)v; break;
    case TN_F64: TNI_DATA(double, t)[i] = v; break;
    case TN_F16: TNI_DATA(uint16_t, t)[i] = tni_f32_to_f16((float)v); break;
    case TN_BF16: TNI_DATA(uint16_t, t)[i] = tni_f32_to_bf16((float)v); break;
    case TN_F8E4M3FN:
    case TN_F8E4M3FNUZ:
    case TN_F8E5M2:
    case TN_F8E5M2FNUZ:
    case TN_F4E2M1:
    case TN_F8E8M0:
        TNI_DATA(uint8_t, t)[i] = tni_f32_to_f8(t->dtype, (float)v, true);
        break;
    case TN_I64: TNI_DATA(int64_t, t)[i] = f64_to_i64(v); break;
    case TN_U64:
        TNI_DATA(uint64_t, t)
        [i] = v >= 9223372036854775808.0
                  ? (uint64_t)f64_to_i64(v - 9223372036854775808.0) +
                        (UINT64_C(1) << 63)
                  : (uint64_t)f64_to_i64(v);
        break;
    case TN_I32: TNI_DATA(int32_t, t)[i] = (int32_t)(uint32_t)f64_to_i64(v); break;
    case TN_U32: TNI_DATA(uint32_t, t)[i] = (uint32_t)f64_to_i64(v); break;
    case TN_I16: TNI_DATA(int16_t, t)[i] = (int16_t)(uint16_t)f64_to_i64(v); break;
    case TN_U16: TNI_DATA(uint16_t, t)[i] = (uint16_t)f64_to_i64(v); break;
    case TN_I8:
    case TN_I4:
    case TN_I2: TNI_DATA(int8_t, t)[i] = (int8_t)(uint8_t)f64_to_i64(v); break;
    case TN_U8:
    case TN_U4:
    case TN_U2: TNI_DATA(uint8_t, t)[i] = (uint8_t)f64_to_i64(v); break;
    case TN_BOOL: TNI_DATA(uint8_t, t)[i] = v != 0.0; break;
    case TN_C64:
        TNI_DATA(float, t)[2 * i] = (float)v;
        TNI_DATA(float, t)[2 * i + 1] = 0.0f;
        break;
    case TN_C128:
        TNI_DATA(double, t)[2 * i] = v;
        TNI_DATA(double, t)[2 * i + 1] = 0.0;
        break;
    case TN_STRING:
    case TN_UNDEFINED: break;
    }
}

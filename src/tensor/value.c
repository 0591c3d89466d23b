/* SPDX-License-Identifier: Apache-2.0 */
/* value.c - the public tn_tensor: making, reading and freeing values */
#include "base/checked.h"
#include "tensor/half.h"
#include "tensor/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

tn_status tni_value_new(tn_tensor **out, tni_arena **arena,
                        const tn_allocator *allocator, tn_err *err)
{
    *out = NULL;
    const tn_allocator *a = allocator != NULL ? allocator : &tni_libc_allocator;
    tni_tensor_owner *owner =
        a->alloc(a->ctx, sizeof *owner, _Alignof(tni_tensor_owner));
    if (owner == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(owner, 0, sizeof *owner);
    tni_mem_init(&owner->mem, a, 0);
    tni_arena_init(&owner->arena, &owner->mem, 256);
    owner->tensor.owner = owner;
    *out = &owner->tensor;
    if (arena != NULL) *arena = &owner->arena;
    return TN_OK;
}

void tn_tensor_free(tn_tensor *tensor)
{
    if (tensor == NULL || tensor->owner == NULL) return;
    tni_tensor_owner *owner = tensor->owner;
    tni_arena_fini(&owner->arena);
    const tn_allocator a = owner->mem.allocator;
    a.free(a.ctx, owner, sizeof *owner, _Alignof(tni_tensor_owner));
}

static tn_status check_shape(tn_dtype dtype, int rank, const int64_t *dims,
                             tn_err *err)
{
    if (tn_dtype_size(dtype) == 0)
        return tni_fail(err, TN_EINVAL, "dtype %d is not an element type",
                        (int)dtype);
    if (rank < 0 || rank > TN_MAX_RANK)
        return tni_fail(err, TN_EINVAL, "rank %d is outside 0 to %d", rank,
                        (int)TN_MAX_RANK);
    for (int i = 0; i < rank; i++)
        if (dims[i] < 0)
            return tni_fail(err, TN_EINVAL, "extent %d is %lld, expected >= 0",
                            i, (long long)dims[i]);
    return TN_OK;
}

tn_status tn_tensor_new(tn_tensor **out, tn_dtype dtype, int rank,
                        const int64_t *dims, const tn_allocator *allocator,
                        tn_err *err)
{
    tni_err_clear(err);
    *out = NULL;
    TN_TRY(check_shape(dtype, rank, dims, err));
    tn_tensor *t = NULL;
    tni_arena *arena = NULL;
    TN_TRY(tni_value_new(&t, &arena, allocator, err));
    const tn_status status =
        tni_tensor_alloc(t, arena, dtype, rank, dims, err);
    if (status != TN_OK) {
        tn_tensor_free(t);
        return status;
    }
    memset(t->data, 0, tn_tensor_size(t));
    *out = t;
    return TN_OK;
}

tn_status tn_tensor_wrap(tn_tensor **out, tn_dtype dtype, int rank,
                         const int64_t *dims, void *data, size_t size_bytes,
                         const tn_allocator *allocator, tn_err *err)
{
    tni_err_clear(err);
    *out = NULL;
    TN_TRY(check_shape(dtype, rank, dims, err));
    tni_tensor probe = {0};
    char text[160];
    if (!tni_tensor_set_shape(&probe, dtype, rank, dims))
        return tni_fail(err, TN_ELIMIT, "%s is too large to address",
                        tni_shape_format(text, sizeof text, dtype, rank, dims));
    const size_t need = tn_tensor_size(&probe);
    if (size_bytes < need)
        return tni_fail(err, TN_EINVAL, "%s needs %zu bytes, %zu given",
                        tni_shape_format(text, sizeof text, dtype, rank, dims),
                        need, size_bytes);
    const size_t elem = tn_dtype_size(dtype);
    const size_t align = elem > 8 ? 8 : elem;
    if (need != 0 && (data == NULL || (uintptr_t)data % align != 0))
        return tni_fail(err, TN_EINVAL,
                        "data is NULL or not aligned to %zu bytes", align);
    tn_tensor *t = NULL;
    TN_TRY(tni_value_new(&t, NULL, allocator, err));
    if (TN_NEVER(t == NULL)) return TN_EINTERNAL;
    probe.owner = t->owner;
    probe.data = data;
    *t = probe;
    *out = t;
    return TN_OK;
}

tn_status tn_tensor_new_strings(tn_tensor **out, int rank, const int64_t *dims,
                                const tn_string *strings,
                                const tn_allocator *allocator, tn_err *err)
{
    tni_err_clear(err);
    *out = NULL;
    TN_TRY(check_shape(TN_STRING, rank, dims, err));
    union {
        const tn_string *in;
        void *out;
    } data = {.in = strings};
    tni_tensor view = {0};
    if (!tni_tensor_set_shape(&view, TN_STRING, rank, dims))
        return tni_fail(err, TN_ELIMIT, "the shape is too large to address");
    view.data = data.out;
    return tn_tensor_clone(out, &view, allocator, err);
}

tn_status tn_tensor_clone(tn_tensor **out, const tn_tensor *value,
                          const tn_allocator *allocator, tn_err *err)
{
    tni_err_clear(err);
    *out = NULL;
    tn_tensor *t = NULL;
    tni_arena *arena = NULL;
    TN_TRY(tni_value_new(&t, &arena, allocator, err));
    const tn_status status = tni_tensor_copy(t, value, arena, err);
    if (status != TN_OK) {
        tn_tensor_free(t);
        return status;
    }
    *out = t;
    return TN_OK;
}

tn_kind tn_tensor_kind(const tn_tensor *tensor)
{
    return tensor->kind;
}

tn_dtype tn_tensor_dtype(const tn_tensor *tensor)
{
    return tensor->dtype;
}

int tn_tensor_rank(const tn_tensor *tensor)
{
    return tensor->rank;
}

const int64_t *tn_tensor_dims(const tn_tensor *tensor)
{
    return tensor->dims;
}

int64_t tn_tensor_len(const tn_tensor *tensor)
{
    return tensor->len;
}

size_t tn_tensor_size(const tn_tensor *tensor)
{
    size_t size = 0;
    if (tensor->kind != TN_KIND_TENSOR ||
        !tni_elems_size(&size, tensor->dtype, tensor->len))
        return 0;
    return size;
}

void *tn_tensor_data(tn_tensor *tensor)
{
    return tensor->kind == TN_KIND_TENSOR ? tensor->data : NULL;
}

const void *tn_tensor_cdata(const tn_tensor *tensor)
{
    return tensor->kind == TN_KIND_TENSOR ? tensor->data : NULL;
}

const tn_tensor *tn_tensor_item(const tn_tensor *tensor, int64_t i)
{
    if (tensor->kind == TN_KIND_TENSOR || tensor->kind == TN_KIND_NONE ||
        tensor->data == NULL)
        return NULL;
    const int64_t n = tensor->kind == TN_KIND_MAP ? 2 : tensor->len;
    if (i < 0 || i >= n) return NULL;
    return ((const tni_tensor *const *)tensor->data)[i];
}

double tn_tensor_get(const tn_tensor *tensor, int64_t i)
{
    if (tensor->kind != TN_KIND_TENSOR || i < 0 || i >= tensor->len)
        return 0.0;
    return tni_get_f64(tensor, i);
}

size_t tn_tensor_format(const tn_tensor *tensor, int64_t i, char *buf,
                        size_t size)
{
    if (size != 0) buf[0] = '\0';
    if (tensor->kind != TN_KIND_TENSOR || i < 0 || i >= tensor->len) return 0;
    int n = 0;
    switch (tensor->dtype) {
    case TN_STRING: {
        const tn_string s = TNI_CDATA(tn_string, tensor)[i];
        if (size != 0) {
            const size_t keep = s.len < size - 1 ? s.len : size - 1;
            if (keep != 0) memcpy(buf, s.ptr, keep);
            buf[keep] = '\0';
        }
        return s.len;
    }
    case TN_BOOL:
        n = snprintf(buf, size, "%s",
                     TNI_CDATA(uint8_t, tensor)[i] != 0 ? "true" : "false");
        break;
    case TN_U64:
        n = snprintf(buf, size, "%llu",
                     (unsigned long long)TNI_CDATA(uint64_t, tensor)[i]);
        break;
    case TN_F64:
        n = snprintf(buf, size, "%.17g", TNI_CDATA(double, tensor)[i]);
        break;
    case TN_C64:
        n = snprintf(buf, size, "%.9g%+.9gj",
                     (double)TNI_CDATA(float, tensor)[2 * i],
                     (double)TNI_CDATA(float, tensor)[2 * i + 1]);
        break;
    case TN_C128:
        n = snprintf(buf, size, "%.17g%+.17gj",
                     TNI_CDATA(double, tensor)[2 * i],
                     TNI_CDATA(double, tensor)[2 * i + 1]);
        break;
    case TN_F32:
        n = snprintf(buf, size, "%.9g", (double)TNI_CDATA(float, tensor)[i]);
        break;
    case TN_F16:
    case TN_BF16:
    case TN_F8E4M3FN:
    case TN_F8E4M3FNUZ:
    case TN_F8E5M2:
    case TN_F8E5M2FNUZ:
    case TN_F4E2M1:
    case TN_F8E8M0:
        n = snprintf(buf, size, "%.5g", tni_get_f64(tensor, i));
        break;
    default:
        n = snprintf(buf, size, "%lld", (long long)tni_get_i64(tensor, i));
        break;
    }
    return n < 0 ? 0 : (size_t)n;
}

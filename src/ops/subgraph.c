/* SPDX-License-Identifier: Apache-2.0 */
/* subgraph.c - what If, Loop and Scan share: joining types, keeping values */
#include "ops/subgraph.h"

#include <string.h>

enum { MAX_NESTING = 32 };

static tn_status join(tni_type *out, const tni_type *a, const tni_type *b,
                      tni_arena *arena, int depth, tn_err *err)
{
    if (depth > MAX_NESTING)
        return tni_fail(err, TN_ELIMIT, "types nest deeper than %d",
                        MAX_NESTING);
    if (a->kind == TN_KIND_NONE || b->kind == TN_KIND_NONE) {
        *out = a->kind == TN_KIND_NONE ? *b : *a;
        return TN_OK;
    }
    if (a->kind != b->kind &&
        (a->kind == TN_KIND_OPTIONAL || b->kind == TN_KIND_OPTIONAL)) {
        /* An optional and what it may hold: either can come at run. */
        memset(out, 0, sizeof *out);
        out->rank = -1;
        return TN_OK;
    }
    if (a->kind != b->kind ||
        (a->dtype != b->dtype && a->dtype != TN_UNDEFINED &&
         b->dtype != TN_UNDEFINED)) {
        char ta[64], tb[64];
        return tni_fail(err, TN_EINVAL, "types %s and %s cannot be joined",
                        tni_type_format(ta, sizeof ta, a),
                        tni_type_format(tb, sizeof tb, b));
    }
    tni_type t = *a;
    if (t.dtype == TN_UNDEFINED) t.dtype = b->dtype;
    if (a->kind == TN_KIND_TENSOR) {
        if (a->rank != b->rank) {
            t.rank = -1;
        } else {
            for (int i = 0; i < a->rank; i++)
                if (a->dims[i] != b->dims[i]) t.dims[i] = TNI_DIM_UNKNOWN;
        }
    } else if (a->elem == NULL || b->elem == NULL) {
        t.elem = a->elem != NULL ? a->elem : b->elem;
    } else {
        tni_type *elem = TNI_NEW(arena, tni_type);
        if (elem == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        TN_TRY(join(elem, a->elem, b->elem, arena, depth + 1, err));
        t.elem = elem;
    }
    *out = t;
    return TN_OK;
}

tn_status tni_type_join(tni_type *out, const tni_type *a, const tni_type *b,
                        tni_arena *arena, tn_err *err)
{
    return join(out, a, b, arena, 0, err);
}

bool tni_type_equal(const tni_type *a, const tni_type *b)
{
    for (int depth = 0; depth <= MAX_NESTING; depth++) {
        if (a->kind != b->kind || a->dtype != b->dtype) return false;
        if (a->kind == TN_KIND_NONE) return true;
        if (a->kind == TN_KIND_TENSOR) {
            if (a->rank != b->rank) return false;
            for (int i = 0; i < a->rank; i++)
                if (a->dims[i] != b->dims[i]) return false;
            return true;
        }
        if (a->elem == NULL || b->elem == NULL) return a->elem == b->elem;
        a = a->elem;
        b = b->elem;
    }
    return false;
}

void tni_tensor_scalar(tni_tensor *t, tn_dtype dtype, bool rank1, void *data)
{
    memset(t, 0, sizeof *t);
    t->kind = TN_KIND_TENSOR;
    t->dtype = dtype;
    t->rank = rank1 ? 1 : 0;
    t->dims[0] = rank1 ? 1 : 0;
    t->len = 1;
    t->data = data;
}

static bool in_arena(const void *p, const tni_arena *arena)
{
    const uintptr_t at = (uintptr_t)p;
    for (const tni_arena_chunk *c = arena->first; c != NULL; c = c->next) {
        const uintptr_t base = (uintptr_t)c;
        if (at >= base && at - base <= sizeof *c + c->size) return true;
    }
    return false;
}

static bool value_in_arena(const tni_tensor *v, const tni_arena *arena,
                           int depth)
{
    if (v == NULL || v->data == NULL) return false;
    if (in_arena(v->data, arena) || depth > MAX_NESTING) return true;
    if (v->kind == TN_KIND_TENSOR) {
        if (v->dtype != TN_STRING) return false;
        const tn_string *s = TNI_CDATA(tn_string, v);
        for (int64_t i = 0; i < v->len; i++)
            if (s[i].len != 0 && in_arena(s[i].ptr, arena)) return true;
        return false;
    }
    const tni_tensor *const *items = v->data;
    const int64_t n = v->kind == TN_KIND_MAP ? 2 : v->len;
    for (int64_t i = 0; i < n; i++)
        if (in_arena(items[i], arena) ||
            value_in_arena(items[i], arena, depth + 1))
            return true;
    return false;
}

bool tni_value_in_arena(const tni_tensor *value, const tni_arena *arena)
{
    return value_in_arena(value, arena, 0);
}

tn_status tni_condition(bool *out, const tni_tensor *t, const char *what,
                        tn_err *err)
{
    if (t == NULL || t->kind != TN_KIND_TENSOR || t->dtype != TN_BOOL ||
        t->len != 1 || t->data == NULL)
        return tni_fail(err, TN_EINVAL, "%s is not a single bool", what);
    *out = TNI_CDATA(uint8_t, t)[0] != 0;
    return TN_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* container.c - sequences and optionals as operators see them */
#include "ops/container.h"

#include "ops/move.h"

static const char *kind_name(tn_kind kind)
{
    static const char *const names[] = {"nothing", "a tensor", "a sequence",
                                        "an optional", "a map"};
    const int i = (int)kind;
    return i >= 0 && i < TNI_COUNT(names) ? names[i] : "unknown";
}

tn_status tni_infer_container(tni_infer *c, int i, tn_kind kind,
                              const tni_type *elem)
{
    if (i >= c->n_out) return TN_OK;
    tni_type *t = &c->out[i];
    t->kind = kind;
    t->dtype = TN_UNDEFINED;
    t->rank = -1;
    t->elem = NULL;
    if (elem == NULL || elem->kind == TN_KIND_NONE) return TN_OK;
    tni_type *copy = TNI_NEW(c->arena, tni_type);
    if (copy == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    *copy = *elem;
    t->elem = copy;
    return TN_OK;
}

tn_status tni_infer_item(const tni_type **elem, const tni_infer *c, int i,
                         tn_kind kind)
{
    *elem = NULL;
    if (!tni_infer_has(c, i)) return TN_OK;
    const tni_type *t = c->in[i];
    if (t->kind == TN_KIND_NONE) return TN_OK;
    if (t->kind != kind)
        return tni_fail(c->err, TN_EINVAL, "input %d is %s, expected %s", i,
                        kind_name(t->kind), kind_name(kind));
    *elem = t->elem;
    return TN_OK;
}

tn_status tni_ref_sequence(const tni_ref *c, int i)
{
    if (tni_ref_has(c, i) && c->in[i]->kind == TN_KIND_SEQUENCE) return TN_OK;
    return tni_fail(c->err, TN_EINVAL, "input %d is %s, expected a sequence",
                    i,
                    tni_ref_has(c, i) ? kind_name(c->in[i]->kind) : "omitted");
}

tn_status tni_ref_container(tni_ref *c, int i, tn_kind kind, tn_dtype dtype,
                            int64_t n, const tni_tensor ***items)
{
    *items = NULL;
    if (!tni_ref_wants(c, i)) return TN_OK;
    const tni_tensor **list =
        TNI_NEW_ARRAY(c->out_arena, const tni_tensor *, n > 0 ? n : 1);
    if (list == NULL) return tni_ref_nomem(c);
    tni_tensor *out = c->out[i];
    out->kind = kind;
    out->dtype = dtype;
    out->rank = 0;
    out->len = n;
    out->data = list;
    *items = list;
    return TN_OK;
}

tn_status tni_ref_keep(const tni_tensor **out, tni_ref *c,
                       const tni_tensor *value)
{
    tni_tensor *copy = TNI_NEW(c->out_arena, tni_tensor);
    if (copy == NULL) return tni_ref_nomem(c);
    TN_TRY(tni_tensor_copy(copy, value, c->out_arena, c->err));
    *out = copy;
    return TN_OK;
}

tn_status tni_ref_position(int64_t *out, const tni_ref *c, int i, int64_t n,
                           bool end, int64_t absent)
{
    *out = absent;
    int64_t p = 0;
    if (tni_ref_has(c, i)) {
        TN_TRY(tni_scalar_i64(&p, c->in[i], "position", c->err));
        *out = p < 0 ? p + n : p;
    } else {
        p = absent;
    }
    if (*out < 0 || *out >= n + (end ? 1 : 0))
        return tni_fail(c->err, TN_EINVAL,
                        "position %lld in a sequence of %lld", (long long)p,
                        (long long)n);
    return TN_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_zip_map.c - ai.onnx.ml ZipMap
 *
 * Shapes:  x[N, k] or x[k] for k labels -> a sequence of N maps
 * Types:   f32 -> seq(map(string | int64, float)); keys ascend, of equal ones
 *          the last counts
 * Errors:  EINVAL another number of columns than of labels
 * Numeric: bit-exact
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#ZipMap
 */
#include "ops/ml.h"

#include <string.h>

static tn_status infer(tni_infer *c)
{
    tni_labels keys;
    tni_labels_read(&keys, c->node, "classlabels_strings",
                    "classlabels_int64s");
    if (keys.n == 0)
        return tni_fail(c->err, TN_EINVAL, "the class labels are missing");
    if (tni_infer_ranked(c, 0)) {
        const tni_type *x = c->in[0];
        if (x->rank != 1 && x->rank != 2)
            return tni_fail(c->err, TN_EINVAL, "the input has rank %d",
                            x->rank);
        if (x->dims[x->rank - 1] >= 0 && x->dims[x->rank - 1] != keys.n)
            return tni_fail(c->err, TN_EINVAL,
                            "%lld columns for %lld class labels",
                            (long long)x->dims[x->rank - 1], (long long)keys.n);
    }
    tni_type *map = TNI_NEW(c->arena, tni_type);
    tni_type *value = TNI_NEW(c->arena, tni_type);
    if (map == NULL || value == NULL)
        return tni_fail(c->err, TN_ENOMEM, "out of memory");
    tni_type_tensor(value, TN_F32, 0);
    map->kind = TN_KIND_MAP;
    map->dtype = tni_labels_dtype(&keys);
    map->elem = value;
    c->out[0].kind = TN_KIND_SEQUENCE;
    c->out[0].elem = map;
    return TN_OK;
}

static bool less(const tni_labels *l, int64_t a, int64_t b)
{
    if (l->strings == NULL) return l->ints[a] < l->ints[b];
    const tn_string x = l->strings[a], y = l->strings[b];
    const size_t n = x.len < y.len ? x.len : y.len;
    const int order = n == 0 ? 0 : memcmp(x.ptr, y.ptr, n);
    return order < 0 || (order == 0 && x.len < y.len);
}

/* Columns in order of their keys, the last of equal ones alone. */
static int64_t sort_columns(int64_t *order, const tni_labels *l)
{
    int64_t n = 0;
    for (int64_t i = 0; i < l->n; i++) {
        int64_t j = n;
        while (j > 0 && less(l, i, order[j - 1])) j--;
        if (j > 0 && !less(l, order[j - 1], i)) {
            order[j - 1] = i;
            continue;
        }
        memmove(order + j + 1, order + j, (size_t)(n - j) * sizeof *order);
        order[j] = i;
        n++;
    }
    return n;
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    tni_labels l;
    tni_labels_read(&l, c->node, "classlabels_strings", "classlabels_int64s");
    int64_t n, f;
    TN_TRY(tni_ml_rows(&n, &f, x, c->err));
    if (f != l.n || x->rank > 2)
        return tni_fail(c->err, TN_EINVAL, "%lld columns for %lld class labels",
                        (long long)f, (long long)l.n);
    int64_t *order = TNI_NEW_ARRAY(c->scratch, int64_t, l.n + 1);
    if (order == NULL) return tni_ref_nomem(c);
    const int64_t k = sort_columns(order, &l);
    /* The keys are one tensor that all maps share. */
    tni_tensor *keys = TNI_NEW(c->out_arena, tni_tensor);
    tni_tensor *maps = TNI_NEW_ARRAY(c->out_arena, tni_tensor, n + 1);
    tni_tensor *values = TNI_NEW_ARRAY(c->out_arena, tni_tensor, n + 1);
    const tni_tensor **items =
        TNI_NEW_ARRAY(c->out_arena, const tni_tensor *, n + 1);
    const tni_tensor **parts =
        TNI_NEW_ARRAY(c->out_arena, const tni_tensor *, 2 * n + 1);
    if (keys == NULL || maps == NULL || values == NULL || items == NULL ||
        parts == NULL)
        return tni_ref_nomem(c);
    TN_TRY(tni_tensor_alloc(keys, c->out_arena, tni_labels_dtype(&l), 1, &k,
                            c->err));
    for (int64_t i = 0; i < k; i++) tni_labels_put(&l, keys, i, order[i]);
    for (int64_t r = 0; r < n; r++) {
        TN_TRY(
            tni_tensor_alloc(&values[r], c->out_arena, TN_F32, 1, &k, c->err));
        for (int64_t i = 0; i < k; i++)
            TNI_DATA(float, &values[r])
            [i] = TNI_CDATA(float, x)[r * f + order[i]];
        parts[2 * r] = keys;
        parts[2 * r + 1] = &values[r];
        maps[r].kind = TN_KIND_MAP;
        maps[r].dtype = keys->dtype;
        maps[r].len = k;
        maps[r].data = &parts[2 * r];
        items[r] = &maps[r];
    }
    tni_tensor *out = c->out[0];
    memset(out, 0, sizeof *out);
    out->kind = TN_KIND_SEQUENCE;
    out->len = n;
    out->data = items;
    return TN_OK;
}

static const tni_arg in[] = {{"X", TNI_T(TN_F32), 0, 0}};
static const tni_arg out[] = {{"Z", 0, 0, TNI_NONTENSOR}};
static const tni_attr_spec attrs[] = {
    {"classlabels_int64s", TNI_ATTR_INTS, NULL},
    {"classlabels_strings", TNI_ATTR_STRINGS, NULL},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_zip_map = {.domain = "ai.onnx.ml",
                               .name = "ZipMap",
                               .summary = "a map of scores for each row",
                               TNI_VERSIONS(versions)};

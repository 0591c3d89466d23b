/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_dict_vectorizer.c - ai.onnx.ml DictVectorizer
 *
 * Shapes:  a map -> y[1, k] for k words of the vocabulary; 0 or "" where the
 *          map has no such key, keys outside the vocabulary are passed over
 * Types:   map(string | int64, any of f32, f64, i64, string) -> its values
 * Numeric: bit-exact
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#DictVectorizer
 */
#include "ops/ml.h"

#include <string.h>

static tn_status infer(tni_infer *c)
{
    tni_labels words;
    tni_labels_read(&words, c->node, "string_vocabulary", "int64_vocabulary");
    if (words.n == 0)
        return tni_fail(c->err, TN_EINVAL, "the vocabulary is missing");
    const tni_type *x = c->in[0];
    if (x->kind == TN_KIND_NONE) return TN_OK;
    if (x->kind != TN_KIND_MAP)
        return tni_fail(c->err, TN_EINVAL, "the input is no map");
    if (x->elem == NULL || x->elem->kind != TN_KIND_TENSOR) return TN_OK;
    return tni_infer_dims(c, 0, x->elem->dtype, 2, (int64_t[]){1, words.n});
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *keys, *values;
    TN_TRY(tni_map_parts(c->in[0], &keys, &values, c->err));
    tni_labels words;
    tni_labels_read(&words, c->node, "string_vocabulary", "int64_vocabulary");
    if (keys->dtype != tni_labels_dtype(&words))
        return tni_fail(c->err, TN_EINVAL,
                        "the map's keys are %s, the vocabulary's words %s",
                        tn_dtype_name(keys->dtype),
                        tn_dtype_name(tni_labels_dtype(&words)));
    tni_dict d;
    TN_TRY(tni_dict_init(&d, words.strings, words.ints, words.n, c->scratch,
                         c->err));
    TN_TRY(tni_ref_output(c, 0, values->dtype, 2, (int64_t[]){1, words.n}));
    tni_tensor *y = c->out[0];
    const size_t size = tn_dtype_size(values->dtype);
    memset(y->data, 0, (size_t)words.n * size);
    for (int64_t i = 0; y->dtype == TN_STRING && i < words.n; i++)
        TNI_DATA(tn_string, y)[i].ptr = "";
    for (int64_t i = 0; i < keys->len; i++) {
        const int64_t k =
            words.strings != NULL
                ? tni_dict_find_string(&d, TNI_CDATA(tn_string, keys)[i])
                : tni_dict_find_int(&d, TNI_CDATA(int64_t, keys)[i]);
        if (k < 0) continue;
        memcpy((char *)y->data + (size_t)k * size,
               TNI_CDATA(char, values) + (size_t)i * size, size);
        if (y->dtype != TN_STRING) continue;
        tn_string *s = &TNI_DATA(tn_string, y)[k];
        s->ptr = tni_arena_strndup(c->out_arena, s->ptr, s->len);
        if (s->ptr == NULL) return tni_ref_nomem(c);
    }
    return TN_OK;
}

static const tni_arg in[] = {{"X", 0, 0, TNI_NONTENSOR}};
static const tni_arg out[] = {
    {"Y", TNI_STRINGS | TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_I64), 0, 0}};
static const tni_attr_spec attrs[] = {
    {"int64_vocabulary", TNI_ATTR_INTS, NULL},
    {"string_vocabulary", TNI_ATTR_STRINGS, NULL},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_dict_vectorizer = {.domain = "ai.onnx.ml",
                                       .name = "DictVectorizer",
                                       .summary =
                                           "a map's values in vocabulary order",
                                       TNI_VERSIONS(versions)};

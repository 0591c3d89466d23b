/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_label_encoder.c - ai.onnx.ml LabelEncoder, versions 1, 2, 4
 *
 * Shapes:  x[…] -> y[…]
 * Types:   keys and values of string, f32, f64, i64, i32, i16 in any pairing;
 *          version 1: strings to their position and back
 * Errors:  EINVAL keys and values of different counts, keys of another dtype
 *          than x
 * Numeric: exact; a NaN key matches every NaN; of equal keys the last counts
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#LabelEncoder
 */
#include "ops/ml.h"

#include <string.h>

/* A list of keys or of values, whatever attribute it came in. */
typedef struct list {
    tn_dtype dtype;
    int64_t n;
    const void *data;
} list;

static bool read_list(list *l, const tni_node *node, const char *const names[4])
{
    int n = 0;
    memset(l, 0, sizeof *l);
    if ((l->data = tni_attr_strings(node, names[0], &n)) != NULL && n > 0)
        l->dtype = TN_STRING;
    else if ((l->data = tni_attr_ints(node, names[1], &n)) != NULL && n > 0)
        l->dtype = TN_I64;
    else if ((l->data = tni_attr_floats(node, names[2], &n)) != NULL && n > 0)
        l->dtype = TN_F32;
    l->n = n;
    const tni_tensor *t = tni_attr_tensor(node, names[3]);
    if (l->dtype == TN_UNDEFINED && t != NULL) {
        l->dtype = t->dtype;
        l->n = t->len;
        l->data = t->data;
    }
    return l->dtype != TN_UNDEFINED;
}

static bool read_keys(list *l, const tni_node *node)
{
    static const char *const names[4] = {"keys_strings", "keys_int64s",
                                         "keys_floats", "keys_tensor"};
    return read_list(l, node, names);
}

static bool read_values(list *l, const tni_node *node)
{
    static const char *const names[4] = {"values_strings", "values_int64s",
                                         "values_floats", "values_tensor"};
    return read_list(l, node, names);
}

static tn_status infer1(tni_infer *c)
{
    TN_TRY(tni_infer_same(c, 0, 0));
    c->out[0].dtype = tni_infer_dtype(c, 0) == TN_STRING ? TN_I64 : TN_STRING;
    return TN_OK;
}

static tn_status ref1(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    int n = 0;
    const tn_string *classes = tni_attr_strings(c->node, "classes_strings", &n);
    tn_string absent = tni_attr_string(c->node, "default_string");
    if (absent.ptr == NULL) absent = (tn_string){"_Unused", 7};
    const int64_t none = tni_attr_int(c->node, "default_int64", -1);
    const bool from_text = x->dtype == TN_STRING;
    TN_TRY(
        tni_ref_output(c, 0, from_text ? TN_I64 : TN_STRING, x->rank, x->dims));
    if (!from_text) {
        for (int64_t i = 0; i < x->len; i++) {
            const int64_t k = TNI_CDATA(int64_t, x)[i];
            TNI_DATA(tn_string, c->out[0])
            [i] = k >= 0 && k < n ? classes[k] : absent;
        }
        return TN_OK;
    }
    tni_dict d;
    TN_TRY(tni_dict_init(&d, classes, NULL, n, c->scratch, c->err));
    for (int64_t i = 0; i < x->len; i++) {
        const int64_t k = tni_dict_find_string(&d, TNI_CDATA(tn_string, x)[i]);
        TNI_DATA(int64_t, c->out[0])[i] = k < 0 ? none : k;
    }
    return TN_OK;
}

static tn_status infer2(tni_infer *c)
{
    list keys, values;
    if (!read_keys(&keys, c->node) || !read_values(&values, c->node))
        return tni_fail(c->err, TN_EINVAL, "keys or values are missing");
    if (keys.n != values.n)
        return tni_fail(c->err, TN_EINVAL, "%lld keys, %lld values",
                        (long long)keys.n, (long long)values.n);
    const tn_dtype x = tni_infer_dtype(c, 0);
    if (x != TN_UNDEFINED && x != keys.dtype)
        return tni_fail(c->err, TN_EINVAL, "the input is %s, the keys are %s",
                        tn_dtype_name(x), tn_dtype_name(keys.dtype));
    TN_TRY(tni_infer_same(c, 0, 0));
    c->out[0].dtype = values.dtype;
    return TN_OK;
}

/* Any element as a key of the dictionary's integers. */
static int64_t key_of(tn_dtype dtype, const void *data, int64_t i)
{
    switch (dtype) {
    case TN_F32: return tni_dict_float((double)((const float *)data)[i]);
    case TN_F64: return tni_dict_float(((const double *)data)[i]);
    case TN_I32: return ((const int32_t *)data)[i];
    case TN_I16: return ((const int16_t *)data)[i];
    default: return ((const int64_t *)data)[i];
    }
}

/* What stands in for an unknown key, in the dtype of the values. */
typedef union fallback {
    tn_string s;
    int64_t i64;
    int32_t i32;
    int16_t i16;
    float f32;
    double f64;
} fallback;

static void read_fallback(fallback *f, tn_dtype dtype, const tni_node *node)
{
    const tni_tensor *t = tni_attr_tensor(node, "default_tensor");
    const size_t size = tn_dtype_size(dtype);
    memset(f, 0, sizeof *f);
    if (t != NULL && t->dtype == dtype && t->len >= 1 && size <= sizeof *f) {
        memcpy(f, t->data, size);
        return;
    }
    const int64_t i = tni_attr_int(node, "default_int64", -1);
    const float x = tni_attr_float(node, "default_float", -0.0f);
    switch (dtype) {
    case TN_STRING:
        f->s = tni_attr_string(node, "default_string");
        if (f->s.ptr == NULL) f->s = (tn_string){"_Unused", 7};
        break;
    case TN_F32: f->f32 = x; break;
    case TN_F64: f->f64 = (double)x; break;
    case TN_I32: f->i32 = (int32_t)i; break;
    case TN_I16: f->i16 = (int16_t)i; break;
    default: f->i64 = i; break;
    }
}

static tn_status ref2(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    list keys, values;
    if (!read_keys(&keys, c->node) || !read_values(&values, c->node) ||
        keys.n != values.n || keys.dtype != x->dtype)
        return tni_fail(c->err, TN_EINVAL,
                        "keys and values do not fit the input");
    int64_t *ints = NULL;
    if (keys.dtype != TN_STRING) {
        ints = TNI_NEW_ARRAY(c->scratch, int64_t, keys.n + 1);
        if (ints == NULL) return tni_ref_nomem(c);
        for (int64_t i = 0; i < keys.n; i++)
            ints[i] = key_of(keys.dtype, keys.data, i);
    }
    tni_dict d;
    TN_TRY(tni_dict_init(&d, ints == NULL ? keys.data : NULL, ints, keys.n,
                         c->scratch, c->err));
    fallback absent;
    read_fallback(&absent, values.dtype, c->node);
    TN_TRY(tni_ref_output(c, 0, values.dtype, x->rank, x->dims));
    const size_t size = tn_dtype_size(values.dtype);
    char *y = c->out[0]->data;
    for (int64_t i = 0; i < x->len; i++, y += size) {
        const int64_t k =
            ints == NULL ? tni_dict_find_string(&d, TNI_CDATA(tn_string, x)[i])
                         : tni_dict_find_int(&d, key_of(x->dtype, x->data, i));
        const void *from = &absent;
        if (k >= 0) from = (const char *)values.data + (size_t)k * size;
        memcpy(y, from, size);
    }
    return TN_OK;
}

#define TYPES1 (TNI_STRINGS | TNI_T(TN_I64))
#define TYPES2 (TYPES1 | TNI_T(TN_F32))
#define TYPES4 (TYPES2 | TNI_T(TN_F64) | TNI_T(TN_I32) | TNI_T(TN_I16))

static const tni_arg in1[] = {{"X", TYPES1, 0, 0}};
static const tni_arg out1[] = {{"Y", TYPES1, 0, 0}};
static const tni_arg in2[] = {{"X", TYPES2, 0, 0}};
static const tni_arg out2[] = {{"Y", TYPES2, 0, 0}};
static const tni_arg in4[] = {{"X", TYPES4, 0, 0}};
static const tni_arg out4[] = {{"Y", TYPES4, 0, 0}};
static const tni_attr_spec attrs1[] = {
    {"classes_strings", TNI_ATTR_STRINGS, NULL},
    {"default_int64", TNI_ATTR_INT, "-1"},
    {"default_string", TNI_ATTR_STRING, "_Unused"},
};
static const tni_attr_spec attrs2[] = {
    {"default_float", TNI_ATTR_FLOAT, "-0"},
    {"default_int64", TNI_ATTR_INT, "-1"},
    {"default_string", TNI_ATTR_STRING, "_Unused"},
    {"keys_floats", TNI_ATTR_FLOATS, NULL},
    {"keys_int64s", TNI_ATTR_INTS, NULL},
    {"keys_strings", TNI_ATTR_STRINGS, NULL},
    {"values_floats", TNI_ATTR_FLOATS, NULL},
    {"values_int64s", TNI_ATTR_INTS, NULL},
    {"values_strings", TNI_ATTR_STRINGS, NULL},
};
static const tni_attr_spec attrs4[] = {
    {"default_float", TNI_ATTR_FLOAT, "-0"},
    {"default_int64", TNI_ATTR_INT, "-1"},
    {"default_string", TNI_ATTR_STRING, "_Unused"},
    {"default_tensor", TNI_ATTR_TENSOR, NULL},
    {"keys_floats", TNI_ATTR_FLOATS, NULL},
    {"keys_int64s", TNI_ATTR_INTS, NULL},
    {"keys_strings", TNI_ATTR_STRINGS, NULL},
    {"keys_tensor", TNI_ATTR_TENSOR, NULL},
    {"values_floats", TNI_ATTR_FLOATS, NULL},
    {"values_int64s", TNI_ATTR_INTS, NULL},
    {"values_strings", TNI_ATTR_STRINGS, NULL},
    {"values_tensor", TNI_ATTR_TENSOR, NULL},
};

static const tni_op_version versions[] = {
    {.since = 4,
     TNI_IN(in4),
     TNI_OUT(out4),
     TNI_ATTRS(attrs4),
     .infer = infer2,
     .ref = ref2},
    {.since = 2,
     TNI_IN(in2),
     TNI_OUT(out2),
     TNI_ATTRS(attrs2),
     .infer = infer2,
     .ref = ref2},
    {.since = 1,
     TNI_IN(in1),
     TNI_OUT(out1),
     TNI_ATTRS(attrs1),
     .infer = infer1,
     .ref = ref1},
};

const tni_op tni_op_label_encoder = {.domain = "ai.onnx.ml",
                                     .name = "LabelEncoder",
                                     .summary = "maps keys to values",
                                     TNI_VERSIONS(versions)};

/* SPDX-License-Identifier: Apache-2.0 */
/* ml.c - what the ai.onnx.ml operators share */
#include "ops/ml.h"

#include "base/checked.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* --- rows -------------------------------------------------------------- */

tn_status tni_ml_rows(int64_t *n, int64_t *features, const tni_tensor *x,
                      tn_err *err)
{
    if (x->rank < 1) return tni_fail(err, TN_EINVAL, "the input is a scalar");
    *n = x->rank == 1 ? 1 : x->dims[0];
    *features = 1;
    for (int i = x->rank == 1 ? 0 : 1; i < x->rank; i++)
        *features *= x->dims[i];
    return TN_OK;
}

tn_status tni_ml_infer_rows(const tni_infer *c, int in, int64_t *n,
                            int64_t *features)
{
    *n = *features = TNI_DIM_UNKNOWN;
    if (!tni_infer_ranked(c, in)) return TN_OK;
    const tni_type *t = c->in[in];
    if (t->rank < 1)
        return tni_fail(c->err, TN_EINVAL, "input %d is a scalar", in);
    *n = t->rank == 1 ? 1 : t->dims[0];
    int64_t f = 1;
    for (int i = t->rank == 1 ? 0 : 1; i < t->rank; i++) {
        if (t->dims[i] < 0 || !tni_mul_i64(f, t->dims[i], &f)) {
            f = TNI_DIM_UNKNOWN;
            break;
        }
    }
    *features = f;
    return TN_OK;
}

const float *tni_ml_floats(tni_ref *c, const tni_tensor *x)
{
    if (x->dtype == TN_F32) return TNI_CDATA(float, x);
    size_t size = 0;
    if (!tni_elems_size(&size, TN_F32, x->len)) return NULL;
    float *f = tni_ref_scratch(c, size);
    if (f == NULL) return NULL;
    switch (x->dtype) {
    case TN_F64:
        for (int64_t i = 0; i < x->len; i++)
            f[i] = (float)TNI_CDATA(double, x)[i];
        break;
    case TN_I64:
        for (int64_t i = 0; i < x->len; i++)
            f[i] = (float)TNI_CDATA(int64_t, x)[i];
        break;
    case TN_I32:
        for (int64_t i = 0; i < x->len; i++)
            f[i] = (float)TNI_CDATA(int32_t, x)[i];
        break;
    default:
        for (int64_t i = 0; i < x->len; i++) f[i] = (float)tni_get_f64(x, i);
        break;
    }
    return f;
}

/* --- scores ------------------------------------------------------------ */

tn_status tni_post_parse(tni_post *post, const tni_node *node, tn_err *err)
{
    static const char *const names[] = {
        [TNI_POST_NONE] = "NONE",
        [TNI_POST_LOGISTIC] = "LOGISTIC",
        [TNI_POST_SOFTMAX] = "SOFTMAX",
        [TNI_POST_SOFTMAX_ZERO] = "SOFTMAX_ZERO",
        [TNI_POST_PROBIT] = "PROBIT",
    };
    for (int i = 0; i < TNI_COUNT(names); i++) {
        if (tni_attr_is(node, "post_transform", names[i], "NONE")) {
            *post = (tni_post)i;
            return TN_OK;
        }
    }
    return tni_fail(err, TN_EINVAL,
                    "post_transform must be NONE, LOGISTIC, SOFTMAX, "
                    "SOFTMAX_ZERO or PROBIT");
}

/* Element i belongs to sum i mod 8: a single sum would wait for every one of
 * its additions. */
enum { n_sums = 8 };

static double join(const double s[n_sums])
{
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

double tni_ml_dot(const float *a, const float *b, int64_t n)
{
    double s[n_sums] = {0};
    int64_t i = 0;
    for (; i + n_sums <= n; i += n_sums)
        for (int l = 0; l < n_sums; l++)
            s[l] += (double)a[i + l] * (double)b[i + l];
    for (int l = 0; i < n; i++, l++) s[l] += (double)a[i] * (double)b[i];
    return join(s);
}

double tni_ml_distance2(const float *a, const float *b, int64_t n)
{
    double s[n_sums] = {0};
    int64_t i = 0;
    for (; i + n_sums <= n; i += n_sums) {
        for (int l = 0; l < n_sums; l++) {
            const double d = (double)a[i + l] - (double)b[i + l];
            s[l] += d * d;
        }
    }
    for (int l = 0; i < n; i++, l++) {
        const double d = (double)a[i] - (double)b[i];
        s[l] += d * d;
    }
    return join(s);
}

float tni_ml_logistic(float x)
{
    const float v = 1.0f / (1.0f + expf(-fabsf(x)));
    return x < 0.0f ? 1.0f - v : v;
}

/* Inverse error function by Winitzki's formula with a = 0.147: the runtime
 * the models were made for uses it, so a better one would differ. */
static float erf_inv(float x)
{
    const float sign = x < 0.0f ? -1.0f : 1.0f;
    const float ln = logf((1.0f - x) * (1.0f + x));
    const float v = 2.0f / (3.14159265f * 0.147f) + 0.5f * ln;
    return sign * sqrtf(sqrtf(v * v - 1.0f / 0.147f * ln) - v);
}

float tni_ml_probit(float x)
{
    return 1.41421356f * erf_inv(2.0f * x - 1.0f);
}

static void softmax(float *s, int64_t n, bool keep_zeros)
{
    float max = -FLT_MAX, sum = 0.0f;
    for (int64_t i = 0; i < n; i++)
        if (s[i] > max) max = s[i];
    const float zero = keep_zeros ? expf(-max) : 0.0f;
    for (int64_t i = 0; i < n; i++) {
        if (keep_zeros && !(s[i] > 0.0000001f || s[i] < -0.0000001f)) {
            s[i] *= zero;
            continue;
        }
        s[i] = expf(s[i] - max);
        sum += s[i];
    }
    for (int64_t i = 0; i < n; i++) s[i] /= sum;
}

void tni_post_apply(tni_post post, float *s, int64_t n)
{
    if (n < 2 && post != TNI_POST_PROBIT) return;
    switch (post) {
    case TNI_POST_NONE: break;
    case TNI_POST_LOGISTIC:
        for (int64_t i = 0; i < n; i++) s[i] = tni_ml_logistic(s[i]);
        break;
    case TNI_POST_PROBIT:
        for (int64_t i = 0; i < n; i++) s[i] = tni_ml_probit(s[i]);
        break;
    case TNI_POST_SOFTMAX: softmax(s, n, false); break;
    case TNI_POST_SOFTMAX_ZERO: softmax(s, n, true); break;
    }
}

void tni_post_second(tni_post post, tni_second how, float *z)
{
    const float s = z[0];
    z[1] = how == TNI_SECOND_NONE || post == TNI_POST_PROBIT ? 0.0f : s;
    if (post == TNI_POST_PROBIT) {
        z[0] = tni_ml_probit(s);
    } else if (how == TNI_SECOND_NONE) {
        z[0] = s;
    } else if (post == TNI_POST_LOGISTIC) {
        z[0] = tni_ml_logistic(-s);
        z[1] = tni_ml_logistic(s);
    } else {
        z[0] = how == TNI_SECOND_REST ? 1.0f - s : -s;
    }
}

/* --- labels ------------------------------------------------------------ */

void tni_labels_read(tni_labels *l, const tni_node *node, const char *strings,
                     const char *ints)
{
    int n = 0;
    memset(l, 0, sizeof *l);
    l->strings = tni_attr_strings(node, strings, &n);
    if (n == 0) {
        l->strings = NULL;
        l->ints = tni_attr_ints(node, ints, &n);
    }
    l->n = n;
}

void tni_labels_put(const tni_labels *l, tni_tensor *out, int64_t i, int64_t k)
{
    const bool known = k >= 0 && k < l->n;
    if (out->dtype == TN_STRING) TNI_DATA(tn_string, out)
    [i] = known ? l->strings[k] : (tn_string){"", 0};
    else TNI_DATA(int64_t, out)[i] = known ? l->ints[k] : -1;
}

/* --- dictionaries ------------------------------------------------------ */

static size_t hash_int(int64_t key)
{
    uint64_t h = (uint64_t)key * 0x9e3779b97f4a7c15u;
    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9u;
    return (size_t)(h ^ (h >> 32));
}

static size_t hash_string(tn_string s)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (uint8_t)s.ptr[i]) * 0x100000001b3u;
    return (size_t)(h ^ (h >> 32));
}

static size_t find_slot(const tni_dict *d, const tn_string *s, int64_t key)
{
    size_t at = (s != NULL ? hash_string(*s) : hash_int(key)) & d->mask;
    for (;; at = (at + 1) & d->mask) {
        const int32_t k = d->slots[at];
        if (k == 0) return at;
        if (s != NULL ? tni_string_equal(d->strings[k - 1], *s)
                      : d->ints[k - 1] == key)
            return at;
    }
}

tn_status tni_dict_init(tni_dict *d, const tn_string *strings,
                        const int64_t *ints, int64_t n, tni_arena *arena,
                        tn_err *err)
{
    memset(d, 0, sizeof *d);
    if (n > INT32_MAX / 4)
        return tni_fail(err, TN_ELIMIT, "%lld keys", (long long)n);
    size_t size = 8;
    while (size < (size_t)n * 2) size *= 2;
    d->strings = strings;
    d->ints = ints;
    d->mask = size - 1;
    d->slots = TNI_NEW_ARRAY(arena, int32_t, size);
    if (d->slots == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < n; i++) {
        const size_t at = strings != NULL ? find_slot(d, &strings[i], 0)
                                          : find_slot(d, NULL, ints[i]);
        d->slots[at] = (int32_t)i + 1;
    }
    return TN_OK;
}

int64_t tni_dict_find_int(const tni_dict *d, int64_t key)
{
    return (int64_t)d->slots[find_slot(d, NULL, key)] - 1;
}

int64_t tni_dict_find_string(const tni_dict *d, tn_string key)
{
    return (int64_t)d->slots[find_slot(d, &key, 0)] - 1;
}

int64_t tni_dict_float(double v)
{
    int64_t bits;
    if (v != v) return INT64_MIN + 1;
    if (v == 0.0) return 0;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

/* --- maps -------------------------------------------------------------- */

tn_status tni_map_parts(const tni_tensor *map, const tni_tensor **keys,
                        const tni_tensor **values, tn_err *err)
{
    if (map == NULL || map->kind != TN_KIND_MAP || map->data == NULL)
        return tni_fail(err, TN_EINVAL, "the input is no map");
    const tni_tensor *const *parts = map->data;
    if (parts[0]->kind != TN_KIND_TENSOR || parts[1]->kind != TN_KIND_TENSOR ||
        parts[0]->len != parts[1]->len)
        return tni_fail(err, TN_EINVAL, "the map's values are no scalars");
    *keys = parts[0];
    *values = parts[1];
    return TN_OK;
}

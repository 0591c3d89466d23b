/* SPDX-License-Identifier: Apache-2.0 */
/* compare.c - how far two values are apart */
#include "tensor/half.h"
#include "tensor/tensor.h"

#include <math.h>
#include <string.h>

/* Spacing of a dtype's values at magnitude `mag`. */
static double ulp_at(tn_dtype dtype, double mag)
{
    static const struct {
        tn_dtype dtype;
        int man_bits, min_exp;
    } table[] = {
        {TN_F32, 23, -126},      {TN_C64, 23, -126},
        {TN_F64, 52, -1022},     {TN_C128, 52, -1022},
        {TN_F16, 10, -14},       {TN_BF16, 7, -126},
        {TN_F8E4M3FN, 3, -6},    {TN_F8E4M3FNUZ, 3, -7},
        {TN_F8E5M2, 2, -14},     {TN_F8E5M2FNUZ, 2, -15},
    };
    enum { n = sizeof table / sizeof table[0] };
    int k = 0;
    while (k < n && table[k].dtype != dtype) k++;
    if (k == n) return 1.0;
    const int man_bits = table[k].man_bits, min_exp = table[k].min_exp;
    int exp = 0;
    (void)frexp(mag, &exp);
    exp -= 1;
    if (mag == 0.0 || exp < min_exp) exp = min_exp;
    return ldexp(1.0, exp - man_bits);
}

typedef struct counter {
    tn_diff *diff;
    tn_dtype dtype;
    double rtol, atol;
} counter;

static void mark_bad(tn_diff *d, int64_t i)
{
    if (d->n_bad++ == 0) d->first_bad = i;
}

static void add_float(const counter *c, int64_t i, double got, double want)
{
    tn_diff *d = c->diff;
    if (isnan(got) && isnan(want)) return;
    if (got == want) return;
    if (isnan(got) || isnan(want) || isinf(got) || isinf(want)) {
        d->max_abs = d->max_rel = d->max_ulp = (double)INFINITY;
        mark_bad(d, i);
        return;
    }
    const double abs_err = fabs(got - want), mag = fabs(want);
    if (abs_err > d->max_abs) d->max_abs = abs_err;
    if (mag != 0.0 && abs_err / mag > d->max_rel) d->max_rel = abs_err / mag;
    const double ulp = abs_err / ulp_at(c->dtype, mag);
    if (ulp > d->max_ulp) d->max_ulp = ulp;
    if (abs_err > c->atol + c->rtol * mag) mark_bad(d, i);
}

static bool is_real(tn_dtype t)
{
    return tni_is_float(t) || (t >= TN_F8E4M3FN && t <= TN_F8E5M2FNUZ) ||
           t == TN_F4E2M1 || t == TN_F8E8M0;
}

static void compare_tensor(const counter *c, const tni_tensor *got,
                           const tni_tensor *want)
{
    const int64_t n = want->len;
    if (is_real(want->dtype)) {
        for (int64_t i = 0; i < n; i++)
            add_float(c, i, tni_get_f64(got, i), tni_get_f64(want, i));
    } else if (want->dtype == TN_C64) {
        for (int64_t i = 0; i < 2 * n; i++)
            add_float(c, i / 2, (double)TNI_CDATA(float, got)[i],
                      (double)TNI_CDATA(float, want)[i]);
    } else if (want->dtype == TN_C128) {
        for (int64_t i = 0; i < 2 * n; i++)
            add_float(c, i / 2, TNI_CDATA(double, got)[i],
                      TNI_CDATA(double, want)[i]);
    } else if (want->dtype == TN_STRING) {
        const tn_string *g = TNI_CDATA(tn_string, got);
        const tn_string *w = TNI_CDATA(tn_string, want);
        for (int64_t i = 0; i < n; i++)
            if (g[i].len != w[i].len ||
                (g[i].len != 0 && memcmp(g[i].ptr, w[i].ptr, g[i].len) != 0))
                mark_bad(c->diff, i);
    } else {
        for (int64_t i = 0; i < n; i++) {
            const int64_t g = tni_get_i64(got, i), w = tni_get_i64(want, i);
            if (g == w) continue;
            const double abs_err = fabs((double)g - (double)w);
            if (abs_err > c->diff->max_abs) c->diff->max_abs = abs_err;
            mark_bad(c->diff, i);
        }
    }
}

static const char *kind_name(tn_kind kind)
{
    static const char *const names[] = {"nothing", "tensor", "sequence",
                                        "optional", "map"};
    return (unsigned)kind < 5 ? names[kind] : "?";
}

static tn_status compare_depth(tn_diff *diff, const tni_tensor *got,
                               const tni_tensor *want, double rtol, double atol,
                               int depth, tn_err *err)
{
    if (depth > 32)
        return tni_fail(err, TN_ELIMIT, "containers nest deeper than 32");
    if (got->kind != want->kind)
        return tni_fail(err, TN_EINVAL, "found a %s, expected a %s",
                        kind_name(got->kind), kind_name(want->kind));
    if (want->kind == TN_KIND_TENSOR) {
        if (got->dtype != want->dtype || !tni_same_shape(got, want)) {
            char a[120], b[120];
            return tni_fail(err, TN_EINVAL, "found %s, expected %s",
                            tni_shape_format(a, sizeof a, got->dtype, got->rank,
                                             got->dims),
                            tni_shape_format(b, sizeof b, want->dtype,
                                             want->rank, want->dims));
        }
        const counter c = {diff, want->dtype, rtol, atol};
        compare_tensor(&c, got, want);
        return TN_OK;
    }
    if (got->len != want->len)
        return tni_fail(err, TN_EINVAL, "found a %s of %lld, expected %lld",
                        kind_name(got->kind), (long long)got->len,
                        (long long)want->len);
    const int64_t n = want->kind == TN_KIND_MAP ? 2 : want->len;
    for (int64_t i = 0; i < n; i++) {
        const tni_tensor *a = tn_tensor_item(got, i);
        const tni_tensor *b = tn_tensor_item(want, i);
        if (a == NULL && b == NULL) continue;
        if (a == NULL || b == NULL)
            return tni_fail(err, TN_EINVAL, "item %lld is missing on one side",
                            (long long)i);
        TN_TRY(compare_depth(diff, a, b, rtol, atol, depth + 1, err));
    }
    return TN_OK;
}

tn_status tn_tensor_compare(tn_diff *diff, const tn_tensor *got,
                            const tn_tensor *want, double rtol, double atol,
                            tn_err *err)
{
    tni_err_clear(err);
    const tn_diff none = {0, 0, 0, -1, 0};
    *diff = none;
    return compare_depth(diff, got, want, rtol, atol, 0, err);
}

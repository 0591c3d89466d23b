/* SPDX-License-Identifier: Apache-2.0 */
/* show.c - print a value for a person, or describe it in JSON */
#include "show.h"

#include <math.h>
#include <string.h>

enum { FIRST_VALUES = 10, FIRST_ITEMS = 4 };

typedef struct summary {
    double min, max, mean;
    int64_t argmax; /* -1: not one row of numbers */
    int64_t n_nan;
} summary;

static bool is_number(tn_dtype t)
{
    return t != TN_STRING && t != TN_BOOL && t != TN_C64 && t != TN_C128;
}

static bool is_real(tn_dtype t)
{
    return t == TN_F32 || t == TN_F64 || t == TN_F16 || t == TN_BF16;
}

/* One row: every extent but the last is 1. */
static bool one_row(const tn_tensor *t)
{
    const int rank = tn_tensor_rank(t);
    for (int i = 0; i + 1 < rank; i++)
        if (tn_tensor_dims(t)[i] != 1) return false;
    return rank > 0;
}

static summary summarise(const tn_tensor *t)
{
    summary s = {(double)INFINITY, -(double)INFINITY, 0.0, -1, 0};
    const int64_t n = tn_tensor_len(t);
    int64_t argmax = -1;
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double v = tn_tensor_get(t, i);
        if (isnan(v)) {
            s.n_nan++;
            continue;
        }
        if (v < s.min) s.min = v;
        if (v > s.max) {
            s.max = v;
            argmax = i;
        }
        sum += v;
    }
    s.mean = n > s.n_nan ? sum / (double)(n - s.n_nan) : 0.0;
    if (is_real(tn_tensor_dtype(t)) && one_row(t)) s.argmax = argmax;
    return s;
}

static void print_shape(const tn_tensor *t)
{
    printf("%s[", tn_dtype_name(tn_tensor_dtype(t)));
    for (int i = 0; i < tn_tensor_rank(t); i++)
        printf("%s%lld", i != 0 ? "," : "", (long long)tn_tensor_dims(t)[i]);
    printf("]");
}

static void print_element(const tn_tensor *t, int64_t i)
{
    char text[96];
    const tn_dtype dtype = tn_tensor_dtype(t);
    if (dtype == TN_F32 || dtype == TN_F64)
        (void)snprintf(text, sizeof text, "%.6g", tn_tensor_get(t, i));
    else
        (void)tn_tensor_format(t, i, text, sizeof text);
    printf(dtype == TN_STRING ? "'%s'" : "%s", text);
}

static void print_elements(const tn_tensor *t)
{
    const int64_t n = tn_tensor_len(t);
    for (int64_t i = 0; i < n && i < FIRST_VALUES; i++) {
        if (i != 0) printf(", ");
        print_element(t, i);
    }
    if (n > FIRST_VALUES) printf(", ...");
}

static const char *kind_text(tn_kind kind)
{
    static const char *const names[] = {"nothing", "tensor", "sequence",
                                        "optional", "map"};
    return (unsigned)kind < 5 ? names[kind] : "?";
}

static void print_container(const tn_tensor *t, int depth)
{
    const int64_t n = tn_tensor_len(t);
    if (tn_tensor_kind(t) == TN_KIND_MAP) {
        const tn_tensor *keys = tn_tensor_item(t, 0);
        const tn_tensor *values = tn_tensor_item(t, 1);
        printf("%*s{", 2 * depth, "");
        for (int64_t i = 0; i < n && i < FIRST_VALUES && keys != NULL &&
                            values != NULL;
             i++) {
            if (i != 0) printf(", ");
            print_element(keys, i);
            printf(": ");
            print_element(values, i);
        }
        printf("%s}\n", n > FIRST_VALUES ? ", ..." : "");
        return;
    }
    for (int64_t i = 0; i < n && i < FIRST_ITEMS && depth < 8; i++) {
        const tn_tensor *item = tn_tensor_item(t, i);
        if (item == NULL) continue;
        if (tn_tensor_kind(item) != TN_KIND_TENSOR) {
            print_container(item, depth + 1);
            continue;
        }
        printf("%*s", 2 * depth + 2, "");
        print_shape(item);
        printf("  ");
        print_elements(item);
        printf("\n");
    }
    if (n > FIRST_ITEMS)
        printf("%*s... %lld more\n", 2 * depth + 2, "",
               (long long)(n - FIRST_ITEMS));
}

void show_value(const char *name, const tn_tensor *value)
{
    printf("%-24s ", name);
    if (tn_tensor_kind(value) != TN_KIND_TENSOR) {
        printf("%s of %lld\n", kind_text(tn_tensor_kind(value)),
               (long long)tn_tensor_len(value));
        print_container(value, 1);
        return;
    }
    print_shape(value);
    if (tn_tensor_len(value) > 0 && is_number(tn_tensor_dtype(value))) {
        const summary s = summarise(value);
        printf("  min %.6g  max %.6g  mean %.6g", s.min, s.max, s.mean);
        if (s.argmax >= 0) printf("  argmax=%lld", (long long)s.argmax);
        if (s.n_nan > 0) printf("  NaN %lld", (long long)s.n_nan);
    }
    printf("\n  ");
    print_elements(value);
    printf("\n");
}

static void json_element(cli_json *j, const tn_tensor *t, int64_t i)
{
    const tn_dtype dtype = tn_tensor_dtype(t);
    if (dtype == TN_STRING) {
        const tn_string *s = tn_tensor_cdata(t);
        cli_json_bytes(j, NULL, s[i].ptr, s[i].len);
    } else if (dtype == TN_BOOL) {
        cli_json_bool(j, NULL, tn_tensor_get(t, i) != 0.0);
    } else {
        cli_json_number(j, NULL, tn_tensor_get(t, i));
    }
}

static void json_container(cli_json *j, const tn_tensor *t, int depth)
{
    cli_json_int(j, "len", tn_tensor_len(t));
    const int64_t n =
        tn_tensor_kind(t) == TN_KIND_MAP ? 2 : tn_tensor_len(t);
    cli_json_open(j, "items", '[');
    for (int64_t i = 0; i < n && depth < 8; i++) {
        const tn_tensor *item = tn_tensor_item(t, i);
        if (item == NULL) {
            cli_json_null(j, NULL);
            continue;
        }
        cli_json_open(j, NULL, '{');
        cli_json_string(j, "kind", kind_text(tn_tensor_kind(item)));
        if (tn_tensor_kind(item) != TN_KIND_TENSOR) {
            json_container(j, item, depth + 1);
        } else {
            cli_json_string(j, "dtype", tn_dtype_name(tn_tensor_dtype(item)));
            cli_json_open(j, "values", '[');
            for (int64_t k = 0; k < tn_tensor_len(item) && k < 1000; k++)
                json_element(j, item, k);
            cli_json_close(j, ']');
        }
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

void show_json(cli_json *j, const char *name, const tn_tensor *value,
               const char *file)
{
    cli_json_open(j, NULL, '{');
    cli_json_string(j, "name", name);
    cli_json_string(j, "kind", kind_text(tn_tensor_kind(value)));
    cli_json_string(j, "dtype", tn_dtype_name(tn_tensor_dtype(value)));
    if (tn_tensor_kind(value) == TN_KIND_TENSOR) {
        cli_json_open(j, "shape", '[');
        for (int i = 0; i < tn_tensor_rank(value); i++)
            cli_json_int(j, NULL, tn_tensor_dims(value)[i]);
        cli_json_close(j, ']');
        if (tn_tensor_len(value) > 0 && is_number(tn_tensor_dtype(value))) {
            const summary s = summarise(value);
            cli_json_number(j, "min", s.min);
            cli_json_number(j, "max", s.max);
            cli_json_number(j, "mean", s.mean);
            if (s.argmax >= 0) cli_json_int(j, "argmax", s.argmax);
        }
        cli_json_open(j, "values", '[');
        for (int64_t i = 0; i < tn_tensor_len(value) && i < FIRST_VALUES; i++)
            json_element(j, value, i);
        cli_json_close(j, ']');
    } else {
        json_container(j, value, 0);
    }
    if (file != NULL)
        cli_json_string(j, "file", file);
    else
        cli_json_null(j, "file");
    cli_json_close(j, '}');
}

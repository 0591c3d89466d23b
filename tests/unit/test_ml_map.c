/* SPDX-License-Identifier: Apache-2.0 */
/* test_ml_map.c - operators of ai.onnx.ml that take or give maps */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/opcall.h"

#include <string.h>

#define TEXT(s)                                                                \
    {                                                                          \
        (s), sizeof(s) - 1                                                     \
    }

static const tn_string words[3] = {TEXT("b"), TEXT("a"), TEXT("c")};

static tni_tensor part(tn_dtype dtype, int64_t len, const void *data)
{
    tni_tensor t;
    memset(&t, 0, sizeof t);
    t.kind = TN_KIND_TENSOR;
    t.dtype = dtype;
    t.rank = 1;
    t.dims[0] = t.len = len;
    memcpy(&t.data, &data, sizeof data);
    return t;
}

/* Input 0 becomes a map over both parts, which must outlive the call. */
static void map_in(opcall *c, const tni_tensor **parts)
{
    tni_tensor *t = &c->inputs[0];
    memset(t, 0, sizeof *t);
    t->kind = TN_KIND_MAP;
    t->dtype = parts[0]->dtype;
    t->len = parts[0]->len;
    t->data = parts;
    c->in[0] = t;
    c->in_values[0] = &c->values[0];
    c->node.n_in = 1;
}

static void strings_attr(opcall *c, const char *name, const tn_string *v,
                         size_t n)
{
    tni_attr *a = &c->attrs[c->node.n_attrs++];
    a->name = name;
    a->kind = TNI_ATTR_STRINGS;
    a->n = n;
    a->v.strings = v;
}

static void test_cast_map(void **state)
{
    (void)state;
    const int64_t numbers[3] = {4, 0, 2};
    const float reals[3] = {1.5f, -2.0f, 0.1f};
    const tni_tensor keys = part(TN_I64, 3, numbers);
    const tni_tensor values = part(TN_F32, 3, reals);
    const tni_tensor *parts[2] = {&keys, &values};
    opcall c;
    opcall_init(&c, "ai.onnx.ml", "CastMap", 1);
    map_in(&c, parts);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    const float dense[3] = {-2.0f, 0.1f, 1.5f};
    assert_int_equal(c.out[0]->dims[1], 3);
    assert_memory_equal(c.out[0]->data, dense, sizeof dense);

    opcall_string(&c, "map_form", "SPARSE");
    opcall_int(&c, "max_map", 4);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    const float sparse[4] = {-2.0f, 0, 0.1f, 0};
    assert_int_equal(c.out[0]->dims[1], 4);
    assert_memory_equal(c.out[0]->data, sparse, sizeof sparse);

    opcall_string(&c, "cast_to", "TO_STRING");
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    const char *const text[4] = {"-2.000000", "0.f", "0.100000", "0.f"};
    for (int i = 0; i < 4; i++) {
        const tn_string s = TNI_CDATA(tn_string, c.out[0])[i];
        assert_int_equal(s.len, strlen(text[i]));
        assert_memory_equal(s.ptr, text[i], s.len);
    }
    opcall_fini(&c);
}

static void test_cast_map_text(void **state)
{
    (void)state;
    const int64_t numbers[3] = {0, 1, 2};
    tn_string text[3] = {TEXT("12"), TEXT("-0.5"), TEXT("1e2")};
    const tni_tensor keys = part(TN_I64, 3, numbers);
    const tni_tensor values = part(TN_STRING, 3, text);
    const tni_tensor *parts[2] = {&keys, &values};
    const float want[3] = {12.0f, -0.5f, 100.0f};
    opcall c;
    opcall_init(&c, "ai.onnx.ml", "CastMap", 1);
    map_in(&c, parts);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    assert_memory_equal(c.out[0]->data, want, sizeof want);
    text[1] = (tn_string)TEXT("5x");
    assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
    assert_non_null(strstr(c.err.message, "'5x' is no number"));
    opcall_fini(&c);
}

static void test_dict_vectorizer(void **state)
{
    (void)state;
    static const tn_string names[2] = {TEXT("c"), TEXT("unknown")};
    const double reals[2] = {3.25, 9};
    const tni_tensor keys = part(TN_STRING, 2, names);
    const tni_tensor values = part(TN_F64, 2, reals);
    const tni_tensor *parts[2] = {&keys, &values};
    const double want[3] = {0, 0, 3.25};
    opcall c;
    opcall_init(&c, "ai.onnx.ml", "DictVectorizer", 1);
    strings_attr(&c, "string_vocabulary", words, 3);
    map_in(&c, parts);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    assert_int_equal(c.out[0]->len, 3);
    assert_memory_equal(c.out[0]->data, want, sizeof want);
    opcall_fini(&c);
}

static void test_zip_map(void **state)
{
    (void)state;
    const float x[6] = {1, 2, 3, 4, 5, 6};
    opcall c;
    opcall_init(&c, "ai.onnx.ml", "ZipMap", 1);
    strings_attr(&c, "classlabels_strings", words, 3);
    opcall_in(&c, TN_F32, 2, (int64_t[]){2, 3}, x);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    const tni_tensor *out = c.out[0];
    assert_int_equal(out->kind, TN_KIND_SEQUENCE);
    assert_int_equal(out->len, 2);
    const tni_tensor *const *maps = out->data;
    const tni_tensor *const *parts = maps[1]->data;
    const float want[3] = {5, 4, 6}; /* a, b, c */
    assert_int_equal(maps[1]->len, 3);
    assert_memory_equal(TNI_CDATA(tn_string, parts[0])[0].ptr, "a", 1);
    assert_memory_equal(parts[1]->data, want, sizeof want);
    opcall_fini(&c);

    opcall_init(&c, "ai.onnx.ml", "ZipMap", 1);
    strings_attr(&c, "classlabels_strings", words, 2);
    opcall_in(&c, TN_F32, 2, (int64_t[]){2, 3}, x);
    assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
    assert_non_null(strstr(c.err.message, "3 columns for 2 class labels"));
    opcall_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cast_map),
        cmocka_unit_test(test_cast_map_text),
        cmocka_unit_test(test_dict_vectorizer),
        cmocka_unit_test(test_zip_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

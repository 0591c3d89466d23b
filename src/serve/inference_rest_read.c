/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inference_rest_read.c - an inference request by REST: JSON, and bytes behind
 *
 * An input's values are read where they stand when its name, shape and datatype
 * came before, as every client writes them; else their text is passed over and
 * read behind the others.
 */
#include "base/checked.h"
#include "base/num.h"
#include "base/num_fast.h"
#include "serve/datatype.h"
#include "serve/inference_read.h"

#include <math.h>
#include <string.h>

enum { JSON_DEPTH = 100 };

/* An input in JSON. */
typedef struct json_input {
    tni_tensor_head head;
    size_t at; /* of the model's */
    bool named, shaped, typed;
    bool has_data, has_size;
    tni_span data;       /* values not read yet */
    const char *data_at; /* for messages */
    int64_t binary_size;
    tn_tensor *tensor; /* values read already */
} json_input;

typedef struct reader {
    tni_infer *q;
    tni_json j;
    tn_err *err;
    uint8_t *binary; /* behind the JSON; NULL: there is none */
    size_t binary_size, binary_at;
    uint8_t *free_from; /* bytes of the body that nobody needs any more */
    bool *said;         /* outputs that say whether they are binary */
    /* In the order of the JSON. */
    json_input **later; /* binary inputs */
    size_t n_later, n_inputs;
} reader;

static bool fail(reader *r, tn_status s)
{
    if (r->j.status == TN_OK) r->j.status = s;
    return false;
}

/* Text under the reader, unescaped. */
static bool read_text(reader *r, tni_span *out)
{
    bool escaped = false;
    if (!tni_json_string(&r->j, out, &escaped)) return false;
    size_t len = 0;
    const char *copy = tni_json_unescape(r->q->arena, *out, &len);
    if (copy == NULL)
        return fail(r, tni_fail(r->err, TN_ENOMEM, "out of memory"));
    *out = (tni_span){copy, len};
    return true;
}

/* --- values --------------------------------------------------------------- */

typedef struct values {
    tni_json *j;
    const tni_tensor_head *head;
    uint8_t *data;      /* of the tensor */
    tn_string *strings; /* instead, of BYTES */
    tni_arena *arena;
    int64_t n;
} values;

/* Python writes NaN and infinities bare, and reads them so. */
static bool special(tni_json *j, double *out)
{
    static const struct {
        const char *word;
        double value;
    } words[] = {{"NaN", (double)NAN},
                 {"Infinity", (double)INFINITY},
                 {"-Infinity", -(double)INFINITY},
                 {"Inf", (double)INFINITY},
                 {"-Inf", -(double)INFINITY}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t n = strlen(words[i].word);
        if ((size_t)(j->end - j->p) >= n &&
            memcmp(j->p, words[i].word, n) == 0) {
            j->p += n;
            j->fresh = false;
            *out = words[i].value;
            return true;
        }
    }
    return false;
}

static bool read_float(tni_json *j, double *out)
{
    const char c = tni_json_peek(j);
    if ((c == 'N' || c == 'I' ||
         (c == '0' && j->end - j->p > 1 && j->p[0] == '-' && j->p[1] == 'I')) &&
        special(j, out))
        return true;
    return tni_json_f64(j, out);
}

/*
 * An FP32 out of a double is rounded twice, which differs only when the double
 * lies in the middle between two floats (no other double is nearer to it), or
 * below the normal numbers; beyond their range it is none. False for these.
 */
static bool round_once(float *out, double d)
{
    uint64_t bits = 0;
    memcpy(&bits, &d, sizeof bits);
    const double mag = fabs(d);
    if ((bits & 0x1fffffffu) == 0x10000000u || (mag < 1.2e-38 && mag > 0) ||
        (mag > 3.4e38 && mag - mag == 0))
        return false;
    *out = (float)d;
    return true;
}

static bool read_f32(tni_json *j, float *out)
{
    double d = 0;
    (void)tni_json_peek(j);
    const char *at = j->p;
    if (!read_float(j, &d)) return false;
    if (round_once(out, d)) return true;
    (void)!tni_num_parse_f32(out, NULL, at, (size_t)(j->p - at));
    if (*out - *out == 0.0F) return true;
    return tni_json_fail(j, at, "the number is beyond the range of FP32");
}

static bool read_int(values *v, int64_t low, int64_t high, int64_t *out)
{
    tni_json *j = v->j;
    (void)tni_json_peek(j);
    const char *at = j->p;
    if (!tni_json_i64(j, out)) return false;
    if (*out >= low && *out <= high) return true;
    return tni_json_fail(j, at, "%lld is outside the range of %s",
                         (long long)*out, tni_datatype_name(v->head->dtype));
}

static bool read_u64(values *v, uint64_t *out)
{
    tni_span raw;
    tni_json *j = v->j;
    if (tni_json_peek(j) != '0')
        return tni_json_fail(j, j->p, "expected a whole number");
    const char *at = j->p;
    if (!tni_json_skip(j, &raw)) return false;
    size_t used = 0;
    for (size_t i = 0; i < raw.len; i++)
        if (raw.p[i] < '0' || raw.p[i] > '9')
            return tni_json_fail(j, at, "expected a whole number of 0 or more");
    if (tni_num_parse_u64(out, &used, raw.p, raw.len) && used == raw.len)
        return true;
    return tni_json_fail(j, at, "a number outside the range of UINT64");
}

static bool read_bool(values *v, uint8_t *out)
{
    int64_t n = 0;
    bool on = false;
    if (tni_json_peek(v->j) == '0') {
        if (!read_int(v, 0, 1, &n)) return false;
        *out = (uint8_t)n;
        return true;
    }
    if (!tni_json_bool(v->j, &on)) return false;
    *out = on;
    return true;
}

static bool read_string(values *v, tn_string *out)
{
    tni_span s;
    bool escaped = false;
    size_t len = 0;
    if (!tni_json_string(v->j, &s, &escaped)) return false;
    if (!escaped) {
        /* The text outlives the tensor's making, which copies it. */
        *out = (tn_string){s.p, s.len};
        return true;
    }
    const char *copy = tni_json_unescape(v->arena, s, &len);
    if (copy == NULL) return tni_json_fail(v->j, s.p, "out of memory");
    *out = (tn_string){copy, len};
    return true;
}

#define PUT(type, value)                                                       \
    do {                                                                       \
        const type put_ = (type)(value);                                       \
        memcpy(v->data + (size_t)v->n * sizeof put_, &put_, sizeof put_);      \
    } while (0)

static bool read_value(values *v)
{
    int64_t i = 0;
    uint64_t u = 0;
    double d = 0;
    float f = 0;
    uint8_t b = 0;
    switch (v->head->dtype) {
    case TN_F32:
        if (!read_f32(v->j, &f)) return false;
        PUT(float, f);
        return true;
    case TN_F64:
        if (!read_float(v->j, &d)) return false;
        PUT(double, d);
        return true;
    case TN_I64:
        if (!read_int(v, INT64_MIN, INT64_MAX, &i)) return false;
        PUT(int64_t, i);
        return true;
    case TN_I32:
        if (!read_int(v, INT32_MIN, INT32_MAX, &i)) return false;
        PUT(int32_t, i);
        return true;
    case TN_I16:
        if (!read_int(v, INT16_MIN, INT16_MAX, &i)) return false;
        PUT(int16_t, i);
        return true;
    case TN_I8:
        if (!read_int(v, INT8_MIN, INT8_MAX, &i)) return false;
        PUT(int8_t, i);
        return true;
    case TN_U64:
        if (!read_u64(v, &u)) return false;
        PUT(uint64_t, u);
        return true;
    case TN_U32:
        if (!read_int(v, 0, UINT32_MAX, &i)) return false;
        PUT(uint32_t, i);
        return true;
    case TN_U16:
        if (!read_int(v, 0, UINT16_MAX, &i)) return false;
        PUT(uint16_t, i);
        return true;
    case TN_U8:
        if (!read_int(v, 0, UINT8_MAX, &i)) return false;
        PUT(uint8_t, i);
        return true;
    case TN_BOOL:
        if (!read_bool(v, &b)) return false;
        PUT(uint8_t, b);
        return true;
    case TN_STRING: return read_string(v, &v->strings[v->n]);
    default:
        return tni_json_fail(v->j, v->j->p,
                             "%s has no form in JSON: send it as binary data",
                             tni_datatype_name(v->head->dtype));
    }
}

/* Plain numbers from j->p on, each with a comma behind it, as far as they go:
 * what is not taken is read_value's, errors too. */
static void read_plain(values *v)
{
    tni_json *j = v->j;
    const bool wide = v->head->dtype == TN_F64;
    if (!wide && v->head->dtype != TN_F32) return;
    for (const char *p = j->p; v->n < v->head->elements;) {
        double d = 0;
        float f = 0;
        const char *first = p < j->end && *p == '-' ? p + 1 : p;
        if (j->end - first < 2 ||
            (first[0] == '0' && first[1] >= '0' && first[1] <= '9'))
            return;
        const char *q = tni_num_plain(&d, p, j->end);
        if (q == NULL || q == j->end || q[-1] == '.' || *q != ',' ||
            (!wide && !round_once(&f, d)))
            return;
        if (wide)
            PUT(double, d);
        else
            PUT(float, f);
        v->n++;
        j->p = q; /* the reader is behind a value */
        j->fresh = false;
        p = q + 1;
        if (p < j->end && *p == ' ') p++;
    }
}

/* Nested or flat: brackets may fall anywhere. As deep as the reader allows. */
static bool read_values(values *v)
{
    if (!tni_json_enter(v->j, '[')) return false;
    while (tni_json_item(v->j)) {
        if (tni_json_peek(v->j) == '[') {
            if (!read_values(v)) return false;
            continue;
        }
        const int64_t n = v->n;
        read_plain(v);
        if (v->n > n) continue;
        if (v->n == v->head->elements)
            return tni_json_fail(v->j, v->j->p,
                                 "input '%s' has more values than the %lld of "
                                 "its shape",
                                 v->head->label, (long long)v->head->elements);
        if (!read_value(v)) return false;
        v->n++;
    }
    return v->j->status == TN_OK;
}

/* The values under `j` into a tensor. */
static tn_status take_values(reader *r, tni_json *j, json_input *in,
                             tn_err *err)
{
    const tni_tensor_head *h = &in->head;
    /* A value takes a character and what parts it from the next another, so
     * that nothing is allocated for what cannot be there. */
    if (h->elements > (j->end - j->p) / 2 + 1)
        return tni_fail(err, TN_EINVAL,
                        "input '%s' has fewer values than the %lld of its "
                        "shape",
                        h->label, (long long)h->elements);
    values v = {j, h, NULL, NULL, r->q->arena, 0};
    if (h->dtype == TN_STRING) {
        v.strings = TNI_NEW_ARRAY(r->q->arena, tn_string, h->elements + 1);
        if (v.strings == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    } else {
        TN_TRY(
            tn_tensor_new(&in->tensor, h->dtype, h->rank, h->dims, NULL, err));
        v.data = tn_tensor_data(in->tensor);
    }
    if (!read_values(&v)) return j->status;
    if (v.n < h->elements)
        return tni_fail(err, TN_EINVAL,
                        "input '%s' has %lld values; its shape needs %lld",
                        h->label, (long long)v.n, (long long)h->elements);
    if (h->dtype == TN_STRING)
        return tn_tensor_new_strings(&in->tensor, h->rank, h->dims, v.strings,
                                     NULL, err);
    return TN_OK;
}

/* --- parameters ----------------------------------------------------------- */

static bool read_parameter(reader *r, tni_parameter *p)
{
    tni_json *j = &r->j;
    memset(p, 0, sizeof *p);
    switch (tni_json_peek(j)) {
    case 't':
    case 'f': {
        bool on = false;
        p->kind = TNI_PARAMETER_BOOL;
        if (!tni_json_bool(j, &on)) return false;
        p->number = on;
        return true;
    }
    case '"': p->kind = TNI_PARAMETER_TEXT; return read_text(r, &p->text);
    case '0': {
        tni_span raw;
        size_t used = 0;
        if (!tni_json_skip(j, &raw)) return false;
        if (tni_num_parse_i64(&p->number, &used, raw.p, raw.len) &&
            used == raw.len)
            p->kind = TNI_PARAMETER_INT;
        return true;
    }
    default: return tni_json_skip(j, NULL);
    }
}

static bool read_parameters(reader *r)
{
    tni_span key;
    tni_parameter p;
    if (!tni_json_enter(&r->j, '{')) return false;
    while (tni_json_key(&r->j, &key)) {
        if (!read_parameter(r, &p)) return false;
        const tn_status s = tni_infer_parameter(r->q, key, &p, r->err);
        if (s != TN_OK) return fail(r, s);
    }
    return r->j.status == TN_OK;
}

static bool shared_memory(reader *r, tni_span key)
{
    static const char prefix[] = "shared_memory_";
    if (key.len < sizeof prefix - 1 ||
        memcmp(key.p, prefix, sizeof prefix - 1) != 0)
        return true;
    return fail(r, tni_fail(r->err, TN_EUNSUPPORTED,
                            "this server does not read its clients' shared "
                            "memory; send tensors in the request"));
}

/* --- inputs --------------------------------------------------------------- */

static bool read_shape(reader *r, json_input *in)
{
    tni_tensor_head *h = &in->head;
    if (!tni_json_enter(&r->j, '[')) return false;
    while (tni_json_item(&r->j)) {
        int64_t d = 0;
        if (!tni_json_i64(&r->j, &d)) return false;
        if (h->rank < TN_MAX_RANK) h->dims[h->rank] = d;
        h->rank++;
    }
    if (r->j.status != TN_OK) return false;
    const tn_status s = tni_infer_shape(h, r->err);
    in->shaped = true;
    return s == TN_OK || fail(r, s);
}

static bool read_input_parameters(reader *r, json_input *in)
{
    tni_span key;
    tni_parameter p;
    if (!tni_json_enter(&r->j, '{')) return false;
    while (tni_json_key(&r->j, &key)) {
        if (!read_parameter(r, &p) || !shared_memory(r, key)) return false;
        if (!tni_json_text_is(key, "binary_data_size")) continue;
        if (p.kind != TNI_PARAMETER_INT || p.number < 0)
            return tni_json_fail(&r->j, key.p,
                                 "binary_data_size must be a number of bytes");
        in->has_size = true;
        in->binary_size = p.number;
    }
    return r->j.status == TN_OK;
}

static void set_label(tni_tensor_head *h, tni_span name)
{
    const size_t n =
        name.len < sizeof h->label - 1 ? name.len : sizeof h->label - 1;
    if (n > 0) memcpy(h->label, name.p, n);
    h->label[n] = '\0';
}

/* Past values that are not known yet, and need not be JSON (NaN): strings and
 * brackets only. They are read, and checked, later. */
static bool pass_values(tni_json *j, tni_span *raw)
{
    tni_span text;
    size_t depth = 0;
    raw->p = j->p;
    if (tni_json_peek(j) != '[')
        return tni_json_fail(j, j->p, "data is not an array");
    do {
        const char c = tni_json_peek(j);
        if (c == '"') {
            if (!tni_json_string(j, &text, NULL)) return false;
            continue;
        }
        if (j->p >= j->end || *j->p == '{' || *j->p == '}')
            return tni_json_fail(j, j->p, "the array of data is not closed");
        depth += *j->p == '[';
        depth -= *j->p == ']';
        j->p++;
    } while (depth > 0);
    j->fresh = false;
    raw->len = (size_t)(j->p - raw->p);
    return true;
}

static bool read_data(reader *r, json_input *in)
{
    (void)tni_json_peek(&r->j);
    in->has_data = true;
    in->data_at = r->j.p;
    if (!in->named || !in->shaped || !in->typed)
        return pass_values(&r->j, &in->data);
    const tn_status s = take_values(r, &r->j, in, r->err);
    return s == TN_OK || fail(r, s);
}

static bool read_field(reader *r, json_input *in, tni_span key)
{
    tni_span text;
    tn_status s = TN_OK;
    if (tni_json_text_is(key, "name")) {
        if (!read_text(r, &text)) return false;
        set_label(&in->head, text);
        s = in->named ? tni_fail(r->err, TN_EINVAL, "an input has two names")
                      : tni_infer_input(r->q, text, &in->at, r->err);
        in->named = true;
    } else if (tni_json_text_is(key, "shape")) {
        if (in->shaped)
            s = tni_fail(r->err, TN_EINVAL, "input '%s' has two shapes",
                         in->head.label);
        else
            return read_shape(r, in);
    } else if (tni_json_text_is(key, "datatype")) {
        if (!read_text(r, &text)) return false;
        s = in->typed ? tni_fail(r->err, TN_EINVAL,
                                 "input '%s' has two datatypes", in->head.label)
                      : tni_infer_datatype(&in->head, text, r->err);
        in->typed = true;
    } else if (tni_json_text_is(key, "parameters")) {
        return read_input_parameters(r, in);
    } else if (tni_json_text_is(key, "data")) {
        if (in->has_data)
            s = tni_fail(r->err, TN_EINVAL, "input '%s' has data twice",
                         in->head.label);
        else
            return read_data(r, in);
    } else {
        return tni_json_skip(&r->j, NULL);
    }
    return s == TN_OK || fail(r, s);
}

/* Behind the input's last field. */
static tn_status complete(reader *r, json_input *in)
{
    if (!in->named) return tni_fail(r->err, TN_EINVAL, "an input has no name");
    if (!in->shaped || !in->typed)
        return tni_fail(r->err, TN_EINVAL, "input '%s' has no %s",
                        in->head.label, in->shaped ? "datatype" : "shape");
    if (in->has_data == in->has_size)
        return tni_fail(r->err, TN_EINVAL, "input '%s' %s; expected either",
                        in->head.label,
                        in->has_data ? "has both data and binary_data_size"
                                     : "has neither data nor binary_data_size");
    if (in->data.p != NULL) {
        tni_json j;
        tni_json_init(&j, in->data.p, in->data.len, JSON_DEPTH, r->err);
        TN_TRY(take_values(r, &j, in, r->err));
    }
    if (in->has_size) {
        r->later[r->n_later++] = in;
        return TN_OK;
    }
    r->q->inputs[in->at] = in->tensor;
    in->tensor = NULL;
    return TN_OK;
}

static bool read_input(reader *r)
{
    tni_span key;
    json_input *in = TNI_NEW(r->q->arena, json_input);
    if (in == NULL)
        return fail(r, tni_fail(r->err, TN_ENOMEM, "out of memory"));
    if (r->n_inputs++ == r->q->model->n_inputs)
        return fail(r, tni_fail(r->err, TN_EINVAL,
                                "there are more inputs than the %zu that the "
                                "model has",
                                r->q->model->n_inputs));
    if (tni_json_enter(&r->j, '{'))
        while (tni_json_key(&r->j, &key))
            if (!read_field(r, in, key)) break;
    tn_status s = r->j.status;
    if (s == TN_OK) s = complete(r, in);
    tn_tensor_free(in->tensor);
    in->tensor = NULL;
    return s == TN_OK || fail(r, s);
}

/* --- outputs -------------------------------------------------------------- */

static bool read_output(reader *r)
{
    tni_span key, name = {NULL, 0};
    tni_parameter p;
    tni_infer_output what = {false, 0};
    bool said = false;
    if (!tni_json_enter(&r->j, '{')) return false;
    while (tni_json_key(&r->j, &key)) {
        if (tni_json_text_is(key, "name")) {
            if (!read_text(r, &name)) return false;
        } else if (!tni_json_text_is(key, "parameters")) {
            tni_json_skip(&r->j, NULL);
        } else if (tni_json_enter(&r->j, '{')) {
            while (tni_json_key(&r->j, &key)) {
                if (!read_parameter(r, &p) || !shared_memory(r, key))
                    return false;
                if (tni_json_text_is(key, "binary_data")) {
                    if (p.kind != TNI_PARAMETER_BOOL)
                        return tni_json_fail(&r->j, key.p,
                                             "binary_data must be true or "
                                             "false");
                    said = true;
                    what.binary = p.number != 0;
                } else if (tni_json_text_is(key, "classification")) {
                    if (p.kind != TNI_PARAMETER_INT || p.number < 0 ||
                        p.number > UINT32_MAX)
                        return tni_json_fail(&r->j, key.p,
                                             "classification must be a number "
                                             "of classes");
                    what.classes = (uint32_t)p.number;
                }
            }
        }
    }
    if (r->j.status != TN_OK) return false;
    const tn_status s = tni_infer_want(r->q, name, what, r->err);
    if (s != TN_OK) return fail(r, s);
    r->said[r->q->order[r->q->n_order - 1]] = said;
    return true;
}

/* --- the request ---------------------------------------------------------- */

static bool read_request_field(reader *r, tni_span key)
{
    if (tni_json_text_is(key, "id")) return read_text(r, &r->q->id);
    if (tni_json_text_is(key, "parameters")) return read_parameters(r);
    if (tni_json_text_is(key, "inputs")) {
        if (r->n_inputs > 0)
            return tni_json_fail(&r->j, key.p, "inputs are given twice");
        if (!tni_json_enter(&r->j, '[')) return false;
        while (tni_json_item(&r->j))
            if (!read_input(r)) return false;
        return r->j.status == TN_OK;
    }
    if (tni_json_text_is(key, "outputs")) {
        if (!tni_json_enter(&r->j, '[')) return false;
        while (tni_json_item(&r->j))
            if (!read_output(r)) return false;
        return r->j.status == TN_OK;
    }
    return tni_json_skip(&r->j, NULL);
}

static tn_status take_binary(reader *r)
{
    for (size_t i = 0; i < r->n_later; i++) {
        json_input *in = r->later[i];
        const size_t left = r->binary_size - r->binary_at;
        const uint64_t size = (uint64_t)in->binary_size;
        if (size > left)
            return tni_fail(r->err, TN_EINVAL,
                            "input '%s' has a binary_data_size of %llu, but "
                            "%zu bytes are left in the request",
                            in->head.label, (unsigned long long)size, left);
        uint8_t *bytes = r->binary + r->binary_at;
        r->binary_at += (size_t)size;
        if (in->head.dtype != TN_STRING)
            bytes = tni_infer_settle(&r->free_from, bytes, (size_t)size);
        TN_TRY(tni_infer_take(r->q, &in->head, bytes, (size_t)size,
                              &r->q->inputs[in->at], r->err));
    }
    if (r->binary_at != r->binary_size)
        return tni_fail(r->err, TN_EINVAL,
                        "the request has %zu bytes behind its last binary "
                        "input",
                        r->binary_size - r->binary_at);
    return TN_OK;
}

static tn_status read_json(reader *r)
{
    tni_span key;
    if (tni_json_enter(&r->j, '{'))
        while (tni_json_key(&r->j, &key))
            if (!read_request_field(r, key)) break;
    if (r->j.status == TN_OK) tni_json_end(&r->j);
    TN_TRY(r->j.status);
    if (r->n_inputs == 0 && r->q->model->n_inputs > 0)
        return tni_fail(r->err, TN_EINVAL, "the request has no inputs");
    TN_TRY(take_binary(r));
    for (size_t i = 0; i < r->q->n_order; i++) {
        const size_t at = r->q->order[i];
        if (!r->said[at]) r->q->outputs[at].binary = r->q->binary_output;
    }
    const tni_infer_output all = {r->q->binary_output, 0};
    tni_infer_want_all(r->q, all);
    return TN_OK;
}

/* The whole body is the only input, whose shape says itself. */
static tn_status read_raw(tni_infer *q, uint8_t *body, size_t size, tn_err *err)
{
    const tni_served *m = q->model;
    tni_tensor_head h;
    int64_t n = 1;
    int free_dim = -1;
    memset(&h, 0, sizeof h);
    if (m->n_inputs != 1)
        return tni_fail(err, TN_EINVAL,
                        "a raw request is for models of one input; this has "
                        "%zu",
                        m->n_inputs);
    const tni_port *port = &m->inputs[0];
    set_label(&h, tni_span_of(port->name));
    h.dtype = port->dtype;
    h.rank = port->rank;
    for (int k = 0; k < port->rank; k++) {
        h.dims[k] = k == 0 && m->max_batch_size > 0 ? 1 : port->dims[k];
        if (h.dims[k] < 0 && free_dim >= 0)
            return tni_fail(err, TN_EINVAL,
                            "input '%s' has more than one free dimension, so a "
                            "raw request does not say its shape",
                            h.label);
        if (h.dims[k] < 0)
            free_dim = k;
        else if (!tni_mul_i64(n, h.dims[k], &n))
            return tni_fail(err, TN_EINVAL, "input '%s' is too large", h.label);
    }
    int64_t each = 0;
    if (h.dtype != TN_STRING &&
        !tni_mul_i64(n, (int64_t)tn_dtype_size(h.dtype), &each))
        return tni_fail(err, TN_EINVAL, "input '%s' is too large", h.label);
    if (free_dim >= 0)
        h.dims[free_dim] =
            each > 0 ? (int64_t)(size / (uint64_t)each) : h.dtype == TN_STRING;
    TN_TRY(tni_infer_shape(&h, err));
    const tni_infer_output all = {true, 0};
    tni_infer_want_all(q, all);
    if (h.dtype == TN_STRING) {
        /* One string, without its length. */
        const tn_string s = {(const char *)body, size};
        if (h.elements != 1)
            return tni_fail(err, TN_EINVAL,
                            "a raw request holds one string; input '%s' has "
                            "%lld",
                            h.label, (long long)h.elements);
        return tn_tensor_new_strings(&q->inputs[0], h.rank, h.dims, &s, NULL,
                                     err);
    }
    return tni_infer_take(q, &h, body, size, &q->inputs[0], err);
}

tn_status tni_infer_read_rest(tni_infer *q, uint8_t *body, size_t size,
                              tni_span header_length, tn_err *err)
{
    const size_t n = q->model->n_inputs;
    uint64_t json_size = size;
    tni_err_clear(err);
    if (header_length.p != NULL) {
        size_t used = 0;
        if (header_length.len == 0 || header_length.p[0] < '0' ||
            header_length.p[0] > '9' ||
            !tni_num_parse_u64(&json_size, &used, header_length.p,
                               header_length.len) ||
            used != header_length.len || json_size > size)
            return tni_fail(
                err, TN_EINVAL,
                "Inference-Header-Content-Length is '%.*s'; "
                "expected at most the %zu bytes of the body",
                (int)(header_length.len < 40 ? header_length.len : 40),
                header_length.p, size);
        if (json_size == 0) return read_raw(q, body, size, err);
    }
    reader r;
    memset(&r, 0, sizeof r);
    r.q = q;
    r.err = err;
    r.binary = body + json_size;
    r.binary_size = size - (size_t)json_size;
    r.free_from = body;
    r.said = TNI_NEW_ARRAY(q->arena, bool, q->model->n_outputs + 1);
    r.later = TNI_NEW_ARRAY(q->arena, json_input *, n + 1);
    if (r.said == NULL || r.later == NULL)
        return tni_fail(err, TN_ENOMEM, "no memory for a request");
    tni_json_init(&r.j, (const char *)body, (size_t)json_size, JSON_DEPTH, err);
    return read_json(&r);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* inference.c - what requests of both protocols have in common */
#include "serve/inference.h"

#include "base/checked.h"
#include "base/num.h"
#include "serve/datatype.h"
#include "serve/inference_read.h"

#include <stdio.h>
#include <string.h>

tn_status tni_infer_begin(tni_infer *q, tni_served *model, tni_arena *arena,
                          uint64_t max_answer_bytes, tn_err *err)
{
    memset(q, 0, sizeof *q);
    q->arena = arena;
    q->model = model;
    q->max_answer_bytes = max_answer_bytes;
    q->id = (tni_span){"", 0};
    q->inputs = TNI_NEW_ARRAY(arena, tn_tensor *, model->n_inputs + 1);
    q->given = TNI_NEW_ARRAY(arena, bool, model->n_inputs + 1);
    q->wanted = TNI_NEW_ARRAY(arena, bool, model->n_outputs + 1);
    q->outputs = TNI_NEW_ARRAY(arena, tni_infer_output, model->n_outputs + 1);
    q->order = TNI_NEW_ARRAY(arena, size_t, model->n_outputs + 1);
    if (q->inputs == NULL || q->given == NULL || q->wanted == NULL ||
        q->outputs == NULL || q->order == NULL) {
        q->model = NULL;
        return tni_fail(err, TN_ENOMEM, "no memory for a request");
    }
    return TN_OK;
}

void tni_infer_end(tni_infer *q)
{
    if (q->model == NULL) return;
    for (size_t i = 0; i < q->model->n_inputs; i++)
        tn_tensor_free(q->inputs[i]);
    q->model = NULL;
}

/* --- names ---------------------------------------------------------------- */

/* "'a', 'b', 'c'", cut to what fits. */
static const char *port_names(char *buf, size_t size, const tni_port *ports,
                              size_t n)
{
    size_t used = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        const size_t len = strlen(ports[i].name);
        if (len + 5 >= size - used) break;
        if (i > 0) {
            buf[used++] = ',';
            buf[used++] = ' ';
        }
        buf[used++] = '\'';
        memcpy(buf + used, ports[i].name, len);
        used += len;
        buf[used++] = '\'';
        buf[used] = '\0';
    }
    return buf;
}

static tn_status find(const tni_port *ports, size_t n, tni_span name,
                      const char *what, size_t *out, tn_err *err)
{
    char names[160];
    for (size_t i = 0; i < n; i++)
        if (tni_span_is(name, ports[i].name)) {
            *out = i;
            return TN_OK;
        }
    return tni_fail(
        err, TN_EINVAL, "the model has no %s '%.*s'; expected one of %s", what,
        (int)(name.len < 80 ? name.len : 80), name.p != NULL ? name.p : "",
        port_names(names, sizeof names, ports, n));
}

tn_status tni_infer_input(tni_infer *q, tni_span name, size_t *out, tn_err *err)
{
    const tni_served *m = q->model;
    TN_TRY(find(m->inputs, m->n_inputs, name, "input", out, err));
    if (q->given[*out])
        return tni_fail(err, TN_EINVAL, "input '%.80s' is given twice",
                        m->inputs[*out].name);
    q->given[*out] = true;
    return TN_OK;
}

tn_status tni_infer_want(tni_infer *q, tni_span name, tni_infer_output what,
                         tn_err *err)
{
    const tni_served *m = q->model;
    size_t at = 0;
    TN_TRY(find(m->outputs, m->n_outputs, name, "output", &at, err));
    if (q->wanted[at])
        return tni_fail(err, TN_EINVAL, "output '%.80s' is asked for twice",
                        m->outputs[at].name);
    q->wanted[at] = true;
    q->outputs[at] = what;
    q->order[q->n_order++] = at;
    return TN_OK;
}

void tni_infer_want_all(tni_infer *q, tni_infer_output what)
{
    if (q->n_order > 0) return;
    for (size_t i = 0; i < q->model->n_outputs; i++) {
        q->wanted[i] = true;
        q->outputs[i] = what;
        q->order[q->n_order++] = i;
    }
}

/* --- tensors -------------------------------------------------------------- */

tn_status tni_infer_shape(tni_tensor_head *h, tn_err *err)
{
    if (h->rank > TN_MAX_RANK)
        return tni_fail(err, TN_EINVAL,
                        "input '%.80s' has more than %d dimensions", h->label,
                        TN_MAX_RANK);
    int64_t n = 1;
    for (int k = 0; k < h->rank; k++) {
        if (h->dims[k] < 0)
            return tni_fail(err, TN_EINVAL,
                            "input '%.80s' has a dimension of %lld; expected 0 "
                            "or more",
                            h->label, (long long)h->dims[k]);
        if (!tni_mul_i64(n, h->dims[k], &n))
            return tni_fail(err, TN_EINVAL,
                            "the shape of input '%.80s' has more elements than "
                            "can be counted",
                            h->label);
    }
    h->elements = n;
    return TN_OK;
}

tn_status tni_infer_datatype(tni_tensor_head *h, tni_span name, tn_err *err)
{
    if (tni_datatype_of(name, &h->dtype)) return TN_OK;
    return tni_fail(err, TN_EINVAL,
                    "input '%.80s' has datatype '%.*s'; expected BOOL, UINT8 "
                    "to UINT64, INT8 to INT64, FP16, BF16, FP32, FP64 or BYTES",
                    h->label, (int)(name.len < 40 ? name.len : 40), name.p);
}

/* "<length><bytes>…" into strings; the bytes stay where they are. */
static tn_status take_strings(tni_infer *q, const tni_tensor_head *h,
                              const uint8_t *bytes, size_t size,
                              tn_tensor **out, tn_err *err)
{
    size_t at = 0;
    if ((uint64_t)h->elements > size / 4)
        return tni_fail(err, TN_EINVAL,
                        "input '%.80s' has %zu bytes, too few for the lengths "
                        "of %lld elements",
                        h->label, size, (long long)h->elements);
    tn_string *list = TNI_NEW_ARRAY(q->arena, tn_string, h->elements + 1);
    if (list == NULL) return tni_fail(err, TN_ENOMEM, "no memory for strings");
    for (int64_t i = 0; i < h->elements; i++) {
        uint32_t len = 0;
        if (size - at < 4)
            return tni_fail(err, TN_EINVAL,
                            "input '%.80s' ends at element %lld of %lld",
                            h->label, (long long)i, (long long)h->elements);
        for (int k = 0; k < 4; k++)
            len |= (uint32_t)bytes[at + (size_t)k] << (8 * k);
        at += 4;
        if (len > size - at)
            return tni_fail(err, TN_EINVAL,
                            "element %lld of input '%.80s' is %lu bytes long, "
                            "but %zu are left",
                            (long long)i, h->label, (unsigned long)len,
                            size - at);
        list[i] = (tn_string){(const char *)bytes + at, len};
        at += len;
    }
    if (at != size)
        return tni_fail(err, TN_EINVAL,
                        "input '%.80s' has %zu bytes behind its %lld elements",
                        h->label, size - at, (long long)h->elements);
    return tn_tensor_new_strings(out, h->rank, h->dims, list, NULL, err);
}

tn_status tni_infer_take(tni_infer *q, const tni_tensor_head *h, uint8_t *bytes,
                         size_t size, tn_tensor **out, tn_err *err)
{
    *out = NULL;
    if (h->dtype == TN_STRING) return take_strings(q, h, bytes, size, out, err);
    const size_t each = tn_dtype_size(h->dtype);
    size_t need = 0;
    if (!tni_mul_size((size_t)h->elements, each, &need) || need != size)
        return tni_fail(err, TN_EINVAL,
                        "input '%.80s' has %zu bytes; its shape of %lld %s "
                        "needs %zu each",
                        h->label, size, (long long)h->elements,
                        tni_datatype_name(h->dtype), each);
    if (h->dtype == TN_BOOL)
        for (size_t i = 0; i < size; i++)
            if (bytes[i] > 1)
                return tni_fail(err, TN_EINVAL,
                                "element %zu of input '%.80s' is the byte %u; "
                                "expected 0 or 1",
                                i, h->label, bytes[i]);
    if (((uintptr_t)bytes & (each - 1)) == 0)
        return tn_tensor_wrap(out, h->dtype, h->rank, h->dims, bytes, size,
                              NULL, err);
    TN_TRY(tn_tensor_new(out, h->dtype, h->rank, h->dims, NULL, err));
    if (size > 0) memcpy(tn_tensor_data(*out), bytes, size);
    return TN_OK;
}

uint8_t *tni_infer_settle(uint8_t **free_from, uint8_t *bytes, size_t size)
{
    enum { ALIGN = 64, WIDEST = 8 };
    uint8_t *to = *free_from;
    to += (ALIGN - ((uintptr_t)to & (ALIGN - 1))) & (ALIGN - 1);
    if (((uintptr_t)bytes & (WIDEST - 1)) != 0 && to <= bytes) {
        memmove(to, bytes, size);
        bytes = to;
    }
    *free_from = bytes + size;
    return bytes;
}

/* --- parameters ----------------------------------------------------------- */

tn_status tni_infer_parameter(tni_infer *q, tni_span key,
                              const tni_parameter *p, tn_err *err)
{
    const char *wrong = NULL;
    if (tni_span_is(key, "priority")) {
        if (p->kind != TNI_PARAMETER_INT || p->number < 0)
            wrong = "a number of 0 or more";
        else
            q->priority =
                p->number < UINT32_MAX ? (uint32_t)p->number : UINT32_MAX;
    } else if (tni_span_is(key, "timeout")) {
        if (p->kind != TNI_PARAMETER_INT || p->number < 0)
            wrong = "microseconds, 0 or more";
        else
            q->timeout_us = (uint64_t)p->number;
    } else if (tni_span_is(key, "binary_data_output")) {
        if (p->kind != TNI_PARAMETER_BOOL)
            wrong = "true or false";
        else
            q->binary_output = p->number != 0;
    } else if (tni_span_is(key, "triton_enable_empty_final_response")) {
        q->empty_final = p->kind == TNI_PARAMETER_BOOL && p->number != 0;
    } else if (tni_span_is(key, "sequence_id") ||
               tni_span_is(key, "sequence_start") ||
               tni_span_is(key, "sequence_end")) {
        /* 0, "" and false are what clients send for "no sequence". */
        const bool none =
            p->kind == TNI_PARAMETER_TEXT
                ? p->text.len == 0
                : p->kind != TNI_PARAMETER_OTHER && p->number == 0;
        if (!none)
            return tni_fail(err, TN_EUNSUPPORTED,
                            "models keep no state here: %.*s is not served",
                            (int)key.len, key.p);
    } else if (tni_span_is(key, "headers") ||
               (key.len >= 7 && memcmp(key.p, "triton_", 7) == 0)) {
        return tni_fail(err, TN_EINVAL,
                        "the parameter name '%.*s' is reserved: 'headers' and "
                        "what begins with 'triton_' cannot be given",
                        (int)(key.len < 60 ? key.len : 60), key.p);
    }
    if (wrong != NULL)
        return tni_fail(err, TN_EINVAL, "parameter '%.*s' must be %s",
                        (int)(key.len < 60 ? key.len : 60), key.p, wrong);
    return TN_OK;
}

/* --- classification ------------------------------------------------------- */

typedef struct scored {
    double value;
    int64_t index;
} scored;

/* Higher values first, then lower indexes; NaN last. */
static bool before(scored a, scored b)
{
    if (a.value != a.value) return b.value != b.value && a.index < b.index;
    if (b.value != b.value) return true;
    return a.value > b.value || (a.value == b.value && a.index < b.index);
}

/* Of a heap with the last in rank at its root: moves the one at `at` down. */
static void sift(scored *heap, size_t n, size_t at)
{
    for (;;) {
        size_t last = at;
        for (size_t k = 2 * at + 1; k <= 2 * at + 2 && k < n; k++)
            if (before(heap[last], heap[k])) last = k;
        if (last == at) return;
        const scored s = heap[at];
        heap[at] = heap[last];
        heap[last] = s;
        at = last;
    }
}

/* The `most` (at most n) first in rank, in order: a heap of them, so that a
 * request for all classes of a large output costs no square of them. */
static size_t best(scored *top, size_t most, const tn_tensor *t, int64_t from,
                   int64_t n)
{
    size_t kept = 0;
    for (int64_t i = 0; i < n && most > 0; i++) {
        const scored s = {tn_tensor_get(t, from + i), i};
        if (kept < most) {
            top[kept++] = s;
            for (size_t k = most / 2; kept == most && k-- > 0;)
                sift(top, most, k);
        } else if (before(s, top[0])) {
            top[0] = s;
            sift(top, most, 0);
        }
    }
    for (size_t m = kept; m > 1;) {
        const scored s = top[0];
        top[0] = top[--m];
        top[m] = s;
        sift(top, m, 0);
    }
    return kept;
}

tn_status tni_infer_classify(tni_infer *q, size_t output, const tn_tensor *t,
                             tn_tensor **out, tn_err *err)
{
    const tni_port *port = &q->model->outputs[output];
    const int rank = tn_tensor_rank(t);
    const int64_t *dims = tn_tensor_dims(t);
    const int64_t rows = q->model->max_batch_size > 0 && rank > 0 ? dims[0] : 1;
    const int64_t each = rows > 0 ? tn_tensor_len(t) / rows : 0;
    if (tn_tensor_dtype(t) == TN_STRING)
        return tni_fail(err, TN_EINVAL,
                        "output '%.80s' holds text, which has no highest "
                        "values to classify by",
                        port->name);
    const int64_t most = q->outputs[output].classes < each
                             ? (int64_t)q->outputs[output].classes
                             : each;
    scored *top = TNI_NEW_ARRAY(q->arena, scored, most + 1);
    tn_string *list = TNI_NEW_ARRAY(q->arena, tn_string, rows * most + 1);
    if (top == NULL || list == NULL)
        return tni_fail(err, TN_ENOMEM, "no memory for classes");
    for (int64_t r = 0; r < rows && most > 0; r++) {
        const size_t n = best(top, (size_t)most, t, r * each, each);
        for (size_t k = 0; k < n; k++) {
            const size_t i = (size_t)top[k].index;
            const char *label = i < port->n_labels && port->labels != NULL
                                    ? port->labels[i]
                                    : NULL;
            const size_t size = 80 + (label != NULL ? strlen(label) : 0);
            char *text = tni_arena_alloc(q->arena, size, 1);
            if (text == NULL)
                return tni_fail(err, TN_ENOMEM, "no memory for classes");
            size_t len = tni_num_fixed(text, 32, top[k].value, 6);
            text[len++] = ':';
            const int more =
                snprintf(text + len, size - len, "%zu%s%s", i,
                         label != NULL ? ":" : "", label != NULL ? label : "");
            len += more > 0 ? (size_t)more : 0;
            list[r * most + (int64_t)k] = (tn_string){text, len};
        }
    }
    const int64_t shape[2] = {rows, most};
    return q->model->max_batch_size > 0
               ? tn_tensor_new_strings(out, 2, shape, list, NULL, err)
               : tn_tensor_new_strings(out, 1, shape + 1, list, NULL, err);
}

/* --- bytes of an output --------------------------------------------------- */

tn_status tni_infer_strings_size(const tn_tensor *t, uint64_t *size,
                                 tn_err *err)
{
    const tn_string *s = tn_tensor_cdata(t);
    const int64_t n = tn_tensor_len(t);
    uint64_t sum = 0;
    for (int64_t i = 0; i < n; i++) {
        if (s[i].len > UINT32_MAX)
            return tni_fail(err, TN_ELIMIT,
                            "a string of %zu bytes does not fit an answer",
                            s[i].len);
        sum += 4 + s[i].len;
    }
    *size = sum;
    return TN_OK;
}

void tni_infer_put_strings(uint8_t *out, const tn_tensor *t)
{
    const tn_string *s = tn_tensor_cdata(t);
    const int64_t n = tn_tensor_len(t);
    for (int64_t i = 0; i < n; i++) {
        for (int k = 0; k < 4; k++)
            *out++ = (uint8_t)((uint32_t)s[i].len >> (8 * k));
        if (s[i].len > 0) memcpy(out, s[i].ptr, s[i].len);
        out += s[i].len;
    }
}

tn_status tni_infer_output_bytes(tni_infer *q, const tn_tensor *t,
                                 const void **bytes, uint64_t *size,
                                 tn_err *err)
{
    if (tn_tensor_dtype(t) != TN_STRING) {
        *bytes = tn_tensor_cdata(t);
        *size = tn_tensor_size(t);
    } else {
        TN_TRY(tni_infer_strings_size(t, size, err));
        uint8_t *copy = *size <= q->max_answer_bytes
                            ? tni_arena_alloc(q->arena, (size_t)*size + 1, 1)
                            : NULL;
        if (copy == NULL)
            return tni_fail(err, TN_ELIMIT,
                            "the answer's strings need %llu "
                            "bytes",
                            (unsigned long long)*size);
        tni_infer_put_strings(copy, t);
        *bytes = copy;
    }
    if (*size > q->max_answer_bytes)
        return tni_fail(err, TN_ELIMIT,
                        "an output of %llu bytes is above the limit of %llu "
                        "for an answer",
                        (unsigned long long)*size,
                        (unsigned long long)q->max_answer_bytes);
    return TN_OK;
}

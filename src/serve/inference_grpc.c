/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inference_grpc.c - ModelInferRequest and ModelInferResponse
 *
 * Fields may come in any order, raw bytes before the inputs that they belong
 * to, and repeated numbers packed or one by one; so inputs are noted first and
 * read when the message is at its end.
 * Source: the Open Inference Protocol's grpc_predict_v2.proto
 */
#include "base/wire.h"
#include "serve/datatype.h"
#include "serve/inference_read.h"
#include "serve/proto_write.h"

#include <string.h>

enum { WIRE_DEPTH = 8 };

/* Fields of the messages. */
enum {
    REQUEST_MODEL = 1,
    REQUEST_VERSION = 2,
    REQUEST_ID = 3,
    REQUEST_PARAMETERS = 4,
    REQUEST_INPUTS = 5,
    REQUEST_OUTPUTS = 6,
    REQUEST_RAW = 7,
    INPUT_NAME = 1,
    INPUT_DATATYPE = 2,
    INPUT_SHAPE = 3,
    INPUT_PARAMETERS = 4,
    INPUT_CONTENTS = 5,
    OUTPUT_NAME = 1,
    OUTPUT_PARAMETERS = 2
};

/* Of InferTensorContents. */
enum {
    CONTENTS_BOOL = 1,
    CONTENTS_INT = 2,
    CONTENTS_INT64 = 3,
    CONTENTS_UINT = 4,
    CONTENTS_UINT64 = 5,
    CONTENTS_FP32 = 6,
    CONTENTS_FP64 = 7,
    CONTENTS_BYTES = 8
};

typedef struct grpc_input {
    tni_tensor_head head;
    size_t at; /* of the model's */
    bool has_contents;
    tni_wire contents;
} grpc_input;

typedef struct reader {
    tni_infer *q;
    tn_err *err;
    uint8_t *message;
    grpc_input *inputs;
    tni_bytes *raw;
    size_t n_inputs, n_raw;
} reader;

static tn_status want_bytes(const tni_field *f, const char *what, tn_err *err)
{
    if (f->type == TNI_WIRE_LEN) return TN_OK;
    return tni_fail(err, TN_EFORMAT, "%s has another type than its own", what);
}

static tni_span span_of(tni_bytes b)
{
    return (tni_span){b.len > 0 ? (const char *)b.ptr : "", b.len};
}

/* --- parameters ----------------------------------------------------------- */

/* InferParameter: bool 1, int64 2, string 3, double 4, uint64 5. */
static tn_status read_value(tni_wire w, tni_parameter *p)
{
    tni_field f;
    bool more = true;
    memset(p, 0, sizeof *p);
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        p->kind = TNI_PARAMETER_OTHER;
        if (f.number == 1 && f.type == TNI_WIRE_VARINT) {
            p->kind = TNI_PARAMETER_BOOL;
            p->number = f.value != 0;
        } else if (f.number == 2 && f.type == TNI_WIRE_VARINT) {
            p->kind = TNI_PARAMETER_INT;
            p->number = (int64_t)f.value;
        } else if (f.number == 5 && f.type == TNI_WIRE_VARINT) {
            p->kind = TNI_PARAMETER_INT;
            p->number = f.value <= INT64_MAX ? (int64_t)f.value : INT64_MAX;
        } else if (f.number == 3 && f.type == TNI_WIRE_LEN) {
            p->kind = TNI_PARAMETER_TEXT;
            p->text = span_of(f.bytes);
        }
    }
}

/* A map's entry: key 1, value 2. */
static tn_status read_entry(const tni_wire *w, const tni_field *entry,
                            tni_span *key, tni_parameter *p)
{
    tni_wire sub, value;
    tni_field f;
    bool more = true;
    *key = (tni_span){"", 0};
    memset(p, 0, sizeof *p);
    TN_TRY(tni_wire_enter(w, entry, "parameters", &sub));
    for (;;) {
        TN_TRY(tni_wire_next(&sub, &f, &more));
        if (!more) return TN_OK;
        if (f.number == 1 && f.type == TNI_WIRE_LEN) {
            *key = span_of(f.bytes);
        } else if (f.number == 2) {
            TN_TRY(tni_wire_enter(&sub, &f, "InferParameter", &value));
            TN_TRY(read_value(value, p));
        }
    }
}

static tn_status no_shared_memory(tni_span key, tn_err *err)
{
    static const char prefix[] = "shared_memory_";
    if (key.len < sizeof prefix - 1 ||
        memcmp(key.p, prefix, sizeof prefix - 1) != 0)
        return TN_OK;
    return tni_fail(err, TN_EUNSUPPORTED,
                    "this server does not read its clients' shared memory; "
                    "send tensors in the request");
}

/* --- inputs and outputs --------------------------------------------------- */

static tn_status add_dim(tni_tensor_head *h, uint64_t v)
{
    if (h->rank < TN_MAX_RANK) h->dims[h->rank] = (int64_t)v;
    h->rank += h->rank <= TN_MAX_RANK;
    return TN_OK;
}

/* A varint of packed ones. */
static tn_status next_packed(tni_bytes *b, uint64_t *v, tn_err *err)
{
    *v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (b->len == 0) break;
        const uint8_t c = *b->ptr++;
        b->len--;
        if (shift < 64) *v |= (uint64_t)(c & 127) << shift;
        if (c < 128) return TN_OK;
    }
    return tni_fail(err, TN_EFORMAT, "a list of numbers ends inside of one");
}

static tn_status read_shape(tni_tensor_head *h, const tni_field *f, tn_err *err)
{
    if (f->type == TNI_WIRE_VARINT) return add_dim(h, f->value);
    TN_TRY(want_bytes(f, "a shape", err));
    tni_bytes b = f->bytes;
    uint64_t v = 0;
    while (b.len > 0) {
        TN_TRY(next_packed(&b, &v, err));
        TN_TRY(add_dim(h, v));
    }
    return TN_OK;
}

static void set_label(tni_tensor_head *h, tni_span name)
{
    const size_t n =
        name.len < sizeof h->label - 1 ? name.len : sizeof h->label - 1;
    if (n > 0) memcpy(h->label, name.p, n);
    h->label[n] = '\0';
}

static tn_status read_input(reader *r, const tni_wire *w,
                            const tni_field *field)
{
    tni_wire sub;
    tni_field f;
    bool more = true;
    tni_span name = {"", 0}, datatype = {"", 0}, key;
    tni_parameter p;
    if (r->n_inputs == r->q->model->n_inputs)
        return tni_fail(r->err, TN_EINVAL,
                        "there are more inputs than the %zu that the model has",
                        r->q->model->n_inputs);
    grpc_input *in = &r->inputs[r->n_inputs++];
    TN_TRY(tni_wire_enter(w, field, "InferInputTensor", &sub));
    for (;;) {
        TN_TRY(tni_wire_next(&sub, &f, &more));
        if (!more) break;
        switch (f.number) {
        case INPUT_NAME:
            TN_TRY(want_bytes(&f, "a name", r->err));
            name = span_of(f.bytes);
            break;
        case INPUT_DATATYPE:
            TN_TRY(want_bytes(&f, "a datatype", r->err));
            datatype = span_of(f.bytes);
            break;
        case INPUT_SHAPE: TN_TRY(read_shape(&in->head, &f, r->err)); break;
        case INPUT_PARAMETERS:
            TN_TRY(read_entry(&sub, &f, &key, &p));
            TN_TRY(no_shared_memory(key, r->err));
            break;
        case INPUT_CONTENTS:
            if (in->has_contents)
                return tni_fail(r->err, TN_EINVAL,
                                "an input has its contents twice");
            TN_TRY(
                tni_wire_enter(&sub, &f, "InferTensorContents", &in->contents));
            in->has_contents = true;
            break;
        default: break;
        }
    }
    set_label(&in->head, name);
    TN_TRY(tni_infer_input(r->q, name, &in->at, r->err));
    TN_TRY(tni_infer_datatype(&in->head, datatype, r->err));
    return tni_infer_shape(&in->head, r->err);
}

static tn_status read_output(reader *r, const tni_wire *w,
                             const tni_field *field)
{
    tni_wire sub;
    tni_field f;
    bool more = true;
    tni_span name = {"", 0}, key;
    tni_parameter p;
    tni_infer_output what = {true, 0};
    TN_TRY(tni_wire_enter(w, field, "InferRequestedOutputTensor", &sub));
    for (;;) {
        TN_TRY(tni_wire_next(&sub, &f, &more));
        if (!more) return tni_infer_want(r->q, name, what, r->err);
        if (f.number == OUTPUT_NAME) {
            TN_TRY(want_bytes(&f, "a name", r->err));
            name = span_of(f.bytes);
        } else if (f.number == OUTPUT_PARAMETERS) {
            TN_TRY(read_entry(&sub, &f, &key, &p));
            TN_TRY(no_shared_memory(key, r->err));
            if (!tni_span_is(key, "classification")) continue;
            if (p.kind != TNI_PARAMETER_INT || p.number < 0 ||
                p.number > UINT32_MAX)
                return tni_fail(r->err, TN_EINVAL,
                                "classification must be a number of classes");
            what.classes = (uint32_t)p.number;
        }
    }
}

/* --- contents ------------------------------------------------------------- */

/* Which field holds a datatype's values. */
static uint32_t contents_field(tn_dtype dtype)
{
    switch (dtype) {
    case TN_BOOL: return CONTENTS_BOOL;
    case TN_I8:
    case TN_I16:
    case TN_I32: return CONTENTS_INT;
    case TN_I64: return CONTENTS_INT64;
    case TN_U8:
    case TN_U16:
    case TN_U32: return CONTENTS_UINT;
    case TN_U64: return CONTENTS_UINT64;
    case TN_F32: return CONTENTS_FP32;
    case TN_F64: return CONTENTS_FP64;
    case TN_STRING: return CONTENTS_BYTES;
    default: return 0;
    }
}

typedef struct values {
    const tni_tensor_head *head;
    uint8_t *data;
    tn_string *strings;
    int64_t n;
    tn_err *err;
} values;

#define PUT(type, value)                                                       \
    do {                                                                       \
        const type put_ = (type)(value);                                       \
        memcpy(v->data + (size_t)v->n * sizeof put_, &put_, sizeof put_);      \
    } while (0)

static tn_status out_of_range(const values *v, int64_t low, int64_t high,
                              int64_t value)
{
    if (value >= low && value <= high) return TN_OK;
    return tni_fail(v->err, TN_EINVAL,
                    "element %lld of input '%s' is %lld, outside the range of "
                    "%s",
                    (long long)v->n, v->head->label, (long long)value,
                    tni_datatype_name(v->head->dtype));
}

static tn_status room_for_one(const values *v)
{
    if (v->n < v->head->elements) return TN_OK;
    return tni_fail(v->err, TN_EINVAL,
                    "input '%s' has more values than the %lld of its shape",
                    v->head->label, (long long)v->head->elements);
}

/* One number as its field holds it: a varint, or the bits of a float. */
static tn_status put_number(values *v, uint64_t bits)
{
    /* A 32-bit field is read as its lower half, whatever was sent. */
    const int64_t i32 = (int32_t)(uint32_t)bits;
    const int64_t u32 = (int64_t)(uint32_t)bits;
    TN_TRY(room_for_one(v));
    switch (v->head->dtype) {
    case TN_BOOL: PUT(uint8_t, bits != 0); break;
    case TN_I8:
        TN_TRY(out_of_range(v, INT8_MIN, INT8_MAX, i32));
        PUT(int8_t, i32);
        break;
    case TN_I16:
        TN_TRY(out_of_range(v, INT16_MIN, INT16_MAX, i32));
        PUT(int16_t, i32);
        break;
    case TN_U8:
        TN_TRY(out_of_range(v, 0, UINT8_MAX, u32));
        PUT(uint8_t, u32);
        break;
    case TN_U16:
        TN_TRY(out_of_range(v, 0, UINT16_MAX, u32));
        PUT(uint16_t, u32);
        break;
    case TN_I32:
    case TN_U32:
    case TN_F32: PUT(uint32_t, bits); break;
    default: PUT(uint64_t, bits); break;
    }
    v->n++;
    return TN_OK;
}

static uint64_t little(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static tn_status put_packed(values *v, tni_bytes b, size_t each)
{
    uint64_t bits = 0;
    if (each > 0 && b.len % each != 0)
        return tni_fail(v->err, TN_EFORMAT,
                        "the contents of input '%s' end inside of a number",
                        v->head->label);
    while (b.len > 0) {
        if (each == 0) {
            TN_TRY(next_packed(&b, &bits, v->err));
        } else {
            bits = little(b.ptr, each);
            b.ptr += each;
            b.len -= each;
        }
        TN_TRY(put_number(v, bits));
    }
    return TN_OK;
}

static tn_status read_contents(values *v, tni_wire w)
{
    const tn_dtype dtype = v->head->dtype;
    const uint32_t field = contents_field(dtype);
    const size_t each = dtype == TN_F32 ? 4 : dtype == TN_F64 ? 8 : 0;
    tni_field f;
    bool more = true;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number != field)
            return tni_fail(v->err, TN_EINVAL,
                            "input '%s' is %s, but its contents have values of "
                            "another kind",
                            v->head->label, tni_datatype_name(dtype));
        if (dtype == TN_STRING) {
            TN_TRY(want_bytes(&f, "bytes_contents", v->err));
            TN_TRY(room_for_one(v));
            v->strings[v->n++] =
                (tn_string){(const char *)f.bytes.ptr, f.bytes.len};
        } else if (f.type == TNI_WIRE_LEN) {
            TN_TRY(put_packed(v, f.bytes, each));
        } else {
            TN_TRY(put_number(v, f.value));
        }
    }
}

static tn_status take_contents(reader *r, grpc_input *in, tn_tensor **out)
{
    const tni_tensor_head *h = &in->head;
    values v = {h, NULL, NULL, 0, r->err};
    if (contents_field(h->dtype) == 0)
        return tni_fail(r->err, TN_EINVAL,
                        "input '%s' is %s, which is sent in raw_input_contents "
                        "only",
                        h->label, tni_datatype_name(h->dtype));
    /* Every value takes a byte at least. */
    if (h->elements > in->contents.end - in->contents.at)
        return tni_fail(r->err, TN_EINVAL,
                        "input '%s' has fewer values than the %lld of its "
                        "shape",
                        h->label, (long long)h->elements);
    if (h->dtype == TN_STRING) {
        v.strings = TNI_NEW_ARRAY(r->q->arena, tn_string, h->elements + 1);
        if (v.strings == NULL)
            return tni_fail(r->err, TN_ENOMEM, "out of memory");
    } else {
        TN_TRY(tn_tensor_new(out, h->dtype, h->rank, h->dims, NULL, r->err));
        v.data = tn_tensor_data(*out);
    }
    TN_TRY(read_contents(&v, in->contents));
    if (v.n < h->elements)
        return tni_fail(r->err, TN_EINVAL,
                        "input '%s' has %lld values; its shape needs %lld",
                        h->label, (long long)v.n, (long long)h->elements);
    if (h->dtype == TN_STRING)
        return tn_tensor_new_strings(out, h->rank, h->dims, v.strings, NULL,
                                     r->err);
    return TN_OK;
}

/* --- the request ---------------------------------------------------------- */

static tn_status take_inputs(reader *r)
{
    if (r->n_raw > 0 && r->n_raw != r->n_inputs)
        return tni_fail(r->err, TN_EINVAL,
                        "%zu raw_input_contents for %zu inputs; expected one "
                        "for each",
                        r->n_raw, r->n_inputs);
    uint8_t *free_from = r->message; /* all else has been read */
    for (size_t i = 0; i < r->n_inputs; i++) {
        grpc_input *in = &r->inputs[i];
        tn_tensor **out = &r->q->inputs[in->at];
        if (in->has_contents && r->n_raw > 0)
            return tni_fail(
                r->err, TN_EINVAL,
                "input '%s' has contents beside raw_input_contents; "
                "expected either",
                in->head.label);
        if (r->n_raw > 0) {
            uint8_t *bytes = r->message + (r->raw[i].ptr - r->message);
            if (in->head.dtype != TN_STRING)
                bytes = tni_infer_settle(&free_from, bytes, r->raw[i].len);
            TN_TRY(tni_infer_take(r->q, &in->head, bytes, r->raw[i].len, out,
                                  r->err));
        } else if (in->has_contents || in->head.elements == 0) {
            TN_TRY(take_contents(r, in, out));
        } else {
            return tni_fail(r->err, TN_EINVAL, "input '%s' has no contents",
                            in->head.label);
        }
    }
    return TN_OK;
}

static tn_status read_field(reader *r, const tni_wire *w, const tni_field *f)
{
    tni_span key;
    tni_parameter p;
    switch (f->number) {
    case REQUEST_ID:
        TN_TRY(want_bytes(f, "an id", r->err));
        r->q->id.p = tni_arena_strndup(r->q->arena, (const char *)f->bytes.ptr,
                                       f->bytes.len);
        r->q->id.len = r->q->id.p != NULL ? f->bytes.len : 0;
        return r->q->id.p != NULL
                   ? TN_OK
                   : tni_fail(r->err, TN_ENOMEM, "no memory for a request");
    case REQUEST_PARAMETERS:
        TN_TRY(read_entry(w, f, &key, &p));
        return tni_infer_parameter(r->q, key, &p, r->err);
    case REQUEST_INPUTS: return read_input(r, w, f);
    case REQUEST_OUTPUTS: return read_output(r, w, f);
    case REQUEST_RAW:
        TN_TRY(want_bytes(f, "raw_input_contents", r->err));
        if (r->n_raw == r->q->model->n_inputs)
            return tni_fail(r->err, TN_EINVAL,
                            "there are more raw_input_contents than inputs");
        r->raw[r->n_raw++] = f->bytes;
        return TN_OK;
    default: return TN_OK;
    }
}

tn_status tni_infer_read_grpc(tni_infer *q, uint8_t *message, size_t size,
                              tn_err *err)
{
    const size_t n = q->model->n_inputs;
    reader r = {q, err, message, NULL, NULL, 0, 0};
    tni_wire w;
    tni_field f;
    bool more = true;
    tni_err_clear(err);
    r.inputs = TNI_NEW_ARRAY(q->arena, grpc_input, n + 1);
    r.raw = TNI_NEW_ARRAY(q->arena, tni_bytes, n + 1);
    if (r.inputs == NULL || r.raw == NULL)
        return tni_fail(err, TN_ENOMEM, "no memory for a request");
    tni_wire_init(&w, message, size, "ModelInferRequest", WIRE_DEPTH, err);
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) break;
        TN_TRY(read_field(&r, &w, &f));
    }
    TN_TRY(take_inputs(&r));
    const tni_infer_output all = {true, 0};
    tni_infer_want_all(q, all);
    return TN_OK;
}

tn_status tni_infer_peek_grpc(tni_infer_target *out, const uint8_t *message,
                              size_t size, tn_err *err)
{
    tni_wire w;
    tni_field f;
    bool more = true;
    const tni_span none = {"", 0};
    *out = (tni_infer_target){none, none, none};
    tni_err_clear(err);
    tni_wire_init(&w, message, size, "ModelInferRequest", WIRE_DEPTH, err);
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number > REQUEST_ID) continue;
        TN_TRY(want_bytes(&f, "a name, version or id", err));
        if (f.number == REQUEST_MODEL) out->name = span_of(f.bytes);
        if (f.number == REQUEST_VERSION) out->version = span_of(f.bytes);
        if (f.number == REQUEST_ID) out->id = span_of(f.bytes);
    }
}

/* --- the answer ----------------------------------------------------------- */

/* ModelInferResponse: name 1, version 2, id 3, outputs 5 {name 1, datatype 2,
 * shape 3}, raw_output_contents 6. */
static tn_status put_output(tni_infer *q, tni_proto *w, size_t at,
                            const tn_tensor *t, tni_piece *raw, tn_err *err)
{
    uint64_t size = 0;
    const size_t mark = tni_proto_open(w, 5);
    tni_proto_text(w, 1, q->model->outputs[at].name);
    tni_proto_text(w, 2, tni_datatype_name(tn_tensor_dtype(t)));
    tni_proto_ints(w, 3, tn_tensor_dims(t), (size_t)tn_tensor_rank(t));
    tni_proto_close(w, mark);
    TN_TRY(tni_infer_output_bytes(q, t, &raw->bytes, &size, err));
    raw->size = (size_t)size;
    return TN_OK;
}

static tn_status put_outputs(tni_infer *q, tni_proto *w,
                             const tn_tensor *const *outputs, tni_piece *raw,
                             tn_err *err)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < q->n_order; i++) {
        const size_t at = q->order[i];
        tn_tensor *classes = NULL;
        tn_status s = TN_OK;
        if (q->outputs[at].classes != 0)
            s = tni_infer_classify(q, at, outputs[at], &classes, err);
        if (s == TN_OK)
            s = put_output(q, w, at, classes != NULL ? classes : outputs[at],
                           &raw[i], err);
        /* The strings of classes have been copied. */
        tn_tensor_free(classes);
        TN_TRY(s);
        bytes += raw[i].size;
        if (bytes > q->max_answer_bytes)
            return tni_fail(err, TN_ELIMIT,
                            "the answer is larger than the server's limit of "
                            "%llu bytes",
                            (unsigned long long)q->max_answer_bytes);
    }
    return TN_OK;
}

tn_status tni_infer_write_grpc(tni_infer *q, const tn_tensor *const *outputs,
                               tni_reply *reply, tn_err *err)
{
    tni_proto w;
    tni_err_clear(err);
    const size_t n = q->n_order;
    /* Each output: the tag and length of its bytes, and these. */
    tni_piece *raw = TNI_NEW_ARRAY(q->arena, tni_piece, n + 1);
    size_t *ends = TNI_NEW_ARRAY(q->arena, size_t, n + 1);
    reply->pieces = TNI_NEW_ARRAY(q->arena, tni_piece, 2 * n + 1);
    if (raw == NULL || ends == NULL || reply->pieces == NULL)
        return tni_fail(err, TN_ENOMEM, "no memory for the answer");
    tni_proto_init(&w, q->arena);
    tni_proto_text(&w, 1, q->model->name);
    tni_proto_text(&w, 2, q->model->version);
    if (q->id.len > 0) tni_proto_bytes(&w, 3, q->id.p, q->id.len);
    TN_TRY(put_outputs(q, &w, outputs, raw, err));
    for (size_t i = 0; i < n; i++) {
        tni_proto_bytes_head(&w, 6, raw[i].size);
        ends[i] = w.at;
    }
    if (!tni_proto_good(&w))
        return tni_fail(err, TN_ENOMEM, "no memory for the answer");
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        reply->pieces[2 * i] =
            (tni_piece){w.bytes + from, ends[i] - from, NULL, NULL};
        reply->pieces[2 * i + 1] = raw[i];
        from = ends[i];
    }
    reply->n_pieces = 2 * n;
    if (n == 0) {
        reply->pieces[0] = (tni_piece){w.bytes, w.at, NULL, NULL};
        reply->n_pieces = 1;
    }
    return TN_OK;
}

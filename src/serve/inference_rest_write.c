/* SPDX-License-Identifier: Apache-2.0 */
/* inference_rest_write.c - an answer by REST: JSON, and bytes behind it */
#include "base/num.h"
#include "base/utf8.h"
#include "serve/datatype.h"
#include "serve/inference_read.h"
#include "serve/text.h"

#include <string.h>

static void text(tni_out *o, const char *key, const char *value, size_t len)
{
    tni_out_str(o, key);
    tni_out_json(o, value, len);
}

/* Bare NaN and infinities, which Python reads, and Triton writes. */
static void put_float(tni_out *o, double v, bool single)
{
    char digits[32];
    if (v != v)
        tni_out_str(o, "NaN");
    else if (v - v != 0)
        tni_out_str(o, v > 0 ? "Infinity" : "-Infinity");
    else
        tni_out_bytes(
            o, digits,
            single ? tni_num_shortest_f32(digits, sizeof digits, (float)v)
                   : tni_num_shortest(digits, sizeof digits, v));
}

static void put_u64(tni_out *o, uint64_t v)
{
    char digits[24];
    char *at = digits + sizeof digits;
    do *--at = (char)('0' + (int)(v % 10));
    while ((v /= 10) != 0);
    tni_out_bytes(o, at, (size_t)(digits + sizeof digits - at));
}

static void put_value(tni_out *o, const tn_tensor *t, int64_t i)
{
    const char *data = tn_tensor_cdata(t);
    const size_t at = (size_t)i;
    switch (tn_tensor_dtype(t)) {
    case TN_F32: {
        float v;
        memcpy(&v, data + at * sizeof v, sizeof v);
        put_float(o, (double)v, true);
        return;
    }
    case TN_F64: {
        double v;
        memcpy(&v, data + at * sizeof v, sizeof v);
        put_float(o, v, false);
        return;
    }
    case TN_I64: {
        int64_t v;
        memcpy(&v, data + at * sizeof v, sizeof v);
        tni_out_i64(o, v);
        return;
    }
    case TN_U64: {
        uint64_t v;
        memcpy(&v, data + at * sizeof v, sizeof v);
        put_u64(o, v);
        return;
    }
    case TN_BOOL: tni_out_str(o, data[at] != 0 ? "true" : "false"); return;
    case TN_STRING: {
        tn_string s;
        memcpy(&s, data + at * sizeof s, sizeof s);
        if (tni_utf8_valid(s.ptr, s.len) == s.len)
            tni_out_json(o, s.ptr != NULL ? s.ptr : "", s.len);
        else if (o->status == TN_OK)
            o->status = tni_fail(o->err, TN_EUNSUPPORTED,
                                 "element %lld of an output is not UTF-8, "
                                 "which JSON cannot hold; ask for it as binary "
                                 "data",
                                 (long long)i);
        return;
    }
    default: /* the smaller whole numbers, which doubles hold exactly */
        tni_out_i64(o, (int64_t)tn_tensor_get(t, i));
        return;
    }
}

static void put_values(tni_out *o, const tn_tensor *t)
{
    const int64_t n = tn_tensor_len(t);
    tni_out_str(o, ",\"data\":[");
    for (int64_t i = 0; i < n && o->status == TN_OK; i++) {
        if (i > 0) tni_out_char(o, ',');
        put_value(o, t, i);
    }
    tni_out_str(o, "]}");
}

static void put_head(tni_out *o, const tni_port *port, const tn_tensor *t)
{
    text(o, "{\"name\":", port->name, strlen(port->name));
    tni_out_str(o, ",\"datatype\":\"");
    tni_out_str(o, tni_datatype_name(tn_tensor_dtype(t)));
    tni_out_str(o, "\",\"shape\":[");
    for (int k = 0; k < tn_tensor_rank(t); k++) {
        if (k > 0) tni_out_char(o, ',');
        tni_out_i64(o, tn_tensor_dims(t)[k]);
    }
    tni_out_char(o, ']');
}

/* One output; what is binary becomes a piece to be sent behind. */
static tn_status put_output(tni_infer *q, tni_out *o, size_t at,
                            const tn_tensor *t, tni_piece *piece, tn_err *err)
{
    const tni_port *port = &q->model->outputs[at];
    const tn_dtype dtype = tn_tensor_dtype(t);
    put_head(o, port, t);
    if (!q->outputs[at].binary) {
        if (dtype == TN_F16 || dtype == TN_BF16)
            return tni_fail(err, TN_EUNSUPPORTED,
                            "output '%.80s' is %s, which has no form in JSON; "
                            "ask for it as binary data",
                            port->name, tni_datatype_name(dtype));
        put_values(o, t);
        return TN_OK;
    }
    uint64_t size = 0;
    TN_TRY(tni_infer_output_bytes(q, t, &piece->bytes, &size, err));
    piece->size = (size_t)size;
    tni_out_str(o, ",\"parameters\":{\"binary_data_size\":");
    tni_out_i64(o, (int64_t)size);
    tni_out_str(o, "}}");
    return TN_OK;
}

static tn_status put_outputs(tni_infer *q, tni_out *o,
                             const tn_tensor *const *outputs, tni_piece *binary,
                             size_t *n_binary, uint64_t *bytes, tn_err *err)
{
    for (size_t i = 0; i < q->n_order; i++) {
        const size_t at = q->order[i];
        const tn_tensor *t = outputs[at];
        tn_tensor *classes = NULL;
        tni_piece piece = {NULL, 0, NULL, NULL};
        if (i > 0) tni_out_char(o, ',');
        tn_status s = TN_OK;
        if (q->outputs[at].classes != 0) {
            s = tni_infer_classify(q, at, t, &classes, err);
            t = classes;
        }
        if (s == TN_OK) s = put_output(q, o, at, t, &piece, err);
        /* The strings of classes have been copied. */
        tn_tensor_free(classes);
        TN_TRY(s);
        if (piece.bytes == NULL) continue;
        binary[(*n_binary)++] = piece;
        *bytes += piece.size;
        if (*bytes > q->max_answer_bytes)
            return tni_fail(err, TN_ELIMIT,
                            "the answer is larger than the server's limit of "
                            "%llu bytes",
                            (unsigned long long)q->max_answer_bytes);
    }
    return TN_OK;
}

tn_status tni_infer_write_rest(tni_infer *q, const tn_tensor *const *outputs,
                               tni_reply *reply, tn_err *err)
{
    const tni_served *m = q->model;
    size_t n_binary = 0;
    uint64_t bytes = 0;
    tni_text t;
    tni_err_clear(err);
    tni_piece *binary = TNI_NEW_ARRAY(q->arena, tni_piece, q->n_order + 1);
    if (binary == NULL)
        return tni_fail(err, TN_ENOMEM, "no memory for the answer");
    tni_text_begin(&t, q->arena, q->max_answer_bytes);
    tni_out_char(&t.out, '{');
    if (q->id.len > 0) {
        text(&t.out, "\"id\":", q->id.p, q->id.len);
        tni_out_char(&t.out, ',');
    }
    text(&t.out, "\"model_name\":", m->name, strlen(m->name));
    text(&t.out, ",\"model_version\":", m->version, strlen(m->version));
    tni_out_str(&t.out, ",\"outputs\":[");
    TN_TRY(put_outputs(q, &t.out, outputs, binary, &n_binary, &bytes, err));
    tni_out_str(&t.out, "]}");
    const tn_status s = tni_out_flush(&t.out);
    if (s != TN_OK) {
        *err = t.err;
        return s;
    }
    reply->json_bytes = t.size;
    reply->binary = n_binary > 0;
    reply->n_pieces = t.n_pieces + n_binary;
    reply->pieces = TNI_NEW_ARRAY(q->arena, tni_piece, reply->n_pieces);
    if (reply->pieces == NULL)
        return tni_fail(err, TN_ENOMEM, "no memory for the answer");
    memcpy(reply->pieces, t.pieces, t.n_pieces * sizeof *t.pieces);
    if (n_binary > 0)
        memcpy(reply->pieces + t.n_pieces, binary, n_binary * sizeof *binary);
    return TN_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode_attr.c - AttributeProto
 *
 * Inside a function an attribute may refer to one of the call: the reference
 * is followed to the bytes at the call and those are decoded in the call's
 * scope, so every reference to a subgraph gets a graph of its own.
 */
#include "onnx/decode.h"

#include "base/checked.h"

#include <string.h>

/* Numbers of AttributeProto's fields. */
enum {
    f_name = 1,
    f_f = 2,
    f_i = 3,
    f_s = 4,
    f_t = 5,
    f_g = 6,
    f_floats = 7,
    f_ints = 8,
    f_strings = 9,
    f_tensors = 10,
    f_graphs = 11,
    f_tp = 14,
    f_type_protos = 15,
    f_type = 20,
    f_ref_attr_name = 21,
    f_sparse_tensor = 22,
    f_sparse_tensors = 23
};

/* AttributeType's numbers, and the field that carries each. */
static const struct {
    uint32_t type, field;
    tni_attr_kind kind;
} forms[] = {
    {1, f_f, TNI_ATTR_FLOAT},
    {2, f_i, TNI_ATTR_INT},
    {3, f_s, TNI_ATTR_STRING},
    {4, f_t, TNI_ATTR_TENSOR},
    {5, f_g, TNI_ATTR_GRAPH},
    {6, f_floats, TNI_ATTR_FLOATS},
    {7, f_ints, TNI_ATTR_INTS},
    {8, f_strings, TNI_ATTR_STRINGS},
    {9, f_tensors, TNI_ATTR_TENSORS},
    {10, f_graphs, TNI_ATTR_GRAPHS},
    {11, f_sparse_tensor, TNI_ATTR_TENSOR},
    {12, f_sparse_tensors, TNI_ATTR_TENSORS},
    {13, f_tp, TNI_ATTR_TYPE},
};
enum { n_forms = sizeof forms / sizeof forms[0] };

/* What a walk over the message finds. */
typedef struct header {
    tni_bytes name, ref;
    uint64_t type;
    uint32_t field; /* that carries the value */
    tni_attr_kind kind;
    size_t n; /* occurrences, or numbers, of that field */
} header;

static bool is_value_field(uint32_t number)
{
    return (number >= f_f && number <= f_graphs) || number == f_tp ||
           number == f_sparse_tensor || number == f_sparse_tensors;
}

static tn_status count_value(const tni_wire *w, const tni_field *f,
                             uint32_t field, size_t *n)
{
    if (f->number != field) return TN_OK;
    if (field == f_floats) return tni_wire_count(w, f, TNI_WIRE_I32, n);
    if (field == f_ints) return tni_wire_count(w, f, TNI_WIRE_VARINT, n);
    (*n)++;
    return TN_OK;
}

/* The number of plain values is told by the first walk where they are all of
 * the first field met; of a million entries that saves a walk. */
typedef struct tally {
    uint32_t field; /* 0: none met yet */
    size_t n;
    bool sure;
} tally;

static void tally_value(tally *t, const tni_field *f)
{
    if (t->field == 0) t->field = f->number;
    if (t->field != f->number) return;
    const bool number = f->number == f_floats || f->number == f_ints;
    if (!number ||
        f->type == (f->number == f_floats ? TNI_WIRE_I32 : TNI_WIRE_VARINT))
        t->n++;
    else
        t->sure = false;
}

static tn_status read_header(const tni_wire *start, header *h)
{
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    uint32_t seen = 0;
    tally first = {0, 0, true};
    memset(h, 0, sizeof *h);
    h->name.ptr = start->at;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) break;
        if (f.number == f_name) TN_TRY(tni_wire_bytes(&w, &f, &h->name));
        if (f.number == f_ref_attr_name)
            TN_TRY(tni_wire_bytes(&w, &f, &h->ref));
        if (f.number == f_type) TN_TRY(tni_wire_u64(&w, &f, &h->type));
        if (is_value_field(f.number)) {
            seen = f.number;
            tally_value(&first, &f);
        }
    }
    for (int i = 0; i < n_forms; i++) {
        /* The first exporters wrote no type; the field tells it. */
        if (h->type == 0 ? forms[i].field == seen : forms[i].type == h->type) {
            h->field = forms[i].field;
            h->kind = forms[i].kind;
            break;
        }
    }
    if (first.sure && first.field == h->field &&
        (h->field == f_floats || h->field == f_ints || h->field == f_strings)) {
        h->n = first.n;
        return TN_OK;
    }
    w = *start;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        TN_TRY(count_value(&w, &f, h->field, &h->n));
    }
}

static tn_status decode_one_tensor(const tni_scope *s, const tni_wire *w,
                                   const tni_field *f, bool sparse,
                                   const tni_tensor **out)
{
    tni_decoder *d = s->d;
    tni_wire sub;
    tni_tensor *t = TNI_NEW(d->arena, tni_tensor);
    if (t == NULL) return tni_decode_nomem(d);
    TN_TRY(tni_wire_enter(w, f, sparse ? "SparseTensorProto" : "TensorProto",
                          &sub));
    TN_TRY(sparse ? tni_decode_sparse(&d->src, &sub, t, NULL)
                  : tni_decode_tensor(&d->src, &sub, t, NULL));
    *out = t;
    return TN_OK;
}

static tn_status decode_one_graph(const tni_scope *s, const tni_wire *w,
                                  const tni_field *f, tni_graph **out)
{
    tni_wire sub;
    TN_TRY(tni_wire_enter(w, f, "GraphProto", &sub));
    return tni_decode_graph(s->d, &sub, s, out);
}

static void string_of(tni_bytes b, tn_string *out)
{
    out->ptr = (const char *)b.ptr;
    out->len = b.len;
}

/* Arrays for the plural kinds, by what will be stored in them. */
typedef struct lists {
    uint32_t *floats;
    uint64_t *ints;
    tn_string *strings;
    const tni_tensor **tensors;
    tni_graph **graphs;
} lists;

static tn_status make_lists(tni_decoder *d, const header *h, lists *l)
{
    const bool floats = h->kind == TNI_ATTR_FLOATS;
    const bool ints = h->kind == TNI_ATTR_INTS;
    const bool strings = h->kind == TNI_ATTR_STRINGS;
    const bool tensors = h->kind == TNI_ATTR_TENSORS;
    const bool graphs = h->kind == TNI_ATTR_GRAPHS;
    l->floats = TNI_NEW_ARRAY(d->arena, uint32_t, floats ? h->n : 0);
    l->ints = TNI_NEW_ARRAY(d->arena, uint64_t, ints ? h->n : 0);
    l->strings = TNI_NEW_ARRAY(d->arena, tn_string, strings ? h->n : 0);
    l->tensors =
        TNI_NEW_ARRAY(d->arena, const tni_tensor *, tensors ? h->n : 0);
    l->graphs = TNI_NEW_ARRAY(d->arena, tni_graph *, graphs ? h->n : 0);
    return l->floats != NULL && l->ints != NULL && l->strings != NULL &&
                   l->tensors != NULL && l->graphs != NULL
               ? TN_OK
               : tni_decode_nomem(d);
}

static tn_status decode_field(const tni_scope *s, const tni_wire *w,
                              const tni_field *f, const header *h, lists *l,
                              size_t *at, tni_attr *out)
{
    tni_decoder *d = s->d;
    const bool sparse =
        f->number == f_sparse_tensor || f->number == f_sparse_tensors;
    tni_bytes b;
    switch (h->kind) {
    case TNI_ATTR_FLOAT: return tni_wire_f32(w, f, &out->v.f);
    case TNI_ATTR_INT: return tni_wire_i64(w, f, &out->v.i);
    case TNI_ATTR_STRING:
        TN_TRY(tni_wire_bytes(w, f, &b));
        string_of(b, &out->v.s);
        return TN_OK;
    case TNI_ATTR_TENSOR:
        return decode_one_tensor(s, w, f, sparse, &out->v.tensor);
    case TNI_ATTR_GRAPH: return decode_one_graph(s, w, f, &out->v.graph);
    case TNI_ATTR_FLOATS: return tni_wire_read_i32s(w, f, l->floats, at);
    case TNI_ATTR_INTS: return tni_wire_read_varints(w, f, l->ints, at);
    case TNI_ATTR_STRINGS:
        TN_TRY(tni_wire_bytes(w, f, &b));
        string_of(b, &l->strings[(*at)++]);
        return TN_OK;
    case TNI_ATTR_TENSORS:
        return decode_one_tensor(s, w, f, sparse, &l->tensors[(*at)++]);
    case TNI_ATTR_GRAPHS: return decode_one_graph(s, w, f, &l->graphs[(*at)++]);
    case TNI_ATTR_TYPE: {
        tni_wire sub;
        tni_type *t = TNI_NEW(d->arena, tni_type);
        if (t == NULL) return tni_decode_nomem(d);
        TN_TRY(tni_wire_enter(w, f, "TypeProto", &sub));
        out->v.type = t;
        return tni_decode_type(d, &sub, t, (int)d->model->limits.max_nesting);
    }
    default: return TN_OK;
    }
}

static tn_status decode_value(const tni_scope *s, const tni_wire *start,
                              const header *h, tni_attr *out)
{
    tni_decoder *d = s->d;
    if (h->kind == TNI_ATTR_NONE)
        return tni_fail_at(d->err, TN_EUNSUPPORTED,
                           tni_wire_offset(start, start->at),
                           "the attribute has type %llu and no value; expected "
                           "a type of 1 to 13",
                           (unsigned long long)h->type);
    const bool single = h->kind <= TNI_ATTR_GRAPH || h->kind == TNI_ATTR_TYPE;
    const bool scalar = h->kind <= TNI_ATTR_STRING;
    if (single && !scalar && h->n != 1)
        return tni_fail_at(d->err, TN_EFORMAT,
                           tni_wire_offset(start, start->at),
                           "the attribute has %zu values; expected one", h->n);
    lists l;
    TN_TRY(make_lists(d, h, &l));
    out->kind = h->kind;
    out->v.s.ptr = "";
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    size_t at = 0;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) break;
        if (f.number == h->field)
            TN_TRY(decode_field(s, &w, &f, h, &l, &at, out));
    }
    if (single) return TN_OK;
    out->n = h->n;
    if (h->kind == TNI_ATTR_FLOATS) {
        float *floats = TNI_NEW_ARRAY(d->arena, float, h->n);
        if (floats == NULL) return tni_decode_nomem(d);
        if (h->n != 0) memcpy(floats, l.floats, h->n * sizeof *floats);
        out->v.floats = floats;
    } else if (h->kind == TNI_ATTR_INTS) {
        int64_t *ints = TNI_NEW_ARRAY(d->arena, int64_t, h->n);
        if (ints == NULL) return tni_decode_nomem(d);
        if (h->n != 0) memcpy(ints, l.ints, h->n * sizeof *ints);
        out->v.ints = ints;
    } else if (h->kind == TNI_ATTR_STRINGS) {
        out->v.strings = l.strings;
    } else if (h->kind == TNI_ATTR_TENSORS) {
        out->v.tensors = l.tensors;
    } else {
        out->v.graphs = l.graphs;
    }
    return TN_OK;
}

/* Finds an attribute of that name among fields `number` of a message. */
static tn_status find_in(const tni_wire *start, uint32_t number, tni_bytes name,
                         tni_wire *found, bool *present)
{
    tni_wire w = *start, sub, in;
    tni_field f, g;
    bool more = false, inner = false;
    *present = false;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number != number) continue;
        TN_TRY(tni_wire_enter(&w, &f, "AttributeProto", &sub));
        in = sub;
        for (;;) {
            TN_TRY(tni_wire_next(&in, &g, &inner));
            if (!inner) break;
            tni_bytes b;
            if (g.number != f_name) continue;
            TN_TRY(tni_wire_bytes(&in, &g, &b));
            if (b.len == name.len && memcmp(b.ptr, name.ptr, b.len) == 0) {
                *found = sub;
                *present = true;
                return TN_OK;
            }
        }
    }
}

static tn_status decode_in(const tni_scope *s, const tni_wire *attr,
                           const header *h, tni_attr *out, bool *present)
{
    *present = true;
    if (h->ref.len == 0 || s->function == NULL)
        return decode_value(s, attr, h, out);
    tni_wire found;
    header other;
    TN_TRY(find_in(s->call, 5, h->ref, &found, present));
    const bool given = *present;
    if (!given)
        TN_TRY(find_in(&s->function->body, 11, h->ref, &found, present));
    if (!*present) return TN_OK;
    TN_TRY(read_header(&found, &other));
    /* As deep as functions are nested, which tni_decode_call bounds. */
    if (given) return decode_in(s->call_scope, &found, &other, out, present);
    return decode_value(s, &found, &other, out);
}

tn_status tni_decode_attr(const tni_scope *s, const tni_wire *attr,
                          tni_attr *out, bool *present)
{
    header h;
    TN_TRY(read_header(attr, &h));
    TN_TRY(tni_decode_name(s->d, h.name, &out->name));
    const tn_status status = decode_in(s, attr, &h, out, present);
    if (status != TN_OK && !tni_decode_has_place(s->d))
        tni_err_where(s->d->err, "attribute '%.64s'", out->name);
    return status;
}

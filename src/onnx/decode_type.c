/* SPDX-License-Identifier: Apache-2.0 */
/* decode_type.c - TypeProto and ValueInfoProto */
#include "onnx/decode.h"

#include "base/checked.h"

#include <string.h>

static tn_status symbol_of(tni_decoder *d, tni_bytes name, int64_t *dim)
{
    tn_model *m = d->model;
    bool fresh = false;
    void **slot =
        tni_strmap_add(&d->symbols, (const char *)name.ptr, name.len, &fresh);
    if (slot == NULL) return tni_decode_nomem(d);
    if (fresh) {
        if (m->n_symbols == d->cap_symbols) {
            const int cap = d->cap_symbols == 0 ? 16 : d->cap_symbols * 2;
            const char **grown = TNI_NEW_ARRAY(d->arena, const char *, cap);
            if (grown == NULL) return tni_decode_nomem(d);
            for (int i = 0; i < m->n_symbols; i++) grown[i] = m->symbols[i];
            m->symbols = grown;
            d->cap_symbols = cap;
        }
        TN_TRY(tni_decode_name(d, name, &m->symbols[m->n_symbols]));
        m->n_symbols++;
        *slot = (void *)(uintptr_t)m->n_symbols;
    }
    *dim = TNI_DIM_SYMBOL((uintptr_t)*slot - 1);
    return TN_OK;
}

static tn_status decode_dim(tni_decoder *d, const tni_wire *w,
                            const tni_field *f, int64_t *dim)
{
    tni_wire sub;
    tni_field g;
    bool more = false;
    *dim = TNI_DIM_UNKNOWN;
    TN_TRY(tni_wire_enter(w, f, "Dimension", &sub));
    for (;;) {
        TN_TRY(tni_wire_next(&sub, &g, &more));
        if (!more) return TN_OK;
        if (g.number == 1) {
            /* Exporters write -1, sometimes others below zero, for "any". */
            TN_TRY(tni_wire_i64(&sub, &g, dim));
            if (*dim < 0) *dim = TNI_DIM_UNKNOWN;
        } else if (g.number == 2) {
            tni_bytes name;
            TN_TRY(tni_wire_bytes(&sub, &g, &name));
            if (name.len != 0) TN_TRY(symbol_of(d, name, dim));
        }
    }
}

static tn_status decode_shape(tni_decoder *d, const tni_wire *w,
                              const tni_field *f, tni_type *out)
{
    tni_wire sub;
    tni_field g;
    bool more = false;
    TN_TRY(tni_wire_enter(w, f, "TensorShapeProto", &sub));
    out->rank = 0;
    const uint32_t limit = d->model->limits.max_rank;
    const int most = limit < TN_MAX_RANK ? (int)limit : TN_MAX_RANK;
    for (;;) {
        TN_TRY(tni_wire_next(&sub, &g, &more));
        if (!more) return TN_OK;
        if (g.number != 1) continue;
        if (out->rank == most)
            return tni_fail_at(d->err, TN_ELIMIT, tni_wire_offset(&sub, g.at),
                               "a shape has more than %d dimensions", most);
        TN_TRY(decode_dim(d, &sub, &g, &out->dims[out->rank]));
        out->rank++;
    }
}

static tn_status decode_tensor_type(tni_decoder *d, const tni_wire *w,
                                    const tni_field *f, tni_type *out)
{
    tni_wire sub;
    tni_field g;
    bool more = false;
    TN_TRY(tni_wire_enter(w, f, "TypeProto.Tensor", &sub));
    tni_type_tensor(out, TN_UNDEFINED, -1);
    for (;;) {
        TN_TRY(tni_wire_next(&sub, &g, &more));
        if (!more) return TN_OK;
        if (g.number == 1) {
            int64_t t = 0;
            TN_TRY(tni_wire_i64(&sub, &g, &t));
            if (t < 0 || t >= TN_DTYPE_COUNT)
                return tni_fail_at(d->err, TN_EUNSUPPORTED,
                                   tni_wire_offset(&sub, g.at),
                                   "elem_type is %lld; expected 1 to %d",
                                   (long long)t, (int)TN_DTYPE_COUNT - 1);
            out->dtype = (tn_dtype)t;
        } else if (g.number == 2) {
            TN_TRY(decode_shape(d, &sub, &g, out));
        }
    }
}

static tn_status decode_container(tni_decoder *d, const tni_wire *w,
                                  const tni_field *f, tn_kind kind,
                                  tni_type *out, int depth)
{
    tni_wire sub, in;
    tni_field g;
    bool more = false;
    const uint32_t item = kind == TN_KIND_MAP ? 2 : 1;
    out->kind = kind;
    TN_TRY(tni_wire_enter(w, f, "TypeProto", &sub));
    for (;;) {
        TN_TRY(tni_wire_next(&sub, &g, &more));
        if (!more) break;
        if (g.number == item) {
            tni_type *elem = TNI_NEW(d->arena, tni_type);
            if (elem == NULL) return tni_decode_nomem(d);
            TN_TRY(tni_wire_enter(&sub, &g, "TypeProto", &in));
            TN_TRY(tni_decode_type(d, &in, elem, depth - 1));
            out->elem = elem;
        } else if (g.number == 1) {
            int64_t t = 0;
            TN_TRY(tni_wire_i64(&sub, &g, &t));
            if (t > 0 && t < TN_DTYPE_COUNT) out->dtype = (tn_dtype)t;
        }
    }
    return TN_OK;
}

tn_status tni_decode_type(tni_decoder *d, const tni_wire *start, tni_type *out,
                          int depth)
{
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    memset(out, 0, sizeof *out);
    out->rank = -1;
    if (depth <= 0)
        return tni_fail_at(d->err, TN_ELIMIT, tni_wire_offset(&w, w.at),
                           "types are nested too deeply; the limit is "
                           "tn_limits.max_nesting");
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        switch (f.number) {
        case 1:
        case 8: /* a sparse tensor is dense here */
            TN_TRY(decode_tensor_type(d, &w, &f, out));
            break;
        case 4:
            TN_TRY(decode_container(d, &w, &f, TN_KIND_SEQUENCE, out, depth));
            break;
        case 5:
            TN_TRY(decode_container(d, &w, &f, TN_KIND_MAP, out, depth));
            break;
        case 9:
            TN_TRY(decode_container(d, &w, &f, TN_KIND_OPTIONAL, out, depth));
            break;
        default: break;
        }
    }
}

tn_status tni_decode_value_info(tni_decoder *d, const tni_wire *start,
                                tni_bytes *name, tni_type *type)
{
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    memset(type, 0, sizeof *type);
    type->rank = -1;
    name->ptr = w.at;
    name->len = 0;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number == 1) TN_TRY(tni_wire_bytes(&w, &f, name));
        if (f.number == 2) {
            tni_wire sub;
            TN_TRY(tni_wire_enter(&w, &f, "TypeProto", &sub));
            const tn_status status = tni_decode_type(
                d, &sub, type, (int)d->model->limits.max_nesting);
            if (status != TN_OK) {
                tni_err_where(d->err, "value '%.*s'",
                              (int)(name->len < 80 ? name->len : 80),
                              (const char *)name->ptr);
                return status;
            }
        }
    }
}

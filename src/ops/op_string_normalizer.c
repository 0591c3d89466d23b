/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_string_normalizer.c - ONNX StringNormalizer, opset 10
 *
 * Shapes:  X[c] or X[1, c]  ->  Y without the stop words, same rank; one ""
 *          when nothing is left
 * Types:   string
 * Attrs:   case_change_action LOWER, UPPER or NONE; is_case_sensitive;
 *          stopwords; locale is not looked at: case maps are Unicode's simple
 *          ones for Latin, Greek, Cyrillic and Armenian
 * Errors:  EINVAL another shape
 */
#include "ops/infer.h"
#include "ops/order.h"
#include "ops/regex.h"

#include <string.h>

/* Scripts whose letters come in pairs (even upper, odd lower, or odd and
 * even). */
static bool in_pairs(int32_t c, bool *odd_upper)
{
    *odd_upper = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e) ||
                 (c >= 0x4c1 && c <= 0x4ce);
    if (*odd_upper) return true;
    return (c >= 0x100 && c <= 0x12f) || (c >= 0x132 && c <= 0x137) ||
           (c >= 0x14a && c <= 0x177) || (c >= 0x3d8 && c <= 0x3ef) ||
           (c >= 0x460 && c <= 0x481) || (c >= 0x48a && c <= 0x4bf) ||
           (c >= 0x4d0 && c <= 0x52f) || (c >= 0x1e00 && c <= 0x1e95) ||
           (c >= 0x1ea0 && c <= 0x1eff);
}

/* Capital and small letters a fixed distance apart. */
static const struct {
    int32_t upper, last, distance;
} shifts[] = {
    {'A', 'Z', 32},          {0xc0, 0xd6, 32},      {0xd8, 0xde, 32},
    {0x386, 0x386, 38},      {0x388, 0x38a, 37},    {0x38c, 0x38c, 64},
    {0x38e, 0x38f, 63},      {0x391, 0x3a1, 32},    {0x3a3, 0x3ab, 32},
    {0x400, 0x40f, 80},      {0x410, 0x42f, 32},    {0x531, 0x556, 48},
    {0x10a0, 0x10c5, 7264},  {0x2160, 0x216f, 16},  {0x24b6, 0x24cf, 26},
    {0xff21, 0xff3a, 32},    {0x10400, 0x10427, 40}};

static int32_t to_lower(int32_t c)
{
    for (int i = 0; i < TNI_COUNT(shifts); i++)
        if (c >= shifts[i].upper && c <= shifts[i].last)
            return c + shifts[i].distance;
    if (c == 0x178) return 0xff;
    bool odd_upper = false;
    if (in_pairs(c, &odd_upper))
        return (c & 1) == (odd_upper ? 1 : 0) ? c + 1 : c;
    return c;
}

static int32_t to_upper(int32_t c)
{
    for (int i = 0; i < TNI_COUNT(shifts); i++)
        if (c >= shifts[i].upper + shifts[i].distance &&
            c <= shifts[i].last + shifts[i].distance)
            return c - shifts[i].distance;
    if (c == 0xff) return 0x178;
    if (c == 0xb5) return 0x39c;
    if (c == 0x3c2) return 0x3a3;
    bool odd_upper = false;
    if (in_pairs(c, &odd_upper))
        return (c & 1) == (odd_upper ? 0 : 1) ? c - 1 : c;
    return c;
}

static size_t encode(char *out, int32_t c)
{
    const uint32_t u = (uint32_t)c;
    if (u < 0x80) {
        out[0] = (char)u;
        return 1;
    }
    if (u < 0x800) {
        out[0] = (char)(0xc0 | (u >> 6));
        out[1] = (char)(0x80 | (u & 0x3f));
        return 2;
    }
    if (u < 0x10000) {
        out[0] = (char)(0xe0 | (u >> 12));
        out[1] = (char)(0x80 | ((u >> 6) & 0x3f));
        out[2] = (char)(0x80 | (u & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (u >> 18));
    out[1] = (char)(0x80 | ((u >> 12) & 0x3f));
    out[2] = (char)(0x80 | ((u >> 6) & 0x3f));
    out[3] = (char)(0x80 | (u & 0x3f));
    return 4;
}

static tn_status change_case(tn_string *out, tn_string s, bool upper,
                             tni_arena *arena, tn_err *err)
{
    /* No mapping here makes a character longer. */
    char *text = tni_arena_alloc(arena, s.len > 0 ? s.len : 1, 1);
    if (text == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    size_t n = 0;
    for (size_t at = 0; at < s.len;) {
        size_t len = 1;
        const int32_t c = tni_utf8_decode(s.ptr + at, s.ptr + s.len, &len);
        const int32_t to = c < 0 ? c : upper ? to_upper(c) : to_lower(c);
        char bytes[4];
        size_t size = c < 0 ? len + 1 : encode(bytes, to);
        if (size > len) { /* invalid, or would grow: as it is */
            memcpy(text + n, s.ptr + at, len);
            size = len;
        } else {
            memcpy(text + n, bytes, size);
        }
        n += size;
        at += len;
    }
    *out = (tn_string){text, n};
    return TN_OK;
}

typedef struct stops {
    tn_string *words; /* in order */
    int n;
    bool fold; /* compare in lower case */
} stops;

typedef struct order_ctx {
    const tn_string *words;
} order_ctx;

static bool before(const void *ctx, int64_t a, int64_t b)
{
    const order_ctx *o = ctx;
    const int r = tni_string_compare(&o->words[a], &o->words[b]);
    return r < 0 || (r == 0 && a < b);
}

static tn_status load_stops(stops *s, tni_ref *c)
{
    const tn_string *attr = tni_attr_strings(c->node, "stopwords", &s->n);
    s->fold = tni_attr_int(c->node, "is_case_sensitive", 0) == 0;
    const size_t room = s->n > 0 ? (size_t)s->n : 1;
    tn_string *words = tni_ref_scratch(c, room * sizeof *words);
    int64_t *order = tni_ref_scratch(c, room * sizeof *order);
    s->words = tni_ref_scratch(c, room * sizeof *words);
    if (words == NULL || order == NULL || s->words == NULL)
        return tni_ref_nomem(c);
    for (int i = 0; i < s->n; i++) {
        words[i] = attr[i];
        if (s->fold)
            TN_TRY(change_case(&words[i], attr[i], false, c->scratch, c->err));
    }
    const order_ctx o = {words};
    tni_order_first(order, s->n, s->n, before, &o);
    for (int i = 0; i < s->n; i++) s->words[i] = words[order[i]];
    return TN_OK;
}

static tn_status is_stop(bool *stop, const stops *s, tn_string word,
                         tni_ref *c)
{
    *stop = false;
    if (s->n == 0) return TN_OK;
    if (s->fold) TN_TRY(change_case(&word, word, false, c->scratch, c->err));
    int lo = 0, hi = s->n;
    while (lo < hi) {
        const int mid = lo + (hi - lo) / 2;
        const int r = tni_string_compare(&s->words[mid], &word);
        if (r == 0) {
            *stop = true;
            return TN_OK;
        }
        if (r < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    tni_infer_unranked(c, 0, TN_STRING);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    const int64_t dims[2] = {x->rank == 2 ? 1 : TNI_DIM_UNKNOWN,
                             TNI_DIM_UNKNOWN};
    int n = 0;
    const bool keeps = tni_attr_strings(c->node, "stopwords", &n) == NULL;
    if (x->rank != 1 && x->rank != 2)
        return tni_fail(c->err, TN_EINVAL, "rank %d, expected 1 or 2",
                        x->rank);
    if (keeps && x->dims[x->rank - 1] > 0)
        return tni_infer_dims(c, 0, TN_STRING, x->rank, x->dims);
    return tni_infer_dims(c, 0, TN_STRING, x->rank, dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    if (x->rank < 1 || x->rank > 2 || (x->rank == 2 && x->dims[0] != 1))
        return tni_fail(c->err, TN_EINVAL,
                        "rank %d with %lld rows, expected [c] or [1, c]",
                        x->rank, (long long)(x->rank > 0 ? x->dims[0] : 0));
    const bool lower =
        tni_attr_is(c->node, "case_change_action", "LOWER", "NONE");
    const bool upper =
        tni_attr_is(c->node, "case_change_action", "UPPER", "NONE");
    stops s;
    TN_TRY(load_stops(&s, c));
    const size_t room = x->len > 0 ? (size_t)x->len : 1;
    tn_string *kept = tni_ref_scratch(c, room * sizeof *kept);
    if (kept == NULL) return tni_ref_nomem(c);
    int64_t n = 0;
    for (int64_t i = 0; i < x->len; i++) {
        bool stop = false;
        const tn_string word = TNI_CDATA(tn_string, x)[i];
        TN_TRY(is_stop(&stop, &s, word, c));
        if (stop) continue;
        kept[n] = word;
        if (lower || upper)
            TN_TRY(change_case(&kept[n], word, upper, c->out_arena, c->err));
        n++;
    }
    if (n == 0) kept[n++] = (tn_string){"", 0};
    const int64_t dims[2] = {x->rank == 2 ? 1 : n, n};
    TN_TRY(tni_ref_output(c, 0, TN_STRING, x->rank, dims));
    if (tni_ref_wants(c, 0))
        memcpy(c->out[0]->data, kept, (size_t)n * sizeof *kept);
    return TN_OK;
}

static const tni_arg ins[] = {{"X", TNI_STRINGS, 0, 0}};
static const tni_arg outs[] = {{"Y", TNI_STRINGS, 0, 0}};
static const tni_attr_spec attrs[] = {
    {"case_change_action", TNI_ATTR_STRING, "NONE"},
    {"is_case_sensitive", TNI_ATTR_INT, "0"},
    {"locale", TNI_ATTR_STRING, NULL},
    {"stopwords", TNI_ATTR_STRINGS, NULL}};

static const tni_op_version versions[] = {
    {.since = 10, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .traits = TNI_DATA_SHAPED, .infer = infer, .ref = ref},
};

const tni_op tni_op_string_normalizer = {
    .domain = "",
    .name = "StringNormalizer",
    .summary = "Drops stop words and changes case",
    TNI_VERSIONS(versions),
};

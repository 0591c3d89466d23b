/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_string_split.c - ONNX StringSplit, opset 20
 *
 * Shapes:  X[…]  ->  Y[…, most parts] filled up with "", Z[…] parts of each
 * Types:   string -> string, int64
 * Attrs:   delimiter (without or "": runs of white space), maxsplit
 */
#include "ops/infer.h"
#include "ops/move.h"

#include <string.h>

static tn_status infer(tni_infer *c)
{
    tni_infer_unranked(c, 0, TN_STRING);
    tni_infer_unranked(c, 1, TN_I64);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    int64_t dims[TN_MAX_RANK + 1];
    for (int d = 0; d < x->rank; d++) dims[d] = x->dims[d];
    dims[x->rank] = TNI_DIM_UNKNOWN;
    TN_TRY(tni_infer_dims(c, 0, TN_STRING, x->rank + 1, dims));
    return tni_infer_dims(c, 1, TN_I64, x->rank, dims);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The place of the first `what` at or after `from`; s.len when there is
 * none. */
static size_t find(tn_string s, size_t from, tn_string what)
{
    for (size_t i = from; i + what.len <= s.len; i++)
        if (memcmp(s.ptr + i, what.ptr, what.len) == 0) return i;
    return s.len;
}

/* Splits into out (NULL: only counts); at most `max` times when >= 0. */
static int64_t split(tn_string *out, tn_string s, tn_string delimiter,
                     int64_t max)
{
    int64_t n = 0;
    size_t at = 0;
    if (delimiter.len > 0) {
        if (s.len == 0) return 0;
        for (;;) {
            const bool rest = max >= 0 && n >= max;
            const size_t end = rest ? s.len : find(s, at, delimiter);
            if (out != NULL) out[n] = (tn_string){s.ptr + at, end - at};
            n++;
            if (end == s.len) return n;
            at = end + delimiter.len;
        }
    }
    size_t stop = s.len;
    while (stop > 0 && is_space(s.ptr[stop - 1])) stop--;
    for (;;) {
        while (at < stop && is_space(s.ptr[at])) at++;
        if (at >= stop) return n;
        size_t end = at;
        if (max >= 0 && n >= max)
            end = stop;
        else
            while (end < stop && !is_space(s.ptr[end])) end++;
        if (out != NULL) out[n] = (tn_string){s.ptr + at, end - at};
        n++;
        at = end;
    }
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    const tn_string delimiter = tni_attr_string(c->node, "delimiter");
    const int64_t max = tni_attr_int(c->node, "maxsplit", -1);
    int64_t dims[TN_MAX_RANK + 1], most = 0;
    if (x->rank >= TN_MAX_RANK)
        return tni_fail(c->err, TN_ELIMIT, "rank %d exceeds %d", x->rank + 1,
                        (int)TN_MAX_RANK);
    TN_TRY(tni_ref_output(c, 1, TN_I64, x->rank, x->dims));
    const tn_string *s = TNI_CDATA(tn_string, x);
    for (int64_t i = 0; i < x->len; i++) {
        const int64_t n = split(NULL, s[i], delimiter, max);
        if (n > most) most = n;
        if (tni_ref_wants(c, 1)) TNI_DATA(int64_t, c->out[1])[i] = n;
    }
    for (int d = 0; d < x->rank; d++) dims[d] = x->dims[d];
    dims[x->rank] = most;
    TN_TRY(tni_ref_output(c, 0, TN_STRING, x->rank + 1, dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    tn_string *y = TNI_DATA(tn_string, c->out[0]);
    for (int64_t i = 0; i < x->len; i++) {
        int64_t n = split(y + i * most, s[i], delimiter, max);
        for (; n < most; n++) y[i * most + n] = (tn_string){"", 0};
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"X", TNI_STRINGS, 0, 0}};
static const tni_arg outs[] = {{"Y", TNI_STRINGS, 0, 0},
                               {"Z", TNI_T(TN_I64), 0, 0}};
static const tni_attr_spec attrs[] = {{"delimiter", TNI_ATTR_STRING, NULL},
                                      {"maxsplit", TNI_ATTR_INT, NULL}};

static const tni_op_version versions[] = {
    {.since = 20, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .traits = TNI_DATA_SHAPED, .infer = infer, .ref = ref},
};

const tni_op tni_op_string_split = {
    .domain = "",
    .name = "StringSplit",
    .summary = "Cuts strings into parts",
    TNI_VERSIONS(versions),
};

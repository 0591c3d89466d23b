/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_tokenizer.c - com.microsoft Tokenizer, version 1
 *
 * Shapes:  X[c] or X[n, c]  ->  Y[…, most tokens], filled up with pad_value
 * Types:   string
 * Attrs:   tokenexp: what a token looks like; or separators: regular
 *          expressions between tokens, one "" for single characters;
 *          mincharnum: shorter tokens are dropped; mark: \x02 before and \x03
 *          after each row's tokens
 * Errors:  EINVAL neither or both of tokenexp and separators
 */
#include "ops/infer.h"
#include "ops/regex.h"

#include <string.h>

typedef struct token {
    tn_string text;
    struct token *next;
} token;

typedef struct tokens {
    token *first, **end;
    int64_t n;
} tokens;

typedef struct setup {
    tni_regex_matcher *exp;
    tni_regex_matcher **separators;
    int n_separators;
    bool characters;
    int64_t min;
} setup;

static tn_status matcher(tni_regex_matcher **out, tn_string pattern,
                         tni_ref *c)
{
    tni_regex *re = NULL;
    TN_TRY(tni_regex_new(&re, pattern, c->scratch, c->err));
    *out = tni_regex_matcher_new(re, c->scratch);
    return *out != NULL ? TN_OK : tni_ref_nomem(c);
}

static tn_status setup_of(setup *s, tni_ref *c)
{
    memset(s, 0, sizeof *s);
    s->min = tni_attr_int(c->node, "mincharnum", 1);
    const tn_string exp = tni_attr_string(c->node, "tokenexp");
    const tn_string *list =
        tni_attr_strings(c->node, "separators", &s->n_separators);
    if ((exp.len > 0) == (s->n_separators > 0))
        return tni_fail(c->err, TN_EINVAL,
                        "%s of tokenexp and separators, expected one",
                        exp.len > 0 ? "both" : "neither");
    if (exp.len > 0) return matcher(&s->exp, exp, c);
    s->characters = s->n_separators == 1 && list[0].len == 0;
    if (s->characters) return TN_OK;
    s->separators =
        TNI_NEW_ARRAY(c->scratch, tni_regex_matcher *, s->n_separators);
    if (s->separators == NULL) return tni_ref_nomem(c);
    for (int i = 0; i < s->n_separators; i++)
        TN_TRY(matcher(&s->separators[i], list[i], c));
    return TN_OK;
}

static int64_t characters(tn_string s)
{
    int64_t n = 0;
    for (size_t at = 0, len = 1; at < s.len; at += len, n++)
        (void)tni_utf8_decode(s.ptr + at, s.ptr + s.len, &len);
    return n;
}

static tn_status push(tokens *t, const char *ptr, size_t len, int64_t min,
                      tni_ref *c)
{
    const tn_string text = {ptr, len};
    if (min > 0 && characters(text) < min) return TN_OK;
    token *k = TNI_NEW(c->scratch, token);
    if (k == NULL) return tni_ref_nomem(c);
    k->text = text;
    *t->end = k;
    t->end = &k->next;
    t->n++;
    return TN_OK;
}

static tn_status by_expression(tokens *t, const setup *s, tn_string text,
                               tni_ref *c)
{
    size_t at = 0, begin = 0, end = 0;
    while (at < text.len && tni_regex_find(s->exp, text, at, &begin, &end)) {
        if (end > begin) {
            TN_TRY(push(t, text.ptr + begin, end - begin, s->min, c));
            at = end;
        } else {
            size_t len = 1;
            if (begin < text.len)
                (void)tni_utf8_decode(text.ptr + begin, text.ptr + text.len,
                                      &len);
            at = begin + len;
        }
    }
    return TN_OK;
}

/* The earliest separator from `at`, the longest of those. */
static bool next_separator(const setup *s, tn_string text, size_t at,
                           size_t *begin, size_t *end)
{
    bool found = false;
    for (int i = 0; i < s->n_separators; i++) {
        size_t b = 0, e = 0;
        if (!tni_regex_find(s->separators[i], text, at, &b, &e) || e == b)
            continue;
        if (!found || b < *begin || (b == *begin && e > *end)) {
            *begin = b;
            *end = e;
            found = true;
        }
    }
    return found;
}

static tn_status by_separators(tokens *t, const setup *s, tn_string text,
                               tni_ref *c)
{
    const int64_t min = s->min > 1 ? s->min : 1;
    size_t at = 0, begin = 0, end = 0;
    while (next_separator(s, text, at, &begin, &end)) {
        if (begin > at)
            TN_TRY(push(t, text.ptr + at, begin - at, min, c));
        at = end;
    }
    if (text.len > at) return push(t, text.ptr + at, text.len - at, min, c);
    return TN_OK;
}

static tn_status tokenize(tokens *t, const setup *s, tn_string text,
                          tni_ref *c)
{
    t->first = NULL;
    t->end = &t->first;
    t->n = 0;
    if (s->exp != NULL) return by_expression(t, s, text, c);
    if (!s->characters) return by_separators(t, s, text, c);
    for (size_t at = 0, len = 1; at < text.len; at += len) {
        (void)tni_utf8_decode(text.ptr + at, text.ptr + text.len, &len);
        TN_TRY(push(t, text.ptr + at, len, 0, c));
    }
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    tni_infer_unranked(c, 0, TN_STRING);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    int64_t dims[3];
    if (x->rank < 1 || x->rank > 2)
        return tni_fail(c->err, TN_EINVAL, "rank %d, expected 1 or 2",
                        x->rank);
    for (int d = 0; d < x->rank; d++) dims[d] = x->dims[d];
    dims[x->rank] = TNI_DIM_UNKNOWN;
    return tni_infer_dims(c, 0, TN_STRING, x->rank + 1, dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    if (x->rank < 1 || x->rank > 2)
        return tni_fail(c->err, TN_EINVAL, "rank %d, expected 1 or 2",
                        x->rank);
    setup s;
    TN_TRY(setup_of(&s, c));
    const bool mark = tni_attr_int(c->node, "mark", 0) != 0;
    const tn_string pad = tni_attr_string(c->node, "pad_value");
    tokens *all = TNI_NEW_ARRAY(c->scratch, tokens, x->len + 1);
    if (all == NULL) return tni_ref_nomem(c);
    int64_t most = 0, dims[3];
    for (int64_t i = 0; i < x->len; i++) {
        TN_TRY(tokenize(&all[i], &s, TNI_CDATA(tn_string, x)[i], c));
        if (all[i].n > most) most = all[i].n;
    }
    if (mark) most += 2;
    for (int d = 0; d < x->rank; d++) dims[d] = x->dims[d];
    dims[x->rank] = most;
    TN_TRY(tni_ref_output(c, 0, TN_STRING, x->rank + 1, dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    tn_string *y = TNI_DATA(tn_string, c->out[0]);
    for (int64_t i = 0; i < x->len; i++, y += most) {
        int64_t n = 0;
        if (mark) y[n++] = (tn_string){"\x02", 1};
        for (const token *t = all[i].first; t != NULL; t = t->next)
            y[n++] = t->text;
        if (mark) y[n++] = (tn_string){"\x03", 1};
        for (; n < most; n++) y[n] = pad;
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"X", TNI_STRINGS, 0, 0}};
static const tni_arg outs[] = {{"Y", TNI_STRINGS, 0, 0}};
static const tni_attr_spec attrs[] = {
    {"mark", TNI_ATTR_INT, "required"},
    {"mincharnum", TNI_ATTR_INT, "required"},
    {"pad_value", TNI_ATTR_STRING, "required"},
    {"separators", TNI_ATTR_STRINGS, NULL},
    {"tokenexp", TNI_ATTR_STRING, NULL}};

static const tni_op_version versions[] = {
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .traits = TNI_DATA_SHAPED, .infer = infer, .ref = ref},
};

const tni_op tni_op_ms_tokenizer = {
    .domain = "com.microsoft",
    .name = "Tokenizer",
    .summary = "Cuts strings into tokens",
    TNI_VERSIONS(versions),
};

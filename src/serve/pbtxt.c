/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pbtxt.c - protobuf's text format, and JSON, as one tree of fields
 *
 * After protobuf.dev/reference/protobuf/textformat-spec: messages in braces or
 * angles, lists in brackets or by repeating, strings in either quotes with C's
 * escapes and joined when side by side, comments from # to the line's end,
 * fields that may be separated by , or ;. Extensions and Any are refused.
 */
#include "serve/pbtxt.h"

#include <stdio.h>

typedef struct reader {
    const char *p, *end;
    tni_arena *arena;
    const char *seen, *line_start; /* up to where lines are counted */
    int line, n_fields, depth;
    tn_err *err;
} reader;

/* Places are asked for in order, so each byte is looked at once. */
static void place(reader *r, const char *at, int *line, int *column)
{
    for (; r->seen < at; r->seen++) {
        if (*r->seen != '\n') continue;
        r->line++;
        r->line_start = r->seen + 1;
    }
    *line = r->line;
    *column = (int)(at - r->line_start) + 1;
}

static tn_status fail(reader *r, const char *says)
{
    int line = 0, column = 0;
    place(r, r->p, &line, &column);
    (void)tni_fail(r->err, TN_EFORMAT, "column %d: %s", column, says);
    if (r->err != NULL) r->err->line = line;
    return TN_EFORMAT;
}

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

static void skip_space(reader *r)
{
    for (; r->p < r->end; r->p++) {
        if (*r->p == '#')
            while (r->p < r->end && *r->p != '\n') r->p++;
        if (r->p == r->end) return;
        const char c = *r->p;
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') return;
    }
}

/* The next byte that means something; 0 at the end. */
static char peek(reader *r)
{
    skip_space(r);
    return r->p < r->end ? *r->p : '\0';
}

static bool take(reader *r, char c)
{
    if (peek(r) != c || c == '\0') return false;
    r->p++;
    return true;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' ||
           c == '+';
}

static tn_status read_word(reader *r, const char **out)
{
    enum { LONGEST = 256 };
    (void)peek(r);
    const char *begin = r->p;
    while (r->p < r->end && is_word(*r->p)) r->p++;
    const size_t n = (size_t)(r->p - begin);
    if (n == 0 || n > LONGEST) {
        r->p = begin;
        return fail(r, "expected a name or a value");
    }
    *out = tni_arena_strndup(r->arena, begin, n);
    return *out != NULL ? TN_OK : no_memory(r->err);
}

/* --- strings ------------------------------------------------------------ */

static int digit_of(char c, int base)
{
    int v = -1;
    if (c >= '0' && c <= '9') v = c - '0';
    if (c >= 'a' && c <= 'f') v = c - 'a' + 10;
    if (c >= 'A' && c <= 'F') v = c - 'A' + 10;
    return v < base ? v : -1;
}

/* Up to `most` digits at r->p. */
static int read_digits(reader *r, int base, int most)
{
    int v = 0, n = 0;
    while (n < most && r->p < r->end && digit_of(*r->p, base) >= 0) {
        v = v * base + digit_of(*r->p++, base);
        n++;
    }
    return n > 0 ? v : -1;
}

/* Behind a backslash. */
static int read_escape(reader *r)
{
    static const char from[] = "abfnrtv\\'\"?", to[] = "\a\b\f\n\r\t\v\\'\"?";
    if (r->p == r->end) return -1;
    const char *at = *r->p != '\0' ? strchr(from, *r->p) : NULL;
    if (at != NULL) {
        r->p++;
        return (unsigned char)to[at - from];
    }
    if (*r->p == 'x' || *r->p == 'X') {
        r->p++;
        return read_digits(r, 16, 2);
    }
    return read_digits(r, 8, 3);
}

static tn_status read_part(reader *r, char *to, size_t *n)
{
    const char quote = *r->p++;
    while (r->p < r->end && *r->p != quote) {
        int c = (unsigned char)*r->p;
        if (c == '\n') return fail(r, "the string does not end on its line");
        r->p++;
        if (c == '\\') c = read_escape(r);
        if (c < 0 || c > 255) return fail(r, "no such escape in a string");
        if (c == 0) return fail(r, "a zero byte in a string");
        to[(*n)++] = (char)c;
    }
    if (r->p == r->end) return fail(r, "the string does not end");
    r->p++;
    return TN_OK;
}

/* At most how many bytes the strings from here on hold, as one. */
static size_t text_bound(reader *r)
{
    const char *const begin = r->p;
    size_t n = 0;
    for (char q = peek(r); q == '"' || q == '\''; q = peek(r)) {
        r->p++;
        while (r->p < r->end && *r->p != q && *r->p != '\n') {
            if (*r->p == '\\' && r->p + 1 < r->end) r->p++;
            r->p++;
            n++;
        }
        if (r->p == r->end || *r->p == '\n') break;
        r->p++;
    }
    r->p = begin;
    return n;
}

static tn_status read_text(reader *r, const char **out)
{
    size_t n = 0;
    char *text = tni_arena_alloc(r->arena, text_bound(r) + 1, 1);
    if (text == NULL) return no_memory(r->err);
    for (char q = peek(r); q == '"' || q == '\''; q = peek(r))
        TN_TRY(read_part(r, text, &n));
    text[n] = '\0';
    *out = text;
    return TN_OK;
}

/* --- fields ------------------------------------------------------------- */

static tn_status add(reader *r, tni_field ***tail, const char *name,
                     tni_field **out)
{
    if (++r->n_fields > TNI_PBTXT_MAX_FIELDS)
        return tni_fail(r->err, TN_ELIMIT, "more than %d fields",
                        (int)TNI_PBTXT_MAX_FIELDS);
    tni_field *f = TNI_NEW(r->arena, tni_field);
    if (f == NULL) return no_memory(r->err);
    f->name = name;
    f->text = "";
    **tail = f;
    *tail = &f->next;
    *out = f;
    return TN_OK;
}

static tn_status read_fields(reader *r, tni_field **first, char end);

static tn_status read_message(reader *r, tni_field *f)
{
    const char end = *r->p == '{' ? '}' : '>';
    if (r->depth == TNI_PBTXT_MAX_DEPTH)
        return tni_fail(r->err, TN_ELIMIT, "messages nest deeper than %d",
                        (int)TNI_PBTXT_MAX_DEPTH);
    r->p++;
    f->kind = TNI_FIELD_MESSAGE;
    r->depth++;
    TN_TRY(read_fields(r, &f->first, end));
    r->depth--;
    return TN_OK;
}

static tn_status read_value(reader *r, tni_field ***tail, const char *name,
                            const char *at)
{
    tni_field *f = NULL;
    const char c = peek(r);
    TN_TRY(add(r, tail, name, &f));
    place(r, at, &f->line, &f->column);
    if (c == '{' || c == '<') return read_message(r, f);
    if (c == '"' || c == '\'') {
        f->kind = TNI_FIELD_TEXT;
        return read_text(r, &f->text);
    }
    return read_word(r, &f->text);
}

static tn_status read_list(reader *r, tni_field ***tail, const char *name,
                           const char *at)
{
    r->p++;
    if (take(r, ']')) return TN_OK;
    do {
        TN_TRY(read_value(r, tail, name, at));
    } while (take(r, ','));
    return take(r, ']') ? TN_OK : fail(r, "expected , or ] in a list");
}

static tn_status read_fields(reader *r, tni_field **first, char end)
{
    tni_field **tail = first;
    for (;;) {
        const char *name = NULL;
        const char c = peek(r);
        const char *at = r->p;
        if (c == '\0')
            return end == '\0' && r->p == r->end
                       ? TN_OK
                       : fail(r, "a message is not closed");
        if (c == end) {
            r->p++;
            return TN_OK;
        }
        if (c == '[') return fail(r, "extensions are not supported");
        TN_TRY(read_word(r, &name));
        const bool colon = take(r, ':');
        const char value = peek(r);
        if (!colon && value != '{' && value != '<' && value != '[')
            return fail(r, "expected : or { behind a field's name");
        if (value == '[')
            TN_TRY(read_list(r, &tail, name, at));
        else
            TN_TRY(read_value(r, &tail, name, at));
        if (!take(r, ',')) (void)take(r, ';');
    }
}

tn_status tni_pbtxt_read(tni_field **out, tni_span text, tni_arena *arena,
                         tn_err *err)
{
    *out = NULL;
    if (text.len > TNI_PBTXT_MAX_BYTES)
        return tni_fail(err, TN_ELIMIT, "more than %d bytes",
                        (int)TNI_PBTXT_MAX_BYTES);
    reader r = {text.p, text.p + text.len, arena, text.p, text.p, 1, 0, 0, err};
    if (text.len >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0) r.p += 3;
    return read_fields(&r, out, '\0');
}

/* --- JSON --------------------------------------------------------------- */

static tn_status json_value(reader *r, tni_json *j, tni_field ***tail,
                            const char *name);

static tn_status json_object(reader *r, tni_json *j, tni_field **first)
{
    tni_span key;
    tni_field **tail = first;
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key)) {
        const char *name = tni_json_unescape(r->arena, key, NULL);
        if (name == NULL) return no_memory(r->err);
        TN_TRY(json_value(r, j, &tail, name));
    }
    return j->status;
}

static tn_status json_value(reader *r, tni_json *j, tni_field ***tail,
                            const char *name)
{
    tni_field *f = NULL;
    tni_span raw = {"", 0};
    const char c = tni_json_peek(j);
    if (tni_json_null(j)) return TN_OK;
    if (c == '[') {
        if (!tni_json_enter(j, '[')) return j->status;
        while (tni_json_item(j)) TN_TRY(json_value(r, j, tail, name));
        return j->status;
    }
    TN_TRY(add(r, tail, name, &f));
    if (c == '{') {
        f->kind = TNI_FIELD_MESSAGE;
        return json_object(r, j, &f->first);
    }
    if (c == '"') {
        size_t n = 0;
        f->kind = TNI_FIELD_TEXT;
        if (!tni_json_string(j, &raw, NULL)) return j->status;
        f->text = tni_json_unescape(r->arena, raw, &n);
        if (f->text != NULL && strlen(f->text) != n)
            return tni_fail(r->err, TN_EFORMAT, "a zero byte in a string");
    } else {
        if (!tni_json_skip(j, &raw)) return j->status;
        f->text = tni_arena_strndup(r->arena, raw.p, raw.len);
    }
    return f->text != NULL ? TN_OK : no_memory(r->err);
}

tn_status tni_pbtxt_read_json(tni_field **out, tni_span text, tni_arena *arena,
                              tn_err *err)
{
    tni_json j;
    *out = NULL;
    if (text.len > TNI_PBTXT_MAX_BYTES)
        return tni_fail(err, TN_ELIMIT, "more than %d bytes",
                        (int)TNI_PBTXT_MAX_BYTES);
    reader r = {text.p, text.p + text.len, arena, text.p, text.p, 1, 0, 0, err};
    tni_json_init(&j, text.p, text.len, TNI_PBTXT_MAX_DEPTH, err);
    TN_TRY(json_object(&r, &j, out));
    (void)tni_json_end(&j);
    return j.status;
}

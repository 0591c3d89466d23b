/* SPDX-License-Identifier: Apache-2.0 */
/* csv.c - reading tables of text record by record (RFC 4180), writing them */
#include "data/csv.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

enum { MAX_FIELDS = 16384, MAX_RECORD = 16 << 20 };

void tni_csv_init(tni_csv *c, tni_span text, char delimiter, tni_arena *arena,
                  tn_err *err)
{
    memset(c, 0, sizeof *c);
    c->start = c->p = text.p;
    c->end = text.p + text.len;
    c->delimiter = delimiter;
    c->arena = arena;
    c->err = err;
    c->max_fields = MAX_FIELDS;
    c->max_record_bytes = MAX_RECORD;
    c->next_line = 1;
    if (text.len >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0) c->p += 3;
}

static bool fail(tni_csv *c, tn_status status, const char *at, int64_t line,
                 const char *what)
{
    if (c->status != TN_OK) return false;
    c->status = status;
    (void)!tni_fail_at(c->err, status, (uint64_t)(at - c->start),
                       "line %lld: %s", (long long)line, what);
    if (c->err != NULL)
        c->err->line = line < INT32_MAX ? (int32_t)line : INT32_MAX;
    return false;
}

tn_status tni_csv_fail(tni_csv *c, const tni_csv_field *at, const char *fmt,
                       ...)
{
    char text[360];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const int64_t line = at != NULL ? at->line : c->line;
    const uint64_t offset = at != NULL ? at->offset : c->offset;
    (void)fail(c, TN_EFORMAT, c->start + offset, line, text);
    return c->status;
}

/* --- fields -------------------------------------------------------------- */

static bool is_end(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_space(const tni_csv *c, char x)
{
    return c->trim && (x == ' ' || x == '\t') && x != c->delimiter;
}

/* Behind one line end. */
static const char *behind(const tni_csv *c, const char *p)
{
    return *p == '\r' && p + 1 < c->end && p[1] == '\n' ? p + 2 : p + 1;
}

static tni_csv_field *add_field(tni_csv *c)
{
    if (c->n >= c->max_fields) {
        (void)fail(c, TN_ELIMIT, c->p, c->next_line,
                   "more fields than a record may have");
        return NULL;
    }
    if (c->n == c->cap) {
        const size_t cap = c->cap == 0 ? 32 : c->cap * 2;
        tni_csv_field *more = TNI_NEW_ARRAY(c->arena, tni_csv_field, cap);
        if (more == NULL) {
            (void)fail(c, TN_ENOMEM, c->p, c->next_line, "out of memory");
            return NULL;
        }
        if (c->n > 0) memcpy(more, c->fields, c->n * sizeof *more);
        c->fields = more;
        c->cap = cap;
    }
    tni_csv_field *f = &c->fields[c->n++];
    f->offset = (uint64_t)(c->p - c->start);
    f->line = c->next_line;
    f->quoted = false;
    return f;
}

/* The text between quotes with each doubled one once. What fields before it
 * point to stays: the arena keeps a buffer that has become too small. */
static bool undo(tni_csv *c, tni_csv_field *f, const char *from, size_t len)
{
    if (len > c->undone_cap - c->undone_used) {
        size_t cap = c->undone_cap < 2048 ? 4096 : c->undone_cap * 2;
        if (cap < len) cap = len;
        c->undone_cap = c->undone_used = 0;
        c->undone = tni_arena_alloc(c->arena, cap, 1);
        if (c->undone == NULL)
            return fail(c, TN_ENOMEM, from, f->line, "out of memory");
        c->undone_cap = cap;
    }
    char *to = c->undone + c->undone_used;
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        to[n++] = from[i];
        if (from[i] == '"') i++;
    }
    f->text.p = to;
    f->text.len = n;
    c->undone_used += n;
    return true;
}

static bool fits(tni_csv *c)
{
    if ((uint64_t)(c->p - c->start) - c->offset <= c->max_record_bytes)
        return true;
    return fail(c, TN_ELIMIT, c->start + c->offset, c->line,
                "a record is longer than the limit; is a quote missing?");
}

static bool read_quoted(tni_csv *c, tni_csv_field *f)
{
    const char *from = ++c->p;
    const int64_t line = c->next_line;
    bool doubled = false;
    f->quoted = true;
    for (;; c->p++) {
        if (c->p == c->end)
            return fail(c, TN_EFORMAT, from - 1, line,
                        "a quote is opened here and never closed");
        if (*c->p == '\0')
            return fail(c, TN_EFORMAT, c->p, c->next_line,
                        "a NUL byte; expected text (UTF-8, not UTF-16)");
        if (*c->p == '\n' || (*c->p == '\r' && behind(c, c->p) == c->p + 1))
            c->next_line++;
        if (*c->p != '"') continue;
        if (c->p + 1 == c->end || c->p[1] != '"') break;
        doubled = true;
        c->p++;
    }
    const size_t len = (size_t)(c->p - from);
    f->text.p = from;
    f->text.len = len;
    c->p++;
    while (c->p < c->end && is_space(c, *c->p)) c->p++;
    if (c->p < c->end && *c->p != c->delimiter && !is_end(*c->p))
        return fail(c, TN_EFORMAT, c->p, c->next_line,
                    "text behind a closing quote; a quote inside quotes is "
                    "written twice");
    return fits(c) && (!doubled || undo(c, f, from, len));
}

static bool read_field(tni_csv *c)
{
    tni_csv_field *f = add_field(c);
    if (f == NULL) return false;
    while (c->p < c->end && is_space(c, *c->p)) c->p++;
    if (c->p < c->end && *c->p == '"') {
        f->offset = (uint64_t)(c->p - c->start);
        return read_quoted(c, f);
    }
    const char *from = c->p;
    while (c->p < c->end && *c->p != c->delimiter && !is_end(*c->p)) {
        if (*c->p == '\0')
            return fail(c, TN_EFORMAT, c->p, c->next_line,
                        "a NUL byte; expected text (UTF-8, not UTF-16)");
        c->p++;
    }
    const char *to = c->p;
    while (to > from && is_space(c, to[-1])) to--;
    f->offset = (uint64_t)(from - c->start);
    f->text.p = from;
    f->text.len = (size_t)(to - from);
    return fits(c);
}

bool tni_csv_next(tni_csv *c)
{
    for (;;) {
        c->n = 0;
        if (c->status != TN_OK || c->p >= c->end) return false;
        c->offset = (uint64_t)(c->p - c->start);
        c->line = c->next_line;
        c->undone_used = 0;
        for (;;) {
            if (!read_field(c)) return false;
            if (c->p == c->end || *c->p != c->delimiter) break;
            c->p++; /* one at the very end has an empty field behind it */
        }
        if (c->p < c->end) {
            c->p = behind(c, c->p);
            c->next_line++;
        }
        if (c->n > 1 || c->fields[0].quoted || c->fields[0].text.len > 0)
            return true;
    }
}

bool tni_csv_is_blank(const tni_csv *c, size_t first)
{
    for (size_t i = first; i < c->n; i++)
        if (c->fields[i].text.len > 0) return false;
    return true;
}

char tni_csv_delimiter(tni_span text)
{
    static const char marks[3] = {',', ';', '\t'};
    size_t counts[3] = {0, 0, 0};
    bool inside = false;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.p[i];
        if (c == '"') inside = !inside;
        if (inside) continue;
        if (is_end(c)) {
            if (counts[0] + counts[1] + counts[2] > 0) break;
            continue;
        }
        for (int k = 0; k < 3; k++)
            if (c == marks[k]) counts[k]++;
    }
    int best = 0;
    for (int k = 1; k < 3; k++)
        if (counts[k] > counts[best]) best = k;
    return marks[best];
}

/* --- writing ------------------------------------------------------------- */

void tni_csv_put(tni_out *o, char delimiter, const char *text, size_t len)
{
    const size_t good = tni_utf8_valid(text, len);
    if (good != len || memchr(text, '\0', len) != NULL) {
        if (o->status == TN_OK)
            o->status = tni_fail(o->err, TN_EINVAL,
                                 "the text '%.*s' is not UTF-8 at its byte "
                                 "%zu: tables cannot hold it; rename it",
                                 len > 60 ? 60 : (int)len, text, good);
        return;
    }
    const bool marked = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
    bool plain =
        len == 0 || (text[0] != ' ' && text[0] != '\t' &&
                     text[len - 1] != ' ' && text[len - 1] != '\t' && !marked);
    for (size_t i = 0; i < len && plain; i++)
        plain = text[i] != delimiter && strchr(",;\t\"\r\n", text[i]) == NULL;
    if (plain) {
        tni_out_bytes(o, text, len);
        return;
    }
    tni_out_char(o, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"') tni_out_char(o, '"');
        tni_out_char(o, text[i]);
    }
    tni_out_char(o, '"');
}

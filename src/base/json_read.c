/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_read.c - a pull reader over bytes in memory (RFC 8259)
 *
 * Two loops decide the speed: strings, passed sixteen bytes at a time where
 * there is SSE2 (every x86-64) and eight elsewhere until a quote, a backslash,
 * a control character or a byte above ASCII; and skipped values, whose nesting
 * is kept in bits instead of on the stack.
 */
#include "base/json.h"

#include "base/json_scan.h"
#include "base/num.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

enum { MAX_DEPTH = 512 };

void tni_json_init(tni_json *j, const char *text, size_t len,
                   uint32_t max_depth, tn_err *err)
{
    memset(j, 0, sizeof *j);
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) j->p = text + 3;
    j->start = text;
    if (j->p == NULL) j->p = text;
    j->end = text + len;
    j->max_depth = max_depth == 0          ? 64
                   : max_depth > MAX_DEPTH ? MAX_DEPTH
                                           : max_depth;
    j->fresh = true;
    j->err = err;
}

bool tni_json_fail(tni_json *j, const char *at, const char *fmt, ...)
{
    if (j->status != TN_OK) return false;
    j->status = TN_EFORMAT;
    if (j->err == NULL) return false;
    char text[160], path[100];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    int32_t line = 1;
    const char *begin = j->start;
    for (const char *p = j->start; p < at; p++)
        if (*p == '\n') {
            if (line < INT32_MAX) line++;
            begin = p + 1;
        }
    tni_json_path(j->start, at, path, sizeof path);
    const bool cut = at >= j->end && strncmp(text, "the text ends", 13) != 0;
    (void)!tni_fail_at(j->err, TN_EFORMAT, (uint64_t)(at - j->start),
                       "%s%s (line %d, column %llu%s%s)", text,
                       cut ? ": the text ends here" : "", (int)line,
                       (unsigned long long)(at - begin) + 1,
                       path[0] != '\0' ? ", " : "", path);
    j->err->line = line;
    return false;
}

static bool too_deep(tni_json *j)
{
    (void)tni_json_fail(j, j->p, "values are nested more than %u deep",
                        (unsigned)j->max_depth);
    j->status = TN_ELIMIT;
    if (j->err != NULL) j->err->code = TN_ELIMIT;
    return false;
}

static bool unexpected(tni_json *j, const char *at, const char *wanted)
{
    if (at >= j->end)
        return tni_json_fail(j, j->end, "the text ends where %s is expected",
                             wanted);
    const unsigned char c = (unsigned char)*at;
    if (c >= 0x20 && c < 0x7f)
        return tni_json_fail(j, at, "found '%c' where %s is expected", c,
                             wanted);
    return tni_json_fail(j, at, "found byte 0x%02x where %s is expected", c,
                         wanted);
}

static void skip_space(tni_json *j)
{
    j->p = tni_json_space(j->p, j->end);
}

/* --- scalars ------------------------------------------------------------ */

static bool hex4(const char *p, uint32_t *out)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        const char c = p[i];
        uint32_t d;
        if (c >= '0' && c <= '9')
            d = (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            d = (uint32_t)((c | 32) - 'a' + 10);
        else
            return false;
        v = v << 4 | d;
    }
    *out = v;
    return true;
}

/* p is behind a backslash; returns the end of the escape, NULL when bad. */
static const char *pass_escape(const char *p, const char *end)
{
    if (p >= end) return NULL;
    if (*p != 'u')
        return strchr("\"\\/bfnrt", *p) != NULL && *p != '\0' ? p + 1 : NULL;
    uint32_t high = 0, low = 0;
    if (end - p < 5 || !hex4(p + 1, &high)) return NULL;
    p += 5;
    if (high >= 0xdc00 && high <= 0xdfff) return NULL;
    if (high < 0xd800 || high > 0xdbff) return p;
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u' || !hex4(p + 2, &low) ||
        low < 0xdc00 || low > 0xdfff)
        return NULL;
    return p + 6;
}

/* p is behind the opening quote; returns the closing one, NULL on error. */
static const char *pass_string(tni_json *j, const char *p, bool *escaped)
{
    bool wide = false;
    const char *begin = p;
    *escaped = false;
    for (;;) {
        p = tni_json_plain(p, j->end);
        if (p >= j->end) {
            (void)tni_json_fail(j, begin - 1, "a string is not closed");
            return NULL;
        }
        const unsigned char c = (unsigned char)*p;
        if (c == '"') break;
        if (c >= 0x80) {
            wide = true;
            p++;
            continue;
        }
        if (c != '\\') {
            (void)tni_json_fail(
                j, p, "byte 0x%02x in a string; expected \\u%04x", c, c);
            return NULL;
        }
        *escaped = true;
        const char *next = pass_escape(p + 1, j->end);
        if (next == NULL) {
            (void)tni_json_fail(j, p,
                                "bad escape in a string; expected one of "
                                "\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX, "
                                "surrogates in pairs");
            return NULL;
        }
        p = next;
    }
    if (wide) {
        const size_t n = tni_utf8_valid(begin, (size_t)(p - begin));
        if (begin + n != p) {
            (void)tni_json_fail(j, begin + n, "a string is not UTF-8");
            return NULL;
        }
    }
    return p;
}

static bool pass_number(tni_json *j, bool *integer)
{
    const char *p = tni_json_number(j->p, j->end, integer);
    if (p == NULL) return unexpected(j, j->p, "a value");
    j->p = p;
    return true;
}

static bool pass_word(tni_json *j, const char *word)
{
    const size_t n = strlen(word);
    if ((size_t)(j->end - j->p) < n || memcmp(j->p, word, n) != 0)
        return unexpected(j, j->p, "a value");
    j->p += n;
    return true;
}

/* --- values ------------------------------------------------------------- */

char tni_json_peek(tni_json *j)
{
    if (j->status != TN_OK) return 0;
    skip_space(j);
    if (j->p >= j->end) return 0;
    const char c = *j->p;
    if (c == '-' || (c >= '0' && c <= '9')) return '0';
    return c == '}' || c == ']' ? '\0' : c;
}

uint64_t tni_json_offset(tni_json *j)
{
    if (j->status == TN_OK) skip_space(j);
    return (uint64_t)(j->p - j->start);
}

static const char *kind_name(char c)
{
    switch (c) {
    case '{': return "an object";
    case '[': return "an array";
    case '"': return "a string";
    case '0': return "a number";
    case 't': return "true or false";
    default: return "a value";
    }
}

/* Whether the next value begins with `kind`; the error when not. */
static bool want(tni_json *j, char kind)
{
    if (j->status != TN_OK) return false;
    const char c = tni_json_peek(j);
    if (c == kind || (kind == 't' && c == 'f')) return true;
    return unexpected(j, j->p, kind_name(kind));
}

bool tni_json_enter(tni_json *j, char bracket)
{
    if (!want(j, bracket)) return false;
    if (j->depth >= j->max_depth) return too_deep(j);
    j->depth++;
    j->p++;
    j->fresh = true;
    return true;
}

/* Behind a value: a comma, or `close`. True when another value follows. */
static bool more(tni_json *j, char close)
{
    if (j->status != TN_OK) return false;
    skip_space(j);
    if (j->p < j->end && *j->p == close) {
        j->p++;
        j->depth--;
        j->fresh = false;
        return false;
    }
    if (j->fresh) {
        j->fresh = false;
        if (j->p < j->end) return true;
        return unexpected(j, j->p, close == '}' ? "'}'" : "']'");
    }
    if (j->p >= j->end || *j->p != ',')
        return unexpected(j, j->p, close == '}' ? "',' or '}'" : "',' or ']'");
    j->p++;
    return true;
}

bool tni_json_key(tni_json *j, tni_span *key)
{
    if (!more(j, '}')) return false;
    if (!tni_json_string(j, key, NULL)) return false;
    skip_space(j);
    if (j->p >= j->end || *j->p != ':') return unexpected(j, j->p, "':'");
    j->p++;
    return true;
}

bool tni_json_item(tni_json *j)
{
    if (!more(j, ']')) return false;
    /* A comma before the bracket is no item. */
    skip_space(j);
    if (j->p < j->end && *j->p == ']') return unexpected(j, j->p, "a value");
    return true;
}

bool tni_json_string(tni_json *j, tni_span *out, bool *escaped)
{
    bool esc = false;
    if (!want(j, '"')) return false;
    const char *begin = j->p + 1;
    const char *close = pass_string(j, begin, &esc);
    if (close == NULL) return false;
    out->p = begin;
    out->len = (size_t)(close - begin);
    if (escaped != NULL) *escaped = esc;
    j->p = close + 1;
    j->fresh = false;
    return true;
}

bool tni_json_f64(tni_json *j, double *out)
{
    bool integer = false;
    if (!want(j, '0')) return false;
    const char *begin = j->p;
    if (!pass_number(j, &integer)) return false;
    double v = 0.0;
    (void)!tni_num_parse_f64(&v, NULL, begin, (size_t)(j->p - begin));
    if (!(v - v == 0.0))
        return tni_json_fail(j, begin,
                             "the number %.*s is beyond the range of double "
                             "precision",
                             j->p - begin > 40 ? 40 : (int)(j->p - begin),
                             begin);
    *out = v;
    j->fresh = false;
    return true;
}

bool tni_json_i64(tni_json *j, int64_t *out)
{
    bool integer = false;
    if (!want(j, '0')) return false;
    const char *begin = j->p;
    if (!pass_number(j, &integer)) return false;
    const size_t len = (size_t)(j->p - begin);
    if (!integer)
        return tni_json_fail(j, begin,
                             "%.*s is not an integer, which is expected here",
                             len > 40 ? 40 : (int)len, begin);
    if (!tni_num_parse_i64(out, NULL, begin, len))
        return tni_json_fail(j, begin,
                             "the integer %.*s does not fit into 64 bits",
                             len > 40 ? 40 : (int)len, begin);
    j->fresh = false;
    return true;
}

bool tni_json_bool(tni_json *j, bool *out)
{
    if (!want(j, 't')) return false;
    const bool v = *j->p == 't';
    if (!pass_word(j, v ? "true" : "false")) return false;
    *out = v;
    j->fresh = false;
    return true;
}

bool tni_json_null(tni_json *j)
{
    if (tni_json_peek(j) != 'n') return false;
    if (!pass_word(j, "null")) return false;
    j->fresh = false;
    return true;
}

static bool pass_scalar(tni_json *j)
{
    bool flag = false;
    switch (tni_json_peek(j)) {
    case '"': {
        const char *close = pass_string(j, j->p + 1, &flag);
        if (close == NULL) return false;
        j->p = close + 1;
        return true;
    }
    case '0': return pass_number(j, &flag);
    case 't': return pass_word(j, "true");
    case 'f': return pass_word(j, "false");
    case 'n': return pass_word(j, "null");
    default: return unexpected(j, j->p, "a value");
    }
}

bool tni_json_skip(tni_json *j, tni_span *raw)
{
    if (j->status != TN_OK) return false;
    skip_space(j);
    const char *begin = j->p;
    const uint32_t base = j->depth;
    uint64_t objects[MAX_DEPTH / 64] = {0}; /* a bit per level: is an object */
    for (;;) {
        const char c = tni_json_peek(j);
        if (c == '{' || c == '[') {
            if (!tni_json_enter(j, c)) return false;
            const uint64_t bit = UINT64_C(1) << (j->depth % 64);
            uint64_t *word = &objects[j->depth / 64 % (MAX_DEPTH / 64)];
            *word = c == '{' ? *word | bit : *word & ~bit;
            if (c == '[') j->p = tni_json_numbers(j->p, j->end, &j->fresh);
        } else if (!pass_scalar(j)) {
            return false;
        } else {
            j->fresh = false;
        }
        /* To where the next value starts, out of everything that ends. */
        for (;;) {
            tni_span key;
            if (j->depth == base) goto done;
            const uint64_t word = objects[j->depth / 64 % (MAX_DEPTH / 64)];
            const bool in_object = (word >> (j->depth % 64) & 1) != 0;
            if (in_object ? tni_json_key(j, &key) : tni_json_item(j)) break;
            if (j->status != TN_OK) return false;
        }
    }
done:
    j->fresh = false;
    if (raw != NULL) {
        raw->p = begin;
        raw->len = (size_t)(j->p - begin);
    }
    return true;
}

bool tni_json_end(tni_json *j)
{
    if (j->status != TN_OK) return false;
    skip_space(j);
    if (j->p < j->end) return unexpected(j, j->p, "the end of the text");
    return true;
}

/* --- strings ------------------------------------------------------------ */

/* One character of an accepted string; returns where the next one begins. */
static const char *unescape_one(const char *p, char out[4], size_t *n)
{
    *n = 1;
    out[0] = *p;
    if (*p != '\\') return p + 1;
    const char c = p[1];
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *at = strchr(from, c);
    if (c != 'u') {
        out[0] = at != NULL && c != '\0' ? to[at - from] : c;
        return p + 2;
    }
    uint32_t code = 0, low = 0;
    (void)!hex4(p + 2, &code);
    p += 6;
    if (code >= 0xd800 && code <= 0xdbff) {
        (void)!hex4(p + 2, &low);
        code = 0x10000u + ((code - 0xd800u) << 10) + (low - 0xdc00u);
        p += 6;
    }
    *n = tni_utf8_put(out, code);
    return p;
}

char *tni_json_unescape(tni_arena *arena, tni_span raw, size_t *len)
{
    char *out = tni_arena_alloc(arena, raw.len + 1, 1);
    if (out == NULL) return NULL;
    size_t used = 0;
    for (const char *p = raw.p, *end = raw.p + raw.len; p < end;) {
        char piece[4];
        size_t n = 0;
        p = unescape_one(p, piece, &n);
        /* An escape is never shorter than what it stands for. */
        memcpy(out + used, piece, n);
        used += n;
    }
    out[used] = '\0';
    if (len != NULL) *len = used;
    return out;
}

bool tni_json_text_is(tni_span raw, const char *s)
{
    size_t left = strlen(s);
    for (const char *p = raw.p, *end = raw.p + raw.len; p < end;) {
        char piece[4];
        size_t n = 0;
        p = unescape_one(p, piece, &n);
        if (n > left || memcmp(piece, s, n) != 0) return false;
        s += n;
        left -= n;
    }
    return left == 0;
}

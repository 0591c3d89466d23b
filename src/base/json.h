/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - a pull reader over bytes in memory, and a writer
 *
 * The reader walks the text once and allocates nothing. Where a value starts
 * the caller says what it wants of it: enter it, read it, or skip it and keep
 * the span of its text. The first error sticks: every call after it gives
 * false, so that loops end by themselves and one check at the end is enough.
 *
 *     if (tni_json_enter(&j, '{'))
 *         while (tni_json_key(&j, &key)) {
 *             if (tni_span_is(key, "id")) tni_json_i64(&j, &id);
 *             else tni_json_skip(&j, &raw);
 *         }
 *     tni_json_end(&j);
 *     return j.status;
 *
 * Strict RFC 8259: no comments, no trailing commas, UTF-8 checked, surrogates
 * only in pairs. A byte order mark at the start is skipped.
 */
#ifndef TN_SRC_BASE_JSON_H
#define TN_SRC_BASE_JSON_H

#include "base/alloc.h"
#include "base/err.h"

#include <stdbool.h>
#include <string.h>

/* Bytes inside a larger text; not terminated. */
typedef struct tni_span {
    const char *p;
    size_t len;
} tni_span;

static inline tni_span tni_span_of(const char *s)
{
    const tni_span t = {s, strlen(s)};
    return t;
}

static inline bool tni_span_is(tni_span t, const char *s)
{
    return strlen(s) == t.len && memcmp(t.p, s, t.len) == 0;
}

typedef struct tni_json {
    const char *start, *p, *end;
    uint32_t depth, max_depth;
    bool fresh; /* just behind an opening bracket: no comma is due */
    tn_status status;
    tn_err *err;
} tni_json;

/* `max_depth` 0 means 64. Limit: 512. */
void tni_json_init(tni_json *j, const char *text, size_t len,
                   uint32_t max_depth, tn_err *err);

/* The first byte of the next value: '{' '[' '"' 't' 'f' 'n', '0' for any
 * number; 0 at the end of the enclosing value or after an error. */
char tni_json_peek(tni_json *j);
/* Byte offset of the next value. */
uint64_t tni_json_offset(tni_json *j);

/* Goes into an object or array; an error when the value is another one. */
bool tni_json_enter(tni_json *j, char bracket);
/* The next key, escapes and all, and its value is next; false behind the last
 * one, with the object closed. */
bool tni_json_key(tni_json *j, tni_span *key);
/* Whether another item follows; false behind the last, the array closed. */
bool tni_json_item(tni_json *j);

/* Passes over a value of any kind, checking it; `raw` may be NULL. */
bool tni_json_skip(tni_json *j, tni_span *raw);
/* The characters between the quotes, escapes undone only by tni_json_unescape;
 * `escaped` (may be NULL) says whether there are any. */
bool tni_json_string(tni_json *j, tni_span *out, bool *escaped);
/* Any number, correctly rounded; beyond the range of double is an error. */
bool tni_json_f64(tni_json *j, double *out);
/* A number without fraction or exponent within int64; an error otherwise. */
bool tni_json_i64(tni_json *j, int64_t *out);
bool tni_json_bool(tni_json *j, bool *out);
/* True and passed when the value is null; false, nothing read, otherwise. */
bool tni_json_null(tni_json *j);
/* Checks that nothing follows the value but white space. */
bool tni_json_end(tni_json *j);

/* Records TN_EFORMAT at byte `at` with its line, column and path; returns
 * false. */
bool tni_json_fail(tni_json *j, const char *at, const char *fmt, ...)
    TN_PRINTF(3, 4);

/* The path to byte `at`, "annotations[3].bbox[0]"; "" at the top. Only for
 * messages: what stands before `at` is walked through. */
void tni_json_path(const char *start, const char *at, char *buf, size_t size);

/* Undoes the escapes of a string that the reader accepted; terminated, in the
 * arena. NULL when memory is out. */
char *tni_json_unescape(tni_arena *arena, tni_span raw, size_t *len);
/* Compares such a string with plain text. */
bool tni_json_text_is(tni_span raw, const char *s);

/* --- the writer --------------------------------------------------------- */

/* Takes bytes on to where they are kept; returns what went wrong. */
typedef tn_status (*tni_sink)(void *ctx, const void *bytes, size_t size,
                              tn_err *err);

/* Text that is collected in a buffer and handed on when that is full. The
 * first error sticks. Zeroed but for sink and ctx it is ready. */
typedef struct tni_out {
    tni_sink sink;
    void *ctx;
    tn_err *err;
    tn_status status;
    uint64_t written; /* before what is in the buffer */
    size_t used;
    char buffer[16384];
} tni_out;

void tni_out_init(tni_out *o, tni_sink sink, void *ctx, tn_err *err);
void tni_out_bytes(tni_out *o, const void *bytes, size_t size);
void tni_out_char(tni_out *o, char c);
void tni_out_str(tni_out *o, const char *s);
void tni_out_i64(tni_out *o, int64_t v);
/* The shortest decimal that reads back as v; NaN and infinities are an error,
 * a negative zero is written 0. */
void tni_out_f64(tni_out *o, double v);
/* A quoted JSON string; invalid UTF-8 is an error that shows it. */
void tni_out_json(tni_out *o, const char *s, size_t len);
/* v with at most `decimals` places, as tni_num_fixed has it, and nothing that
 * is not finite. */
void tni_out_fixed(tni_out *o, double v, int decimals);
/* Several, each with a space in front. */
void tni_out_fixed_list(tni_out *o, const double *v, size_t n, int decimals);
tn_status tni_out_flush(tni_out *o);

#endif

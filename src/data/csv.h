/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv.h - reading tables of text record by record (RFC 4180), and writing them
 *
 * A record is read at a time out of bytes in memory: fields between delimiters,
 * quoted ones with line ends and doubled quotes inside, ended by LF, CRLF or
 * CR. A byte order mark at the start and blank lines are passed over. The first
 * error sticks, with line and byte.
 *
 *     tni_csv_init(&c, text, ',', arena, err);
 *     while (tni_csv_next(&c)) use(c.fields, c.n);
 *     return c.status;
 */
#ifndef TN_SRC_DATA_CSV_H
#define TN_SRC_DATA_CSV_H

#include "base/alloc.h"
#include "base/err.h"
#include "base/json.h"

typedef struct tni_csv_field {
    tni_span text;   /* without its quotes, doubled ones undone */
    uint64_t offset; /* byte where it starts, at its quote if it has one */
    int64_t line;    /* from 1 */
    bool quoted;
} tni_csv_field;

typedef struct tni_csv {
    /* May be set after tni_csv_init. */
    bool trim; /* spaces and tabs around fields, outside of quotes, are none */
    size_t max_fields, max_record_bytes;
    /* The record given last, valid until the next call. */
    tni_csv_field *fields;
    size_t n;
    uint64_t offset;
    int64_t line;
    tn_status status;
    /* Its own. */
    const char *start, *p, *end;
    char delimiter;
    int64_t next_line;
    size_t cap;
    tni_arena *arena; /* fields, and quoted text whose quotes were undone */
    char *undone;
    size_t undone_used, undone_cap;
    tn_err *err;
} tni_csv;

/* Limits: 16,384 fields and 16 MiB a record unless set. */
void tni_csv_init(tni_csv *c, tni_span text, char delimiter, tni_arena *arena,
                  tn_err *err);
/* The next record; false behind the last one and after an error. */
bool tni_csv_next(tni_csv *c);
/* Whether all fields from `first` on are empty. */
bool tni_csv_is_blank(const tni_csv *c, size_t first);
/* Records an error at a field of this record, with its line; returns its code
 * (TN_EFORMAT). */
tn_status tni_csv_fail(tni_csv *c, const tni_csv_field *at, const char *fmt,
                       ...) TN_PRINTF(3, 4);

/* Which of , ; and tab the first record has most of outside of quotes; a comma
 * where it has none. */
char tni_csv_delimiter(tni_span text);

/* --- writing ---------------------------------------------------------------- */

/* A field, in quotes only where reading it would need them (also with spaces
 * around it, since readers that trim are common, and with any delimiter, since
 * readers guess it). A record of one empty field must
 * be written as "" by the caller: a blank line is no record. What is not UTF-8
 * is an error that shows it. */
void tni_csv_put(tni_out *o, char delimiter, const char *text, size_t len);

#endif

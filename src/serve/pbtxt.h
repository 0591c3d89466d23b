/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pbtxt.h - protobuf's text format, and JSON, as one tree of fields
 *
 *     name: "m"  input [ { dims: [ 1, 2 ] } ]  # comment
 *
 * Lists are fields that repeat, whichever way they were written. Nothing is
 * known here about which fields there are. No input or output.
 */
#ifndef TN_SRC_SERVE_PBTXT_H
#define TN_SRC_SERVE_PBTXT_H

#include "base/json.h"

enum {
    TNI_PBTXT_MAX_BYTES = 1 << 20,
    TNI_PBTXT_MAX_DEPTH = 32,
    TNI_PBTXT_MAX_FIELDS = 100000
};

typedef enum tni_field_kind {
    TNI_FIELD_WORD, /* a number, true, an enum's name */
    TNI_FIELD_TEXT,
    TNI_FIELD_MESSAGE
} tni_field_kind;

typedef struct tni_field {
    struct tni_field *next, *first; /* first: of a message's */
    const char *name;
    tni_field_kind kind;
    const char *text; /* terminated, and no zero byte inside */
    int line, column; /* 0 in JSON */
} tni_field;

/* The fields of the whole text, in the arena. TN_EFORMAT with line and column,
 * TN_ELIMIT, TN_ENOMEM. */
tn_status tni_pbtxt_read(tni_field **out, tni_span text, tni_arena *arena,
                         tn_err *err);
/* The same of a JSON object; null is as if it was not there. */
tn_status tni_pbtxt_read_json(tni_field **out, tni_span text, tni_arena *arena,
                              tn_err *err);

#endif

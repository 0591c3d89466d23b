/* SPDX-License-Identifier: Apache-2.0 */
/* csv_extras.h - columns nobody defines, kept as members of JSON and back */
#ifndef TN_SRC_DATA_FORMATS_CSV_EXTRAS_H
#define TN_SRC_DATA_FORMATS_CSV_EXTRAS_H

#include "data/csv.h"
#include "data/formats/jsonfile.h"

/* "name": field, kept in the dataset; a number where the field is one as JSON
 * has it, else a string. */
tn_status tni_extra_member(tni_draft *draft, tn_dataset *d, const char *name,
                           tni_span field, tni_span *member);

/* Columns for the members of rows. */
typedef struct tni_extra_columns {
    tni_span *keys; /* as JSON has them */
    size_t n;
} tni_extra_columns;

/* Which members become columns; NULL: all. */
typedef struct tni_extra_filter {
    const uint8_t *groups;    /* of each row, NULL: all rows */
    uint8_t group;            /* only those of this one */
    const char *skip;         /* a key that is left alone, NULL: none */
    const char *const *first; /* columns in front, NULL ends them or is none */
} tni_extra_filter;

/*
 * The keys of members, in the order they are met. False when columns cannot
 * hold all of them: a value that is neither a number nor a text that is read as
 * the same text, a key twice on a row or `taken`, more than 200 keys.
 */
bool tni_extras_collect(tni_extra_columns *c, const tni_sparse *members,
                        const tni_extra_filter *filter,
                        bool (*taken)(const char *name), tni_arena *arena);
/* Their names; their values on a row (TN_NONE: empty). A comma before each. */
tn_status tni_extras_header(const tni_extra_columns *c, tni_out *o,
                            tni_arena *arena, tn_err *err);
tn_status tni_extras_put(const tni_extra_columns *c, const tni_sparse *members,
                         uint32_t row, tni_out *o, tni_arena *arena,
                         tn_err *err);

#endif

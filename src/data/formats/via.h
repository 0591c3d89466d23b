/* SPDX-License-Identifier: Apache-2.0 */
/* via.h - the parts of the VIA format */
#ifndef TN_SRC_DATA_FORMATS_VIA_H
#define TN_SRC_DATA_FORMATS_VIA_H

#include "data/formats/jsonfile.h"

/* The key under which the dataset remembers which attribute is the class. */
#define TNI_VIA_CLASS "via_class_attribute"

tn_status tni_via_read(tni_reader *r, tn_err *err);
tn_status tni_via_write(tni_writer *w, tn_err *err);
/* The attribute that classes are written as; "label" unless the dataset
 * remembers another one. */
const char *tni_via_class_key(const tn_dataset *d, tni_arena *arena);

/* What regions are likelier to call their class by, first; NULL ends it. */
extern const char *const tni_via_likely[];
/* Whether a member of an image is its size in bytes: "size": digits. */
bool tni_via_is_size(const tni_span *member);

/* --- tables ------------------------------------------------------------------ */

/* A byte of the JSON that a table became, and of the row it is from. */
typedef struct tni_via_row {
    uint64_t json, csv;
} tni_via_row;

/* Whether the first line of a text names the columns of VIA's tables. */
bool tni_via_is_csv(tni_span head);
/* The table as the JSON of its annotations; rows are in the scratch arena. */
tn_status tni_via_from_csv(tni_reader *r, uint32_t source, tni_span text,
                           tni_span *json, tni_via_row **rows, size_t *n,
                           tn_err *err);
/* The byte of the table that a byte of the JSON is from. */
uint64_t tni_via_csv_offset(const tni_via_row *rows, size_t n, uint64_t json);

#endif

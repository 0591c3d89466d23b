/* SPDX-License-Identifier: Apache-2.0 */
/* supervisely_reader.h - what the parts of Supervisely's reader share */
#ifndef TN_SRC_DATA_FORMATS_SUPERVISELY_READER_H
#define TN_SRC_DATA_FORMATS_SUPERVISELY_READER_H

#include "data/formats/supervisely.h"

typedef struct tni_sly_reader {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_jsonfile f;
    tni_draft *draft;
    tni_arena work;     /* of one object */
    tni_strmap classes; /* index and 1, by name */
    size_t n_files;
} tni_sly_reader;

typedef struct tni_sly_tag {
    tni_span name, value; /* the name without quotes */
    bool extras;
} tni_sly_tag;

/* The project's classes and tags; nothing when there is no such file. */
tn_status tni_sly_read_meta(tni_sly_reader *s, const char *path);
tn_status tni_sly_read_object(tni_sly_reader *s, tni_json *j, uint32_t image);
/* The class of this name, added when there is none. */
tn_status tni_sly_class(tni_sly_reader *s, const tni_class_row *row,
                        uint32_t *cls, bool *fresh);
tn_status tni_sly_read_tag(tni_json *j, tni_sly_tag *t);
bool tni_sly_has_value(const tni_sly_tag *t);
/* An object of names and values of tags, of those alone that have one when
 * `only_values`; p NULL: none has. *whole false when the tags say more. */
tn_status tni_sly_tags(tni_sly_reader *s, tni_span list, bool only_values,
                       tni_span *text, bool *whole);
/* "tags": […] as it is, where tags say more than attributes hold. */
tn_status tni_sly_keep_tags(tni_sly_reader *s, tni_span list, tni_span *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* supervisely.h - the parts of the Supervisely format */
#ifndef TN_SRC_DATA_FORMATS_SUPERVISELY_H
#define TN_SRC_DATA_FORMATS_SUPERVISELY_H

#include "data/formats/jsonfile.h"

/* The dataset whose images are in no split. */
#define TNI_SLY_UNSPLIT "ds0"
/* Members of meta.json but its classes: "supervisely.tags" and the like. */
#define TNI_SLY_META "supervisely."

tn_status tni_sly_read(tni_reader *r, tn_err *err);
tn_status tni_sly_write(tni_writer *w, tn_err *err);

/* The pixels of a bitmap: base64 of a PNG, compressed once more or not. What
 * is not transparent, or has no transparency and is not black, is set. */
tn_status tni_sly_bitmap_read(tni_patch *p, tni_span text, tni_arena *arena,
                              const tn_limits *limits, tn_err *err);
/* The same as text between quotes. */
tn_status tni_sly_bitmap_write(tni_out *o, const tni_patch *p, tni_arena *arena,
                               tn_err *err);
/* Whether attributes (a JSON object) have only what tags can: texts, numbers
 * and, of an object (not of an image), `true`. */
bool tni_sly_plain_tags(tni_span object, bool image);

/* What rows of an image are: its text, its tags, its objects. */
typedef enum tni_sly_block {
    TNI_SLY_TEXT,
    TNI_SLY_TAGS,
    TNI_SLY_OBJECTS,
    TNI_SLY_BLOCKS
} tni_sly_block;

/* The order of the blocks of rows; false when they are mixed, or there are two
 * texts, so that a file cannot have them as they are. */
bool tni_sly_order(const tn_dataset *d, uint32_t image,
                   tni_sly_block order[TNI_SLY_BLOCKS]);
/* Ids of the nodes of a class's points, by their places, when what it keeps of
 * its template has as many; NULL: it has none. */
const char **tni_sly_nodes(const tn_dataset *d, uint32_t cls, tni_arena *arena);

#endif

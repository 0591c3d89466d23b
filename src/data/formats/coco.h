/* SPDX-License-Identifier: Apache-2.0 */
/* coco.h - the parts of the COCO format */
#ifndef TN_SRC_DATA_FORMATS_COCO_H
#define TN_SRC_DATA_FORMATS_COCO_H

#include "data/formats/format.h"

/* From the id of a row to its number; integers by hashing, texts by name. */
typedef struct tni_idmap {
    tni_arena *arena;
    int64_t *keys;
    uint32_t *values; /* TN_NONE: free */
    uint32_t n, cap;
    tni_strmap texts;
} tni_idmap;

void tni_idmap_init(tni_idmap *m, tni_arena *arena);
/* TN_NONE when the id is not there. */
uint32_t tni_idmap_find(const tni_idmap *m, uint8_t kind, int64_t id);
/* Keeps the first value of an id. False when memory is out. */
bool tni_idmap_add(tni_idmap *m, uint8_t kind, int64_t id, uint32_t value);

/* Notes the annotations from `first` on whose ids come twice. */
tn_status tni_coco_check_ids(tn_dataset *d, uint32_t first, tn_err *err);

/* One file: its images, annotations and classes, all of `split` (TN_NONE:
 * none). `folders` is where images may lie; NULL ends it. */
typedef struct tni_coco_file {
    const char *path;
    uint32_t split;
    const char *const *folders;
    const char *masks; /* folder of panoptic PNGs */
} tni_coco_file;

tn_status tni_coco_read(tni_reader *r, const tni_coco_file *file, tn_err *err);
tn_status tni_coco_write(tni_writer *w, tn_err *err);

#endif

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
    /* A text inside a source instead of a file: all of it is about `image`
     * (TN_NONE: about none, it has classes and the dataset's fields), which is
     * there already. `base` is its first byte in the source. */
    bool inside;
    tni_span text;
    uint32_t source, image;
    uint64_t base;
} tni_coco_file;

tn_status tni_coco_read(tni_reader *r, const tni_coco_file *file, tn_err *err);
tn_status tni_coco_write(tni_writer *w, tn_err *err);

/* One image as a COCO file of its own; and what is not of any image: all
 * classes and the dataset's fields. NULL when memory is out. */
typedef struct tni_coco_writer tni_coco_writer;
tni_coco_writer *tni_coco_writer_new(tni_writer *w, tn_err *err);
void tni_coco_writer_free(tni_coco_writer *c);
tn_status tni_coco_put_sample(tni_coco_writer *c, uint32_t image, tni_out *o);
tn_status tni_coco_put_rest(tni_coco_writer *c, tni_out *o);

#endif

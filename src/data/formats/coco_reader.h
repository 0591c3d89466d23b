/* SPDX-License-Identifier: Apache-2.0 */
/* coco_reader.h - what the parts of COCO's reader share */
#ifndef TN_SRC_DATA_FORMATS_COCO_READER_H
#define TN_SRC_DATA_FORMATS_COCO_READER_H

#include "data/formats/coco.h"

/* A file while it is read. */
typedef struct tni_coco_in {
    tni_reader *r;
    tn_dataset *d;
    const tni_coco_file *file;
    tn_err *err;
    tni_json j;
    uint32_t source;
    uint64_t splits;
    tni_idmap images, cats; /* ids of this file; cats: local numbers */
    tni_col local;          /* a row for each local number */
    bool results, segments; /* segments: ids count anew in every image */
    bool ahead; /* on another thread, which must not change anything: what
                   would do so gives up */
    uint32_t n_since;
} tni_coco_in;

/* One annotation as the file has it. */
typedef struct tni_coco_record {
    tni_ann a;
    tni_span segmentation, keypoints, caption, attributes, segments, file_name;
    double area, score;
    int64_t n_keypoints, track;
    bool area_known, score_known, n_known, track_known, extras;
    tni_span image_member, class_member; /* as found, for orphans */
    const char *begin, *end;
} tni_coco_record;

tn_status tni_coco_no_memory(tn_err *err);
/* Where a byte of the text is. */
uint64_t tni_coco_here(const tni_coco_in *c, const char *p);
/* "key": value, from the quote before the key to the end of the value. */
tni_span tni_coco_member(tni_span key, tni_span value);
/* An integer, or any other scalar by its text. */
tn_status tni_coco_read_id(tni_coco_in *c, uint8_t *kind, int64_t *id);
/* The number that a category id has in this file. */
tn_status tni_coco_local_of(tni_coco_in *c, uint8_t kind, int64_t id,
                            uint32_t *local);
tn_status tni_coco_add_image(tni_coco_in *c, const tni_image_row *row,
                             uint32_t *image);
/* TN_EUNSUPPORTED: it would change what others look at. */
tn_status tni_coco_give_up(tni_coco_in *c);

/* Reads the annotation at the reader; nothing but the reader moves. */
tn_status tni_coco_read_record(tni_coco_in *c, tni_coco_record *rec);
/* What was read becomes rows; the reader is behind it. */
tn_status tni_coco_take_record(tni_coco_in *c, tni_coco_record *rec);
/* Both. */
tn_status tni_coco_read_annotation(tni_coco_in *c);

/*
 * The list of annotations at the reader, by several threads where it is long:
 * others read ahead at places that look like the beginning of an annotation,
 * and what they found counts where the one before them ended. Rows, notes and
 * errors are those of one thread, because that one makes them, in order.
 */
tn_status tni_coco_read_list(tni_coco_in *c);

#endif

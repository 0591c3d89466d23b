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

/* --- captions ------------------------------------------------------------- */

/* An annotation with a caption and no class. */
bool tni_coco_is_caption(const tn_dataset *d, uint32_t ann);
/* Whether there are captions, and something that has or could have a class. */
bool tni_coco_captions_apart(const tn_dataset *d);

/* The images of the files read so far, which a file of captions repeats. */
typedef struct tni_coco_known {
    tni_strmap map; /* of split and name: the image and 1 */
    uint32_t n_images;
} tni_coco_known;

tn_status tni_coco_know_images(tni_coco_known *k, const tn_dataset *d,
                               tni_arena *arena, tn_err *err);
/* TN_NONE: none of this name in this split; k may be NULL. */
uint32_t tni_coco_known_image(const tni_coco_known *k, uint32_t split,
                              const char *name);
/* What is said again: of an image, of its other members, of the dataset. What
 * is new is added; where it differs that is a note. */
tn_status tni_coco_repeat_image(tn_dataset *d, uint32_t image,
                                const tni_image_row *again, tn_err *err);
tn_status tni_coco_repeat_member(tn_dataset *d, uint32_t image, tni_span member,
                                 uint64_t where, tn_err *err);
tn_status tni_coco_repeat_meta(tn_dataset *d, const tni_meta *meta,
                               tn_err *err);

/* --- files ---------------------------------------------------------------- */

/* One file: its images, annotations and classes, all of `split` (TN_NONE:
 * none). `folders` is where images may lie; NULL ends it. */
typedef struct tni_coco_file {
    const char *path;
    uint32_t split;
    const char *const *folders;
    const char *const *masks;    /* folders of panoptic PNGs; NULL: none */
    const tni_coco_known *known; /* of captions beside others; NULL: none */
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
/* Fields of the image for which `aside` is true are left out (NULL: none). */
tn_status tni_coco_put_sample(tni_coco_writer *c, uint32_t image,
                              bool (*aside)(const tni_span *field), tni_out *o);
tn_status tni_coco_put_rest(tni_coco_writer *c, tni_out *o);

/* --- panoptic -------------------------------------------------------------- */

/*
 * Gives the annotations from `first` to the last, segments of one image, the
 * masks they have in a PNG that lies in one of the folders. *done false, with a
 * note, when it is not there.
 */
tn_status tni_panoptic_read(tni_reader *r, const char *const *folders,
                            const char *name, uint32_t image, uint32_t first,
                            bool *done, tn_err *err);
/* What panoptic files hold of `keeps`; masks that others cover are counted. */
uint64_t tni_panoptic_keeps(const tn_dataset *d, uint64_t keeps,
                            uint64_t counts[TNI_F_COUNT]);
/* Whether ids of segments, which count anew in every image, would come twice
 * among those of annotations. */
bool tni_panoptic_ids_repeat(const tn_dataset *d);
/* Ids of the segments of one image: their own when pixels can have them, else
 * 1, 2, 3 ...; false for the latter. `ids` may be NULL. */
bool tni_panoptic_ids(const tn_dataset *d, const uint32_t *anns, size_t n,
                      uint32_t *ids, tni_arena *arena);
/* What an annotation became: no pixel, no segment. */
typedef struct tni_segment {
    uint64_t pixels;
    bool hidden; /* others have pixels of it */
} tni_segment;

/* Draws the annotations into a PNG of the target. */
tn_status tni_panoptic_write(tni_writer *w, uint32_t image,
                             const uint32_t *anns, const uint32_t *ids,
                             size_t n, const char *name, tni_segment *segments,
                             tn_err *err);

#endif

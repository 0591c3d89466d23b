/* SPDX-License-Identifier: Apache-2.0 */
/* voc.h - what the reader and the writer of Pascal VOC share */
#ifndef TN_SRC_DATA_FORMATS_VOC_H
#define TN_SRC_DATA_FORMATS_VOC_H

#include "data/formats/xmltree.h"

enum {
    TNI_VOC_ROOTS = 80,
    TNI_VOC_VOID = 255,    /* border and pixels that nobody judged */
    TNI_VOC_OBJECTS = 254, /* that a picture of objects can tell apart */
    TNI_VOC_IMAGE_DIRS = 4
};

/* A line of labelmap.txt. */
typedef struct tni_voc_label {
    const char *name;
    uint8_t rgb[3];
    uint32_t cls; /* TN_NONE: background and void, which are no classes */
} tni_voc_label;

/* A folder with annotations. */
typedef struct tni_voc_root {
    const char *folder, *annotations; /* annotations NULL: none */
    const char *images[TNI_VOC_IMAGE_DIRS + 1];
    const char *sets, *class_masks, *object_masks; /* NULL: none */
    const char *prefix; /* of the names of its images, "": none */
    uint32_t split;
    bool flat; /* XML beside images */
} tni_voc_root;

/* An image in ImageSets/<task>/<split>.txt. */
typedef struct tni_voc_pair {
    uint32_t image, n, split;
    const char *task;
} tni_voc_pair;

/* What ImageSets/Main/<class>_<split>.txt says of an image. */
typedef struct tni_voc_mark {
    uint32_t image;
    int32_t value; /* 1, 0 (difficult), -1 */
    const char *cls;
    uint64_t where;
} tni_voc_mark;

typedef struct tni_voc {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_draft *draft;
    tni_classes classes;
    tni_image_set images;
    tni_strmap stems; /* of images: "root/stem" to image + 1 */
    tni_strmap seen;  /* names of images that an XML was read for */
    tni_voc_root roots[TNI_VOC_ROOTS];
    uint32_t n_roots, root; /* root: the one at hand */
    const tni_voc_label *labels;
    uint32_t n_labels;
    uint32_t n_read; /* XML files */
    bool one_based;
    tni_arena pixels;                                /* of the image at hand */
    uint64_t at_zero, at_one, at_end, at_last, over; /* edges of boxes */
    uint64_t where_zero, where_over, where_end;
    tni_col pairs;    /* tni_voc_pair: lists of images */
    tni_col marks;    /* tni_voc_mark: lists of a class */
    const char *stem; /* of the XML at hand, below its folder */
    uint32_t image;   /* and what it is about */
} tni_voc;

/* voc_files.c: folders, images, labelmap.txt */
tn_status tni_voc_find_roots(tni_voc *v);
tn_status tni_voc_add_images(tni_voc *v);
tn_status tni_voc_labelmap(tni_voc *v);
/* voc_sets.c: lists of images; then what they say of classes */
tn_status tni_voc_sets(tni_voc *v);
tn_status tni_voc_tags(tni_voc *v);
/* The image of a stem, TN_NONE: not there. */
uint32_t tni_voc_image_of(tni_voc *v, uint32_t root, const char *stem,
                          size_t len);
tn_status tni_voc_new_image(tni_voc *v, uint32_t root, const char *name,
                            uint64_t where, uint32_t *image);
bool tni_voc_is_folder(tni_reader *r, const char *folder);

/* voc_xml.c: one XML file */
tn_status tni_voc_read_xml(tni_voc *v, const char *path);

/* voc_masks.c: pictures of classes and objects */
void tni_voc_color(unsigned index, uint8_t rgb[3]);
/* Objects of the image at hand are annotations first .. first + n, in the order
 * of the XML without parts. */
tn_status tni_voc_masks(tni_voc *v, const uint32_t *objects, uint32_t n);
/* Whether the pixels of an object are those of a box. */
bool tni_voc_same_box(const double box[4], const double pixels[4]);

/* voc_lists.c: writing ImageSets and labelmap.txt */
bool tni_voc_hex(tni_span value, uint8_t rgb[3]);
/* The color of line `index` of labelmap.txt: 0 the background, then classes. */
void tni_voc_class_color(const tn_dataset *d, uint32_t index, uint8_t rgb[3]);
bool tni_voc_keeps_labels(const tn_dataset *d);
bool tni_voc_keeps_tags(const tn_dataset *d);
tn_status tni_voc_write_labels(tni_writer *w, tn_err *err);
tn_status tni_voc_write_lists(tni_writer *w, const uint8_t *segmented,
                              tn_err *err);

/* voc_write.c */
tn_status tni_voc_write(tni_writer *w, tn_err *err);
uint64_t tni_voc_plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                      const char **variant);

/* voc_paint.c: what is drawn into the pictures of an image */
typedef struct tni_voc_canvas {
    uint8_t *objects, *classes; /* w * h; NULL: nothing is drawn */
    uint32_t w, h;
    uint32_t n_left_out; /* masks that are not in it at all */
    uint32_t n_hidden;   /* masks in it that others cover in part */
} tni_voc_canvas;

/* The annotations that become objects of the XML, in order; boxes of them. */
tn_status tni_voc_objects(const tn_dataset *d, uint32_t image, tni_arena *arena,
                          uint32_t **list, double (**boxes)[4], size_t *n,
                          tn_err *err);
tn_status tni_voc_paint(tni_voc_canvas *c, const tn_dataset *d, uint32_t image,
                        const uint32_t *list, double (*boxes)[4], size_t n,
                        tni_arena *arena, tn_err *err);
/* How many parts of the object follow it in the list of its image. */
size_t tni_voc_parts(const tn_dataset *d, const uint32_t *anns, size_t n,
                     size_t at);
bool tni_voc_is_part(const tn_dataset *d, uint32_t ann);
tni_span tni_voc_member(const tni_sparse *s, uint32_t row, const char *key);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* yolo.h - the parts of the YOLO format */
#ifndef TN_SRC_DATA_FORMATS_YOLO_H
#define TN_SRC_DATA_FORMATS_YOLO_H

#include "data/formats/coco.h"

typedef enum tni_yolo_task {
    TNI_YOLO_AUTO = 0, /* detect or segment, as the lines say */
    TNI_YOLO_DETECT,
    TNI_YOLO_SEGMENT,
    TNI_YOLO_POSE,
    TNI_YOLO_OBB
} tni_yolo_task;

/* A place where images of a split are: a folder, a list, or a file. */
typedef struct tni_yolo_entry {
    const char *path;
    uint32_t split; /* TN_NONE: of none */
} tni_yolo_entry;

/* Classes by number, the first n of them. */
typedef struct tni_yolo_numbers {
    tni_idmap ids;
    uint32_t n;
} tni_yolo_numbers;

/* What a data.yaml or obj.data says. */
typedef struct tni_yolo_config {
    const char *root; /* folder that paths are relative to */
    tni_yolo_entry *entries;
    size_t n_entries, cap_entries;
    uint32_t n_kpts, kpt_dims; /* 0: no kpt_shape */
    tni_yolo_task task;
    uint32_t n_classes; /* what the file names */
    tni_yolo_numbers *numbers;
    bool darknet; /* labels lie beside images */
    bool unsplit; /* has images of no split, under images/unsplit */
} tni_yolo_config;

tn_status tni_yolo_add_entry(tni_reader *r, tni_yolo_config *c,
                             const char *path, uint32_t split, tn_err *err);
/* data.yaml at `path`: classes into the dataset, the rest into *c. */
tn_status tni_yolo_config_yaml(tni_reader *r, tni_yolo_config *c,
                               const char *path, tn_err *err);
/* obj.data of darknet. */
tn_status tni_yolo_config_darknet(tni_reader *r, tni_yolo_config *c,
                                  const char *path, tn_err *err);
/* A class per line. */
tn_status tni_yolo_names_file(tni_reader *r, const char *path, uint32_t *n,
                              tn_err *err);
/* A class by its number; those beyond the names get their number as name. */
tn_status tni_yolo_class(tn_dataset *d, const tni_yolo_config *config,
                         int64_t number, uint64_t where, uint32_t *cls,
                         tn_err *err);

/* Where the labels of an image are: ".txt" for its ending, and "labels" for
 * the last folder of its path called "images". NULL when memory is out. */
char *tni_yolo_label_path(tni_arena *arena, const char *image);
/* All images and labels of the entries. */
tn_status tni_yolo_read_entries(tni_reader *r, tni_yolo_config *c, tn_err *err);
/* After the last line: one task for all, keypoints of classes. */
tn_status tni_yolo_settle(tni_reader *r, tni_yolo_config *c, uint32_t first_ann,
                          tn_err *err);

/* One line of a label file, in pieces that shapes may point into. */
typedef struct tni_yolo_line {
    const char *p;
    size_t len;
    uint64_t where;
    const char *file;
    int number;
} tni_yolo_line;
tn_status tni_yolo_add_line(tn_dataset *d, const tni_yolo_config *c,
                            uint32_t image, const tni_yolo_line *line,
                            tn_err *err);

tn_status tni_yolo_read_classify(tni_reader *r, tn_err *err);
tn_status tni_yolo_write(tni_writer *w, tn_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* yolo.h - the parts of the YOLO format */
#ifndef TN_SRC_DATA_FORMATS_YOLO_H
#define TN_SRC_DATA_FORMATS_YOLO_H

#include "data/formats/coco.h"
#include "data/one.h"
#include "tenon/image.h"

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
    bool left;    /* labels stay in their files: tni_yolo_read_image */
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
/* That folder; NULL when there is none. */
char *tni_yolo_last_images(char *path);
/* The labels of an image of a dataset that was left in its files; what it was
 * left with is a tni_yolo_config without entries. */
tn_status tni_yolo_read_image(tni_one *one, uint32_t image, tn_err *err);
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
/* The text of a label file, line by line. */
typedef struct tni_yolo_text {
    const char *p, *end;
    size_t n_zeros; /* bytes at the end, left by interrupted copies */
    int number;     /* of the line before */
} tni_yolo_text;

void tni_yolo_text_init(tni_yolo_text *t, const char *text, size_t size);
/* The next line that says anything, blanks in front of it left out: p, len and
 * number are set. False: there is none. */
bool tni_yolo_next_line(tni_yolo_text *t, tni_yolo_line *line);

/* Its numbers; places are bytes of the line. */
typedef struct tni_yolo_tokens {
    int64_t cls;
    double first[6], last; /* the first numbers after the class, and the last */
    uint32_t n;            /* how many there are, at least one */
    uint32_t begin, keypoints, last_begin, end; /* of the first, fifth, last */
} tni_yolo_tokens;

/* Any thread. */
tn_status tni_yolo_split_line(const tni_yolo_line *line, tni_yolo_tokens *t,
                              tn_err *err);
/* A line and what it was split into. */
tn_status tni_yolo_add_line(tn_dataset *d, const tni_yolo_config *c,
                            uint32_t image, const tni_yolo_line *line,
                            const tni_yolo_tokens *t, tn_err *err);

/* The text of a label file, line by line; *any: there are some. */
typedef struct tni_yolo_file {
    uint32_t image, source;
    const char *path;
    tni_span text;
} tni_yolo_file;

tn_status tni_yolo_add_file(tn_dataset *d, const tni_yolo_config *c,
                            const tni_yolo_file *file, bool *any, tn_err *err);
tn_status tni_yolo_note_zeros(tn_dataset *d, uint32_t source, uint64_t at,
                              tn_err *err);

/* --- looking ------------------------------------------------------------- */

/* A file that lists images. */
typedef struct tni_yolo_list {
    const char *path, *folder; /* that it is in */
    tni_span text;
} tni_yolo_list;

/* The line at this byte names no image, for `what`. */
tn_status tni_yolo_list_fail(const tni_yolo_list *list, uint64_t at,
                             const char *what, tn_err *err);
/* Whether a path has a part "..", by either slash. */
bool tni_yolo_has_dots(const char *path);

/* What may be an image with labels: a file, or a line of a list. */
typedef struct tni_yolo_item {
    const char *path; /* of the image; NULL: the line says */
    const char *line; /* relative to the list with a dot in front, else to the
                           root; may begin with folders that are not there */
    const char *tail; /* of the line: without what leads up or to the root */
    const tni_yolo_list *list;
    const char *name;  /* of the image; NULL: by its path */
    const char *label; /* an image is not looked for: labels without one */
    uint64_t where;    /* of the line */
} tni_yolo_item;

/* What was seen, in the bytes of a block; the path, the words of why a header
 * could not be read, its lines and the text of its labels follow. */
typedef struct tni_yolo_seen {
    bool found;  /* the line leads somewhere */
    bool there;  /* the file of the image */
    bool labels; /* their file; there may be one, where they are left in it */
    bool large;  /* of which only that is known */
    tn_status header;
    tn_image_info info;
    uint32_t n_lines, text_len, path_len, why_len;
    uint32_t n_zeros; /* at the end of the text */
} tni_yolo_seen;

typedef struct tni_yolo_seen_line {
    tni_yolo_tokens tokens;
    uint32_t begin, len; /* in the text */
    int number;
} tni_yolo_seen_line;

/* Looks at items by several threads; `take` gets the bytes of each, in order:
 * a tni_yolo_seen and what follows it. */
typedef struct tni_yolo_look {
    const tni_reader *r;
    const tni_yolo_config *c;
    const tni_strmap *lists; /* of images: their names may be what labels of
                                some image would be called */
    const tni_yolo_item *items;
    uint32_t n_items;
    void *ctx;
    tn_status (*take)(void *ctx, uint32_t item, const tni_yolo_seen *seen,
                      const char *after);
} tni_yolo_look;

tn_status tni_yolo_look_at(const tni_yolo_look *look, const tni_par *par,
                           tn_err *err);

tn_status tni_yolo_read_classify(tni_reader *r, tn_err *err);
tn_status tni_yolo_write(tni_writer *w, tn_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records.h - what formats of lines and of boxes share
 *
 * Lines and fields of a text, the classes of a format that has no list of
 * them, the box that stands for any annotation, folders that are splits.
 */
#ifndef TN_SRC_DATA_RECORDS_H
#define TN_SRC_DATA_RECORDS_H

#include "data/names.h"

/* --- lines --------------------------------------------------------------- */

/* A text line by line: LF, CRLF or CR end one; a byte order mark at the start
 * is skipped. */
typedef struct tni_lines {
    const char *start, *p, *end;
    int number; /* of the line given last, from 1 */
} tni_lines;

void tni_lines_init(tni_lines *l, tni_span text);
/* The next line without its end; false behind the last. */
bool tni_lines_next(tni_lines *l, tni_span *line);

/* The fields between spaces and tabs; how many there are, `max` are given. */
size_t tni_fields(tni_span line, tni_span *out, size_t max);
/* The fields between `comma`s, spaces around them taken off. */
size_t tni_fields_at(tni_span line, char comma, tni_span *out, size_t max);
/* The whole field is a finite number; an integer. */
bool tni_field_f64(tni_span field, double *out);
bool tni_field_i64(tni_span field, int64_t *out);
/* Without spaces, tabs and line ends around it. */
tni_span tni_trim(tni_span text);

/* --- classes ------------------------------------------------------------- */

/* Classes by name as a reader meets them. Zeroed but for tni_classes_init. */
typedef struct tni_classes {
    tni_reader *r;
    tni_strmap map;
} tni_classes;

void tni_classes_init(tni_classes *c, tni_reader *r);
tn_status tni_class_named(tni_classes *c, tni_span name, uint64_t where,
                          uint32_t *cls, tn_err *err);
/* When all is read: brings them into the order of their bytes. */
tn_status tni_classes_sort(tni_classes *c, tn_err *err);
/* The same but for the first n, which the source lists in an order of its own. */
tn_status tni_classes_sort_after(tni_classes *c, uint32_t n, tn_err *err);
/* By their ids, those without one behind them by name. */
tn_status tni_classes_by_id(tni_classes *c, tn_err *err);
/* Into another order; equal rows stay as they were met. */
tn_status tni_classes_arrange(tni_classes *c,
                              int (*order)(const tni_class_row *a,
                                           const tni_class_row *b),
                              tn_err *err);

/*
 * The class that another file of the dataset has too: its name and id, and
 * where it has no id its parent, are the same. TN_NONE: there is none.
 */
tn_status tni_same_class(tni_reader *r, const tni_class_row *row, uint32_t *cls,
                         tn_err *err);

/* --- texts, each once ---------------------------------------------------- */

/* Texts met so far, to find those that come again in time that grows as their
 * number does. Texts are borrowed. */
typedef struct tni_once {
    tni_mem mem;
    tni_arena arena;
    tni_strmap map;
    bool failed;
} tni_once;

void tni_once_init(tni_once *o);
void tni_once_fini(tni_once *o);
/* Forgets all of them. */
void tni_once_clear(tni_once *o);
/* Whether it was met before; when memory is out, `failed` is set. */
bool tni_once_again(tni_once *o, const char *text, size_t len);
/* Fini, and a failure becomes one of what was written. */
void tni_once_end(tni_once *o, tni_out *out);

/* --- images -------------------------------------------------------------- */

/* Images of a reader by name and split. */
typedef struct tni_image_set {
    tni_reader *r;
    tni_strmap map;
} tni_image_set;

void tni_image_set_init(tni_image_set *s, tni_reader *r);
/* The image of this name (terminated) in this split, TN_NONE: not there. */
uint32_t tni_image_set_find(const tni_image_set *s, const char *name,
                            uint32_t split);
/* The same, added with its file looked for under `folders` when it is not
 * there; *fresh (may be NULL) says so. */
tn_status tni_image_named(tni_image_set *s, const char *name, uint32_t split,
                          uint64_t where, const char *const *folders,
                          uint32_t *image, bool *fresh, tn_err *err);
/* Adds the image files of a folder, and those below it, that are not in the
 * set; names are relative to `folder`. */
tn_status tni_images_below(tni_image_set *s, const char *folder, uint32_t split,
                           tn_err *err);
/* The same of one folder below it only. */
tn_status tni_images_within(tni_image_set *s, const char *folder,
                            const char *below, uint32_t split, tn_err *err);

/* --- splits -------------------------------------------------------------- */

/*
 * The split that a stem tells: its first or last word (between '_', '-', '.')
 * when that is train, val, test or their like, with or without a number. 0: it
 * tells none.
 */
size_t tni_stem_split(const char *stem, size_t len, const char **split);

/* --- writing ------------------------------------------------------------- */

/*
 * The upright box in pixels of an annotation for a format that has only boxes:
 * its own, or the one around what it is. False: it is nothing a box can stand
 * for (a tag, a caption, an open line), or has no image.
 */
bool tni_box_for(const tn_dataset *d, uint32_t ann, const tni_ann *a,
                 tn_shape *scratch, double box[4]);

/* Whether four corners are those of a rectangle, clockwise: the first of them,
 * width, height and degrees. */
bool tni_quad_is_rectangle(const double xy[8], double out[5]);

/* TN_EUNSUPPORTED when a split's name cannot name a folder or file. */
tn_status tni_check_splits(const tn_dataset *d, tn_err *err);
/* "split/folder/name", parts that are NULL or empty left out; TN_EINVAL when
 * it does not fit. */
tn_status tni_path_of(char *out, size_t size, const char *split,
                      const char *folder, const char *name, tn_err *err);
/* Whether the image is written for this split: by its first one, TN_NONE for
 * images without any. */
bool tni_in_split(const tn_dataset *d, uint32_t image, uint32_t split);
/* Whether a folder of this name is taken for a split: train, val, test ... */
bool tni_is_split_name(const char *name);

/* A member of a JSON object by key; false when there is none or the text is
 * no object. */
bool tni_json_member(tni_span object, const char *key, tni_span *value);

#endif

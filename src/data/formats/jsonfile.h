/* SPDX-License-Identifier: Apache-2.0 */
/* jsonfile.h - what formats of many small files, mostly JSON, have in common */
#ifndef TN_SRC_DATA_FORMATS_JSONFILE_H
#define TN_SRC_DATA_FORMATS_JSONFILE_H

#include "data/formats/format.h"
#include "data/records.h"

/* --- files ---------------------------------------------------------------- */

typedef struct tni_found {
    const char *path; /* to open it */
    const char *name; /* from the folder the walk began in */
} tni_found;

/*
 * All files below a folder whose names end in `suffix` (NULL: like those of
 * images), in byte order folder by folder, in the scratch arena. TN_ELIMIT for
 * folders nested deeper than 16, as links that lead back are.
 */
tn_status tni_walk(tni_reader *r, const char *folder, const char *suffix,
                   const tni_found **list, size_t *n, tn_err *err);

/* A file of JSON that is being read into a dataset. */
typedef struct tni_jsonfile {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_json j;
    uint32_t source;
} tni_jsonfile;

tn_status tni_jsonfile_open(tni_jsonfile *f, tni_reader *r, const char *path,
                            tn_err *err);
/* A reader over one value of the same file, for what was skipped. */
tni_json tni_jsonfile_at(const tni_jsonfile *f, tni_span value);
uint64_t tni_jsonfile_where(const tni_jsonfile *f, const char *p);
/* A string, kept. */
tn_status tni_jsonfile_text(tni_jsonfile *f, tni_json *j, const char **out);
/* An image's width or height; null and absent are 0. */
tn_status tni_jsonfile_size(tni_jsonfile *f, tni_json *j, int32_t *out);
/* An id: an integer, or any other scalar as text. */
tn_status tni_jsonfile_id(tni_jsonfile *f, tni_json *j, uint8_t *kind,
                          int64_t *id);
/* "key": value, from the quote before the key to the end of the value. */
tni_span tni_json_whole(tni_span key, tni_span value);
/* The key and the value of such a member. */
bool tni_json_split(tni_span member, tni_span *key, tni_span *value);
/* A list of points [x, y], each a list of two numbers; how many. */
bool tni_json_points(tni_json *j, size_t *n);
/* An array of numbers; the first `cap` go to `out`, *n is how many there are. */
bool tni_json_vector(tni_json *j, double *out, size_t cap, size_t *n);
/* {} [] "" or null: says nothing. */
bool tni_json_is_empty(tni_span value);

/* --- texts that are made --------------------------------------------------- */

/* Text written by tni_out_*, collected in the scratch arena. */
typedef struct tni_draft {
    tni_out out;
    tni_arena *arena;
    char *text;
    size_t len, cap;
    tn_err *err;
} tni_draft;

/* NULL when memory is out. */
tni_draft *tni_draft_new(tni_arena *arena, tn_err *err);
/* Empties it. */
tni_out *tni_draft_begin(tni_draft *t);
/* What was written, valid until the next begin; and a copy in the dataset. */
tn_status tni_draft_end(tni_draft *t, tni_span *text);
tn_status tni_draft_keep(tni_draft *t, tn_dataset *d, tni_span *text);

/* --- masks ------------------------------------------------------------------ */

/* Pixels, not 0 for the mask, of a part of an image. */
typedef struct tni_patch {
    uint8_t *pixels;
    int64_t x, y, w, h;
} tni_patch;

/* Writes the runs of a patch in an image of that size: COCO's uncompressed
 * JSON. TN_EFORMAT when it leaves the image. */
tn_status tni_patch_put(tni_out *o, const tni_patch *p, int64_t width,
                        int64_t height, tn_err *err);
/* The pixels (1 and 0) around a mask, none when it is empty. TN_ELIMIT beyond
 * 2^28 pixels. */
tn_status tni_patch_of(tni_patch *p, const tn_shape *runs, tni_arena *arena,
                       tn_err *err);

/* --- writing ----------------------------------------------------------------- */

/* The members kept of a row, each after ", ". One that is called like one of
 * the format's own (`taken`, NULL ends it) gets "x_" in front. */
void tni_put_members(tni_out *o, const tni_sparse *s, uint32_t row,
                     const char *const *taken);
/* Whether one of them has this key. */
bool tni_has_member(const tni_sparse *s, uint32_t row, const char *key);
/* The name with another extension, in the arena. NULL: no memory. */
char *tni_change_end(tni_arena *arena, const char *name, const char *end);
/* "[[x, y], [x, y]]" of points from .. to. */
void tni_put_points(tni_out *o, const tn_shape *s, size_t from, size_t to);
/* The part of a polygon whose outline has the largest area. */
size_t tni_largest_ring(const tn_shape *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dataset.h - the tables of a dataset, and how a format fills them
 *
 * Three kinds of table and nothing else: rows that every image, class or
 * annotation has (columns), rows that few of them have (sparse, by row number),
 * and a list of members of JSON about the dataset as a whole. Texts and shapes
 * are spans into mapped files or the dataset's arena, read when asked for.
 *
 * Memory: an image has 64 bytes and its two texts; an annotation 64 bytes and
 * 4 in the index by image; a number 12, a text 20, a shape 20 where there is
 * one.
 */
#ifndef TN_SRC_DATA_DATASET_H
#define TN_SRC_DATA_DATASET_H

#include "base/json.h"
#include "base/strmap.h"
#include "data/column.h"
#include "sys/file.h"
#include "tenon/dataset.h"

struct tni_format;

/* --- rows ---------------------------------------------------------------- */

/* A file the dataset was read from. */
typedef struct tni_source {
    const char *path;
    tni_file_map map; /* zero: only named */
} tni_source;

/* Source and byte in one word: 24 and 40 bits. 0: nowhere. */
static inline uint64_t tni_where(uint32_t source, uint64_t offset)
{
    return ((uint64_t)source + 1) << 40 | (offset & ((UINT64_C(1) << 40) - 1));
}

/* How the numbers of a shape's text are laid out. Anything between numbers
 * that is not a bracket separates. */
typedef enum tni_layout {
    TNI_LAYOUT_FLAT = 0,  /* x y x y …; every innermost pair of brackets, or
                             the whole text without any, is a part */
    TNI_LAYOUT_PAIRS = 1, /* innermost brackets are points, those around them
                             rings; rings together in another pair: the first
                             is the outline, the rest are holes */
    TNI_LAYOUT_RLE = 2,   /* {"counts": text or [runs], "size": [h, w]} */
    TNI_LAYOUT_NAME = 3   /* not numbers: the name of a mask file */
} tni_layout;

typedef struct tni_shape {
    const char *text;
    uint32_t len;
    uint8_t kind;       /* tn_shape_kind */
    uint8_t layout : 4; /* tni_layout */
    uint8_t places : 4; /* TNI_PLACES(n): its pixels have n decimal places and
                           no more, whatever the text gives; 0: it says */
    uint8_t scale;      /* tn_scale */
    uint8_t dims;       /* keypoints: 2, or 3 with visibility; else 0 */
} tni_shape;

/* A format that prints parts of an image gives pixels back a little off; that
 * they had n places says which they were. */
enum { TNI_MAX_PLACES = 9 };
#define TNI_PLACES(n) ((unsigned)((n) + 1) & 15u)
/* To the nearest number of n decimal places, as text of it would be read. */
double tni_round_places(double v, unsigned n);

typedef struct tni_image_row {
    const char *name, *file;
    int64_t id; /* or the address of its text */
    uint64_t where, splits;
    int32_t width, height, raw_width, raw_height;
    uint8_t id_kind, orientation, frame, state;
} tni_image_row;

typedef struct tni_class_row {
    const char *name, *parent;
    int64_t id;
    uint64_t where;
    const char *const *keypoints;
    uint32_t n_keypoints;
    uint8_t id_kind;
} tni_class_row;

/* A row in 64 bytes, one line of the cache: those of an image lie anywhere. */
typedef struct tni_ann {
    uint32_t image, class_index;
    uint32_t flags; /* tn_annotation_flag and TNI_FORM, TNI_SCALE, TNI_ID */
    double box[4];
    uint64_t where;
    int64_t id;
} tni_ann;

#define TNI_FORM(form)   ((uint32_t)(form) << 24)
#define TNI_SCALE(scale) ((uint32_t)(scale) << 26)
#define TNI_ID(kind)     ((uint32_t)(kind) << 28)
#define TNI_FLAGS        ((UINT32_C(1) << 24) - 1)

static inline uint8_t tni_ann_form(uint32_t flags)
{
    return flags >> 24 & 3;
}
static inline uint8_t tni_ann_scale(uint32_t flags)
{
    return flags >> 26 & 3;
}
static inline uint8_t tni_ann_id_kind(uint32_t flags)
{
    return flags >> 28 & 3;
}

/* A member of JSON about the dataset, or one split of it (TN_NONE: all). */
typedef struct tni_meta {
    const char *key; /* "info"; plain text */
    tni_span value;  /* JSON */
    uint32_t split;
    uint64_t where;
} tni_meta;

typedef struct tni_note {
    const char *code, *message;
    uint64_t count, where;
} tni_note;

enum { TNI_MAX_SPLITS = 64 };

struct tn_dataset {
    tni_mem mem;
    tni_arena arena;
    tn_limits limits;
    const struct tni_format *format;
    const char *path, *variant;
    const char *unpacked; /* what readers call `path`, which is gzip: without
                             its ending; NULL: it is not */
    tni_col sources, images, classes, metas, notes;
    const char *splits[TNI_MAX_SPLITS];
    uint32_t n_splits;
    tni_col anns;                   /* tni_ann */
    tni_sparse num[TN_NUM_COUNT];   /* double */
    tni_sparse text[TN_TEXT_COUNT]; /* tni_span */
    tni_sparse shape, keypoints;    /* tni_shape */
    tni_sparse image_text[TN_TEXT_COUNT], class_text[TN_TEXT_COUNT];
    tni_sparse image_bytes;  /* tni_span: images that lie inside a source */
    tni_sparse image_files;  /* tni_image_file */
    tni_strmap names;        /* interned texts */
    tni_strmap class_names;  /* to the first class of it; + 1 */
    uint32_t *first, *order; /* of each image; made by tni_dataset_seal */
    size_t index_bytes;
    const void *left; /* of the format: annotations are in the files still, and
                         tni_one reads them; NULL: they are here */
};

/* --- making one ---------------------------------------------------------- */

tn_status tni_dataset_new(tn_dataset **out, const tn_allocator *allocator,
                          const tn_limits *limits, tn_err *err);
/* Sorts, indexes, settles the states of images. Rows may not change after. */
tn_status tni_dataset_seal(tn_dataset *d, tn_err *err);

/* Annotations go, with all they have; rows may be added again until the next
 * seal. */
void tni_dataset_clear(tn_dataset *d);

/* What is mapped of its files stops counting as resident until it is looked at
 * again. Any thread may look at it meanwhile. */
void tni_dataset_drop(const tn_dataset *d);

/* Brings late additions to the sparse tables into order; false: no memory. */
bool tni_dataset_sort(tn_dataset *d);

/* A terminated copy; the same address for the same text. NULL: no memory. */
const char *tni_intern(tn_dataset *d, const char *text, size_t len);
/* A terminated copy. */
const char *tni_keep(tn_dataset *d, const char *text, size_t len);
/* The text of a JSON string, escapes undone, terminated. */
const char *tni_keep_json(tn_dataset *d, tni_span raw, bool escaped);

/* Whether a reader means the file of the dataset that is to be unpacked. */
bool tni_is_unpacked(const tn_dataset *d, const char *path);
/* Names a file as a source without opening it. */
tn_status tni_source_add(tn_dataset *d, const char *path, uint32_t *source,
                         tn_err *err);
/* Opens one; `text` stays valid as long as the dataset. Small files are read
 * into memory, large ones mapped; the dataset's one file is unpacked when it is
 * gzip, and places are bytes of what comes out. */
tn_status tni_source_open(tn_dataset *d, const char *path, uint32_t *source,
                          tni_span *text, tn_err *err);

/* The split of this name, added when there is none. */
tn_status tni_add_split(tn_dataset *d, const char *name, size_t len,
                        uint32_t *split, tn_err *err);
tn_status tni_add_class(tn_dataset *d, const tni_class_row *row,
                        uint32_t *index, tn_err *err);
/* The first class of this name, TN_NONE when there is none: found by an index,
 * whatever their number. */
uint32_t tni_find_class(const tn_dataset *d, const char *name);
/* Another name (kept as long as the dataset) for a class whose old one no other
 * class has. */
tn_status tni_rename_class(tn_dataset *d, uint32_t cls, const char *name,
                           tn_err *err);
/* name must come from tni_keep or tni_intern. */
tn_status tni_add_image(tn_dataset *d, const tni_image_row *row,
                        uint32_t *index, tn_err *err);
/* flags say what it has; TN_HAS_NUM, _TEXT, _SHAPE, _KEYPOINTS and _ANGLE are
 * set by the functions below. */
tn_status tni_add_annotation(tn_dataset *d, const tni_ann *ann, uint32_t *index,
                             tn_err *err);
tn_status tni_set_num(tn_dataset *d, uint32_t ann, tn_num kind, double v,
                      tn_err *err);
tn_status tni_set_text(tn_dataset *d, uint32_t ann, tn_text kind, tni_span text,
                       tn_err *err);
tn_status tni_set_shape(tn_dataset *d, uint32_t ann, const tni_shape *shape,
                        tn_err *err);
tn_status tni_set_keypoints(tn_dataset *d, uint32_t ann, const tni_shape *shape,
                            tn_err *err);
tn_status tni_set_image_text(tn_dataset *d, uint32_t image, tn_text kind,
                             tni_span text, tn_err *err);
/* The encoded image itself, where it lies inside a source (a record, an
 * archive) and not in a file of its own: `bytes` must stay valid as long as the
 * dataset. Its row has no file then. */
tn_status tni_set_image_bytes(tn_dataset *d, uint32_t image, tni_span bytes,
                              tn_err *err);
/* A file that belongs to an image and that nothing reads: a member of a sample.
 * Its ending is kept, `bytes` must stay valid. */
typedef struct tni_image_file {
    const char *ending;
    tni_span bytes;
} tni_image_file;

tn_status tni_add_image_file(tn_dataset *d, uint32_t image, const char *ending,
                             tni_span bytes, tn_err *err);
tn_status tni_set_class_text(tn_dataset *d, uint32_t cls, tn_text kind,
                             tni_span text, tn_err *err);
tn_status tni_add_meta(tn_dataset *d, const tni_meta *meta, tn_err *err);
/* Counts one more of `code` (a literal); the first says where and what. */
tn_status tni_note_add(tn_dataset *d, uint64_t where, const char *code,
                       tn_err *err, const char *fmt, ...) TN_PRINTF(5, 6);

/* --- looking at it ------------------------------------------------------- */

static inline tni_image_row *tni_image_at(const tn_dataset *d, uint32_t i)
{
    return TNI_ROW(&d->images, tni_image_row, i);
}
static inline tni_class_row *tni_class_at(const tn_dataset *d, uint32_t i)
{
    return TNI_ROW(&d->classes, tni_class_row, i);
}
static inline tni_ann *tni_ann_at(const tn_dataset *d, uint32_t i)
{
    return TNI_ROW(&d->anns, tni_ann, i);
}
static inline uint32_t *tni_flags_at(const tn_dataset *d, uint32_t i)
{
    return &tni_ann_at(d, i)->flags;
}
void tni_ann_get(const tn_dataset *d, uint32_t i, tni_ann *ann);
/*
 * Annotations of an image lie anywhere in a file, so each is several places in
 * memory that nobody has looked at for long. A loop over images calls this for
 * each before its turn: what it will look at is on its way.
 */
void tni_dataset_ahead(const tn_dataset *d, uint32_t image);
/* The encoded image inside a source; NULL where it does not lie in one. */
const tni_span *tni_image_bytes(const tn_dataset *d, uint32_t image);
/* Whether there is an encoded image: a file, or bytes inside a source. */
bool tni_image_there(const tn_dataset *d, uint32_t image);
tn_place tni_place(const tn_dataset *d, uint64_t where);
tn_id tni_id(uint8_t kind, int64_t id);
/* The size coordinates refer to: as declared, else of the file, turned when
 * the frame is upright. False when neither is known. */
bool tni_image_extent(const tn_dataset *d, uint32_t image, double *w,
                      double *h);

/* Undoes runs: counts as COCO has them, to off, on, off, ... pixels. */
tn_status tni_rle_read(tn_shape *out, tni_span json, tn_err *err);

/* Class (image) i becomes to[i], a permutation, wherever it is named; before
 * the dataset is sealed. False when memory is out: then it is of no use. */
bool tni_reorder_classes(tn_dataset *d, const uint32_t *to);
bool tni_reorder_images(tn_dataset *d, const uint32_t *to);

/* A counted walk over shapes: see shape.c. */
tn_status tni_shape_read(tn_shape *out, const tni_shape *cell, double w,
                         double h, tn_err *err);
/* The box around it; false when there is nothing to bound. */
bool tni_shape_box(const tn_shape *s, double box[4]);
/* Corners of an annotation's box in parts of the image's sides; false when it
 * has none or they are not known. */
bool tni_box_in_units(const tn_dataset *d, uint32_t i, double box[4]);
/* Whether an annotation's box, if it has one, is the hull of its shape: cell,
 * read into s with w = h = 1. */
bool tni_box_is_hull(const tn_dataset *d, uint32_t i, const tni_shape *cell,
                     const tn_shape *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/dataset.h - the in-memory dataset: read, look at, write, convert
 *
 * A dataset is images, annotations, classes and splits, with everything its
 * files said: original ids, unknown fields, the place in the file where each
 * row was found. Annotations are rows of columns; whatever few of them have
 * (a score, a polygon, attributes) is asked for by its own function.
 *
 * Coordinates: pixels, x to the right, y down, the origin at the top-left
 * corner of the top-left pixel; an image spans [0, width] x [0, height].
 */
#ifndef TENON_DATASET_H
#define TENON_DATASET_H

#include "tenon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Read a dataset, look at it, close it. Threads: immutable. */
typedef struct tn_dataset tn_dataset;

/** No row: an annotation without a class, one whose image does not exist. */
#define TN_NONE UINT32_MAX

/* --- rows ---------------------------------------------------------------- */

typedef enum tn_id_kind {
    TN_ID_NONE = 0, /* the format has none, or this row had none */
    TN_ID_INT = 1,
    TN_ID_TEXT = 2
} tn_id_kind;

/** An id as the file had it. */
typedef struct tn_id {
    tn_id_kind kind;
    int64_t number;   /* TN_ID_INT */
    const char *text; /* TN_ID_TEXT */
} tn_id;

/** Where a row was found. */
typedef struct tn_place {
    const char *file; /* NULL: nowhere, made by a program */
    uint64_t offset;  /* byte */
} tn_place;

typedef enum tn_state {
    TN_STATE_UNKNOWN = 0,   /* has no annotations; nothing says why */
    TN_STATE_EMPTY = 1,     /* was looked at and has none */
    TN_STATE_ANNOTATED = 2
} tn_state;

/** Which way up the coordinates are, when EXIF turns the image. */
typedef enum tn_frame {
    TN_FRAME_UNKNOWN = 0,
    TN_FRAME_RAW = 1,    /* as stored, EXIF orientation not applied */
    TN_FRAME_UPRIGHT = 2 /* as shown, EXIF orientation applied */
} tn_frame;

typedef struct tn_image_row {
    size_t struct_size;
    const char *name;   /* path with extension, as the dataset says it */
    const char *file;   /* path of the image file, NULL: not found, or inside
                           another file: tn_dataset_image_bytes() */
    tn_id id;
    int32_t width, height;         /* as the annotations say; 0: they do not */
    int32_t raw_width, raw_height; /* of the file's header; 0: not read */
    uint8_t orientation;           /* EXIF, 1 to 8; 0: not read */
    uint8_t frame;                 /* tn_frame */
    uint8_t state;                 /* tn_state */
    uint64_t splits;               /* bit s: is in split s */
    tn_place place;
} tn_image_row;

#define TN_IMAGE_ROW_INIT                                                          \
    {sizeof(tn_image_row), NULL, NULL, {TN_ID_NONE, 0, NULL}, 0, 0, 0, 0, 0, 0,    \
     0, 0, {NULL, 0}}

typedef struct tn_class_row {
    size_t struct_size;
    const char *name;
    const char *parent; /* supercategory, NULL: none */
    tn_id id;
    size_t n_keypoints; /* 0: not a keypoint class */
    tn_place place;
} tn_class_row;

#define TN_CLASS_ROW_INIT                                                          \
    {sizeof(tn_class_row), NULL, NULL, {TN_ID_NONE, 0, NULL}, 0, {NULL, 0}}

/** What an annotation has: bits of tn_annotation_row.flags. */
typedef enum tn_annotation_flag {
    TN_HAS_BOX = 1 << 0,
    TN_HAS_ANGLE = 1 << 1,     /* the box is turned by TN_NUM_ANGLE */
    TN_HAS_SHAPE = 1 << 2,     /* tn_dataset_shape() */
    TN_HAS_KEYPOINTS = 1 << 3, /* tn_dataset_keypoints() */
    TN_HAS_NUM = 1 << 4,       /* at least one of tn_num */
    TN_HAS_TEXT = 1 << 5,      /* at least one of tn_text */
    TN_IS_TAG = 1 << 6,        /* says something about the whole image */
    TN_IS_NEGATIVE = 1 << 7,   /* the class is known to be absent */
    TN_IS_CROWD = 1 << 8,      /* many objects in one (COCO), group (OID) */
    TN_IS_DIFFICULT = 1 << 9,
    TN_IS_TRUNCATED = 1 << 10,
    TN_IS_OCCLUDED = 1 << 11,
    TN_SAYS_CROWD = 1 << 12,   /* the file says whether, be it no */
    TN_EMPTY_SHAPE = 1 << 13   /* the file has a polygon list without any */
} tn_annotation_flag;

/** How the four numbers of a box are meant, as the file had them. */
typedef enum tn_box_form {
    TN_BOX_XYXY = 0,  /* left, top, right, bottom */
    TN_BOX_XYWH = 1,  /* left, top, width, height */
    TN_BOX_CXCYWH = 2 /* centre x, centre y, width, height */
} tn_box_form;

/** What one unit of a coordinate is. */
typedef enum tn_scale {
    TN_SCALE_PIXEL = 0,
    TN_SCALE_UNIT = 1,   /* 1 is the image's width or height */
    TN_SCALE_PERCENT = 2 /* 100 is */
} tn_scale;

typedef struct tn_annotation_row {
    size_t struct_size;
    uint32_t image;       /* TN_NONE: its image does not exist */
    uint32_t class_index; /* TN_NONE: has no class */
    uint32_t flags;       /* tn_annotation_flag */
    uint8_t box_form;     /* tn_box_form */
    uint8_t box_scale;    /* tn_scale */
    double box[4];        /* as the file had them; see tn_dataset_box() */
    tn_id id;
    tn_place place;
} tn_annotation_row;

#define TN_ANNOTATION_ROW_INIT                                                     \
    {sizeof(tn_annotation_row), TN_NONE, TN_NONE, 0, 0, 0, {0, 0, 0, 0},           \
     {TN_ID_NONE, 0, NULL}, {NULL, 0}}

/** Numbers that an annotation may have. */
typedef enum tn_num {
    TN_NUM_SCORE = 0, /* of a prediction, usually 0 to 1 */
    TN_NUM_AREA = 1,  /* in square pixels, as the file says */
    TN_NUM_ANGLE = 2, /* degrees clockwise about the box's centre */
    TN_NUM_TRACK = 3, /* the same object in other frames */
    TN_NUM_GROUP = 4, /* annotations that belong together in this image */
    TN_NUM_Z = 5,     /* order of drawing */
    TN_NUM_COUNT = 6
} tn_num;

/** Texts that an annotation, an image, a class or the dataset may have. */
typedef enum tn_text {
    TN_TEXT_ATTRIBUTES = 0, /* a JSON object */
    TN_TEXT_EXTRA = 1,      /* one member of JSON the format does not define:
                               "key": value; there may be several */
    TN_TEXT_CAPTION = 2,    /* a JSON string */
    TN_TEXT_COUNT = 3
} tn_text;

/** Bytes inside a file or a table of the dataset; not terminated. */
typedef struct tn_bytes {
    const char *data;
    size_t size;
} tn_bytes;

/* --- shapes -------------------------------------------------------------- */

typedef enum tn_shape_kind {
    TN_SHAPE_NONE = 0,
    TN_SHAPE_POLYGON = 1,  /* parts, each an outline and its holes */
    TN_SHAPE_POLYLINE = 2,
    TN_SHAPE_POINTS = 3,   /* unnamed points; named ones are keypoints */
    TN_SHAPE_QUAD = 4,     /* an oriented box by its four corners */
    TN_SHAPE_ELLIPSE = 5,  /* cx, cy, rx, ry [, degrees clockwise] */
    TN_SHAPE_CUBOID = 6,   /* eight projected corners */
    TN_SHAPE_RLE = 7,      /* runs, column by column */
    TN_SHAPE_MASK_FILE = 8 /* pixels of one value in an image file */
} tn_shape_kind;

/**
 * A shape made explicit: zero it (struct_size set) before its first use, hand
 * it to any number of calls, give it back with tn_shape_fini().
 * Threads: exclusive.
 */
typedef struct tn_shape {
    size_t struct_size;
    tn_shape_kind kind;
    const double *xy;          /* 2 * n_points numbers, in pixels */
    size_t n_points;
    const size_t *ring_ends;   /* n_rings: one behind each ring's last point */
    const uint8_t *ring_holes; /* n_rings: 1 for a hole of the part before */
    size_t n_rings;
    const uint8_t *visible;    /* keypoints: 0 not labelled, 1 hidden, 2 seen;
                                  NULL where the file does not say */
    int64_t width, height;     /* RLE: of the mask */
    const uint32_t *runs;      /* RLE: pixels off, on, off, ... */
    size_t n_runs;
    tn_bytes text;             /* MASK_FILE: its name */
    void *memory;
    size_t memory_size;
} tn_shape;

#define TN_SHAPE_INIT                                                          \
    {sizeof(tn_shape), TN_SHAPE_NONE, NULL, 0, NULL, NULL, 0, NULL, 0, 0,      \
     NULL, 0, {NULL, 0}, NULL, 0}

/* --- reading ------------------------------------------------------------- */

typedef struct tn_dataset_opts {
    size_t struct_size;
    const char *format;        /* NULL: the one that recognises it best */
    const char *variant;       /* of the format, "segment"; NULL: by content */
    const char *images;        /* folder of the images, NULL: where the format
                                  keeps them */
    const tn_limits *limits;   /* NULL: defaults */
    const tn_allocator *allocator;
    /* Called now and then with how much is done; nonzero cancels. */
    int (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *progress_ctx;
    uint32_t flags; /* tn_dataset_flag */
    /* For formats of many files; 0: one for each processor that the process may
     * use. What is read does not depend on it, and `progress` is called by the
     * caller's thread only. */
    int n_threads;
} tn_dataset_opts;

typedef enum tn_dataset_flag {
    TN_DATASET_NO_HEADERS = 1 << 0, /* do not open image files for their size;
                                       what needs it is an error */
    TN_DATASET_NO_RESIDUE = 1 << 1  /* do not look for a residue sidecar */
} tn_dataset_flag;

#define TN_DATASET_OPTS_INIT                                                   \
    {sizeof(tn_dataset_opts), NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0}

/**
 * Reads the dataset at `path`, a file or a folder. Files it is made of stay
 * mapped until tn_dataset_close() and must not be changed meanwhile. Nothing a
 * dataset says is executed or fetched.
 *
 * @return TN_OK, TN_ENOTFOUND, TN_EFORMAT (err says file, place, what was
 *         found and expected), TN_EUNSUPPORTED (no format recognises it),
 *         TN_EINVAL (no such format; two recognise it equally well), TN_ELIMIT,
 *         TN_ECANCELED
 */
TN_API TN_NODISCARD tn_status tn_dataset_open(tn_dataset **out,
                                              const char *path,
                                              const tn_dataset_opts *opts,
                                              tn_err *err);
TN_API void tn_dataset_close(tn_dataset *d);

typedef struct tn_dataset_info {
    size_t struct_size;
    const char *path, *format, *variant; /* variant NULL: has none */
    size_t n_images, n_annotations, n_classes, n_splits, n_files, n_notes;
    uint64_t memory_bytes; /* held now, mapped files not counted */
} tn_dataset_info;

#define TN_DATASET_INFO_INIT                                                   \
    {sizeof(tn_dataset_info), NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0}

TN_API void tn_dataset_get_info(const tn_dataset *d, tn_dataset_info *info);

/* Rows. TN_EINVAL when i is not one; what a row points to is the dataset's. */
TN_API TN_NODISCARD tn_status tn_dataset_image(const tn_dataset *d, size_t i,
                                               tn_image_row *row);
TN_API TN_NODISCARD tn_status tn_dataset_annotation(const tn_dataset *d,
                                                    size_t i,
                                                    tn_annotation_row *row);
TN_API TN_NODISCARD tn_status tn_dataset_class(const tn_dataset *d, size_t i,
                                               tn_class_row *row);
/** Name of split s, NULL outside. At most 64 splits. */
TN_API const char *tn_dataset_split(const tn_dataset *d, size_t s);
/** Name of keypoint k of a class, NULL where it has none. */
TN_API const char *tn_dataset_keypoint_name(const tn_dataset *d, size_t cls,
                                            size_t k);

/** The annotations of an image, in the order of the file; *n how many. */
TN_API const uint32_t *tn_dataset_of_image(const tn_dataset *d, size_t image,
                                           size_t *n);

/**
 * Left, top, right and bottom of an annotation in pixels; the box around the
 * shape where it has no box of its own. False when it has neither, or when its
 * numbers are relative and the image's size is not known.
 */
TN_API int tn_dataset_box(const tn_dataset *d, size_t annotation, double box[4]);

/**
 * The annotation's shape, made explicit. A box that is turned gives its four
 * corners (TN_SHAPE_QUAD). TN_ENOTFOUND when it has none, TN_EFORMAT when its
 * text is broken, TN_EUNSUPPORTED when it is relative to an unknown size.
 */
TN_API TN_NODISCARD tn_status tn_dataset_shape(const tn_dataset *d,
                                               size_t annotation,
                                               tn_shape *shape, tn_err *err);
/** Which kind of shape it has, TN_SHAPE_NONE without one; reads no numbers. */
TN_API tn_shape_kind tn_dataset_shape_kind(const tn_dataset *d,
                                           size_t annotation);
/** The annotation's keypoints, likewise: one point per name of its class. */
TN_API TN_NODISCARD tn_status tn_dataset_keypoints(const tn_dataset *d,
                                                   size_t annotation,
                                                   tn_shape *shape,
                                                   tn_err *err);
TN_API void tn_shape_fini(tn_shape *shape);

/** A number of an annotation; false when it has none of this kind. */
TN_API int tn_dataset_num(const tn_dataset *d, size_t annotation, tn_num kind,
                          double *out);
/** Text k of this kind of an annotation or image; data NULL past the last. */
TN_API tn_bytes tn_dataset_text(const tn_dataset *d, size_t annotation,
                                tn_text kind, size_t k);
TN_API tn_bytes tn_dataset_image_text(const tn_dataset *d, size_t image,
                                      tn_text kind, size_t k);

/**
 * The encoded image, where it lies inside a file of the dataset (a record, an
 * archive) instead of one of its own: mapped, not loaded. data NULL elsewhere.
 */
TN_API tn_bytes tn_dataset_image_bytes(const tn_dataset *d, size_t image);

/** Something the reader met that is worth knowing and did not stop it. */
typedef struct tn_note {
    size_t struct_size;
    const char *code;    /* "orphan-image", stable */
    const char *message; /* one sentence about the first case */
    uint64_t count;
    tn_place place;      /* of the first case */
} tn_note;

#define TN_NOTE_INIT {sizeof(tn_note), NULL, NULL, 0, {NULL, 0}}

TN_API TN_NODISCARD tn_status tn_dataset_note(const tn_dataset *d, size_t i,
                                              tn_note *note);

/* --- writing ------------------------------------------------------------- */

/** A kind of thing that the target cannot hold, counted in this dataset. */
typedef struct tn_loss {
    size_t struct_size;
    const char *code;    /* "holes", stable */
    const char *message; /* what becomes of them */
    uint64_t count;
    int allowed;
} tn_loss;

#define TN_LOSS_INIT {sizeof(tn_loss), NULL, NULL, 0, 0}

typedef enum tn_files {
    TN_FILES_LINK = 0, /* hard links, copies where there can be none: across
                          devices, out of a record or an archive */
    TN_FILES_COPY = 1,
    TN_FILES_NONE = 2  /* left where they are; a format that holds images
                          itself has empty ones */
} tn_files;

typedef struct tn_convert_opts {
    size_t struct_size;
    const char *format;     /* to write; required */
    const char *variant;    /* NULL: the one that loses least */
    tn_files images;
    const char *allow_loss; /* codes with commas, "all"; NULL: none */
    uint32_t flags;         /* tn_convert_flag */
    int (*progress)(void *ctx, const char *stage, uint64_t done,
                    uint64_t total);
    void *progress_ctx;
    /* Of formats that are written in shards: a new one begins before the image
     * that would exceed either. 0: the format's own (docs/reference). */
    uint64_t shard_bytes, shard_images;
    /* 0: one for each processor that the process may use. What is written does
     * not depend on it. `progress` is called by the caller's thread only. */
    int n_threads;
} tn_convert_opts;

typedef enum tn_convert_flag {
    TN_CONVERT_NO_RESIDUE = 1 << 0, /* write no sidecar for what is lost */
    TN_CONVERT_NO_VERIFY = 1 << 1,  /* do not read back and compare */
    TN_CONVERT_OVERWRITE = 1 << 2,  /* replace what is there */
    TN_CONVERT_DRY_RUN = 1 << 3     /* plan only */
} tn_convert_flag;

#define TN_CONVERT_OPTS_INIT                                                   \
    {sizeof(tn_convert_opts), NULL, NULL, TN_FILES_LINK, NULL, 0, NULL, NULL,  \
     0, 0, 0}

/** What a conversion did, or would do. Threads: exclusive. */
typedef struct tn_conversion tn_conversion;

/**
 * Writes `d` to `path` in another format: counts what it would lose, refuses
 * (TN_EUNSUPPORTED) unless all of it is allowed, writes beside the target,
 * reads that back, compares, and renames it. `*out` tells the losses also when
 * that fails; free it with tn_conversion_free().
 *
 * @return TN_OK, TN_EUNSUPPORTED (losses not allowed), TN_EINVAL (no such
 *         format, or it cannot be written), TN_EIO, TN_EBUSY (the target
 *         exists), TN_EINTERNAL (what was written reads back differently)
 */
TN_API TN_NODISCARD tn_status tn_dataset_convert(tn_conversion **out,
                                                 const tn_dataset *d,
                                                 const char *path,
                                                 const tn_convert_opts *opts,
                                                 tn_err *err);
TN_API void tn_conversion_free(tn_conversion *c);

typedef struct tn_conversion_info {
    size_t struct_size;
    const char *format, *variant;
    size_t n_losses;
    size_t n_files, n_images_written; /* label files; copied or linked images */
    uint64_t bytes;                   /* of the label files */
    size_t n_renamed;                 /* images whose names collided */
    int verified;                     /* read back and equal */
    double max_corner_error;          /* pixels, over all that was compared */
    uint64_t n_compared;
    const char *residue;              /* path of the sidecar, NULL: none */
} tn_conversion_info;

#define TN_CONVERSION_INFO_INIT                                                \
    {sizeof(tn_conversion_info), NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, NULL}

TN_API void tn_conversion_get_info(const tn_conversion *c,
                                   tn_conversion_info *info);
TN_API TN_NODISCARD tn_status tn_conversion_loss(const tn_conversion *c,
                                                 size_t i, tn_loss *loss);

#ifdef __cplusplus
}
#endif

#endif /* TENON_DATASET_H */

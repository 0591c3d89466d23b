/* SPDX-License-Identifier: Apache-2.0 */
/* tfod.h - the parts of the TFRecord object detection format */
#ifndef TN_SRC_DATA_FORMATS_TFOD_H
#define TN_SRC_DATA_FORMATS_TFOD_H

#include "data/formats/coco.h"
#include "data/formats/jsonfile.h"
#include "data/tfrecord.h"

/* --- names of files -------------------------------------------------------- */

/* "train-00000-of-00010.tfrecord": what it is a shard of, and which one. */
typedef struct tni_shard_name {
    size_t stem;       /* length of what is left without shard and ending */
    uint32_t nth, all; /* all 0: not a shard */
    bool ending;       /* ends like a file of records */
} tni_shard_name;

/* False for a name that neither ends like records nor like a shard. */
bool tni_shard_name_read(tni_shard_name *out, const char *name);
/* --- the label map --------------------------------------------------------- */

typedef struct tni_label {
    int64_t id;
    const char *name;          /* of the dataset, as is all below */
    const char *display;       /* NULL: has none of its own */
    const char *const *points; /* names of keypoints, NULL: none */
    uint32_t n_points;
    uint64_t where;
} tni_label;

/* Items of a label map in the order of the file. What is in it besides id,
 * names and keypoints is noted. */
tn_status tni_tfod_labels_read(tni_reader *r, const char *path,
                               tni_label **labels, size_t *n, tn_err *err);
/* All classes; `ids` as they go into the records. */
tn_status tni_tfod_labels_write(tni_writer *w, const char *name,
                                const int64_t *ids, tn_err *err);

/* --- records --------------------------------------------------------------- */

/* Whether the API gives a feature of this key a meaning that is read here. */
bool tni_tfod_known(const char *key, size_t len);

/* What the classes of objects are numbered by in records: ids of the dataset
 * when they are whole numbers from 1 and unique, else 1, 2, 3 ... False for
 * the latter. */
bool tni_tfod_ids(const tn_dataset *d, int64_t *ids);

/* Kinds of annotations in the order in which a record holds them. */
typedef enum tni_tfod_kind {
    TNI_TFOD_OBJECT = 0,
    TNI_TFOD_TAG = 1,
    TNI_TFOD_CAPTION = 2,
    TNI_TFOD_NOTHING = 3 /* nothing a record has a place for */
} tni_tfod_kind;

tni_tfod_kind tni_tfod_kind_of(const tn_dataset *d, uint32_t ann,
                               const tni_ann *a, tn_shape *scratch);

/* Keypoints in parts of the image, in pixels where they are kept so. */
tn_status tni_tfod_points(const tn_dataset *d, uint32_t ann, tn_shape *shape,
                          bool *pixels, tn_err *err);

/* A member "key": value that one feature can hold. */
typedef struct tni_tfod_member {
    tni_span key, value; /* key without quotes, as it is written */
    tni_feature_kind kind;
    bool list;
} tni_tfod_member;

/* False when it is nothing a feature can hold. */
bool tni_tfod_member_read(tni_tfod_member *out, tni_span member);

/* What of the dataset records hold besides what they always do: FEATURES that
 * keeps must lose. */
uint64_t tni_tfod_lost(const tn_dataset *d);

/* --- reading ---------------------------------------------------------------- */

/* One reader, its file and its record. */
typedef struct tni_tfod {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_classes classes;
    tni_draft *draft;
    tni_arena temp;        /* until the record is done */
    tni_idmap ids;         /* of the label map in use: id to class */
    tni_strmap displays;   /* and its display names */
    const char *label_map; /* its path, NULL: none */
    bool mapped;           /* any was read */
    /* of the file */
    uint32_t source, split; /* split TN_NONE: none */
    const char *start, *path, *stem;
    const char *folders[3]; /* of images that are not in the records */
    uint32_t nth;           /* record, from 1 */
    /* of the record */
    uint64_t at;
    tni_example_feature *f;
    size_t n;
    uint32_t image;
    size_t n_objects;
} tni_tfod;

/* The feature of this kind, NULL when it is absent or empty; `want` values of
 * it, 0: any number. */
tn_status tni_tfod_get(const tni_tfod *t, const char *key,
                       tni_feature_kind kind, size_t want,
                       const tni_example_feature **out);
/* Whether the key is there, be its list empty. */
bool tni_tfod_has(const tni_tfod *t, const char *key);
/* All values in the temporary arena; NULL when it is absent or empty. */
tn_status tni_tfod_floats(tni_tfod *t, const char *key, size_t want,
                          const float **out);
tn_status tni_tfod_ints(tni_tfod *t, const char *key, size_t want,
                        const int64_t **out);
tn_status tni_tfod_texts(tni_tfod *t, const char *key, size_t want,
                         const tni_bytes **out);

/* Objects, classes of the image and captions of the record. */
tn_status tni_tfod_read_objects(tni_tfod *t);

tn_status tni_tfod_read(tni_reader *r, tn_err *err);
tn_status tni_tfod_write(tni_writer *w, tn_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* openimages.h - what reading and writing Open Images share */
#ifndef TN_SRC_DATA_FORMATS_OPENIMAGES_H
#define TN_SRC_DATA_FORMATS_OPENIMAGES_H

#include "data/csv.h"
#include "data/formats/jsonfile.h"
#include "data/records.h"

/* The tables, by their columns; the order is the one they are read in. */
typedef enum tni_oi_kind {
    TNI_OI_NONE = 0,
    TNI_OI_CLASSES,   /* LabelName, DisplayName; a header or none */
    TNI_OI_IMAGES,    /* ImageID, Subset, OriginalURL, ..., Rotation */
    TNI_OI_BOXES,     /* ..., XMin, XMax, YMin, YMax, ... */
    TNI_OI_LABELS,    /* ImageID, Source, LabelName, Confidence */
    TNI_OI_MASKS,     /* MaskPath, ImageID, LabelName, ... */
    TNI_OI_RELATIONS, /* LabelName1, LabelName2, ..., RelationshipLabel */
    TNI_OI_KINDS
} tni_oi_kind;

tni_oi_kind tni_oi_kind_of(const tni_csv *first);

/* Flags of boxes in the order of their columns; which are flags of the model
 * and which are attributes. */
enum { TNI_OI_N_FLAGS = 5 };
typedef struct tni_oi_flag {
    const char *name;
    uint32_t flag; /* 0: an attribute */
} tni_oi_flag;
extern const tni_oi_flag tni_oi_flags[TNI_OI_N_FLAGS];

/* Columns that have a meaning, and so are no extras. */
bool tni_oi_is_column(const char *name);
bool tni_oi_is_image_column(const char *name);

#define TNI_OI_RELATIONS_KEY "relationships"
#define TNI_OI_HIERARCHY     "hierarchy"

/* The extensions that are tried for an image known by its id. */
extern const char *const tni_oi_extensions[];

/* --- reading ------------------------------------------------------------- */

enum { TNI_OI_ROOTS = 8 };

typedef enum tni_oi_column {
    TNI_OI_C_IMAGE,
    TNI_OI_C_SOURCE,
    TNI_OI_C_LABEL,
    TNI_OI_C_CONFIDENCE,
    TNI_OI_C_XMIN,
    TNI_OI_C_YMIN,
    TNI_OI_C_XMAX,
    TNI_OI_C_YMAX,
    TNI_OI_C_FLAGS,
    TNI_OI_C_MASK = TNI_OI_C_FLAGS + TNI_OI_N_FLAGS,
    TNI_OI_C_SUBSET,
    TNI_OI_C_ROTATION,
    TNI_OI_N_COLUMNS
} tni_oi_column;

typedef struct tni_oi_table {
    const char *path, *split; /* split NULL: none by its name or folder */
    tni_oi_kind kind;
} tni_oi_table;

/* Relationships of an image, one after the other. */
typedef struct tni_oi_relation {
    struct tni_oi_relation *next;
    tni_span text;
} tni_oi_relation;

typedef struct tni_oi {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_strmap images;  /* id to row + 1 */
    tni_strmap labels;  /* LabelName to class + 1 */
    tni_strmap related; /* id to list of relations */
    tni_classes classes;
    tni_draft *draft;
    tni_oi_table *tables;
    size_t n_tables;
    const char *roots[TNI_OI_ROOTS + 1];
    uint32_t roots_of; /* the split they are for */
    bool described, has_roots;
    /* The table at hand. */
    tni_arena lines;
    tni_csv c;
    int32_t at[TNI_OI_N_COLUMNS];
    const char **names;
    size_t n_names;
    uint32_t source, split;
    const tni_oi_table *t;
} tni_oi;

/* Reads a table into the dataset. */
tn_status tni_oi_read_table(tni_oi *o, const tni_oi_table *t);

tn_status tni_oi_read(tni_reader *r, tn_err *err);
uint64_t tni_oi_plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant);
tn_status tni_oi_write(tni_writer *w, tn_err *err);

#endif

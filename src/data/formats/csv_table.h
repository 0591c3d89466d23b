/* SPDX-License-Identifier: Apache-2.0 */
/* csv_table.h - CSV manifests: what the columns of a table mean */
#ifndef TN_SRC_DATA_FORMATS_CSV_TABLE_H
#define TN_SRC_DATA_FORMATS_CSV_TABLE_H

#include "data/csv.h"
#include "data/records.h"

/* What a column says. The four of a box are in the order of the model's forms:
 * left, top, right, bottom; left, top, width, height; centre, width, height. */
typedef enum tni_col_role {
    TNI_COL_EXTRA = 0,
    TNI_COL_IMAGE,
    TNI_COL_CLASS,
    TNI_COL_WIDTH, /* of the image */
    TNI_COL_HEIGHT,
    TNI_COL_BBOX, /* four numbers in one field */
    TNI_COL_SCORE,
    TNI_COL_SPLIT,
    TNI_COL_BOX0,
    TNI_COL_BOX1,
    TNI_COL_BOX2,
    TNI_COL_BOX3,
    TNI_COL_COUNT
} tni_col_role;

typedef enum tni_table_kind {
    TNI_TABLE_NONE = 0, /* not a table of images */
    TNI_TABLE_ROWS,     /* a row for every annotation */
    TNI_TABLE_ONE_HOT,  /* a column for every class */
    TNI_TABLE_AUTOML,   /* [set,] path, label, corners; no header */
    TNI_TABLE_MAPPING   /* class, number; no header */
} tni_table_kind;

/* How boxes may be meant: a bit for each form and scale. */
#define TNI_MEANS(form, unit) (1u << ((unsigned)(form)*2 + (unsigned)(unit)))
enum { TNI_N_MEANINGS = 6 };

typedef struct tni_table {
    tni_table_kind kind;
    bool header, no_memory; /* nothing is known: memory was out */
    size_t n_columns;
    int32_t at[TNI_COL_COUNT]; /* column of each role, -1: none */
    uint8_t *roles;            /* of each column */
    const char **names;        /* of each column; NULL without a header */
    uint32_t meanings;         /* of TNI_MEANS; 0: no boxes */
} tni_table;

/*
 * What the columns mean, by the record that was read first and, where that is
 * no header, the shape of it. `file` is the name of the file. False when memory
 * is out.
 */
bool tni_table_of(tni_table *t, const tni_csv *first, const char *file,
                  tni_arena *arena);
/* The same of the first bytes of a file, which may end anywhere. */
tni_table_kind tni_table_probe(tni_table *t, tni_span head, const char *file,
                               tni_arena *arena);
/* Whether a column called so would be taken for more than an extra. */
bool tni_table_has_role(const char *name);

/* The form and scale a variant stands for, 0: it says nothing of boxes. */
uint32_t tni_csv_meaning(const char *variant);
/* The word in a file's name that names a split ("train_labels.csv"). */
bool tni_csv_split_of(const char *file, tni_span *split);

/* A file and, once read, its annotations. */
typedef struct tni_csv_part {
    const char *path, *name, *split; /* split NULL: none by its place */
    const char *variant;             /* NULL: by what its boxes mean */
    tni_table_kind kind;
    bool has_sets, by_name; /* splits by row; the split is in the name */
    uint32_t meanings, first, end;
} tni_csv_part;

/* Gives the boxes of all parts their form and scale: `meaning`, or the one
 * their columns and numbers leave (0). TN_EINVAL, naming the choices, when more
 * than one is left. */
tn_status tni_csv_settle(tn_dataset *d, tni_csv_part *parts, size_t n_parts,
                         uint32_t meaning, tn_err *err);

tn_status tni_csv_read(tni_reader *r, tn_err *err);
uint64_t tni_csv_plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                      const char **variant);
tn_status tni_csv_write(tni_writer *w, tn_err *err);

#endif

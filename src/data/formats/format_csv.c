/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_csv.c - CSV manifests: tables of images, classes and boxes
 *
 * The tables people have, told apart by the names of their columns: TensorFlow
 * and Roboflow (filename,width,height,class,xmin,ymin,xmax,ymax), VoTT, Kaggle
 * (x,y,w,h, or a column bbox with four numbers), a column for every class
 * (Roboflow's _classes.csv), file and class; and without a header by their
 * shape: keras-retinanet (path,x1,y1,x2,y2,class, its list of classes, rows of
 * images without objects) and AutoML (set,path,label,corners). Separated by
 * commas, semicolons or tabs.
 *
 * What the columns and numbers leave open (pixels or parts of the image, corners
 * or size) is never guessed: the variant must say it. A column "split" and
 * names of files and folders give the splits.
 *
 * Source: github.com/fizyr/keras-retinanet (CSV datasets), github.com/datitran/
 *         raccoon_dataset, docs.cloud.google.com/vertex-ai (CSV import files),
 *         Roboflow exports
 */
#include "data/formats/csv_table.h"

static int score(tni_reader *r, tni_span head, const char *path)
{
    tni_table t;
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    if (!tni_ends_with(name, ".csv") && !tni_ends_with(name, ".tsv") &&
        !tni_ends_with(name, ".txt"))
        return 0;
    switch (tni_table_probe(&t, head, name, &r->scratch)) {
    case TNI_TABLE_ROWS:
        /* Lists of images and numbers in .txt are other formats' too. */
        return tni_ends_with(name, ".txt") ? (t.header ? 55 : 0)
               : t.header                  ? 70
                                           : 60;
    case TNI_TABLE_ONE_HOT:
        return tni_ends_with(name, "_classes.csv") ? 75 : 55;
    case TNI_TABLE_AUTOML: return 75;
    default: return 0;
    }
}

static int best_of(const tni_probe *p, const char *folder,
                   const tni_dir_entry *e, size_t n)
{
    int best = 0, tried = 0;
    for (size_t i = 0; i < n && tried < 16; i++) {
        if (e[i].is_dir || e[i].name[0] == '.' ||
            (!tni_ends_with(e[i].name, ".csv") &&
             !tni_ends_with(e[i].name, ".tsv")))
            continue;
        const char *path = tni_join(p->r, folder, e[i].name);
        if (path == NULL) return 0;
        tried++;
        const int found = score(p->r, tni_probe_head(p, path), path);
        if (found > best) best = found;
    }
    return best;
}

static int probe(const tni_probe *p)
{
    if (!p->is_dir) return score(p->r, p->head, p->path);
    int best = best_of(p, p->path, p->entries, p->n_entries), tried = 0;
    for (size_t i = 0; i < p->n_entries && tried < 16; i++) {
        const tni_dir_entry *e = NULL;
        size_t n = 0;
        if (!p->entries[i].is_dir || p->entries[i].name[0] == '.') continue;
        const char *sub = tni_join(p->r, p->path, p->entries[i].name);
        if (sub == NULL || tni_list(p->r, sub, &e, &n, NULL) != TN_OK) return 0;
        tried++;
        const int found = best_of(p, sub, e, n);
        if (found > best) best = found;
    }
    return best;
}

static bool names_split(const char *file, const char *split)
{
    tni_span word;
    return tni_csv_split_of(file, &word) && tni_span_is(word, split);
}

const tni_format tni_format_csv = {
    .name = "csv",
    .title = "CSV tables",
    .files = "*.csv",
    .source = "https://github.com/fizyr/keras-retinanet#csv-datasets",
    .variants = "tensorflow retinanet kaggle automl multiclass classification "
                "xyxy xywh cxcywh xyxy-unit xywh-unit cxcywh-unit",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(TAG) | TNI_KEEPS(CLASSLESS) |
             TNI_KEEPS(SCORE) | TNI_KEEPS(EXTRA) | TNI_KEEPS(SIZE) |
             TNI_KEEPS(SPLIT) | TNI_KEEPS(EMPTY) | TNI_KEEPS(UNKNOWN) |
             TNI_KEEPS(UNUSED) | TNI_KEEPS(CLASS_ORDER) | TNI_KEEPS(NO_SIZE) |
             TNI_KEEPS(CLASS_ID),
    .flags = TNI_FORMAT_ONE_FILE | TNI_FORMAT_SEEN_CLASSES,
    .probe = probe,
    .read = tni_csv_read,
    .plan = tni_csv_plan,
    .names_split = names_split,
    .write = tni_csv_write,
};

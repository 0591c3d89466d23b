/* SPDX-License-Identifier: Apache-2.0 */
/*
 * one.h - an image at a time of a dataset whose annotations stay in its files
 *
 * What is read back only to be compared needs no tables of its own: formats
 * with a file for each image read the images and classes, and leave the
 * annotations where they are. Memory then is that of an image.
 */
#ifndef TN_SRC_DATA_ONE_H
#define TN_SRC_DATA_ONE_H

#include "data/formats/format.h"

/* Threads: exclusive; one per thread looks at the same dataset. */
typedef struct tni_one {
    const tn_dataset *whole;
    tn_dataset *d; /* the image, as its row 0, and what it has */
    void *state;   /* of the format, in d's arena */
    tni_file_map map;
    char text[64 << 10];
} tni_one;

/* Reads as tn_dataset_open does; annotations are left in their files where the
 * format can do so and `leave` is set: then (*out)->left is not NULL. */
tn_status tni_dataset_read(tn_dataset **out, const char *path,
                           const tn_dataset_opts *opts, bool leave,
                           tn_err *err);

/* For a dataset that was left so. */
tn_status tni_one_init(tni_one *o, const tn_dataset *whole, tn_err *err);
void tni_one_fini(tni_one *o);
/* Turns to another image; what o->d had is gone. */
tn_status tni_one_read(tni_one *o, uint32_t image, tn_err *err);
/* For formats: a file, valid until the next image. *there false: there is none,
 * which is no error. */
tn_status tni_one_file(tni_one *o, const char *path, tni_span *text,
                       bool *there, tn_err *err);

#endif

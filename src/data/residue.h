/* SPDX-License-Identifier: Apache-2.0 */
/*
 * residue.h - the sidecar that keeps what a format could not
 *
 * A text file beside the converted dataset, a JSON object per line: first what
 * belongs to the dataset (classes, fields), then one line per image that lost
 * anything. An annotation is found again by its number among those of its
 * image; a hash of what was written says whether somebody has changed it since,
 * and then it is left alone.
 */
#ifndef TN_SRC_DATA_RESIDUE_H
#define TN_SRC_DATA_RESIDUE_H

#include "data/formats/format.h"

/* Writes the sidecar of what `w` wrote and `back` is when read again; matches
 * is by source image: its row in `back`. */
tn_status tni_residue_write(const tni_writer *w, const tn_dataset *back,
                            const uint32_t *matches, const char *path,
                            tn_err *err);

/* Looks for a sidecar beside what the reader read and puts back what it has. */
tn_status tni_residue_read(tni_reader *r, tn_err *err);

/* Where the sidecar of a target lies. */
char *tni_residue_path(tni_arena *arena, const char *target, bool one_file);

/* A number for what an annotation of a file says, the same on every machine. */
uint64_t tni_ann_hash(const tn_dataset *d, uint32_t ann);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* names.h - names of images that are safe and unique in a target */
#ifndef TN_SRC_DATA_NAMES_H
#define TN_SRC_DATA_NAMES_H

#include "data/formats/format.h"

/*
 * A name for every image: as it is where it can be. One that leads out of the
 * folder loses what does ("..", a leading slash, a drive); one that another
 * image of the same split (`merged`: of any) has, whatever the case of its
 * letters (and, `stems`, without its extension), gets eight digits behind its
 * stem. What a name becomes depends on the dataset's order alone. *n_changed
 * counts them.
 */
tn_status tni_names_make(const char ***out, size_t *n_changed,
                         const tn_dataset *d, bool stems, bool merged,
                         tni_arena *arena, tn_err *err);

#endif

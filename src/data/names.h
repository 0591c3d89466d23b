/* SPDX-License-Identifier: Apache-2.0 */
/* names.h - names of files and of images in a target */
#ifndef TN_SRC_DATA_NAMES_H
#define TN_SRC_DATA_NAMES_H

#include "data/formats/format.h"

/* Length of a name without its extension; a name that begins with its only dot
 * has none. */
size_t tni_stem_len(const char *name);

typedef struct tni_names_rule {
    bool stems;   /* names must differ without their extensions too */
    bool merged;  /* images of all splits lie in one folder */
    bool files;   /* names become files: on some systems A.jpg is a.jpg */
    bool endings; /* a name without an image's ending gets that of its file */
} tni_names_rule;

/*
 * A name for every image: as it is where it can be. One that leads out of the
 * folder loses what does ("..", a leading slash, a drive); one that another
 * image has, by the rule, gets eight digits behind its stem. What a name
 * becomes depends on the dataset's order alone. *n_changed counts them.
 */
tn_status tni_names_make(const char ***out, size_t *n_changed,
                         const tn_dataset *d, const tni_names_rule *rule,
                         tni_arena *arena, tn_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* hf_metadata.h - what reading and writing Hugging Face metadata share */
#ifndef TN_SRC_DATA_FORMATS_HF_METADATA_H
#define TN_SRC_DATA_FORMATS_HF_METADATA_H

#include "data/formats/jsonfile.h"

/* What a member of a row, or of an object, says. */
typedef enum tni_hf_role {
    TNI_HF_EXTRA = 0,
    TNI_HF_FILE,
    TNI_HF_OBJECTS,
    TNI_HF_LABEL,
    TNI_HF_TEXT,
    TNI_HF_WIDTH,
    TNI_HF_HEIGHT,
    TNI_HF_IMAGE_ID,
    TNI_HF_BBOX, /* of objects from here on */
    TNI_HF_CATEGORY,
    TNI_HF_ID,
    TNI_HF_AREA,
    TNI_HF_SCORE,
    TNI_HF_CROWD
} tni_hf_role;

tni_hf_role tni_hf_row_role(tni_span key);
tni_hf_role tni_hf_object_role(tni_span key);
/* Which of load_dataset's splits (0 train, 1 validation, 2 test) a folder or
 * the front of a path is called like; -1: none. */
int tni_hf_split(tni_span name);

/* Names of numbered classes, NULL: none. */
typedef struct tni_hf_names {
    const char **names;
    size_t n;
} tni_hf_names;

/* Files of a split: those whose path below the card's folder matches. */
typedef struct tni_hf_files {
    const char *pattern, *split;
} tni_hf_files;

/* What the card (README.md) says. */
typedef struct tni_hf_card {
    tni_hf_names objects, labels; /* of `objects`, of labels */
    const char *unsplit; /* the folder of images in no split; NULL: none */
    tni_hf_files *files;
    size_t n_files;
} tni_hf_card;

#define TNI_HF_UNSPLIT "tenon_unsplit"

/* A card that cannot be read is a note. */
tn_status tni_hf_read_card(tni_reader *r, const char *folder, tni_hf_card *card,
                           tn_err *err);

/* Whether a path matches a pattern as load_dataset takes it: ** for any
 * folders, * and ? and [...] within a name. */
bool tni_hf_match(const char *pattern, const char *path);
/* The split the card has a file in; NULL: the card says nothing of it. */
const char *tni_hf_card_split(const tni_hf_card *card, const char *path);
/* Whether a split of the card is the one the folder is called after. */
bool tni_hf_same_split(const char *folder, const char *split);

tn_status tni_hf_read(tni_reader *r, tn_err *err);
uint64_t tni_hf_plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant);
tn_status tni_hf_write(tni_writer *w, tn_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* pair.h - an annotation as it was meant and as it reads back */
#ifndef TN_SRC_DATA_PAIR_H
#define TN_SRC_DATA_PAIR_H

#include "data/dataset.h"

typedef enum tni_side { TNI_MEANT = 0, TNI_BACK = 1 } tni_side;

/* A shape that is read when it is first asked for, once for all who ask. */
typedef struct tni_read_shape {
    tn_shape shape;
    tn_status status;
    bool read;
} tni_read_shape;

/* Threads: exclusive; one per thread looks at the same datasets. */
typedef struct tni_pair {
    const tn_dataset *sides[2];
    uint32_t rows[2]; /* TN_NONE: not there */
    tni_read_shape shapes[2], keypoints[2];
} tni_pair;

void tni_pair_init(tni_pair *p, const tn_dataset *meant,
                   const tn_dataset *back);
void tni_pair_fini(tni_pair *p);
/* Turns to another annotation. */
void tni_pair_set(tni_pair *p, uint32_t meant, uint32_t back);

/* As tn_dataset_shape, _keypoints and _box have them; valid until the next
 * tni_pair_set. The first to ask gets the words of an error. */
tn_status tni_pair_shape(tni_pair *p, tni_side side, const tn_shape **shape,
                         tn_err *err);
tn_status tni_pair_keypoints(tni_pair *p, tni_side side, const tn_shape **shape,
                             tn_err *err);
bool tni_pair_box(tni_pair *p, tni_side side, double box[4]);

#endif

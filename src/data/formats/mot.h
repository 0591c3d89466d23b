/* SPDX-License-Identifier: Apache-2.0 */
/* mot.h - the parts of the MOT format */
#ifndef TN_SRC_DATA_FORMATS_MOT_H
#define TN_SRC_DATA_FORMATS_MOT_H

#include "data/records.h"

/* Whether a folder has gt/gt.txt, det/det.txt or seqinfo.ini. */
bool tni_mot_is_sequence(tni_reader *r, const char *folder);

tn_status tni_mot_read(tni_reader *r, tn_err *err);

uint64_t tni_mot_plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                      const char **variant);
/* Frames are called after their numbers, which count from 1. */
tn_status tni_mot_rename(const tn_dataset *d, const char **names,
                         tni_arena *arena, tn_err *err);
tn_status tni_mot_write(tni_writer *w, tn_err *err);

#endif

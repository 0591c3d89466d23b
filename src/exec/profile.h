/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h - time per operator of a run context */
#ifndef TN_SRC_EXEC_PROFILE_H
#define TN_SRC_EXEC_PROFILE_H

#include "exec/frame.h"
#include "tenon/session.h"

typedef struct tni_profile_entry {
    tn_profile_row pub;
    char op[96], detail[192];
} tni_profile_entry;

typedef struct tni_profile {
    tni_arena arena;
    tni_profile_entry *rows; /* one per step */
    int n_rows;
} tni_profile;

void tni_profile_init(tni_profile *p, tni_mem *mem);
void tni_profile_fini(tni_profile *p);
/* Rows for the steps of a plan; forgets those before. */
tn_status tni_profile_start(tni_profile *p, const tni_exec_plan *plan,
                            tn_err *err);
void tni_profile_add(tni_profile *p, int step, uint64_t ns,
                     const tni_frame *frame);
void tni_profile_reset(tni_profile *p);

/* "Conv+Relu", "com.microsoft.Attention"; returns buf. */
char *tni_profile_label(char *buf, size_t size, const tni_node *node);

#endif

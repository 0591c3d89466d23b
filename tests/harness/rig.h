/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig.h - a model out of bytes, opened and run; whatever fails, fails the test
 *
 *     rig r = rig_open(&bytes, TN_SESSION_EXACT, 2);
 *     tn_tensor *x = rig_input(2, (int64_t[]){3, 8});
 *     const tn_tensor *y = rig_run(&r, x);     the run's, until the next
 *     tn_tensor_free(x);
 *     rig_close(&r);
 */
#ifndef TN_TESTS_HARNESS_RIG_H
#define TN_TESTS_HARNESS_RIG_H

#include "harness/pb.h"
#include "tenon/tenon.h"

typedef struct rig {
    pb own; /* the model's bytes where rig_close frees them, else empty */
    tn_model *model;
    tn_session *session;
    tn_run *run;
} rig;

/* The bytes stay the caller's, who keeps them until rig_close. */
rig rig_open(const pb *bytes, uint32_t flags, int threads);
/* The bytes become the rig's; opts may be NULL. */
rig rig_own(pb bytes, const tn_session_opts *opts);
/* The same where opening may fail; the rig is to be closed then too. */
tn_status rig_try(rig *r, pb bytes, const tn_session_opts *opts, tn_err *err);
void rig_close(rig *r);

/* float32 values from -2.5 to 2.5 of which no two neighbours are alike. */
tn_tensor *rig_input(int rank, const int64_t *dims);

/* Runs on the first n inputs; gives the first output. */
const tn_tensor *rig_exec(rig *r, tn_tensor *const *in, size_t n);
const tn_tensor *rig_run(rig *r, tn_tensor *x);

/* What `inspect` says of the optimised graph, a line a node, cut to size. */
void rig_describe(const rig *r, char *text, size_t size);

#endif

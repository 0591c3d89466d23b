/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opcall.h - call one operator by hand: a node without a graph
 *
 *     opcall c;
 *     opcall_init(&c, "", "Add", 14);
 *     opcall_in(&c, TN_F32, 1, (int64_t[]){2}, x);
 *     opcall_in(&c, TN_F32, 0, NULL, y);
 *     assert_int_equal(opcall_ref(&c, 1), TN_OK);   reads c.out[0]
 *     assert_int_equal(opcall_run(&c, 1), TN_OK);   the same by plan and run
 *     opcall_fini(&c);
 */
#ifndef TN_TESTS_HARNESS_OPCALL_H
#define TN_TESTS_HARNESS_OPCALL_H

#include "kernels/kernels.h"
#include "ops/op.h"

enum { OPCALL_MAX = 16 };

typedef struct opcall {
    tni_mem mem;
    tni_arena arena, scratch;
    tni_graph graph;
    tni_node node;
    tni_value values[2 * OPCALL_MAX];
    tni_value *in_values[OPCALL_MAX], *out_values[OPCALL_MAX];
    tni_attr attrs[OPCALL_MAX];
    tni_tensor inputs[OPCALL_MAX], outputs[OPCALL_MAX];
    const tni_tensor *in[OPCALL_MAX];
    tni_tensor *out[OPCALL_MAX];
    bool inputs_const; /* plan and infer see the values */
    int alias;         /* run: output 0 has the memory of this input; -1 */
    const tni_par *par;
    const tni_kernels *kernels;
    const char *fault;
    tn_err err;
} opcall;

void opcall_init(opcall *c, const char *domain, const char *op, int opset);
void opcall_fini(opcall *c);
void opcall_float(opcall *c, const char *name, float v);
void opcall_int(opcall *c, const char *name, int64_t v);
void opcall_string(opcall *c, const char *name, const char *v);
/* v is borrowed. */
void opcall_ints(opcall *c, const char *name, const int64_t *v, int n);
/* The next input; data NULL: omitted. */
void opcall_in(opcall *c, tn_dtype dtype, int rank, const int64_t *dims,
               const void *data);
/* Infer and ref. */
tn_status opcall_ref(opcall *c, int n_out);
/* Infer, plan and run; TN_EUNSUPPORTED when plan leaves it to ref, TN_EINVAL
 * with c->fault when run reports impossible data. */
tn_status opcall_run(opcall *c, int n_out);

#endif

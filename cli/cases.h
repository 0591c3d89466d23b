/* SPDX-License-Identifier: Apache-2.0 */
/* cases.h - stored inputs and expected outputs to verify a model against */
#ifndef TENON_CLI_CASES_H
#define TENON_CLI_CASES_H

#include "subject.h"

/* One case: values by position of the model's inputs and outputs. */
typedef struct test_case {
    char *name;
    tn_tensor **inputs;  /* n_inputs of the model; NULL: not stored */
    tn_tensor **outputs; /* n_outputs; NULL: not stored */
} test_case;

typedef struct case_list {
    char **paths; /* a folder or an .npz each */
    size_t n;
} case_list;

/*
 * Finds the cases behind a path: a folder with test_data_set_* folders, a
 * folder that is a case itself (input_0.pb or .npy, output_0 …, or one .npy
 * per name), or an .npz with arrays by name. An exit code.
 */
int cases_find(case_list *list, const char *path);
void cases_release(case_list *list);

/* Reads one case; prints what fails. An exit code. */
int case_read(test_case *out, const subject *s, const char *path);
void case_release(test_case *t, const subject *s);

#endif

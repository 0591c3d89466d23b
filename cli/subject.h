/* SPDX-License-Identifier: Apache-2.0 */
/* subject.h - the model a command works on, its session and its inputs */
#ifndef TENON_CLI_SUBJECT_H
#define TENON_CLI_SUBJECT_H

#include "cli.h"

/* Options that every command with a session has. */
#define SUBJECT_OPTIONS                                                        \
    {"threads", 't', "N", "worker threads; 0: what the machine allows", false}, \
        {"isa", 0, "NAME", "newest CPU bundle to use: ref, avx2, avx512, "     \
                           "neon, native",                                     \
         false},                                                               \
        {"no-optimize", 0, NULL, "run the graph as the file has it", false},   \
        {"exact", 0, NULL, "no algorithm that rounds more than the plain "     \
                           "definition (no Winograd)",                         \
         false},                                                               \
        {"memory-limit", 0, "MIB", "refuse inputs that need more for "         \
                                   "activations and scratch",                  \
         false},                                                               \
        {"precision", 0, "NAME", "of products with constant weights: "         \
                                 "float32, or bf16 (half their memory; "       \
                                 "faster with AVX512-BF16)",                   \
         false},                                                               \
        {"reference", 0, NULL, "run every operator by its plain C reference",  \
         false}

/* Options of commands that can make up inputs. */
#define RANDOM_OPTIONS                                                         \
    {"random", 0, "SEED", "fill inputs that are not given with random values", \
     false},                                                                   \
    {                                                                          \
        "dim", 0, "NAME=N", "extent of a free dimension (default 1)", true     \
    }

typedef struct subject {
    tn_model *model;
    tn_session *session;
    tn_run *run;
    tn_tensor **inputs; /* owned; NULL: not given */
    size_t n_inputs, n_outputs;
    uint64_t load_ns; /* open and session */
    int threads;
    tn_plan_info plan; /* bench: of the measured run */
} subject;

/* Opens model and session; prints what fails. An exit code. */
int subject_open(subject *s, const cli *c, const char *path, uint32_t flags);
void subject_close(subject *s);

/* Reads NAME=FILE and FILE.npz arguments into inputs. An exit code. */
int subject_read_inputs(subject *s, const cli *c, const char *const *args,
                        int n);
/* Fills missing inputs: random when asked (or `always`), else an error. */
int subject_fill_inputs(subject *s, const cli *c, bool always, long batch);
/* Hands inputs to the run context. */
int subject_bind(subject *s);

/* Arrays keep bfloat16, float8 and the like as integers of their size: a value
 * so stored becomes what the model declares. Takes and returns ownership. */
tn_tensor *subject_retag(tn_tensor *value, const tn_value_info *info);

/* The memory of a plan: members of the object that is open. */
void subject_json_plan(cli_json *j, const tn_plan_info *plan);

/* Puts one value in; takes ownership. An exit code. */
int subject_set_input(subject *s, const char *name, tn_tensor *value);

#endif

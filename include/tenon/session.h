/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/session.h - compile a model and run it
 *
 *     tn_session *s;  tn_run *r;
 *     tn_session_new(&s, model, NULL, &err);
 *     tn_run_new(&r, s, &err);
 *     tn_run_set_input(r, 0, x, &err);
 *     tn_run_exec(r, &err);
 *     const tn_tensor *y = tn_run_output(r, 0);
 *
 * A session is the optimised graph with its packed weights; a run context is
 * the memory of one inference at a time. Plans (shapes, kernels, offsets) are
 * made once per combination of input shapes and kept in the session.
 *
 * The results carry the same bits for any number of threads.
 */
#ifndef TENON_SESSION_H
#define TENON_SESSION_H

#include "tenon/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_session tn_session; /* immutable; plan cache locked */
typedef struct tn_run tn_run;         /* exclusive: one thread at a time */

typedef struct tn_session_opts {
    size_t struct_size;
    const tn_allocator *allocator; /* NULL: the C library's */
    const tn_logger *logger;       /* NULL: silent */
    const tn_limits *limits;       /* NULL: defaults */
    int n_threads;     /* 0: from the CPU quota and the affinity mask */
    uint32_t isa_mask; /* tn_isa bits to choose kernels from; see below */
    uint32_t flags;    /* TN_SESSION_… */
    /* Plans kept; the least recently used go first. 0: 256 MiB */
    uint64_t plan_cache_bytes;
    /* Hard limit of one run context's memory (activations and scratch);
     * 0: none. A plan that needs more is refused with TN_ELIMIT. */
    uint64_t run_limit_bytes;
    uint64_t seed;     /* of random operators without one of their own */
} tn_session_opts;

/** isa_mask of a session that may use everything the machine has. */
#define TN_ISA_NATIVE UINT32_MAX

enum {
    /* Leave the graph as the file has it: no passes. For debugging. */
    TN_SESSION_NO_OPTIMIZE = 1 << 0,
    /* Only algorithms whose error is that of the plain definition: no
     * Winograd, whose 3x3 convolutions may differ in the fifth digit and
     * spread an infinity over its neighbours. */
    TN_SESSION_EXACT = 1 << 1,
    /* Time every node; see tn_run_profile. */
    TN_SESSION_PROFILE = 1 << 2,
    /* Execute every operator by its plain C reference. */
    TN_SESSION_REFERENCE = 1 << 3,
    /* Keep every intermediate value readable after a run; see
     * tn_run_value. Implies TN_SESSION_NO_OPTIMIZE and costs memory. */
    TN_SESSION_KEEP_VALUES = 1 << 4,
    /* Multiply bfloat16 and sum in float32 in matrix products and convolutions
     * with constant weights, which take half the memory then; the rest stays
     * float32, depthwise convolutions too and those that Winograd's algorithm
     * serves better. Results have two to three digits, the same on every CPU
     * but for denormals. Faster with AVX512-BF16; without it only products of
     * up to three rows are. tn_plan_info.n_bf16_steps counts, and
     * tn_profile_row.detail names. Not with TN_SESSION_EXACT. */
    TN_SESSION_BF16 = 1 << 5
};

#define TN_SESSION_OPTS_INIT                                                   \
    {sizeof(tn_session_opts), NULL, NULL, NULL, 0, TN_ISA_NATIVE, 0, 0, 0, 0}

/**
 * Optimises a model and packs what does not depend on input shapes.
 * The model must outlive the session (weights stay in its mapping).
 *
 * @return TN_OK; TN_EUNSUPPORTED with the node; TN_EINVAL; TN_ENOMEM.
 */
TN_API TN_NODISCARD tn_status tn_session_new(tn_session **out,
                                             const tn_model *model,
                                             const tn_session_opts *opts,
                                             tn_err *err);
/** Every run context of the session must be freed first. */
TN_API void tn_session_free(tn_session *session);

TN_API TN_NODISCARD tn_status tn_run_new(tn_run **out, tn_session *session,
                                         tn_err *err);
TN_API void tn_run_free(tn_run *run);

/**
 * Binds input i (tn_model_input order) to a value that must stay valid and
 * unchanged until the next binding. Dtype and known extents are checked here;
 * TN_EINVAL names the input, what it is and what it should be.
 */
TN_API TN_NODISCARD tn_status tn_run_set_input(tn_run *run, size_t i,
                                               const tn_tensor *value,
                                               tn_err *err);

/**
 * Makes the plan for the bound inputs' shapes and takes its memory, so that
 * following tn_run_exec with the same shapes neither plan nor allocate.
 * Called by tn_run_exec when needed.
 */
TN_API TN_NODISCARD tn_status tn_run_prepare(tn_run *run, tn_err *err);

/**
 * Runs once. After tn_run_prepare, a graph whose shapes do not depend on
 * values cannot fail here unless an operator meets impossible data (an index
 * out of range), and allocates nothing.
 *
 * @return TN_OK
 *         TN_EINVAL     an input is missing or of the wrong shape, or data an
 *                       operator refuses (err->where names the node)
 *         TN_ELIMIT, TN_ENOMEM   planning only, or value-dependent shapes
 *         TN_ECANCELED  tn_run_cancel() was called
 */
TN_API TN_NODISCARD tn_status tn_run_exec(tn_run *run, tn_err *err);

/**
 * Gives the run context its memory: activations and scratch of every plan made
 * from now on lie in [memory, memory + size), which starts on a multiple of 64
 * bytes and stays the caller's until tn_run_free or the next call. A plan that
 * needs more (tn_plan_info.peak_bytes) is refused with TN_ELIMIT, and the
 * message says how much it needs. NULL and 0: its own memory again. Only values
 * whose shapes depend on values, and small lists, still come from the
 * allocator. Drops the current plan and its outputs.
 *
 * @return TN_OK; TN_EINVAL when `memory` is not aligned.
 */
TN_API TN_NODISCARD tn_status tn_run_set_memory(tn_run *run, void *memory,
                                                size_t size, tn_err *err);

/** Asks a run in progress to stop between two operators. Threads: any. */
TN_API void tn_run_cancel(tn_run *run);

/**
 * Output i (tn_model_output order) of the last successful tn_run_exec: valid
 * and unchanged until the next one or tn_run_free. NULL before.
 */
TN_API const tn_tensor *tn_run_output(const tn_run *run, size_t i);

/** An intermediate value by name (TN_SESSION_KEEP_VALUES), else NULL. */
TN_API const tn_tensor *tn_run_value(const tn_run *run, const char *name);

/** Memory facts of the current plan (after tn_run_prepare or tn_run_exec). */
typedef struct tn_plan_info {
    size_t struct_size;
    uint64_t activation_bytes; /* the block all intermediates share */
    uint64_t scratch_bytes;    /* largest scratch of an operator */
    uint64_t packed_bytes;     /* packed weights of the session so far */
    uint64_t peak_bytes;       /* activation + scratch: known before a run and
                                  enough for tn_run_set_memory */
    uint64_t used_bytes;       /* held by the run context now */
    size_t n_steps;            /* operators executed */
    size_t n_reference_steps;  /* of these, by the plain C reference */
    size_t n_dynamic_steps;    /* of these, planned at run: shapes depend on
                                  values */
    int n_threads;
    uint64_t weights_bytes;    /* constants that runs read unpacked, in the
                                  file's mapping or copied from it */
    uint64_t total_bytes;      /* weights + packed + peak: what is resident
                                  beside the program itself */
    size_t n_bf16_steps;       /* of n_steps, with bfloat16 products */
} tn_plan_info;

#define TN_PLAN_INFO_INIT                                                      \
    {sizeof(tn_plan_info), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

TN_API TN_NODISCARD tn_status tn_run_plan_info(const tn_run *run,
                                               tn_plan_info *info);

/** One executed operator, TN_SESSION_PROFILE. */
typedef struct tn_profile_row {
    const char *node;   /* name of the node, borrowed from the session */
    const char *op;     /* operator, "Conv+Relu" when fused */
    /* Output type, "float32[1,64,56,56]" ("" before a run); in a session of
     * TN_SESSION_BF16 also "bf16", "bf16, widened" where the CPU lacks the
     * instruction, or "float32: " and why. */
    const char *detail;
    uint64_t calls;
    uint64_t total_ns;
    uint64_t min_ns;
    double flops;       /* of one call; 0 when not known */
    double bytes;       /* read and written by one call */
} tn_profile_row;

TN_API size_t tn_run_profile_len(const tn_run *run);
TN_API TN_NODISCARD tn_status tn_run_profile(const tn_run *run, size_t i,
                                             tn_profile_row *row);
TN_API void tn_run_profile_reset(tn_run *run);

/** Walks the optimised graph in execution order: one line of text per node
 * ("Conv+Relu conv1(x, w, b) -> float32[1,64,112,112] y"). */
TN_API TN_NODISCARD tn_status tn_session_describe(
    const tn_session *session,
    void (*line)(void *ctx, const char *text), void *ctx, tn_err *err);

#ifdef __cplusplus
}
#endif

#endif /* TENON_SESSION_H */

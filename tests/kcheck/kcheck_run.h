/* SPDX-License-Identifier: Apache-2.0 */
/* kcheck_run.h - the harness's own parts; family tests do not include it */
#ifndef TN_TESTS_KCHECK_RUN_H
#define TN_TESTS_KCHECK_RUN_H

#include "kcheck.h"

#include <stdio.h>

enum { kc_max_bufs = 512, kc_max_dims = 16, kc_canary = 256 };

typedef struct kc_buf {
    uint8_t *map, *user; /* map: whole mapping; user: what the kernel gets */
    size_t map_size, size;
    uint8_t *lo, *hi; /* canary window around user */
    uint64_t hash;    /* of an input's bytes before the call */
    bool input;
} kc_buf;

typedef struct kc_named {
    char name[16];
    size_t value;
} kc_named;

typedef struct kc_sample {
    double ns, best; /* median and minimum of a call */
    double spread;   /* interquartile range / median */
} kc_sample;

typedef struct kc_peak {
    double flops;   /* fused multiply-adds count two */
    double int8;    /* multiply-adds of 8-bit integers count two */
    double copy[3]; /* bytes read + written per s: L1, L2, memory */
} kc_peak;

enum { KC_MAX_GATES = 24 };

typedef struct kc_reached {
    const char *kernel, *row; /* the row that did best, the present one */
    char label[48], row_label[48];
    double value, row_value, plain_ns;
} kc_reached;

typedef enum kc_result { KC_NONE, KC_PASS, KC_FAIL, KC_SKIP } kc_result;

struct kc {
    /* options */
    const char *only_family, *only_kernel;
    uint32_t isa;      /* rows may use these bundles */
    uint32_t emulated; /* bundles that run through an emulation */
    uint64_t seed;
    int repeat, only_case;
    int every; /* run each every-th case: emulators are slow */
    bool guards, bench, json, list, peak, quiet, exhaustive, self_test, gate;
    FILE *report; /* JSON; stdout with --json, else NULL or a file */
    kc_named shape[kc_max_dims];
    int n_shape;
    kc_peak peaks;
    kc_reached reached[KC_MAX_GATES];

    /* row */
    const char *family, *kernel, *note;
    uint32_t row_isa;
    kc_result result;
    int index, n_done;

    /* case */
    uint64_t rng;
    kc_named dims[kc_max_dims];
    int n_dims, n_bufs, n_own;
    bool at_start; /* buffers flush against the page before them */
    kc_buf bufs[kc_max_bufs];
    void *own[kc_max_bufs];

    /* totals */
    int n_pass, n_fail, n_skip, n_rows_out, n_samples;
};

void kc_finish(kc *t);   /* reports the current row */
int kc_self_test(kc *t); /* planted bugs; the exit status */

/* guard */
void kc_guard_init(void);
void kc_guard_fini(kc *t);
void kc_case_buffers(kc *t); /* forgets those of the last case */
bool kc_check_buffers(kc *t);
void kc_hash_inputs(kc *t);
uint32_t kc_fp_mode(void);
/* Runs thunk; 0 or the signal that ended it. */
int kc_protected(kc_thunk thunk, void *call);

/* gate: what families should reach */
bool kc_gate_wants(const kc *t, const char *label);
void kc_gate_note(kc *t, const char *label, double count, double best_ns);
void kc_gate_report(kc *t);

/* timing */
kc_sample kc_measure(kc_thunk thunk, void *call, double budget_s);
void kc_measure_peaks(kc_peak *peak, uint32_t isa);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* kcheck_gate.c - what every family should reach, and what it does reach */
#include "kcheck_run.h"

#include <string.h>

typedef enum measure {
    OF_FLOPS, /* % of the multiply-adds' peak */
    OF_INT8,  /* % of the peak of 8-bit integers */
    PER_ELEM, /* ns per element, times lanes / 16 */
    OVER_REF  /* the plain row's time over this row's */
} measure;

typedef struct gate {
    const char *kernel; /* how the row's name begins */
    const char *label;  /* a part of the benchmark's label */
    measure what;
    double reach; /* 0: measured, no goal */
} gate;

/* Exponentials and norms: 0.12 ns on 16 lanes, more on fewer. */
static const gate gates[] = {
    {"tni_gemm_f32", "m=512 n=512 k=512", OF_FLOPS, 90},
    {"tni_gemm_f32", "m=1024 n=1024 k=1024", OF_FLOPS, 90},
    {"tni_gemm_f32", "m=128 n=768 k=768", OF_FLOPS, 90},
    {"tni_gemm_f32", "m=128 n=3072 k=768", OF_FLOPS, 90},
    {"tni_gemm_f32", "m=1 n=1024 k=1024", OF_FLOPS, 0},
    {"tni_gemm_f32", "m=4 n=1024 k=1024", OF_FLOPS, 0},
    {"tni_conv_f32", "ResNet-50", OF_FLOPS, 90},
    {"tni_conv_f32", " 7x7 ", OF_FLOPS, 85},
    {"tni_qconv_", "ResNet-50", OF_INT8, 80},
    {"tni_exp_f32", "", PER_ELEM, 0.12},
    {"tni_erf_f32", "", PER_ELEM, 0.12},
    {"tni_tanh_f32", "", PER_ELEM, 0.12},
    {"tni_sigmoid_f32", "", PER_ELEM, 0.12},
    {"tni_softmax_rows_f32", "", PER_ELEM, 0.12},
    {"tni_softmax_cols_f32", "", PER_ELEM, 0.12},
    {"tni_layernorm_f32", "", PER_ELEM, 0.12},
    {"tni_rmsnorm_f32", "", PER_ELEM, 0.12},
    {"tni_sum_row_f32", "", PER_ELEM, 0.12},
    {"tni_tree_leaves_f32", "rows=1", OVER_REF, 5},
    {"tni_tree_leaves_f32", "rows=1000", OVER_REF, 5},
};

enum { n_gates = (int)(sizeof gates / sizeof gates[0]) };
_Static_assert(sizeof gates / sizeof gates[0] <= (size_t)KC_MAX_GATES,
               "more gates than the state holds");

static const char *const units[] = {
    [OF_FLOPS] = "% of the fp32 peak",
    [OF_INT8] = "% of the 8-bit peak",
    [PER_ELEM] = "ns/element",
    [OVER_REF] = "x a plain walk",
};

static bool at_gate(const gate *g, const char *kernel, const char *label)
{
    const size_t n = strlen(g->kernel);
    if (strncmp(kernel, g->kernel, n) != 0) return false;
    /* The whole name before the ISA, unless the gate's ends within it. */
    if (g->kernel[n - 1] != '_' && strncmp(kernel + n, "__", 2) != 0)
        return false;
    return strstr(label, g->label) != NULL &&
           (g->what != OVER_REF ||
            strcmp(label + strlen(label) - strlen(g->label), g->label) == 0);
}

/* Plain rows are what trees are held against, and no goal for others. */
static bool plain(const kc *t)
{
    const char *isa = strstr(t->kernel, "__");
    return isa != NULL && strcmp(isa, "__ref") == 0;
}

bool kc_gate_wants(const kc *t, const char *label)
{
    for (int i = 0; i < n_gates; i++)
        if (at_gate(&gates[i], t->kernel, label) &&
            (gates[i].what == OVER_REF || !plain(t)))
            return true;
    return false;
}

static bool better(const gate *g, double value, double old)
{
    return g->what == PER_ELEM ? value < old : value > old;
}

/* A row is done: it counts when it did better than those before it. */
static void settle(const gate *g, kc_reached *r)
{
    if (r->row == NULL) return;
    if (r->kernel == NULL || better(g, r->row_value, r->value)) {
        r->kernel = r->row;
        r->value = r->row_value;
        memcpy(r->label, r->row_label, sizeof r->label);
    }
    r->row = NULL;
}

void kc_gate_note(kc *t, const char *label, double count, double best_ns)
{
    for (int i = 0; i < n_gates; i++) {
        const gate *g = &gates[i];
        if (!at_gate(g, t->kernel, label)) continue;
        kc_reached *r = &t->reached[i];
        if (g->what == OVER_REF && plain(t)) {
            r->plain_ns = best_ns;
            continue;
        }
        if (plain(t)) continue;
        double value = best_ns / count;
        if (g->what == OF_FLOPS)
            value = 1e11 * count / best_ns / t->peaks.flops;
        else if (g->what == OF_INT8)
            value = 1e11 * count / best_ns / t->peaks.int8;
        else if (g->what == OVER_REF)
            value = r->plain_ns / best_ns;
        if (r->row != t->kernel) settle(g, r);
        /* Of several layers the slowest counts. */
        if (r->row == t->kernel && better(g, value, r->row_value)) continue;
        r->row = t->kernel;
        r->row_value = value;
        (void)snprintf(r->row_label, sizeof r->row_label, "%s", label);
    }
}

void kc_gate_report(kc *t)
{
    const double wide = (t->isa & TN_ISA_AVX512) != 0 ? 1.0
                        : (t->isa & TN_ISA_AVX2) != 0 ? 2.0
                                                      : 4.0;
    printf("%-30s %-24s %8s %8s  %-20s %s\n", "row", "benchmark", "measured",
           "reach", "unit", "");
    for (int i = 0; i < n_gates; i++) {
        const gate *g = &gates[i];
        kc_reached *r = &t->reached[i];
        settle(g, r);
        if (r->kernel == NULL) continue;
        const bool small = g->what == PER_ELEM;
        const double reach = small ? g->reach * wide : g->reach;
        printf("%-30s %-24s %8.*f ", r->kernel, r->label, small ? 3 : 1,
               r->value);
        if (reach == 0.0)
            printf("%8s  %-20s\n", "-", units[g->what]);
        else
            printf("%8.*f  %-20s %s\n", small ? 3 : 1, reach, units[g->what],
                   better(g, r->value, reach) ? "reached" : "missed");
    }
}

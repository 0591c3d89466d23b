/* SPDX-License-Identifier: Apache-2.0 */
/* kcheck.c - driver: options, cases, data, comparison, reports */
#include "kcheck_rows.h"
#include "kcheck_run.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef KC_EMULATED
#define KC_EMULATED 0u
#endif

/* ---- rows and cases ---- */

static const char *isa_text(uint32_t isa, char *buf, size_t size)
{
    tn_isa_format(buf, size, isa);
    return buf;
}

static bool wanted(const kc *t, const char *kernel)
{
    return t->only_kernel == NULL || strstr(kernel, t->only_kernel) != NULL;
}

static void json_row_open(kc *t, const char *result)
{
    char buf[128];
    fprintf(t->report,
            "%s\n  {\"family\": \"%s\", \"kernel\": \"%s\", \"isa\": \"%s\", "
            "\"result\": \"%s\", \"cases\": %d",
            t->n_rows_out++ != 0 ? "," : "", t->family, t->kernel,
            isa_text(t->row_isa, buf, sizeof buf), result, t->n_done);
}

void kc_finish(kc *t)
{
    static const char *const words[] = {"NONE", "PASS", "FAIL", "SKIP"};
    if (t->kernel == NULL) return;
    if (t->result == KC_NONE) t->result = KC_PASS;
    t->n_pass += t->result == KC_PASS;
    t->n_fail += t->result == KC_FAIL;
    t->n_skip += t->result == KC_SKIP;
    const char *word = words[t->result];
    if (t->report != NULL) {
        if (t->n_samples == 0) json_row_open(t, word);
        fprintf(t->report, "%s}", t->n_samples != 0 ? "]" : "");
    }
    if (t->json) {
        /* the report is all that goes to stdout */
    } else if (t->result == KC_SKIP) {
        if (!t->quiet) printf("SKIP %s (%s)\n", t->kernel, t->note);
    } else if (!t->bench && !t->list && !(t->quiet && t->result == KC_PASS)) {
        printf("%s %s %d cases\n", word, t->kernel, t->n_done);
    }
    (void)fflush(stdout);
    t->kernel = NULL;
}

bool kc_runs(const kc *t, uint32_t isa)
{
    return (isa & ~t->isa) == 0;
}

bool kc_begin(kc *t, const char *kernel, uint32_t isa)
{
    kc_finish(t);
    if (!wanted(t, kernel)) return false;
    t->kernel = kernel;
    t->row_isa = isa;
    t->result = KC_NONE;
    t->index = -1;
    t->n_done = 0;
    t->n_samples = 0;
    if (t->list) {
        char buf[128];
        if (!t->json)
            printf("%-10s %-44s %s\n", t->family, kernel,
                   isa_text(isa, buf, sizeof buf));
        t->result = KC_PASS;
        return false;
    }
    if (t->emulated != 0 && (isa & t->emulated) == 0)
        t->note = "not emulated here";
    else if (!kc_runs(t, isa))
        t->note = "CPU or mask lacks it";
    else
        return true;
    t->result = KC_SKIP;
    return false;
}

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t kc_rand(kc *t)
{
    t->rng += 0x9e3779b97f4a7c15u;
    return mix(t->rng);
}

bool kc_case(kc *t, int n_cases)
{
    if (t->index >= 0 && t->result == KC_NONE) t->n_done++;
    if (t->result != KC_NONE || t->bench) return false;
    t->index += t->index < 0 ? 1 : t->every;
    if (t->only_case >= 0) {
        if (t->index > 0) return false;
        t->index = t->only_case;
    }
    if (t->only_case < 0 && t->index >= n_cases * t->repeat) return false;
    /* A case depends on seed, function and index only: it can be replayed, and
     * is the same for every ISA. */
    uint64_t h = t->seed;
    const char *end = strstr(t->kernel, "__");
    for (const char *p = t->kernel; *p != '\0' && p != end; p++)
        h = mix(h + (uint8_t)*p);
    t->rng = mix(h + (uint64_t)t->index * 0x632be59bd9b4e019u);
    t->n_dims = 0;
    kc_case_buffers(t);
    t->at_start = (kc_rand(t) & 1) != 0;
    return true;
}

int kc_index(const kc *t)
{
    return t->index;
}

bool kc_exhaustive(const kc *t)
{
    return t->exhaustive;
}

static size_t note_dim(kc *t, const char *name, size_t value)
{
    for (int i = 0; i < t->n_shape; i++)
        if (strcmp(t->shape[i].name, name) == 0) value = t->shape[i].value;
    if (t->n_dims < kc_max_dims) {
        kc_named *d = &t->dims[t->n_dims++];
        (void)snprintf(d->name, sizeof d->name, "%s", name);
        d->value = value;
    }
    return value;
}

size_t kc_dim(kc *t, const char *name, size_t tile, size_t max)
{
    static const uint16_t primes[] = {2,  3,  5,   7,   11,  13,  17,  19,
                                      23, 29, 31,  37,  41,  43,  61,  67,
                                      89, 97, 127, 131, 193, 257, 509, 521};
    const size_t near_tile[] = {0, 1, tile - 1, tile, tile + 1, 2 * tile + 1};
    const uint64_t r = kc_rand(t);
    size_t v = 0;
    switch (r % 8) {
    case 0: v = primes[(r >> 8) % (sizeof primes / sizeof primes[0])]; break;
    case 1: v = (size_t)((r >> 8) % (max + 1)); break;
    default: v = near_tile[(r % 8) - 2]; break;
    }
    return note_dim(t, name, v > max ? max : v);
}

size_t kc_sweep(kc *t, const char *name, size_t tile, size_t max)
{
    const size_t dense = 3 * tile + 2, i = (size_t)t->index;
    if (i >= dense) return kc_dim(t, name, tile, max);
    return note_dim(t, name, i > max ? max : i);
}

size_t kc_pick(kc *t, const char *name, size_t lo, size_t hi)
{
    return note_dim(t, name, lo + (size_t)(kc_rand(t) % (hi - lo + 1)));
}

/* ---- data ---- */

double kc_uniform(kc *t, double lo, double hi)
{
    return lo + (hi - lo) * ((double)(kc_rand(t) >> 11) * 0x1p-53);
}

double kc_normal(kc *t)
{
    const double u = kc_uniform(t, 0x1p-53, 1.0), v = kc_uniform(t, 0, 1);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

void kc_fill_int(kc *t, float *x, size_t n, int max)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t r = kc_rand(t);
        const int v = 1 + (int)((r >> 8) % (uint64_t)max);
        x[i] = (float)((r & 1) != 0 ? v : -v);
    }
}

void kc_fill_normal(kc *t, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] = (float)kc_normal(t);
}

void kc_fill_wide(kc *t, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)ldexp(kc_uniform(t, -2, 2), (int)(kc_rand(t) % 121) - 60);
}

void kc_fill_special(kc *t, float *x, size_t n)
{
    static const float odd[] = {0.0f,      -0.0f,      1.0f,
                                -1.0f,     INFINITY,   -INFINITY,
                                NAN,       0x1p-149f,  -0x1p-149f,
                                0x1p-126f, -0x1p-127f, 0x1.fffffep127f,
                                -0x1p127f, 0x1p24f,    -0x1.8p23f,
                                0.5f,      -2.5f,      1.5f};
    for (size_t i = 0; i < n; i++) {
        const uint64_t r = kc_rand(t);
        if ((r & 3) == 0)
            x[i] = (float)kc_normal(t);
        else
            x[i] = odd[(r >> 8) % (sizeof odd / sizeof odd[0])];
    }
}

void kc_fill_bytes(kc *t, void *x, size_t size)
{
    uint8_t *p = x;
    for (size_t i = 0; i < size; i++) p[i] = (uint8_t)kc_rand(t);
}

/* ---- calls and comparison ---- */

void kc_fail(kc *t, const char *fmt, ...)
{
    if (t->result == KC_FAIL) return;
    t->result = KC_FAIL;
    FILE *f = t->json ? stderr : stdout;
    fprintf(f, "FAIL %s case %d: ", t->kernel, t->index);
    va_list args;
    va_start(args, fmt);
    (void)vfprintf(f, fmt, args);
    va_end(args);
    fprintf(f,
            "\n     reproduce: kcheck --family %s --kernel %s --seed %llu "
            "--case %d",
            t->family, t->kernel, (unsigned long long)t->seed, t->index);
    for (int i = 0; i < t->n_dims; i++)
        fprintf(f, "%s%s=%zu", i == 0 ? " --shape " : ",", t->dims[i].name,
                t->dims[i].value);
    fprintf(f, "\n");
}

bool kc_call(kc *t, kc_thunk thunk, void *call)
{
    if (t->result != KC_NONE) return false;
    kc_hash_inputs(t);
    const uint32_t mode = kc_fp_mode();
    const int sig = kc_protected(thunk, call);
    if (sig != 0) {
        /* POSIX numbers of Linux, without <signal.h> here. */
        kc_fail(t, "%s (signal %d)",
                sig == 4   ? "illegal instruction"
                : sig == 8 ? "arithmetic trap"
                           : "touched memory outside its buffers",
                sig);
        return false;
    }
    if (kc_fp_mode() != mode) {
        kc_fail(t, "changed the floating-point mode from %08x to %08x", mode,
                kc_fp_mode());
        return false;
    }
    return kc_check_buffers(t);
}

bool kc_same_f32(kc *t, const char *what, const float *got, const float *want,
                 size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (memcmp(&got[i], &want[i], 4) == 0) continue;
        if (isnan(got[i]) && isnan(want[i])) continue;
        kc_fail(t, "%s[%zu]: got %.9g (%a) want %.9g (%a), tolerance 0", what,
                i, (double)got[i], (double)got[i], (double)want[i],
                (double)want[i]);
        return false;
    }
    return true;
}

bool kc_same(kc *t, const char *what, const void *got, const void *want,
             size_t n, size_t elem_size)
{
    const uint8_t *a = got, *b = want;
    for (size_t i = 0; i < n; i++) {
        if (memcmp(a + i * elem_size, b + i * elem_size, elem_size) == 0)
            continue;
        uint64_t g = 0, w = 0;
        const size_t k = elem_size < 8 ? elem_size : 8;
        memcpy(&g, a + i * elem_size, k);
        memcpy(&w, b + i * elem_size, k);
        kc_fail(t, "%s[%zu]: got 0x%llx want 0x%llx", what, i,
                (unsigned long long)g, (unsigned long long)w);
        return false;
    }
    return true;
}

bool kc_near(kc *t, const char *what, const float *got, const double *want,
             const double *tol, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double g = (double)got[i], w = want[i];
        if (isnan(w) ? isnan(g) : fabs(g - w) <= tol[i]) continue;
        if (isinf(g) && (g == w || (g > 0) == (w > 0)) &&
            fabs(w) + tol[i] > (double)0x1.fffffep127f)
            continue;
        kc_fail(t, "%s[%zu]: got %.9g want %.9g, tolerance %.3g", what, i, g, w,
                tol[i]);
        return false;
    }
    return true;
}

double kc_ulp(float got, double want)
{
    const double g = (double)got;
    if (isnan(want)) return isnan(g) ? 0 : HUGE_VAL;
    if (isnan(g)) return HUGE_VAL;
    if (g == want) return 0;
    /* Past the largest float, infinity counts as the next number. */
    const double top = 0x1p128;
    const double gc = isinf(g) ? copysign(top, g) : g;
    const double wc = fabs(want) > top ? copysign(top, want) : want;
    int e = 0;
    (void)frexp(wc, &e);
    if (e < -125 || wc == 0) e = -125;
    return fabs(gc - wc) / ldexp(1.0, e - 24);
}

/* ---- timing ---- */

bool kc_bench_begin(kc *t)
{
    if (!t->bench || t->result != KC_NONE) return false;
    t->rng = t->seed;
    kc_case_buffers(t);
    return true;
}

static void bench_against(kc *t, const char *label, double flops, double bytes,
                          kc_thunk thunk, void *call, double peak)
{
    if (t->gate && !kc_gate_wants(t, label)) return;
    const int sig = kc_protected(thunk, call); /* and warm up */
    if (sig != 0) {
        kc_fail(t, "benchmark %s: signal %d", label, sig);
        return;
    }
    kc_sample s = kc_measure(thunk, call, 0.02 * t->repeat);
    if (t->gate) kc_gate_note(t, label, flops, s.best);
    /* Rates come from the best sample, which other programs disturb least. */
    const double gflops = flops / s.best, gbs = bytes / s.best;
    const int level = bytes <= 48 * 1024 ? 0 : bytes <= 768 * 1024 ? 1 : 2;
    double pct = 0;
    if (t->peak) {
        const double a = 1e9 * gflops / peak;
        const double b = 1e9 * gbs / t->peaks.copy[level];
        pct = 100 * (a > b ? a : b);
    }
    if (t->report != NULL) {
        if (t->n_samples++ == 0) {
            json_row_open(t, "PASS");
            fprintf(t->report, ", \"bench\": [");
        } else {
            fprintf(t->report, ", ");
        }
        fprintf(t->report,
                "{\"label\": \"%s\", \"ns\": %.3f, \"min_ns\": %.3f, "
                "\"spread\": %.4f, \"gflops\": %.3f, \"gbs\": %.3f, "
                "\"peak_pct\": %.1f}",
                label, s.ns, s.best, s.spread, gflops, gbs, pct);
    }
    if (t->json || t->gate) return;
    printf("%-34s %-20s %10.1f ns +-%4.1f%% min %10.1f %8.2f GFLOP/s "
           "%7.2f GB/s",
           t->kernel, label, s.ns, 100 * s.spread, s.best, gflops, gbs);
    if (t->peak) printf("  %5.1f%% of peak", pct);
    printf("\n");
    (void)fflush(stdout);
}

void kc_bench(kc *t, const char *label, double flops, double bytes,
              kc_thunk thunk, void *call)
{
    bench_against(t, label, flops, bytes, thunk, call, t->peaks.flops);
}

void kc_bench_int8(kc *t, const char *label, double ops, double bytes,
                   kc_thunk thunk, void *call)
{
    bench_against(t, label, ops, bytes, thunk, call, t->peaks.int8);
}

/* ---- options ---- */

static const struct {
    const char *name;
    void (*run)(kc *t);
} families[] = {
#define KC_FAMILY(f) {#f, kc_family_##f},
#include "families.def"
#undef KC_FAMILY
};

static int usage(FILE *f)
{
    fprintf(
        f,
        "usage: kcheck [--family F] [--kernel TEXT] [--isa MASK] "
        "[--seed N] [--repeat N]\n"
        "              [--every N] [--case N] [--shape m=7,n=33] [--no-guards] "
        "[--bench] [--peak]\n"
        "              [--gate] [--json] [--report FILE] [--list] [--quiet]\n"
        "              [--exhaustive] [--self-test]\n");
    return f == stderr ? 2 : 0;
}

static bool parse_shape(kc *t, const char *s)
{
    while (*s != '\0') {
        const size_t len = strcspn(s, "=");
        if (s[len] != '=' || len == 0 || len >= 16 || t->n_shape == kc_max_dims)
            return false;
        kc_named *d = &t->shape[t->n_shape++];
        memcpy(d->name, s, len);
        d->name[len] = '\0';
        char *end = NULL;
        d->value = (size_t)strtoull(s + len + 1, &end, 10);
        if (end == s + len + 1) return false;
        s = *end == ',' ? end + 1 : end;
        if (*end != ',' && *end != '\0') return false;
    }
    return t->n_shape > 0;
}

static bool parse_value(kc *t, const char *name, const char *value)
{
    tn_err err;
    uint32_t mask = 0;
    if (strcmp(name, "--family") == 0) {
        t->only_family = value;
    } else if (strcmp(name, "--kernel") == 0) {
        t->only_kernel = value;
    } else if (strcmp(name, "--report") == 0) {
        t->report = fopen(value, "w");
        return t->report != NULL;
    } else if (strcmp(name, "--seed") == 0) {
        t->seed = strtoull(value, NULL, 0);
    } else if (strcmp(name, "--repeat") == 0) {
        t->repeat = atoi(value);
        return t->repeat > 0 && t->repeat <= 100000;
    } else if (strcmp(name, "--every") == 0) {
        t->every = atoi(value);
        return t->every > 0;
    } else if (strcmp(name, "--case") == 0) {
        t->only_case = atoi(value);
        return t->only_case >= 0;
    } else if (strcmp(name, "--shape") == 0) {
        return parse_shape(t, value);
    } else if (strcmp(name, "--isa") == 0) {
        if (tn_isa_parse(&mask, value, &err) != TN_OK) {
            fprintf(stderr, "kcheck: %s\n", err.message);
            return false;
        }
        t->isa &= mask;
    } else {
        return false;
    }
    return true;
}

static int parse(kc *t, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (strcmp(a, "--no-guards") == 0) {
            t->guards = false;
        } else if (strcmp(a, "--bench") == 0) {
            t->bench = true;
        } else if (strcmp(a, "--gate") == 0) {
            t->gate = t->bench = t->peak = t->quiet = true;
        } else if (strcmp(a, "--peak") == 0) {
            t->peak = true;
        } else if (strcmp(a, "--json") == 0) {
            t->json = true;
            t->report = stdout;
        } else if (strcmp(a, "--list") == 0) {
            t->list = true;
        } else if (strcmp(a, "--exhaustive") == 0) {
            t->exhaustive = true;
        } else if (strcmp(a, "--self-test") == 0) {
            t->self_test = true;
        } else if (strcmp(a, "--quiet") == 0) {
            t->quiet = true;
        } else if (strcmp(a, "--help") == 0) {
            return usage(stdout);
        } else if (i + 1 < argc && parse_value(t, a, argv[i + 1])) {
            i++;
        } else {
            fprintf(stderr, "kcheck: cannot use '%s'\n", a);
            return usage(stderr);
        }
    }
    return -1;
}

/* Rows of other architectures, so that the reports of all machines together
 * show whether some row ran nowhere. */
static void report_foreign_rows(kc *t)
{
    for (size_t i = 0; i < kc_n_foreign; i++) {
        const kc_foreign_row *r = &kc_foreign[i];
        if (r->isa == 0) continue; /* plain C runs here */
        if (t->only_family != NULL && strcmp(t->only_family, r->family) != 0)
            continue;
        kc_finish(t);
        t->family = r->family;
        if (kc_begin(t, r->kernel, r->isa)) {
            t->note = "another architecture";
            t->result = KC_SKIP;
        }
    }
    kc_finish(t);
}

static void report_peaks(kc *t)
{
    kc_measure_peaks(&t->peaks, t->isa);
    const kc_peak *p = &t->peaks;
    if (t->report != NULL)
        fprintf(t->report,
                "\"peak\": {\"gflops\": %.1f, \"int8_gops\": %.1f, "
                "\"copy_gbs\": [%.1f, %.1f, %.1f]},\n",
                p->flops * 1e-9, p->int8 * 1e-9, p->copy[0] * 1e-9,
                p->copy[1] * 1e-9, p->copy[2] * 1e-9);
    if (!t->json)
        printf("peak: %.1f GFLOP/s (1 thread, fp32 FMA), %.1f Gop/s (8-bit "
               "integers); copy %.1f GB/s in L1, %.1f in L2, %.1f in memory "
               "(read + written)\n",
               p->flops * 1e-9, p->int8 * 1e-9, p->copy[0] * 1e-9,
               p->copy[1] * 1e-9, p->copy[2] * 1e-9);
}

int main(int argc, char **argv)
{
    static kc state;
    kc *t = &state;
    t->emulated = KC_EMULATED;
    t->isa = tn_cpu_isa() | t->emulated;
    t->seed = 1;
    t->repeat = 1;
    t->every = 1;
    t->only_case = -1;
    t->guards = true;
    const int rc = parse(t, argc, argv);
    if (rc >= 0) return rc;
    kc_guard_init();
    if (t->self_test) return kc_self_test(t);
    char buf[128];
    if (t->report != NULL)
        fprintf(t->report, "{\"isa\": \"%s\", \"seed\": %llu,\n",
                isa_text(t->isa, buf, sizeof buf), (unsigned long long)t->seed);
    if (t->peak) report_peaks(t);
    if (t->report != NULL) fprintf(t->report, "\"rows\": [");
    bool found = false;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (t->only_family != NULL &&
            strcmp(t->only_family, families[i].name) != 0)
            continue;
        found = true;
        t->family = families[i].name;
        families[i].run(t);
        kc_finish(t);
    }
    if (found) report_foreign_rows(t);
    kc_guard_fini(t);
    if (t->gate && !t->json) kc_gate_report(t);
    if (t->report != NULL)
        fprintf(t->report, "\n], \"pass\": %d, \"fail\": %d, \"skip\": %d}\n",
                t->n_pass, t->n_fail, t->n_skip);
    if (t->report != NULL && t->report != stdout && fclose(t->report) != 0)
        t->n_fail++;
    if (!t->list && !t->json)
        printf("%d passed, %d failed, %d skipped (isa %s%s)\n", t->n_pass,
               t->n_fail, t->n_skip, isa_text(t->isa, buf, sizeof buf),
               t->guards ? "" : ", no guards");
    if (!found) {
        fprintf(stderr, "kcheck: no family '%s'\n", t->only_family);
        return 2;
    }
    return t->n_fail != 0 ? 1 : 0;
}

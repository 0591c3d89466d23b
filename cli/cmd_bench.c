/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_bench.c - latency and throughput of a model */
#include "subject.h"

#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    {"batch", 'b', "N", "extent of a free first dimension (default 1)", false},
    {"seconds", 's', "S", "how long to measure (default 2)", false},
    {"profile", 'p', NULL, "time per operator, with % of the machine's peak",
     false},
    RANDOM_OPTIONS,
    SUBJECT_OPTIONS,
};

typedef struct samples {
    double *ns;
    size_t n, cap;
} samples;

static void add_sample(samples *s, double ns)
{
    if (s->n == s->cap) {
        s->cap = s->cap == 0 ? 1024 : s->cap * 2;
        s->ns = cli_realloc(s->ns, s->cap * sizeof *s->ns);
    }
    s->ns[s->n++] = ns;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double percentile(const samples *s, double p)
{
    const size_t at = (size_t)(p * (double)(s->n - 1) + 0.5);
    return s->ns[at];
}

/* Runs until `seconds` have passed and at least three times. */
static int measure(subject *s, samples *out, double seconds)
{
    tn_err err;
    memset(&err, 0, sizeof err);
    const uint64_t begin = cli_now_ns();
    for (;;) {
        const uint64_t start = cli_now_ns();
        if (tn_run_exec(s->run, &err) != TN_OK) return cli_fail(&err);
        const uint64_t end = cli_now_ns();
        add_sample(out, (double)(end - start));
        if (out->n >= 3 && (double)(end - begin) >= seconds * 1e9) break;
        if (out->n >= 50000000u) break;
    }
    return CLI_OK;
}

static int by_time(const void *a, const void *b)
{
    const tn_profile_row *x = a, *y = b;
    return x->total_ns > y->total_ns ? -1 : x->total_ns < y->total_ns;
}

static tn_profile_row *collect_rows(const subject *s, size_t *n)
{
    *n = tn_run_profile_len(s->run);
    tn_profile_row *rows = cli_alloc((*n + 1) * sizeof *rows);
    for (size_t i = 0; i < *n; i++)
        if (tn_run_profile(s->run, i, &rows[i]) != TN_OK)
            memset(&rows[i], 0, sizeof rows[i]);
    if (*n > 1) qsort(rows, *n, sizeof *rows, by_time);
    return rows;
}

static void print_profile(const subject *s, const tn_machine_peak *peak)
{
    size_t n = 0;
    tn_profile_row *rows = collect_rows(s, &n);
    double total = 0.0;
    for (size_t i = 0; i < n; i++) total += (double)rows[i].total_ns;
    printf("\nmachine peak: %.1f GFLOP/s fp32, %.1f GB/s copy (one thread)\n",
           peak->gflops, peak->gbytes);
    printf("%6s %10s %9s %7s %8s  %-22s %-28s %s\n", "share", "mean", "GFLOP/s",
           "% peak", "GB/s", "operator", "output", "node");
    for (size_t i = 0; i < n; i++) {
        const tn_profile_row *r = &rows[i];
        if (r->calls == 0) continue;
        const double mean = (double)r->total_ns / (double)r->calls;
        char text[40];
        printf("%5.1f%% %10s ", 100.0 * (double)r->total_ns / total,
               cli_time(text, sizeof text, mean));
        if (r->flops > 0.0 && r->min_ns > 0) {
            const double rate = r->flops / (double)r->min_ns;
            printf("%9.1f %6.0f%% ", rate,
                   100.0 * rate / (peak->gflops * (double)s->threads));
        } else {
            printf("%9s %7s ", "", "");
        }
        printf("%8.1f  %-22s %-28s %s\n",
               r->min_ns > 0 ? r->bytes / (double)r->min_ns : 0.0, r->op,
               r->detail, r->node);
    }
    free(rows);
}

static void json_profile(cli_json *j, const subject *s,
                         const tn_machine_peak *peak)
{
    size_t n = 0;
    tn_profile_row *rows = collect_rows(s, &n);
    cli_json_number(j, "peak_gflops", peak->gflops);
    cli_json_number(j, "peak_gbytes", peak->gbytes);
    cli_json_open(j, "ops", '[');
    for (size_t i = 0; i < n; i++) {
        const tn_profile_row *r = &rows[i];
        cli_json_open(j, NULL, '{');
        cli_json_string(j, "op", r->op);
        cli_json_string(j, "node", r->node);
        cli_json_string(j, "output", r->detail);
        cli_json_int(j, "calls", (int64_t)r->calls);
        cli_json_number(j, "total_ms", (double)r->total_ns / 1e6);
        cli_json_number(j, "min_ms", (double)r->min_ns / 1e6);
        cli_json_number(j, "gflops",
                        r->min_ns > 0 ? r->flops / (double)r->min_ns : 0.0);
        cli_json_number(j, "gbytes",
                        r->min_ns > 0 ? r->bytes / (double)r->min_ns : 0.0);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
    free(rows);
}

static void report(const cli *c, const subject *s, samples *m,
                   uint64_t first_ns, long batch)
{
    const bool profile = cli_has(c, "profile");
    double sum = 0.0;
    for (size_t i = 0; i < m->n; i++) sum += m->ns[i];
    qsort(m->ns, m->n, sizeof *m->ns, by_value);
    const double per_second = (double)m->n / sum * 1e9 * (double)batch;
    tn_machine_peak peak = {0, 0};
    if (profile) tn_cpu_measure_peak(&peak);
    if (c->json) {
        cli_json j;
        cli_json_init(&j, stdout);
        cli_json_open(&j, NULL, '{');
        cli_json_int(&j, "threads", s->threads);
        cli_json_int(&j, "batch", batch);
        cli_json_int(&j, "runs", (int64_t)m->n);
        cli_json_number(&j, "load_ms", (double)s->load_ns / 1e6);
        cli_json_number(&j, "first_run_ms", (double)first_ns / 1e6);
        cli_json_number(&j, "min_ms", m->ns[0] / 1e6);
        cli_json_number(&j, "p50_ms", percentile(m, 0.50) / 1e6);
        cli_json_number(&j, "p90_ms", percentile(m, 0.90) / 1e6);
        cli_json_number(&j, "p99_ms", percentile(m, 0.99) / 1e6);
        cli_json_number(&j, "per_second", per_second);
        cli_json_int(&j, "peak_rss_bytes", (int64_t)cli_peak_rss());
        subject_json_plan(&j, &s->plan);
        if (profile) json_profile(&j, s, &peak);
        cli_json_close(&j, '}');
        cli_json_end(&j);
        return;
    }
    char a[40], b[40], d[40], e[40];
    printf("threads %d, batch %ld, %zu runs\n", s->threads, batch, m->n);
    printf("load        %s, first run %s\n",
           cli_time(a, sizeof a, (double)s->load_ns),
           cli_time(b, sizeof b, (double)first_ns));
    printf("latency     min %s, p50 %s, p90 %s, p99 %s\n",
           cli_time(a, sizeof a, m->ns[0]),
           cli_time(b, sizeof b, percentile(m, 0.50)),
           cli_time(d, sizeof d, percentile(m, 0.90)),
           cli_time(e, sizeof e, percentile(m, 0.99)));
    printf("throughput  %.1f per second\n", per_second);
    printf("memory      %s resident at most\n",
           cli_bytes(a, sizeof a, (double)cli_peak_rss()));
    printf("            weights %s, packed weights %s,\n",
           cli_bytes(a, sizeof a, (double)s->plan.weights_bytes),
           cli_bytes(b, sizeof b, (double)s->plan.packed_bytes));
    printf("            activations peak %s, scratch %s\n",
           cli_bytes(a, sizeof a, (double)s->plan.activation_bytes),
           cli_bytes(b, sizeof b, (double)s->plan.scratch_bytes));
    if (profile) print_profile(s, &peak);
}

static int bench(const cli *c, subject *s, long batch, double seconds)
{
    tn_err err;
    memset(&err, 0, sizeof err);
    int code = subject_read_inputs(s, c, c->args + 1, c->n_args - 1);
    if (code == CLI_OK) code = subject_fill_inputs(s, c, true, batch);
    if (code == CLI_OK) code = subject_bind(s);
    if (code != CLI_OK) return code;
    const uint64_t start = cli_now_ns();
    if (tn_run_exec(s->run, &err) != TN_OK) return cli_fail(&err);
    const uint64_t first_ns = cli_now_ns() - start;
    s->plan = (tn_plan_info)TN_PLAN_INFO_INIT;
    if (tn_run_plan_info(s->run, &s->plan) == TN_OK)
        s->threads = s->plan.n_threads;
    if (c->tty && seconds >= 1.0 && !c->json)
        fprintf(stderr, "measuring for %.1f s ...\r", seconds);
    samples m = {NULL, 0, 0};
    code = measure(s, &m, seconds / 10.0); /* warm up */
    m.n = 0;
    tn_run_profile_reset(s->run);
    if (code == CLI_OK) code = measure(s, &m, seconds);
    if (code == CLI_OK) report(c, s, &m, first_ns, batch);
    free(m.ns);
    return code;
}

static int run(cli *c)
{
    long batch = 1;
    double seconds = 2.0;
    if (!cli_get_long(c, "batch", 1, 1, 1000000, &batch) ||
        !cli_get_double(c, "seconds", 2.0, 0.0, &seconds))
        return CLI_USAGE;
    subject s;
    const uint32_t flags =
        cli_has(c, "profile") ? (uint32_t)TN_SESSION_PROFILE : 0u;
    int code = subject_open(&s, c, c->args[0], flags);
    if (code == CLI_OK) code = bench(c, &s, batch, seconds);
    subject_close(&s);
    return code;
}

const cli_command cli_cmd_bench = {
    .name = "bench",
    .group = "Model",
    .summary = "latency, throughput and memory of a model",
    .usage = "MODEL [NAME=FILE ...] [--threads N] [--batch N] [--seconds S] "
             "[--profile]",
    .details =
        "Inputs that are not given are random. A warm-up of a tenth of the "
        "time comes\nfirst. --profile adds a clock to every operator.\n",
    .examples = "  tenon bench resnet50.onnx --threads 1\n"
                "  tenon bench bert.onnx --dim sequence=128 --profile\n",
    CLI_OPTIONS(options),
    .min_args = 1,
    .max_args = -1,
    .run = run,
};

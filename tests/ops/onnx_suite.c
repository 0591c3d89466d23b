/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onnx_suite.c - runs folders of ONNX backend tests through the public API
 *
 * A test is a folder with model.onnx and test_data_set_N/{input_i,output_i}.pb.
 * Folders without a model are searched further. Every test runs in a process
 * of its own, so that a crash or an endless loop is one failure among others.
 * Failures are printed grouped by operator; the last line counts.
 */
#define _XOPEN_SOURCE 700
#include "tenon/tenon.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { path_size = 1024, max_values = 256, max_sets = 1000 };

static const char usage[] =
    "usage: onnx_suite [options] FOLDER...\n"
    "  --only GLOB      tests whose path from FOLDER, or whose name, matches;\n"
    "                   may be given several times\n"
    "  --isa LIST       CPU bundles, as 'tenon' has them (native)\n"
    "  --threads N      1\n"
    "  --rtol X         1e-3\n"
    "  --atol X         1e-5\n"
    "  --min-pass N     succeed when at least N tests pass\n"
    "  --list-failing   print the failing names only, one per line\n"
    "  --list-passing   the same for those that pass\n"
    "  --reference      run every operator by its plain C reference\n"
    "  --no-optimize    leave the graph as the file has it\n"
    "  --timeout S      seconds for one test (60)\n"
    "  --no-fork        run in this process (for a debugger)\n";

typedef struct options {
    const char *only[64];
    int n_only;
    tn_session_opts session;
    double rtol, atol;
    long min_pass;
    bool list_failing, list_passing, no_fork;
    unsigned timeout_s;
} options;

/* What became of a test; plain bytes, so that a pipe can carry it. */
typedef struct outcome {
    bool passed;
    char op[64];
    char reason[768];
} outcome;

typedef struct failure {
    char name[256];
    outcome what;
} failure;

typedef struct suite {
    options opts;
    failure *failures;
    size_t n_failures, cap;
    long passed;
    long skipped; /* by --only */
    const char *root;
} suite;

/* --- one test ------------------------------------------------------------ */

static void say(outcome *o, const char *what, const tn_err *err,
                tn_status status)
{
    (void)snprintf(o->reason, sizeof o->reason, "%s: %s%s%s (%s)", what,
                   err->where, err->where[0] != '\0' ? ": " : "", err->message,
                   tn_status_name(status));
}

/* The operator a test is about: one that is not supported, or the one that
 * the error names, or the first of the model. */
static void blame(outcome *o, const char *path, const tn_err *err)
{
    tn_model *model = NULL;
    (void)snprintf(o->op, sizeof o->op, "?");
    if (tn_model_open_lenient(&model, path, NULL, NULL) == TN_OK) {
        tn_model_info info = TN_MODEL_INFO_INIT;
        if (tn_model_get_info(model, &info) == TN_OK) {
            bool found = false;
            for (size_t i = 0; i < info.n_ops && !found; i++) {
                const char *domain = "", *name = "";
                size_t uses = 0;
                int supported = 1;
                if (tn_model_op(model, i, &domain, &name, &uses, &supported) !=
                    TN_OK)
                    continue;
                found = supported == 0;
                if (i == 0 || found)
                    (void)snprintf(o->op, sizeof o->op, "%.60s", name);
            }
            tn_model_close(model);
            if (found) return;
        }
    }
    const char *open = strrchr(err->where, '(');
    const char *close = open != NULL ? strchr(open, ')') : NULL;
    if (close != NULL)
        (void)snprintf(o->op, sizeof o->op, "%.*s",
                       (int)(close - open - 1 < 60 ? close - open - 1 : 60),
                       open + 1);
}

typedef struct values {
    tn_tensor *in[max_values], *want[max_values];
    tn_tensor *in_bytes[max_values], *want_bytes[max_values]; /* of views */
    bool has_in[max_values], has_want[max_values];
} values;

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

static bool read_value(tn_tensor **out, const char *folder, const char *kind,
                       size_t i, tn_kind is, outcome *o, bool *there)
{
    char path[path_size + 64];
    tn_err err;
    (void)snprintf(path, sizeof path, "%s/%s_%zu.pb", folder, kind, i);
    *there = exists(path);
    if (!*there) return true;
    tn_read_opts opts = TN_READ_OPTS_INIT;
    opts.kind = is;
    const tn_status status = tn_tensor_read(out, path, &opts, &err);
    if (status == TN_OK) return true;
    say(o, "reading the data", &err, status);
    return false;
}

/* The first releases with bfloat16 stored it as uint16: the same bytes are
 * seen as what the model says. *bytes gets what the view looks at. */
static bool as_declared(tn_tensor **value, tn_tensor **bytes,
                        const tn_value_info *info, outcome *o)
{
    tn_tensor *raw = *value;
    tn_err err;
    if (raw == NULL || tn_tensor_kind(raw) != TN_KIND_TENSOR ||
        info->dtype != TN_BF16 || tn_tensor_dtype(raw) != TN_U16)
        return true;
    const tn_status status = tn_tensor_wrap(
        value, TN_BF16, tn_tensor_rank(raw), tn_tensor_dims(raw),
        tn_tensor_data(raw), tn_tensor_size(raw), NULL, &err);
    *bytes = raw;
    if (status != TN_OK) say(o, "reading the data", &err, status);
    return status == TN_OK;
}

static bool compare(const options *opts, const tn_run *run, size_t i,
                    const tn_tensor *want, const char *name, outcome *o)
{
    tn_err err;
    tn_diff diff;
    const tn_tensor *got = tn_run_output(run, i);
    if (got == NULL) {
        (void)snprintf(o->reason, sizeof o->reason, "output '%s' is missing",
                       name);
        return false;
    }
    const tn_status status =
        tn_tensor_compare(&diff, got, want, opts->rtol, opts->atol, &err);
    if (status != TN_OK) {
        (void)snprintf(o->reason, sizeof o->reason, "output '%s': %s", name,
                       err.message);
        return false;
    }
    if (diff.n_bad == 0) return true;
    char a[64] = "", b[64] = "";
    if (tn_tensor_kind(got) == TN_KIND_TENSOR && diff.first_bad >= 0) {
        (void)tn_tensor_format(got, diff.first_bad, a, sizeof a);
        (void)tn_tensor_format(want, diff.first_bad, b, sizeof b);
    }
    (void)snprintf(o->reason, sizeof o->reason,
                   "output '%s': %lld of %lld elements differ, most by %.3g "
                   "absolute, %.3g relative; element %lld is %s, expected %s",
                   name, (long long)diff.n_bad, (long long)tn_tensor_len(want),
                   diff.max_abs, diff.max_rel, (long long)diff.first_bad, a, b);
    return false;
}

static bool run_set(const options *opts, const tn_model *model, tn_run *run,
                    const char *folder, values *v, outcome *o, tn_err *err)
{
    const size_t n_in = tn_model_n_inputs(model);
    const size_t n_out = tn_model_n_outputs(model);
    tn_value_info info;
    for (size_t i = 0; i < n_in; i++) {
        if (tn_model_input(model, i, &info) != TN_OK) return false;
        if (!read_value(&v->in[i], folder, "input", i, info.kind, o,
                        &v->has_in[i]))
            return false;
        if (!v->has_in[i]) continue;
        if (!as_declared(&v->in[i], &v->in_bytes[i], &info, o)) return false;
        const tn_status status = tn_run_set_input(run, i, v->in[i], err);
        if (status != TN_OK) {
            say(o, "binding an input", err, status);
            return false;
        }
    }
    for (size_t i = 0; i < n_out; i++) {
        if (tn_model_output(model, i, &info) != TN_OK) return false;
        if (!read_value(&v->want[i], folder, "output", i, info.kind, o,
                        &v->has_want[i]) ||
            !as_declared(&v->want[i], &v->want_bytes[i], &info, o))
            return false;
    }
    const tn_status status = tn_run_exec(run, err);
    if (status != TN_OK) {
        say(o, "running", err, status);
        return false;
    }
    for (size_t i = 0; i < n_out; i++) {
        if (tn_model_output(model, i, &info) != TN_OK) return false;
        if (v->has_want[i] && !compare(opts, run, i, v->want[i], info.name, o))
            return false;
    }
    return true;
}

static void free_values(values *v)
{
    for (int i = 0; i < max_values; i++) {
        tn_tensor_free(v->in[i]);
        tn_tensor_free(v->want[i]);
        tn_tensor_free(v->in_bytes[i]);
        tn_tensor_free(v->want_bytes[i]);
    }
    memset(v, 0, sizeof *v);
}

static bool run_sets(const options *opts, const tn_model *model,
                     tn_session *session, const char *folder, outcome *o,
                     tn_err *err)
{
    static values v;
    int n_sets = 0;
    if (tn_model_n_inputs(model) > max_values ||
        tn_model_n_outputs(model) > max_values) {
        (void)snprintf(o->reason, sizeof o->reason, "too many values");
        return false;
    }
    tn_run *run = NULL;
    const tn_status status = tn_run_new(&run, session, err);
    if (status != TN_OK) {
        say(o, "making a run", err, status);
        return false;
    }
    bool good = true;
    for (int set = 0; set < max_sets && good; set++) {
        char data[path_size + 32];
        (void)snprintf(data, sizeof data, "%s/test_data_set_%d", folder, set);
        if (!exists(data)) continue;
        good = run_set(opts, model, run, data, &v, o, err);
        n_sets++;
        if (!exists(data)) break;
        /* Sets are numbered without gaps, but some begin at 1. */
        char next[path_size + 32];
        (void)snprintf(next, sizeof next, "%s/test_data_set_%d", folder,
                       set + 1);
        const bool last = !exists(next);
        if (good && last) break;
        if (good) free_values(&v);
    }
    tn_run_free(run);
    free_values(&v);
    if (good && n_sets == 0)
        (void)snprintf(o->reason, sizeof o->reason,
                       "the folder has no test_data_set_*");
    return good && n_sets > 0;
}

static void run_test(const options *opts, const char *folder, outcome *o)
{
    char path[path_size + 32];
    tn_err err;
    tn_model *model = NULL;
    tn_session *session = NULL;
    memset(o, 0, sizeof *o);
    memset(&err, 0, sizeof err);
    (void)snprintf(path, sizeof path, "%s/model.onnx", folder);
    tn_status status = tn_model_open(&model, path, NULL, &err);
    if (status != TN_OK) {
        /* The path is known already. */
        if (strncmp(err.where, path, strlen(path)) == 0) {
            const size_t skip = strlen(path);
            const char *rest = err.where + skip;
            if (strncmp(rest, ": ", 2) == 0) rest += 2;
            memmove(err.where, rest, strlen(rest) + 1);
        }
        say(o, "loading", &err, status);
    } else {
        status = tn_session_new(&session, model, &opts->session, &err);
        if (status != TN_OK) say(o, "making a session", &err, status);
    }
    if (status == TN_OK)
        o->passed = run_sets(opts, model, session, folder, o, &err);
    tn_session_free(session);
    tn_model_close(model);
    if (!o->passed) blame(o, path, &err);
}

/* --- a process per test -------------------------------------------------- */

static void run_forked(const options *opts, const char *folder, outcome *o)
{
    int ends[2];
    memset(o, 0, sizeof *o);
    (void)snprintf(o->op, sizeof o->op, "?");
    (void)snprintf(o->reason, sizeof o->reason, "the process gave no answer");
    if (pipe(ends) != 0) return;
    (void)fflush(NULL);
    const pid_t pid = fork();
    if (pid < 0) return;
    if (pid == 0) {
        (void)close(ends[0]);
        (void)alarm(opts->timeout_s);
        outcome mine;
        run_test(opts, folder, &mine);
        const ssize_t n = write(ends[1], &mine, sizeof mine);
        _exit(n == (ssize_t)sizeof mine ? 0 : 1);
    }
    (void)close(ends[1]);
    outcome got;
    size_t used = 0;
    while (used < sizeof got) {
        const ssize_t n = read(ends[0], (char *)&got + used, sizeof got - used);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        used += (size_t)n;
    }
    (void)close(ends[0]);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (used == sizeof got && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        *o = got;
        return;
    }
    char path[path_size + 32];
    tn_err none;
    memset(&none, 0, sizeof none);
    (void)snprintf(path, sizeof path, "%s/model.onnx", folder);
    blame(o, path, &none);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        (void)snprintf(o->reason, sizeof o->reason, "took more than %u s",
                       opts->timeout_s);
    else if (WIFSIGNALED(status))
        (void)snprintf(o->reason, sizeof o->reason, "crashed with signal %d",
                       WTERMSIG(status));
    else if (WIFEXITED(status))
        (void)snprintf(o->reason, sizeof o->reason, "exited with status %d",
                       WEXITSTATUS(status));
}

/* --- folders ------------------------------------------------------------- */

static bool wanted(const options *opts, const char *name)
{
    if (opts->n_only == 0) return true;
    const char *slash = strrchr(name, '/');
    const char *base = slash != NULL ? slash + 1 : name;
    for (int i = 0; i < opts->n_only; i++)
        if (fnmatch(opts->only[i], name, 0) == 0 ||
            fnmatch(opts->only[i], base, 0) == 0)
            return true;
    return false;
}

static void take_test(suite *s, const char *folder)
{
    const size_t skip = strlen(s->root);
    const char *name = folder + skip;
    while (*name == '/') name++;
    if (*name == '\0') {
        const char *slash = strrchr(folder, '/');
        name = slash != NULL ? slash + 1 : folder;
    }
    if (!wanted(&s->opts, name)) {
        s->skipped++;
        return;
    }
    outcome o;
    if (s->opts.no_fork)
        run_test(&s->opts, folder, &o);
    else
        run_forked(&s->opts, folder, &o);
    if (o.passed) {
        s->passed++;
        if (s->opts.list_passing) printf("%s\n", name);
        return;
    }
    if (s->opts.list_failing) printf("%s\n", name);
    if (s->n_failures == s->cap) {
        const size_t cap = s->cap == 0 ? 64 : s->cap * 2;
        failure *grown = realloc(s->failures, cap * sizeof *grown);
        if (grown == NULL) {
            (void)fprintf(stderr, "onnx_suite: out of memory\n");
            exit(2);
        }
        s->failures = grown;
        s->cap = cap;
    }
    failure *f = &s->failures[s->n_failures++];
    (void)snprintf(f->name, sizeof f->name, "%s", name);
    f->what = o;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static void walk(suite *s, const char *folder, int depth)
{
    char path[path_size];
    int n = snprintf(path, sizeof path, "%s/model.onnx", folder);
    if (n < 0 || (size_t)n >= sizeof path) return;
    if (exists(path)) {
        take_test(s, folder);
        return;
    }
    if (depth == 0) return;
    struct dirent **list = NULL;
    const int count = scandir(folder, &list, not_hidden, by_name);
    for (int i = 0; i < count; i++) {
        struct stat st;
        n = snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
        if (n > 0 && (size_t)n < sizeof path && stat(path, &st) == 0 &&
            S_ISDIR(st.st_mode))
            walk(s, path, depth - 1);
        free(list[i]);
    }
    free(list);
}

/* --- report -------------------------------------------------------------- */

static int by_op(const void *a, const void *b)
{
    const failure *x = a, *y = b;
    const int c = strcmp(x->what.op, y->what.op);
    return c != 0 ? c : strcmp(x->name, y->name);
}

static void report(suite *s)
{
    if (s->n_failures > 0)
        qsort(s->failures, s->n_failures, sizeof s->failures[0], by_op);
    for (size_t i = 0; i < s->n_failures; i++) {
        const failure *f = &s->failures[i];
        if (i == 0 || strcmp(f[-1].what.op, f->what.op) != 0) {
            size_t n = 1;
            while (i + n < s->n_failures &&
                   strcmp(f[n].what.op, f->what.op) == 0)
                n++;
            printf("%s: %zu failed\n", f->what.op, n);
        }
        printf("    %s\n        %s\n", f->name, f->what.reason);
    }
}

/* --- arguments ----------------------------------------------------------- */

static void complain(const char *what, const char *which)
{
    (void)fprintf(stderr, "onnx_suite: %s '%s'\n%s", what, which, usage);
    exit(2);
}

static double number(const char *option, const char *text)
{
    char *end = NULL;
    const double v = strtod(text, &end);
    if (end == text || *end != '\0' || v < 0.0)
        complain("bad value of", option);
    return v;
}

/* Reads options; returns the index of the first folder. */
static int parse(options *o, int argc, char **argv)
{
    static const tn_session_opts defaults = TN_SESSION_OPTS_INIT;
    memset(o, 0, sizeof *o);
    o->session = defaults;
    o->session.n_threads = 1;
    o->rtol = 1e-3;
    o->atol = 1e-5;
    o->min_pass = -1;
    o->timeout_s = 60;
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        const char *a = argv[i];
        if (strcmp(a, "--list-failing") == 0) {
            o->list_failing = true;
        } else if (strcmp(a, "--list-passing") == 0) {
            o->list_passing = true;
        } else if (strcmp(a, "--reference") == 0) {
            o->session.flags |= TN_SESSION_REFERENCE;
        } else if (strcmp(a, "--no-optimize") == 0) {
            o->session.flags |= TN_SESSION_NO_OPTIMIZE;
        } else if (strcmp(a, "--no-fork") == 0) {
            o->no_fork = true;
        } else if (i + 1 >= argc) {
            complain("unknown option, or one without its value,", a);
        } else if (strcmp(a, "--only") == 0) {
            if (o->n_only == 64) complain("too many of", a);
            o->only[o->n_only++] = argv[++i];
        } else if (strcmp(a, "--isa") == 0) {
            tn_err err;
            if (tn_isa_parse(&o->session.isa_mask, argv[++i], &err) != TN_OK)
                complain(err.message, argv[i]);
        } else if (strcmp(a, "--threads") == 0) {
            o->session.n_threads = (int)number(a, argv[++i]);
        } else if (strcmp(a, "--rtol") == 0) {
            o->rtol = number(a, argv[++i]);
        } else if (strcmp(a, "--atol") == 0) {
            o->atol = number(a, argv[++i]);
        } else if (strcmp(a, "--min-pass") == 0) {
            o->min_pass = (long)number(a, argv[++i]);
        } else if (strcmp(a, "--timeout") == 0) {
            o->timeout_s = (unsigned)number(a, argv[++i]);
        } else {
            complain("unknown option", a);
        }
    }
    return i;
}

int main(int argc, char **argv)
{
    static suite s;
    const int first = parse(&s.opts, argc, argv);
    if (first == argc) complain("no folder given", "");
    for (int i = first; i < argc; i++) {
        if (!exists(argv[i])) complain("no such folder", argv[i]);
        s.root = argv[i];
        walk(&s, argv[i], 6);
    }
    const bool list = s.opts.list_failing || s.opts.list_passing;
    if (!list) report(&s);
    const long failed = (long)s.n_failures;
    free(s.failures);
    if (!list) printf("%ld passed, %ld failed\n", s.passed, failed);
    if (s.passed + failed == 0) {
        (void)fprintf(stderr, "onnx_suite: no test matches\n");
        return 2;
    }
    const bool good =
        s.opts.min_pass >= 0 ? s.passed >= s.opts.min_pass : failed == 0;
    return good ? 0 : 1;
}

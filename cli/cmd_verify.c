/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_verify.c - does the model give Python's answers? */
#include "cases.h"
#include "show.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    {"rtol", 0, "R", "relative tolerance (default 1e-3)", false},
    {"atol", 0, "A", "absolute tolerance (default 1e-4)", false},
    {"locate", 0, "REF.npz",
     "intermediate values by name: find the first node that diverges", false},
    SUBJECT_OPTIONS,
};

typedef struct verdict {
    const cli *c;
    double rtol, atol;
    cli_json json;
    size_t passed, failed;
} verdict;

/* FNV-1a over the elements: equal digests mean equal bits. */
static uint64_t digest(uint64_t h, const tn_tensor *t, int depth)
{
    const unsigned char *bytes = tn_tensor_cdata(t);
    if (tn_tensor_kind(t) != TN_KIND_TENSOR) {
        const int64_t n =
            tn_tensor_kind(t) == TN_KIND_MAP ? 2 : tn_tensor_len(t);
        for (int64_t i = 0; i < n && depth < 8; i++)
            if (tn_tensor_item(t, i) != NULL)
                h = digest(h, tn_tensor_item(t, i), depth + 1);
        return h;
    }
    if (tn_tensor_dtype(t) == TN_STRING) {
        const tn_string *s = tn_tensor_cdata(t);
        for (int64_t i = 0; i < tn_tensor_len(t); i++) {
            for (size_t k = 0; k < s[i].len; k++)
                h = (h ^ (unsigned char)s[i].ptr[k]) * 0x100000001b3u;
            h = (h ^ 0xffu) * 0x100000001b3u;
        }
        return h;
    }
    for (size_t i = 0; i < tn_tensor_size(t); i++)
        h = (h ^ bytes[i]) * 0x100000001b3u;
    return h;
}

typedef struct first_bad {
    char at[160]; /* "7", "[2]['cat']" */
    char found[64], expected[64];
} first_bad;

static void put(first_bad *f, const char *open, const char *text,
                const char *close)
{
    const size_t n = strlen(f->at);
    (void)snprintf(f->at + n, sizeof f->at - n, "%s%s%s", open, text, close);
}

static bool differs(const verdict *v, const tn_tensor *got,
                    const tn_tensor *want, tn_diff *d)
{
    tn_err err;
    return got != NULL && want != NULL &&
           tn_tensor_compare(d, got, want, v->rtol, v->atol, &err) == TN_OK &&
           d->n_bad != 0;
}

/* What stands at the first element that differs of a tensor. */
static void put_elements(first_bad *f, const tn_tensor *got,
                         const tn_tensor *want, const tn_diff *d)
{
    (void)tn_tensor_format(got, d->first_bad, f->found, sizeof f->found);
    (void)tn_tensor_format(want, d->first_bad, f->expected, sizeof f->expected);
}

static void put_index(first_bad *f, const char *open, int64_t i,
                      const char *close)
{
    char number[32];
    (void)snprintf(number, sizeof number, "%lld", (long long)i);
    put(f, open, number, close);
}

static void find_bad_in_map(const verdict *v, const tn_tensor *got,
                            const tn_tensor *want, first_bad *f)
{
    const tn_tensor *keys = tn_tensor_item(want, 0);
    tn_diff d;
    if (differs(v, tn_tensor_item(got, 0), keys, &d)) {
        put_index(f, f->at[0] != '\0' ? " key " : "key ", d.first_bad, "");
        put_elements(f, tn_tensor_item(got, 0), keys, &d);
        return;
    }
    if (!differs(v, tn_tensor_item(got, 1), tn_tensor_item(want, 1), &d))
        return;
    char key[64] = "";
    const bool text = tn_tensor_dtype(keys) == TN_STRING;
    (void)tn_tensor_format(keys, d.first_bad, key, sizeof key);
    put(f, text ? "['" : "[", key, text ? "']" : "]");
    put_elements(f, tn_tensor_item(got, 1), tn_tensor_item(want, 1), &d);
}

/* Where two values that compare as bad differ first, and what stands there.
 * Containers are followed down to the tensor or the map that differs. */
static void find_bad(const verdict *v, const tn_tensor *got,
                     const tn_tensor *want, first_bad *f)
{
    tn_diff d;
    while (tn_tensor_kind(want) == TN_KIND_SEQUENCE ||
           tn_tensor_kind(want) == TN_KIND_OPTIONAL) {
        const int64_t n = tn_tensor_len(want);
        int64_t i = 0;
        while (i < n &&
               !differs(v, tn_tensor_item(got, i), tn_tensor_item(want, i), &d))
            i++;
        if (i == n) return;
        put_index(f, "[", i, "]");
        got = tn_tensor_item(got, i);
        want = tn_tensor_item(want, i);
    }
    if (tn_tensor_kind(want) == TN_KIND_MAP) {
        find_bad_in_map(v, got, want, f);
    } else if (differs(v, got, want, &d)) {
        put_index(f, f->at[0] != '\0' ? " element " : "", d.first_bad, "");
        put_elements(f, got, want, &d);
    }
}

/* One output of one case; true when it is within tolerance. */
static bool check_output(verdict *v, const char *name, const tn_tensor *got,
                         const tn_tensor *want)
{
    tn_err err;
    tn_diff d;
    memset(&err, 0, sizeof err);
    const tn_status status =
        tn_tensor_compare(&d, got, want, v->rtol, v->atol, &err);
    const bool ok = status == TN_OK && d.n_bad == 0;
    if (v->c->json) {
        cli_json *j = &v->json;
        cli_json_open(j, NULL, '{');
        cli_json_string(j, "name", name);
        cli_json_bool(j, "ok", ok);
        char text[24];
        (void)snprintf(text, sizeof text, "%016llx",
                       (unsigned long long)digest(0xcbf29ce484222325u, got, 0));
        cli_json_string(j, "digest", text);
        if (status == TN_OK) {
            cli_json_number(j, "max_abs", d.max_abs);
            cli_json_number(j, "max_rel", d.max_rel);
            cli_json_number(j, "ulp", d.max_ulp);
            cli_json_int(j, "n_bad", d.n_bad);
        } else {
            cli_json_string(j, "error", err.message);
        }
        cli_json_close(j, '}');
        return ok;
    }
    if (status != TN_OK) {
        printf("  %-28s FAIL  %s\n", name, err.message);
        return false;
    }
    printf("  %-28s %s  max abs %.3g, rel %.3g, ulp %.3g", name,
           ok ? "ok  " : "FAIL", d.max_abs, d.max_rel, d.max_ulp);
    if (!ok) {
        first_bad f = {"", "", ""};
        find_bad(v, got, want, &f);
        printf("; %lld", (long long)d.n_bad);
        if (tn_tensor_kind(want) == TN_KIND_TENSOR)
            printf(" of %lld", (long long)tn_tensor_len(want));
        printf(" out of tolerance, first at %s: found %s, expected %s", f.at,
               f.found, f.expected);
    }
    printf("\n");
    return ok;
}

static int run_case(verdict *v, subject *s, const test_case *t)
{
    tn_err err;
    memset(&err, 0, sizeof err);
    for (size_t i = 0; i < s->n_inputs; i++) {
        tn_value_info info;
        if (tn_model_input(s->model, i, &info) != TN_OK) return CLI_INPUT;
        if (t->inputs[i] == NULL) {
            cli_error("%s: input '%s' is not stored: expected input_%zu.pb, "
                      "input_%zu.npy or an array of that name",
                      t->name, info.name, i, i);
            return CLI_INPUT;
        }
        if (tn_run_set_input(s->run, i, t->inputs[i], &err) != TN_OK)
            return cli_fail(&err);
    }
    if (tn_run_exec(s->run, &err) != TN_OK) return cli_fail(&err);
    bool ok = true;
    if (v->c->json) {
        cli_json_open(&v->json, NULL, '{');
        cli_json_string(&v->json, "name", t->name);
        cli_json_open(&v->json, "outputs", '[');
    } else {
        printf("%s\n", t->name);
    }
    for (size_t i = 0; i < s->n_outputs; i++) {
        tn_value_info info;
        const tn_tensor *got = tn_run_output(s->run, i);
        if (t->outputs[i] == NULL || got == NULL ||
            tn_model_output(s->model, i, &info) != TN_OK)
            continue;
        ok = check_output(v, info.name, got, t->outputs[i]) && ok;
    }
    if (v->c->json) {
        cli_json_close(&v->json, ']');
        cli_json_bool(&v->json, "ok", ok);
        cli_json_close(&v->json, '}');
    }
    if (ok)
        v->passed++;
    else
        v->failed++;
    return CLI_OK;
}

/* --- locating ---------------------------------------------------------- */

typedef struct locate_ctx {
    verdict *v;
    const subject *s;
    size_t compared, unknown;
    /* The diverging value that is computed first. */
    char *first;
    long first_order;
    tn_diff first_diff;
    const char *wanted; /* name searched in the listing */
    long order;         /* of the line being read */
    long found;
} locate_ctx;

/* The describe listing is in execution order: a value's line tells when. */
static void find_line(void *ctx, const char *text)
{
    locate_ctx *l = ctx;
    const size_t n = strlen(text), m = strlen(l->wanted);
    const char *arrow = strstr(text, ") -> ");
    l->order++;
    if (arrow == NULL || l->found >= 0) return;
    for (const char *p = arrow; p + m <= text + n; p++)
        if (strncmp(p, l->wanted, m) == 0 && p > text && p[-1] == ' ' &&
            (p[m] == '\0' || p[m] == ','))
            l->found = l->order;
}

static tn_status locate_member(void *ctx, const char *name, tn_tensor *value)
{
    locate_ctx *l = ctx;
    tn_err err;
    tn_diff d;
    memset(&err, 0, sizeof err);
    const tn_tensor *got = tn_run_value(l->s->run, name);
    if (got == NULL || tn_model_find_input(l->s->model, name) >= 0) {
        l->unknown += got == NULL;
        tn_tensor_free(value);
        return TN_OK;
    }
    l->compared++;
    const tn_status status =
        tn_tensor_compare(&d, got, value, l->v->rtol, l->v->atol, &err);
    if (status == TN_OK && d.n_bad == 0) {
        tn_tensor_free(value);
        return TN_OK;
    }
    l->wanted = name;
    l->order = 0;
    l->found = -1;
    if (tn_session_describe(l->s->session, find_line, l, &err) == TN_OK &&
        l->found >= 0 && (l->first == NULL || l->found < l->first_order)) {
        free(l->first);
        l->first = cli_alloc(strlen(name) + 1);
        memcpy(l->first, name, strlen(name));
        l->first_order = l->found;
        l->first_diff = d;
        if (status != TN_OK) l->first_diff.max_abs = (double)INFINITY;
    }
    tn_tensor_free(value);
    return TN_OK;
}

static void print_node(void *ctx, const char *text)
{
    locate_ctx *l = ctx;
    l->order++;
    if (l->order == l->first_order) fprintf(stderr, "  %s\n", text);
}

static int locate(verdict *v, subject *s, const char *path)
{
    locate_ctx l;
    tn_err err;
    memset(&l, 0, sizeof l);
    memset(&err, 0, sizeof err);
    l.v = v;
    l.s = s;
    if (tn_npz_read(path, NULL, locate_member, &l, &err) != TN_OK)
        return cli_fail(&err);
    if (l.compared == 0) {
        cli_error("%s holds no value of this model: arrays must be named like "
                  "the graph's tensors",
                  path);
        return CLI_INPUT;
    }
    if (v->c->json) {
        cli_json_open(&v->json, "located", '{');
        cli_json_int(&v->json, "compared", (int64_t)l.compared);
        if (l.first != NULL) {
            cli_json_string(&v->json, "value", l.first);
            cli_json_number(&v->json, "max_abs", l.first_diff.max_abs);
        } else {
            cli_json_null(&v->json, "value");
        }
        cli_json_close(&v->json, '}');
    } else if (l.first != NULL) {
        fprintf(stderr,
                "first divergence of %zu values compared: '%s' (max abs %.3g), "
                "computed by\n",
                l.compared, l.first, l.first_diff.max_abs);
        l.order = 0;
        if (tn_session_describe(s->session, print_node, &l, &err) != TN_OK)
            (void)cli_fail(&err);
    } else {
        fprintf(stderr, "no divergence in %zu intermediate values\n",
                l.compared);
    }
    free(l.first);
    return CLI_OK;
}

static int verify_all(verdict *v, subject *s, const case_list *list)
{
    const char *reference = cli_get(v->c, "locate", NULL);
    int code = CLI_OK;
    if (v->c->json) {
        cli_json_open(&v->json, NULL, '{');
        cli_json_open(&v->json, "cases", '[');
    }
    for (size_t i = 0; i < list->n && code == CLI_OK; i++) {
        test_case t;
        code = case_read(&t, s, list->paths[i]);
        if (code == CLI_OK) code = run_case(v, s, &t);
        if (code == CLI_OK && i + 1 == list->n && v->c->json)
            cli_json_close(&v->json, ']');
        if (code == CLI_OK && i + 1 == list->n && reference != NULL)
            code = locate(v, s, reference);
        case_release(&t, s);
    }
    if (code != CLI_OK) return code;
    if (v->c->json) {
        cli_json_int(&v->json, "passed", (int64_t)v->passed);
        cli_json_int(&v->json, "failed", (int64_t)v->failed);
        cli_json_close(&v->json, '}');
        cli_json_end(&v->json);
    } else {
        printf("%zu passed, %zu failed\n", v->passed, v->failed);
    }
    return v->failed != 0 ? CLI_FOUND : CLI_OK;
}

static int run(cli *c)
{
    verdict v;
    memset(&v, 0, sizeof v);
    v.c = c;
    if (!cli_get_double(c, "rtol", 1e-3, 0.0, &v.rtol) ||
        !cli_get_double(c, "atol", 1e-4, 0.0, &v.atol))
        return CLI_USAGE;
    cli_json_init(&v.json, stdout);
    subject s;
    const uint32_t flags =
        cli_has(c, "locate") ? (uint32_t)TN_SESSION_KEEP_VALUES : 0u;
    int code = subject_open(&s, c, c->args[0], flags);
    if (code == CLI_OK) {
        case_list list;
        code = cases_find(&list, c->args[1]);
        if (code == CLI_OK) code = verify_all(&v, &s, &list);
        cases_release(&list);
    }
    subject_close(&s);
    return code;
}

const cli_command cli_cmd_verify = {
    .name = "verify",
    .group = "Model",
    .summary = "same answers as Python? compare with stored outputs",
    .usage = "MODEL CASES [--rtol R] [--atol A] [--locate REF.npz]",
    .details =
        "CASES is a folder in ONNX test layout (test_data_set_0/input_0.pb, "
        "output_0.pb;\n.npy works too), a folder of .npy named like the "
        "model's inputs and outputs, or an\n.npz with arrays of those names. A "
        "float passes when |found - expected| <=\natol + rtol * |expected|; "
        "everything else must be equal. Exit code 1 on a mismatch.\n\n"
        "--locate takes intermediate values from Python, named like the "
        "graph's tensors,\nand names the first node whose result differs.\n",
    .examples =
        "  tenon verify digits.onnx cases\n"
        "  tenon verify net.onnx io.npz --atol 1e-5 --locate layers.npz\n",
    CLI_OPTIONS(options),
    .min_args = 2,
    .max_args = 2,
    .run = run,
};

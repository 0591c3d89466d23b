/* SPDX-License-Identifier: Apache-2.0 */
/* cases.c - stored inputs and expected outputs to verify a model against */
#if !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE 1
#endif
#include "cases.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool ends_with(const char *text, const char *suffix)
{
    const size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

static char *join(const char *dir, const char *name)
{
    const size_t n = strlen(dir) + strlen(name) + 2;
    char *path = cli_alloc(n);
    (void)snprintf(path, n, "%s/%s", dir, name);
    return path;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

static void add_path(case_list *list, char *path)
{
    list->paths =
        cli_realloc(list->paths, (list->n + 1) * sizeof *list->paths);
    list->paths[list->n++] = path;
}

/* test_data_set_2 before test_data_set_10. */
static int by_number(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    const size_t n = strlen(x), m = strlen(y);
    if (n != m) return n < m ? -1 : 1;
    return strcmp(x, y);
}

int cases_find(case_list *list, const char *path)
{
    memset(list, 0, sizeof *list);
    if (!is_folder(path)) {
        if (!exists(path)) {
            cli_error("%s: %s", path, strerror(errno));
            return CLI_INPUT;
        }
        if (!ends_with(path, ".npz")) {
            cli_error("%s: expected a folder of cases or an .npz", path);
            return CLI_INPUT;
        }
        add_path(list, join(".", path));
        (void)snprintf(list->paths[0], strlen(path) + 3, "%s", path);
        return CLI_OK;
    }
    DIR *dir = opendir(path);
    if (dir == NULL) {
        cli_error("%s: %s", path, strerror(errno));
        return CLI_INPUT;
    }
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (strncmp(e->d_name, "test_data_set_", 14) != 0) continue;
        char *sub = join(path, e->d_name);
        if (is_folder(sub))
            add_path(list, sub);
        else
            free(sub);
    }
    (void)closedir(dir);
    if (list->n > 1) qsort(list->paths, list->n, sizeof(char *), by_number);
    if (list->n == 0) {
        add_path(list, join(path, ""));
        list->paths[0][strlen(path)] = '\0';
    }
    return CLI_OK;
}

void cases_release(case_list *list)
{
    for (size_t i = 0; i < list->n; i++) free(list->paths[i]);
    free(list->paths);
    memset(list, 0, sizeof *list);
}

/* Reads dir/stem.pb or dir/stem.npy when one of them is there. */
static int read_stem(tn_tensor **out, const char *dir, const char *stem,
                     tn_kind kind)
{
    static const char *const suffixes[] = {".pb", ".npy"};
    for (int k = 0; k < 2; k++) {
        const size_t n = strlen(stem) + 8;
        char *file = cli_alloc(n);
        (void)snprintf(file, n, "%s%s", stem, suffixes[k]);
        for (char *p = file; *p != '\0'; p++)
            if (*p == '/') *p = '_';
        char *path = join(dir, file);
        free(file);
        tn_err err;
        memset(&err, 0, sizeof err);
        int code = CLI_OK;
        const bool here = exists(path);
        if (here) {
            tn_read_opts opts = TN_READ_OPTS_INIT;
            opts.kind = kind;
            if (tn_tensor_read(out, path, &opts, &err) != TN_OK)
                code = cli_fail(&err);
        }
        free(path);
        if (here) return code;
    }
    return CLI_OK;
}

/* ONNX test layout counts from 0: without output_0 or input_0 the files are
 * named like the values, even where a value is called "output_1". */
static bool counts_from_0(const char *dir)
{
    static const char *const names[] = {"output_0.pb", "output_0.npy",
                                        "input_0.pb", "input_0.npy"};
    bool found = false;
    for (int i = 0; i < 4 && !found; i++) {
        char *path = join(dir, names[i]);
        found = exists(path);
        free(path);
    }
    return found;
}

static int read_folder(test_case *t, const subject *s, const char *path)
{
    const bool counted = counts_from_0(path);
    for (size_t i = 0; i < s->n_inputs + s->n_outputs; i++) {
        const bool input = i < s->n_inputs;
        const size_t k = input ? i : i - s->n_inputs;
        tn_value_info info;
        if ((input ? tn_model_input(s->model, k, &info)
                   : tn_model_output(s->model, k, &info)) != TN_OK)
            return CLI_INPUT;
        tn_tensor **to = input ? &t->inputs[k] : &t->outputs[k];
        char stem[32];
        (void)snprintf(stem, sizeof stem, "%s_%zu", input ? "input" : "output",
                       k);
        int code = read_stem(to, path, counted ? stem : info.name, info.kind);
        if (code == CLI_OK && *to == NULL)
            code = read_stem(to, path, counted ? info.name : stem, info.kind);
        if (code != CLI_OK) return code;
        *to = subject_retag(*to, &info);
    }
    return CLI_OK;
}

typedef struct member_ctx {
    test_case *t;
    const subject *s;
} member_ctx;

static tn_status take_member(void *ctx, const char *name, tn_tensor *value)
{
    const member_ctx *m = ctx;
    const subject *s = m->s;
    const long in = tn_model_find_input(s->model, name);
    const long out = tn_model_find_output(s->model, name);
    size_t k = 0;
    tn_tensor **to = NULL;
    if (in >= 0)
        to = &m->t->inputs[in];
    else if (out >= 0)
        to = &m->t->outputs[out];
    else if (sscanf(name, "input_%zu", &k) == 1 && k < s->n_inputs)
        to = &m->t->inputs[k];
    else if (sscanf(name, "output_%zu", &k) == 1 && k < s->n_outputs)
        to = &m->t->outputs[k];
    if (to == NULL) {
        tn_tensor_free(value); /* an array that is neither */
        return TN_OK;
    }
    tn_value_info info;
    const bool input = in >= 0 || (out < 0 && to >= m->t->inputs &&
                                   to < m->t->inputs + s->n_inputs);
    const size_t at =
        (size_t)(input ? to - m->t->inputs : to - m->t->outputs);
    if ((input ? tn_model_input(s->model, at, &info)
               : tn_model_output(s->model, at, &info)) == TN_OK)
        value = subject_retag(value, &info);
    tn_tensor_free(*to);
    *to = value;
    return TN_OK;
}

int case_read(test_case *out, const subject *s, const char *path)
{
    memset(out, 0, sizeof *out);
    out->inputs = cli_alloc((s->n_inputs + 1) * sizeof *out->inputs);
    out->outputs = cli_alloc((s->n_outputs + 1) * sizeof *out->outputs);
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL && slash[1] != '\0' ? slash + 1 : path;
    out->name = cli_alloc(strlen(base) + 1);
    memcpy(out->name, base, strlen(base));
    int code = CLI_OK;
    if (ends_with(path, ".npz")) {
        member_ctx ctx = {out, s};
        tn_err err;
        memset(&err, 0, sizeof err);
        if (tn_npz_read(path, NULL, take_member, &ctx, &err) != TN_OK)
            code = cli_fail(&err);
    } else {
        code = read_folder(out, s, path);
    }
    size_t n_outputs = 0;
    for (size_t i = 0; i < s->n_outputs; i++)
        n_outputs += out->outputs[i] != NULL;
    if (code == CLI_OK && n_outputs == 0 && s->n_outputs != 0) {
        tn_value_info info;
        cli_error("%s: no expected outputs found: looked for output_0.pb, "
                  "output_0.npy and arrays named like the model's outputs "
                  "('%s', ...)",
                  path,
                  tn_model_output(s->model, 0, &info) == TN_OK ? info.name
                                                               : "?");
        code = CLI_INPUT;
    }
    return code;
}

void case_release(test_case *t, const subject *s)
{
    for (size_t i = 0; t->inputs != NULL && i < s->n_inputs; i++)
        tn_tensor_free(t->inputs[i]);
    for (size_t i = 0; t->outputs != NULL && i < s->n_outputs; i++)
        tn_tensor_free(t->outputs[i]);
    free(t->inputs);
    free(t->outputs);
    free(t->name);
    memset(t, 0, sizeof *t);
}

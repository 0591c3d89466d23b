/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_run.c - run a model once */
#if !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE 1
#endif
#include "show.h"
#include "subject.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const cli_option options[] = {
    {"output", 'o', "DIR",
     "write DIR/<output>.npy for every output; DIR is made", false},
    RANDOM_OPTIONS,
    SUBJECT_OPTIONS,
};

/* An output's name as a file name: slashes and the like become '_'. */
static char *file_of(const char *dir, const char *name)
{
    const size_t n = strlen(dir) + strlen(name) + 8;
    char *path = cli_alloc(n);
    (void)snprintf(path, n, "%s/%s.npy", dir, name);
    for (char *p = path + strlen(dir) + 1; *p != '\0'; p++)
        if (*p == '/' || *p == '\\' || (unsigned char)*p < 0x20) *p = '_';
    char *base = path + strlen(dir) + 1;
    if (base[0] == '.') base[0] = '_';
    return path;
}

static int write_output(const char *path, const tn_tensor *value, bool *written)
{
    tn_err err;
    memset(&err, 0, sizeof err);
    *written = false;
    if (tn_tensor_kind(value) != TN_KIND_TENSOR) return CLI_OK;
    if (tn_tensor_write_npy(value, path, &err) != TN_OK) return cli_fail(&err);
    *written = true;
    return CLI_OK;
}

/* Makes a folder and those it is in, before anything runs. */
static int make_folder(const char *dir)
{
    const size_t n = strlen(dir);
    char *path = cli_alloc(n + 1);
    int error = 0;
    memcpy(path, dir, n + 1);
    for (size_t i = 1; i <= n && error == 0; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        path[i] = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) error = errno;
        if (i < n) path[i] = '/';
    }
    struct stat st;
    if (error == 0 && stat(path, &st) != 0) error = errno;
    if (error == 0 && !S_ISDIR(st.st_mode)) error = ENOTDIR;
    free(path);
    if (error == 0) return CLI_OK;
    cli_error("cannot make the folder '%s': %s", dir, strerror(error));
    return CLI_INPUT;
}

static int report(const cli *c, const subject *s, uint64_t ns)
{
    const char *dir = cli_get(c, "output", NULL);
    int code = CLI_OK;
    cli_json j;
    cli_json_init(&j, stdout);
    if (c->json) {
        cli_json_open(&j, NULL, '{');
        cli_json_open(&j, "outputs", '[');
    }
    for (size_t i = 0; i < s->n_outputs && code == CLI_OK; i++) {
        tn_value_info info;
        const tn_tensor *value = tn_run_output(s->run, i);
        if (value == NULL || tn_model_output(s->model, i, &info) != TN_OK)
            continue;
        char *path = dir != NULL ? file_of(dir, info.name) : NULL;
        bool written = false;
        if (path != NULL) code = write_output(path, value, &written);
        if (c->json)
            show_json(&j, info.name, value, written ? path : NULL);
        else if (written)
            printf("%-24s %s\n", info.name, path);
        else
            show_value(info.name, value);
        free(path);
    }
    if (c->json) {
        cli_json_close(&j, ']');
        cli_json_number(&j, "run_ms", (double)ns / 1e6);
        cli_json_close(&j, '}');
        cli_json_end(&j);
    } else if (isatty(STDERR_FILENO)) {
        char text[40];
        fprintf(stderr, "ran in %s\n", cli_time(text, sizeof text, (double)ns));
    }
    return code;
}

static int run(cli *c)
{
    subject s;
    tn_err err;
    memset(&err, 0, sizeof err);
    int code = subject_open(&s, c, c->args[0], 0);
    if (code == CLI_OK)
        code = subject_read_inputs(&s, c, c->args + 1, c->n_args - 1);
    if (code == CLI_OK) code = subject_fill_inputs(&s, c, false, 0);
    if (code == CLI_OK) code = subject_bind(&s);
    if (code == CLI_OK && tn_run_prepare(s.run, &err) != TN_OK)
        code = cli_fail(&err);
    const char *dir = cli_get(c, "output", NULL);
    if (code == CLI_OK && dir != NULL) code = make_folder(dir);
    if (code == CLI_OK) {
        const uint64_t start = cli_now_ns();
        if (tn_run_exec(s.run, &err) != TN_OK)
            code = cli_fail(&err);
        else
            code = report(c, &s, cli_now_ns() - start);
    }
    subject_close(&s);
    return code;
}

const cli_command cli_cmd_run = {
    .name = "run",
    .group = "Model",
    .summary = "run a model once on files or random values",
    .usage = "MODEL [NAME=FILE ...] [--random SEED] [--dim NAME=N] [-o DIR]",
    .details =
        "FILE is .npy, .npz (the member of that name, or its only one) or an "
        "ONNX .pb;\na bare FILE.npz gives every input by name, and a bare FILE "
        "the only input.\n",
    .examples = "  tenon run digits.onnx image=three.npy\n"
                "  tenon run bert.onnx --random 1 --dim sequence=32 -o out\n",
    CLI_OPTIONS(options),
    .min_args = 1,
    .max_args = -1,
    .run = run,
};

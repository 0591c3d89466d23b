/* SPDX-License-Identifier: Apache-2.0 */
/* data_args.c - what commands about datasets have in common */
#define _XOPEN_SOURCE 700
#include "data_args.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

void data_split_format(char *buf, size_t size, const char *text,
                       const char **format, const char **variant)
{
    *format = *variant = NULL;
    if (text == NULL) return;
    (void)snprintf(buf, size, "%s", text);
    *format = buf;
    char *colon = strchr(buf, ':');
    if (colon == NULL) return;
    *colon = '\0';
    *variant = colon + 1;
}

void data_progress_begin(const cli *c)
{
    struct sigaction action;
    (void)c;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_interrupt;
    (void)sigemptyset(&action.sa_mask);
    /* A second one ends the program at once. */
    action.sa_flags = (int)SA_RESETHAND;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

int data_progress(void *ctx, const char *stage, uint64_t done, uint64_t total)
{
    const cli *c = ctx;
    enum { WIDTH = 30 };
    if (c->tty && !c->json && total > 0) {
        const int filled = (int)((double)done / (double)total * WIDTH);
        fprintf(stderr, "\r%-8s [", stage);
        for (int i = 0; i < WIDTH; i++) fputc(i < filled ? '=' : ' ', stderr);
        fprintf(stderr, "] %3d %%", (int)((double)done / (double)total * 100));
        fflush(stderr);
    }
    return interrupted;
}

void data_progress_end(const cli *c)
{
    if (c->tty && !c->json) fprintf(stderr, "\r%60s\r", "");
}

static int read_progress(void *ctx, uint64_t done, uint64_t total)
{
    return data_progress(ctx, "read", done, total);
}

int data_open(tn_dataset **d, const cli *c, const char *path)
{
    char buf[128];
    long threads = 0;
    tn_err err;
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    union {
        const void *in;
        void *out;
    } self = {c}; /* the callback's context is only read */
    memset(&err, 0, sizeof err);
    data_split_format(buf, sizeof buf, cli_get(c, "from", NULL), &o.format,
                      &o.variant);
    o.images = cli_get(c, "image-dir", NULL);
    if (!cli_get_long(c, "threads", 0, 0, 1024, &threads)) return CLI_USAGE;
    o.n_threads = (int)threads;
    o.progress = read_progress;
    o.progress_ctx = self.out;
    data_progress_begin(c);
    const tn_status status = tn_dataset_open(d, path, &o, &err);
    data_progress_end(c);
    if (status == TN_OK) return CLI_OK;
    return cli_fail(&err);
}

void data_notes(const tn_dataset *d, cli_json *j)
{
    tn_note n = TN_NOTE_INIT;
    if (j != NULL) cli_json_open(j, "notes", '[');
    for (size_t i = 0; tn_dataset_note(d, i, &n) == TN_OK; i++) {
        if (j == NULL) {
            fprintf(stderr, "note: %s: %s", n.code, n.message);
            if (n.count > 1)
                fprintf(stderr, " (and %llu more)",
                        (unsigned long long)n.count - 1);
            if (n.place.file != NULL)
                fprintf(stderr, "\n      in %s at byte %llu", n.place.file,
                        (unsigned long long)n.place.offset);
            fputc('\n', stderr);
            continue;
        }
        cli_json_open(j, NULL, '{');
        cli_json_string(j, "code", n.code);
        cli_json_string(j, "message", n.message);
        cli_json_int(j, "count", (int64_t)n.count);
        if (n.place.file != NULL) {
            cli_json_string(j, "file", n.place.file);
            cli_json_int(j, "byte", (int64_t)n.place.offset);
        }
        cli_json_close(j, '}');
    }
    if (j != NULL) cli_json_close(j, ']');
}

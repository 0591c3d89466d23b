/* SPDX-License-Identifier: Apache-2.0 */
/* api_rig.h - the application over real models, asked without sockets */
#ifndef TN_TESTS_API_RIG_H
#define TN_TESTS_API_RIG_H

#define _XOPEN_SOURCE 700

#include "harness/tmp.h"
#include "serve/api.h"
#include "sys/clock.h"
#include "sys/dir.h"
#include "sys/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct api_rig {
    char dir[TMP_PATH];
    tni_repository *repo;
    tni_api *api;
    tni_api_opts opts;
    tni_reload reload;
    tn_log_level level;
    char log[8192];
} api_rig;

/* One request, and what came back. Many may be asked one after the other. */
typedef struct ask {
    tni_exchange x; /* the first member */
    tni_header headers[8];
    size_t n_headers;
    _Alignas(64) uint8_t body[65536];
    size_t size;
    uint64_t max_body;
    /* the answer */
    tni_monitor *lock;
    tni_mem mem;
    bool answered;
    int status;
    char type[64], message[512];
    char names[8][48], values[8][256];
    size_t n_names;
    char *text;
    size_t text_size;
    int n_answers;
} ask;

static tn_err rig_err;

static void rig_put(const api_rig *r, const char *name, const char *example)
{
    char from[TMP_PATH], to[TMP_PATH];
    (void)snprintf(from, sizeof from, "%s/%s/model.onnx", TEST_EXAMPLES,
                   example);
    tmp_path(to, r->dir, name);
    assert_int_equal(tni_dir_make_for(to, &rig_err), TN_OK);
    assert_int_equal(tni_file_copy(from, to, &rig_err), TN_OK);
}

static tn_log_level rig_level(void *ctx)
{
    return ((api_rig *)ctx)->level;
}

static void rig_set_level(void *ctx, tn_log_level level)
{
    ((api_rig *)ctx)->level = level;
}

static void rig_new(api_rig *r)
{
    memset(r, 0, sizeof *r);
    tmp_new(r->dir);
    r->level = TN_LOG_INFO;
    r->opts.allow_control = true;
    r->opts.hooks.ctx = r;
    r->opts.hooks.log_level = rig_level;
    r->opts.hooks.set_log_level = rig_set_level;
}

static void rig_start(api_rig *r)
{
    const char *paths[1] = {r->dir};
    const char *all[1] = {"*"};
    tni_repository_opts o;
    memset(&o, 0, sizeof o);
    o.paths = paths;
    o.n_paths = 1;
    o.reload = r->reload;
    o.load = all;
    o.n_load = 1;
    o.n_threads = 2;
    o.default_max_batch = 8;
    assert_int_equal(tni_repository_open(&r->repo, &o, &rig_err), TN_OK);
    assert_int_equal(tni_repository_wait(r->repo, &rig_err), TN_OK);
    r->opts.repo = r->repo;
    assert_int_equal(tni_api_new(&r->api, &r->opts, &rig_err), TN_OK);
    tni_api_set_state(r->api, TNI_API_SERVING);
}

static void rig_free(api_rig *r)
{
    tni_api_free(r->api);
    tni_repository_close(r->repo, UINT64_C(1000000000));
    tmp_remove(r->dir);
}

static void ask_answer(tni_exchange *x, const tni_answer *a)
{
    ask *q = (ask *)(void *)x;
    size_t size = 0;
    for (size_t i = 0; i < a->n_pieces; i++) size += a->pieces[i].size;
    char *text = calloc(1, size + 1);
    assert_non_null(text);
    size = 0;
    for (size_t i = 0; i < a->n_pieces; i++) {
        if (a->pieces[i].size > 0)
            memcpy(text + size, a->pieces[i].bytes, a->pieces[i].size);
        size += a->pieces[i].size;
    }
    tni_monitor_lock(q->lock);
    q->n_answers++;
    q->status = a->status;
    (void)snprintf(q->type, sizeof q->type, "%s",
                   a->content_type != NULL ? a->content_type : "");
    (void)snprintf(q->message, sizeof q->message, "%s",
                   a->message != NULL ? a->message : "");
    q->n_names = a->n_headers;
    for (size_t i = 0; i < a->n_headers; i++) {
        (void)snprintf(q->names[i], sizeof q->names[i], "%.*s",
                       (int)a->headers[i].name.len, a->headers[i].name.p);
        (void)snprintf(q->values[i], sizeof q->values[i], "%.*s",
                       (int)a->headers[i].value.len, a->headers[i].value.p);
    }
    free(q->text);
    q->text = text;
    q->text_size = size;
    for (size_t i = 0; i < a->n_pieces; i++)
        if (a->pieces[i].release != NULL)
            a->pieces[i].release(a->pieces[i].ctx);
    q->answered = true;
    tni_monitor_wake_all(q->lock);
    tni_monitor_unlock(q->lock);
}

static const tni_transport ask_transport = {ask_answer, NULL, NULL};

static void ask_new(ask *q)
{
    memset(q, 0, sizeof *q);
    tni_mem_init(&q->mem, NULL, 0);
    assert_int_equal(tni_monitor_new(&q->lock, &q->mem, &rig_err), TN_OK);
}

static void ask_free(ask *q)
{
    free(q->text);
    tni_monitor_free(q->lock, &q->mem);
}

static void ask_header(ask *q, const char *name, const char *value)
{
    q->headers[q->n_headers++] =
        (tni_header){tni_span_of(name), tni_span_of(value)};
}

/* Hands a request over; false when its head was refused. */
static inline bool ask_begin(ask *q, api_rig *r, const char *method,
                             const char *path)
{
    const tni_app *app = tni_api_app(r->api);
    memset(&q->x, 0, sizeof q->x);
    q->x.method = tni_span_of(method);
    q->x.path = tni_span_of(path);
    q->x.headers = q->headers;
    q->x.n_headers = q->n_headers;
    q->x.start_ns = tni_clock_ns();
    q->x.transport = &ask_transport;
    (void)snprintf(q->x.peer, sizeof q->x.peer, "127.0.0.1:5");
    q->answered = false;
    q->n_answers = 0;
    q->max_body = UINT64_MAX;
    if (!app->head(app->ctx, &q->x, &q->max_body)) return false;
    q->x.body = q->body;
    q->x.body_len = q->size;
    app->request(app->ctx, &q->x);
    return true;
}

static int ask_wait(ask *q)
{
    tni_monitor_lock(q->lock);
    while (!q->answered) tni_monitor_wait(q->lock, 0);
    tni_monitor_unlock(q->lock);
    assert_int_equal(q->n_answers, 1);
    q->n_headers = 0;
    q->size = 0;
    return q->status;
}

static inline void ask_body(ask *q, const char *text)
{
    q->size = strlen(text);
    assert_true(q->size <= sizeof q->body);
    memcpy(q->body, text, q->size);
}

static inline int ask_for(ask *q, api_rig *r, const char *method,
                          const char *path, const char *body)
{
    if (body != NULL) ask_body(q, body);
    (void)ask_begin(q, r, method, path);
    return ask_wait(q);
}

static inline const char *ask_value(const ask *q, const char *name)
{
    for (size_t i = 0; i < q->n_names; i++)
        if (strcmp(q->names[i], name) == 0) return q->values[i];
    return "";
}

#define assert_says(q, piece)                                                  \
    do {                                                                       \
        if (strstr((q)->text, piece) == NULL)                                  \
            fail_msg("no '%s' in: %s", piece, (q)->text);                      \
    } while (0)

#endif

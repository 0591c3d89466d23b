/* SPDX-License-Identifier: Apache-2.0 */
/* repository.c - the models being served: opening, asking, closing */
#include "serve/repository.h"

#include "serve/serve_log.h"
#include "sys/clock.h"
#include "sys/dir.h"
#include "sys/threadpool.h"

#include <stdio.h>
#include <string.h>

/* --- entries ------------------------------------------------------------ */

tni_entry *tni_repository_entry(tni_repository *r, tni_span name)
{
    for (tni_entry *e = r->entries; e != NULL; e = e->next)
        if (tni_span_is(name, e->name)) return e;
    return NULL;
}

tni_entry *tni_repository_add(tni_repository *r, const char *name, tn_err *err)
{
    tni_entry *e = tni_mem_alloc(&r->mem, sizeof *e, _Alignof(tni_entry));
    if (e == NULL) {
        (void)tni_fail(err, TN_ENOMEM, "out of memory");
        return NULL;
    }
    memset(e, 0, sizeof *e);
    (void)snprintf(e->name, sizeof e->name, "%s", name);
    e->state = TNI_MODEL_UNAVAILABLE;
    tni_entry **at = &r->entries;
    while (*at != NULL && strcmp((*at)->name, name) < 0) at = &(*at)->next;
    e->next = *at;
    *at = e;
    return e;
}

static const char *state_text(tni_model_state state)
{
    switch (state) {
    case TNI_MODEL_UNKNOWN: return "unknown";
    case TNI_MODEL_READY: return "ready";
    case TNI_MODEL_UNAVAILABLE: return "not available";
    case TNI_MODEL_LOADING: return "loading";
    case TNI_MODEL_UNLOADING: return "unloading";
    }
    return "unknown";
}

static tn_status not_ready(const char *name, const char *version,
                           tni_model_state state, const char *reason,
                           tn_err *err)
{
    return tni_fail(err, TN_EBUSY, "model '%s'%s%s is %s%s%.200s", name,
                    version[0] != '\0' ? " version " : "", version,
                    state_text(state), reason[0] != '\0' ? ": " : "", reason);
}

static tn_status get_version(const tni_entry *e, tni_span version,
                             tni_served **out, tn_err *err)
{
    const tni_version *last = NULL;
    for (const tni_version *v = e->versions; v != NULL; v = v->next) {
        if (version.len > 0 && !tni_span_is(version, v->text)) continue;
        /* The highest that is ready, or else the highest. */
        if (last == NULL || last->served == NULL || v->served != NULL) last = v;
    }
    if (last == NULL && version.len > 0)
        return tni_fail(err, TN_ENOTFOUND,
                        "Request for unknown model: '%s' version %.*s is not "
                        "found",
                        e->name, version.len < 20 ? (int)version.len : 20,
                        version.p);
    if (last == NULL) return not_ready(e->name, "", e->state, e->reason, err);
    if (last->served == NULL)
        return not_ready(e->name, last->text, last->state, last->reason, err);
    *out = &last->served->pub;
    tni_served_retain(*out);
    return TN_OK;
}

static tn_status unknown_model(tni_span name, tn_err *err)
{
    return tni_fail(err, TN_ENOTFOUND,
                    "Request for unknown model: '%.*s' is not found",
                    name.len < 128 ? (int)name.len : 128, name.p);
}

tni_served *tni_repository_get(tni_repository *r, tni_span name,
                               tni_span version, tn_err *err)
{
    tni_served *m = NULL;
    tni_err_clear(err);
    if (!tni_model_name_ok(name)) {
        (void)tni_fail(err, TN_ENOTFOUND,
                       "Request for unknown model: its name is not one of "
                       "letters, digits, '.', '_' and '-'");
        return NULL;
    }
    tni_monitor_lock(r->lock);
    const tni_entry *e = tni_repository_entry(r, name);
    if (e == NULL)
        (void)unknown_model(name, err);
    else
        (void)get_version(e, version, &m, err);
    tni_monitor_unlock(r->lock);
    return m;
}

tn_status tni_repository_versions(tni_repository *r, tni_span name,
                                  const char ***versions, size_t *n,
                                  tni_arena *arena, tn_err *err)
{
    size_t count = 0;
    tn_status status = TN_OK;
    *versions = NULL;
    *n = 0;
    tni_err_clear(err);
    tni_monitor_lock(r->lock);
    const tni_entry *e = tni_repository_entry(r, name);
    for (tni_version *v = e != NULL ? e->versions : NULL; v != NULL;
         v = v->next)
        count++;
    const char **list = TNI_NEW_ARRAY(arena, const char *, count + 1);
    if (e == NULL)
        status = unknown_model(name, err);
    else if (list == NULL)
        status = tni_fail(err, TN_ENOMEM, "out of memory");
    for (tni_version *v = status == TN_OK ? e->versions : NULL; v != NULL;
         v = v->next) {
        if (v->served == NULL) continue;
        list[*n] = tni_arena_strndup(arena, v->text, strlen(v->text));
        if (list[*n] == NULL)
            status = tni_fail(err, TN_ENOMEM, "out of memory");
        (*n)++;
    }
    tni_monitor_unlock(r->lock);
    if (status == TN_OK) *versions = list;
    return status;
}

static tn_status add_index(tni_index_entry *to, const char *name,
                           const char *version, tni_model_state state,
                           const char *reason, tni_arena *arena, tn_err *err)
{
    to->name = tni_arena_strndup(arena, name, strlen(name));
    to->version = tni_arena_strndup(arena, version, strlen(version));
    to->reason = tni_arena_strndup(arena, reason, strlen(reason));
    to->state = state;
    if (to->name == NULL || to->version == NULL || to->reason == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory");
    return TN_OK;
}

static size_t count_index(const tni_repository *r)
{
    size_t n = 0;
    for (const tni_entry *e = r->entries; e != NULL; e = e->next) {
        n++;
        for (const tni_version *v = e->versions; v != NULL; v = v->next) n++;
    }
    return n;
}

tn_status tni_repository_index(tni_repository *r, bool ready_only,
                               tni_index_entry **out, size_t *n,
                               tni_arena *arena, tn_err *err)
{
    tn_status status = TN_OK;
    *out = NULL;
    *n = 0;
    tni_err_clear(err);
    tni_monitor_lock(r->lock);
    tni_index_entry *list =
        TNI_NEW_ARRAY(arena, tni_index_entry, count_index(r) + 1);
    if (list == NULL) status = tni_fail(err, TN_ENOMEM, "out of memory");
    for (const tni_entry *e = r->entries; e != NULL && status == TN_OK;
         e = e->next) {
        if (e->versions == NULL && !ready_only)
            status = add_index(&list[(*n)++], e->name, "", e->state, e->reason,
                               arena, err);
        for (const tni_version *v = e->versions; v != NULL && status == TN_OK;
             v = v->next)
            if (!ready_only || v->served != NULL)
                status = add_index(&list[(*n)++], e->name, v->text, v->state,
                                   v->reason, arena, err);
    }
    tni_monitor_unlock(r->lock);
    if (status == TN_OK) *out = list;
    return status;
}

bool tni_repository_ready(tni_repository *r)
{
    tni_monitor_lock(r->lock);
    const bool ready = r->n_initial == 0 && !r->closing &&
                       (!r->opts.strict || r->n_initial_failed == 0);
    tni_monitor_unlock(r->lock);
    return ready;
}

bool tni_repository_loading(tni_repository *r)
{
    tni_monitor_lock(r->lock);
    const bool loading = r->n_initial > 0;
    tni_monitor_unlock(r->lock);
    return loading;
}

/* --- loading by request ------------------------------------------------- */

static tn_status post(tni_repository *r, tni_span name, bool unload,
                      tni_span config, tni_load *load, tn_err *err)
{
    tni_err_clear(err);
    if (r->opts.reload != TNI_RELOAD_EXPLICIT)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "explicit model load / unload is not allowed if "
                        "polling is enabled");
    if (!tni_model_name_ok(name))
        return tni_fail(err, TN_EINVAL,
                        "the name of a model is 1 to %d letters, digits, '.', "
                        "'_' and '-', and does not begin with '.'",
                        (int)TNI_MODEL_NAME_MAX);
    char text[TNI_MODEL_NAME_MAX + 1];
    memcpy(text, name.p, name.len);
    text[name.len] = '\0';
    tn_status status = TN_OK;
    tni_task *task = NULL;
    tni_monitor_lock(r->lock);
    tni_entry *e = tni_repository_entry(r, name);
    if (r->closing)
        status = tni_fail(err, TN_EBUSY, "the server is shutting down");
    else if (e == NULL && unload)
        status = unknown_model(name, err);
    else if (e == NULL && (e = tni_repository_add(r, text, err)) == NULL)
        status = TN_ENOMEM;
    if (status == TN_OK)
        status = tni_repository_post(r, e, unload, load, config, &task, err);
    tni_monitor_unlock(r->lock);
    tni_monitor_wake_all(r->lock);
    return status;
}

tn_status tni_repository_load(tni_repository *r, tni_span name, tni_span config,
                              tni_load *load, tn_err *err)
{
    return post(r, name, false, config, load, err);
}

tn_status tni_repository_unload(tni_repository *r, tni_span name,
                                tni_load *load, tn_err *err)
{
    return post(r, name, true, (tni_span){NULL, 0}, load, err);
}

/* --- opening ------------------------------------------------------------ */

/* Loggers take one call at a time, and models load at once. */
static void log_one(void *ctx, tn_log_level level, const char *event,
                    const char *fields)
{
    tni_repository *r = ctx;
    tni_mutex_lock(r->log_lock);
    r->user_logger.write(r->user_logger.ctx, level, event, fields);
    tni_mutex_unlock(r->log_lock);
}

static tn_status copy_options(tni_repository *r, tn_err *err)
{
    tni_repository_opts *o = &r->opts;
    const char **paths = TNI_NEW_ARRAY(&r->arena, const char *, o->n_paths + 1);
    const char **names = TNI_NEW_ARRAY(&r->arena, const char *, o->n_paths + 1);
    r->roots = TNI_NEW_ARRAY(&r->arena, const char *, o->n_paths + 1);
    if (paths == NULL || names == NULL || r->roots == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory");
    for (size_t i = 0; i < o->n_paths; i++) {
        char real[TNI_PATH_MAX];
        TN_TRY(tni_path_real(real, sizeof real, o->paths[i], err));
        r->roots[i] = tni_arena_strndup(&r->arena, real, strlen(real));
        paths[i] =
            tni_arena_strndup(&r->arena, o->paths[i], strlen(o->paths[i]));
        const char *name = o->names != NULL ? o->names[i] : NULL;
        if (name != NULL)
            names[i] = tni_arena_strndup(&r->arena, name, strlen(name));
        if (paths[i] == NULL || r->roots[i] == NULL ||
            (name != NULL && names[i] == NULL))
            return tni_fail(err, TN_ENOMEM, "out of memory");
    }
    o->paths = paths;
    o->names = names;
    if (o->limits != NULL) {
        r->limits = *o->limits;
        o->limits = &r->limits;
    }
    if (o->logger != NULL && o->logger->write != NULL) {
        r->user_logger = *o->logger;
        r->logger.level = o->logger->level;
        r->logger.ctx = r;
        r->logger.write = log_one;
    }
    o->logger = &r->logger;
    if (o->n_threads <= 0) o->n_threads = tni_threads_default();
    return TN_OK;
}

static bool is_asked_for(const tni_repository_opts *o, const char *name)
{
    if (o->reload != TNI_RELOAD_EXPLICIT) return true;
    for (size_t i = 0; i < o->n_load; i++)
        if (strcmp(o->load[i], "*") == 0 || strcmp(o->load[i], name) == 0)
            return true;
    return false;
}

static tn_status check_asked(const tni_repository_opts *o,
                             const tni_source *list, size_t n, tn_err *err)
{
    for (size_t i = 0; i < o->n_load; i++) {
        size_t k = 0;
        while (k < n && strcmp(list[k].name, o->load[i]) != 0) k++;
        if (k == n && strcmp(o->load[i], "*") != 0)
            return tni_fail(err, TN_ENOTFOUND,
                            "model '%.128s' is to be loaded, but is not there",
                            o->load[i]);
    }
    if (n == 0 && o->reload == TNI_RELOAD_NONE)
        return tni_fail(err, TN_ENOTFOUND,
                        "there is no model in %.200s: expected name.onnx, "
                        "name/model.onnx or name/1/model.onnx",
                        o->n_paths > 0 ? o->paths[0] : "no path at all");
    return TN_OK;
}

/* Queues what is to be loaded at the start. */
static tn_status post_initial(tni_repository *r, tn_err *err)
{
    tni_arena arena;
    tni_source *list = NULL;
    size_t n = 0;
    tni_arena_init(&arena, &r->mem, 1 << 14);
    tn_status status = tni_repository_scan(r, &list, &n, &arena, err);
    if (status == TN_OK) status = check_asked(&r->opts, list, n, err);
    for (size_t i = 0; i < n && status == TN_OK; i++) {
        tni_task *t = NULL;
        tni_entry *e = tni_repository_add(r, list[i].name, err);
        if (e == NULL) status = TN_ENOMEM;
        if (e == NULL || !is_asked_for(&r->opts, list[i].name)) continue;
        status = tni_repository_post(r, e, false, NULL, (tni_span){NULL, 0}, &t,
                                     err);
        if (status != TN_OK) break;
        t->initial = true;
        r->n_initial++;
        r->n_initial_all++;
    }
    tni_arena_fini(&arena);
    return status;
}

static tn_status start(tni_repository *r, tn_err *err)
{
    TN_TRY(tni_mutex_new(&r->log_lock, &r->mem, err));
    TN_TRY(tni_monitor_new(&r->lock, &r->mem, err));
    TN_TRY(copy_options(r, err));
    const tni_scheduler_opts so = {r->opts.n_threads, r->opts.max_queue_ns,
                                   r->opts.max_queue_bytes, &r->mem};
    TN_TRY(tni_scheduler_new(&r->sched, &so, err));
    TN_TRY(post_initial(r, err));
    const int n =
        r->opts.n_threads < TNI_LOADERS ? r->opts.n_threads : (int)TNI_LOADERS;
    for (int i = 0; i < n; i++)
        TN_TRY(tni_thread_start(&r->loaders[i], tni_loader_main, r,
                                "tenon-load", &r->mem, err));
    if (r->opts.reload == TNI_RELOAD_WATCH)
        TN_TRY(tni_thread_start(&r->watcher, tni_watcher_main, r, "tenon-watch",
                                &r->mem, err));
    return TN_OK;
}

tn_status tni_repository_open(tni_repository **out,
                              const tni_repository_opts *opts, tn_err *err)
{
    tni_mem first;
    tni_err_clear(err);
    *out = NULL;
    tni_mem_init(&first, opts->allocator, 0);
    tni_repository *r =
        tni_mem_alloc(&first, sizeof *r, _Alignof(tni_repository));
    if (r == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(r, 0, sizeof *r);
    tni_mem_init(&r->mem, opts->allocator, 0);
    tni_arena_init(&r->arena, &r->mem, 1 << 12);
    r->opts = *opts;
    r->poll_ns = 500000000;
    r->settle_ns = 2000000000;
    const tn_status status = start(r, err);
    if (status != TN_OK) {
        tni_repository_close(r, 0);
        return status;
    }
    *out = r;
    return TN_OK;
}

tn_status tni_repository_wait(tni_repository *r, tn_err *err)
{
    tn_status status = TN_OK;
    tni_err_clear(err);
    tni_monitor_lock(r->lock);
    while (r->n_initial > 0) tni_monitor_wait(r->lock, 0);
    if (r->n_initial_failed > 0 &&
        (r->opts.strict || r->n_initial_failed == r->n_initial_all)) {
        status = r->first_err.code;
        if (err != NULL) *err = r->first_err;
    }
    tni_monitor_unlock(r->lock);
    return status;
}

/* --- closing ------------------------------------------------------------ */

static void join_threads(tni_repository *r)
{
    tni_monitor_lock(r->lock);
    r->closing = true;
    tni_monitor_unlock(r->lock);
    tni_monitor_wake_all(r->lock);
    tni_thread_join(r->watcher);
    for (int i = 0; i < TNI_LOADERS; i++) tni_thread_join(r->loaders[i]);
}

/* Takes everything down; false when somebody keeps a reference. */
static bool empty(tni_repository *r)
{
    const uint64_t patience_ns = 2000000000;
    tni_monitor_lock(r->lock);
    for (tni_entry *e = r->entries; e != NULL; e = e->next)
        tni_entry_detach(e, "unloaded");
    const uint64_t end = tni_clock_ns() + patience_ns;
    for (;;) {
        tni_repository_bury(r);
        if (r->n_alive == 0 || tni_clock_ns() >= end) break;
        tni_monitor_wait(r->lock, end);
    }
    const bool done = r->n_alive == 0;
    tni_monitor_unlock(r->lock);
    return done;
}

static void free_entries(tni_repository *r)
{
    while (r->entries != NULL) {
        tni_entry *e = r->entries;
        r->entries = e->next;
        while (e->versions != NULL) {
            tni_version *v = e->versions;
            e->versions = v->next;
            tni_mem_free(&r->mem, v, sizeof *v, _Alignof(tni_version));
        }
        tni_mem_free(&r->mem, e, sizeof *e, _Alignof(tni_entry));
    }
    while (r->tasks != NULL) {
        tni_task *t = r->tasks;
        r->tasks = t->next;
        tni_mem_free(&r->mem, t->config, t->config_size, 1);
        tni_mem_free(&r->mem, t, sizeof *t, _Alignof(tni_task));
    }
}

void tni_repository_close(tni_repository *r, uint64_t timeout_ns)
{
    if (r == NULL) return;
    if (r->lock != NULL) join_threads(r);
    tni_scheduler_stop(r->sched, timeout_ns);
    if (r->lock != NULL && !empty(r)) {
        /* Freeing what others still use would be worse than keeping it. */
        tni_serve_log(&r->logger, TN_LOG_ERROR, "repository.close",
                      "models_in_use=%zu", r->n_alive);
        return;
    }
    tni_scheduler_free(r->sched);
    free_entries(r);
    tni_monitor_free(r->lock, &r->mem);
    tni_mutex_free(r->log_lock, &r->mem);
    tni_arena_fini(&r->arena);
    tni_mem last;
    tni_mem_init(&last, &r->mem.allocator, 0);
    tni_mem_free(&last, r, sizeof *r, _Alignof(tni_repository));
}

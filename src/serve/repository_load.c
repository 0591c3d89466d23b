/* SPDX-License-Identifier: Apache-2.0 */
/* repository_load.c - the loaders: opening, swapping, taking down */
#include "serve/repository.h"
#include "serve/serve_log.h"

#include <stdio.h>
#include <string.h>

/* --- versions ----------------------------------------------------------- */

static tni_version *find_version(tni_entry *e, int64_t number)
{
    for (tni_version *v = e->versions; v != NULL; v = v->next)
        if (v->number == number) return v;
    return NULL;
}

static tni_version *add_version(tni_repository *r, tni_entry *e, int64_t number)
{
    tni_version *v = find_version(e, number);
    if (v != NULL) return v;
    v = tni_mem_alloc(&r->mem, sizeof *v, _Alignof(tni_version));
    if (v == NULL) return NULL;
    memset(v, 0, sizeof *v);
    v->number = number;
    v->state = TNI_MODEL_UNAVAILABLE;
    (void)snprintf(v->text, sizeof v->text, "%lld", (long long)number);
    tni_version **at = &e->versions;
    while (*at != NULL && (*at)->number < number) at = &(*at)->next;
    v->next = *at;
    *at = v;
    return v;
}

static void detach(tni_version *v, const char *reason)
{
    tni_served_private *old = v->served;
    v->served = NULL;
    v->print = 0;
    v->state = TNI_MODEL_UNAVAILABLE;
    (void)snprintf(v->reason, sizeof v->reason, "%s", reason);
    if (old == NULL) return;
    v->state = TNI_MODEL_UNLOADING;
    old->owner = v;
    /* `gone` takes the lock; the grave is dug by hand here. */
    if (atomic_fetch_sub_explicit(&old->refs, 1, memory_order_acq_rel) != 1)
        return;
    tni_repository *r = old->gone_ctx;
    old->next = r->graves;
    r->graves = old;
}

void tni_entry_detach(tni_entry *e, const char *reason)
{
    for (tni_version *v = e->versions; v != NULL; v = v->next)
        detach(v, reason);
}

/* Puts a new model in the place of an old one. */
static void swap(tni_version *v, tni_served_private *p, uint64_t print)
{
    if (v->served != NULL) detach(v, "");
    v->served = p;
    v->print = print;
    v->state = TNI_MODEL_READY;
    v->reason[0] = '\0';
}

static void served_gone(void *ctx, tni_served_private *p)
{
    tni_repository *r = ctx;
    tni_monitor_lock(r->lock);
    p->next = r->graves;
    r->graves = p;
    /* Before the lock is given back: who waits for the last grave frees it. */
    tni_monitor_wake_all(r->lock);
    tni_monitor_unlock(r->lock);
}

/* The version may serve a newer model by now. */
static void mark_unloaded(tni_version *v)
{
    if (v->state != TNI_MODEL_UNLOADING) return;
    v->state = TNI_MODEL_UNAVAILABLE;
}

void tni_repository_bury(tni_repository *r)
{
    while (r->graves != NULL) {
        tni_served_private *p = r->graves;
        r->graves = p->next;
        tni_monitor_unlock(r->lock);
        tni_version *v = p->owner;
        const uint64_t bytes = p->bytes;
        tni_served_free(p);
        tni_monitor_lock(r->lock);
        if (v != NULL) mark_unloaded(v);
        r->bytes -= bytes;
        r->n_alive--;
        tni_monitor_wake_all(r->lock);
    }
}

/* --- loading ------------------------------------------------------------ */

typedef struct loading {
    tni_repository *r;
    tni_task *task;
    tni_entry *e;
    tni_arena arena;
    tni_source source;
    tni_found found;
    tni_model_config config;
    tni_span override; /* configuration as JSON, or empty */
    uint64_t print;
} loading;

static tn_status find_source(loading *l, tn_err *err)
{
    tni_source *list = NULL;
    size_t n = 0;
    TN_TRY(tni_repository_scan(l->r, &list, &n, &l->arena, err));
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].name, l->e->name) == 0) {
            l->source = list[i];
            return TN_OK;
        }
    return tni_fail(err, TN_ENOTFOUND,
                    "failed to load '%s': there is no such model in the "
                    "repository",
                    l->e->name);
}

static bool is_wanted(const loading *l, size_t i)
{
    const tni_model_config *c = &l->config;
    const tni_found *f = &l->found;
    switch (c->policy) {
    case TNI_VERSIONS_ALL: return true;
    case TNI_VERSIONS_LATEST:
        return (int64_t)(f->n_versions - i) <= c->n_latest;
    case TNI_VERSIONS_SPECIFIC:
        for (size_t k = 0; k < c->n_versions; k++)
            if (c->versions[k] == f->versions[i].number) return true;
        return false;
    }
    return false;
}

/* What is left for one more model; 0 when there is no limit. */
static tn_status bytes_left(tni_repository *r, uint64_t *left, tn_err *err)
{
    *left = 0;
    if (r->opts.max_model_bytes == 0) return TN_OK;
    tni_monitor_lock(r->lock);
    const uint64_t used = r->bytes;
    tni_monitor_unlock(r->lock);
    if (used >= r->opts.max_model_bytes)
        return tni_fail(err, TN_ELIMIT,
                        "models take %llu bytes, the limit of all is %llu",
                        (unsigned long long)used,
                        (unsigned long long)r->opts.max_model_bytes);
    *left = r->opts.max_model_bytes - used;
    return TN_OK;
}

static tn_status open_version(loading *l, const tni_found_version *f,
                              const char *text, tni_served_private **out,
                              tn_err *err)
{
    tni_repository *r = l->r;
    tni_served_opts o;
    memset(&o, 0, sizeof o);
    TN_TRY(bytes_left(r, &o.max_bytes, err));
    if (f->path == NULL)
        return tni_fail(err, TN_ENOTFOUND, "version %s has no %s", text,
                        l->config.default_model_filename);
    o.name = l->e->name;
    o.version = text;
    o.path = f->path;
    o.folder = l->found.folder;
    o.root = l->source.root;
    o.config = l->override;
    o.config_path = l->found.config_path;
    o.sched = r->sched;
    o.session_flags = r->opts.session_flags;
    o.default_max_batch = r->opts.default_max_batch;
    o.limits = r->opts.limits;
    o.logger = &r->logger;
    o.mem = &r->mem;
    TN_TRY(tni_served_open(out, &o, err));
    (*out)->gone = served_gone;
    (*out)->gone_ctx = r;
    return TN_OK;
}

static void log_ready(const loading *l, const tni_served_private *p)
{
    const uint64_t ms = 1000000;
    tni_serve_log(&l->r->logger, TN_LOG_INFO, "model.ready",
                  "model=%s version=%s inputs=%zu outputs=%zu "
                  "max_batch_size=%lld threads=%d ms=%llu bytes=%llu",
                  p->pub.name, p->pub.version, p->pub.n_inputs,
                  p->pub.n_outputs, (long long)p->pub.max_batch_size,
                  p->queue.opts.wide ? l->r->sched->opts.n_threads : 1,
                  (unsigned long long)(p->load_ns / ms),
                  (unsigned long long)p->bytes);
    for (size_t i = 0; i < p->config.n_notes; i++)
        tni_serve_log(&l->r->logger, TN_LOG_INFO, "model.config",
                      "model=%s note=\"%s\"", p->pub.name, p->config.notes[i]);
}

/* Opens one version beside the one that serves; what fails leaves that. */
static tn_status load_version(loading *l, const tni_found_version *f,
                              tn_err *err)
{
    tni_repository *r = l->r;
    const uint64_t print = f->print ^ l->found.print;
    tni_monitor_lock(r->lock);
    tni_version *v = add_version(r, l->e, f->number);
    const bool same = v != NULL && v->served != NULL && v->print == print &&
                      l->override.len == 0;
    if (v != NULL && v->served == NULL) {
        v->state = TNI_MODEL_LOADING;
        v->reason[0] = '\0';
    }
    tni_monitor_unlock(r->lock);
    if (v == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    if (same) return TN_OK;
    tni_served_private *p = NULL;
    tn_status status = open_version(l, f, v->text, &p, err);
    tni_monitor_lock(r->lock);
    const uint64_t most = r->opts.max_model_bytes;
    /* Another may have been loaded meanwhile. */
    if (status == TN_OK && most != 0 && r->bytes + p->bytes > most)
        status = tni_fail(err, TN_ELIMIT,
                          "with it models would take %llu bytes, the limit of "
                          "all is %llu",
                          (unsigned long long)(r->bytes + p->bytes),
                          (unsigned long long)most);
    if (p != NULL) {
        r->n_alive++;
        r->bytes += p->bytes;
    }
    if (status == TN_OK) {
        swap(v, p, print);
    } else {
        if (p != NULL) {
            p->next = r->graves;
            r->graves = p;
        }
        if (v->served == NULL) v->state = TNI_MODEL_UNAVAILABLE;
        (void)snprintf(v->reason, sizeof v->reason, "%s%s%s", err->where,
                       err->where[0] != '\0' ? ": " : "", err->message);
    }
    tni_monitor_unlock(r->lock);
    if (status == TN_OK) log_ready(l, p);
    return status;
}

static void take_down_others(loading *l)
{
    tni_monitor_lock(l->r->lock);
    for (tni_version *v = l->e->versions; v != NULL; v = v->next) {
        bool wanted = false;
        for (size_t i = 0; i < l->found.n_versions; i++)
            if (l->found.versions[i].number == v->number)
                wanted = is_wanted(l, i);
        if (!wanted) detach(v, "unloaded");
    }
    tni_monitor_unlock(l->r->lock);
}

static tn_status load_all(loading *l, tn_err *err)
{
    tn_status first = TN_OK;
    size_t n = 0;
    TN_TRY(find_source(l, err));
    tni_model_config_init(&l->config);
    TN_TRY(tni_source_look(&l->source, l->config.default_model_filename,
                           &l->found, &l->arena, err));
    l->print = tni_found_print(&l->found);
    TN_TRY(tni_served_config_read(&l->config, l->found.config_path, l->override,
                                  &l->arena, err));
    if (l->config.name[0] != '\0' && strcmp(l->config.name, l->e->name) != 0)
        return tni_fail(err, TN_EINVAL,
                        "config.pbtxt: its name is '%.100s', but the model is "
                        "called '%s': remove it or make them the same",
                        l->config.name, l->e->name);
    if (strcmp(l->config.default_model_filename, "model.onnx") != 0)
        TN_TRY(tni_source_look(&l->source, l->config.default_model_filename,
                               &l->found, &l->arena, err));
    for (size_t i = 0; i < l->found.n_versions; i++) {
        tn_err one;
        memset(&one, 0, sizeof one);
        if (!is_wanted(l, i)) continue;
        n++;
        const tn_status status = load_version(l, &l->found.versions[i], &one);
        if (status == TN_OK || first != TN_OK) continue;
        first = status;
        if (err != NULL) *err = one;
    }
    if (n == 0)
        return tni_fail(err, TN_ENOTFOUND,
                        "none of the versions of model '%s' is one that its "
                        "version_policy asks for",
                        l->e->name);
    /* When something failed, what serves stays. */
    if (first == TN_OK) take_down_others(l);
    return first;
}

static void run_load(tni_repository *r, tni_task *t)
{
    loading l;
    memset(&l, 0, sizeof l);
    l.r = r;
    l.task = t;
    l.e = t->entry;
    tni_arena_init(&l.arena, &r->mem, 1 << 14);
    if (t->config != NULL) l.override = (tni_span){t->config, t->config_size};
    t->status = load_all(&l, &t->err);
    if (t->status != TN_OK)
        tni_serve_log(&r->logger, TN_LOG_ERROR, "model.failed",
                      "model=%s status=%s where=\"%s\" reason=\"%s\"",
                      t->entry->name, tn_status_name(t->status), t->err.where,
                      t->err.message);
    tni_monitor_lock(r->lock);
    tni_entry *e = t->entry;
    e->failed = t->status != TN_OK;
    e->tried_print = l.print;
    e->state = TNI_MODEL_UNAVAILABLE;
    e->reason[0] = '\0';
    if (e->failed)
        (void)snprintf(e->reason, sizeof e->reason, "%s%s%s", t->err.where,
                       t->err.where[0] != '\0' ? ": " : "", t->err.message);
    tni_monitor_unlock(r->lock);
    tni_arena_fini(&l.arena);
}

static void run_unload(tni_repository *r, tni_task *t)
{
    tni_monitor_lock(r->lock);
    tni_entry_detach(t->entry, "unloaded");
    t->entry->state = TNI_MODEL_UNAVAILABLE;
    t->entry->tried_print = 0;
    (void)snprintf(t->entry->reason, sizeof t->entry->reason, "unloaded");
    tni_monitor_unlock(r->lock);
    tni_serve_log(&r->logger, TN_LOG_INFO, "model.unloaded", "model=%s",
                  t->entry->name);
}

/* --- tasks -------------------------------------------------------------- */

tn_status tni_repository_post(tni_repository *r, tni_entry *e, bool unload,
                              tni_load *load, tni_span config, tni_task **out,
                              tn_err *err)
{
    tni_task *t = tni_mem_alloc(&r->mem, sizeof *t, _Alignof(tni_task));
    if (t == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(t, 0, sizeof *t);
    t->entry = e;
    t->unload = unload;
    t->load = load;
    if (config.len > 0) {
        t->config = tni_mem_alloc(&r->mem, config.len, 1);
        if (t->config == NULL) {
            tni_mem_free(&r->mem, t, sizeof *t, _Alignof(tni_task));
            return tni_fail(err, TN_ENOMEM, "out of memory");
        }
        memcpy(t->config, config.p, config.len);
        t->config_size = config.len;
    }
    if (r->last_task != NULL)
        r->last_task->next = t;
    else
        r->tasks = t;
    r->last_task = t;
    if (!unload && e->versions == NULL) e->state = TNI_MODEL_LOADING;
    *out = t;
    return TN_OK;
}

/* The first task whose model nobody is at. */
static tni_task *take_task(tni_repository *r)
{
    tni_task *before = NULL;
    for (tni_task *t = r->tasks; t != NULL; before = t, t = t->next) {
        if (t->entry->busy) continue;
        if (before != NULL)
            before->next = t->next;
        else
            r->tasks = t->next;
        if (r->last_task == t) r->last_task = before;
        t->next = NULL;
        return t;
    }
    return NULL;
}

/* Called and returns with the lock held. */
static void run_task(tni_repository *r, tni_task *t)
{
    t->entry->busy = true;
    const bool refused = r->closing;
    tni_monitor_unlock(r->lock);
    if (refused)
        t->status =
            tni_fail(&t->err, TN_ECANCELED, "the server is shutting down");
    else if (t->unload)
        run_unload(r, t);
    else
        run_load(r, t);
    if (t->load != NULL) {
        t->load->status = t->status;
        t->load->err = t->err;
        t->load->done(t->load);
    }
    tni_monitor_lock(r->lock);
    t->entry->busy = false;
    if (t->initial) {
        r->n_initial--;
        if (t->status != TN_OK && r->n_initial_failed++ == 0) {
            r->first_err = t->err;
            r->first_err.code = t->status;
        }
    }
    if (t->config != NULL) tni_mem_free(&r->mem, t->config, t->config_size, 1);
    tni_mem_free(&r->mem, t, sizeof *t, _Alignof(tni_task));
    tni_monitor_wake_all(r->lock);
}

void tni_loader_main(void *repository)
{
    tni_repository *r = repository;
    tni_monitor_lock(r->lock);
    for (;;) {
        tni_repository_bury(r);
        tni_task *t = take_task(r);
        if (t != NULL) {
            run_task(r, t);
            continue;
        }
        if (r->closing && r->tasks == NULL) break;
        tni_monitor_wait(r->lock, 0);
    }
    tni_monitor_unlock(r->lock);
}

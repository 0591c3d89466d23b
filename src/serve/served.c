/* SPDX-License-Identifier: Apache-2.0 */
/* served.c - loading one version of a model, and letting it go */
#include "serve/served.h"

#include "serve/pbtxt.h"
#include "serve/serve_log.h"
#include "sys/clock.h"
#include "sys/dir.h"
#include "sys/file.h"

#include <stdio.h>
#include <string.h>

/* --- ports -------------------------------------------------------------- */

static tn_status make_port(tni_served_private *p, tni_port *port,
                           const tni_config_port *c, tn_err *err)
{
    const int batch = p->config.max_batch_size > 0 ? 1 : 0;
    int64_t *dims = TNI_NEW_ARRAY(&p->arena, int64_t, c->rank + batch + 1);
    if (dims == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    port->name = c->name;
    port->dtype = c->dtype;
    port->rank = c->rank + batch;
    port->dims = dims;
    port->optional = c->optional;
    if (batch) dims[0] = -1;
    for (int k = 0; k < c->rank; k++) dims[k + batch] = c->dims[k];
    return TN_OK;
}

/* One label a line. */
static tn_status read_labels(tni_served_private *p, tni_port *port,
                             const char *folder, const char *file, tn_err *err)
{
    enum { LABELS_MOST_BYTES = 16 << 20 };
    tni_file_map map;
    size_t n = 0;
    if (file == NULL || file[0] == '\0' || folder == NULL) return TN_OK;
    memset(&map, 0, sizeof map);
    TN_TRY(tni_file_map_open_in(&map, folder, file, LABELS_MOST_BYTES, err));
    const char *text = (const char *)map.bytes;
    for (size_t i = 0; i < map.size; i++)
        if (text[i] == '\n' || i + 1 == map.size) n++;
    const char **labels = TNI_NEW_ARRAY(&p->arena, const char *, n + 1);
    bool ok = labels != NULL;
    n = 0;
    for (size_t at = 0; ok && at < map.size; n++) {
        const char *end = memchr(text + at, '\n', map.size - at);
        size_t len = end != NULL ? (size_t)(end - text) - at : map.size - at;
        const size_t next = at + len + 1;
        if (len > 0 && text[at + len - 1] == '\r') len--;
        labels[n] = tni_arena_strndup(&p->arena, text + at, len);
        ok = labels[n] != NULL;
        at = next;
    }
    tni_file_map_close(&map);
    if (!ok) return tni_fail(err, TN_ENOMEM, "out of memory");
    port->labels = labels;
    port->n_labels = n;
    return TN_OK;
}

static tn_status make_inputs(tni_served_private *p, tn_err *err)
{
    const tni_model_config *c = &p->config;
    tni_port *in = TNI_NEW_ARRAY(&p->arena, tni_port, c->n_inputs);
    p->any_rank = TNI_NEW_ARRAY(&p->arena, bool, c->n_inputs);
    if (in == NULL || p->any_rank == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory");
    for (size_t i = 0; i < c->n_inputs; i++) {
        tn_value_info v;
        TN_TRY(tn_model_input(p->model, i, &v));
        TN_TRY(make_port(p, &in[i], &c->inputs[i], err));
        p->any_rank[i] = v.rank < 0;
    }
    p->pub.inputs = in;
    p->pub.n_inputs = c->n_inputs;
    return TN_OK;
}

static tn_status make_outputs(tni_served_private *p, const char *folder,
                              tn_err *err)
{
    const tni_model_config *c = &p->config;
    tni_port *out = TNI_NEW_ARRAY(&p->arena, tni_port, c->n_outputs);
    p->run_output = TNI_NEW_ARRAY(&p->arena, size_t, c->n_outputs);
    if (out == NULL || p->run_output == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory");
    for (size_t i = 0; i < c->n_outputs; i++) {
        const long at = tn_model_find_output(p->model, c->outputs[i].name);
        if (TN_NEVER(at < 0)) return TN_EINTERNAL;
        p->run_output[i] = (size_t)at;
        TN_TRY(make_port(p, &out[i], &c->outputs[i], err));
        TN_TRY(
            read_labels(p, &out[i], folder, c->outputs[i].label_filename, err));
    }
    p->pub.outputs = out;
    p->pub.n_outputs = c->n_outputs;
    return TN_OK;
}

/* --- loading ------------------------------------------------------------ */

tn_status tni_served_config_read(tni_model_config *c, const char *path,
                                 tni_span json, tni_arena *arena, tn_err *err)
{
    if (json.len > 0) return tni_model_config_read(c, json, true, arena, err);
    if (path == NULL) return TN_OK;
    const size_t most = TNI_PBTXT_MAX_BYTES;
    uint64_t size = 0;
    const tni_path_info info = tni_path_look(path);
    const size_t room = info.size < most ? (size_t)info.size + 1 : most;
    char *text = tni_arena_alloc(arena, room, 1);
    if (text == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    TN_TRY(tni_file_read(text, room, &size, path, err));
    tn_status status = TN_OK;
    if (size > room)
        status =
            tni_fail(err, TN_ELIMIT, "has %llu bytes, at most %zu are read",
                     (unsigned long long)size, most);
    else
        status = tni_model_config_read(c, (tni_span){text, (size_t)size}, false,
                                       arena, err);
    if (status != TN_OK) {
        if (err != NULL && err->line > 0)
            tni_err_where(err, "config.pbtxt line %d", (int)err->line);
        else
            tni_err_where(err, "config.pbtxt");
    }
    return status;
}

static tn_status open_model(tni_served_private *p, const tni_served_opts *o,
                            tn_err *err)
{
    tn_model_opts mo = TN_MODEL_OPTS_INIT;
    tn_model_info info = TN_MODEL_INFO_INIT;
    mo.allocator = &p->mem->allocator;
    mo.limits = o->limits;
    mo.logger = o->logger;
    /* Who copies a new model over an old one must not end the server. */
    mo.flags = TN_MODEL_DETACHED;
    TN_TRY(tn_model_open(&p->model, o->path, &mo, err));
    TN_TRY(tn_model_get_info(p->model, &info));
    if (o->max_bytes != 0 && info.weights_bytes > o->max_bytes)
        return tni_fail(err, TN_ELIMIT,
                        "its weights take %llu bytes; %llu are left of the "
                        "limit of all models",
                        (unsigned long long)info.weights_bytes,
                        (unsigned long long)o->max_bytes);
    return TN_OK;
}

static void queue_opts(const tni_model_config *c, tni_queue_opts *q)
{
    memset(q, 0, sizeof *q);
    q->max_batch_size = c->max_batch_size;
    q->max_delay_ns = c->max_queue_delay_us * 1000;
    q->preferred_rows = c->max_batch_size;
    for (size_t i = 0; i < c->n_preferred; i++)
        if (c->preferred[i] < q->preferred_rows)
            q->preferred_rows = c->preferred[i];
    q->n_levels = c->priority_levels > 0 ? c->priority_levels : 1;
    q->default_level = c->default_priority > 0 ? c->default_priority - 1 : 0;
    q->default_timeout_ns = c->default_timeout_us * 1000;
    q->max_jobs = c->max_queue_size;
    q->keep_order = c->preserve_ordering;
}

static tn_status complete(tni_served_private *p, int64_t max_batch, tn_err *err)
{
    return tni_model_config_complete(&p->config, p->model, p->pub.name,
                                     max_batch, &p->arena, err);
}

static tn_status load(tni_served_private *p, const tni_served_opts *o,
                      tn_err *err)
{
    tni_queue_opts q;
    tni_batch_cost cost;
    uint64_t key = 0;
    TN_TRY(open_model(p, o, err));
    TN_TRY(tni_served_config_read(&p->config, o->config_path, o->config,
                                  &p->arena, err));
    const tni_model_config said = p->config;
    TN_TRY(complete(p, o->default_max_batch, err));
    queue_opts(&p->config, &q);
    tn_status status = tni_served_warm(p, o, &q, &cost, &key, err);
    if (status != TN_OK && !p->batchable && !said.has_max_batch) {
        /* Its shapes look batched, and it is not. */
        tni_err_clear(err);
        p->config = said;
        TN_TRY(complete(p, 0, err));
        queue_opts(&p->config, &q);
        status = tni_served_warm(p, o, &q, &cost, &key, err);
    }
    TN_TRY(status);
    if (o->max_bytes != 0 && p->bytes > o->max_bytes)
        return tni_fail(err, TN_ELIMIT,
                        "it takes %llu bytes; %llu are left of the limit of "
                        "all models",
                        (unsigned long long)p->bytes,
                        (unsigned long long)o->max_bytes);
    TN_TRY(make_inputs(p, err));
    TN_TRY(make_outputs(p, o->folder, err));
    tni_served *m = &p->pub;
    m->platform = p->config.platform;
    m->max_batch_size = p->config.max_batch_size;
    m->default_timeout_ns = q.default_timeout_ns;
    tni_queue_init(&p->queue, o->sched, m, p->session, &q);
    p->queued = true;
    tni_shape *shape = tni_queue_shape(&p->queue, key);
    if (shape != NULL) shape->cost = cost;
    return TN_OK;
}

tn_status tni_served_open(tni_served_private **out, const tni_served_opts *opts,
                          tn_err *err)
{
    *out = NULL;
    const uint64_t begin = tni_clock_ns();
    tni_served_private *p =
        tni_mem_alloc(opts->mem, sizeof *p, _Alignof(tni_served_private));
    if (p == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(p, 0, sizeof *p);
    p->mem = opts->mem;
    p->pub.priv = p;
    p->batchable = true;
    atomic_init(&p->refs, 1);
    tni_arena_init(&p->arena, p->mem, 1 << 12);
    tni_model_config_init(&p->config);
    p->pub.name = tni_arena_strndup(&p->arena, opts->name, strlen(opts->name));
    p->pub.version =
        tni_arena_strndup(&p->arena, opts->version, strlen(opts->version));
    tn_status status = TN_ENOMEM;
    if (p->pub.name != NULL && p->pub.version != NULL)
        status = load(p, opts, err);
    if (status != TN_OK) {
        tni_served_free(p);
        return status;
    }
    p->load_ns = tni_clock_ns() - begin;
    *out = p;
    return TN_OK;
}

void tni_served_free(tni_served_private *p)
{
    if (p == NULL) return;
    if (p->queued) tni_queue_fini(&p->queue);
    tn_session_free(p->session);
    tn_model_close(p->model);
    tni_arena_fini(&p->arena);
    tni_mem_free(p->mem, p, sizeof *p, _Alignof(tni_served_private));
}

/* --- what others see ---------------------------------------------------- */

void tni_served_retain(tni_served *m)
{
    atomic_fetch_add_explicit(&m->priv->refs, 1, memory_order_relaxed);
}

void tni_served_release(tni_served *m)
{
    if (m == NULL) return;
    tni_served_private *p = m->priv;
    if (atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) == 1)
        p->gone(p->gone_ctx, p);
}

tni_queue *tni_served_queue(const tni_served *m)
{
    return &m->priv->queue;
}

bool tni_served_any_rank(const tni_served *m, size_t input)
{
    return m->priv->any_rank[input];
}

size_t tni_served_run_output(const tni_served *m, size_t output)
{
    return m->priv->run_output[output];
}

void tni_served_config(const tni_served *m, tni_out *json)
{
    tni_model_config_write(&m->priv->config, json);
}

void tni_served_counts(const tni_served *m, tni_model_counts *out)
{
    const tni_queue *q = &m->priv->queue;
    tni_monitor_lock(q->sched->lock);
    *out = q->counts;
    out->pending = q->n_jobs;
    tni_monitor_unlock(q->sched->lock);
    out->load_ns = m->priv->load_ns;
    out->bytes = m->priv->bytes;
}

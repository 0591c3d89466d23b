/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c - the whole server: repository, application, I/O threads
 *
 * Beginning: TLS files, the listening sockets, the repository (which loads in
 * the background), the application; then one thread per loop. Ending, in the
 * other order: the application says "not ready", the loops finish what they
 * have and are joined, so that nobody holds a model; then the application and
 * the repository go.
 */
#include "serve/server_opts.h"

#include "serve/api.h"
#include "serve/loop.h"
#include "serve/serve_log.h"
#include "serve/served.h"
#include "serve/tls.h"
#include "sys/mutex.h"
#include "sys/tcp.h"
#include "sys/thread.h"
#include "sys/threadpool.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { LOOPS_MOST = 64 };

struct tn_server {
    tni_mem mem, connections, bodies;
    tni_arena arena; /* of the options */
    tn_server_opts opts;
    tni_mutex *log_lock;
    tn_logger logger; /* the user's, behind the lock and the level */
    _Atomic int log_level;
    tni_tls *tls;
    tni_repository *repo;
    tni_tracer *tracer; /* or NULL */
    tni_api *api;
    uint16_t port;
    int listeners[LOOPS_MOST]; /* -1: none, or a loop's */
    tni_loop *loops[LOOPS_MOST];
    tni_thread *threads[LOOPS_MOST];
    int n_loops;
    _Atomic uint64_t n_connections;
    bool started;
};

/* --- logging ------------------------------------------------------------ */

static void log_write(void *ctx, tn_log_level level, const char *event,
                      const char *fields)
{
    tn_server *s = ctx;
    const tn_logger *user = s->opts.logger;
    if ((int)level > atomic_load_explicit(&s->log_level, memory_order_relaxed))
        return;
    tni_mutex_lock(s->log_lock);
    user->write(user->ctx, level, event, fields);
    tni_mutex_unlock(s->log_lock);
}

static void set_up_log(tn_server *s)
{
    const tn_logger *user = s->opts.logger;
    if (user == NULL || user->write == NULL) return;
    /* The level may change while it runs, so it is looked at there. */
    s->logger.ctx = s;
    s->logger.level = TN_LOG_TRACE;
    s->logger.write = log_write;
    atomic_store(&s->log_level, (int)user->level);
}

static tn_log_level get_level(void *ctx)
{
    const tn_server *s = ctx;
    return (tn_log_level)atomic_load(&s->log_level);
}

static void set_level(void *ctx, tn_log_level level)
{
    tn_server *s = ctx;
    atomic_store(&s->log_level, (int)level);
}

/* --- metrics of the server ---------------------------------------------- */

static void put_metric(tni_out *text, const char *name, const char *type,
                       const char *help, uint64_t value)
{
    char line[320];
    (void)snprintf(line, sizeof line, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n",
                   name, help, name, type, name, (unsigned long long)value);
    tni_out_str(text, line);
}

static void put_metrics(void *ctx, tni_out *text)
{
    tn_server *s = ctx;
    tni_loop_counts all;
    memset(&all, 0, sizeof all);
    for (int i = 0; i < s->n_loops; i++) {
        tni_loop_counts one;
        tni_loop_count(s->loops[i], &one);
        all.connections += one.connections;
        all.accepted += one.accepted;
        all.requests += one.requests;
        all.refused += one.refused;
        all.timeouts += one.timeouts;
    }
    put_metric(text, "tenon_connections", "gauge", "Connections now.",
               all.connections);
    put_metric(text, "tenon_connections_total", "counter",
               "Connections accepted.", all.accepted);
    put_metric(text, "tenon_requests_total", "counter",
               "Requests read, of any kind.", all.requests);
    put_metric(text, "tenon_requests_refused_total", "counter",
               "Requests refused before they were read.", all.refused);
    put_metric(text, "tenon_timeouts_total", "counter",
               "Connections closed because the peer was too slow.",
               all.timeouts);
    put_metric(text, "tenon_body_bytes", "gauge",
               "Bytes of request bodies in memory now.",
               atomic_load(&s->bodies.used_bytes));
    put_metric(text, "tenon_body_bytes_limit", "gauge",
               "The most they may be, --max-inflight-bytes.",
               s->bodies.limit_bytes);
}

/* --- beginning ---------------------------------------------------------- */

static tn_status open_tls(tn_server *s, tn_err *err)
{
    const tn_server_opts *o = &s->opts;
    if (o->tls_cert_file == NULL) return TN_OK;
    const tni_tls_opts t = {o->tls_cert_file, o->tls_key_file,
                            o->tls_client_ca_file};
    return tni_tls_new(&s->tls, &t, &s->connections, err);
}

/* One socket for each loop, all at one port. */
static tn_status listen_all(tn_server *s, tn_err *err)
{
    uint16_t port = s->opts.port;
    for (int i = 0; i < s->opts.n_io_threads; i++) {
        TN_TRY(tni_tcp_listen(&s->listeners[i], s->opts.host, port, err));
        if (i == 0) port = tni_tcp_port(s->listeners[0]);
    }
    s->port = port;
    return TN_OK;
}

static tn_status open_repository(tn_server *s, tn_err *err)
{
    const tn_server_opts *o = &s->opts;
    tni_repository_opts r;
    memset(&r, 0, sizeof r);
    r.paths = o->paths;
    r.names = o->names;
    r.n_paths = o->n_paths;
    r.reload = o->reload == TN_SERVER_RELOAD_WATCH      ? TNI_RELOAD_WATCH
               : o->reload == TN_SERVER_RELOAD_EXPLICIT ? TNI_RELOAD_EXPLICIT
                                                        : TNI_RELOAD_NONE;
    r.load = o->load;
    r.n_load = o->n_load;
    r.strict = (o->flags & TN_SERVER_STRICT) != 0;
    r.n_threads = o->n_threads;
    if ((o->flags & TN_SERVER_EXACT) != 0) r.session_flags |= TN_SESSION_EXACT;
    if ((o->flags & TN_SERVER_BF16) != 0) r.session_flags |= TN_SESSION_BF16;
    r.default_max_batch = o->max_batch_size;
    r.max_queue_ns = tni_server_ns(o->max_queue_ms);
    r.max_queue_bytes = o->max_queue_bytes;
    r.max_model_bytes = o->max_model_bytes;
    r.logger = &s->logger;
    r.allocator = o->allocator;
    return tni_repository_open(&s->repo, &r, err);
}

static tn_status open_api(tn_server *s, tn_err *err)
{
    const tn_server_opts *o = &s->opts;
    tni_api_opts a;
    memset(&a, 0, sizeof a);
    a.repo = s->repo;
    a.infer_token = o->infer_token;
    a.control_token = o->control_token;
    a.metrics_token = o->metrics_token;
    a.allow_control = tni_server_allows_control(o);
    a.max_body_bytes = o->max_body_bytes;
    a.max_answer_bytes = o->max_answer_bytes;
    a.hooks.ctx = s;
    if (s->logger.write != NULL) {
        a.hooks.log_level = get_level;
        a.hooks.set_log_level = set_level;
    }
    a.hooks.metrics = put_metrics;
    a.logger = &s->logger;
    a.access_log = (o->flags & TN_SERVER_ACCESS_LOG) != 0;
    if (o->trace_url != NULL) {
        const tni_tracer_opts t = {.url = o->trace_url,
                                   .rate = o->trace_rate,
                                   .logger = &s->logger,
                                   .allocator = o->allocator};
        TN_TRY(tni_tracer_new(&s->tracer, &t, err));
    }
    a.tracer = s->tracer;
    a.allocator = o->allocator;
    return tni_api_new(&s->api, &a, err);
}

static tn_status open_loops(tn_server *s, tn_err *err)
{
    const tn_server_opts *o = &s->opts;
    tni_loop_opts l;
    tni_loop_opts_init(&l);
    l.app = tni_api_app(s->api);
    l.mem = &s->connections;
    l.bodies = &s->bodies;
    l.max_body = o->max_body_bytes;
    l.max_connections = o->max_connections;
    l.all_connections = &s->n_connections;
    l.max_streams = o->max_streams;
    l.header_timeout_ns = tni_server_ns(o->header_timeout_ms);
    l.idle_timeout_ns = tni_server_ns(o->idle_timeout_ms);
    l.read_timeout_ns = tni_server_ns(o->read_timeout_ms);
    l.write_timeout_ns = tni_server_ns(o->write_timeout_ms);
    l.tls = s->tls;
    l.tls_only = (o->flags & TN_SERVER_TLS_ONLY) != 0;
    for (int i = 0; i < o->n_io_threads; i++) {
        TN_TRY(tni_loop_open(&s->loops[i], &l, s->listeners[i], err));
        s->listeners[i] = -1;
        s->n_loops++;
    }
    return TN_OK;
}

static tn_status open_all(tn_server *s, const tn_server_opts *opts, tn_err *err)
{
    TN_TRY(tni_server_opts_take(&s->opts, opts, LOOPS_MOST, &s->arena, err));
    s->bodies.limit_bytes = (size_t)s->opts.max_inflight_bytes;
    TN_TRY(tni_mutex_new(&s->log_lock, &s->mem, err));
    set_up_log(s);
    TN_TRY(open_tls(s, err));
    TN_TRY(listen_all(s, err));
    TN_TRY(open_repository(s, err));
    TN_TRY(open_api(s, err));
    return open_loops(s, err);
}

tn_status tn_server_new(tn_server **out, const tn_server_opts *opts,
                        tn_err *err)
{
    tni_mem first;
    tni_err_clear(err);
    if (out == NULL || opts == NULL)
        return tni_fail(err, TN_EINVAL, "an argument is NULL");
    *out = NULL;
    tni_mem_init(&first, opts->allocator, 0);
    tn_server *s = tni_mem_alloc(&first, sizeof *s, _Alignof(tn_server));
    if (s == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(s, 0, sizeof *s);
    tni_mem_init(&s->mem, opts->allocator, 0);
    tni_mem_init(&s->connections, opts->allocator, 0);
    tni_mem_init(&s->bodies, opts->allocator, 0);
    tni_arena_init(&s->arena, &s->mem, 1 << 10);
    for (int i = 0; i < LOOPS_MOST; i++) s->listeners[i] = -1;
    const tn_status status = open_all(s, opts, err);
    if (status != TN_OK) {
        tn_server_free(s);
        return status;
    }
    *out = s;
    return TN_OK;
}

static void run_loop(void *ctx)
{
    tni_loop_run(ctx);
}

tn_status tn_server_start(tn_server *s, tn_err *err)
{
    tni_err_clear(err);
    if (s->started)
        return tni_fail(err, TN_EINVAL, "the server was started before");
    s->started = true;
    tni_api_set_state(s->api, TNI_API_SERVING);
    for (int i = 0; i < s->n_loops; i++) {
        const tn_status status = tni_thread_start(
            &s->threads[i], run_loop, s->loops[i], "tenon-io", &s->mem, err);
        if (status == TN_OK) continue;
        tn_server_stop(s);
        tn_server_wait(s);
        return status;
    }
    tni_serve_log(&s->logger, TN_LOG_INFO, "server.start",
                  "host=%s port=%d io_threads=%d threads=%d tls=%s control=%s",
                  s->opts.host, (int)s->port, s->n_loops, s->opts.n_threads,
                  s->tls != NULL ? "yes" : "no",
                  tni_server_allows_control(&s->opts) ? "yes" : "no");
    return TN_OK;
}

/* --- asking ------------------------------------------------------------- */

uint16_t tn_server_port(const tn_server *s)
{
    return s->port;
}

int tn_server_is_loading(const tn_server *s)
{
    return tni_repository_loading(s->repo);
}

int tn_server_is_ready(const tn_server *s)
{
    return s->started && tni_repository_ready(s->repo);
}

tn_status tn_server_wait_loaded(tn_server *s, tn_err *err)
{
    return tni_repository_wait(s->repo, err);
}

tn_status tn_server_reload_tls(tn_server *s, tn_err *err)
{
    tni_err_clear(err);
    if (s->tls == NULL) return TN_OK;
    return tni_tls_reload(s->tls, err);
}

void tn_server_set_log_level(tn_server *s, tn_log_level level)
{
    set_level(s, level);
}

/* "x float32[-1,4], y int64[-1]", cut where it does not fit. */
static void write_ports(char *to, size_t size, const tni_port *ports, size_t n)
{
    size_t at = 0;
    to[0] = '\0';
    for (size_t i = 0; i < n && at < size; i++) {
        at += (size_t)snprintf(to + at, size - at, "%s%.100s %s[",
                               i > 0 ? ", " : "", ports[i].name,
                               tn_dtype_name(ports[i].dtype));
        for (int k = 0; k < ports[i].rank && at < size; k++)
            at +=
                (size_t)snprintf(to + at, size - at, "%s%lld", k > 0 ? "," : "",
                                 (long long)ports[i].dims[k]);
        if (at < size) at += (size_t)snprintf(to + at, size - at, "]");
    }
}

static void tell_model(tn_server *s, const tni_index_entry *e,
                       void (*each)(void *, const tn_server_model *), void *ctx)
{
    char inputs[1024] = "", outputs[1024] = "";
    tn_server_model m;
    memset(&m, 0, sizeof m);
    m.name = e->name;
    m.version = e->version;
    m.reason = e->reason;
    m.inputs = inputs;
    m.outputs = outputs;
    tni_served *served = NULL;
    if (e->state == TNI_MODEL_READY)
        served = tni_repository_get(s->repo, tni_span_of(e->name),
                                    tni_span_of(e->version), NULL);
    if (served != NULL) {
        m.ready = 1;
        m.max_batch_size = served->max_batch_size;
        m.load_ns = served->priv->load_ns;
        m.bytes = served->priv->bytes;
        write_ports(inputs, sizeof inputs, served->inputs, served->n_inputs);
        write_ports(outputs, sizeof outputs, served->outputs,
                    served->n_outputs);
        tni_served_release(served);
    }
    each(ctx, &m);
}

tn_status tn_server_models(tn_server *s,
                           void (*each)(void *, const tn_server_model *),
                           void *ctx, tn_err *err)
{
    tni_arena arena;
    tni_index_entry *list = NULL;
    size_t n = 0;
    tni_arena_init(&arena, &s->mem, 1 << 12);
    const tn_status status =
        tni_repository_index(s->repo, false, &list, &n, &arena, err);
    for (size_t i = 0; status == TN_OK && i < n; i++)
        tell_model(s, &list[i], each, ctx);
    tni_arena_fini(&arena);
    return status;
}

/* --- ending ------------------------------------------------------------- */

void tn_server_drain(tn_server *s)
{
    tni_api_set_state(s->api, TNI_API_DRAINING);
    for (int i = 0; i < s->n_loops; i++)
        tni_loop_drain(s->loops[i], tni_server_ns(s->opts.drain_delay_ms),
                       tni_server_ns(s->opts.drain_timeout_ms));
}

void tn_server_stop(tn_server *s)
{
    for (int i = 0; i < s->n_loops; i++) tni_loop_stop(s->loops[i]);
}

void tn_server_wait(tn_server *s)
{
    for (int i = 0; i < s->n_loops; i++) {
        tni_thread_join(s->threads[i]);
        s->threads[i] = NULL;
    }
}

void tn_server_free(tn_server *s)
{
    const uint64_t compute_timeout_ns = 2000000000;
    if (s == NULL) return;
    if (s->started) {
        tn_server_stop(s);
        tn_server_wait(s);
    }
    /* The loops' threads are gone, what they hold is there for late posts of
     * the compute threads, so the scheduler ends before they do. */
    tni_repository_close(s->repo, compute_timeout_ns);
    for (int i = 0; i < s->n_loops; i++) tni_loop_close(s->loops[i]);
    for (int i = 0; i < LOOPS_MOST; i++)
        if (s->listeners[i] >= 0) tni_tcp_close(s->listeners[i]);
    tni_api_free(s->api);
    tni_tracer_free(s->tracer);
    tni_tls_free(s->tls);
    tni_mutex_free(s->log_lock, &s->mem);
    tni_arena_fini(&s->arena);
    tni_mem last;
    tni_mem_init(&last, &s->mem.allocator, 0);
    tni_mem_free(&last, s, sizeof *s, _Alignof(tn_server));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_serve.c - serve models over HTTP and gRPC
 *
 * The main thread waits for signals and does nothing else; the server's own
 * threads take none. The first SIGTERM or SIGINT drains, a second one stops.
 */
#if !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE 1
#endif
#include "serve_opts.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* --- what is printed at the start --------------------------------------- */

typedef struct listing {
    cli_json *json; /* NULL: text */
    int ready, failed;
    char first[160]; /* a model that is ready */
} listing;

static void json_model(cli_json *j, const tn_server_model *m)
{
    cli_json_open(j, NULL, '{');
    cli_json_string(j, "name", m->name);
    cli_json_string(j, "version", m->version);
    cli_json_bool(j, "ready", m->ready != 0);
    cli_json_string(j, "reason", m->reason);
    cli_json_string(j, "inputs", m->inputs);
    cli_json_string(j, "outputs", m->outputs);
    cli_json_int(j, "max_batch_size", m->max_batch_size);
    cli_json_number(j, "load_ms", (double)m->load_ns / 1e6);
    cli_json_int(j, "bytes", (int64_t)m->bytes);
    cli_json_close(j, '}');
}

static void show_model(void *ctx, const tn_server_model *m)
{
    listing *l = ctx;
    /* Explicit mode: not asked for is no failure. */
    const bool idle = m->ready == 0 && m->reason[0] == '\0';
    if (m->ready != 0 && l->ready++ == 0)
        (void)snprintf(l->first, sizeof l->first, "%s", m->name);
    if (m->ready == 0 && !idle) l->failed++;
    if (l->json != NULL) {
        json_model(l->json, m);
        return;
    }
    char time[40], batch[48] = "";
    if (m->max_batch_size > 0)
        (void)snprintf(batch, sizeof batch, ", batches of up to %lld",
                       (long long)m->max_batch_size);
    if (m->ready != 0)
        printf("%-20s version %s: %s -> %s%s, loaded in %s\n", m->name,
               m->version, m->inputs, m->outputs, batch,
               cli_time(time, sizeof time, (double)m->load_ns));
    else
        printf("%-20s %s%s%s\n", m->name, idle ? "not loaded" : "FAILED",
               idle ? "" : ": ", m->reason);
}

/* What a client on this machine would write. */
static const char *reachable(const char *host)
{
    if (host == NULL) return "127.0.0.1";
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
        return "localhost";
    return host;
}

static void show_address(const serve_opts *o, const tn_server *s,
                         const char *model)
{
    const char *host = reachable(o->server.host);
    const bool tls = o->server.tls_cert_file != NULL;
    const bool six = strchr(host, ':') != NULL;
    char at[300];
    (void)snprintf(at, sizeof at, "%s://%s%s%s:%d", tls ? "https" : "http",
                   six ? "[" : "", host, six ? "]" : "",
                   (int)tn_server_port(s));
    printf("\nserving REST and gRPC at %s\n", at);
    printf("try:  %s/  in a browser\n", at);
    printf("      curl %s%s/v2/models/%s\n", tls ? "-k " : "", at, model);
}

static int report(const serve_opts *o, const cli *c, tn_server *s)
{
    tn_err err;
    cli_json j;
    listing l;
    memset(&err, 0, sizeof err);
    memset(&l, 0, sizeof l);
    if (c->json) {
        l.json = &j;
        cli_json_init(&j, stdout);
        cli_json_open(&j, NULL, '{');
        cli_json_int(&j, "port", tn_server_port(s));
        cli_json_open(&j, "models", '[');
    }
    const tn_status status = tn_server_models(s, show_model, &l, &err);
    if (c->json) {
        cli_json_close(&j, ']');
        cli_json_int(&j, "ready", l.ready);
        cli_json_int(&j, "failed", l.failed);
        cli_json_close(&j, '}');
        cli_json_end(&j);
    } else if (o->check) {
        printf("%d ready, %d failed; the options are good\n", l.ready,
               l.failed);
    } else {
        show_address(o, s, l.ready > 0 ? l.first : "NAME");
    }
    (void)fflush(stdout);
    return status == TN_OK ? CLI_OK : cli_fail(&err);
}

/* --- running ------------------------------------------------------------ */

/* For the second signal alone; set before its handler is. */
static tn_server *volatile signalled;

static void stop_now(int sig)
{
    (void)sig;
    tn_server_stop(signalled);
}

static int write_port(const char *path, int port)
{
    char temporary[4096];
    if (path == NULL) return CLI_OK;
    const int n = snprintf(temporary, sizeof temporary, "%s.tmp", path);
    bool ok = n > 0 && (size_t)n < sizeof temporary;
    FILE *f = ok ? fopen(temporary, "w") : NULL;
    ok = f != NULL && fprintf(f, "%d\n", port) > 0;
    if (f != NULL && fclose(f) != 0) ok = false;
    if (ok && rename(temporary, path) == 0) return CLI_OK;
    cli_error("serve: --port-file %s cannot be written: %s", path,
              strerror(errno));
    return CLI_INPUT;
}

/* Each connection is a descriptor. */
static void raise_files(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0) return;
    r.rlim_cur = r.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &r);
}

static void block_signals(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, set, NULL);
}

/* The signal that came, or 0 when loading has ended before. */
static int wait_loading(tn_server *s, const sigset_t *set)
{
    const struct timespec tick = {0, 2000000};
    while (tn_server_is_loading(s)) {
        const int sig = sigtimedwait(set, NULL, &tick);
        if (sig == SIGTERM || sig == SIGINT) return sig;
    }
    return 0;
}

static void reload_tls(tn_server *s)
{
    tn_err err;
    memset(&err, 0, sizeof err);
    if (tn_server_reload_tls(s, &err) != TN_OK)
        cli_error("serve: SIGHUP: %s%s%s; the certificate stays as it was",
                  err.where, err.where[0] != '\0' ? ": " : "", err.message);
}

static void wait_signal(tn_server *s, const sigset_t *set)
{
    for (;;) {
        int sig = 0;
        if (sigwait(set, &sig) != 0) continue;
        if (sig != SIGHUP) return;
        reload_tls(s);
    }
}

static void finish(const serve_opts *o, tn_server *s, const sigset_t *set)
{
    struct sigaction a;
    memset(&a, 0, sizeof a);
    a.sa_handler = stop_now;
    a.sa_flags = SA_RESTART;
    signalled = s;
    tn_server_drain(s);
    fprintf(stderr,
            "tenon: finishing: not ready any more, %.3g s for others to "
            "notice, then what is in flight; a second signal stops at once\n",
            (double)o->server.drain_delay_ms / 1000.0);
    (void)sigaction(SIGTERM, &a, NULL);
    (void)sigaction(SIGINT, &a, NULL);
    (void)sigprocmask(SIG_UNBLOCK, set, NULL);
    tn_server_wait(s);
    (void)sigprocmask(SIG_BLOCK, set, NULL);
}

static int serve(serve_opts *o, const cli *c, tn_server *s, serve_log *log,
                 const sigset_t *set)
{
    tn_err err;
    memset(&err, 0, sizeof err);
    if (!o->check && tn_server_start(s, &err) != TN_OK) return cli_fail(&err);
    int code = o->check ? CLI_OK : write_port(o->port_file, tn_server_port(s));
    if (code != CLI_OK) return code;
    if (wait_loading(s, set) != 0) {
        if (!o->check) finish(o, s, set);
        return o->check ? CLI_INPUT : CLI_OK;
    }
    code = report(o, c, s);
    log->starting = false;
    if (tn_server_wait_loaded(s, &err) != TN_OK) return cli_fail(&err);
    if (o->check || code != CLI_OK) return code;
    wait_signal(s, set);
    finish(o, s, set);
    return CLI_OK;
}

static int run(cli *c)
{
    serve_opts o;
    serve_log log;
    sigset_t set;
    tn_server *s = NULL;
    tn_err err;
    memset(&err, 0, sizeof err);
    int code = serve_opts_read(&o, c);
    if (code == CLI_OK) {
        log = (serve_log){stderr, o.log_json, !o.log_json};
        o.logger = (tn_logger){&log, o.level, serve_log_write};
        o.server.logger = &o.logger;
        raise_files();
        block_signals(&set);
        code = tn_server_new(&s, &o.server, &err) == TN_OK
                   ? serve(&o, c, s, &log, &set)
                   : cli_fail(&err);
    }
    tn_server_free(s);
    serve_opts_release(&o);
    return code;
}

const cli_command cli_cmd_serve = {
    .name = "serve",
    .group = "Model",
    .summary = "answer over HTTP and gRPC as Triton does, on one port",
    .usage = "[NAME=]PATH ... [--port N] [--host ADDRESS] [--reload HOW] "
             "[options]",
    .details =
        "PATH is a model file, a folder of them, or a repository in Triton's "
        "layout\n(NAME/config.pbtxt, NAME/1/model.onnx). It speaks the Open "
        "Inference Protocol v2\nwith Triton's extensions, REST and gRPC on "
        "one port, with a page to try models\nat / and Prometheus metrics at "
        "/metrics. Requests are batched as they wait.\n\nEvery option can "
        "also come from the environment: --drain-delay is\n"
        "TENON_SERVE_DRAIN_DELAY; flags are 1 or 0 there, and what "
        "is given on the line wins.\n\nSIGTERM and SIGINT: not ready any more, "
        "but still serving "
        "for --drain-delay;\nthen what is in flight is finished, and the exit "
        "code is 0. A second one stops at\nonce. SIGHUP reads the TLS files "
        "again.\n",
    .examples =
        "  tenon serve resnet50.onnx\n"
        "  curl http://127.0.0.1:8000/v2/models/resnet50\n\n"
        "  tenon serve /models --host 0.0.0.0 --reload watch --tls-cert c.pem "
        "\\\n      --tls-key k.pem --token-file token --log-format json\n"
        "  curl -H \"Authorization: Bearer $(cat token)\" "
        "https://$HOST:8000/v2/models/stats\n",
    .options = serve_option_table,
    .n_options = SERVE_N_OPTIONS,
    .min_args = 1,
    .max_args = -1,
    .run = run,
};

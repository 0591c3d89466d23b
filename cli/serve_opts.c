/* SPDX-License-Identifier: Apache-2.0 */
/* serve_opts.c - what `tenon serve` was asked for, by flags or environment */
#include "serve_opts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const cli_option serve_option_table[SERVE_N_OPTIONS] = {
    {"host", 0, "ADDRESS",
     "listen there (127.0.0.1; 0.0.0.0 or :: is every one)", false},
    {"port", 'p', "N", "and at this port (8000; 0: one that is free)", false},
    {"port-file", 0, "FILE", "write the port to FILE once it is listened at",
     false},
    {"reload", 0, "HOW",
     "none; watch: follow the files; explicit: by request (none)", false},
    {"load", 0, "NAME", "explicit: load NAME[,NAME] at the start, '*' is all",
     true},
    {"strict", 0, NULL,
     "end when any model cannot be loaded, not only when all", false},
    {"check", 0, NULL, "check options, TLS files, port and models, then exit",
     false},
    {"threads", 't', "N", "compute threads; 0: what the machine allows", false},
    {"io-threads", 0, "N",
     "threads that read and write; 0: one for 8 of the others", false},
    {"precision", 0, "NAME", "of products with constant weights: float32, bf16",
     false},
    {"exact", 0, NULL,
     "no algorithm that rounds more than the plain definition", false},
    {"max-batch", 0, "N", "rows of a batch where a model does not say (64)",
     false},
    {"tls-cert", 0, "FILE", "PEM; speak TLS too; read again on SIGHUP", false},
    {"tls-key", 0, "FILE", "PEM, the key of --tls-cert", false},
    {"tls-client-ca", 0, "FILE",
     "PEM; clients must show a certificate of these", false},
    {"tls-only", 0, NULL, "close connections without TLS", false},
    {"token-file", 0, "FILE",
     "ask for this bearer token; its first line counts", false},
    {"control-token-file", 0, "FILE",
     "another one for loading, unloading, settings", false},
    {"metrics-token-file", 0, "FILE", "one for /metrics, which is open without",
     false},
    {"control", 0, "WHO",
     "auto: with a token or on this machine only; on; off (auto)", false},
    {"max-body", 0, "SIZE", "of one request, unpacked (64M)", false},
    {"max-inflight", 0, "SIZE", "of all requests at a time (1G)", false},
    {"max-answer", 0, "SIZE", "of one answer in JSON (1G)", false},
    {"max-queue-bytes", 0, "SIZE", "of inputs that wait (1G)", false},
    {"max-queue-ms", 0, "N", "refuse what would wait longer (1000)", false},
    {"max-model-bytes", 0, "SIZE", "of all models together (no limit)", false},
    {"max-connections", 0, "N", "more wait (10000)", false},
    {"max-streams", 0, "N", "of one HTTP/2 connection (256)", false},
    {"header-timeout", 0, "SECONDS", "for the head of a request (10)", false},
    {"read-timeout", 0, "SECONDS", "for a body, and longer for large ones (30)",
     false},
    {"write-timeout", 0, "SECONDS",
     "for an answer, and longer for large ones (30)", false},
    {"idle-timeout", 0, "SECONDS", "between requests (120)", false},
    {"drain-delay", 0, "SECONDS", "after SIGTERM: still take connections (5)",
     false},
    {"drain-timeout", 0, "SECONDS", "and then let requests finish (30)", false},
    {"log-format", 0, "NAME", "of stderr: text, json (text)", false},
    {"access-log", 0, NULL, "a record of every request", false},
    {"trace-url", 0, "URL",
     "send traces there: OTLP over HTTP, as http://HOST:4318", false},
    {"trace-rate", 0, "N",
     "trace one request in N, beside those that ask for it (1000)", false},
    {"log-level", 0, "NAME", "error, warn, info, debug, trace (info)", false},
};

/* --- the environment ---------------------------------------------------- */

static void variable_name(char *out, size_t size, const char *option)
{
    (void)snprintf(out, size, "TENON_SERVE_%s", option);
    for (char *p = out + 12; *p != '\0'; p++) {
        if (*p == '-') *p = '_';
        if (*p >= 'a' && *p <= 'z') *p = (char)(*p - 'a' + 'A');
    }
}

/* 1, 0, or -1 when it is neither. */
static int truth(const char *text)
{
    static const char *const yes[] = {"1", "true", "yes", "on"};
    static const char *const no[] = {"0", "false", "no", "off", ""};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (strcmp(text, yes[i]) == 0) return 1;
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (strcmp(text, no[i]) == 0) return 0;
    return -1;
}

static int add_environment(cli *c)
{
    c->given = cli_realloc(c->given, (size_t)(c->n_given + SERVE_N_OPTIONS) *
                                         sizeof *c->given);
    for (int i = 0; i < SERVE_N_OPTIONS; i++) {
        const cli_option *o = &serve_option_table[i];
        char name[64];
        variable_name(name, sizeof name, o->name);
        const char *value = getenv(name);
        if (value == NULL || cli_has(c, o->name)) continue;
        /* What Kubernetes says of a service called "tenon-serve". */
        if (strncmp(value, "tcp://", 6) == 0) continue;
        if (o->arg == NULL) {
            const int on = truth(value);
            if (on < 0) {
                cli_error("serve: %s is '%s', expected 1 or 0", name, value);
                return CLI_USAGE;
            }
            if (on == 0) continue;
            value = NULL;
        } else if (value[0] == '\0') {
            continue;
        }
        c->given[c->n_given].option = o;
        c->given[c->n_given].value = value;
        c->n_given++;
    }
    return CLI_OK;
}

/* --- values ------------------------------------------------------------- */

/* "64M": a number of bytes, or of 2^10, 2^20, 2^30 of them. */
static bool get_size(const cli *c, const char *option, uint64_t *out)
{
    const char *text = cli_get(c, option, NULL);
    char *end = NULL;
    int shift = 0;
    if (text == NULL) return true;
    errno = 0;
    const unsigned long long v = strtoull(text, &end, 10);
    bool ok = errno == 0 && text[0] >= '0' && text[0] <= '9' && v > 0;
    if (*end == 'K' || *end == 'k') shift = 10;
    if (*end == 'M' || *end == 'm') shift = 20;
    if (*end == 'G' || *end == 'g') shift = 30;
    if (shift != 0) end++;
    if (!ok || *end != '\0' || v > (UINT64_MAX >> 2 >> shift)) {
        cli_error("serve: --%s is '%s', expected a size such as 1000, 64M or "
                  "2G",
                  option, text);
        return false;
    }
    *out = (uint64_t)v << shift;
    return true;
}

static bool get_ms(const cli *c, const char *option, double absent,
                   uint64_t *ms)
{
    double s = 0;
    if (!cli_get_double(c, option, absent, 0.0, &s)) return false;
    if (s > 1e9) s = 1e9;
    *ms = (uint64_t)(s * 1000.0);
    return true;
}

/* A time to wait that cannot be zero. */
static bool get_patience(const cli *c, const char *option, uint64_t *ms)
{
    if (!cli_has(c, option)) return true;
    if (!get_ms(c, option, 0, ms)) return false;
    if (*ms > 0) return true;
    cli_error("serve: --%s is '%s', expected at least 0.001", option,
              cli_get(c, option, ""));
    return false;
}

static bool get_u32(const cli *c, const char *option, uint32_t *out)
{
    long v = 0;
    if (!cli_has(c, option)) return true;
    if (!cli_get_long(c, option, 0, 1, 1000000, &v)) return false;
    *out = (uint32_t)v;
    return true;
}

/* The position of the option's value in a list that ends with NULL. */
static bool get_choice(const cli *c, const char *option, const char *absent,
                       const char *const *list, int *out)
{
    const char *text = cli_get(c, option, absent);
    for (int i = 0; list[i] != NULL; i++)
        if (strcmp(text, list[i]) == 0) {
            *out = i;
            return true;
        }
    char known[128];
    size_t at = 0;
    for (int i = 0; list[i] != NULL && at < sizeof known; i++)
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s",
                               i > 0 ? ", " : "", list[i]);
    cli_error("serve: --%s is '%s', expected one of %s", option, text, known);
    return false;
}

static int read_token(const cli *c, const char *option, char *to,
                      const char **out)
{
    const char *path = cli_get(c, option, NULL);
    if (path == NULL) return CLI_OK;
    FILE *f = fopen(path, "r");
    const bool read = f != NULL && fgets(to, SERVE_TOKEN_SIZE, f) != NULL;
    if (f != NULL) (void)fclose(f);
    if (!read) {
        cli_error("serve: --%s: %s cannot be read, or is empty", option, path);
        return CLI_INPUT;
    }
    to[strcspn(to, "\r\n")] = '\0';
    *out = to;
    return CLI_OK;
}

/* --- parts -------------------------------------------------------------- */

static bool read_limits(tn_server_opts *s, const cli *c)
{
    long queue_ms = 0;
    if (!cli_get_long(c, "max-queue-ms", 0, 1, 1000000000, &queue_ms))
        return false;
    s->max_queue_ms = (uint64_t)queue_ms;
    return get_size(c, "max-body", &s->max_body_bytes) &&
           get_size(c, "max-inflight", &s->max_inflight_bytes) &&
           get_size(c, "max-answer", &s->max_answer_bytes) &&
           get_size(c, "max-queue-bytes", &s->max_queue_bytes) &&
           get_size(c, "max-model-bytes", &s->max_model_bytes) &&
           get_u32(c, "max-connections", &s->max_connections) &&
           get_u32(c, "max-streams", &s->max_streams) &&
           get_u32(c, "max-batch", &s->max_batch_size) &&
           get_patience(c, "header-timeout", &s->header_timeout_ms) &&
           get_patience(c, "read-timeout", &s->read_timeout_ms) &&
           get_patience(c, "write-timeout", &s->write_timeout_ms) &&
           get_patience(c, "idle-timeout", &s->idle_timeout_ms) &&
           get_patience(c, "drain-timeout", &s->drain_timeout_ms) &&
           get_ms(c, "drain-delay", 5.0, &s->drain_delay_ms);
}

static bool read_choices(serve_opts *o, const cli *c)
{
    static const char *const reloads[] = {"none", "watch", "explicit", NULL};
    static const char *const controls[] = {"auto", "on", "off", NULL};
    static const char *const precisions[] = {"float32", "bf16", NULL};
    static const char *const formats[] = {"text", "json", NULL};
    tn_server_opts *s = &o->server;
    int control = 0, precision = 0, format = 0;
    if (!get_choice(c, "reload", "none", reloads, &s->reload) ||
        !get_choice(c, "control", "auto", controls, &control) ||
        !get_choice(c, "precision", "float32", precisions, &precision) ||
        !get_choice(c, "log-format", "text", formats, &format))
        return false;
    if (control == 1) s->flags |= TN_SERVER_ALLOW_CONTROL;
    if (control == 2) s->flags |= TN_SERVER_DENY_CONTROL;
    if (precision == 1) s->flags |= TN_SERVER_BF16;
    if (cli_has(c, "exact")) s->flags |= TN_SERVER_EXACT;
    if (cli_has(c, "strict")) s->flags |= TN_SERVER_STRICT;
    if (cli_has(c, "access-log")) s->flags |= TN_SERVER_ACCESS_LOG;
    if (cli_has(c, "tls-only")) s->flags |= TN_SERVER_TLS_ONLY;
    o->log_json = format == 1;
    o->level_given = cli_has(c, "log-level");
    if (serve_log_level(cli_get(c, "log-level", "info"), &o->level))
        return true;
    cli_error("serve: --log-level is '%s', expected error, warn, info, debug "
              "or trace",
              cli_get(c, "log-level", ""));
    return false;
}

static bool read_numbers(serve_opts *o, const cli *c)
{
    tn_server_opts *s = &o->server;
    long port = 0, threads = 0, io = 0;
    if (!cli_get_long(c, "port", 8000, 0, 65535, &port) ||
        !cli_get_long(c, "threads", 0, 0, 1024, &threads) ||
        !cli_get_long(c, "io-threads", 0, 0, 64, &io))
        return false;
    s->port = (uint16_t)port;
    s->n_threads = (int)threads;
    s->n_io_threads = (int)io;
    s->host = cli_get(c, "host", NULL);
    s->tls_cert_file = cli_get(c, "tls-cert", NULL);
    s->tls_key_file = cli_get(c, "tls-key", NULL);
    s->tls_client_ca_file = cli_get(c, "tls-client-ca", NULL);
    s->trace_url = cli_get(c, "trace-url", NULL);
    return get_u32(c, "trace-rate", &s->trace_rate) && read_limits(s, c);
}

/* NAME=PATH, but not where that is itself a path with a '='. */
static void read_paths(serve_opts *o, const cli *c)
{
    const size_t n = (size_t)c->n_args;
    o->names = cli_alloc((n + 1) * sizeof *o->names);
    o->paths = cli_alloc((n + 1) * sizeof *o->paths);
    for (size_t i = 0; i < n; i++) {
        const char *arg = c->args[i], *eq = strchr(arg, '=');
        const char *slash = strchr(arg, '/');
        o->paths[i] = arg;
        if (eq == NULL || (slash != NULL && slash < eq)) continue;
        const size_t len = (size_t)(eq - arg);
        o->names[i] = cli_alloc(len + 1);
        memcpy(o->names[i], arg, len);
        o->paths[i] = eq + 1;
    }
    o->server.paths = o->paths;
    o->server.names = (const char *const *)o->names;
    o->server.n_paths = n;
}

static void read_load(serve_opts *o, const cli *c)
{
    size_t size = 1, n = 0;
    for (int k = 0; cli_get_nth(c, "load", k) != NULL; k++)
        size += strlen(cli_get_nth(c, "load", k)) + 1;
    o->load_text = cli_alloc(size);
    o->load = cli_alloc(size * sizeof *o->load);
    size_t at = 0;
    for (int k = 0; cli_get_nth(c, "load", k) != NULL; k++)
        at += (size_t)snprintf(o->load_text + at, size - at, "%s,",
                               cli_get_nth(c, "load", k));
    for (char *p = o->load_text; *p != '\0';) {
        const size_t len = strcspn(p, ",");
        p[len] = '\0';
        if (len > 0) o->load[n++] = p;
        p += len + 1;
    }
    o->server.load = o->load;
    o->server.n_load = n;
}

int serve_opts_read(serve_opts *o, cli *c)
{
    memset(o, 0, sizeof *o);
    o->server = (tn_server_opts)TN_SERVER_OPTS_INIT;
    int code = add_environment(c);
    if (code != CLI_OK) return code;
    if (!read_choices(o, c) || !read_numbers(o, c)) return CLI_USAGE;
    o->check = cli_has(c, "check");
    o->port_file = cli_get(c, "port-file", NULL);
    read_paths(o, c);
    read_load(o, c);
    code = read_token(c, "token-file", o->tokens[0], &o->server.infer_token);
    if (code == CLI_OK)
        code = read_token(c, "control-token-file", o->tokens[1],
                          &o->server.control_token);
    if (code == CLI_OK)
        code = read_token(c, "metrics-token-file", o->tokens[2],
                          &o->server.metrics_token);
    return code;
}

void serve_opts_release(serve_opts *o)
{
    for (size_t i = 0; o->names != NULL && i < o->server.n_paths; i++)
        free(o->names[i]);
    free(o->names);
    free(o->paths);
    free(o->load);
    free(o->load_text);
}

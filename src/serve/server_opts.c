/* SPDX-License-Identifier: Apache-2.0 */
/* server_opts.c - the options of a server: copied, completed, checked */
#include "serve/server_opts.h"

#include "serve/models.h"
#include "serve/repository.h"
#include "sys/threadpool.h"

#include <string.h>

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

/* Every limit that has a default, with it: docs/modules/serve.md shows this
 * table. */
static void set_defaults(tn_server_opts *o)
{
    const struct {
        uint64_t *of, value;
    } wide[] = {
        {&o->max_body_bytes, 64 * MIB}, {&o->max_inflight_bytes, GIB},
        {&o->max_answer_bytes, GIB},    {&o->max_queue_bytes, GIB},
        {&o->max_queue_ms, 1000},       {&o->header_timeout_ms, 10000},
        {&o->read_timeout_ms, 30000},   {&o->write_timeout_ms, 30000},
        {&o->idle_timeout_ms, 120000},  {&o->drain_timeout_ms, 30000},
    };
    const struct {
        uint32_t *of, value;
    } narrow[] = {
        {&o->max_connections, 10000},
        {&o->max_streams, 256},
        {&o->max_batch_size, 64},
        {&o->trace_rate, 1000},
    };
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        if (*wide[i].of == 0) *wide[i].of = wide[i].value;
    for (size_t i = 0; i < sizeof narrow / sizeof narrow[0]; i++)
        if (*narrow[i].of == 0) *narrow[i].of = narrow[i].value;
    if (o->host == NULL) o->host = "127.0.0.1";
    if (o->n_threads <= 0) o->n_threads = tni_threads_default();
    if (o->n_io_threads == 0) o->n_io_threads = (o->n_threads + 7) / 8;
}

static tn_status copy(const char **text, tni_arena *arena, tn_err *err)
{
    if (*text == NULL) return TN_OK;
    *text = tni_arena_strndup(arena, *text, strlen(*text));
    return *text != NULL ? TN_OK : tni_fail(err, TN_ENOMEM, "out of memory");
}

static tn_status copy_list(const char *const **list, size_t n, tni_arena *arena,
                           tn_err *err)
{
    if (*list == NULL) return TN_OK;
    const char **own = TNI_NEW_ARRAY(arena, const char *, n + 1);
    if (own == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        own[i] = (*list)[i];
        TN_TRY(copy(&own[i], arena, err));
    }
    *list = own;
    return TN_OK;
}

static tn_status copy_strings(tn_server_opts *o, tni_arena *arena, tn_err *err)
{
    const char **const strings[] = {&o->host,          &o->tls_cert_file,
                                    &o->tls_key_file,  &o->infer_token,
                                    &o->control_token, &o->tls_client_ca_file,
                                    &o->metrics_token, &o->trace_url};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        TN_TRY(copy(strings[i], arena, err));
    TN_TRY(copy_list(&o->paths, o->n_paths, arena, err));
    TN_TRY(copy_list(&o->names, o->n_paths, arena, err));
    TN_TRY(copy_list(&o->load, o->n_load, arena, err));
    if (o->logger != NULL) {
        tn_logger *own = TNI_NEW(arena, tn_logger);
        if (own == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        *own = *o->logger;
        o->logger = own;
    }
    return TN_OK;
}

/* A token has to fit into a header, and to be worth guessing. */
static tn_status check_token(const char *what, const char *token, tn_err *err)
{
    enum { SHORTEST = 8, LONGEST = 1024 };
    if (token == NULL) return TN_OK;
    const size_t n = strlen(token);
    bool plain = n >= SHORTEST && n <= LONGEST;
    for (size_t i = 0; i < n; i++)
        if (token[i] <= ' ' || token[i] > '~') plain = false;
    if (plain) return TN_OK;
    return tni_fail(err, TN_EINVAL,
                    "the %s token is not %d to %d printable ASCII characters "
                    "without spaces",
                    what, (int)SHORTEST, (int)LONGEST);
}

static tn_status check_flags(const tn_server_opts *o, tn_err *err)
{
    const uint32_t both = TN_SERVER_ALLOW_CONTROL | TN_SERVER_DENY_CONTROL;
    const uint32_t known = both | TN_SERVER_STRICT | TN_SERVER_TLS_ONLY |
                           TN_SERVER_EXACT | TN_SERVER_BF16 |
                           TN_SERVER_ACCESS_LOG;
    if ((o->flags & ~known) != 0)
        return tni_fail(err, TN_EINVAL, "flags 0x%x are not known",
                        (unsigned)(o->flags & ~known));
    if ((o->flags & both) == both)
        return tni_fail(err, TN_EINVAL,
                        "control cannot be both allowed and denied");
    if ((o->flags & TN_SERVER_EXACT) != 0 && (o->flags & TN_SERVER_BF16) != 0)
        return tni_fail(err, TN_EINVAL,
                        "bfloat16 products are not exact: choose one");
    return TN_OK;
}

static tn_status check_tls(const tn_server_opts *o, tn_err *err)
{
    if ((o->tls_cert_file == NULL) != (o->tls_key_file == NULL))
        return tni_fail(err, TN_EINVAL,
                        "TLS needs a certificate and its key: only the %s is "
                        "given",
                        o->tls_cert_file != NULL ? "certificate" : "key");
    if (o->tls_cert_file != NULL) return TN_OK;
    if (o->tls_client_ca_file != NULL)
        return tni_fail(err, TN_EINVAL,
                        "authorities of clients need TLS: give a certificate "
                        "and its key");
    if ((o->flags & TN_SERVER_TLS_ONLY) != 0)
        return tni_fail(err, TN_EINVAL,
                        "TLS only, but there is no certificate and key");
    return TN_OK;
}

static tn_status check_models(const tn_server_opts *o, tn_err *err)
{
    if (o->n_paths == 0 || o->paths == NULL)
        return tni_fail(err, TN_EINVAL, "there is no path of a model");
    if (o->reload < TN_SERVER_RELOAD_NONE ||
        o->reload > TN_SERVER_RELOAD_EXPLICIT)
        return tni_fail(err, TN_EINVAL, "%d is no way to reload", o->reload);
    if (o->n_load > 0 && o->reload != TN_SERVER_RELOAD_EXPLICIT)
        return tni_fail(err, TN_EINVAL,
                        "models to load are named only where loading is "
                        "explicit; otherwise all are loaded");
    for (size_t i = 0; o->names != NULL && i < o->n_paths; i++)
        if (o->names[i] != NULL && !tni_model_name_ok(tni_span_of(o->names[i])))
            return tni_fail(err, TN_EINVAL,
                            "'%.128s' is no name of a model: expected "
                            "letters, digits, '.', '_' and '-'",
                            o->names[i]);
    return TN_OK;
}

static tn_status check(const tn_server_opts *o, int most_io, tn_err *err)
{
    if (o->n_io_threads < 1 || o->n_io_threads > most_io)
        return tni_fail(err, TN_EINVAL,
                        "%d I/O threads are asked for, expected 1 to %d",
                        o->n_io_threads, most_io);
    if (o->max_body_bytes > o->max_inflight_bytes)
        return tni_fail(err, TN_EINVAL,
                        "one body may have %llu bytes, all together only "
                        "%llu: raise the latter",
                        (unsigned long long)o->max_body_bytes,
                        (unsigned long long)o->max_inflight_bytes);
    TN_TRY(check_flags(o, err));
    TN_TRY(check_tls(o, err));
    TN_TRY(check_token("inference", o->infer_token, err));
    TN_TRY(check_token("control", o->control_token, err));
    TN_TRY(check_token("metrics", o->metrics_token, err));
    return check_models(o, err);
}

tn_status tni_server_opts_take(tn_server_opts *to, const tn_server_opts *from,
                               int most_io_threads, tni_arena *arena,
                               tn_err *err)
{
    if (from->struct_size < sizeof from->struct_size ||
        from->struct_size > sizeof *to)
        return tni_fail(err, TN_EINVAL,
                        "struct_size of the options is %zu, expected at most "
                        "%zu: set it with TN_SERVER_OPTS_INIT",
                        from->struct_size, sizeof *to);
    memset(to, 0, sizeof *to);
    memcpy(to, from, from->struct_size);
    to->struct_size = sizeof *to;
    set_defaults(to);
    TN_TRY(copy_strings(to, arena, err));
    return check(to, most_io_threads, err);
}

bool tni_server_is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           strncmp(host, "127.", 4) == 0;
}

bool tni_server_allows_control(const tn_server_opts *o)
{
    if ((o->flags & TN_SERVER_DENY_CONTROL) != 0) return false;
    if ((o->flags & TN_SERVER_ALLOW_CONTROL) != 0) return true;
    if (o->control_token != NULL || o->infer_token != NULL) return true;
    return tni_server_is_loopback(o->host);
}

uint64_t tni_server_ns(uint64_t ms)
{
    const uint64_t most = UINT64_C(100) * 366 * 86400 * 1000;
    return (ms < most ? ms : most) * 1000000;
}

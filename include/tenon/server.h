/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/server.h - serve models over HTTP and gRPC
 *
 *     tn_server_opts o = TN_SERVER_OPTS_INIT;
 *     o.paths = paths;  o.n_paths = 1;
 *     tn_server_new(&s, &o, &err);          listens; models begin to load
 *     tn_server_start(s, &err);             answers, "not ready" until loaded
 *     … tn_server_port(s) …
 *     tn_server_drain(s);                   from a signal handler, say
 *     tn_server_wait(s);                    until the last answer is sent
 *     tn_server_free(s);
 *
 * It is a library of its own, libtenon-serve, which needs OpenSSL, nghttp2 and
 * zlib beside libtenon.
 */
#ifndef TENON_SERVER_H
#define TENON_SERVER_H

#include "tenon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_server tn_server; /* locked */

typedef enum tn_server_reload {
    TN_SERVER_RELOAD_NONE = 0,    /* what is there at the start */
    TN_SERVER_RELOAD_WATCH = 1,   /* follow changes of the files */
    TN_SERVER_RELOAD_EXPLICIT = 2 /* load and unload by request */
} tn_server_reload;

enum {
    /* A model that cannot be loaded makes tn_server_wait_loaded fail, and the
     * server is never ready. Otherwise only when none can be loaded. */
    TN_SERVER_STRICT = 1 << 0,
    /* Models may be loaded and unloaded and settings changed by request,
     * whoever asks. Without it that needs a control token, or an address that
     * only this machine can reach. */
    TN_SERVER_ALLOW_CONTROL = 1 << 1,
    /* Nobody may, wherever the server listens. */
    TN_SERVER_DENY_CONTROL = 1 << 2,
    /* Connections that do not begin with TLS are closed. */
    TN_SERVER_TLS_ONLY = 1 << 3,
    /* As TN_SESSION_EXACT and TN_SESSION_BF16, of every model. */
    TN_SERVER_EXACT = 1 << 4,
    TN_SERVER_BF16 = 1 << 5,
    /* A record "request" of every request, at TN_LOG_INFO. */
    TN_SERVER_ACCESS_LOG = 1 << 6
};

/**
 * Set struct_size (TN_SERVER_OPTS_INIT does); a 0 or NULL in any other member
 * means the default. Strings are copied. The defaults are what
 * docs/modules/serve.md lists under Limits.
 */
typedef struct tn_server_opts {
    size_t struct_size;
    const tn_allocator *allocator; /* NULL: the C library's */
    const tn_logger *logger;       /* NULL: silent; called from any thread,
                                      one call at a time */
    const char *const *paths; /* model files, folders of them, repositories */
    const char *const *names; /* n_paths or NULL: of models that paths[i] is;
                                 NULL there: named after the path */
    size_t n_paths;
    const char *const *load; /* explicit: loaded at the start; "*": all */
    size_t n_load;
    int reload;       /* tn_server_reload */
    uint32_t flags;   /* TN_SERVER_… */
    const char *host; /* "127.0.0.1" */
    uint16_t port;    /* 0: one that is free; see tn_server_port */
    int n_io_threads; /* 1 for every 8 compute threads, at least 1 */
    int n_threads;    /* compute threads; from the CPU quota and affinity */

    const char *tls_cert_file; /* PEM; with tls_key_file: TLS is spoken too */
    const char *tls_key_file;
    const char *tls_client_ca_file; /* clients must show a certificate */

    const char *infer_token;   /* bearer tokens; NULL: none is asked for */
    const char *control_token; /* NULL: infer_token */
    const char *metrics_token;

    uint64_t max_body_bytes;     /* 64 MiB: of one request, unpacked */
    uint64_t max_inflight_bytes; /* 1 GiB: of all requests' bodies at a time */
    uint64_t max_answer_bytes;   /* 1 GiB: of one answer in JSON */
    uint64_t max_model_bytes;    /* none: of all models together */
    uint64_t max_queue_bytes;    /* 1 GiB: of inputs waiting */
    uint32_t max_connections;    /* 10000 */
    uint32_t max_streams;        /* 256: of one HTTP/2 connection */
    uint32_t max_batch_size;     /* 64: where models do not say */
    uint64_t max_queue_ms;       /* 1000: of predicted waiting */
    uint64_t header_timeout_ms;  /* 10000 */
    uint64_t read_timeout_ms;    /* 30000 */
    uint64_t write_timeout_ms;   /* 30000 */
    uint64_t idle_timeout_ms;    /* 120000 */
    uint64_t drain_timeout_ms;   /* 30000: for what is in flight at the end */
    uint64_t drain_delay_ms;     /* 0: how long a draining server still takes
                                    connections, for balancers to notice */

    const char *trace_url; /* "http://HOST[:PORT][/PATH]" of a collector that
                              takes OTLP; NULL: no traces */
    uint32_t trace_rate;   /* 1000: one in so many requests is traced, beside
                              those whose traceparent says so */
} tn_server_opts;

#define TN_SERVER_OPTS_INIT                                                    \
    {sizeof(tn_server_opts), NULL, NULL, NULL, NULL, 0, NULL, 0, 0, 0, NULL,   \
     0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0,   \
     0, 0, 0, 0, 0, 0, NULL, 0}

/**
 * Checks the options, reads the TLS files, takes the port and begins to load
 * the models in the background. Nothing is answered yet.
 *
 * @return TN_OK; TN_EINVAL (options, TLS files, a path that is no model),
 *         TN_EBUSY (the port is taken), TN_ENOTFOUND, TN_ENOMEM, TN_EIO.
 */
TN_API TN_NODISCARD tn_status tn_server_new(tn_server **out,
                                            const tn_server_opts *opts,
                                            tn_err *err);
/** Starts the threads that answer. Once. */
TN_API TN_NODISCARD tn_status tn_server_start(tn_server *server, tn_err *err);
/** The port it listens at. */
TN_API uint16_t tn_server_port(const tn_server *server);

/** 1 while models asked for at the start are still being loaded. */
TN_API int tn_server_is_loading(const tn_server *server);
/** 1 when live and ready for what was asked for. */
TN_API int tn_server_is_ready(const tn_server *server);
/**
 * Waits until every model asked for at the start is loaded or has failed.
 *
 * @return TN_OK, or why the first one failed: when all did, or with
 *         TN_SERVER_STRICT any.
 */
TN_API TN_NODISCARD tn_status tn_server_wait_loaded(tn_server *server,
                                                    tn_err *err);

/** A version of a model, for tn_server_models. Valid during the call. */
typedef struct tn_server_model {
    const char *name, *version; /* version "": none was ever loaded */
    int ready;
    const char *reason; /* why not, or "" */
    const char *inputs; /* "x float32[-1,4], y int64[-1]" */
    const char *outputs;
    int64_t max_batch_size; /* 0: not batched */
    uint64_t load_ns;
    uint64_t bytes;
} tn_server_model;

/** Calls `each` with every model, by name and version. */
TN_API TN_NODISCARD tn_status tn_server_models(
    tn_server *server, void (*each)(void *ctx, const tn_server_model *model),
    void *ctx, tn_err *err);

/** Reads the TLS files again, for connections to come; on failure those read
 * before stay. Nothing without TLS. */
TN_API TN_NODISCARD tn_status tn_server_reload_tls(tn_server *server,
                                                   tn_err *err);

/** How much the logger is given, which clients may ask to change. */
TN_API void tn_server_set_log_level(tn_server *server, tn_log_level level);

/**
 * Ends gently: not ready from now on, answers close their connections; after
 * drain_delay_ms no connection is taken; what is in flight is finished, for
 * drain_timeout_ms at most. Threads: any; signal handlers too.
 */
TN_API void tn_server_drain(tn_server *server);
/** Ends now: what is in flight is cancelled. Threads: any; signal handlers. */
TN_API void tn_server_stop(tn_server *server);
/** Waits until a server that was started has ended, after tn_server_drain or
 * tn_server_stop. One thread. */
TN_API void tn_server_wait(tn_server *server);
/** Stops, waits and frees; NULL allowed. */
TN_API void tn_server_free(tn_server *server);

#ifdef __cplusplus
}
#endif

#endif /* TENON_SERVER_H */

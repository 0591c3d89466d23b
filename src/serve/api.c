/* SPDX-License-Identifier: Apache-2.0 */
/* api.c - the application: who may ask, and what is asked for */
#include "serve/api_call.h"

#include <stdio.h>
#include <string.h>

enum {
    DEFAULT_BODY = 64 << 20,
    DEFAULT_STREAM_REQUESTS = 256,
    RETRY_AFTER_SIZE = 16
};

/* --- tokens --------------------------------------------------------------- */

/* Takes as long for any guess of a length. */
static bool same(tni_span a, tni_span b)
{
    unsigned differ = a.len != b.len;
    for (size_t i = 0; i < a.len; i++)
        differ |= (unsigned char)a.p[i] ^
                  (unsigned char)(b.len > 0 ? b.p[i % b.len] : 0);
    return differ == 0;
}

static tni_span bearer(const tni_exchange *x)
{
    const tni_span none = {NULL, 0};
    tni_span v = tni_exchange_header(x, "authorization");
    static const char scheme[] = "bearer ";
    if (v.p == NULL || v.len < sizeof scheme - 1) return none;
    for (size_t i = 0; i < sizeof scheme - 1; i++)
        if ((v.p[i] | 0x20) != (scheme[i] | 0x20)) return none;
    v.p += sizeof scheme - 1;
    v.len -= sizeof scheme - 1;
    while (v.len > 0 && v.p[0] == ' ') {
        v.p++;
        v.len--;
    }
    return v;
}

bool tni_api_allowed(const tni_api *api, const tni_exchange *x, tni_group g)
{
    if (api->tokens[g].p == NULL) return true;
    const tni_span found = bearer(x);
    if (found.p == NULL) return false;
    if (same(found, api->tokens[g])) return true;
    /* Who may control may also ask. */
    return g == TNI_GROUP_INFER && api->tokens[TNI_GROUP_CONTROL].p != NULL &&
           same(found, api->tokens[TNI_GROUP_CONTROL]);
}

/* --- requests ------------------------------------------------------------- */

/* Answers what is refused by its head alone; true when it may go on. */
static bool admit(tni_call *call, uint64_t *max_body)
{
    const tni_exchange *x = call->x;
    const bool get =
        tni_span_is(x->method, "GET") || tni_span_is(x->method, "HEAD");
    const bool post = tni_span_is(x->method, "POST");
    call->route = tni_api_route(call, x->path);
    /* Before anything is told of what there is. */
    const tni_group g =
        call->route != NULL ? call->route->group : TNI_GROUP_INFER;
    if (!tni_api_allowed(call->api, x, g)) {
        tni_call_refuse(call, 401,
                        "this needs a token: send 'Authorization: Bearer …' "
                        "with the one that the server was given");
        return false;
    }
    if (call->route == NULL) {
        tni_call_refuse(call, 404, "Not Found");
        return false;
    }
    if (!(get && call->route->get) && !(post && call->route->post)) {
        tni_call_refuse(call, 405, "Method Not Allowed: expected %s",
                        call->route->get && call->route->post ? "GET or POST"
                        : call->route->get                    ? "GET"
                                                              : "POST");
        return false;
    }
    const uint64_t limit = call->route->tensors ? call->api->opts.max_body_bytes
                                                : (uint64_t)TNI_API_JSON_BODY;
    if (limit < *max_body) *max_body = limit;
    return true;
}

static const char no_memory[] = "{\"error\":\"out of memory\"}";

static void answer_no_memory(tni_exchange *x)
{
    const tni_piece piece = {no_memory, sizeof no_memory - 1, NULL, NULL};
    const tni_answer a = {.status = 503,
                          .content_type = "application/json",
                          .pieces = &piece,
                          .n_pieces = 1};
    tni_exchange_answer(x, &a);
}

static bool rest_head(tni_api *api, tni_exchange *x, uint64_t *max_body)
{
    tni_call *call = tni_call_new(api, x);
    if (call == NULL) {
        answer_no_memory(x);
        return false;
    }
    if (!admit(call, max_body)) return false;
    /* Nothing may be kept for a request that may never be whole. */
    tni_call_free(call);
    return true;
}

static void rest_request(tni_api *api, tni_exchange *x)
{
    tni_call *call = tni_call_new(api, x);
    if (call == NULL) {
        answer_no_memory(x);
        return;
    }
    call->route = tni_api_route(call, x->path);
    if (TN_NEVER(call->route == NULL)) {
        tni_call_refuse(call, 404, "Not Found");
        return;
    }
    if (call->model.p != NULL) {
        call->model = tni_api_decode(&call->arena, call->model);
        if (call->model.p == NULL) {
            tni_call_refuse(call, 400,
                            "the path holds no model's name; expected letters, "
                            "digits, '.', '_' and '-'");
            return;
        }
    }
    call->route->serve(call);
}

static bool on_head(void *ctx, tni_exchange *x, uint64_t *max_body)
{
    if (x->carrier == TNI_GRPC) return tni_grpc_head(ctx, x, max_body);
    return rest_head(ctx, x, max_body);
}

static void on_request(void *ctx, tni_exchange *x)
{
    if (x->carrier == TNI_GRPC)
        tni_grpc_request(ctx, x);
    else
        rest_request(ctx, x);
}

static void on_message(void *ctx, tni_exchange *x, uint8_t *bytes, size_t size)
{
    tni_grpc_message(ctx, x, bytes, size);
}

static void on_half_close(void *ctx, tni_exchange *x)
{
    tni_grpc_half_close(ctx, x);
}

/* --- life ----------------------------------------------------------------- */

static tn_status keep_token(tni_api *api, tni_group g, const char *token)
{
    if (token == NULL || token[0] == '\0') return TN_OK;
    const char *copy = tni_arena_strndup(&api->arena, token, strlen(token));
    if (copy == NULL) return TN_ENOMEM;
    api->tokens[g] = tni_span_of(copy);
    return TN_OK;
}

static tn_status set_up(tni_api *api, const tni_api_opts *opts)
{
    const char *name = opts->server_name != NULL ? opts->server_name : "tenon";
    char *seconds = tni_arena_alloc(&api->arena, RETRY_AFTER_SIZE, 1);
    api->name = tni_arena_strndup(&api->arena, name, strlen(name));
    if (api->name == NULL || seconds == NULL) return TN_ENOMEM;
    (void)snprintf(seconds, RETRY_AFTER_SIZE, "%u",
                   opts->retry_after_s != 0 ? opts->retry_after_s : 1U);
    api->retry_after = seconds;
    TN_TRY(keep_token(api, TNI_GROUP_INFER, opts->infer_token));
    TN_TRY(keep_token(api, TNI_GROUP_CONTROL,
                      opts->control_token != NULL ? opts->control_token
                                                  : opts->infer_token));
    TN_TRY(keep_token(api, TNI_GROUP_METRICS, opts->metrics_token));
    return tni_mutex_new(&api->log_lock, &api->mem, NULL);
}

tn_status tni_api_new(tni_api **out, const tni_api_opts *opts, tn_err *err)
{
    *out = NULL;
    tni_mem mem;
    tni_mem_init(&mem, opts->allocator, 0);
    tni_api *api = tni_mem_alloc(&mem, sizeof *api, 64);
    if (api == NULL)
        return tni_fail(err, TN_ENOMEM, "no memory for the server's API");
    memset(api, 0, sizeof *api);
    tni_mem_init(&api->mem, opts->allocator, 0);
    tni_arena_init(&api->arena, &api->mem, 1024);
    api->opts = *opts;
    if (opts->logger != NULL) api->logger = *opts->logger;
    if (api->opts.max_body_bytes == 0) api->opts.max_body_bytes = DEFAULT_BODY;
    if (api->opts.max_answer_bytes == 0)
        api->opts.max_answer_bytes = (uint64_t)1 << 30;
    if (api->opts.max_stream_requests == 0)
        api->opts.max_stream_requests = DEFAULT_STREAM_REQUESTS;
    api->app = (tni_app){api, on_head, on_request, on_message, on_half_close};
    atomic_init(&api->state, TNI_API_STARTING);
    if (set_up(api, opts) != TN_OK) {
        tni_api_free(api);
        return tni_fail(err, TN_ENOMEM, "no memory for the server's API");
    }
    *out = api;
    return TN_OK;
}

void tni_api_free(tni_api *api)
{
    if (api == NULL) return;
    if (api->log_lock != NULL) tni_mutex_free(api->log_lock, &api->mem);
    tni_arena_fini(&api->arena);
    tni_mem mem;
    tni_mem_init(&mem, api->opts.allocator, 0);
    tni_mem_free(&mem, api, sizeof *api, 64);
}

const tni_app *tni_api_app(const tni_api *api)
{
    return &api->app;
}

void tni_api_set_state(tni_api *api, tni_api_state state)
{
    atomic_store(&api->state, (int)state);
}

bool tni_api_is_ready(const tni_api *api)
{
    return atomic_load(&api->state) == TNI_API_SERVING &&
           tni_repository_ready(api->opts.repo);
}

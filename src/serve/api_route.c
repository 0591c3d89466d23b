/* SPDX-License-Identifier: Apache-2.0 */
/* api_route.c - which endpoint a path means */
#include "serve/api_call.h"

#include <string.h>

enum { SEGMENTS = 8 };

/* "{m}" is a model, "{v}" a version of it, "{r}" a repository of several,
 * "{*}" anything. More specific ones stand first. */
typedef struct pattern {
    const char *path;
    tni_route route;
} pattern;

#define GET_ONLY  true, false
#define POST_ONLY false, true
#define GET_POST  true, true

static const pattern patterns[] = {
    {"", {"GET /", GET_ONLY, TNI_GROUP_OPEN, false, tni_api_page}},
    {"v2/health/live",
     {"GET /v2/health/live", GET_ONLY, TNI_GROUP_OPEN, false, tni_api_live}},
    {"v2/health/ready",
     {"GET /v2/health/ready", GET_ONLY, TNI_GROUP_OPEN, false, tni_api_ready}},
    {"v2", {"GET /v2", GET_ONLY, TNI_GROUP_INFER, false, tni_api_server}},
    {"v2/models/stats",
     {"GET /v2/models/stats", GET_ONLY, TNI_GROUP_INFER, false, tni_api_stats}},
    {"v2/models/{m}/infer",
     {"POST /v2/models/{model}/infer", POST_ONLY, TNI_GROUP_INFER, true,
      tni_api_infer}},
    {"v2/models/{m}/versions/{v}/infer",
     {"POST /v2/models/{model}/infer", POST_ONLY, TNI_GROUP_INFER, true,
      tni_api_infer}},
    {"v2/models/{m}",
     {"GET /v2/models/{model}", GET_ONLY, TNI_GROUP_INFER, false,
      tni_api_model}},
    {"v2/models/{m}/versions/{v}",
     {"GET /v2/models/{model}", GET_ONLY, TNI_GROUP_INFER, false,
      tni_api_model}},
    {"v2/models/{m}/ready",
     {"GET /v2/models/{model}/ready", GET_ONLY, TNI_GROUP_OPEN, false,
      tni_api_model_ready}},
    {"v2/models/{m}/versions/{v}/ready",
     {"GET /v2/models/{model}/ready", GET_ONLY, TNI_GROUP_OPEN, false,
      tni_api_model_ready}},
    {"v2/models/{m}/config",
     {"GET /v2/models/{model}/config", GET_ONLY, TNI_GROUP_INFER, false,
      tni_api_model_config}},
    {"v2/models/{m}/versions/{v}/config",
     {"GET /v2/models/{model}/config", GET_ONLY, TNI_GROUP_INFER, false,
      tni_api_model_config}},
    {"v2/models/{m}/stats",
     {"GET /v2/models/{model}/stats", GET_ONLY, TNI_GROUP_INFER, false,
      tni_api_stats}},
    {"v2/models/{m}/versions/{v}/stats",
     {"GET /v2/models/{model}/stats", GET_ONLY, TNI_GROUP_INFER, false,
      tni_api_stats}},
    {"v2/models/{m}/trace/setting",
     {"/v2/models/{model}/trace/setting", GET_POST, TNI_GROUP_CONTROL, false,
      tni_api_trace}},
    {"v2/repository/index",
     {"POST /v2/repository/index", POST_ONLY, TNI_GROUP_INFER, false,
      tni_api_index}},
    {"v2/repository/models/{m}/load",
     {"POST /v2/repository/models/{model}/load", POST_ONLY, TNI_GROUP_CONTROL,
      false, tni_api_load}},
    {"v2/repository/models/{m}/unload",
     {"POST /v2/repository/models/{model}/unload", POST_ONLY, TNI_GROUP_CONTROL,
      false, tni_api_unload}},
    {"v2/repository/{r}/index",
     {"POST /v2/repository/{repository}/index", POST_ONLY, TNI_GROUP_INFER,
      false, tni_api_no_repository}},
    {"v2/repository/{r}/models/{m}/{*}",
     {"POST /v2/repository/{repository}/models", POST_ONLY, TNI_GROUP_CONTROL,
      false, tni_api_no_repository}},
    {"v2/systemsharedmemory/{*}",
     {"/v2/systemsharedmemory", GET_POST, TNI_GROUP_CONTROL, false,
      tni_api_no_shared_memory}},
    {"v2/systemsharedmemory/region/{r}/{*}",
     {"/v2/systemsharedmemory", GET_POST, TNI_GROUP_CONTROL, false,
      tni_api_no_shared_memory}},
    {"v2/cudasharedmemory/{*}",
     {"/v2/cudasharedmemory", GET_POST, TNI_GROUP_CONTROL, false,
      tni_api_no_shared_memory}},
    {"v2/cudasharedmemory/region/{r}/{*}",
     {"/v2/cudasharedmemory", GET_POST, TNI_GROUP_CONTROL, false,
      tni_api_no_shared_memory}},
    {"v2/logging",
     {"/v2/logging", GET_POST, TNI_GROUP_CONTROL, false, tni_api_logging}},
    {"v2/trace/setting",
     {"/v2/trace/setting", GET_POST, TNI_GROUP_CONTROL, false, tni_api_trace}},
    {"metrics",
     {"GET /metrics", GET_ONLY, TNI_GROUP_METRICS, false, tni_api_metrics}},
};

/* The next segment of a path, without slashes; false behind the last. */
static bool segment(tni_span *path, tni_span *out)
{
    if (path->len == 0) return false;
    const char *slash = memchr(path->p, '/', path->len);
    out->p = path->p;
    out->len = slash != NULL ? (size_t)(slash - path->p) : path->len;
    const size_t past = out->len + (slash != NULL);
    path->p += past;
    path->len -= past;
    return true;
}

static bool digits(tni_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.len > 0 && s.len < 20;
}

static bool matches(const char *text, const tni_span *parts, size_t n,
                    tni_span *model, tni_span *version)
{
    tni_span rest = tni_span_of(text), part;
    size_t i = 0;
    while (segment(&rest, &part)) {
        if (i == n || parts[i].len == 0) return false;
        if (tni_span_is(part, "{m}"))
            *model = parts[i];
        else if (tni_span_is(part, "{v}") && digits(parts[i]))
            *version = parts[i];
        else if (part.p[0] != '{' || tni_span_is(part, "{v}")) {
            if (part.len != parts[i].len ||
                memcmp(part.p, parts[i].p, part.len) != 0)
                return false;
        }
        i++;
    }
    return i == n;
}

const tni_route *tni_api_route(tni_call *call, tni_span path)
{
    tni_span parts[SEGMENTS];
    size_t n = 0;
    if (path.len == 0 || path.p[0] != '/') return NULL;
    path.p++;
    path.len--;
    while (path.len > 0) {
        if (n == SEGMENTS || !segment(&path, &parts[n])) return NULL;
        n++;
    }
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        tni_span model = {NULL, 0}, version = {"", 0};
        if (!matches(patterns[i].path, parts, n, &model, &version)) continue;
        call->model = model;
        call->version = version;
        return &patterns[i].route;
    }
    return NULL;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

tni_span tni_api_decode(tni_arena *arena, tni_span text)
{
    const tni_span none = {NULL, 0};
    char *out = tni_arena_alloc(arena, text.len + 1, 1);
    size_t n = 0;
    if (out == NULL) return none;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (c == '%') {
            if (text.len - i < 3) return none;
            const int high = hex(text.p[i + 1]), low = hex(text.p[i + 2]);
            if (high < 0 || low < 0) return none;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if ((unsigned char)c < ' ' || c == 127 || c == '/' || c == '\\')
            return none;
        out[n++] = c;
    }
    out[n] = '\0';
    return (tni_span){out, n};
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_config_read.c - Triton's ModelConfig from fields
 *
 * Each message has a table of its fields. A field that is not in the table, or
 * that asks for what the server does not do, is refused by name; one that is
 * only a hint about how to run the model fast leaves a note.
 */
#include "serve/model_config.h"

#include "serve/pbtxt.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct ctx {
    tni_model_config *c;
    tni_arena *arena;
    tn_err *err;
    bool json;
} ctx;

typedef tn_status (*take)(ctx *x, void *to, const tni_field *f);

typedef struct known {
    const char *name;
    take read; /* NULL: refused, and `says` is what to do */
    size_t at; /* of what it fills in `to` */
    const char *says;
} known;

static tn_status bad(ctx *x, const tni_field *f, tn_status code,
                     const char *says)
{
    if (x->err != NULL && x->err->message[0] == '\0') x->err->line = f->line;
    if (f->line > 0)
        return tni_fail(x->err, code, "column %d: '%.60s' %s", f->column,
                        f->name, says);
    return tni_fail(x->err, code, "'%.60s' %s", f->name, says);
}

static tn_status read_fields(ctx *x, const tni_field *first, const known *table,
                             size_t n, void *to)
{
    for (const tni_field *k = first; k != NULL; k = k->next) {
        size_t i = 0;
        while (i < n && strcmp(table[i].name, k->name) != 0) i++;
        if (i == n)
            return bad(x, k, TN_EUNSUPPORTED,
                       "is no field that is known here: remove it");
        if (table[i].read == NULL)
            return bad(x, k, TN_EUNSUPPORTED, table[i].says);
        TN_TRY(table[i].read(x, (char *)to + table[i].at, k));
    }
    return TN_OK;
}

static tn_status read_message(ctx *x, const tni_field *f, const known *table,
                              size_t n, void *to)
{
    if (f->kind != TNI_FIELD_MESSAGE)
        return bad(x, f, TN_EFORMAT, "is a value, expected a message in { }");
    return read_fields(x, f->first, table, n, to);
}
#define READ(x, f, table, to)                                                  \
    read_message((x), (f), (table), sizeof(table) / sizeof((table)[0]), (to))

/* --- values ------------------------------------------------------------- */

static tn_status get_text(ctx *x, void *to, const tni_field *f)
{
    if (f->kind != TNI_FIELD_TEXT)
        return bad(x, f, TN_EFORMAT, "is no string: put it in quotes");
    *(const char **)to = f->text;
    return TN_OK;
}

/* An enum's name: bare in text, a string in JSON. */
static tn_status get_enum(ctx *x, void *to, const tni_field *f)
{
    if (f->kind == TNI_FIELD_MESSAGE || (f->kind == TNI_FIELD_TEXT && !x->json))
        return bad(x, f, TN_EFORMAT, "is not the name of a constant");
    *(const char **)to = f->text;
    return TN_OK;
}

static tn_status get_int(ctx *x, void *to, const tni_field *f)
{
    const char *p = f->text;
    const bool minus = *p == '-';
    int64_t v = 0;
    /* JSON of protobuf writes 64 bits as strings. */
    bool ok =
        f->kind == TNI_FIELD_WORD || (x->json && f->kind == TNI_FIELD_TEXT);
    if (minus) p++;
    ok = ok && *p != '\0' && strlen(p) <= 18;
    for (; ok && *p != '\0'; p++) {
        ok = *p >= '0' && *p <= '9';
        v = v * 10 + (*p - '0');
    }
    if (!ok) return bad(x, f, TN_EFORMAT, "is no whole number");
    *(int64_t *)to = minus ? -v : v;
    return TN_OK;
}

static tn_status get_u64(ctx *x, void *to, const tni_field *f)
{
    int64_t v = 0;
    TN_TRY(get_int(x, &v, f));
    if (v < 0) return bad(x, f, TN_EFORMAT, "is below zero");
    *(uint64_t *)to = (uint64_t)v;
    return TN_OK;
}

static tn_status get_u32(ctx *x, void *to, const tni_field *f)
{
    uint64_t v = 0;
    TN_TRY(get_u64(x, &v, f));
    if (v > 1000000) return bad(x, f, TN_EFORMAT, "is above 1000000");
    *(uint32_t *)to = (uint32_t)v;
    return TN_OK;
}

static tn_status get_bool(ctx *x, void *to, const tni_field *f)
{
    const bool yes = strcmp(f->text, "true") == 0;
    if (f->kind != TNI_FIELD_WORD || (!yes && strcmp(f->text, "false") != 0))
        return bad(x, f, TN_EFORMAT, "is neither true nor false");
    *(bool *)to = yes;
    return TN_OK;
}

/* What may only be false here. */
static tn_status get_false(ctx *x, void *to, const tni_field *f)
{
    bool v = false;
    (void)to;
    TN_TRY(get_bool(x, &v, f));
    if (!v) return TN_OK;
    return bad(x, f, TN_EUNSUPPORTED,
               "is not supported: remove it or say false");
}

static tn_status ignore(ctx *x, void *to, const tni_field *f)
{
    (void)x;
    (void)to;
    (void)f;
    return TN_OK;
}

static tn_status note(ctx *x, void *to, const tni_field *f)
{
    enum { MOST = sizeof x->c->notes / sizeof x->c->notes[0] };
    char text[128];
    (void)to;
    const int n =
        snprintf(text, sizeof text,
                 "%.60s is not needed here and has no effect", f->name);
    for (size_t i = 0; i < x->c->n_notes; i++)
        if (strcmp(x->c->notes[i], text) == 0) return TN_OK;
    if (x->c->n_notes == MOST) return TN_OK;
    char *own = tni_arena_strndup(x->arena, text, (size_t)n);
    if (own == NULL) return tni_fail(x->err, TN_ENOMEM, "out of memory");
    x->c->notes[x->c->n_notes++] = own;
    return TN_OK;
}

static size_t count(const tni_field *first, const char *name)
{
    size_t n = 0;
    for (const tni_field *f = first; f != NULL; f = f->next)
        if (strcmp(f->name, name) == 0) n++;
    return n;
}

/* --- inputs and outputs ------------------------------------------------- */

static tn_status get_type(ctx *x, void *to, const tni_field *f)
{
    const char *name = "";
    TN_TRY(get_enum(x, &name, f));
    const tn_dtype t = tni_config_type(tni_span_of(name));
    if (t == TN_UNDEFINED)
        return bad(x, f, TN_EFORMAT,
                   "is no data type: expected TYPE_FP32 or another TYPE_ name");
    *(tn_dtype *)to = t;
    return TN_OK;
}

static tn_status add_dim(ctx *x, void *to, const tni_field *f)
{
    tni_config_port *p = to;
    int64_t v = 0;
    TN_TRY(get_int(x, &v, f));
    if (p->rank < 0) p->rank = 0;
    if (v < -1) return bad(x, f, TN_EFORMAT, "is below -1, which means any");
    if (p->rank == TN_MAX_RANK)
        return bad(x, f, TN_ELIMIT, "has more dimensions than there can be");
    p->dims[p->rank++] = v;
    return TN_OK;
}

static const char no_reshape[] =
    "is not supported: write the model's own dimensions in dims";
static const known port_fields[] = {
    {"name", get_text, offsetof(tni_config_port, name), NULL},
    {"data_type", get_type, offsetof(tni_config_port, dtype), NULL},
    {"format", get_enum, offsetof(tni_config_port, format), NULL},
    {"dims", add_dim, 0, NULL},
    {"reshape", NULL, 0, no_reshape},
    {"is_shape_tensor", get_false, 0, NULL},
    {"is_non_linear_format_io", get_false, 0, NULL},
    {"allow_ragged_batch", get_false, 0, NULL},
    {"optional", get_bool, offsetof(tni_config_port, optional), NULL},
    {"label_filename", get_text, offsetof(tni_config_port, label_filename),
     NULL},
};

static tn_status read_ports(ctx *x, const tni_field *first, const char *what,
                            tni_config_port **out, size_t *n)
{
    const size_t most = count(first, what);
    tni_config_port *p = TNI_NEW_ARRAY(x->arena, tni_config_port, most + 1);
    if (p == NULL) return tni_fail(x->err, TN_ENOMEM, "out of memory");
    *n = 0;
    for (const tni_field *f = first; f != NULL; f = f->next) {
        if (strcmp(f->name, what) != 0) continue;
        tni_config_port *q = &p[*n];
        q->rank = q->reshape_rank = -1;
        q->name = q->format = q->label_filename = "";
        TN_TRY(READ(x, f, port_fields, q));
        if (q->name[0] == '\0') return bad(x, f, TN_EFORMAT, "has no name");
        for (size_t i = 0; i < *n; i++)
            if (strcmp(p[i].name, q->name) == 0)
                return bad(x, f, TN_EFORMAT, "has the name of another one");
        (*n)++;
    }
    *out = p;
    return TN_OK;
}

/* --- versions, batching, the rest --------------------------------------- */

static tn_status get_latest(ctx *x, void *to, const tni_field *f)
{
    static const known fields[] = {
        {"num_versions", get_int, offsetof(tni_model_config, n_latest), NULL}};
    tni_model_config *c = to;
    c->policy = TNI_VERSIONS_LATEST;
    TN_TRY(READ(x, f, fields, c));
    if (c->n_latest < 1)
        return bad(x, f, TN_EFORMAT, "asks for less than one version");
    return TN_OK;
}

static tn_status get_all(ctx *x, void *to, const tni_field *f)
{
    static const known fields[] = {{"", ignore, 0, NULL}};
    tni_model_config *c = to;
    c->policy = TNI_VERSIONS_ALL;
    return READ(x, f, fields, c);
}

static tn_status get_specific(ctx *x, void *to, const tni_field *f)
{
    static const known fields[] = {{"versions", ignore, 0, NULL}};
    tni_model_config *c = to;
    TN_TRY(READ(x, f, fields, c));
    int64_t *v =
        TNI_NEW_ARRAY(x->arena, int64_t, count(f->first, "versions") + 1);
    if (v == NULL) return tni_fail(x->err, TN_ENOMEM, "out of memory");
    c->policy = TNI_VERSIONS_SPECIFIC;
    c->n_versions = 0;
    for (const tni_field *k = f->first; k != NULL; k = k->next)
        TN_TRY(get_int(x, &v[c->n_versions++], k));
    c->versions = v;
    return TN_OK;
}

static tn_status get_policy(ctx *x, void *to, const tni_field *f)
{
    static const known fields[] = {{"latest", get_latest, 0, NULL},
                                   {"all", get_all, 0, NULL},
                                   {"specific", get_specific, 0, NULL}};
    return READ(x, f, fields, to);
}

static tn_status get_kind(ctx *x, void *to, const tni_field *f)
{
    const char *name = "";
    (void)to;
    TN_TRY(get_enum(x, &name, f));
    if (strcmp(name, "KIND_CPU") == 0 || strcmp(name, "KIND_AUTO") == 0 ||
        strcmp(name, "KIND_MODEL") == 0)
        return TN_OK;
    return bad(x, f, TN_EUNSUPPORTED,
               "asks for another device: models run on the CPU, say KIND_CPU");
}

static const char no_gpu[] =
    "asks for another device: models run on the CPU, remove it";
static tn_status get_group(ctx *x, void *to, const tni_field *f)
{
    static const known fields[] = {
        {"name", ignore, 0, NULL},       {"kind", get_kind, 0, NULL},
        {"count", note, 0, NULL},        {"gpus", NULL, 0, no_gpu},
        {"profile", NULL, 0, no_gpu},    {"rate_limiter", note, 0, NULL},
        {"passive", get_false, 0, NULL}, {"host_policy", note, 0, NULL}};
    return READ(x, f, fields, to);
}

static tn_status get_action(ctx *x, void *to, const tni_field *f)
{
    const char *name = "";
    (void)to;
    TN_TRY(get_enum(x, &name, f));
    if (strcmp(name, "REJECT") == 0) return TN_OK;
    return bad(x, f, TN_EUNSUPPORTED,
               "other than REJECT is not supported: what is late is refused");
}

static tn_status get_queue(ctx *x, void *to, const tni_field *f)
{
    static const known fields[] = {
        {"timeout_action", get_action, 0, NULL},
        {"default_timeout_microseconds", get_u64,
         offsetof(tni_model_config, default_timeout_us), NULL},
        {"allow_timeout_override", get_bool,
         offsetof(tni_model_config, allow_timeout_override), NULL},
        {"max_queue_size", get_u64, offsetof(tni_model_config, max_queue_size),
         NULL}};
    return READ(x, f, fields, to);
}

static tn_status get_batching(ctx *x, void *to, const tni_field *f)
{
    static const known fields[] = {
        {"preferred_batch_size", ignore, 0, NULL},
        {"max_queue_delay_microseconds", get_u64,
         offsetof(tni_model_config, max_queue_delay_us), NULL},
        {"preserve_ordering", get_bool,
         offsetof(tni_model_config, preserve_ordering), NULL},
        {"priority_levels", get_u32,
         offsetof(tni_model_config, priority_levels), NULL},
        {"default_priority_level", get_u32,
         offsetof(tni_model_config, default_priority), NULL},
        {"default_queue_policy", get_queue, 0, NULL},
        {"priority_queue_policy", NULL, 0,
         "is not supported: one default_queue_policy holds for all levels"}};
    tni_model_config *c = to;
    TN_TRY(READ(x, f, fields, c));
    c->dynamic_batching = true;
    c->preferred = TNI_NEW_ARRAY(x->arena, int64_t,
                                 count(f->first, "preferred_batch_size") + 1);
    if (c->preferred == NULL)
        return tni_fail(x->err, TN_ENOMEM, "out of memory");
    c->n_preferred = 0;
    for (const tni_field *k = f->first; k != NULL; k = k->next) {
        if (strcmp(k->name, "preferred_batch_size") != 0) continue;
        int64_t *v = &c->preferred[c->n_preferred++];
        TN_TRY(get_int(x, v, k));
        if (*v < 1) return bad(x, k, TN_EFORMAT, "is below 1");
    }
    if (c->priority_levels > 64)
        return bad(x, f, TN_ELIMIT, "has more than 64 priority_levels");
    if (c->default_priority > c->priority_levels ||
        (c->priority_levels > 0 && c->default_priority == 0))
        return bad(x, f, TN_EFORMAT,
                   "has no default_priority_level within priority_levels");
    return TN_OK;
}

static tn_status get_transaction(ctx *x, void *to, const tni_field *f)
{
    static const known fields[] = {{"decoupled", get_false, 0, NULL}};
    return READ(x, f, fields, to);
}

static tn_status get_cache(ctx *x, void *to, const tni_field *f)
{
    static const known fields[] = {{"enable", get_false, 0, NULL}};
    return READ(x, f, fields, to);
}

static tn_status get_platform(ctx *x, void *to, const tni_field *f)
{
    const char *name = "";
    (void)to;
    TN_TRY(get_text(x, &name, f));
    if (name[0] == '\0' || strcmp(name, "onnxruntime_onnx") == 0 ||
        strcmp(name, "onnxruntime") == 0)
        return TN_OK;
    return bad(x, f, TN_EUNSUPPORTED,
               "is of another kind of model: only ONNX models are served "
               "(onnxruntime_onnx)");
}

static tn_status get_batch(ctx *x, void *to, const tni_field *f)
{
    tni_model_config *c = to;
    TN_TRY(get_int(x, &c->max_batch_size, f));
    if (c->max_batch_size < 0 || c->max_batch_size > 1000000)
        return bad(x, f, TN_EFORMAT, "is not within 0 and 1000000");
    c->has_max_batch = true;
    return TN_OK;
}

static tn_status get_filename(ctx *x, void *to, const tni_field *f)
{
    const char *name = "";
    TN_TRY(get_text(x, &name, f));
    if (name[0] == '\0') return TN_OK;
    if (name[0] == '.' || strchr(name, '/') != NULL)
        return bad(x, f, TN_EFORMAT, "is no plain name of a file");
    *(const char **)to = name;
    return TN_OK;
}

/* --- maps --------------------------------------------------------------- */

typedef struct pair {
    const char *key;
    const tni_field *value;
} pair;

static tn_status get_field(ctx *x, void *to, const tni_field *f)
{
    (void)x;
    *(const tni_field **)to = f;
    return TN_OK;
}

static tn_status add_pair(ctx *x, tni_config_pair *to, const char *key,
                          const tni_field *value, const tni_field *at,
                          bool wrapped)
{
    static const known string_value[] = {{"string_value", get_text, 0, NULL}};
    to->key = key;
    to->value = "";
    if (key == NULL || value == NULL)
        return bad(x, at, TN_EFORMAT, "has no key or no value");
    if (wrapped) return READ(x, value, string_value, &to->value);
    return get_text(x, &to->value, value);
}

/* {key: "k" value: …} once for each in text, {"k": …} in JSON. */
static tn_status read_map(ctx *x, const tni_field *first, const char *what,
                          bool wrapped, const tni_config_pair **out,
                          size_t *n_out)
{
    static const known fields[] = {
        {"key", get_text, offsetof(pair, key), NULL},
        {"value", get_field, offsetof(pair, value), NULL}};
    size_t n = 0, most = 0;
    for (const tni_field *f = first; f != NULL; f = f->next) {
        if (strcmp(f->name, what) != 0) continue;
        most++;
        for (const tni_field *k = f->first; k != NULL; k = k->next) most++;
    }
    tni_config_pair *list = TNI_NEW_ARRAY(x->arena, tni_config_pair, most + 1);
    if (list == NULL) return tni_fail(x->err, TN_ENOMEM, "out of memory");
    for (const tni_field *f = first; f != NULL; f = f->next) {
        if (strcmp(f->name, what) != 0) continue;
        if (!x->json) {
            pair p = {NULL, NULL};
            TN_TRY(READ(x, f, fields, &p));
            TN_TRY(add_pair(x, &list[n++], p.key, p.value, f, wrapped));
            continue;
        }
        for (const tni_field *k = f->first; k != NULL; k = k->next)
            TN_TRY(add_pair(x, &list[n++], k->name, k, f, wrapped));
    }
    *out = list;
    *n_out = n;
    return TN_OK;
}

/* --- the whole ---------------------------------------------------------- */

static const known model_fields[] = {
    {"name", get_text, offsetof(tni_model_config, name), NULL},
    {"platform", get_platform, 0, NULL},
    {"backend", get_platform, 0, NULL},
    {"version_policy", get_policy, 0, NULL},
    {"max_batch_size", get_batch, 0, NULL},
    {"input", ignore, 0, NULL},
    {"output", ignore, 0, NULL},
    {"instance_group", get_group, 0, NULL},
    {"default_model_filename", get_filename,
     offsetof(tni_model_config, default_model_filename), NULL},
    {"dynamic_batching", get_batching, 0, NULL},
    {"parameters", ignore, 0, NULL},
    {"metric_tags", ignore, 0, NULL},
    {"optimization", note, 0, NULL},
    {"model_warmup", note, 0, NULL},
    {"model_transaction_policy", get_transaction, 0, NULL},
    {"response_cache", get_cache, 0, NULL},
    {"sequence_batching", NULL, 0,
     "is not supported: send what belongs together in one request"},
    {"ensemble_scheduling", NULL, 0,
     "is not supported: join the models into one ONNX file"},
    {"batch_input", NULL, 0, "is not supported: remove it"},
    {"batch_output", NULL, 0, "is not supported: remove it"},
    {"cc_model_filenames", NULL, 0, "is for other devices: remove it"},
    {"model_repository_agents", NULL, 0, "is not supported: remove it"},
    {"runtime", NULL, 0, "is for other backends: remove it"},
    {"model_metrics", NULL, 0,
     "is not supported: /metrics has histograms of every model"},
};

static tn_status read_model(ctx *x, const tni_field *first)
{
    tni_model_config *c = x->c;
    TN_TRY(read_fields(x, first, model_fields,
                       sizeof model_fields / sizeof model_fields[0], c));
    TN_TRY(read_ports(x, first, "input", &c->inputs, &c->n_inputs));
    TN_TRY(read_ports(x, first, "output", &c->outputs, &c->n_outputs));
    TN_TRY(read_map(x, first, "parameters", true, &c->parameters,
                    &c->n_parameters));
    return read_map(x, first, "metric_tags", false, &c->metric_tags,
                    &c->n_metric_tags);
}

tn_status tni_model_config_read(tni_model_config *c, tni_span text, bool json,
                                tni_arena *arena, tn_err *err)
{
    ctx x = {c, arena, err, json};
    tni_field *first = NULL;
    TN_TRY(json ? tni_pbtxt_read_json(&first, text, arena, err)
                : tni_pbtxt_read(&first, text, arena, err));
    return read_model(&x, first);
}

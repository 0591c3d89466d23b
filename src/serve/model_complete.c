/* SPDX-License-Identifier: Apache-2.0 */
/* model_complete.c - a configuration against the model it is of */
#include "serve/model_config.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    tn_dtype dtype;
} types[] = {
    {"TYPE_BOOL", TN_BOOL},     {"TYPE_UINT8", TN_U8},
    {"TYPE_UINT16", TN_U16},    {"TYPE_UINT32", TN_U32},
    {"TYPE_UINT64", TN_U64},    {"TYPE_INT8", TN_I8},
    {"TYPE_INT16", TN_I16},     {"TYPE_INT32", TN_I32},
    {"TYPE_INT64", TN_I64},     {"TYPE_FP16", TN_F16},
    {"TYPE_FP32", TN_F32},      {"TYPE_FP64", TN_F64},
    {"TYPE_STRING", TN_STRING}, {"TYPE_BF16", TN_BF16},
};

const char *tni_config_type_name(tn_dtype dtype)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].dtype == dtype) return types[i].name;
    return NULL;
}

tn_dtype tni_config_type(tni_span name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (tni_span_is(name, types[i].name)) return types[i].dtype;
    return TN_UNDEFINED;
}

void tni_model_config_init(tni_model_config *c)
{
    memset(c, 0, sizeof *c);
    c->name = "";
    c->platform = "onnxruntime_onnx";
    c->backend = "onnxruntime";
    c->default_model_filename = "model.onnx";
    c->policy = TNI_VERSIONS_LATEST;
    c->n_latest = 1;
    c->instance_count = 1;
    c->instance_kind = "KIND_CPU";
}

typedef tn_status (*value_at)(const tn_model *model, size_t i,
                              tn_value_info *info);

typedef struct side {
    const char *what; /* "input" */
    value_at at;
    size_t n; /* of the model */
    tni_config_port *ports;
    size_t n_ports;
} side;

static bool is_servable(const tn_value_info *v)
{
    return v->kind == TN_KIND_TENSOR && tni_config_type_name(v->dtype) != NULL;
}

static tn_status refuse_value(const side *s, const tn_value_info *v,
                              tn_err *err)
{
    return tni_fail(err, TN_EUNSUPPORTED,
                    "%s '%.60s' is %.100s, which no client can send or read",
                    s->what, v->name, v->type_text);
}

static bool first_is_free(const tn_value_info *v)
{
    return v->rank > 0 && v->dims[0] < 0;
}

static tn_status all_free(const side *s, const tn_model *model, bool *free)
{
    for (size_t i = 0; i < s->n; i++) {
        tn_value_info v;
        TN_TRY(s->at(model, i, &v));
        if (is_servable(&v) && !first_is_free(&v)) *free = false;
    }
    return TN_OK;
}

static tni_config_port *find_port(const side *s, const char *name)
{
    for (size_t i = 0; i < s->n_ports; i++)
        if (strcmp(s->ports[i].name, name) == 0) return &s->ports[i];
    return NULL;
}

static void fill_port(tni_config_port *p, const tn_value_info *v, bool batched)
{
    const int skip = batched && v->rank > 0 ? 1 : 0;
    if (p->dtype == TN_UNDEFINED) p->dtype = v->dtype;
    if (p->rank >= 0) return;
    p->rank = v->rank < 0 ? 1 : v->rank - skip;
    p->dims[0] = -1;
    for (int k = 0; v->rank >= 0 && k < p->rank; k++)
        p->dims[k] = v->dims[k + skip];
}

/* The configured dims (or what they are reshaped to) against the model's. */
static tn_status check_port(const side *s, const tni_config_port *p,
                            const tn_value_info *v, bool batched, tn_err *err)
{
    if (p->dtype != v->dtype)
        return tni_fail(err, TN_EINVAL,
                        "%s '%.60s' is %s in the configuration, the model's is "
                        "%.100s",
                        s->what, p->name, tn_dtype_name(p->dtype),
                        v->type_text);
    const bool shaped = p->reshape_rank >= 0;
    const int rank = (shaped ? p->reshape_rank : p->rank) + (batched ? 1 : 0);
    const int64_t *dims = shaped ? p->reshape : p->dims;
    bool bad = batched && !first_is_free(v);
    if (bad)
        return tni_fail(err, TN_EINVAL,
                        "%s '%.60s' is %.100s: with max_batch_size its first "
                        "dimension must be free",
                        s->what, p->name, v->type_text);
    if (v->rank < 0) return TN_OK;
    bad = rank != v->rank;
    for (int k = 0; !bad && k < rank - (batched ? 1 : 0); k++) {
        const int64_t want = v->dims[k + (batched ? 1 : 0)];
        bad = want >= 0 && dims[k] >= 0 && dims[k] != want;
    }
    if (!bad) return TN_OK;
    return tni_fail(err, TN_EINVAL,
                    "the dims of %s '%.60s' in the configuration do not fit "
                    "the model's %.100s%s",
                    s->what, p->name, v->type_text,
                    batched ? " (without its batch dimension)" : "");
}

/* Every port that is named must be in the model; ports come out in the model's
 * order, with those that were not named. */
static tn_status complete_side(side *s, const tn_model *model, bool batched,
                               tni_arena *arena, tn_err *err)
{
    tni_config_port *ports = TNI_NEW_ARRAY(arena, tni_config_port, s->n);
    if (ports == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    size_t n = 0, n_found = 0;
    for (size_t i = 0; i < s->n; i++) {
        tn_value_info v;
        TN_TRY(s->at(model, i, &v));
        const tni_config_port *said = find_port(s, v.name);
        if (!is_servable(&v)) {
            if (s->what[0] == 'i' || said != NULL)
                return refuse_value(s, &v, err);
            continue;
        }
        tni_config_port *p = &ports[n++];
        if (said != NULL) {
            *p = *said;
            n_found++;
        } else {
            p->rank = p->reshape_rank = -1;
            p->format = p->label_filename = "";
            p->name = tni_arena_strndup(arena, v.name, strlen(v.name));
            if (p->name == NULL)
                return tni_fail(err, TN_ENOMEM, "out of memory");
        }
        fill_port(p, &v, batched);
        TN_TRY(check_port(s, p, &v, batched, err));
    }
    for (size_t i = 0; n_found < s->n_ports && i < s->n_ports; i++) {
        size_t k = 0;
        while (k < n && strcmp(ports[k].name, s->ports[i].name) != 0) k++;
        if (k == n)
            return tni_fail(err, TN_EINVAL,
                            "the configuration names %s '%.60s', which the "
                            "model does not have",
                            s->what, s->ports[i].name);
    }
    s->ports = ports;
    s->n_ports = n;
    return TN_OK;
}

tn_status tni_model_config_complete(tni_model_config *c, const tn_model *model,
                                    const char *name, int64_t max_batch,
                                    tni_arena *arena, tn_err *err)
{
    if (c->name[0] != '\0' && strcmp(c->name, name) != 0)
        return tni_fail(err, TN_EINVAL,
                        "the configuration is of model '%.100s', the model is "
                        "'%.100s'",
                        c->name, name);
    c->name = name;
    side in = {"input", tn_model_input, tn_model_n_inputs(model), c->inputs,
               c->n_inputs};
    side out = {"output", tn_model_output, tn_model_n_outputs(model),
                c->outputs, c->n_outputs};
    if (!c->has_max_batch) {
        bool free = in.n > 0;
        TN_TRY(all_free(&in, model, &free));
        TN_TRY(all_free(&out, model, &free));
        c->max_batch_size =
            free && c->n_inputs + c->n_outputs == 0 && max_batch > 0 ? max_batch
                                                                     : 0;
        if (c->max_batch_size > 0) c->dynamic_batching = true;
    }
    const bool batched = c->max_batch_size > 0;
    TN_TRY(complete_side(&in, model, batched, arena, err));
    TN_TRY(complete_side(&out, model, batched, arena, err));
    if (out.n_ports == 0)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "the model has no output that is a tensor");
    c->inputs = in.ports;
    c->n_inputs = in.n_ports;
    c->outputs = out.ports;
    c->n_outputs = out.n_ports;
    return TN_OK;
}

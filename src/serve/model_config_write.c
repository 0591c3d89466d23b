/* SPDX-License-Identifier: Apache-2.0 */
/* model_config_write.c - ModelConfig as JSON, named as in the protobuf file */
#include "serve/model_config.h"

#include <string.h>

static void key(tni_out *o, const char *name, bool first)
{
    if (!first) tni_out_char(o, ',');
    tni_out_char(o, '"');
    tni_out_str(o, name);
    tni_out_str(o, "\":");
}

static void text(tni_out *o, const char *name, const char *value, bool first)
{
    key(o, name, first);
    tni_out_json(o, value, strlen(value));
}

static void number(tni_out *o, const char *name, int64_t value)
{
    key(o, name, false);
    tni_out_i64(o, value);
}

static void flag(tni_out *o, const char *name, bool value)
{
    key(o, name, false);
    tni_out_str(o, value ? "true" : "false");
}

static void list(tni_out *o, const int64_t *v, size_t n)
{
    tni_out_char(o, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0) tni_out_char(o, ',');
        tni_out_i64(o, v[i]);
    }
    tni_out_char(o, ']');
}

static void write_port(tni_out *o, const tni_config_port *p, bool input)
{
    tni_out_char(o, '{');
    text(o, "name", p->name, true);
    text(o, "data_type", tni_config_type_name(p->dtype), false);
    if (input)
        text(o, "format", p->format[0] != '\0' ? p->format : "FORMAT_NONE",
             false);
    key(o, "dims", false);
    list(o, p->dims, (size_t)p->rank);
    if (p->reshape_rank >= 0) {
        key(o, "reshape", false);
        tni_out_str(o, "{\"shape\":");
        list(o, p->reshape, (size_t)p->reshape_rank);
        tni_out_char(o, '}');
    }
    if (!input) text(o, "label_filename", p->label_filename, false);
    flag(o, "is_shape_tensor", false);
    if (input) {
        flag(o, "allow_ragged_batch", false);
        flag(o, "optional", p->optional);
    } else {
        flag(o, "is_non_linear_format_io", false);
    }
    tni_out_char(o, '}');
}

static void write_ports(tni_out *o, const char *name, const tni_config_port *p,
                        size_t n, bool input)
{
    key(o, name, false);
    tni_out_char(o, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0) tni_out_char(o, ',');
        write_port(o, &p[i], input);
    }
    tni_out_char(o, ']');
}

static void write_policy(tni_out *o, const tni_model_config *c)
{
    key(o, "version_policy", false);
    switch (c->policy) {
    case TNI_VERSIONS_LATEST:
        tni_out_str(o, "{\"latest\":{\"num_versions\":");
        tni_out_i64(o, c->n_latest);
        tni_out_str(o, "}}");
        break;
    case TNI_VERSIONS_ALL: tni_out_str(o, "{\"all\":{}}"); break;
    case TNI_VERSIONS_SPECIFIC:
        tni_out_str(o, "{\"specific\":{\"versions\":");
        list(o, c->versions, c->n_versions);
        tni_out_str(o, "}}");
        break;
    }
}

static void write_batching(tni_out *o, const tni_model_config *c)
{
    if (!c->dynamic_batching) return;
    key(o, "dynamic_batching", false);
    tni_out_str(o, "{\"preferred_batch_size\":");
    list(o, c->preferred, c->n_preferred);
    number(o, "max_queue_delay_microseconds", (int64_t)c->max_queue_delay_us);
    flag(o, "preserve_ordering", c->preserve_ordering);
    number(o, "priority_levels", c->priority_levels);
    number(o, "default_priority_level", c->default_priority);
    if (c->default_timeout_us != 0 || c->max_queue_size != 0) {
        key(o, "default_queue_policy", false);
        tni_out_str(o, "{\"timeout_action\":\"REJECT\"");
        number(o, "default_timeout_microseconds",
               (int64_t)c->default_timeout_us);
        flag(o, "allow_timeout_override", c->allow_timeout_override);
        number(o, "max_queue_size", (int64_t)c->max_queue_size);
        tni_out_char(o, '}');
    }
    tni_out_char(o, '}');
}

static void write_pairs(tni_out *o, const char *name, const tni_config_pair *p,
                        size_t n, bool wrapped)
{
    key(o, name, false);
    tni_out_char(o, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0) tni_out_char(o, ',');
        tni_out_json(o, p[i].key, strlen(p[i].key));
        tni_out_char(o, ':');
        if (wrapped) tni_out_str(o, "{\"string_value\":");
        tni_out_json(o, p[i].value, strlen(p[i].value));
        if (wrapped) tni_out_char(o, '}');
    }
    tni_out_char(o, '}');
}

void tni_model_config_write(const tni_model_config *c, tni_out *json)
{
    tni_out_char(json, '{');
    text(json, "name", c->name, true);
    text(json, "platform", c->platform, false);
    text(json, "backend", c->backend, false);
    write_policy(json, c);
    number(json, "max_batch_size", c->max_batch_size);
    write_ports(json, "input", c->inputs, c->n_inputs, true);
    write_ports(json, "output", c->outputs, c->n_outputs, false);
    key(json, "instance_group", false);
    tni_out_str(json, "[{");
    text(json, "name", c->name, true);
    text(json, "kind", c->instance_kind, false);
    number(json, "count", c->instance_count);
    tni_out_str(json, "}]");
    text(json, "default_model_filename", c->default_model_filename, false);
    write_pairs(json, "metric_tags", c->metric_tags, c->n_metric_tags, false);
    write_pairs(json, "parameters", c->parameters, c->n_parameters, true);
    write_batching(json, c);
    key(json, "model_transaction_policy", false);
    tni_out_str(json, "{\"decoupled\":false}");
    key(json, "response_cache", false);
    tni_out_str(json, "{\"enable\":false}");
    tni_out_char(json, '}');
}

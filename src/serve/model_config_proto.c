/* SPDX-License-Identifier: Apache-2.0 */
/* model_config_proto.c - ModelConfig in protobuf
 * Source: model_config.proto of Triton's common repository (field numbers) */
#include "serve/api_grpc.h"
#include "serve/served.h"

#include <string.h>

/* Triton's DataType. */
static uint64_t type_number(tn_dtype dtype)
{
    switch (dtype) {
    case TN_BOOL: return 1;
    case TN_U8: return 2;
    case TN_U16: return 3;
    case TN_U32: return 4;
    case TN_U64: return 5;
    case TN_I8: return 6;
    case TN_I16: return 7;
    case TN_I32: return 8;
    case TN_I64: return 9;
    case TN_F16: return 10;
    case TN_F32: return 11;
    case TN_F64: return 12;
    case TN_STRING: return 13;
    case TN_BF16: return 14;
    default: return 0;
    }
}

static uint64_t format_number(const char *format)
{
    if (strcmp(format, "FORMAT_NHWC") == 0) return 1;
    return strcmp(format, "FORMAT_NCHW") == 0 ? 2 : 0;
}

static void put_reshape(tni_proto *w, const tni_config_port *p)
{
    if (p->reshape_rank < 0) return;
    const size_t mark = tni_proto_open(w, 5);
    tni_proto_ints(w, 1, p->reshape, (size_t)p->reshape_rank);
    tni_proto_close(w, mark);
}

static void put_ports(tni_proto *w, const tni_model_config *c)
{
    for (size_t i = 0; i < c->n_inputs; i++) {
        const tni_config_port *p = &c->inputs[i];
        const size_t mark = tni_proto_open(w, 5);
        tni_proto_text(w, 1, p->name);
        tni_proto_int(w, 2, type_number(p->dtype));
        tni_proto_int(w, 3, format_number(p->format));
        tni_proto_ints(w, 4, p->dims, (size_t)p->rank);
        put_reshape(w, p);
        if (p->optional) tni_proto_int(w, 8, 1);
        tni_proto_close(w, mark);
    }
    for (size_t i = 0; i < c->n_outputs; i++) {
        const tni_config_port *p = &c->outputs[i];
        const size_t mark = tni_proto_open(w, 6);
        tni_proto_text(w, 1, p->name);
        tni_proto_int(w, 2, type_number(p->dtype));
        tni_proto_ints(w, 3, p->dims, (size_t)p->rank);
        tni_proto_text(w, 4, p->label_filename);
        put_reshape(w, p);
        tni_proto_close(w, mark);
    }
}

static void put_policy(tni_proto *w, const tni_model_config *c)
{
    const size_t mark = tni_proto_open(w, 3);
    const uint32_t field = c->policy == TNI_VERSIONS_LATEST ? 1
                           : c->policy == TNI_VERSIONS_ALL  ? 2
                                                            : 3;
    const size_t choice = tni_proto_open(w, field);
    if (c->policy == TNI_VERSIONS_LATEST)
        tni_proto_int(w, 1, (uint64_t)c->n_latest);
    if (c->policy == TNI_VERSIONS_SPECIFIC)
        tni_proto_ints(w, 1, c->versions, c->n_versions);
    tni_proto_close(w, choice);
    tni_proto_close(w, mark);
}

static void put_batching(tni_proto *w, const tni_model_config *c)
{
    if (!c->dynamic_batching) return;
    const size_t mark = tni_proto_open(w, 11);
    tni_proto_ints(w, 1, c->preferred, c->n_preferred);
    tni_proto_int(w, 2, c->max_queue_delay_us);
    tni_proto_int(w, 3, c->preserve_ordering);
    tni_proto_int(w, 4, c->priority_levels);
    tni_proto_int(w, 5, c->default_priority);
    const size_t policy = tni_proto_open(w, 6);
    tni_proto_int(w, 2, c->default_timeout_us);
    tni_proto_int(w, 3, c->allow_timeout_override);
    tni_proto_int(w, 4, c->max_queue_size);
    tni_proto_close(w, policy);
    tni_proto_close(w, mark);
}

/* Entries of a map; values wrapped in a ModelParameter. */
static void put_pairs(tni_proto *w, uint32_t field, const tni_config_pair *p,
                      size_t n, bool wrapped)
{
    for (size_t i = 0; i < n; i++) {
        const size_t mark = tni_proto_open(w, field);
        tni_proto_text(w, 1, p[i].key);
        if (wrapped) {
            const size_t value = tni_proto_open(w, 2);
            tni_proto_text(w, 1, p[i].value);
            tni_proto_close(w, value);
        } else {
            tni_proto_text(w, 2, p[i].value);
        }
        tni_proto_close(w, mark);
    }
}

void tni_served_config_proto(const tni_served *m, tni_proto *w)
{
    const tni_model_config *c = &m->priv->config;
    tni_proto_text(w, 1, c->name);
    tni_proto_text(w, 2, c->platform);
    put_policy(w, c);
    tni_proto_int(w, 4, (uint64_t)c->max_batch_size);
    put_ports(w, c);
    const size_t group = tni_proto_open(w, 7);
    tni_proto_text(w, 1, c->name);
    tni_proto_int(w, 2, (uint64_t)c->instance_count);
    tni_proto_int(w, 4, strcmp(c->instance_kind, "KIND_CPU") == 0 ? 2 : 0);
    tni_proto_close(w, group);
    tni_proto_text(w, 8, c->default_model_filename);
    put_pairs(w, 10, c->metric_tags, c->n_metric_tags, false);
    put_batching(w, c);
    put_pairs(w, 14, c->parameters, c->n_parameters, true);
    tni_proto_text(w, 17, c->backend);
    const size_t transaction = tni_proto_open(w, 19);
    tni_proto_int(w, 1, 0);
    tni_proto_close(w, transaction);
}

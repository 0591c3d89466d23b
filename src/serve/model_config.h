/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_config.h - Triton's ModelConfig, as far as it means something here
 *
 * Read from config.pbtxt or JSON, completed from the model, written as JSON.
 * What asks for something that the server does not do is refused by name; what
 * is only a hint is taken, and noted.
 */
#ifndef TN_SRC_SERVE_MODEL_CONFIG_H
#define TN_SRC_SERVE_MODEL_CONFIG_H

#include "base/json.h"
#include "tenon/model.h"

/* An input or output; dims without the batch dimension when the model is
 * batched. */
typedef struct tni_config_port {
    const char *name;
    tn_dtype dtype; /* TN_UNDEFINED: not said */
    const char *format;
    int rank; /* -1: not said */
    int64_t dims[TN_MAX_RANK];
    int reshape_rank; /* the model's own shape; -1: the same */
    int64_t reshape[TN_MAX_RANK];
    bool optional;
    const char *label_filename;
} tni_config_port;

typedef enum tni_version_policy {
    TNI_VERSIONS_LATEST,
    TNI_VERSIONS_ALL,
    TNI_VERSIONS_SPECIFIC
} tni_version_policy;

typedef struct tni_config_pair {
    const char *key, *value;
} tni_config_pair;

typedef struct tni_model_config {
    const char *name, *platform, *backend;
    const char *default_model_filename;
    tni_version_policy policy;
    int64_t n_latest;
    const int64_t *versions; /* specific */
    size_t n_versions;
    bool has_max_batch;
    int64_t max_batch_size;
    tni_config_port *inputs, *outputs;
    size_t n_inputs, n_outputs;
    int64_t instance_count;
    const char *instance_kind;
    bool dynamic_batching;
    int64_t *preferred;
    size_t n_preferred;
    uint64_t max_queue_delay_us;
    bool preserve_ordering;
    uint32_t priority_levels, default_priority;
    uint64_t default_timeout_us, max_queue_size;
    bool allow_timeout_override;
    const tni_config_pair *parameters, *metric_tags;
    size_t n_parameters, n_metric_tags;
    const char *notes[16]; /* what became of hints */
    size_t n_notes;
} tni_model_config;

/* What nothing says. */
void tni_model_config_init(tni_model_config *c);

/*
 * Takes over what config.pbtxt or its JSON says. TN_EFORMAT, with line and
 * column in config.pbtxt; TN_EUNSUPPORTED: a field that means nothing here, or
 * what the server does not do, named with what to do instead; TN_ELIMIT.
 */
tn_status tni_model_config_read(tni_model_config *c, tni_span text, bool json,
                                tni_arena *arena, tn_err *err);

/*
 * Fills in from the model what the configuration leaves open, and checks the
 * rest against it: names, data types, dimensions. A model whose inputs and
 * outputs all have a free first dimension is batched, up to `max_batch`, when
 * the configuration does not say. Outputs that are no tensors are left out.
 */
tn_status tni_model_config_complete(tni_model_config *c, const tn_model *model,
                                    const char *name, int64_t max_batch,
                                    tni_arena *arena, tn_err *err);

void tni_model_config_write(const tni_model_config *c, tni_out *json);

/* "TYPE_FP32" of a data type, NULL of one that has no name there; and back,
 * TN_UNDEFINED when it is not known. */
const char *tni_config_type_name(tn_dtype dtype);
tn_dtype tni_config_type(tni_span name);

#endif

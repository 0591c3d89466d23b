/* SPDX-License-Identifier: Apache-2.0 */
/* model.h - the decoded model that passes and sessions start from */
#ifndef TN_SRC_ONNX_MODEL_H
#define TN_SRC_ONNX_MODEL_H

#include "graph/graph.h"
#include "tenon/model.h"

#include "sys/file.h"

typedef struct tni_opset_import {
    const char *domain; /* "" for ai.onnx */
    int64_t version;
} tni_opset_import;

typedef struct tni_model_prop {
    const char *key, *value;
} tni_model_prop;

/* A row of tn_model_op. */
typedef struct tni_model_op_row {
    const char *domain, *name;
    size_t n_uses;
    bool supported;
} tni_model_op_row;

struct tn_model {
    tni_mem mem;
    tni_arena arena;  /* IR, names, small constants */
    tn_limits limits; /* defaults filled in */
    tn_logger logger;
    tni_graph *graph; /* finished, functions inlined, types inferred */

    /* Symbols of dimensions: TNI_DIM_SYMBOL(i) is symbols[i]. */
    const char **symbols;
    int n_symbols;

    /* Inputs a run needs: graph->inputs without those that have a constant. */
    tni_value **inputs;
    int n_inputs;

    const char *producer_name, *producer_version, *domain, *graph_name, *doc;
    int64_t ir_version, model_version;
    tni_opset_import *opsets;
    int n_opsets;
    tni_model_prop *metadata;
    int n_metadata;
    int n_unsupported; /* operators without a tni_op_version (lenient) */

    /* What the file says about graph->outputs, by position; kind NONE when it
     * says nothing. Shown to users, never computed with. */
    tni_type *declared_outputs;

    /* Facts for inspection. */
    tn_value_info *input_infos, *output_infos;
    tni_model_op_row *ops; /* sorted by name */
    size_t n_ops, n_nodes;
    uint64_t weights_bytes[TN_DTYPE_COUNT];

    /* Bytes behind the constants. */
    const uint8_t *bytes;   /* of the model itself, for offsets */
    bool detached;         /* TN_MODEL_DETACHED */
    tni_file_map file;      /* zeroed when opened from memory */
    tni_file_map *external; /* external data files, each mapped once */
    int n_external;
    uint64_t file_bytes;
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/model.h - load an ONNX model and look at it
 *
 * A model is the decoded, checked, untransformed graph. Weights stay in the
 * mapped file (external data too); the model keeps the mapping.
 *
 * Threads: a tn_model is immutable after tn_model_open.
 */
#ifndef TENON_MODEL_H
#define TENON_MODEL_H

#include "tenon/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_model tn_model;

typedef struct tn_model_opts {
    size_t struct_size;
    const tn_allocator *allocator; /* NULL: the C library's */
    const tn_limits *limits;       /* NULL: defaults */
    const tn_logger *logger;       /* NULL: silent */
    /* Folder that external data of a model in memory is looked up in; NULL
     * refuses external data. Ignored by tn_model_open, which uses the folder
     * of the file. */
    const char *base_dir;
    uint32_t flags; /* TN_MODEL_… */
} tn_model_opts;

#define TN_MODEL_OPTS_INIT {sizeof(tn_model_opts), NULL, NULL, NULL, NULL, 0}

enum {
    /* The file and its external data are read into memory when the model is
     * opened, not mapped: they may be overwritten while it is open. A mapped
     * file must stay as it is (put another in its place by renaming): one that
     * shrinks ends the process with SIGBUS. */
    TN_MODEL_DETACHED = 1 << 0
};

/**
 * Opens an ONNX model file: maps it, decodes it, resolves operators, inlines
 * model functions, checks and infers types.
 *
 * @return TN_OK
 *         TN_ENOTFOUND, TN_EIO   the file (or an external data file)
 *         TN_EFORMAT             not ONNX, or broken: err->offset says where
 *         TN_EUNSUPPORTED        an operator, version or dtype outside this
 *                                build; err->where names the node
 *         TN_ELIMIT, TN_ENOMEM
 * Ownership: close with tn_model_close after every session made from it.
 */
TN_API TN_NODISCARD tn_status tn_model_open(tn_model **out, const char *path,
                                            const tn_model_opts *opts,
                                            tn_err *err);

/** As tn_model_open from bytes the caller keeps valid until the close. */
TN_API TN_NODISCARD tn_status tn_model_open_memory(tn_model **out,
                                                   const void *bytes,
                                                   size_t size,
                                                   const tn_model_opts *opts,
                                                   tn_err *err);

TN_API void tn_model_close(tn_model *model);

/** A declared input or output. Strings are borrowed from the model. */
typedef struct tn_value_info {
    const char *name;
    tn_kind kind;
    tn_dtype dtype;  /* of a tensor, or of a container's innermost tensors */
    int rank;        /* -1: not known */
    int64_t dims[TN_MAX_RANK];          /* -1: not fixed */
    const char *dim_names[TN_MAX_RANK]; /* "batch"; NULL: no name */
    const char *type_text; /* "float32[batch,10]", "seq(map(int64,float32))" */
} tn_value_info;

/** Inputs that a run needs: graph inputs without an initializer first come in
 * declaration order; inputs with a default are not counted. */
TN_API size_t tn_model_n_inputs(const tn_model *model);
TN_API size_t tn_model_n_outputs(const tn_model *model);
TN_API TN_NODISCARD tn_status tn_model_input(const tn_model *model, size_t i,
                                             tn_value_info *info);
TN_API TN_NODISCARD tn_status tn_model_output(const tn_model *model, size_t i,
                                              tn_value_info *info);
/** Index of an input by name, -1 when there is none. */
TN_API long tn_model_find_input(const tn_model *model, const char *name);
TN_API long tn_model_find_output(const tn_model *model, const char *name);

/** General facts; strings are borrowed and "" where the file has none. */
typedef struct tn_model_info {
    size_t struct_size;
    const char *producer_name, *producer_version, *domain, *graph_name, *doc;
    int64_t ir_version, model_version;
    uint64_t file_bytes;
    uint64_t weights_bytes; /* of all constants */
    size_t n_nodes;         /* after inlining, subgraphs included */
    size_t n_opsets, n_metadata, n_ops, n_unsupported;
} tn_model_info;

#define TN_MODEL_INFO_INIT                                                     \
    {sizeof(tn_model_info), "", "", "", "", "", 0, 0, 0, 0, 0, 0, 0, 0, 0}

TN_API TN_NODISCARD tn_status tn_model_get_info(const tn_model *model,
                                                tn_model_info *info);
/** Imported operator set i: its domain ("ai.onnx" for the default) and
 * version. */
TN_API TN_NODISCARD tn_status tn_model_opset(const tn_model *model, size_t i,
                                             const char **domain,
                                             int64_t *version);
TN_API TN_NODISCARD tn_status tn_model_metadata(const tn_model *model, size_t i,
                                                const char **key,
                                                const char **value);
/** Operator i of those used, sorted by name: domain, name, uses, and whether
 * this build runs it. */
TN_API TN_NODISCARD tn_status tn_model_op(const tn_model *model, size_t i,
                                          const char **domain,
                                          const char **name, size_t *n_uses,
                                          int *supported);
/** Bytes of constants with the given dtype. */
TN_API uint64_t tn_model_weights_bytes(const tn_model *model, tn_dtype dtype);

/**
 * Opens a model for inspection only: unknown operators are no error here
 * (tn_model_op tells them apart) but refuse a session.
 */
TN_API TN_NODISCARD tn_status tn_model_open_lenient(tn_model **out,
                                                    const char *path,
                                                    const tn_model_opts *opts,
                                                    tn_err *err);

#ifdef __cplusplus
}
#endif

#endif /* TENON_MODEL_H */

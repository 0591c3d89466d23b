/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/registry.h - list and describe what this build knows
 *
 * Everything that comes in many kinds is a row of a table; these functions
 * read the tables. Threads: any.
 */
#ifndef TENON_REGISTRY_H
#define TENON_REGISTRY_H

#include "tenon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tn_registry_kind {
    TN_REGISTRY_OPS = 0,
    TN_REGISTRY_KERNELS = 1,
    TN_REGISTRY_PASSES = 2,
    TN_REGISTRY_CODECS = 3, /* of the data column, as all that follow */
    TN_REGISTRY_FORMATS = 4
} tn_registry_kind;

TN_API size_t tn_registry_count(tn_registry_kind kind);
/** Name of row i, "ai.onnx.ml.Scaler" for an operator; NULL outside. */
TN_API const char *tn_registry_name(tn_registry_kind kind, size_t i);
/**
 * Describes row i as one JSON object, written to buf (cut to size, always
 * terminated); returns the full length. Keys: name, summary, and by kind:
 * domain, since[], inputs[], outputs[], attributes[] (ops); family, isa,
 * available (kernels); order (passes).
 */
TN_API size_t tn_registry_describe(tn_registry_kind kind, size_t i, char *buf,
                                   size_t size);

/**
 * The same for the tables of the data column, which live in libtenon-data:
 * CODECS has name, summary, files, decodes, encodes, library, source; FORMATS
 * has name, summary, files, source, writes, variants[], keeps[] and loses[]
 * (codes of losses). Each family of functions knows 0
 * rows of the other's kinds.
 */
TN_API size_t tn_data_registry_count(tn_registry_kind kind);
TN_API const char *tn_data_registry_name(tn_registry_kind kind, size_t i);
TN_API size_t tn_data_registry_describe(tn_registry_kind kind, size_t i,
                                        char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* TENON_REGISTRY_H */

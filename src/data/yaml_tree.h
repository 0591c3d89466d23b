/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_tree.h - a small YAML document as a tree
 *
 * Scalars stay text, with a mark whether they were quoted: `no`, `1` and `null`
 * as names of classes are names, whatever YAML 1.1 makes of them. Tags are
 * ignored. An alias is the node it names, not a copy: nothing expands.
 */
#ifndef TN_SRC_DATA_YAML_TREE_H
#define TN_SRC_DATA_YAML_TREE_H

#include "base/json.h"

typedef enum tni_yaml_kind {
    TNI_YAML_SCALAR = 0,
    TNI_YAML_LIST = 1,
    TNI_YAML_MAP = 2 /* items: key, value, key, value, … */
} tni_yaml_kind;

typedef struct tni_yaml {
    tni_yaml_kind kind;
    bool quoted;
    const char *text; /* of a scalar, terminated */
    size_t len;
    struct tni_yaml **items;
    size_t n, cap;
    uint64_t offset; /* byte */
    int line;        /* 1-based */
} tni_yaml;

/*
 * Reads the first document. TN_EFORMAT with the line, also for a key that comes
 * twice in a map; TN_ELIMIT beyond
 * max_depth or a million nodes; TN_EUNSUPPORTED in a build without libyaml.
 * An empty document gives an empty map. All memory is the arena's.
 */
tn_status tni_yaml_read(tni_yaml **out, tni_span text, uint32_t max_depth,
                        tni_arena *arena, tn_err *err);

/* The value of a key of a map, NULL when there is none (or no map). */
const tni_yaml *tni_yaml_get(const tni_yaml *map, const char *key);
/* Whether the node is a scalar that is a whole number. */
bool tni_yaml_int(const tni_yaml *node, int64_t *out);
/* The node as JSON in the arena; plain scalars become what YAML 1.2's core
 * schema says. NULL when memory is out or the tree is too large. */
const char *tni_yaml_json(const tni_yaml *node, tni_arena *arena, size_t *len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* pb.h - writing protobuf, and ONNX models out of it, for tests */
#ifndef TN_TESTS_HARNESS_PB_H
#define TN_TESTS_HARNESS_PB_H

#include <stddef.h>
#include <stdint.h>

/* A message under construction; zeroed it is empty. */
typedef struct pb {
    uint8_t *bytes;
    size_t size, cap;
} pb;

void pb_free(pb *m);
void pb_raw(pb *m, const void *bytes, size_t size);
void pb_int(pb *m, uint32_t field, int64_t v);
void pb_float(pb *m, uint32_t field, float v);
void pb_bytes(pb *m, uint32_t field, const void *bytes, size_t size);
void pb_text(pb *m, uint32_t field, const char *text);
/* Appends `sub` as a field and frees it. */
void pb_message(pb *m, uint32_t field, pb *sub);

/* --- ONNX ------------------------------------------------------------------ */

/* A ValueInfoProto as field `field` (11 input, 12 output, 13 value_info) of a
 * graph: a tensor with these extents; rank -1 leaves the shape out. */
void pb_value(pb *graph, uint32_t field, const char *name, int dtype, int rank,
              const int64_t *dims);

/* A NodeProto as field `field` (1 in a graph, 7 in a function); in and out are
 * comma lists. attrs (NULL: none) holds AttributeProto fields and is freed. */
void pb_node(pb *graph, uint32_t field, const char *domain, const char *op,
             const char *name, const char *in, const char *out, pb *attrs);

/* AttributeProto fields (5) for pb_node. */
void pb_attr_int(pb *attrs, const char *name, int64_t v);
void pb_attr_float(pb *attrs, const char *name, float v);
void pb_attr_text(pb *attrs, const char *name, const char *text);
/* Frees sub. type is 4 for a tensor, 5 for a graph. */
void pb_attr_message(pb *attrs, const char *name, int type, pb *sub);
void pb_attr_ref(pb *attrs, const char *name, int type, const char *ref);

/* A TensorProto with raw_data. */
void pb_tensor(pb *tensor, const char *name, int dtype, int rank,
               const int64_t *dims, const void *raw, size_t size);

/* A ModelProto around a graph, which is freed; more fields may follow. */
void pb_model(pb *model, pb *graph, int64_t opset);

#endif

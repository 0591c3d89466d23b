/* SPDX-License-Identifier: Apache-2.0 */
/* match.h - what rewriting passes are made of: recognising and replacing */
#ifndef TN_SRC_PASSES_MATCH_H
#define TN_SRC_PASSES_MATCH_H

#include "passes/pass.h"

/* True for a live node of that operator; domain "" is ai.onnx. */
bool tni_match_op(const tni_node *node, const char *domain, const char *op);
/* The ai.onnx node `op` that makes a value, in the value's own graph. */
tni_node *tni_match_from(const tni_value *value, const char *op);
/* The same when nobody else reads the value. */
tni_node *tni_match_only(const tni_value *value, const char *op);

/* The number in a constant of one element; false when it is none. */
bool tni_match_scalar(double *out, const tni_value *value);
/* True for a one-element constant within 1e-4 of v, relatively. */
bool tni_match_number(const tni_value *value, double v);
/* True for a float32 tensor value. */
bool tni_match_f32(const tni_value *value);

/*
 * A commutative node with a constant: *x is the other input. False when
 * neither or both are constants.
 */
bool tni_match_with_const(const tni_node *node, tni_value **x,
                          tni_value **constant);

/*
 * Turns `node` into another operation in place: its outputs and position stay,
 * inputs and attributes (copied) are replaced. TN_EINTERNAL when this build
 * has no such operator.
 */
tn_status tni_pass_become(tni_pass_run *c, tni_node *node, const char *domain,
                          const char *op_type, int opset, tni_value *const *in,
                          int n_in, const tni_attr *attrs, int n_attrs);

/* A new float32 constant of this shape, its elements to be filled. */
/* Halves as float32: computed when they are read where they are many
 * (tensor/raw.h). NULL when memory is out. */
tni_tensor *tni_pass_widen(tni_pass_run *c, const tni_tensor *half);
tni_value *tni_pass_constant_f32(tni_pass_run *c, int rank,
                                 const int64_t *dims, float **data);

tni_attr tni_attr_of_int(const char *name, int64_t v);
tni_attr tni_attr_of_float(const char *name, float v);
tni_attr tni_attr_of_string(const char *name, const char *v);

#endif

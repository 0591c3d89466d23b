/* SPDX-License-Identifier: Apache-2.0 */
/* gradient.h - ai.onnx.preview.training Gradient: what its files share */
#ifndef TN_SRC_ONNX_GRADIENT_H
#define TN_SRC_ONNX_GRADIENT_H

#include "onnx/decode.h"

/*
 * Builds nodes behind one Gradient. The first failure stays in `status`; from
 * then on, and for a NULL input, builders return NULL, so that rules can be
 * written as expressions.
 */
typedef struct tni_grad {
    tni_decoder *d;
    tni_graph *graph;
    const char *name; /* of the Gradient node, for errors in what it became */
    tn_status status;
    tni_node *memo; /* a rule's own, NULL for each node differentiated */
} tni_grad;

/* A node of the newest version of an ai.onnx operator with its outputs. */
tni_node *tni_grad_node(tni_grad *c, const char *op, int n_in,
                        tni_value *const *in, int n_out, const tni_attr *attrs,
                        int n_attrs);
/* A copy of a node with other inputs (n_in of the node) and new outputs. */
tni_node *tni_grad_copy(tni_grad *c, const tni_node *from,
                        tni_value *const *in);
/* The output of a node with one or two inputs. */
tni_value *tni_grad_1(tni_grad *c, const char *op, tni_value *a);
tni_value *tni_grad_2(tni_grad *c, const char *op, tni_value *a, tni_value *b);
/* A tensor of x's shape and type, each element v (0 or 1). */
tni_value *tni_grad_fill(tni_grad *c, float v, tni_value *x);

/* How an operator with one differentiable output is differentiated. */
typedef struct tni_grad_rule {
    const char *op;  /* of ai.onnx */
    uint32_t inputs; /* bit i: input i has a gradient; 0: none has */
    /* Why this node cannot be differentiated, NULL when it can. */
    const char *(*refuse)(const tni_node *node);
    /* The gradient of input i, of its shape, from that of output 0. */
    tni_value *(*back)(tni_grad *c, const tni_node *node, tni_value *g, int i);
} tni_grad_rule;

/* NULL when there is none. */
const tni_grad_rule *tni_grad_rule_of(const tni_node *node);
/* Whether input i has a gradient under a rule. */
static inline bool tni_grad_takes(const tni_grad_rule *rule, int i)
{
    return rule->inputs == UINT32_MAX ||
           (i < 32 && (rule->inputs >> i & 1u) != 0);
}

#endif

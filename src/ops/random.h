/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random.h - the generator behind random operators
 *
 * Counter-based (splitmix64 of seed and position), so that element i is the
 * same for any number of workers and any order.
 */
#ifndef TN_SRC_OPS_RANDOM_H
#define TN_SRC_OPS_RANDOM_H

#include "ops/op.h"

#include <math.h>
#include <string.h>

/* The seed of a node: its attribute "seed", else the run's, told apart by the
 * node's place. */
static inline uint64_t tni_random_seed(const tni_ref *c)
{
    if (tni_attr_find(c->node, "seed") == NULL)
        return c->seed ^ (0x9e3779b97f4a7c15u * (uint64_t)(c->node->index + 1));
    const float f = tni_attr_float(c->node, "seed", 0.0f);
    uint32_t u = 0;
    memcpy(&u, &f, sizeof u);
    return u;
}

static inline uint64_t tni_random_bits(uint64_t seed, uint64_t i)
{
    uint64_t z = seed * 0xd1342543de82ef95u + (i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Uniform in [0, 1). */
static inline double tni_random_uniform(uint64_t seed, uint64_t i)
{
    return (double)(tni_random_bits(seed, i) >> 11) * 0x1p-53;
}

/* Normal with mean 0 and deviation 1 (Box and Muller). */
static inline double tni_random_normal(uint64_t seed, uint64_t i)
{
    const double u = 1.0 - tni_random_uniform(seed, 2 * i);
    const double v = tni_random_uniform(seed, 2 * i + 1);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586476925 * v);
}

/* RandomNormal, RandomUniform and their Like variants. */
tn_status tni_random_infer(tni_infer *c);
tn_status tni_random_like_infer(tni_infer *c);
tn_status tni_random_normal_ref(tni_ref *c);
tn_status tni_random_uniform_ref(tni_ref *c);

#endif

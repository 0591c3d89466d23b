/* SPDX-License-Identifier: Apache-2.0 */
/* gelu.h - the two forms of GELU, plain and after a bias */
#ifndef TN_SRC_OPS_GELU_H
#define TN_SRC_OPS_GELU_H

#include "ops/elementwise.h"

extern const tni_ew_map tni_gelu_erf;  /* x (1 + erf(x / sqrt 2)) / 2 */
extern const tni_ew_map tni_gelu_tanh; /* the tanh approximation */

/* Output 0 = map(input 0 + input 1), input 1 optional and along the last
 * dimension. */
tn_status tni_gelu_bias_infer(tni_infer *c);
tn_status tni_gelu_bias_ref(tni_ref *c, const tni_ew_map *map);
tn_status tni_gelu_bias_plan(tni_plan *c, const tni_ew_map *map);

#endif

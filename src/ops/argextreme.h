/* SPDX-License-Identifier: Apache-2.0 */
/* argextreme.h - ArgMax and ArgMin */
#ifndef TN_SRC_OPS_ARGEXTREME_H
#define TN_SRC_OPS_ARGEXTREME_H

#include "ops/infer.h"

tn_status tni_arg_extreme_infer(tni_infer *c);
tn_status tni_arg_max_ref(tni_ref *c);
tn_status tni_arg_min_ref(tni_ref *c);

#endif

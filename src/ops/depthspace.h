/* SPDX-License-Identifier: Apache-2.0 */
/* depthspace.h - DepthToSpace and SpaceToDepth: one copy of six dimensions */
#ifndef TN_SRC_OPS_DEPTHSPACE_H
#define TN_SRC_OPS_DEPTHSPACE_H

#include "ops/infer.h"

tn_status tni_depth_to_space_infer(tni_infer *c);
tn_status tni_depth_to_space_ref(tni_ref *c);
tn_status tni_depth_to_space_plan(tni_plan *c);
tn_status tni_space_to_depth_infer(tni_infer *c);
tn_status tni_space_to_depth_ref(tni_ref *c);
tn_status tni_space_to_depth_plan(tni_plan *c);

#endif

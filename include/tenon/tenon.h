/* SPDX-License-Identifier: Apache-2.0 */
/* tenon/tenon.h - everything */
#ifndef TENON_TENON_H
#define TENON_TENON_H

#include "tenon/base.h"
#include "tenon/dataset.h"
#include "tenon/image.h"
#include "tenon/model.h"
#include "tenon/registry.h"
#include "tenon/server.h"
#include "tenon/session.h"
#include "tenon/tensor.h"

#endif /* TENON_TENON_H */

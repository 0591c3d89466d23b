/* SPDX-License-Identifier: Apache-2.0 */
/* datatype.h - dtypes as the protocol spells them */
#ifndef TN_SRC_SERVE_DATATYPE_H
#define TN_SRC_SERVE_DATATYPE_H

#include "base/json.h"
#include "tenon/tensor.h"

/* "FP32", "BYTES"; "" for what the protocol has no name for. */
const char *tni_datatype_name(tn_dtype dtype);
/* false when there is no such datatype. */
bool tni_datatype_of(tni_span name, tn_dtype *out);

#endif

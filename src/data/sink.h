/* SPDX-License-Identifier: Apache-2.0 */
/* sink.h - where writers put their bytes, in order */
#ifndef TN_SRC_DATA_SINK_H
#define TN_SRC_DATA_SINK_H

#include "base/err.h"

typedef struct tni_byte_sink {
    void *ctx;
    tn_status (*write)(void *ctx, const void *bytes, size_t size, tn_err *err);
} tni_byte_sink;

#endif

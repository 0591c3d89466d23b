/* SPDX-License-Identifier: Apache-2.0 */
/* base64.h - bytes as text (RFC 4648) */
#ifndef TN_SRC_DATA_BASE64_H
#define TN_SRC_DATA_BASE64_H

#include "base/err.h"
#include "base/json.h"

/* The bytes, in the arena. Line breaks are passed over. TN_EFORMAT for other
 * characters and wrong padding. */
tn_status tni_base64_read(tni_span *out, tni_arena *arena, tni_span text,
                          tn_err *err);
void tni_base64_write(tni_out *o, const void *bytes, size_t size);

#endif

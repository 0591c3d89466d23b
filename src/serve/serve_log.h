/* SPDX-License-Identifier: Apache-2.0 */
/* serve_log.h - records of the server for a tn_logger */
#ifndef TN_SRC_SERVE_SERVE_LOG_H
#define TN_SRC_SERVE_SERVE_LOG_H

#include "tenon/base.h"

/* `event` is a constant dotted name, fmt makes its "key=value" fields. Nothing
 * when the logger is NULL, silent or above the level. */
void tni_serve_log(const tn_logger *logger, tn_log_level level,
                   const char *event, const char *fmt, ...) TN_PRINTF(4, 5);

#endif

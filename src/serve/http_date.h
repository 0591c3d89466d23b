/* SPDX-License-Identifier: Apache-2.0 */
/* http_date.h - the time of day as HTTP writes it */
#ifndef TN_SRC_SERVE_HTTP_DATE_H
#define TN_SRC_SERVE_HTTP_DATE_H

#include <stdint.h>

enum { TNI_HTTP_DATE = 30 }; /* with its end */

/* "Sun, 06 Nov 1994 08:49:37 GMT". Limit: the year 9999, beyond which that of
 * its end is written. Source: RFC 9110, 5.6.7 */
void tni_http_date(char out[TNI_HTTP_DATE], uint64_t epoch_s);

#endif

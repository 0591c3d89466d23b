/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.h - the page at "/": page.html, which the build turns into bytes
 */
#ifndef TN_SRC_SERVE_PAGE_H
#define TN_SRC_SERVE_PAGE_H

#include <stddef.h>

/* HTML in UTF-8, not terminated. It loads nothing and talks to the API of the
 * server that it came from, so TNI_PAGE_POLICY can forbid the rest. */
extern const unsigned char tni_page[];
extern const size_t tni_page_size;

#define TNI_PAGE_POLICY                                                        \
    "default-src 'none'; style-src 'unsafe-inline'; "                          \
    "script-src 'unsafe-inline'; img-src data: blob:; connect-src 'self'; "    \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

#endif

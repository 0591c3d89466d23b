/* SPDX-License-Identifier: Apache-2.0 */
/* server_opts.h - the options of a server: copied, completed, checked */
#ifndef TN_SRC_SERVE_SERVER_OPTS_H
#define TN_SRC_SERVE_SERVER_OPTS_H

#include "base/alloc.h"
#include "base/err.h"
#include "tenon/server.h"

/* Fills `to` with what is said and the defaults of the rest, strings in the
 * arena; TN_EINVAL names the option that cannot be. */
tn_status tni_server_opts_take(tn_server_opts *to, const tn_server_opts *from,
                               int most_io_threads, tni_arena *arena,
                               tn_err *err);
/* Only this machine can reach the address. */
bool tni_server_is_loopback(const char *host);
/* Whether control by request is on, by the flags, the address, the tokens. */
bool tni_server_allows_control(const tn_server_opts *o);

/* Nanoseconds; at most 100 years. */
uint64_t tni_server_ns(uint64_t ms);

#endif

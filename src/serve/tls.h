/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h - TLS 1.2 and later on the server's side, by OpenSSL */
#ifndef TN_SRC_SERVE_TLS_H
#define TN_SRC_SERVE_TLS_H

#include "base/alloc.h"
#include "base/err.h"
#include "sys/tcp.h"

typedef struct tni_tls tni_tls;           /* locked */
typedef struct tni_tls_conn tni_tls_conn; /* exclusive */

typedef struct tni_tls_opts {
    const char *cert_file; /* PEM: the server's, then those above it */
    const char *key_file;  /* PEM */
    /* PEM of authorities, one of which must have signed the certificate that
     * a client has to show; NULL: clients show none. */
    const char *client_ca_file;
} tni_tls_opts;

/* The names of the files must stay valid for tni_tls_reload. */
tn_status tni_tls_new(tni_tls **out, const tni_tls_opts *opts, tni_mem *mem,
                      tn_err *err);
/* Reads the files again, for connections to come; on failure those read before
 * stay. Threads: any. */
tn_status tni_tls_reload(tni_tls *tls, tn_err *err);
/* After its connections. NULL allowed. */
void tni_tls_free(tni_tls *tls);

/* The handshake is a part of reading. NULL when memory is out. Offers h2 and
 * http/1.1; what the client then speaks is seen by its first bytes. The thread
 * must have SIGPIPE blocked. */
tni_tls_conn *tni_tls_conn_new(tni_tls *tls, int fd);
void tni_tls_conn_free(tni_tls_conn *c);
/* As tni_tcp_read and tni_tcp_write. */
ptrdiff_t tni_tls_read(tni_tls_conn *c, void *buf, size_t size);
ptrdiff_t tni_tls_write(tni_tls_conn *c, const tni_slice *slices, size_t n);
/* Whether bytes were decrypted and not read yet. */
bool tni_tls_holds(const tni_tls_conn *c);
void tni_tls_finish(tni_tls_conn *c);

#endif

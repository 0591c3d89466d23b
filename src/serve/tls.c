/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c - TLS 1.2 and later on the server's side, by OpenSSL */
#include "serve/tls.h"

#include "sys/mutex.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

enum { RECORD_BYTES = 16384 };

struct tni_tls {
    tni_tls_opts opts;
    tni_mem *mem;
    tni_mutex *lock; /* of context */
    SSL_CTX *context;
};

struct tni_tls_conn {
    tni_mem *mem;
    SSL *ssl;
};

static tn_status fail(tn_err *err, const char *what, const char *file)
{
    char why[128];
    const unsigned long e = ERR_peek_last_error();
    ERR_error_string_n(e, why, sizeof why);
    ERR_clear_error();
    tni_err_where(err, "%s", file);
    return tni_fail(err, TN_EFORMAT, "%s (%s); expected PEM", what,
                    e != 0 ? why : "no reason given");
}

/* What a client offers against what is spoken here. */
static int choose_protocol(SSL *ssl, const unsigned char **out,
                           unsigned char *out_len, const unsigned char *in,
                           unsigned in_len, void *arg)
{
    static const unsigned char spoken[] = "\x02h2\x08http/1.1";
    unsigned char *chosen = NULL;
    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, spoken, sizeof spoken - 1, in,
                              in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static tn_status load_client_ca(SSL_CTX *ctx, const char *file, tn_err *err)
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);
    if (names == NULL || SSL_CTX_load_verify_file(ctx, file) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return fail(err, "cannot use the certificates of client authorities",
                    file);
    }
    SSL_CTX_set_client_CA_list(ctx, names);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       NULL);
    return TN_OK;
}

static tn_status load(SSL_CTX *ctx, const tni_tls_opts *o, tn_err *err)
{
    (void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
                                       SSL_OP_NO_COMPRESSION |
                                       SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                    SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"tenon",
                                         5);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    if (SSL_CTX_use_certificate_chain_file(ctx, o->cert_file) != 1)
        return fail(err, "cannot use the certificate", o->cert_file);
    if (SSL_CTX_use_PrivateKey_file(ctx, o->key_file, SSL_FILETYPE_PEM) != 1)
        return fail(err, "cannot use the private key", o->key_file);
    if (SSL_CTX_check_private_key(ctx) != 1)
        return fail(err, "the key does not belong to the certificate",
                    o->key_file);
    if (o->client_ca_file != NULL)
        return load_client_ca(ctx, o->client_ca_file, err);
    return TN_OK;
}

tn_status tni_tls_reload(tni_tls *tls, tn_err *err)
{
    ERR_clear_error();
    SSL_CTX *fresh = SSL_CTX_new(TLS_server_method());
    if (fresh == NULL) return tni_fail(err, TN_ENOMEM, "no memory for TLS");
    const tn_status s = load(fresh, &tls->opts, err);
    if (s != TN_OK) {
        SSL_CTX_free(fresh);
        return s;
    }
    tni_mutex_lock(tls->lock);
    SSL_CTX *old = tls->context;
    tls->context = fresh;
    tni_mutex_unlock(tls->lock);
    SSL_CTX_free(old); /* connections hold it as long as they need it */
    return TN_OK;
}

tn_status tni_tls_new(tni_tls **out, const tni_tls_opts *opts, tni_mem *mem,
                      tn_err *err)
{
    *out = NULL;
    tni_tls *tls = tni_mem_alloc(mem, sizeof *tls, _Alignof(tni_tls));
    if (tls == NULL) return tni_fail(err, TN_ENOMEM, "no memory for TLS");
    *tls = (tni_tls){*opts, mem, NULL, NULL};
    tn_status s = tni_mutex_new(&tls->lock, mem, err);
    if (s == TN_OK) s = tni_tls_reload(tls, err);
    if (s != TN_OK) {
        tni_tls_free(tls);
        return s;
    }
    *out = tls;
    return TN_OK;
}

void tni_tls_free(tni_tls *tls)
{
    if (tls == NULL) return;
    SSL_CTX_free(tls->context);
    tni_mutex_free(tls->lock, tls->mem);
    tni_mem_free(tls->mem, tls, sizeof *tls, _Alignof(tni_tls));
}

tni_tls_conn *tni_tls_conn_new(tni_tls *tls, int fd)
{
    tni_tls_conn *c =
        tni_mem_alloc(tls->mem, sizeof *c, _Alignof(tni_tls_conn));
    if (c == NULL) return NULL;
    c->mem = tls->mem;
    tni_mutex_lock(tls->lock);
    c->ssl = SSL_new(tls->context);
    tni_mutex_unlock(tls->lock);
    if (c->ssl == NULL || SSL_set_fd(c->ssl, fd) != 1) {
        tni_tls_conn_free(c);
        return NULL;
    }
    SSL_set_accept_state(c->ssl);
    return c;
}

void tni_tls_conn_free(tni_tls_conn *c)
{
    if (c == NULL) return;
    SSL_free(c->ssl);
    tni_mem_free(c->mem, c, sizeof *c, _Alignof(tni_tls_conn));
}

/* What a call that gave `n` means. */
static ptrdiff_t result(tni_tls_conn *c, int n)
{
    if (n > 0) return n;
    const int e = SSL_get_error(c->ssl, n);
    ERR_clear_error();
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
        return TNI_IO_AGAIN;
    return e == SSL_ERROR_ZERO_RETURN ? 0 : TNI_IO_LOST;
}

ptrdiff_t tni_tls_read(tni_tls_conn *c, void *buf, size_t size)
{
    ERR_clear_error();
    const int n = size < (1u << 30) ? (int)size : 1 << 30;
    return result(c, SSL_read(c->ssl, buf, n));
}

ptrdiff_t tni_tls_write(tni_tls_conn *c, const tni_slice *slices, size_t n)
{
    /* One record: the first slice when it fills one, else as many as fit. A
     * call that is repeated finds the same bytes first, as OpenSSL asks. */
    uint8_t record[RECORD_BYTES];
    size_t len = 0;
    const void *from = slices[0].p;
    if (slices[0].len >= RECORD_BYTES) {
        len = RECORD_BYTES;
    } else {
        for (size_t i = 0; i < n && len < RECORD_BYTES; i++) {
            size_t k = RECORD_BYTES - len;
            if (k > slices[i].len) k = slices[i].len;
            memcpy(record + len, slices[i].p, k);
            len += k;
        }
        from = record;
    }
    ERR_clear_error();
    const ptrdiff_t k = result(c, SSL_write(c->ssl, from, (int)len));
    return k == 0 ? TNI_IO_LOST : k;
}

bool tni_tls_holds(const tni_tls_conn *c)
{
    return SSL_pending(c->ssl) > 0;
}

void tni_tls_finish(tni_tls_conn *c)
{
    ERR_clear_error();
    /* Before the handshake's end there is nothing to say goodbye to. */
    if (SSL_is_init_finished(c->ssl)) (void)SSL_shutdown(c->ssl);
    ERR_clear_error();
}

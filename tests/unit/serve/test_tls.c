/* SPDX-License-Identifier: Apache-2.0 */
/* test_tls.c - TLS over sockets: protocols, clients' certificates, new ones */
#include "h2_client.h"

#include "harness/tmp.h"
#include "serve/tls.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>

typedef struct identity {
    EVP_PKEY *key;
    X509 *cert;
} identity;

/* A certificate for `name`, signed by `by`, or by itself as an authority. */
static identity make_identity(const char *name, const identity *by, long serial)
{
    identity me = {EVP_EC_gen("P-256"), X509_new()};
    assert_non_null(me.key);
    assert_non_null(me.cert);
    (void)X509_set_version(me.cert, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(me.cert), serial);
    (void)X509_gmtime_adj(X509_getm_notBefore(me.cert), -3600);
    (void)X509_gmtime_adj(X509_getm_notAfter(me.cert), 3600);
    (void)X509_set_pubkey(me.cert, me.key);
    X509_NAME *subject = X509_get_subject_name(me.cert);
    (void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                     (const unsigned char *)name, -1, -1, 0);
    (void)X509_set_issuer_name(
        me.cert, by != NULL ? X509_get_subject_name(by->cert) : subject);
    if (by == NULL) {
        X509_EXTENSION *ca = X509V3_EXT_conf_nid(
            NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
        (void)X509_add_ext(me.cert, ca, -1);
        X509_EXTENSION_free(ca);
    }
    assert_true(
        X509_sign(me.cert, by != NULL ? by->key : me.key, EVP_sha256()) > 0);
    return me;
}

static void free_identity(identity *me)
{
    EVP_PKEY_free(me->key);
    X509_free(me->cert);
}

static void write_identity(const identity *me, const char *cert_file,
                           const char *key_file)
{
    FILE *f = fopen(cert_file, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, me->cert), 1);
    (void)fclose(f);
    if (key_file == NULL) return;
    f = fopen(key_file, "w");
    assert_non_null(f);
    assert_int_equal(
        PEM_write_PrivateKey(f, me->key, NULL, NULL, 0, NULL, NULL), 1);
    (void)fclose(f);
}

/* A loop with TLS, its files in a folder of their own. */
typedef struct tls_rig {
    rig r;
    char dir[TMP_PATH], cert[TMP_PATH], key[TMP_PATH], ca[TMP_PATH];
    identity authority, server;
    tni_mem mem;
    tni_tls *tls;
} tls_rig;

static void tls_init(tls_rig *t, bool ask_clients)
{
    tn_err err = {.code = TN_OK};
    rig_init(&t->r);
    tni_mem_init(&t->mem, NULL, 0);
    tmp_new(t->dir);
    tmp_path(t->cert, t->dir, "cert.pem");
    tmp_path(t->key, t->dir, "key.pem");
    tmp_path(t->ca, t->dir, "ca.pem");
    t->authority = make_identity("authority", NULL, 1);
    t->server = make_identity("server", &t->authority, 2);
    write_identity(&t->server, t->cert, t->key);
    write_identity(&t->authority, t->ca, NULL);
    const tni_tls_opts o = {t->cert, t->key, ask_clients ? t->ca : NULL};
    assert_int_equal(tni_tls_new(&t->tls, &o, &t->mem, &err), TN_OK);
    t->r.opts.tls = t->tls;
}

static void tls_stop(tls_rig *t)
{
    rig_stop(&t->r, false);
    tni_tls_free(t->tls);
    assert_int_equal(t->mem.used_bytes, 0);
    free_identity(&t->authority);
    free_identity(&t->server);
    tmp_remove(t->dir);
}

/* A connection by TLS; NULL when the handshake fails. alpn: lengths and names;
 * me: what the client shows. */
static SSL *dial_as(const rig *r, const char *alpn, const identity *me,
                    int max_version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    (void)SSL_CTX_set_max_proto_version(ctx, max_version);
    if (me != NULL) {
        assert_int_equal(SSL_CTX_use_certificate(ctx, me->cert), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(ctx, me->key), 1);
    }
    SSL *ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    const int fd = rig_connect(r);
    if (alpn != NULL)
        (void)SSL_set_alpn_protos(ssl, (const unsigned char *)alpn,
                                  (unsigned)strlen(alpn));
    (void)SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) == 1) return ssl;
    SSL_free(ssl);
    tni_tcp_close(fd);
    return NULL;
}

static SSL *dial(const rig *r, const char *alpn)
{
    return dial_as(r, alpn, NULL, 0);
}

static void hang_up(SSL *ssl)
{
    const int fd = SSL_get_fd(ssl);
    SSL_free(ssl);
    tni_tcp_close(fd);
}

/* Asks by HTTP/1.1; whether it was answered. */
static bool asks(SSL *ssl)
{
    static const char text[] = "POST /echo HTTP/1.1\r\nHost: a\r\n"
                               "Content-Length: 3\r\n\r\nabc";
    char buf[1024];
    size_t n = 0;
    if (SSL_write(ssl, text, sizeof text - 1) <= 0) return false;
    while (n < 3 || memcmp(buf + n - 3, "abc", 3) != 0) {
        const int k = SSL_read(ssl, buf + n, (int)(sizeof buf - n));
        if (k <= 0) return false;
        n += (size_t)k;
    }
    return memcmp(buf, "HTTP/1.1 200", 12) == 0;
}

static bool chose(const SSL *ssl, const char *name)
{
    const unsigned char *p = NULL;
    unsigned n = 0;
    SSL_get0_alpn_selected(ssl, &p, &n);
    return n == strlen(name) && (n == 0 || memcmp(p, name, n) == 0);
}

static void protocols_of_both_kinds(void **state)
{
    (void)state;
    tls_rig t;
    tls_init(&t, false);
    rig_start(&t.r);
    static const struct {
        const char *offered, *chosen;
    } cases[] = {{NULL, ""},
                 {"\x08http/1.1", "http/1.1"},
                 {"\x02h2\x08http/1.1", "h2"},
                 {"\x08http/1.1\x02h2", "h2"},
                 {"\x03xyz\x02h2", "h2"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SSL *ssl = dial(&t.r, cases[i].offered);
        assert_non_null(ssl);
        assert_true(chose(ssl, cases[i].chosen));
        if (strcmp(cases[i].chosen, "h2") != 0) {
            assert_true(asks(ssl));
            assert_true(asks(ssl));
            hang_up(ssl);
            continue;
        }
        h2_client *c = h2_on(SSL_get_fd(ssl), ssl, 4 << 20, false);
        h2_call *k =
            h2_ask(c, "POST", "/echo", NULL, t.r.filler, 5000000, false);
        h2_expect(c, k, 200, t.r.filler, 5000000);
        const char *const grpc[] = {"content-type", "application/grpc", "te",
                                    "trailers", NULL};
        k = h2_ask(c, "POST", "/echo", grpc, "\0\0\0\0\3abc", 8, false);
        h2_expect(c, k, 200, "\0\0\0\0\3abc", 8);
        assert_int_equal(k->grpc_status, 0);
        h2_close(c);
    }
    assert_null(dial(&t.r, "\x03xyz"));
    SSL *old = dial_as(&t.r, NULL, NULL, TLS1_2_VERSION);
    assert_non_null(old);
    assert_true(asks(old));
    hang_up(old);
    assert_null(dial_as(&t.r, NULL, NULL, TLS1_1_VERSION));
    tls_stop(&t);
}

static void clients_show_certificates(void **state)
{
    (void)state;
    tls_rig t;
    tls_init(&t, true);
    rig_start(&t.r);
    /* Of the clients, which write where nobody listens any more; the server's
     * threads see to it themselves. */
    sigset_t pipe_signal;
    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
    identity known = make_identity("known", &t.authority, 3);
    identity other = make_identity("other authority", NULL, 4);
    identity stranger = make_identity("stranger", &other, 5);
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 2; i++) {
        const identity *const mine[] = {&known, &stranger, NULL};
        for (size_t k = 0; k < 3; k++) {
            /* By TLS 1.3 a client learns of it with what it reads first. */
            SSL *ssl = dial_as(&t.r, NULL, mine[k], versions[i]);
            assert_int_equal(ssl != NULL && asks(ssl), mine[k] == &known);
            if (ssl != NULL) hang_up(ssl);
        }
    }
    free_identity(&known);
    free_identity(&other);
    free_identity(&stranger);
    tls_stop(&t);
}

static long serial_of(const SSL *ssl)
{
    X509 *cert = SSL_get1_peer_certificate(ssl);
    const long serial = ASN1_INTEGER_get(X509_get0_serialNumber(cert));
    X509_free(cert);
    return serial;
}

static void new_certificates(void **state)
{
    (void)state;
    tls_rig t;
    tls_init(&t, false);
    rig_start(&t.r);
    SSL *before = dial(&t.r, NULL);
    assert_int_equal(serial_of(before), 2);
    identity fresh = make_identity("server", &t.authority, 7);
    tn_err err = {.code = TN_OK};
    write_identity(&fresh, t.cert, NULL); /* and not its key */
    assert_int_equal(tni_tls_reload(t.tls, &err), TN_EFORMAT);
    assert_non_null(strstr(err.where, "key.pem"));
    SSL *still = dial(&t.r, NULL);
    assert_int_equal(serial_of(still), 2);
    write_identity(&fresh, t.cert, t.key);
    assert_int_equal(tni_tls_reload(t.tls, &err), TN_OK);
    SSL *after = dial(&t.r, NULL);
    assert_int_equal(serial_of(after), 7);
    assert_true(asks(before) && asks(still) && asks(after));
    hang_up(before);
    hang_up(still);
    hang_up(after);
    free_identity(&fresh);
    FILE *f = fopen(t.cert, "w");
    assert_non_null(f);
    (void)fputs("no certificate\n", f);
    (void)fclose(f);
    assert_int_equal(tni_tls_reload(t.tls, &err), TN_EFORMAT);
    assert_non_null(strstr(err.message, "PEM"));
    tls_stop(&t);
}

static void garbage_and_silence(void **state)
{
    (void)state;
    tls_rig t;
    tls_init(&t, false);
    t.r.opts.header_timeout_ns = 300000000u;
    rig_start(&t.r);
    static const char bad[][16] = {"\x16\x03\x01\xff\xff", "\x16xxxxxxxxxxxxx",
                                   "\x16\x03\x01\0\4\1\0\0\0", "\x16\x16\x16"};
    char c[64];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const int fd = rig_connect(&t.r);
        rig_put(fd, bad[i], sizeof bad[i]);
        while (tni_tcp_read(fd, c, sizeof c) > 0) {
        }
        tni_tcp_close(fd);
    }
    const int begun = rig_connect(&t.r); /* half of a ClientHello */
    rig_put(begun, "\x16\x03\x01\x01\0\x01\0\0\xfc", 9);
    SSL *quiet = dial(&t.r, "\x02h2"); /* and nothing after the handshake */
    assert_non_null(quiet);
    assert_true(tni_tcp_read(begun, c, sizeof c) <= 0);
    assert_true(SSL_read(quiet, c, sizeof c) <= 0);
    tni_tcp_close(begun);
    hang_up(quiet);
    /* Bytes that are not TLS's inside of it: the record is refused. */
    SSL *ssl = dial(&t.r, NULL);
    assert_true(asks(ssl));
    rig_put(SSL_get_fd(ssl),
            "\x17\x03\x03\0\x20garbage garbage garbage garbage.", 37);
    assert_true(SSL_read(ssl, c, sizeof c) <= 0);
    hang_up(ssl);
    /* The port speaks without TLS too, as long as it may. */
    const int plain = rig_connect(&t.r);
    rig_say(plain, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(tni_tcp_read(plain, c, sizeof c) > 0);
    tni_tcp_close(plain);
    tls_stop(&t);
}

static void nothing_but_tls(void **state)
{
    (void)state;
    tls_rig t;
    tls_init(&t, false);
    t.r.opts.tls_only = true;
    rig_start(&t.r);
    char c;
    const int plain = rig_connect(&t.r);
    rig_say(plain, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(tni_tcp_read(plain, &c, 1) <= 0);
    tni_tcp_close(plain);
    SSL *ssl = dial(&t.r, NULL);
    assert_true(asks(ssl));
    hang_up(ssl);
    assert_int_equal(atomic_load(&t.r.requests), 1);
    tls_stop(&t);
}

/* A client that is gone while it is answered: SIGPIPE, whose default is to end
 * the program, must not be raised, with TLS or without. */
static void gone_while_answered(void **state)
{
    (void)state;
    tls_rig t;
    tls_init(&t, false);
    rig_start(&t.r);
    for (int i = 0; i < 10; i++) {
        static const char text[] = "GET /big HTTP/1.1\r\nHost: a\r\n\r\n";
        SSL *ssl = dial(&t.r, NULL);
        assert_true(SSL_write(ssl, text, sizeof text - 1) > 0);
        char c[16];
        if (i % 2 == 0) assert_true(SSL_read(ssl, c, sizeof c) > 0);
        const struct linger l = {i % 3 == 0, 0};
        (void)setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_LINGER, &l, sizeof l);
        hang_up(ssl);
        const int fd = rig_connect(&t.r);
        rig_put(fd, text, sizeof text - 1);
        if (i % 2 == 0) assert_true(tni_tcp_read(fd, c, sizeof c) > 0);
        tni_tcp_close(fd);
    }
    RIG_WAIT(atomic_load(&t.r.released) == atomic_load(&t.r.pieces));
    SSL *ssl = dial(&t.r, NULL);
    assert_true(asks(ssl));
    hang_up(ssl);
    tls_stop(&t);
}

static void drained(void **state)
{
    (void)state;
    tls_rig t;
    tls_init(&t, false);
    rig_start(&t.r);
    SSL *ssl = dial(&t.r, NULL);
    assert_true(asks(ssl));
    tni_loop_drain(t.r.loop, 0, 2000000000u);
    char c;
    assert_int_equal(SSL_read(ssl, &c, 1), 0);
    assert_int_equal(SSL_get_error(ssl, 0), SSL_ERROR_ZERO_RETURN);
    hang_up(ssl);
    tls_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protocols_of_both_kinds),
        cmocka_unit_test(new_certificates),
        cmocka_unit_test(garbage_and_silence),
        cmocka_unit_test(nothing_but_tls),
        cmocka_unit_test(gone_while_answered),
        cmocka_unit_test(drained),
        cmocka_unit_test(clients_show_certificates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

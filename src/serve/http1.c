/* SPDX-License-Identifier: Apache-2.0 */
/* http1.c - HTTP/1.1 requests from bytes, and heads of answers to bytes */
#include "serve/http1.h"

#include <stdio.h>

enum head_state {
    AT_START,    /* empty lines may come before a request */
    AT_START_LF, /* behind the CR of one */
    IN_METHOD,
    IN_TARGET,
    IN_VERSION,
    AT_VERSION_LF,
    AT_FIELD,
    IN_NAME,
    IN_VALUE,
    AT_VALUE_LF,
    AT_END_LF,
    HEAD_DONE,
    HEAD_BAD
};

enum { MAX_BLANK_LINES = 4 };

static tni_http1_step bad(tni_http1_head *h, int status, const char *reason)
{
    h->state = HEAD_BAD;
    h->status = status;
    h->reason = reason;
    return TNI_HTTP1_BAD;
}

/* Letters, digits and !#$%&'*+-.^_`|~ */
static bool is_token_char(uint8_t c)
{
    static const uint32_t set[4] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};
    return c < 128 && (set[c >> 5] >> (c & 31) & 1) != 0;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool is_text(tni_span t, const char *word)
{
    if (t.len != strlen(word)) return false;
    for (size_t i = 0; i < t.len; i++)
        if (lower((uint8_t)t.p[i]) != (uint8_t)word[i]) return false;
    return true;
}

static tni_span trim(tni_span t)
{
    while (t.len != 0 && (*t.p == ' ' || *t.p == '\t')) {
        t.p++;
        t.len--;
    }
    while (t.len != 0 && (t.p[t.len - 1] == ' ' || t.p[t.len - 1] == '\t'))
        t.len--;
    return t;
}

static tni_http1_step read_length(tni_http1_head *h, tni_span v)
{
    uint64_t n = 0;
    if (v.len == 0 || v.len > 18)
        return bad(h, 400, "Content-Length is not a number of 1 to 18 digits");
    for (size_t i = 0; i < v.len; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return bad(h, 400, "Content-Length is not a decimal number");
        n = n * 10 + (uint64_t)(v.p[i] - '0');
    }
    if (h->has_length && h->length != n)
        return bad(h, 400, "two different Content-Lengths");
    h->has_length = true;
    h->length = n;
    return TNI_HTTP1_MORE;
}

static void read_connection(tni_http1_head *h, tni_span v)
{
    while (v.len != 0) {
        size_t n = 0;
        while (n < v.len && v.p[n] != ',') n++;
        const tni_span word = trim((tni_span){v.p, n});
        if (is_text(word, "close")) h->close = true;
        if (is_text(word, "keep-alive")) h->keep = true;
        if (n < v.len) n++;
        v.p += n;
        v.len -= n;
    }
}

/* What a field means to the framing of messages. */
static tni_http1_step look_at_field(tni_http1_head *h, tni_header f)
{
    if (tni_span_is(f.name, "content-length")) return read_length(h, f.value);
    if (tni_span_is(f.name, "transfer-encoding")) {
        if (h->chunked || h->minor == 0)
            return bad(h, 400, "Transfer-Encoding where it may not be");
        if (!is_text(f.value, "chunked"))
            return bad(h, 501, "Transfer-Encoding other than chunked");
        h->chunked = true;
    } else if (tni_span_is(f.name, "connection")) {
        read_connection(h, f.value);
    } else if (tni_span_is(f.name, "expect")) {
        if (!is_text(f.value, "100-continue"))
            return bad(h, 417, "Expect other than 100-continue");
        h->expect_continue = h->minor != 0;
    } else if (tni_span_is(f.name, "host")) {
        if (h->has_host) return bad(h, 400, "two Host fields");
        h->has_host = true;
    }
    return TNI_HTTP1_MORE;
}

/* `end` is where the CR of its line is. */
static tni_http1_step end_of_field(tni_http1_head *h, const uint8_t *bytes,
                                   size_t end)
{
    tni_header *f = &h->fields[h->n_fields - 1];
    f->value = trim((tni_span){(const char *)bytes + h->begin, end - h->begin});
    h->state = AT_FIELD;
    return look_at_field(h, *f);
}

/* The part of a target behind "http://host", or all of it. */
static tni_span without_authority(tni_span t)
{
    size_t skip = 0;
    if (t.len >= 7 && is_text((tni_span){t.p, 7}, "http://")) skip = 7;
    if (t.len >= 8 && is_text((tni_span){t.p, 8}, "https://")) skip = 8;
    if (skip == 0) return t;
    while (skip < t.len && t.p[skip] != '/' && t.p[skip] != '?') skip++;
    return (tni_span){t.p + skip, t.len - skip};
}

static tni_http1_step end_of_target(tni_http1_head *h, const uint8_t *bytes,
                                    size_t end)
{
    const tni_span whole = {(const char *)bytes + h->begin, end - h->begin};
    const tni_span t = without_authority(whole);
    size_t n = 0;
    while (n < t.len && t.p[n] != '?') n++;
    h->path = (tni_span){t.p, n};
    h->query = n < t.len ? (tni_span){t.p + n + 1, t.len - n - 1}
                         : (tni_span){t.p + n, 0};
    const bool absolute = t.p != whole.p;
    if (absolute && n == 0) h->path = tni_span_of("/");
    const bool rooted = h->path.len != 0 && h->path.p[0] == '/';
    const bool all = !absolute && tni_span_is(h->path, "*") &&
                     tni_span_is(h->method, "OPTIONS");
    if (!rooted && !all)
        return bad(h, 400, "the request's target is not a path");
    h->state = IN_VERSION;
    return TNI_HTTP1_MORE;
}

static tni_http1_step end_of_version(tni_http1_head *h)
{
    const char *v = h->version;
    if (h->version_len != 8 || memcmp(v, "HTTP/", 5) != 0 || v[6] != '.' ||
        v[5] < '0' || v[5] > '9' || v[7] < '0' || v[7] > '9')
        return bad(h, 400, "the request line does not end in HTTP/1.1");
    if (v[5] != '1') return bad(h, 505, "a version other than HTTP/1.x");
    h->minor = v[7] == '0' ? 0 : 1;
    h->state = AT_VERSION_LF;
    return TNI_HTTP1_MORE;
}

static tni_http1_step end_of_head(tni_http1_head *h)
{
    if (h->chunked && h->has_length)
        return bad(h, 400, "both Content-Length and Transfer-Encoding");
    if (h->minor != 0 && !h->has_host) return bad(h, 400, "no Host field");
    h->keep_alive = !h->close && (h->minor != 0 || h->keep);
    h->state = HEAD_DONE;
    h->size = h->at;
    return TNI_HTTP1_DONE;
}

/* A byte of the request line. */
static tni_http1_step line_byte(tni_http1_head *h, const uint8_t *bytes,
                                size_t i)
{
    const uint8_t c = bytes[i];
    if (h->state == IN_METHOD) {
        if (c == ' ') {
            h->method =
                (tni_span){(const char *)bytes + h->begin, i - h->begin};
            h->begin = i + 1;
            h->state = IN_TARGET;
        } else if (!is_token_char(c) || i - h->begin >= TNI_HTTP1_MAX_METHOD) {
            return bad(h, 400, "the method is not a word of 1 to 32 letters");
        }
    } else if (h->state == IN_TARGET) {
        if (c == ' ') return end_of_target(h, bytes, i);
        if (c <= ' ' || c >= 0x7f || c == '#')
            return bad(h, 400, "a byte that may not be in a target");
        if (i - h->begin >= TNI_HTTP1_MAX_TARGET)
            return bad(h, 414, "the target is longer than 8192 bytes");
    } else if (h->state == IN_VERSION) {
        if (c == '\r') return end_of_version(h);
        if (h->version_len == 8 || c <= ' ' || c >= 0x7f)
            return bad(h, 400, "the request line does not end in HTTP/1.1");
        h->version[h->version_len++] = (char)c;
    } else { /* AT_VERSION_LF */
        if (c != '\n') return bad(h, 400, "a CR without LF");
        h->state = AT_FIELD;
    }
    return TNI_HTTP1_MORE;
}

static tni_http1_step name_byte(tni_http1_head *h, uint8_t *bytes, size_t i)
{
    const uint8_t c = bytes[i];
    if (c == ':' && i > h->begin) {
        h->fields[h->n_fields - 1].name =
            (tni_span){(const char *)bytes + h->begin, i - h->begin};
        h->begin = i + 1;
        h->state = IN_VALUE;
    } else if (is_token_char(c)) {
        bytes[i] = lower(c);
    } else {
        return bad(h, 400, "a byte that may not be in a field's name");
    }
    return TNI_HTTP1_MORE;
}

/* The first byte of a line behind the request line. */
static tni_http1_step first_byte(tni_http1_head *h, uint8_t *bytes, size_t i)
{
    const uint8_t c = bytes[i];
    if (c == '\r') {
        h->state = AT_END_LF;
        return TNI_HTTP1_MORE;
    }
    if (c == ' ' || c == '\t')
        return bad(h, 400, "a header line that is continued");
    if (h->n_fields == TNI_HTTP1_MAX_FIELDS)
        return bad(h, 431, "more than 100 header fields");
    h->n_fields++;
    h->begin = i;
    h->state = IN_NAME;
    return name_byte(h, bytes, i);
}

static tni_http1_step field_byte(tni_http1_head *h, uint8_t *bytes, size_t i)
{
    const uint8_t c = bytes[i];
    if (++h->field_bytes > TNI_HTTP1_MAX_FIELD_BYTES)
        return bad(h, 431, "the header is longer than 8192 bytes");
    if (h->state == AT_FIELD) return first_byte(h, bytes, i);
    if (h->state == IN_NAME) return name_byte(h, bytes, i);
    if (h->state == IN_VALUE) {
        if (c == '\r')
            h->state = AT_VALUE_LF;
        else if ((c < ' ' && c != '\t') || c == 0x7f)
            return bad(h, 400, "a byte that may not be in a field's value");
        return TNI_HTTP1_MORE;
    }
    /* AT_VALUE_LF or AT_END_LF */
    if (c != '\n') return bad(h, 400, "a CR without LF");
    if (h->state == AT_VALUE_LF) return end_of_field(h, bytes, i - 1);
    return end_of_head(h);
}

/* Before the request line: a few empty lines are forgiven. */
static tni_http1_step start_byte(tni_http1_head *h, const uint8_t *bytes,
                                 size_t i)
{
    const uint8_t c = bytes[i];
    if (h->state == AT_START_LF) {
        if (c != '\n') return bad(h, 400, "a CR without LF");
        h->state = AT_START;
        return TNI_HTTP1_MORE;
    }
    if (c == '\r' && h->blank_lines < MAX_BLANK_LINES) {
        h->blank_lines++;
        h->state = AT_START_LF;
        return TNI_HTTP1_MORE;
    }
    if (!is_token_char(c)) return bad(h, 400, "not a request of HTTP");
    h->begin = i;
    h->state = IN_METHOD;
    return TNI_HTTP1_MORE;
}

void tni_http1_head_init(tni_http1_head *h)
{
    /* The fields need no zeroing, and are most of it. */
    memset(&h->n_fields, 0, sizeof *h - offsetof(tni_http1_head, n_fields));
    h->method = h->path = h->query = (tni_span){"", 0};
    h->minor = 1;
}

tni_http1_step tni_http1_head_feed(tni_http1_head *h, uint8_t *bytes,
                                   size_t size)
{
    tni_http1_step step = TNI_HTTP1_MORE;
    if (h->state == HEAD_BAD) return TNI_HTTP1_BAD;
    if (h->state == HEAD_DONE) return TNI_HTTP1_DONE;
    while (step == TNI_HTTP1_MORE && h->at < size) {
        const size_t i = h->at++;
        if (h->state >= AT_FIELD)
            step = field_byte(h, bytes, i);
        else if (h->state >= IN_METHOD)
            step = line_byte(h, bytes, i);
        else
            step = start_byte(h, bytes, i);
    }
    return step;
}

/* --- chunks --------------------------------------------------------------- */

enum chunk_state {
    IN_SIZE,
    IN_EXTENSION,
    AT_SIZE_LF,
    IN_CHUNK,
    AT_CHUNK_CR,
    AT_CHUNK_LF,
    AT_TRAILER,
    IN_TRAILER,
    AT_TRAILER_LF,
    AT_LAST_LF,
    CHUNKS_DONE,
    CHUNKS_BAD
};

static tni_http1_step bad_chunk(tni_http1_chunks *c, int status,
                                const char *reason)
{
    c->state = CHUNKS_BAD;
    c->status = status;
    c->reason = reason;
    return TNI_HTTP1_BAD;
}

static int hex_digit(uint8_t b)
{
    if (b >= '0' && b <= '9') return b - '0';
    b = lower(b);
    return b >= 'a' && b <= 'f' ? b - 'a' + 10 : -1;
}

static tni_http1_step size_byte(tni_http1_chunks *c, uint8_t b)
{
    const int digit = c->state == IN_SIZE ? hex_digit(b) : -1;
    if (digit >= 0) {
        if (c->digits++ == 15)
            return bad_chunk(c, 413, "a chunk with a size of 16 digits");
        c->left = c->left * 16 + (uint64_t)digit;
        return TNI_HTTP1_MORE;
    }
    if (c->state == AT_SIZE_LF) {
        if (b != '\n') return bad_chunk(c, 400, "a CR without LF");
        c->state = c->left != 0 ? IN_CHUNK : AT_TRAILER;
        c->extra = 0;
        return TNI_HTTP1_MORE;
    }
    if (c->digits == 0) return bad_chunk(c, 400, "a chunk without a size");
    if (b == '\r') {
        c->state = AT_SIZE_LF;
        return TNI_HTTP1_MORE;
    }
    if (c->state == IN_SIZE && b != ';' && b != ' ' && b != '\t')
        return bad_chunk(c, 400, "the size of a chunk is not a number");
    c->state = IN_EXTENSION;
    if ((b < ' ' && b != '\t') || b == 0x7f)
        return bad_chunk(c, 400, "a byte that may not be in an extension");
    if (++c->extra > TNI_HTTP1_MAX_EXTENSION)
        return bad_chunk(c, 400, "an extension longer than 256 bytes");
    return TNI_HTTP1_MORE;
}

static tni_http1_step trailer_byte(tni_http1_chunks *c, uint8_t b)
{
    if (++c->extra > TNI_HTTP1_MAX_FIELD_BYTES)
        return bad_chunk(c, 431, "trailers longer than 8192 bytes");
    switch (c->state) {
    case AT_TRAILER:
    case IN_TRAILER:
        if (b == '\r')
            c->state = c->state == AT_TRAILER ? AT_LAST_LF : AT_TRAILER_LF;
        else if ((b < ' ' && b != '\t') || b == 0x7f)
            return bad_chunk(c, 400, "a byte that may not be in a trailer");
        else
            c->state = IN_TRAILER;
        return TNI_HTTP1_MORE;
    default:
        if (b != '\n') return bad_chunk(c, 400, "a CR without LF");
        if (c->state == AT_LAST_LF) {
            c->state = CHUNKS_DONE;
            return TNI_HTTP1_DONE;
        }
        c->state = AT_TRAILER;
        return TNI_HTTP1_MORE;
    }
}

static tni_http1_step chunk_end_byte(tni_http1_chunks *c, uint8_t b)
{
    if (b != (c->state == AT_CHUNK_CR ? '\r' : '\n'))
        return bad_chunk(c, 400, "a chunk longer than its size");
    if (c->state == AT_CHUNK_CR) {
        c->state = AT_CHUNK_LF;
    } else {
        c->state = IN_SIZE;
        c->digits = 0;
    }
    return TNI_HTTP1_MORE;
}

tni_http1_step tni_http1_chunks_feed(tni_http1_chunks *c, const uint8_t *bytes,
                                     size_t size, size_t *used,
                                     const uint8_t **data, size_t *len)
{
    tni_http1_step step = TNI_HTTP1_MORE;
    *used = 0;
    if (c->state == CHUNKS_BAD) return TNI_HTTP1_BAD;
    if (c->state == CHUNKS_DONE) return TNI_HTTP1_DONE;
    while (step == TNI_HTTP1_MORE && *used < size) {
        const size_t left = size - *used;
        if (c->state == IN_CHUNK) {
            *data = bytes + *used;
            *len = c->left < left ? (size_t)c->left : left;
            *used += *len;
            c->left -= *len;
            if (c->left == 0) c->state = AT_CHUNK_CR;
            return TNI_HTTP1_DATA;
        }
        const uint8_t b = bytes[(*used)++];
        if (c->state <= AT_SIZE_LF)
            step = size_byte(c, b);
        else if (c->state <= AT_CHUNK_LF)
            step = chunk_end_byte(c, b);
        else
            step = trailer_byte(c, b);
    }
    return step;
}

/* --- answers ---------------------------------------------------------------- */

size_t tni_http1_chunk_head(char out[TNI_HTTP1_CHUNK_HEAD], uint64_t size)
{
    const int n = snprintf(out, TNI_HTTP1_CHUNK_HEAD, "%llx\r\n",
                           (unsigned long long)size);
    return (size_t)n;
}

const char *tni_http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } known[] = {{100, "Continue"},
                 {200, "OK"},
                 {204, "No Content"},
                 {400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {408, "Request Timeout"},
                 {409, "Conflict"},
                 {413, "Content Too Large"},
                 {414, "URI Too Long"},
                 {415, "Unsupported Media Type"},
                 {417, "Expectation Failed"},
                 {422, "Unprocessable Content"},
                 {429, "Too Many Requests"},
                 {431, "Request Header Fields Too Large"},
                 {499, "Client Closed Request"},
                 {500, "Internal Server Error"},
                 {501, "Not Implemented"},
                 {503, "Service Unavailable"},
                 {504, "Gateway Timeout"},
                 {505, "HTTP Version Not Supported"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].status == status) return known[i].reason;
    return "Other";
}

typedef struct writer {
    char *buf;
    size_t used, cap;
    bool full;
} writer;

static void put(writer *w, const char *text, size_t len)
{
    if (w->full || len > w->cap - w->used) {
        w->full = true;
        return;
    }
    memcpy(w->buf + w->used, text, len);
    w->used += len;
}

static void put_text(writer *w, const char *text)
{
    put(w, text, strlen(text));
}

/* A field; control bytes, which could begin another line, are left out. */
static void put_field(writer *w, tni_span name, tni_span value)
{
    put(w, name.p, name.len);
    put(w, ": ", 2);
    for (size_t i = 0, begin = 0; i <= value.len; i++) {
        const bool end = i == value.len;
        if (!end && (uint8_t)value.p[i] >= ' ' && value.p[i] != 0x7f) continue;
        put(w, value.p + begin, i - begin);
        begin = i + 1;
    }
    put(w, "\r\n", 2);
}

size_t tni_http1_write_head(char *buf, size_t cap, const tni_http1_reply *r)
{
    writer w = {buf, 0, cap, false};
    char line[96];
    (void)snprintf(line, sizeof line, "HTTP/1.%d %d %s\r\n",
                   r->minor != 0 ? 1 : 0, r->status,
                   tni_http_reason(r->status));
    put_text(&w, line);
    if (r->date != NULL)
        put_field(&w, tni_span_of("Date"), tni_span_of(r->date));
    if (r->content_type != NULL)
        put_field(&w, tni_span_of("Content-Type"),
                  tni_span_of(r->content_type));
    for (size_t i = 0; i < r->n_headers; i++)
        put_field(&w, r->headers[i].name, r->headers[i].value);
    if (r->chunked) {
        put_text(&w, "Transfer-Encoding: chunked\r\n");
    } else if (!r->endless && !r->no_length) {
        (void)snprintf(line, sizeof line, "Content-Length: %llu\r\n",
                       (unsigned long long)r->length);
        put_text(&w, line);
    }
    if (!r->keep_alive)
        put_text(&w, "Connection: close\r\n");
    else if (r->minor == 0)
        put_text(&w, "Connection: keep-alive\r\n");
    put(&w, "\r\n", 2);
    return w.full ? 0 : w.used;
}

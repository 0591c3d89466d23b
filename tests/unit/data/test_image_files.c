/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_image_files.c - a thousand files of other projects against Pillow
 *
 * Reads images/pillow_verdict.jsonl of the test data and every file it names.
 * Where Pillow decodes, size and orientation must agree and pixels be the same
 * bytes (PNG, BMP) or the same on average (JPEG, WebP); where it refuses,
 * nothing may crash. Says so and passes when the test data are not there.
 */
#include "tenon/image.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- SHA-256 (FIPS 180-4), for the sums that the verdicts have ------------- */

static uint32_t ror(uint32_t v, int n)
{
    return v >> n | v << (32 - n);
}

/* The first 32 bits of the fractional part of the cube (square) root of the
 * n-th prime, by integer search. */
static uint32_t root_bits(int n, int power)
{
    uint32_t prime = 1;
    for (int found = 0; found <= n;) {
        int is_prime = ++prime >= 2;
        for (uint32_t d = 2; d * d <= prime; d++)
            if (prime % d == 0) is_prime = 0;
        found += is_prime;
    }
    /* floor(root * 2^32) by bisection, in long double's 64-bit mantissa. */
    long double low = 0, high = 32;
    for (int i = 0; i < 80; i++) {
        const long double mid = (low + high) / 2;
        if ((power == 2 ? mid * mid : mid * mid * mid) <= (long double)prime)
            low = mid;
        else
            high = mid;
    }
    return (uint32_t)(uint64_t)(low * 4294967296.0L);
}

static void sha256(char hex[65], const uint8_t *bytes, size_t size)
{
    static uint32_t k[64], start[8];
    if (k[0] == 0) {
        for (int i = 0; i < 64; i++) k[i] = root_bits(i, 3);
        for (int i = 0; i < 8; i++) start[i] = root_bits(i, 2);
    }
    uint32_t h[8];
    memcpy(h, start, sizeof h);
    const size_t total = (size + 9 + 63) / 64 * 64;
    for (size_t at = 0; at < total; at += 64) {
        uint32_t w[64], s[8];
        for (size_t i = 0; i < 64; i++) {
            const size_t p = at + i;
            const uint64_t bits = (uint64_t)size * 8;
            const uint32_t byte =
                p < size         ? bytes[p]
                : p == size      ? 0x80
                : p >= total - 8 ? (uint32_t)(bits >> 8 * (total - 1 - p)) & 255
                                 : 0;
            w[i / 4] = i % 4 == 0 ? byte : w[i / 4] << 8 | byte;
        }
        for (int i = 16; i < 64; i++)
            w[i] = w[i - 16] + w[i - 7] +
                   (ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3) +
                   (ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10);
        memcpy(s, h, sizeof s);
        for (int i = 0; i < 64; i++) {
            const uint32_t a = s[0], e = s[4];
            const uint32_t t1 = s[7] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) +
                                ((e & s[5]) ^ (~e & s[6])) + k[i] + w[i];
            const uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) +
                                ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
            memmove(s + 1, s, 7 * sizeof s[0]);
            s[4] += t1;
            s[0] = t1 + t2;
        }
        for (int i = 0; i < 8; i++) h[i] += s[i];
    }
    for (int i = 0; i < 8; i++)
        (void)snprintf(hex + 8 * i, 9, "%08" PRIx32, h[i]);
}

/* --- one line of the verdicts ---------------------------------------------- */

typedef struct verdict {
    char path[256], format[16], mode[16], sha[65];
    int ok, frames;
    long long width, height, orientation;
    double mean[3];
} verdict;

static void text_of(char *to, size_t size, const char *line, const char *key)
{
    to[0] = '\0';
    const char *p = strstr(line, key);
    if (p == NULL) return;
    p += strlen(key);
    size_t n = 0;
    while (p[n] != '\0' && p[n] != '"' && n + 1 < size) {
        to[n] = p[n];
        n++;
    }
    to[n] = '\0';
}

static void parse(verdict *v, const char *line)
{
    memset(v, 0, sizeof *v);
    text_of(v->path, sizeof v->path, line, "\"path\": \"");
    text_of(v->format, sizeof v->format, line, "\"format\": \"");
    text_of(v->mode, sizeof v->mode, line, "\"mode\": \"");
    text_of(v->sha, sizeof v->sha, line, "\"rgb_sha256\": \"");
    v->ok = strstr(line, "\"ok\": true") != NULL;
    const char *p = strstr(line, "\"size\": [");
    if (p != NULL) {
        char *end = NULL;
        v->width = strtoll(p + 9, &end, 10);
        v->height = strtoll(end + 1, NULL, 10);
    }
    p = strstr(line, "\"frames\": ");
    v->frames = p != NULL ? (int)strtol(p + 10, NULL, 10) : 1;
    p = strstr(line, "\"exif_orientation\": ");
    v->orientation = p != NULL && p[20] != 'n' ? strtoll(p + 20, NULL, 10) : -1;
    p = strstr(line, "\"rgb_mean\": [");
    if (p != NULL) {
        char *end = NULL;
        v->mean[0] = strtod(p + 13, &end);
        v->mean[1] = strtod(end + 1, &end);
        v->mean[2] = strtod(end + 1, &end);
    }
}

typedef struct count {
    int files, headers, same, close, refused, wide, differ;
    int bad, bad_refused;
} count;

static int verbose;

static void compare_pixels(count *n, const verdict *v, const tn_image *image)
{
    tn_image_view view = TN_IMAGE_VIEW_INIT;
    tn_image_get_view(image, &view);
    const size_t size = view.stride * (size_t)view.height;
    const uint8_t *p = view.pixels;
    char hex[65];
    sha256(hex, p, size);
    if (strcmp(hex, v->sha) == 0) {
        n->same++;
        return;
    }
    if (tn_image_get_info(image)->bits == 16) {
        n->wide++; /* Pillow clips or cuts 16 bits */
        return;
    }
    double off = 0;
    for (int c = 0; c < 3; c++) {
        double sum = 0;
        for (size_t i = (size_t)c; i < size; i += 3) sum += p[i];
        const double d = sum / (double)(size / 3) - v->mean[c];
        if (d > off) off = d;
        if (-d > off) off = -d;
    }
    /* The Pillow of the verdicts misread 4-bit runs; a later one agrees. */
    if (off <= 1.0 || strstr(v->path, "pal4rle") != NULL) {
        n->close++;
        if (verbose) printf("close   %s %s\n", v->path, v->mode);
        return;
    }
    n->differ++;
    printf("differs %s (%s %s): mean off by %.2f\n", v->path, v->format,
           v->mode, off);
}

static void one_file(count *n, const verdict *v)
{
    char path[1024];
    tn_err err;
    tn_image_info info = TN_IMAGE_INFO_INIT;
    tn_image_opts opts = TN_IMAGE_OPTS_INIT;
    opts.form = TN_IMAGE_RGB8;
    tn_image *image = NULL;
    (void)snprintf(path, sizeof path, "%s/images/%s", TEST_DATA, v->path);
    const tn_status header = tn_image_info_read(&info, path, 0, NULL, &err);
    if (header == TN_ENOTFOUND) return;
    n->files++;
    if (v->ok && header == TN_OK) {
        n->headers++;
        /* Pillow grows a GIF by frames that lie outside its screen. */
        if ((info.width != v->width || info.height != v->height) &&
            strcmp(v->format, "GIF") != 0)
            fail_msg("%s: %lld x %lld, Pillow has %lld x %lld", v->path,
                     (long long)info.width, (long long)info.height, v->width,
                     v->height);
        /* Pillow also takes a 1 from XMP. */
        if (v->orientation >= 0 && info.orientation_tag != v->orientation &&
            (v->orientation != 1 || info.orientation_tag >= 0))
            fail_msg("%s: orientation %d, Pillow has %lld", v->path,
                     (int)info.orientation_tag, v->orientation);
    } else if (v->ok && verbose) {
        printf("header  %s: %s\n", v->path, err.message);
    }
    const tn_status status = tn_image_read(&image, path, &opts, &err);
    if (!v->ok) {
        n->bad++;
        n->bad_refused += status != TN_OK;
        if (status == TN_OK && verbose) printf("takes   %s\n", v->path);
    } else if (status == TN_OK) {
        compare_pixels(n, v, image);
    } else {
        n->refused++;
        if (verbose && header == TN_OK && status != TN_EUNSUPPORTED)
            printf("refused %s %s: %s: %s\n", v->path, v->format,
                   tn_status_name(status), err.message);
    }
    tn_image_free(image);
}

static void every_file(void **state)
{
    (void)state;
    static char line[4096];
    char path[1024];
    verbose = getenv("TEST_VERBOSE") != NULL;
    (void)snprintf(path, sizeof path, "%s/images/pillow_verdict.jsonl",
                   TEST_DATA);
    FILE *f = TEST_DATA[0] != '\0' ? fopen(path, "r") : NULL;
    if (f == NULL) {
        printf("skipped: no images/pillow_verdict.jsonl; set TENON_TESTDATA\n");
        skip();
    }
    count n;
    memset(&n, 0, sizeof n);
    while (fgets(line, sizeof line, f) != NULL) {
        verdict v;
        parse(&v, line);
        one_file(&n, &v);
    }
    (void)fclose(f);
    printf("%d files; of %d that Pillow decodes: %d headers agree, pixels "
           "%d same, %d close, %d of 16 bits, %d differ, %d refused; of %d "
           "that it refuses, %d are refused\n",
           n.files, n.files - n.bad, n.headers, n.same, n.close, n.wide,
           n.differ, n.refused, n.bad, n.bad_refused);
    assert_int_equal(n.differ, 0);
    /* What was reached with all three libraries. */
    if (n.same < 748) printf("fewer than 748 files give the same bytes\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_threads.c - what is read and written does not depend on threads */
#define _XOPEN_SOURCE 700
#include "formats.h"

#include <ftw.h>
#include <pthread.h>

enum { N_IMAGES = 700 };
static const int counts[] = {1, 2, 3, 7};
enum { N_COUNTS = (int)(sizeof counts / sizeof counts[0]) };

/* COCO with outlines, boxes, keypoints, crowds, empty images; some images have
 * many annotations and most have few. */
static void put_source(void)
{
    char file[TMP_PATH];
    tmp_path(file, dir, "source.json");
    FILE *f = fopen(file, "wb");
    assert_non_null(f);
    fprintf(f, "{\"categories\": [{\"id\": 7, \"name\": \"a\"}, {\"id\": 3, "
               "\"name\": \"b c\"}], \"images\": [");
    for (int i = 0; i < N_IMAGES; i++)
        fprintf(f,
                "%s{\"id\": %d, \"file_name\": \"%05d.jpg\", \"width\": %d, "
                "\"height\": 480, \"rain\": %d}",
                i > 0 ? "," : "", 3 * i, (i * 37) % N_IMAGES, 500 + i % 300,
                i % 3);
    fprintf(f, "], \"annotations\": [");
    for (int k = 0, i = 0; i < N_IMAGES; i++)
        for (int n = 0; n < (i % 50 == 0 ? 40 : i % 5); n++, k++) {
            const double x = 3 + n + i % 100 / 7.0, y = 5 + n / 3.0;
            fprintf(f,
                    "%s{\"id\": %d, \"image_id\": %d, \"category_id\": %d, "
                    "\"bbox\": [%.2f, %.2f, 40, 30], \"area\": 600, \"iscrowd\""
                    ": 0, \"segmentation\": [[%.2f, %.2f, %.2f, %.2f, %.3f, "
                    "%.2f]]%s}",
                    k > 0 ? "," : "", k * 2 + 1, 3 * ((i * 11) % N_IMAGES),
                    n % 2 == 0 ? 7 : 3, x, y, x, y, x + 40, y, x + 1, y + 30,
                    n % 4 == 0 ? ", \"note\": \"kept\"" : "");
        }
    fprintf(f, "]}");
    assert_int_equal(fclose(f), 0);
}

static uint64_t digest;

static uint64_t add(uint64_t h, const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * UINT64_C(1099511628211);
    return h;
}

/* Whatever the order of a folder's entries. */
static int add_file(const char *file, const struct stat *st, int kind,
                    struct FTW *at)
{
    static size_t root;
    static unsigned char bytes[1 << 16];
    (void)st;
    if (at->level == 0) root = strlen(file);
    if (kind != FTW_F) return 0;
    uint64_t h = add(UINT64_C(14695981039346656037),
                     (const unsigned char *)file + root, strlen(file + root));
    FILE *f = fopen(file, "rb");
    assert_non_null(f);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, f)) > 0;)
        h = add(h, bytes, n);
    assert_int_equal(fclose(f), 0);
    digest += h;
    return 0;
}

static uint64_t digest_of(const char *folder)
{
    digest = 0;
    assert_int_equal(nftw(folder, add_file, 16, FTW_PHYS), 0);
    return digest;
}

static tn_status read_with(tn_dataset **d, const char *format, const char *what,
                           int n_threads)
{
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    o.format = format;
    o.n_threads = n_threads;
    memset(&err, 0, sizeof err);
    return tn_dataset_open(d, what, &o, &err);
}

static tn_status write_with(const tn_dataset *d, const char *to,
                            const char *format, const char *variant,
                            tn_convert_opts *o)
{
    tn_conversion *c = NULL;
    o->format = format;
    o->variant = variant;
    o->allow_loss = "all";
    memset(&err, 0, sizeof err);
    const tn_status status = tn_dataset_convert(&c, d, to, o, &err);
    tn_conversion_free(c);
    return status;
}

static void the_same_bytes_for_any_number_of_threads(void **state)
{
    static const char *const variants[] = {"segment", "detect"};
    char to[TMP_PATH], file[TMP_PATH], name[32];
    tn_dataset *d = NULL;
    (void)state;
    put_source();
    tmp_path(file, dir, "source.json");
    assert_int_equal(read_with(&d, "coco", file, 1), TN_OK);
    for (int v = 0; v < 2; v++) {
        uint64_t first = 0;
        for (int k = 0; k < N_COUNTS; k++) {
            tn_convert_opts o = TN_CONVERT_OPTS_INIT;
            o.n_threads = counts[k];
            (void)snprintf(name, sizeof name, "%s-%d", variants[v], k);
            tmp_path(to, dir, name);
            if (write_with(d, to, "yolo", variants[v], &o) != TN_OK)
                fail_msg("%s: %s", err.where, err.message);
            const uint64_t h = digest_of(to);
            if (k == 0) first = h;
            if (h != first)
                fail_msg("%s: other bytes with %d threads", variants[v],
                         counts[k]);
        }
    }
    tn_dataset_close(d);
}

static void the_same_rows_for_any_number_of_threads(void **state)
{
    char to[TMP_PATH], yolo[TMP_PATH], file[TMP_PATH], name[32];
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_dataset *d = NULL;
    size_t n = 0, m = 0;
    char *first = NULL;
    (void)state;
    put_source();
    tmp_path(file, dir, "source.json");
    tmp_path(yolo, dir, "yolo");
    assert_int_equal(read_with(&d, "coco", file, 0), TN_OK);
    assert_int_equal(write_with(d, yolo, "yolo", "segment", &o), TN_OK);
    tn_dataset_close(d);
    for (int k = 0; k < N_COUNTS; k++) {
        if (read_with(&d, "yolo", yolo, counts[k]) != TN_OK)
            fail_msg("%s: %s", err.where, err.message);
        (void)snprintf(name, sizeof name, "back-%d.json", k);
        tmp_path(to, dir, name);
        assert_int_equal(write_with(d, to, "coco", NULL, &o), TN_OK);
        tn_dataset_close(d);
        char *text = bytes_of(dir, name, &m);
        if (first == NULL) {
            first = text;
            n = m;
            continue;
        }
        if (m != n || memcmp(first, text, n) != 0)
            fail_msg("other rows with %d threads", counts[k]);
        free(text);
    }
    free(first);
}

/* Of several, the one of the first file. */
static void the_first_error_for_any_number_of_threads(void **state)
{
    char name[64];
    tn_dataset *d = NULL;
    (void)state;
    put("data.yaml", "train: images\nnames: [a]\n");
    for (int i = 0; i < N_IMAGES; i++) {
        const char *text = i == 310   ? "0 0.5 0.5 0.1 0.1\n0 0.5 x 1 1\n"
                           : i == 311 ? "0 0.5\n"
                           : i == 605 ? "-1 0.5 0.5 0.1 0.1\n"
                                      : "0 0.5 0.5 0.1 0.1\n";
        (void)snprintf(name, sizeof name, "labels/%04d.txt", i);
        put(name, text);
        (void)snprintf(name, sizeof name, "images/%04d.jpg", i);
        put(name, "");
    }
    for (int k = 0; k < N_COUNTS; k++) {
        assert_int_equal(read_with(&d, "yolo", dir, counts[k]), TN_EFORMAT);
        if (strstr(err.where, "0310.txt") == NULL || err.line != 2)
            fail_msg("%d threads: %s, line %d: %s", counts[k], err.where,
                     (int)err.line, err.message);
    }
}

typedef struct caller {
    pthread_t self;
    int calls, at;
    bool other;
} caller;

static int progress(void *ctx, const char *stage, uint64_t done, uint64_t total)
{
    caller *c = ctx;
    (void)stage;
    (void)done;
    (void)total;
    if (pthread_equal(c->self, pthread_self()) == 0) c->other = true;
    return ++c->calls == c->at;
}

static void progress_comes_from_the_caller(void **state)
{
    char to[TMP_PATH], file[TMP_PATH];
    tn_dataset *d = NULL;
    (void)state;
    put_source();
    tmp_path(file, dir, "source.json");
    tmp_path(to, dir, "target");
    assert_int_equal(read_with(&d, "coco", file, 3), TN_OK);
    for (int at = 12; at >= 0; at -= 4) {
        caller c = {pthread_self(), 0, at, false};
        tn_convert_opts o = TN_CONVERT_OPTS_INIT;
        o.n_threads = 3;
        o.progress = progress;
        o.progress_ctx = &c;
        assert_int_equal(write_with(d, to, "yolo", "segment", &o),
                         at > 0 ? TN_ECANCELED : TN_OK);
        assert_false(c.other);
        assert_int_equal(access(to, F_OK) == 0, at == 0);
    }
    tn_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_same_bytes_for_any_number_of_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_rows_for_any_number_of_threads,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            the_first_error_for_any_number_of_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(progress_comes_from_the_caller, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

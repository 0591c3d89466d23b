/* SPDX-License-Identifier: Apache-2.0 */
/* test_tampered.c - what does not read back as it was meant never arrives: label
 * files are changed between writing and comparing */
#define _XOPEN_SOURCE 700
#include "formats.h"

#include <dirent.h>
#include <unistd.h>

enum { N_POINTS = 9000 }; /* more text than is read at once */

static const char head[] =
    "{\"images\": ["
    "{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 100, \"height\": 50},"
    "{\"id\": 2, \"file_name\": \"b.jpg\", \"width\": 100, \"height\": 50},"
    "{\"id\": 3, \"file_name\": \"c.jpg\", \"width\": 100, \"height\": 50}],"
    "\"categories\": [{\"id\": 1, \"name\": \"x\"}, {\"id\": 2, \"name\": "
    "\"y\"}], \"annotations\": ["
    "{\"id\": 1, \"image_id\": 1, \"category_id\": 1, \"segmentation\": "
    "[[10, 10, 20, 10, 15, 40]]},"
    "{\"id\": 2, \"image_id\": 1, \"category_id\": 2, \"segmentation\": "
    "[[50, 10, 60, 10, 55, 40]]},"
    "{\"id\": 3, \"image_id\": 3, \"category_id\": 2, \"segmentation\": [[";

/* The third image has one long outline; the second has none. */
static tn_dataset *open_source(void)
{
    char file[TMP_PATH];
    tmp_path(file, dir, "source.json");
    FILE *f = fopen(file, "wb");
    assert_non_null(f);
    fprintf(f, "%s", head);
    for (int i = 0; i < N_POINTS; i++)
        fprintf(f, "%s%.3f, %.3f", i > 0 ? ", " : "", i % 97 + i / 9000.0,
                i % 47 + i / 9000.0);
    fprintf(f, "]]}]}");
    assert_int_equal(fclose(f), 0);
    return open_as("coco", file);
}

/* What is done to a file of the target: another text, or none. */
typedef struct change {
    const char *file, *text;
    const char *says; /* NULL: it does not matter */
    int n_done;
} change;

/* The folder beside the target that will become it. */
static void find_temporary(char *out, size_t size)
{
    struct dirent *e = NULL;
    DIR *d = opendir(dir);
    assert_non_null(d);
    out[0] = '\0';
    while ((e = readdir(d)) != NULL)
        if (strncmp(e->d_name, "y.", 2) == 0 && strstr(e->d_name, ".tmp"))
            (void)snprintf(out, size, "%s", e->d_name);
    (void)closedir(d);
    assert_true(out[0] != '\0');
}

static int tamper(void *ctx, const char *stage, uint64_t done, uint64_t total)
{
    change *c = ctx;
    char name[TMP_PATH], file[TMP_PATH + 100];
    (void)total;
    if (strcmp(stage, "verify") != 0 || done != 0 || c->n_done++ > 0) return 0;
    find_temporary(name, sizeof name);
    (void)snprintf(file, sizeof file, "%s/%s", name, c->file);
    if (c->text != NULL) {
        tmp_write(dir, file, c->text, strlen(c->text));
    } else {
        tmp_path(path, dir, file);
        assert_int_equal(unlink(path), 0);
    }
    return 0;
}

static tn_status convert_to(const char *format, const tn_dataset *d,
                            const char *variant, int n_threads, change *c)
{
    char to[TMP_PATH];
    tn_conversion *out = NULL;
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tmp_path(to, dir, "y");
    o.format = format;
    o.variant = variant;
    o.allow_loss = "all";
    o.n_threads = n_threads;
    o.flags = TN_CONVERT_OVERWRITE;
    o.progress = tamper;
    o.progress_ctx = c;
    memset(&err, 0, sizeof err);
    const tn_status status = tn_dataset_convert(&out, d, to, &o, &err);
    tn_conversion_free(out);
    return status;
}

static tn_status convert_with(const tn_dataset *d, const char *variant,
                              int n_threads, change *c)
{
    return convert_to("yolo", d, variant, n_threads, c);
}

#define FIRST  "0 0.1 0.2 0.2 0.2 0.15 0.8\n"
#define SECOND "1 0.5 0.2 0.6 0.2 0.55 0.8\n"
#define LABELS "labels/unsplit/"
#define LIST   "unsplit.txt"
#define PLACE  "./images/unsplit/"
#define A      PLACE "a.jpg\n"
#define B      PLACE "b.jpg\n"
#define C      PLACE "c.jpg\n"

static void every_change_is_found(void **state)
{
    static const change changes[] = {
        {LABELS "a.txt", FIRST SECOND, NULL, 0}, /* none */
        {LABELS "a.txt", "0 0.1 0.2 0.2 0.2 0.15 0.81\n" SECOND, "other points",
         0},
        {LABELS "a.txt", "0 0.1 0.2 0.2 0.2 0.15 0.8 0.1 0.1\n" SECOND,
         "another number of points", 0},
        {LABELS "a.txt", "1 0.1 0.2 0.2 0.2 0.15 0.8\n" SECOND, "another class",
         0},
        {LABELS "a.txt", "7 0.1 0.2 0.2 0.2 0.15 0.8\n" SECOND, "another class",
         0},
        {LABELS "a.txt", FIRST, "annotations missing", 0},
        {LABELS "a.txt", FIRST SECOND SECOND, "one too many", 0},
        {LABELS "a.txt", "", "annotations missing", 0},
        {LABELS "a.txt", NULL, "annotations missing", 0},
        {LABELS "a.txt", "0 0.1 0.2 0.2 0.2 0.15 0.8x\n" SECOND,
         "is not a finite number", 0},
        {LABELS "a.txt", "0 0.1 0.2 0.2 0.2 0.1.5 0.8\n" SECOND,
         "is not a finite number", 0},
        {LABELS "a.txt", "0 0.1 0.2 0.2;0.2 0.15 0.8\n" SECOND,
         "is not a finite number", 0},
        {LABELS "a.txt", "0\n" SECOND, "is a class without a box", 0},
        {LABELS "b.txt", FIRST, "one too many", 0},
        {LABELS "b.txt", "", "was unlabelled and reads back as empty", 0},
        {LABELS "c.txt", SECOND, "another number of points", 0},
        {LABELS "c.txt", NULL, "annotations missing", 0},
        {LIST, A B C, NULL, 0},
        {LIST, C A B, NULL, 0},
        {LIST, A B C PLACE "d.jpg\n", "'d.jpg' reads back", 0},
        {LIST, A C, "'b.jpg' is missing", 0},
        {LIST, B C, "'a.jpg' is missing", 0},
    };
    static const int threads[] = {1, 3};
    tn_dataset *d = open_source();
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        for (int k = 0; k < 2; k++) {
            change c = changes[i];
            const tn_status status = convert_with(d, "segment", threads[k], &c);
            assert_int_equal(c.n_done > 0, 1);
            if (c.says == NULL) {
                if (status != TN_OK) fail_msg("%s: %s", err.where, err.message);
                continue;
            }
            assert_int_equal(status, TN_EINTERNAL);
            assert_int_equal(err.code, TN_EINTERNAL);
            if (strstr(err.message, c.says) == NULL)
                fail_msg("change %zu gave: %s", i, err.message);
        }
    tn_dataset_close(d);
}

/* The box that stands for an outline. */
static void boxes_are_read_back(void **state)
{
    change good = {LABELS "a.txt", "0 0.15 0.5 0.1 0.6\n1 0.55 0.5 0.1 0.6\n",
                   NULL, 0};
    change bad = {LABELS "a.txt", "0 0.15 0.5 0.1 0.7\n1 0.55 0.5 0.1 0.6\n",
                  NULL, 0};
    tn_dataset *d = open_source();
    (void)state;
    assert_int_equal(convert_with(d, "detect", 2, &bad), TN_EINTERNAL);
    assert_non_null(strstr(err.message, "another box"));
    if (convert_with(d, "detect", 2, &good) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    tn_dataset_close(d);
}

/* An image of 16 x 16 pixels in both splits. */
static tn_dataset *open_in_two_splits(void)
{
    static const unsigned char bmp[58] = {'B', 'M', 58, 0, 0,  0, 0, 0, 0,  0,
                                          54,  0,   0,  0, 40, 0, 0, 0, 16, 0,
                                          0,   0,   16, 0, 0,  0, 1, 0, 24};
    static const char yaml[] = "train: l.txt\nval: l.txt\nnames: [x]\n";
    static const char label[] = "0 0.5 0.5 0.5 0.5\n";
    tmp_write(dir, "data.yaml", yaml, sizeof yaml - 1);
    tmp_write(dir, "l.txt", "./a.bmp\n", 8);
    tmp_write(dir, "a.bmp", bmp, sizeof bmp);
    tmp_write(dir, "a.txt", label, sizeof label - 1);
    tmp_path(path, dir, "data.yaml");
    return open_as("yolo", path);
}

#define COCO(box)                                                              \
    "{\"images\": [{\"id\": 1, \"file_name\": \"a.bmp\", \"width\": 16, "      \
    "\"height\": 16}], \"annotations\": [{\"id\": 1, \"image_id\": 1, "        \
    "\"category_id\": 1, \"bbox\": " box ", \"iscrowd\": 0}], "                \
    "\"categories\": [{\"id\": 1, \"name\": \"x\"}]}"
#define DATUMARO(list)                                                         \
    "{\"dm_format_version\": \"1.0\", \"categories\": {\"label\": {"           \
    "\"labels\": [{\"name\": \"x\", \"parent\": \"\", \"attributes\": "        \
    "[]}]}}, "                                                                 \
    "\"items\": [{\"id\": \"a\", \"annotations\": [" list "], \"image\": "     \
    "{\"path\": \"a.bmp\", \"size\": [16, 16]}}]}"
#define BOX(x)                                                                 \
    "{\"type\": \"bbox\", \"bbox\": [" x ", 4, 8, 8], \"group\": 0, "          \
    "\"label_id\": 0, \"attributes\": {}}"

/* COCO and Datumaro have an image of two splits in each of them. */
static void every_copy_is_compared(void **state)
{
    static const struct {
        const char *format;
        change change;
    } rows[] = {
        {"coco",
         {"annotations/instances_val.json", COCO("[4, 4, 8, 8]"), NULL, 0}},
        {"coco",
         {"annotations/instances_val.json", COCO("[4, 4, 8, 7]"), "another box",
          0}},
        {"coco",
         {"annotations/instances_train.json", COCO("[4, 4, 8, 7]"),
          "another box", 0}},
        {"datumaro", {"annotations/val.json", DATUMARO(BOX("4")), NULL, 0}},
        {"datumaro",
         {"annotations/val.json", DATUMARO(BOX("5")), "another box", 0}},
        {"datumaro",
         {"annotations/val.json", DATUMARO(BOX("4") "," BOX("4")),
          "one too many", 0}},
        {"datumaro",
         {"annotations/val.json", DATUMARO(""), "annotations missing", 0}},
    };
    (void)state;
    tn_dataset *d = open_in_two_splits();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        change c = rows[i].change;
        const tn_status status = convert_to(rows[i].format, d, NULL, 2, &c);
        if (status != (c.says == NULL ? TN_OK : TN_EINTERNAL) ||
            (c.says != NULL && strstr(err.message, c.says) == NULL))
            fail_msg("change %zu gave: %s", i, err.message);
    }
    tn_dataset_close(d);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_change_is_found),
        TEST(boxes_are_read_back),
        TEST(every_copy_is_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

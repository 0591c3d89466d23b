/* SPDX-License-Identifier: Apache-2.0 */
/* test_conversion.c - targets: whole or not at all, the same bytes each time */
#define _XOPEN_SOURCE 700
#include "formats.h"

#include "tenon/registry.h"

#include <dirent.h>
#include <locale.h>
#include <time.h>

static const char source[] =
    "{\"images\": ["
    "{\"id\": 1, \"file_name\": \"b.bmp\", \"width\": 3, \"height\": 2},"
    "{\"id\": 2, \"file_name\": \"s/a.bmp\", \"width\": 3, \"height\": 2}],"
    "\"annotations\": ["
    "{\"id\": 1, \"image_id\": 2, \"category_id\": 1, \"bbox\": [0.1, 0.7, 1,"
    " 1]}],"
    "\"categories\": [{\"id\": 1, \"name\": \"x\"}]}";

/* A bitmap of 3 x 2. */
static void put_bmp(const char *name)
{
    static const unsigned char head[54] = {'B', 'M', 78, 0, 0,  0, 0, 0, 0, 0,
                                           54,  0,   0,  0, 40, 0, 0, 0, 3, 0,
                                           0,   0,   2,  0, 0,  0, 1, 0, 24};
    unsigned char bytes[78] = {0};
    memcpy(bytes, head, sizeof head);
    put(name, "");
    tmp_write(dir, name, bytes, sizeof bytes);
}

static void put_source(void)
{
    put("x/x.json", source);
    put_bmp("x/b.bmp");
    put_bmp("x/s/a.bmp");
}

static tn_dataset *open_source(void)
{
    char file[TMP_PATH];
    tmp_path(file, dir, "x/x.json");
    return open_as("coco", file);
}

static size_t entries_of(const char *folder)
{
    size_t n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    while (readdir(d) != NULL) n++;
    (void)closedir(d);
    return n - 2;
}

typedef struct stop {
    int calls, at;
} stop;

static int stop_at(void *ctx, const char *stage, uint64_t done, uint64_t total)
{
    stop *s = ctx;
    (void)stage;
    (void)done;
    (void)total;
    return ++s->calls == s->at;
}

/* Whenever it is stopped, nothing is at the target or beside it. */
static void stopped_it_leaves_nothing(void **state)
{
    (void)state;
    put_source();
    const size_t before = entries_of(dir);
    tn_dataset *d = open_source();
    char to[TMP_PATH];
    tmp_path(to, dir, "y");
    tn_status status = TN_ECANCELED;
    int n = 0;
    while (status == TN_ECANCELED) {
        stop s = {0, ++n};
        tn_convert_opts o = TN_CONVERT_OPTS_INIT;
        tn_conversion *c = NULL;
        o.format = "yolo";
        o.allow_loss = "all";
        o.progress = stop_at;
        o.progress_ctx = &s;
        status = tn_dataset_convert(&c, d, to, &o, &err);
        tn_conversion_free(c);
        if (status == TN_ECANCELED) assert_int_equal(entries_of(dir), before);
    }
    if (status != TN_OK) fail_msg("%s: %s", err.where, err.message);
    assert_true(n > 2); /* while writing, while verifying */
    assert_int_equal(entries_of(dir), before + 1);
    tn_dataset_close(d);
}

static tn_status to_yolo(const tn_dataset *d, const char *to, tn_files images,
                         uint32_t flags, tn_conversion_info *info)
{
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_conversion *c = NULL;
    o.format = "yolo";
    o.allow_loss = "all";
    o.images = images;
    o.flags = flags;
    memset(&err, 0, sizeof err);
    const tn_status status = tn_dataset_convert(&c, d, to, &o, &err);
    if (info != NULL && c != NULL) {
        const tn_conversion_info init = TN_CONVERSION_INFO_INIT;
        *info = init;
        tn_conversion_get_info(c, info);
    }
    tn_conversion_free(c);
    return status;
}

static void images_are_linked_copied_or_left(void **state)
{
    (void)state;
    static const tn_files ways[] = {TN_FILES_LINK, TN_FILES_COPY,
                                    TN_FILES_NONE};
    struct stat was, is;
    char file[TMP_PATH];
    put_source();
    tn_dataset *d = open_source();
    for (int i = 0; i < 3; i++) {
        char to[TMP_PATH], image[TMP_PATH + 60];
        tn_conversion_info info;
        (void)snprintf(to, sizeof to, "%.40s/y%d", dir, i);
        assert_int_equal(to_yolo(d, to, ways[i], 0, &info), TN_OK);
        (void)snprintf(image, sizeof image, "%s/images/unsplit/b.bmp", to);
        tmp_path(file, dir, "x/b.bmp");
        assert_int_equal(stat(file, &was), 0);
        const int there = stat(image, &is) == 0;
        assert_int_equal(there, ways[i] != TN_FILES_NONE);
        assert_int_equal(info.n_images_written, there ? 2 : 0);
        if (!there) continue;
        assert_int_equal(is.st_size, was.st_size);
        assert_int_equal(is.st_ino == was.st_ino, ways[i] == TN_FILES_LINK);
    }
    tn_dataset_close(d);
}

static void what_is_there_is_not_replaced_unasked(void **state)
{
    (void)state;
    char to[TMP_PATH], text[TMP_PATH];
    put_source();
    put("y/mine.txt", "mine");
    tn_dataset *d = open_source();
    tmp_path(to, dir, "y");
    tmp_path(text, dir, "y/mine.txt");
    assert_int_equal(to_yolo(d, to, TN_FILES_COPY, 0, NULL), TN_EBUSY);
    assert_int_equal(access(text, F_OK), 0);
    assert_int_equal(to_yolo(d, to, TN_FILES_COPY, TN_CONVERT_OVERWRITE, NULL),
                     TN_OK);
    assert_int_not_equal(access(text, F_OK), 0);
    /* The source itself never. */
    tmp_path(to, dir, "x");
    assert_int_not_equal(
        to_yolo(d, to, TN_FILES_COPY, TN_CONVERT_OVERWRITE, NULL), TN_OK);
    tmp_path(text, dir, "x/x.json");
    assert_int_equal(access(text, F_OK), 0);
    tn_dataset_close(d);
}

static void a_dry_run_writes_nothing(void **state)
{
    (void)state;
    char to[TMP_PATH];
    put_source();
    const size_t before = entries_of(dir);
    tn_dataset *d = open_source();
    tmp_path(to, dir, "y");
    assert_int_equal(to_yolo(d, to, TN_FILES_COPY, TN_CONVERT_DRY_RUN, NULL),
                     TN_OK);
    assert_int_equal(entries_of(dir), before);
    tn_dataset_close(d);
}

/* A folder of labels made in this order. */
static void put_folder(const char *folder, const int *order)
{
    char name[80];
    (void)snprintf(name, sizeof name, "%s/data.yaml", folder);
    put(name, "train: images/train\nval: images/val\nnames: [x, y]\n");
    for (int i = 0; i < 4; i++) {
        const char *split = order[i] % 2 == 0 ? "train" : "val";
        (void)snprintf(name, sizeof name, "%s/images/%s/%d.bmp", folder, split,
                       order[i]);
        put_bmp(name);
        (void)snprintf(name, sizeof name, "%s/labels/%s/%d.txt", folder, split,
                       order[i]);
        put(name, order[i] == 3 ? "" : "1 0.5 0.5 0.25 0.125\n");
    }
}

/* A locale whose numbers have a comma: the system's, or one made here. */
static bool with_comma(void)
{
    char command[2 * TMP_PATH];
    bool found = setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
    if (!found) {
        (void)snprintf(command, sizeof command,
                       "localedef -i de_DE -f UTF-8 '%s/de_DE.UTF-8' "
                       ">/dev/null 2>&1",
                       dir);
        found = system(command) == 0 && setenv("LOCPATH", dir, 1) == 0 &&
                setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
    }
    if (found) assert_string_equal(localeconv()->decimal_point, ",");
    (void)setlocale(LC_ALL, "C");
    return found;
}

static void write_as(const char *format, const char *from, const char *to)
{
    tn_dataset *d = open_as("yolo", from);
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_conversion *c = NULL;
    o.format = format;
    o.allow_loss = "all";
    const tn_status status = tn_dataset_convert(&c, d, to, &o, &err);
    tn_conversion_free(c);
    tn_dataset_close(d);
    if (status != TN_OK) fail_msg("%s: %s: %s", format, err.where, err.message);
}

/* Whatever the locale, the time zone and the order in which files were made,
 * in every format there is. */
static void the_same_bytes_each_time(void **state)
{
    (void)state;
    static const int orders[2][4] = {{0, 1, 2, 3}, {3, 1, 0, 2}};
    static const char *const zones[2] = {"UTC", "Asia/Kathmandu"};
    const bool comma = with_comma();
    if (!comma)
        print_message("no locale de_DE.UTF-8 here, and none could be made: "
                      "that the locale does not matter is not checked\n");
    for (size_t f = 0; f < tn_data_registry_count(TN_REGISTRY_FORMATS); f++) {
        char folder[40], from[TMP_PATH], to[2][TMP_PATH], command[600];
        const char *name = tn_data_registry_name(TN_REGISTRY_FORMATS, f);
        /* Its folders are classes of whole images; these have boxes. */
        if (strcmp(name, "imagefolder") == 0) continue;
        for (int way = 0; way < 2; way++) {
            (void)snprintf(folder, sizeof folder, "%s-%d", name, way);
            put_folder(folder, orders[way]);
            tmp_path(from, dir, folder);
            (void)snprintf(to[way], TMP_PATH, "%.100s-out", from);
            (void)setenv("TZ", zones[way], 1);
            tzset();
            (void)setlocale(LC_ALL, way == 1 && comma ? "de_DE.UTF-8" : "C");
            write_as(name, from, to[way]);
            (void)setlocale(LC_ALL, "C");
        }
        (void)snprintf(command, sizeof command, "diff -r '%.200s' '%.200s'",
                       to[0], to[1]);
        if (system(command) != 0) fail_msg("%s differs", name);
    }
}

/* What the writers of COCO and YOLO make of a file, to the byte. */
static void golden(void **state)
{
    (void)state;
    static const char *const files[] = {"data.yaml", "unsplit.txt",
                                        "labels/unsplit/c d.txt",
                                        "labels/unsplit/a/b.txt"};
    char to[TMP_PATH];
    tn_dataset *d = open_as("coco", GOLDEN "coco/golden.json");
    tmp_path(to, dir, "golden.json");
    must_convert(d, to, "coco", NULL);
    same_file(GOLDEN "coco", "golden.json", dir, "golden.json");
    tmp_path(to, dir, "yolo");
    must_convert(d, to, "yolo:segment", "all");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        same_file(GOLDEN "yolo", files[i], to, files[i]);
    tn_dataset_close(d);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stopped_it_leaves_nothing),
        TEST(images_are_linked_copied_or_left),
        TEST(what_is_there_is_not_replaced_unasked),
        TEST(a_dry_run_writes_nothing),
        TEST(the_same_bytes_each_time),
        TEST(golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

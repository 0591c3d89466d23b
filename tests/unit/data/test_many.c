/* SPDX-License-Identifier: Apache-2.0 */
/* test_many.c - very many of one thing: time grows as their number does
 *
 * The numbers are such that looking through all of them for each one takes
 * minutes; what is allowed is far beyond what they take under a sanitizer. */
#include "formats.h"

#include "data/dataset.h"

#include <time.h>

enum { CLASSES = 21841, FIELDS = 100000, SECONDS = 25 };

static clock_t begun;

static void begin(void)
{
    begun = clock();
}

static void ends_soon(const char *what)
{
    const double took = (double)(clock() - begun) / CLOCKS_PER_SEC;
    if (took > SECONDS) fail_msg("%s took %.1f s", what, took);
}

/* A text that grows. */
static char *text;
static size_t used;

static void start(void)
{
    text = realloc(text, 64u << 20);
    assert_non_null(text);
    used = 0;
    text[0] = '\0';
}

static void add(const char *fmt, ...) TN_PRINTF(1, 2);
static void add(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    used += (size_t)vsnprintf(text + used, 4096, fmt, args);
    va_end(args);
}

static const char *keep(const char *name)
{
    static char file[TMP_PATH];
    tmp_write(dir, name, text, used);
    tmp_path(file, dir, name);
    return file;
}

static const char *in_dir(const char *name)
{
    static char file[TMP_PATH];
    tmp_path(file, dir, name);
    return file;
}

/* Names in an order of their own. */
static int nth(int i)
{
    return (int)((int64_t)i * 7919 % 1000003);
}

/* One image, the fields given before, a box of each class. */
static void add_boxes(int n, bool same_name)
{
    add("\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 640, "
        "\"height\": 480}], \"categories\": [");
    for (int i = 0; i < n; i++)
        add("%s{\"id\": %d, \"name\": \"n%d\", \"supercategory\": \"p%d\"}",
            i > 0 ? ",\n" : "", i + 1, same_name ? 0 : nth(i), n - i);
    add("], \"annotations\": [");
    for (int i = 0; i < n; i++)
        add("%s{\"id\": %d, \"image_id\": 1, \"category_id\": %d, \"bbox\": "
            "[1, 2, 30, 40], \"score\": 0.5}",
            i > 0 ? ",\n" : "", i + 1, i + 1);
    add("]");
}

/* As many classes as ImageNet-21k has: there, and back by the residue. */
static void test_classes(void **state)
{
    static const char *const formats[] = {"coco",       "yolo", "datumaro",
                                          "openimages", "cvat", "tfrecord",
                                          "webdataset"};
    (void)state;
    start();
    add("{");
    add_boxes(CLASSES, false);
    add("}");
    tn_dataset *d = open_as("coco", keep("many.json"));
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        char to[60];
        (void)snprintf(to, sizeof to, "to_%s", formats[i]);
        begin();
        must_convert(d, in_dir(to), formats[i], "all");
        tn_dataset *back = open_as(formats[i], in_dir(to));
        assert_int_equal(info_of(back).n_classes, CLASSES);
        assert_int_equal(info_of(back).n_annotations, CLASSES);
        tn_dataset_close(back);
        ends_soon(formats[i]);
    }
    tn_dataset_close(d);
}

/* All of one name, which ids tell apart. */
static void test_classes_of_one_name(void **state)
{
    (void)state;
    start();
    add("{");
    add_boxes(CLASSES, true);
    add("}");
    begin();
    tn_dataset *d = open_as("coco", keep("many.json"));
    must_convert(d, in_dir("to.json"), "coco", "all");
    must_convert(d, in_dir("to"), "yolo", "all");
    tn_dataset_close(d);
    tn_dataset *back = open_as("yolo", in_dir("to"));
    assert_int_equal(info_of(back).n_classes, CLASSES);
    tn_dataset_close(back);
    ends_soon("classes of one name");
}

/* Fields of the dataset: written, and made by a target, kept by the residue. */
static void test_fields(void **state)
{
    static const char *const formats[] = {"coco", "datumaro", "via", "yolo"};
    (void)state;
    start();
    add("{");
    for (int i = 0; i < FIELDS; i++) add("\"k%d\": %d,\n", nth(i), i);
    add_boxes(3, false);
    add("}");
    tn_dataset *d = open_as("coco", keep("many.json"));
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        char to[60];
        (void)snprintf(to, sizeof to, "to_%s", formats[i]);
        begin();
        must_convert(d, in_dir(to), formats[i], "all");
        tn_dataset *back = open_as(formats[i], in_dir(to));
        must_convert(back, in_dir("back.json"), "coco", "all");
        tn_dataset_close(back);
        back = open_as("coco", in_dir("back.json"));
        assert_true(back != NULL && back->metas.n >= FIELDS);
        tn_dataset_close(back);
        assert_int_equal(unlink(in_dir("back.json")), 0);
        (void)unlink(in_dir("back.json.residue.ndjson"));
        ends_soon(formats[i]);
    }
    tn_dataset_close(d);
}

/* Members of one object, of one image, attributes of one object. */
static void test_members(void **state)
{
    static const char *const formats[] = {"coco", "cvat", "voc", "via",
                                          "datumaro"};
    (void)state;
    start();
    add("{\"images\": [{");
    for (int i = 0; i < FIELDS; i++) add("\"k%d\": %d,\n", nth(i), i);
    add("\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 640, \"height\": "
        "480}],"
        "\"categories\": [{\"id\": 1, \"name\": \"cat\"}], \"annotations\": "
        "[{");
    for (int i = 0; i < FIELDS; i++) add("\"k%d\": \"v%d\",\n", nth(i), i);
    add("\"attributes\": {");
    for (int i = 0; i < FIELDS; i++)
        add("%s\"k%d\": %d", i > 0 ? ",\n" : "", nth(i), i);
    add("}, \"id\": 1, \"image_id\": 1, \"category_id\": 1, "
        "\"bbox\": [1, 2, 30, 40]}]}");
    tn_dataset *d = open_as("coco", keep("many.json"));
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        char to[60];
        (void)snprintf(to, sizeof to, "to_%s", formats[i]);
        begin();
        must_convert(d, in_dir(to), formats[i], "all");
        tn_dataset_close(open_as(formats[i], in_dir(to)));
        ends_soon(formats[i]);
    }
    /* Label Studio has a control for each attribute, and so many of them. */
    assert_int_not_equal(convert(d, in_dir("no"), "label-studio", "all", NULL),
                         TN_OK);
    assert_non_null(strstr(err.message, "more than 1024 controls"));
    tn_dataset_close(d);
}

/* Each gets a name of its own, however many have the same. */
static void test_images_of_one_name(void **state)
{
    enum { IMAGES = 20000 };
    (void)state;
    start();
    add("{\"images\": [");
    for (int i = 0; i < IMAGES; i++)
        add("%s{\"id\": %d, \"file_name\": \"a.jpg\", \"width\": 640, "
            "\"height\": 480}",
            i > 0 ? ",\n" : "", i + 1);
    add("], \"annotations\": [], \"categories\": []}");
    begin();
    tn_dataset *d = open_as("coco", keep("many.json"));
    must_convert(d, in_dir("to.json"), "datumaro", "all");
    tn_dataset_close(d);
    d = open_as("datumaro", in_dir("to.json"));
    assert_int_equal(info_of(d).n_images, IMAGES);
    assert_string_equal(image_of(d, IMAGES - 1).name, "a.jpg");
    tn_dataset_close(d);
    ends_soon("images of one name");
}

/* What looks ahead for each line: blank ones, to the end of a list of names. */
static void test_blank_lines(void **state)
{
    (void)state;
    begin();
    put("obj.data", "classes = 1\ntrain = train.txt\nnames = obj.names\n");
    put("train.txt", "");
    start();
    add("cat\n");
    memset(text + used, '\n', 4u << 20);
    used += 4u << 20;
    (void)keep("obj.names");
    tn_dataset *d = open_as("yolo", in_dir("obj.data"));
    assert_int_equal(info_of(d).n_classes, 1);
    tn_dataset_close(d);
    ends_soon("blank lines");
}

/* Elements that nobody knows, each of another name, and of labels that have
 * a parent. */
static void test_elements(void **state)
{
    (void)state;
    start();
    add("<annotations><version>1.1</version><meta><task><labels>");
    for (int i = 0; i < CLASSES; i++)
        add("<label><name>n%d</name><type>points</type>%s%d%s</label>\n",
            nth(i), i % 2 == 0 ? "<parent>n" : "<color>#", nth(i % 2 + i),
            i % 2 == 0 ? "</parent>" : "</color>");
    add("</labels>");
    for (int i = 0; i < CLASSES; i++) add("<e%d>1</e%d>\n", nth(i), nth(i));
    add("</task></meta><image id=\"0\" name=\"a.jpg\" width=\"9\" "
        "height=\"9\"/></annotations>");
    begin();
    tn_dataset *d = open_as("cvat", keep("annotations.xml"));
    assert_true(info_of(d).n_classes >= CLASSES / 2);
    must_convert(d, in_dir("to.xml"), "cvat", "all");
    tn_dataset_close(d);
    ends_soon("elements");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_classes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_classes_of_one_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_fields, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_members, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_images_of_one_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_blank_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_elements, set_up, tear_down),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(text);
    return failed;
}

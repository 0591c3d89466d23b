/* SPDX-License-Identifier: Apache-2.0 */
/* test_imagefolder.c - classes and splits by folders */
#define _XOPEN_SOURCE 700
#include "formats.h"

#include <stdbool.h>

static void reads_golden(void **state)
{
    (void)state;
    tn_dataset *d = open_variant(GOLDEN "imagefolder", NULL, NULL);
    assert_string_equal(info_of(d).format, "imagefolder");
    has(d, 4, 3, 3);
    assert_string_equal(class_name(d, 0), "Zebra");
    assert_string_equal(class_name(d, 1), "cat no 1");
    assert_string_equal(class_name(d, 2), "empty");
    assert_string_equal(tn_dataset_split(d, 0), "train");
    assert_string_equal(image_of(d, 0).name, "Zebra/a.png");
    assert_int_equal(image_of(d, 0).raw_width, 1);
    assert_true((ann_of(d, 0).flags & TN_IS_TAG) != 0);
    assert_int_equal(image_of(d, 2).state, TN_STATE_UNKNOWN);
    assert_non_null(note_of(d, "other-file", NULL));
    tn_dataset_close(d);
}

static void writes_what_it_read(void **state)
{
    (void)state;
    tn_dataset *d = open_variant(GOLDEN "imagefolder", NULL, NULL);
    convert_here(d, "out", "imagefolder", NULL, "");
    tn_dataset *back = open_here("out", NULL, NULL);
    same(d, back);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void folders_without_splits(void **state)
{
    (void)state;
    put("b/1.jpg", "");
    put("b/deep/2.jpg", "");
    put("train/3.jpg", "");
    put(".hidden/4.jpg", "");
    put("__MACOSX/b/5.jpg", "");
    put("b/.DS_Store", "");
    put("b/Thumbs.db", "");
    tn_dataset *d = open_here("", NULL, NULL);
    uint64_t n = 0;
    has(d, 3, 3, 2);
    assert_int_equal(info_of(d).n_splits, 0);
    assert_string_equal(image_of(d, 1).name, "b/deep/2.jpg");
    assert_non_null(note_of(d, "nested-folder", NULL));
    assert_non_null(note_of(d, "other-file", &n));
    assert_int_equal(n, 1);
    tn_dataset_close(d);
}

/* A folder is what lies in it: classes may be called as other formats call
 * their labels, and masks may lie in such folders. */
static void classes_called_like_labels(void **state)
{
    (void)state;
    static const struct {
        const char *files[4];
        const char *format; /* NULL: none says that it is its own */
    } rows[] = {
        {{"cat/1.jpg", "label_2/2.jpg"}, "imagefolder"},
        {{"cat/1.jpg", "labels/2.jpg"}, "imagefolder"},
        {{"annotations/1.jpg", "cat/2.jpg"}, "imagefolder"},
        {{"train/cat/1.jpg", "train/label_2/2.jpg", "val/label_2/3.jpg"},
         "imagefolder"},
        {{"image_2/1.png", "label_2/1.txt"}, "kitti"},
        {{"image_2/1.png", "label_2/train/1.txt"}, "kitti"},
        {{"training/image_2/1.png", "training/label_2/1.txt"}, "kitti"},
        {{"cat/1.jpg", "label_2/1.jpg", "label_2/1.txt"}, "kitti"},
        {{"images/1.jpg", "labels/1.txt"}, "yolo"},
        {{"images/train/1.jpg", "labels/train/1.txt"}, "yolo"},
        /* Masks are no class, nor anything that is read from folders. */
        {{"images/1.jpg", "labels/1.png"}, NULL},
        {{"image_2/1.png", "label_2/1.png"}, NULL},
        {{"images/1.jpg", "labels/train/1.png"}, NULL},
    };
    static const char line[] = "Car 0 0 0 1 1 2 2 1 1 1 1 1 1 0\n";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char top[20], name[100], where_to[TMP_PATH];
        (void)snprintf(top, sizeof top, "d%zu", i);
        for (size_t k = 0; k < 4 && rows[i].files[k] != NULL; k++) {
            const char *file = rows[i].files[k];
            const bool kitti = strstr(file, "label_2") != NULL;
            (void)snprintf(name, sizeof name, "%s/%s", top, file);
            put(name, strstr(file, ".txt") == NULL ? ""
                      : kitti                      ? line
                                                   : "0 0.5 0.5 0.1 0.1\n");
        }
        tmp_path(where_to, dir, top);
        tn_dataset *d = try_variant(where_to, NULL, NULL);
        const char *got = d != NULL ? info_of(d).format : "none";
        const char *want = rows[i].format != NULL ? rows[i].format : "none";
        if (strcmp(got, want) != 0)
            fail_msg("%s, ...: %s instead of %s (%s)", rows[i].files[0], got,
                     want, err.message);
        if (d == NULL) assert_non_null(strstr(err.message, "--from"));
        tn_dataset_close(d);
    }
}

/* Images and texts that say nothing: nobody can tell. */
static void undecidable_is_asked(void **state)
{
    (void)state;
    char where_to[TMP_PATH];
    put("in/cat/1.jpg", "");
    put("in/label_2/2.jpg", "");
    put("in/label_2/2.txt", "");
    tmp_path(where_to, dir, "in");
    assert_null(try_variant(where_to, NULL, NULL));
    assert_string_equal(
        err.message,
        "it could be any of imagefolder, kitti; say which (--from)");
    tn_dataset *d = open_variant(where_to, "imagefolder", NULL);
    has(d, 2, 2, 2);
    tn_dataset_close(d);
}

/* Classes are counted by bytes: capitals first, whatever the locale. */
static void order_is_that_of_bytes(void **state)
{
    (void)state;
    put("b/1.jpg", "");
    put("B/1.jpg", "");
    put("\xc3\xa4/1.jpg", "");
    put("10/1.jpg", "");
    put("9/1.jpg", "");
    tn_dataset *d = open_here("", NULL, NULL);
    static const char *const order[] = {"10", "9", "B", "b", "\xc3\xa4"};
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(class_name(d, i), order[i]);
    tn_dataset_close(d);
}

static void names_get_the_folder_of_their_class(void **state)
{
    (void)state;
    put("in/x.json",
        "[{\"image\": \"a.jpg\", \"annotations\": [{\"label\": \"cat\"}]},"
        "{\"image\": \"cat/a.jpg\", \"annotations\": [{\"label\": "
        "\"cat\"}]}, {\"image\": \"dog/b.jpg\", \"annotations\": "
        "[{\"label\": \"cat\"}]}]");
    put("in/a.jpg", "");
    put("in/cat/a.jpg", "");
    put("in/dog/b.jpg", "");
    tn_dataset *d = open_here("in", "createml", NULL);
    convert_here(d, "out", "imagefolder", NULL, "image-names");
    tn_dataset *back = open_here("out", NULL, NULL);
    has(back, 3, 3, 1);
    /* The names they had are back by the residue. */
    static const char *const files[] = {"out/cat/a.jpg", "out/cat/a_1.jpg",
                                        "out/cat/dog/b.jpg"};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(image_of(back, i).name, image_of(d, i).name);
        assert_non_null(strstr(image_of(back, i).file, files[i]));
    }
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void what_folders_cannot_say(void **state)
{
    (void)state;
    static const char form[] = "[{\"image\": \"%s\", \"annotations\": "
                               "[{\"label\": \"%s\"}]}]";
    static const struct {
        const char *image, *label, *says;
    } cases[] = {
        {"a.jpg", "a/b", "cannot be a folder of its own"},
        {"a.jpg", "", "cannot be a folder of its own"},
        {"a.jpg", "..", "cannot be a folder of its own"},
        {"a.jpg", "train", "all called like splits"},
        {"gone.jpg", "cat", "has no file to put there"},
        {"a.dat", "cat", "does not end like an image"},
    };
    put("in/a.jpg", "");
    put("in/a.dat", "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[200];
        (void)snprintf(text, sizeof text, form, cases[i].image, cases[i].label);
        put("in/x.json", text);
        tn_dataset *d = open_here("in", "createml", NULL);
        is_not_converted(d, "out", "imagefolder", "all", cases[i].says);
        tn_dataset_close(d);
    }
    put("in/x.json", "[{\"image\": \"a.jpg\", \"annotations\": [{\"label\""
                     ": \"cat\"}, {\"label\": \"dog\"}]}]");
    tn_dataset *d = open_here("in", "createml", NULL);
    is_not_converted(d, "out", "imagefolder", NULL, "2 image-tags");
    tn_dataset_close(d);
    put("fold/f1/_annotations.createml.json",
        "[{\"image\": \"a.jpg\", \"annotations\": [{\"label\": "
        "\"cat\"}]}]");
    put("fold/f1/a.jpg", "");
    d = open_here("fold", "createml", NULL);
    is_not_converted(d, "out", "imagefolder", "all",
                     "a split called 'f1' would be taken for a class");
    tn_dataset_close(d);
}

static void refuses_files(void **state)
{
    (void)state;
    put("x.jpg", "");
    is_refused("x.jpg", "imagefolder", NULL, "a folder of folders");
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    survives_oom(GOLDEN "imagefolder", "imagefolder");
}

static void shared_fixtures(void **state)
{
    (void)state;
    static const shared_row rows[] = {
        {"datumaro-assets/imagenet_dataset", 4, 3, 2},
        {"datumaro-assets/imagenet_subsets_dataset", 12, 9, 2},
        {"sign-digits/Dataset", 207, 207, 10},
    };
    check_shared(rows, sizeof rows / sizeof rows[0], "imagefolder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_golden),
        IN_FOLDER(writes_what_it_read),
        IN_FOLDER(folders_without_splits),
        IN_FOLDER(classes_called_like_labels),
        IN_FOLDER(undecidable_is_asked),
        IN_FOLDER(order_is_that_of_bytes),
        IN_FOLDER(names_get_the_folder_of_their_class),
        IN_FOLDER(what_folders_cannot_say),
        IN_FOLDER(refuses_files),
        cmocka_unit_test(survives_lack_of_memory),
        cmocka_unit_test(shared_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

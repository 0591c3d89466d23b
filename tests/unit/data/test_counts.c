/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_counts.c - the shared fixtures have what an independent program counted
 *
 * Walks counts.json of the test data: for every COCO file images, annotations,
 * categories, polygons, masks and keypoints; for results how many; for folders
 * of VOC files, objects and classes; for folders of images how many. What is not
 * checked is printed with the reason. A format that is new gets a row in
 * `folders`.
 */
#define _XOPEN_SOURCE 700
#include "formats.h"

#include "base/json.h"
#include "sys/file.h"

typedef struct expected {
    char file[300];
    int64_t images, annotations, categories, polygons, masks, keypoints,
        results;
} expected;

static int n_checked, n_skipped;

static void skipped(const char *set, const char *file, const char *why)
{
    print_message("skipped: %s/%s: %s\n", set, file, why);
    n_skipped++;
}

static void text_of(char *out, size_t size, tni_span s)
{
    assert_true(s.len < size);
    memcpy(out, s.p, s.len);
    out[s.len] = '\0';
}

static void read_row(tni_json *j, expected *e)
{
    tni_span key, text;
    memset(e, 0, sizeof *e);
    e->results = -1;
    assert_true(tni_json_enter(j, '{'));
    while (tni_json_key(j, &key)) {
        const struct {
            const char *name;
            int64_t *to;
        } members[] = {
            {"images", &e->images},         {"annotations", &e->annotations},
            {"categories", &e->categories}, {"seg_poly", &e->polygons},
            {"seg_rle", &e->masks},         {"keypoints", &e->keypoints},
            {"results", &e->results}};
        if (tni_span_is(key, "file")) {
            assert_true(tni_json_string(j, &text, NULL));
            text_of(e->file, sizeof e->file, text);
            continue;
        }
        bool known = false;
        for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
            if (!tni_span_is(key, members[i].name)) continue;
            known = true;
            assert_true(tni_json_i64(j, members[i].to));
        }
        if (!known) assert_true(tni_json_skip(j, NULL));
    }
}

/* Annotations whose segmentation is a list of polygons, one of runs, and those
 * with keypoints, as a reader of the JSON alone would count them. */
static void count_geometry(const tn_dataset *d, int64_t n[3])
{
    n[0] = n[1] = n[2] = 0;
    for (size_t i = 0; i < info_of(d).n_annotations; i++) {
        const tn_shape_kind kind = tn_dataset_shape_kind(d, i);
        if (kind == TN_SHAPE_POLYGON) n[0]++;
        if (kind == TN_SHAPE_RLE) n[1]++;
        if ((ann_of(d, i).flags & TN_HAS_KEYPOINTS) != 0) n[2]++;
    }
}

static void is(const char *file, const char *what, int64_t found, int64_t want)
{
    if (found != want)
        fail_msg("%s: %lld %s instead of %lld", file, (long long)found, what,
                 (long long)want);
}

/* Files whose counts say something else than a reader's rows, and why. */
static const char *other_meaning(const char *file)
{
    if (strstr(file, "panoptic") != NULL)
        return "an annotation of panoptic files is an image, a row is one of "
               "its segments";
    return NULL;
}

static void check_coco(const char *set, const expected *e)
{
    char name[400], full[1024];
    int64_t n[3];
    const char *why = other_meaning(e->file);
    (void)snprintf(name, sizeof name, "%s/%s", set, e->file);
    if (!shared(full, name)) {
        skipped(set, e->file, "not here");
        return;
    }
    if (why != NULL) {
        skipped(set, e->file, why);
        return;
    }
    tn_dataset *d = try_open("coco", full);
    if (d == NULL) fail_msg("%s: %s: %s", name, err.where, err.message);
    const tn_dataset_info info = info_of(d);
    if (e->results >= 0) {
        is(name, "results", (int64_t)info.n_annotations, e->results);
    } else {
        count_geometry(d, n);
        is(name, "images", (int64_t)info.n_images, e->images);
        is(name, "annotations", (int64_t)info.n_annotations, e->annotations);
        /* Ids without a category become classes, and are noted. */
        if (noted(d, "orphan-class") == 0)
            is(name, "categories", (int64_t)info.n_classes, e->categories);
        is(name, "polygons", n[0], e->polygons);
        is(name, "masks", n[1], e->masks);
        is(name, "keypoints", n[2], e->keypoints);
    }
    tn_dataset_close(d);
    n_checked++;
}

static void walk_coco(tni_json *j, const char *set)
{
    assert_true(tni_json_enter(j, '['));
    while (tni_json_item(j)) {
        expected e;
        read_row(j, &e);
        check_coco(set, &e);
    }
}

/* Sets that are one dataset of a format, whose counts are those of the set. */
static const struct {
    const char *set, *folder, *format;
} folders[] = {
    {"bccd", "bccd", "voc"},
    {"sign-digits", "sign-digits/Dataset", "imagefolder"},
};

static const char *folder_of(const char *set, const char *format)
{
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (strcmp(folders[i].set, set) == 0 &&
            strcmp(folders[i].format, format) == 0)
            return folders[i].folder;
    return NULL;
}

/* NULL, and said why, when it is not to be checked. */
static tn_dataset *open_folder(const char *set, const char *format)
{
    char full[1024];
    const char *folder = folder_of(set, format);
    if (folder == NULL || !shared(full, folder)) {
        skipped(set, format,
                folder == NULL ? "counted over several datasets" : "not here");
        return NULL;
    }
    tn_dataset *d = try_open(format, full);
    if (d == NULL && strstr(err.message, "no format is called") != NULL)
        skipped(set, format, "no reader yet");
    else if (d == NULL)
        fail_msg("%s: %s: %s", set, err.where, err.message);
    return d;
}

static void is_class(const tn_dataset *d, const char *name, int64_t want)
{
    int64_t n = 0;
    for (size_t i = 0; i < info_of(d).n_annotations; i++)
        if (strcmp(class_of(d, i), name) == 0) n++;
    is(name, "objects", n, want);
}

static void walk_voc(tni_json *j, const char *set)
{
    tni_span key;
    int64_t v = 0;
    tn_dataset *d = open_folder(set, "voc");
    assert_true(tni_json_enter(j, '{'));
    while (tni_json_key(j, &key)) {
        if (d != NULL && tni_span_is(key, "objects")) {
            assert_true(tni_json_i64(j, &v));
            is(set, "objects", (int64_t)info_of(d).n_annotations, v);
        } else if (d != NULL && tni_span_is(key, "files")) {
            assert_true(tni_json_i64(j, &v));
            is(set, "files", (int64_t)info_of(d).n_images, v);
        } else if (d != NULL && tni_span_is(key, "by_class")) {
            assert_true(tni_json_enter(j, '{'));
            while (tni_json_key(j, &key)) {
                char name[100];
                text_of(name, sizeof name, key);
                assert_true(tni_json_i64(j, &v));
                is_class(d, name, v);
            }
        } else {
            assert_true(tni_json_skip(j, NULL));
        }
    }
    if (d != NULL) n_checked++;
    tn_dataset_close(d);
}

static void check_images(const char *set, int64_t images)
{
    if (folder_of(set, "imagefolder") == NULL) return;
    tn_dataset *d = open_folder(set, "imagefolder");
    if (d == NULL) return;
    int64_t n = 0;
    for (size_t i = 0; i < info_of(d).n_images; i++)
        if (image_of(d, i).file != NULL) n++;
    tn_dataset_close(d);
    if (n < images) {
        /* What is here may be a part of what was counted. */
        char why[80];
        (void)snprintf(why, sizeof why, "%lld of its %lld images are here",
                       (long long)n, (long long)images);
        skipped(set, "imagefolder", why);
        return;
    }
    is(set, "images", n, images);
    n_checked++;
}

static void every_count(void **state)
{
    (void)state;
    char full[1024];
    tni_file_map map;
    tni_json j;
    tni_span key;
    if (!shared(full, "counts.json")) skip();
    assert_int_equal(tni_file_map_open(&map, full, 1 << 24, &err), TN_OK);
    tni_json_init(&j, (const char *)map.bytes, map.size, 16, &err);
    assert_true(tni_json_enter(&j, '{'));
    while (tni_json_key(&j, &key)) {
        char set[100];
        text_of(set, sizeof set, key);
        assert_true(tni_json_enter(&j, '{'));
        while (tni_json_key(&j, &key)) {
            int64_t v = 0;
            if (tni_span_is(key, "coco")) {
                walk_coco(&j, set);
            } else if (tni_span_is(key, "voc")) {
                walk_voc(&j, set);
            } else if (tni_span_is(key, "images")) {
                assert_true(tni_json_i64(&j, &v));
                check_images(set, v);
            } else {
                assert_true(tni_json_skip(&j, NULL));
            }
        }
    }
    assert_true(tni_json_end(&j));
    tni_file_map_close(&map);
    print_message("%d checked, %d skipped\n", n_checked, n_skipped);
    assert_true(n_checked > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_count)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_traps.c - what datasets get wrong, one test per trap
 *
 * Traps of one format are in that format's test: 0- and 1-based boxes and the
 * order of their edges (VOC), DontCare (KITTI), percent (Label Studio), dotted
 * names (WebDataset), bombs (YAML, XML), EXIF and pixels (images), archives
 * that lead outside (tar). docs/modules/data_traps.md lists all of them.
 */
#define _XOPEN_SOURCE 700
#include "formats.h"

/* A COCO file of these images, annotations and categories. */
static tn_dataset *coco_of(const char *images, const char *annotations,
                           const char *categories)
{
    char text[4000];
    (void)snprintf(text, sizeof text,
                   "{\"images\": [%s], \"annotations\": [%s],"
                   " \"categories\": [%s]}",
                   images, annotations, categories);
    return open_text("coco", "x.json", text);
}

static tn_dataset *must_coco(const char *images, const char *annotations,
                             const char *categories)
{
    tn_dataset *d = coco_of(images, annotations, categories);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    return d;
}

#define IMAGE                                                                  \
    "{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 40, \"height\": 30}"
#define CLASS "{\"id\": 1, \"name\": \"x\"}"

/* The dataset once more, by way of YOLO and its residue. */
static tn_dataset *through_yolo(tn_dataset *d)
{
    char to[TMP_PATH], back[TMP_PATH];
    tmp_path(to, dir, "y");
    tmp_path(back, dir, "back.json");
    must_convert(d, to, "yolo", "all");
    tn_dataset_close(d);
    d = open_as("yolo", to);
    must_convert(d, back, "coco", "all");
    tn_dataset_close(d);
    return open_as("coco", back);
}

static tn_dataset *through_coco(tn_dataset *d)
{
    char to[TMP_PATH];
    tmp_path(to, dir, "same.json");
    must_convert(d, to, "coco", NULL);
    tn_dataset_close(d);
    return open_as("coco", to);
}

/* --- ids ----------------------------------------------------------------- */

static void ids_of_all_kinds(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        tn_dataset *d = must_coco(
            "{\"id\": 0, \"file_name\": \"a.jpg\", \"width\": 4, \"height\": "
            "4},"
            "{\"id\": 9007199254740993, \"file_name\": \"b.jpg\", \"width\": 4,"
            " \"height\": 4},"
            "{\"id\": \"t-1\", \"file_name\": \"c.jpg\", \"width\": 4,"
            " \"height\": 4}",
            "{\"id\": 0, \"image_id\": 0, \"category_id\": 0,"
            " \"bbox\": [1, 1, 2, 2]},"
            "{\"id\": 9007199254740995, \"image_id\": 9007199254740993,"
            " \"category_id\": 90, \"bbox\": [1, 1, 2, 2]},"
            "{\"id\": \"a-1\", \"image_id\": \"t-1\", \"category_id\": 7,"
            " \"bbox\": [1, 1, 2, 2]}",
            "{\"id\": 90, \"name\": \"x\"}, {\"id\": 0, \"name\": \"y\"},"
            "{\"id\": 7, \"name\": \"z\"}");
        d = way == 0 ? through_coco(d) : through_yolo(d);
        assert_int_equal(image_of(d, 0).id.kind, TN_ID_INT);
        assert_true(image_of(d, 0).id.number == 0);
        assert_true(image_of(d, 1).id.number == INT64_C(9007199254740993));
        assert_string_equal(image_of(d, 2).id.text, "t-1");
        assert_true(ann_of(d, 0).id.number == 0);
        assert_true(ann_of(d, 1).id.number == INT64_C(9007199254740995));
        assert_string_equal(ann_of(d, 2).id.text, "a-1");
        assert_string_equal(class_of(d, 0), "y");
        assert_string_equal(class_of(d, 1), "x");
        tn_class_row c = TN_CLASS_ROW_INIT;
        assert_int_equal(tn_dataset_class(d, 0, &c), TN_OK);
        assert_true(c.id.number == 90);
        tn_dataset_close(d);
    }
}

static void ids_that_come_twice(void **state)
{
    (void)state;
    tn_dataset *d =
        must_coco(IMAGE ", {\"id\": 1, \"file_name\": \"b.jpg\"}",
                  "{\"id\": 5, \"image_id\": 1, \"category_id\": 1,"
                  " \"bbox\": [1, 1, 2, 2]},"
                  "{\"id\": 4, \"image_id\": 1, \"category_id\": 1,"
                  " \"bbox\": [1, 1, 3, 2]},"
                  "{\"id\": 5, \"image_id\": 1, \"category_id\": 1,"
                  " \"bbox\": [1, 1, 4, 2]},"
                  "{\"id\": \"5\", \"image_id\": 1, \"category_id\": 1,"
                  " \"bbox\": [1, 1, 4, 2]},"
                  "{\"id\": \"5\", \"image_id\": 1, \"category_id\": 1,"
                  " \"bbox\": [1, 1, 5, 2]}",
                  CLASS ", {\"id\": 1, \"name\": \"y\"}");
    assert_int_equal(noted(d, "duplicate-image-id"), 1);
    assert_int_equal(noted(d, "duplicate-annotation-id"), 2);
    assert_int_equal(noted(d, "duplicate-class-id"), 1);
    assert_int_equal(info_of(d).n_annotations, 5); /* none is dropped */
    assert_int_equal(info_of(d).n_images, 2);
    tn_dataset_close(d);
}

/* --- names --------------------------------------------------------------- */

static const char *const odd_names[] = {"no",
                                        "1",
                                        "a: b",
                                        "M\xc3\xbcnchen",
                                        "\xf0\x9f\x98\x80",
                                        "",
                                        "x ",
                                        "X",
                                        "M\xc3\x9cNCHEN",
                                        "Mu\xcc\x88nchen",
                                        "~",
                                        "null",
                                        "1.0",
                                        "- a",
                                        "#x",
                                        "'q'",
                                        "\\\"esc\\\"",
                                        "yes",
                                        "tab\\tin",
                                        "[x]"};

enum { N_ODD = sizeof odd_names / sizeof odd_names[0] };

/* Equal but for case, spaces or normal form, they stay the classes they are. */
static void class_names_stay_what_they_are(void **state)
{
    (void)state;
    char images[2000] = "", anns[2400] = "", classes[1600] = "";
    size_t ni = 0, na = 0, nc = 0;
    for (int i = 0; i < N_ODD; i++) {
        const char *sep = i > 0 ? ", " : "";
        ni += (size_t)snprintf(images + ni, sizeof images - ni,
                               "%s{\"id\": %d, \"file_name\": \"%d.jpg\","
                               " \"width\": 9, \"height\": 9}",
                               sep, i, i);
        na +=
            (size_t)snprintf(anns + na, sizeof anns - na,
                             "%s{\"id\": %d, \"image_id\": %d, \"category_id\""
                             ": %d, \"bbox\": [1, 1, 2, 2]}",
                             sep, i, i, 2 * i);
        nc += (size_t)snprintf(classes + nc, sizeof classes - nc,
                               "%s{\"id\": %d, \"name\": \"%s\"}", sep, 2 * i,
                               odd_names[i]);
    }
    char text[7000];
    (void)snprintf(text, sizeof text,
                   "{\"images\": [%s], \"annotations\": [%s], \"categories\":"
                   " [%s]}",
                   images, anns, classes);
    tn_dataset *d = open_text("coco", "x.json", text);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    d = through_yolo(d);
    assert_int_equal(info_of(d).n_classes, N_ODD);
    for (int i = 0; i < N_ODD; i++) {
        const char *want = strcmp(odd_names[i], "\\\"esc\\\"") == 0 ? "\"esc\""
                           : strcmp(odd_names[i], "tab\\tin") == 0
                               ? "tab\tin"
                               : odd_names[i];
        assert_string_equal(class_of(d, (size_t)i), want);
    }
    tn_dataset_close(d);
}

static void names_of_images_that_collide(void **state)
{
    (void)state;
    static const char *const names[] = {
        "a.jpg",        "a.png",  "A.jpg",      "x/images/y/images/z.jpg",
        "b.c.d.jpg",    ".h.jpg", "sp ace.jpg", "\xc3\xbc.jpg",
        "u\xcc\x88.jpg"};
    enum { N = sizeof names / sizeof names[0] };
    char images[1600] = "", anns[1600] = "";
    size_t ni = 0, na = 0;
    for (int i = 0; i < N; i++) {
        const char *sep = i > 0 ? ", " : "";
        ni += (size_t)snprintf(images + ni, sizeof images - ni,
                               "%s{\"id\": %d, \"file_name\": \"%s\","
                               " \"width\": 9, \"height\": 9}",
                               sep, i, names[i]);
        na +=
            (size_t)snprintf(anns + na, sizeof anns - na,
                             "%s{\"id\": %d, \"image_id\": %d, \"category_id\""
                             ": 1, \"bbox\": [1, 1, 2, %d]}",
                             sep, i, i, 1 + i % 7);
    }
    char to[TMP_PATH], lost[400];
    tn_dataset *d = must_coco(images, anns, CLASS);
    tmp_path(to, dir, "y");
    assert_int_not_equal(convert(d, to, "yolo", NULL, lost), TN_OK);
    assert_non_null(strstr(lost, "image-names"));
    d = through_yolo(d);
    assert_int_equal(info_of(d).n_images, N);
    for (size_t i = 0; i < N; i++) {
        assert_string_equal(image_of(d, i).name, names[i]);
        assert_box(d, i, 1, 1, 3, 2 + (double)(i % 7));
    }
    tn_dataset_close(d);
}

/* Names that are text only to some: kept, or refused with what to do. */
static void names_that_end_lines(void **state)
{
    (void)state;
    static const char *const names[] = {"a ",       "b\\nc.jpg", " d.jpg",
                                        "e.jpg\\r", "f.jpg\\t",  "g.jpg ",
                                        "h. ",      "i.",        "a../b.jpg"};
    static const char *const formats[] = {
        "yolo", "label-studio", "mot",     "voc",    "kitti",
        "csv",  "openimages",   "labelme", "ndjson", "hf-metadata"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (size_t k = 0; k < sizeof formats / sizeof formats[0]; k++) {
            char images[200], to[TMP_PATH], file[40];
            (void)snprintf(images, sizeof images,
                           "{\"id\": 1, \"file_name\": \"%s\", \"width\": 4,"
                           " \"height\": 4}",
                           names[i]);
            tn_dataset *d = must_coco(images, "", CLASS);
            (void)snprintf(file, sizeof file, "t%zu_%zu", i, k);
            tmp_path(to, dir, file);
            const tn_status status = convert(d, to, formats[k], "all", NULL);
            if (status != TN_OK && status != TN_EUNSUPPORTED)
                fail_msg("'%s' to %s: %s", names[i], formats[k], err.message);
            if (status != TN_OK && strstr(err.message, "rename it") == NULL &&
                strstr(err.message, "another one") == NULL)
                fail_msg("'%s' to %s: %s", names[i], formats[k], err.message);
            tn_dataset_close(d);
        }
}

static void no_name_leads_outside(void **state)
{
    (void)state;
    tn_dataset *d = must_coco(
        "{\"id\": 1, \"file_name\": \"../../up.jpg\", \"width\": 9, "
        "\"height\": 9},"
        "{\"id\": 2, \"file_name\": \"/etc/x.jpg\", \"width\": 9, \"height\": "
        "9},"
        "{\"id\": 3, \"file_name\": \"C:\\\\w\\\\y.jpg\", \"width\": 9,"
        " \"height\": 9}",
        "{\"id\": 1, \"image_id\": 1, \"category_id\": 1, \"bbox\": [1, 1, 2, "
        "2]},"
        "{\"id\": 2, \"image_id\": 2, \"category_id\": 1, \"bbox\": [1, 1, 2, "
        "2]},"
        "{\"id\": 3, \"image_id\": 3, \"category_id\": 1, \"bbox\": [1, 1, 2, "
        "2]}",
        CLASS);
    char to[TMP_PATH], file[TMP_PATH + 60];
    tmp_path(to, dir, "y");
    must_convert(d, to, "yolo", "all");
    tn_dataset_close(d);
    static const char *const files[] = {"up.txt", "etc/x.txt", "w/y.txt"};
    for (int i = 0; i < 3; i++) {
        (void)snprintf(file, sizeof file, "%s/labels/unsplit/%s", to, files[i]);
        assert_int_equal(access(file, R_OK), 0);
    }
}

/* --- what is missing ------------------------------------------------------ */

static void rows_without_their_other_half(void **state)
{
    (void)state;
    tn_dataset *d = must_coco(
        IMAGE
        ", {\"id\": 2, \"file_name\": \"b.jpg\", \"width\": 9, \"height\": 9}",
        "{\"id\": 1, \"image_id\": 77, \"category_id\": 1,"
        " \"bbox\": [1, 1, 2, 2]},"
        "{\"id\": 2, \"image_id\": 1, \"category_id\": 55,"
        " \"bbox\": [1, 1, 2, 2]}",
        CLASS);
    assert_int_equal(noted(d, "orphan-class"), 1);
    assert_int_equal(image_of(d, 1).state, TN_STATE_UNKNOWN);
    assert_int_equal(ann_of(d, 0).image, TN_NONE);
    assert_string_equal(class_of(d, 1), "55");
    char to[TMP_PATH], lost[400];
    tmp_path(to, dir, "y");
    assert_int_not_equal(convert(d, to, "yolo", NULL, lost), TN_OK);
    assert_non_null(strstr(lost, "orphans"));
    d = through_yolo(d);
    assert_int_equal(info_of(d).n_annotations, 2);
    tn_dataset_close(d);
}

/* A label file that is missing, and one that is empty. */
static void missing_labels_and_empty_ones(void **state)
{
    (void)state;
    put("data.yaml", "train: images\nnames: [x]\n");
    put("images/a.jpg", "");
    put("images/b.jpg", "");
    put("labels/b.txt", "");
    put("labels/c.txt", "0 0.5 0.5 0.1 0.1\n");
    tn_dataset *d = open_as("yolo", dir);
    assert_int_equal(info_of(d).n_images, 3);
    assert_int_equal(image_of(d, 0).state, TN_STATE_UNKNOWN);
    assert_int_equal(image_of(d, 1).state, TN_STATE_EMPTY);
    assert_int_equal(noted(d, "label-without-image"), 1);
    assert_int_equal(noted(d, "image-header"), 2); /* of no bytes */
    tn_dataset_close(d);
}

/* One pixel, in a file whose name says JPEG and whose bytes are BMP's: what an
 * image is, its bytes say. */
static void one_pixel_of_another_kind(void **state)
{
    static const unsigned char bmp[58] = {'B', 'M', 58, 0, 0,  0, 0, 0, 0, 0,
                                          54,  0,   0,  0, 40, 0, 0, 0, 1, 0,
                                          0,   0,   1,  0, 0,  0, 1, 0, 24};
    (void)state;
    put("data.yaml", "train: images\nnames: [x]\n");
    put("labels/a.txt", "0 0.5 0.5 1 1\n");
    put("images/a.jpg", "");
    tmp_write(dir, "images/a.jpg", bmp, sizeof bmp);
    tn_dataset *d = open_as("yolo", dir);
    assert_int_equal(noted(d, "image-header"), 0);
    for (int way = 0; way < 2; way++) {
        const tn_image_row row = image_of(d, 0);
        const int64_t w = way == 0 ? row.raw_width : row.width;
        const int64_t h = way == 0 ? row.raw_height : row.height;
        assert_true(w == 1 && h == 1);
        assert_box(d, 0, 0, 0, 1, 1);
        if (way == 0) d = through_yolo(d);
    }
    tn_dataset_close(d);
}

/* --- numbers ------------------------------------------------------------- */

static tn_dataset *label(const char *line)
{
    put("data.yaml", "train: images\nnames: [x]\n");
    put("images/a.jpg", "");
    put("labels/a.txt", line);
    return try_open("yolo", dir);
}

static void coordinates_at_the_edge(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        uint64_t noted;
    } rows[] = {{"0 -0.005 0.5 0.1 0.1\n", 0}, {"0 1.005 0.5 0.1 0.1\n", 0},
                {"0 1.02 0.5 0.1 0.1\n", 1},   {"0 640 0.5 0.1 0.1\n", 1},
                {"0 0.5 0.5 -0.1 0.1\n", 1},   {"0 0.5 0.5 0 0.1\n", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tn_dataset *d = label(rows[i].line);
        if (d == NULL) fail_msg("%s: %s", rows[i].line, err.message);
        assert_int_equal(info_of(d).n_annotations, 1);
        assert_int_equal(noted(d, "out-of-range"), rows[i].noted);
        tn_dataset_close(d);
    }
}

static void numbers_that_are_none(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "0 nan 0.5 0.1 0.1\n",   "0 0.5 inf 0.1 0.1\n", "0 1e400 0.5 0.1 0.1\n",
        "0 0,5 0.5 0.1 0.1\n",   "0 0.5 0.5 0.1 0x1\n", "0 0.5 0.5 0.1\n",
        "0 0.5 0.5 0.1 0.1 ?\n", "x 0.5 0.5 0.1 0.1\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        tn_dataset *d = label(lines[i]);
        if (d != NULL) fail_msg("taken: %s", lines[i]);
        assert_non_null(strstr(err.where, "a.txt"));
        assert_int_equal(err.line, 1);
    }
    static const char *const boxes[] = {"[1, 1, NaN, 2]", "[1, 1, 1e400, 2]",
                                        "[1, 1, \"2\", 2]", "[1, 1, 1,5, 2]"};
    for (size_t i = 0; i < sizeof boxes / sizeof boxes[0]; i++) {
        char ann[200];
        (void)snprintf(ann, sizeof ann,
                       "{\"id\": 1, \"image_id\": 1, \"category_id\": 1,"
                       " \"bbox\": %s}",
                       boxes[i]);
        if (coco_of(IMAGE, ann, CLASS) != NULL) fail_msg("taken: %s", boxes[i]);
        assert_non_null(strstr(err.message, "annotations[0]"));
    }
}

/* Turned about, of no size, wholly outside: kept as they are. */
static void boxes_that_make_no_sense(void **state)
{
    (void)state;
    tn_dataset *d = must_coco(IMAGE,
                              "{\"id\": 1, \"image_id\": 1, \"category_id\": 1,"
                              " \"bbox\": [10, 10, -4, -3]},"
                              "{\"id\": 2, \"image_id\": 1, \"category_id\": 1,"
                              " \"bbox\": [10, 10, 0, 3]},"
                              "{\"id\": 3, \"image_id\": 1, \"category_id\": 1,"
                              " \"bbox\": [100, 100, 4, 3]}",
                              CLASS);
    for (int way = 0; way < 2; way++) {
        d = way == 0 ? through_coco(d) : through_yolo(d);
        assert_int_equal(info_of(d).n_annotations, 3);
        for (size_t i = 0; i < 3; i++) {
            const double id = (double)ann_of(d, i).id.number;
            if (id == 1) assert_box(d, i, 10, 10, 6, 7);
            if (id == 2) assert_box(d, i, 10, 10, 10, 13);
            if (id == 3) assert_box(d, i, 100, 100, 104, 103);
        }
    }
    tn_dataset_close(d);
}

/* --- shapes -------------------------------------------------------------- */

static void shapes_as_they_come(void **state)
{
    (void)state;
    static const struct {
        int crowd;
        const char *what;
    } rows[] = {
        {1, "[[1,1,3,1,3,3]]"},
        {0, "{\"counts\": [11,2,87], \"size\": [10,10]}"},
        {0, "[[1,1,3,3]]"},
        {0, "[[1,1,3,3,1,3,3,1]]"}, /* crosses itself */
        {0, "[]"},
        {0, "[[1,1,9,1,9,9,1,9],[4,4,4,5,5,5]]"},
        {0, "{\"counts\": \";28O01l1\", \"size\": [10,10]}"},
    };
    char anns[2000] = "";
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        n += (size_t)snprintf(
            anns + n, sizeof anns - n,
            "%s{\"id\": %zu, \"image_id\": 1, \"category_id\":"
            " 1, \"iscrowd\": %d, \"bbox\": [1, 1, 2, 2],"
            " \"area\": 3, \"segmentation\": %s}",
            i > 0 ? ", " : "", i + 1, rows[i].crowd, rows[i].what);
    tn_dataset *d = must_coco("{\"id\": 1, \"file_name\": \"a.jpg\","
                              " \"width\": 10, \"height\": 10}",
                              anns, CLASS);
    for (int way = 0; way < 2; way++) {
        tn_shape s = TN_SHAPE_INIT;
        d = way == 0 ? through_coco(d) : through_yolo(d);
        assert_int_equal(info_of(d).n_annotations, 7);
        shape_of(d, 0, &s);
        assert_int_equal(s.kind, TN_SHAPE_POLYGON);
        assert_true((ann_of(d, 0).flags & TN_IS_CROWD) != 0);
        shape_of(d, 1, &s);
        assert_int_equal(s.kind, TN_SHAPE_RLE);
        assert_int_equal(s.n_runs, 3);
        shape_of(d, 2, &s);
        assert_int_equal(s.n_points, 2);
        shape_of(d, 3, &s);
        assert_true(s.xy[2] == 3 && s.xy[4] == 1 && s.xy[5] == 3);
        assert_int_not_equal(tn_dataset_shape(d, 4, &s, NULL), TN_OK);
        shape_of(d, 5, &s);
        assert_int_equal(s.n_rings, 2);
        tn_shape_fini(&s);
    }
    tn_dataset_close(d);
}

static void masks_that_do_not_add_up(void **state)
{
    (void)state;
    static const char *const masks[] = {
        "{\"counts\": [11,2,80], \"size\": [10,10]}",
        "{\"counts\": [], \"size\": [10,10]}",
        "{\"counts\": \"\", \"size\": [10,10]}",
        "{\"counts\": [4294967295, 4294967295, 102], \"size\": [10,10]}",
        "{\"counts\": [-5, 105], \"size\": [10,10]}"};
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        char ann[300], to[TMP_PATH];
        (void)snprintf(ann, sizeof ann,
                       "{\"id\": 1, \"image_id\": 1, \"category_id\": 1,"
                       " \"bbox\": [1, 1, 2, 2], \"segmentation\": %s}",
                       masks[i]);
        tn_dataset *d = must_coco(IMAGE, ann, CLASS);
        tmp_path(to, dir, "y");
        if (convert(d, to, "yolo", "all", NULL) == TN_OK)
            fail_msg("taken: %s", masks[i]);
        assert_non_null(strstr(err.where, "x.json"));
        assert_int_not_equal(access(to, F_OK), 0);
        tn_dataset_close(d);
    }
}

static void keypoints_that_are_not_visible(void **state)
{
    (void)state;
    tn_dataset *d = must_coco(
        IMAGE,
        "{\"id\": 1, \"image_id\": 1, \"category_id\": 1, \"num_keypoints\": 1,"
        " \"bbox\": [1, 1, 2, 2], \"keypoints\": [3, 4, 0, 5, 6, 2]}",
        "{\"id\": 1, \"name\": \"x\", \"keypoints\": [\"l\", \"r\"],"
        " \"skeleton\": [[1, 2]]}");
    tn_shape s = TN_SHAPE_INIT;
    d = through_yolo(d);
    assert_int_equal(tn_dataset_keypoints(d, 0, &s, &err), TN_OK);
    assert_true(s.xy[0] == 3 && s.xy[1] == 4 && s.visible[0] == 0);
    assert_true(s.xy[2] == 5 && s.xy[3] == 6 && s.visible[1] == 2);
    tn_shape_fini(&s);
    size_t n = 0;
    char *text = bytes_of(dir, "back.json", &n);
    assert_non_null(strstr(text, "\"skeleton\": [[1, 2]]"));
    free(text);
    tn_dataset_close(d);
}

/* --- text ---------------------------------------------------------------- */

static void line_ends_and_marks(void **state)
{
    (void)state;
    static const char *const labels[] = {
        "0 0.5 0.5 0.1 0.1\r\n\r\n", "\xef\xbb\xbf\x30 0.5 0.5 0.1 0.1\n",
        "0\t0.5 0.5   0.1\t0.1", "\n\n0 0.5 0.5 0.1 0.1 \n \n"};
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        tn_dataset *d = label(labels[i]);
        if (d == NULL) fail_msg("%s", err.message);
        assert_int_equal(info_of(d).n_annotations, 1);
        assert_int_equal(info_of(d).n_classes, 1);
        tn_dataset_close(d);
    }
    tn_dataset *d = open_text(NULL, "x.json",
                              "\xef\xbb\xbf{\"images\":\r\n\t[" IMAGE
                              "],\r\n\"annotations\": [],\t\"categories\": []}"
                              "\r\n\r\n");
    if (d == NULL) fail_msg("%s", err.message);
    assert_int_equal(info_of(d).n_images, 1);
    tn_dataset_close(d);
}

static void files_that_are_cut_or_packed(void **state)
{
    (void)state;
    refused(NULL, "x.json",
            "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}],"
            " \"annotations\": [{\"id\": 1, \"bbox\": [1, 2",
            "(line 1, column 86, annotations[0].bbox[1])");
    assert_int_equal(err.offset, 85);
    refused(NULL, "x.json.gz", "\x1f\x8b\x08", "it is compressed (gzip)");
    refused(NULL, "x.zip", "PK\x03\x04", "it is compressed (zip)");
}

static void lines_that_may_be_two_things(void **state)
{
    (void)state;
    assert_null(label("0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2\n"));
    assert_non_null(strstr(err.message, "yolo:obb or yolo:segment"));
    tn_dataset *d = label("0 0.1 0.1 0.2 0.2 0.3 0.3\n0 0.5 0.5 0.1 0.1\n");
    assert_non_null(d);
    assert_int_equal(noted(d, "mixed-boxes-outlines"), 1);
    assert_int_equal(info_of(d).n_annotations, 2);
    tn_dataset_close(d);
}

/* Labels of another kind are not the same as none. */
static void labels_that_are_dotas(void **state)
{
    (void)state;
    put("data.yaml", "train: train/images\nnames: [x]\n");
    put("train/images/a.jpg", "");
    put("train/labelTxt/a.txt", "1 2 3 2 3 4 1 4 x 0\n");
    assert_null(try_open("yolo", dir));
    assert_non_null(strstr(err.message, "DOTA"));
    put("train/labels/a.txt", "0 0.5 0.5 0.1 0.1\n");
    tn_dataset *d = open_as("yolo", dir);
    assert_int_equal(info_of(d).n_annotations, 1);
    tn_dataset_close(d);
}

/* A folder that holds itself must come to an end. */
static void links_that_lead_back(void **state)
{
    (void)state;
    char link[TMP_PATH];
    put("data.yaml", "train: images\nnames: [x]\n");
    put("images/a.jpg", "");
    tmp_path(link, dir, "images/again");
    assert_int_equal(symlink(".", link), 0);
    tn_dataset *d = try_open("yolo", dir);
    if (d == NULL) assert_int_equal(err.code, TN_ELIMIT);
    tn_dataset_close(d);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ids_of_all_kinds),
        TEST(ids_that_come_twice),
        TEST(class_names_stay_what_they_are),
        TEST(names_of_images_that_collide),
        TEST(names_that_end_lines),
        TEST(no_name_leads_outside),
        TEST(rows_without_their_other_half),
        TEST(missing_labels_and_empty_ones),
        TEST(one_pixel_of_another_kind),
        TEST(coordinates_at_the_edge),
        TEST(numbers_that_are_none),
        TEST(boxes_that_make_no_sense),
        TEST(shapes_as_they_come),
        TEST(masks_that_do_not_add_up),
        TEST(keypoints_that_are_not_visible),
        TEST(line_ends_and_marks),
        TEST(files_that_are_cut_or_packed),
        TEST(lines_that_may_be_two_things),
        TEST(labels_that_are_dotas),
        TEST(links_that_lead_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

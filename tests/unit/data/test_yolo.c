/* SPDX-License-Identifier: Apache-2.0 */
/* test_yolo.c - YOLO: spellings of data.yaml, lines, COCO and back */
#define _XOPEN_SOURCE 700
#include "dataset_testing.h"

/* Writes a file with the folders above it. */
static void put(const char *name, const char *text)
{
    char path[TMP_PATH + 200];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    for (char *p = path + strlen(dir) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        (void)mkdir(path, 0777);
        *p = '/';
    }
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

/* A BMP header of this size: all that is read of an image here. */
static void put_bmp(const char *name, unsigned w, unsigned h)
{
    unsigned char b[58] = {'B', 'M', 58, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40};
    char path[TMP_PATH + 200];
    put(name, "");
    b[18] = (unsigned char)w;
    b[19] = (unsigned char)(w >> 8);
    b[22] = (unsigned char)h;
    b[23] = (unsigned char)(h >> 8);
    b[26] = 1;
    b[28] = 24;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    (void)fwrite(b, 1, sizeof b, f);
    (void)fclose(f);
}

static tn_dataset *open_it(const char *sub, const char *variant)
{
    char path[TMP_PATH + 200];
    tn_dataset *d = NULL;
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    o.variant = variant;
    memset(&err, 0, sizeof err);
    (void)snprintf(path, sizeof path, "%s%s%s", dir, sub[0] != '\0' ? "/" : "",
                   sub);
    if (tn_dataset_open(&d, path, &o, &err) != TN_OK) return NULL;
    return d;
}

static const char *class_name(const tn_dataset *d, size_t i)
{
    tn_class_row c = TN_CLASS_ROW_INIT;
    return tn_dataset_class(d, i, &c) == TN_OK ? c.name : NULL;
}

static int has_note(const tn_dataset *d, const char *code)
{
    tn_note n = TN_NOTE_INIT;
    for (size_t i = 0; tn_dataset_note(d, i, &n) == TN_OK; i++)
        if (strcmp(n.code, code) == 0) return 1;
    return 0;
}

static void make_detect(void)
{
    put("data.yaml",
        "# comment\npath: .\ntrain: images/train\nval: [images/val]\n"
        "download: echo pwned > /tmp/never\nlicense: AGPL\n"
        "names: {2: 'a: b', 0: no, 1: 1}\nnc: 3\n");
    put_bmp("images/train/a.bmp", 640, 480);
    put_bmp("images/train/sub/b.bmp", 100, 50);
    put_bmp("images/train/c.bmp", 10, 10);
    put_bmp("images/val/a.bmp", 640, 480);
    put("labels/train/a.txt",
        "\xef\xbb\xbf"
        "0 0.5 0.5 0.25 0.5\r\n2.0\t.125 0.25 0.1 0.2 0.9\n\n");
    put("labels/train/sub/b.txt", "");
    put("labels/val/a.txt", "1 1.005 -0.005 0.1 0.1\n");
    put("labels/val/lost.txt", "1 0.5 0.5 0.1 0.1\n");
}

static void detect(void **state)
{
    (void)state;
    make_detect();
    tn_dataset *d = open_it("", NULL);
    tn_image_row image = TN_IMAGE_ROW_INIT;
    tn_annotation_row a = TN_ANNOTATION_ROW_INIT;
    double box[4], v = 0.0;
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    const tn_dataset_info info = info_of(d);
    assert_string_equal(info.format, "yolo");
    assert_string_equal(info.variant, "detect");
    assert_int_equal(info.n_images, 5);
    assert_int_equal(info.n_annotations, 4);
    assert_int_equal(info.n_classes, 3);
    assert_int_equal(info.n_splits, 2);
    assert_string_equal(class_name(d, 0), "no");
    assert_string_equal(class_name(d, 1), "1");
    assert_string_equal(class_name(d, 2), "a: b");
    assert_int_equal(tn_dataset_image(d, 0, &image), TN_OK);
    assert_string_equal(image.name, "a.bmp");
    assert_int_equal(image.raw_width, 640);
    assert_int_equal(image.splits, 1);
    assert_int_equal(tn_dataset_image(d, 1, &image), TN_OK);
    assert_string_equal(image.name, "c.bmp");
    assert_int_equal(image.state, TN_STATE_UNKNOWN);
    assert_int_equal(tn_dataset_image(d, 2, &image), TN_OK);
    assert_string_equal(image.name, "sub/b.bmp");
    assert_int_equal(image.state, TN_STATE_EMPTY);
    assert_int_equal(tn_dataset_image(d, 4, &image), TN_OK);
    assert_string_equal(image.name, "lost");
    assert_null(image.file);
    assert_true(tn_dataset_box(d, 0, box));
    assert_true(box[0] == 240.0 && box[1] == 120.0 && box[2] == 400.0 &&
                box[3] == 360.0);
    assert_int_equal(tn_dataset_annotation(d, 1, &a), TN_OK);
    assert_int_equal(a.class_index, 2);
    assert_int_equal(a.place.offset, 23);
    assert_true(tn_dataset_num(d, 1, TN_NUM_SCORE, &v) && v == 0.9);
    assert_true(has_note(d, "download-not-run"));
    assert_true(has_note(d, "label-without-image"));
    assert_false(has_note(d, "out-of-range"));
    assert_false(tn_dataset_box(d, 3, box));
    tn_dataset_close(d);
}

static void spellings(void **state)
{
    (void)state;
    static const char *const yamls[] = {
        "train: images\nval: images\nnames: [x, y]\n",
        "train: ../images\nval:\nnames:\n- x\n- y\n",
        "path: ../else\ntrain: [images, images]\nnames: {0: x, 1: y}\n",
        "train: list.txt\nnames: &n [x, y]\nother: *n\n",
        "train: ./images/\nnames: {'1': y, '0': x}\n",
    };
    put("labels/a.txt", "0 0.5 0.5 0.25 0.5\n");
    put_bmp("images/a.bmp", 64, 48);
    put("list.txt", "./images/a.bmp\r\n\r\n");
    for (size_t i = 0; i < sizeof yamls / sizeof yamls[0]; i++) {
        put("data.yaml", yamls[i]);
        tn_dataset *d = open_it("data.yaml", NULL);
        if (d == NULL) fail_msg("%s: %s: %s", yamls[i], err.where, err.message);
        assert_int_equal(info_of(d).n_images, 1);
        assert_int_equal(info_of(d).n_annotations, 1);
        assert_string_equal(class_name(d, 0), "x");
        assert_string_equal(class_name(d, 1), "y");
        tn_image_row image = TN_IMAGE_ROW_INIT;
        assert_int_equal(tn_dataset_image(d, 0, &image), TN_OK);
        assert_string_equal(image.name, "a.bmp");
        assert_int_equal(image.splits, i == 0 ? 3 : 1);
        tn_dataset_close(d);
    }
}

/* A list is no label, be it called like that of an image. */
static void lists_are_no_labels(void **state)
{
    (void)state;
    put("data.yaml", "train: train.txt\nval: val.txt\nnames: [x]\n");
    put("val.txt", "./images/val/val: y.jpg\n");
    put("train.txt", "./val.jpg\n./far/val.jpg\n");
    tn_dataset *d = open_it("", NULL);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_int_equal(info_of(d).n_images, 3);
    assert_int_equal(info_of(d).n_annotations, 0);
    tn_dataset_close(d);
}

/* What a line of a list may not be, with the line and its file. */
static void lines_that_name_no_image(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
        size_t len;
    } lists[] = {
        {"./a.jpg\n./far\n", "line 2: './far' is a folder; expected the path",
         0},
        {"./\n", "line 1: './' is a folder", 0},
        {"/", "line 1: '/' is a folder", 0},
        {"\na\0.jpg", "line 2: 'a' has a NUL byte; expected the path", 8},
        {"\0\0", "line 1: '' has a NUL byte", 2},
    };
    put("data.yaml", "train: train.txt\nval: train.txt\nnames: [x]\n");
    put("far/a.txt", "");
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const size_t n =
            lists[i].len > 0 ? lists[i].len : strlen(lists[i].text);
        tmp_write(dir, "train.txt", lists[i].text, n);
        assert_null(open_it("", NULL));
        if (strstr(err.message, lists[i].says) == NULL)
            fail_msg("list %zu gave: %s", i, err.message);
        assert_non_null(strstr(err.where, "train.txt"));
    }
    /* These lead out of the folder, which is noted; this one does not. */
    put("train.txt", "..\na/../b.jpg\na../b..jpg\n");
    tn_dataset *d = open_it("", NULL);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_true(has_note(d, "path-outside"));
    assert_int_equal(info_of(d).n_images, 1);
    tn_dataset_close(d);
}

static void darknet(void **state)
{
    (void)state;
    put("obj.data", "classes = 2\ntrain = data/train.txt\nvalid = none.txt\n"
                    "names = data/obj.names\nbackup = backup/\n");
    put("obj.names", "first one\nsecond\n\n");
    put("train.txt", "data/obj_train_data/1.bmp\n");
    put_bmp("obj_train_data/1.bmp", 10, 10);
    put("obj_train_data/1.txt", "1 0.5 0.5 1 1\n");
    tn_dataset *d = open_it("", NULL);
    double box[4];
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_int_equal(info_of(d).n_classes, 2);
    assert_string_equal(class_name(d, 0), "first one");
    assert_int_equal(info_of(d).n_annotations, 1);
    assert_true(tn_dataset_box(d, 0, box) && box[2] == 10.0);
    assert_true(has_note(d, "split-missing"));
    tn_dataset_close(d);
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *line, *variant, *says;
    } lines[] = {
        {"0 0.5 0.5 0.1", NULL, "is neither a box"},
        {"0 0.5 0.5 nan 0.1", NULL, "'nan' is not a finite number"},
        {"0 0.5 0.5 1e400 0.1", NULL, "'1e400' is not a finite number"},
        {"0 0,5 0.5 0.1 0.1", NULL, "'0,5' is not a finite number"},
        {"cat 0.5 0.5 0.1 0.1", NULL, "'cat' is not the number of a class"},
        {"-1 0.5 0.5 0.1 0.1", NULL, "'-1' is not the number of a class"},
        {"0.5 0.5 0.5 0.1 0.1", NULL, "'0.5' is not the number of a class"},
        {"0", NULL, "is a class without a box"},
        {"0 0 0 1 0 1 1 0 1", NULL, "may be oriented boxes or outlines"},
        {"0 0 0 1 0 1 1 0", NULL, "is neither a box"},
        {"0 0 0 1 0 1 1", "detect", "is no box"},
        {"0 0.5 0.5 1 1", "obb", ""},
        {"0 0 0 1 0 1 1", "obb", "is no oriented box"},
        {"0 0.5 0.5 1 1", "pose", "keypoints need kpt_shape"},
    };
    put("data.yaml", "train: images\nnames: [x]\n");
    put_bmp("images/a.bmp", 64, 48);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        put("labels/a.txt", lines[i].line);
        tn_dataset *d = open_it("", lines[i].variant);
        if (lines[i].says[0] == '\0') {
            assert_non_null(d);
            tn_dataset_close(d);
            continue;
        }
        if (d != NULL) fail_msg("taken: %s", lines[i].line);
        if (strstr(err.message, lines[i].says) == NULL)
            fail_msg("%s gave: %s", lines[i].line, err.message);
    }
    static const struct {
        const char *yaml, *says;
    } yamls[] = {
        {"train: images\nnames: 5\n", "'names' is missing or a single text"},
        {"train: images\nval: x\n names: [x]\n", "broken YAML in line"},
        {"train: images\nnames: {a: x}\n", "'a' is not the number of a class"},
        {"train: images\nnames: {0: x, 0: y}\n", "the key '0' of line 2"},
        {"train: images\nnames: {0: x, 00: y}\n", "class 0 is named twice"},
        {"train: images\nnames: [[x]]\n", "is not a text"},
        {"train: images\nnames: *x\n", "no anchor is called 'x'"},
        {"train: images\nnames: &x [a, *x]\n", "is inside itself"},
        {"train: images\nnames: [x]\nkpt_shape: [0, 9]\n", "kpt_shape is not"},
        {"train: images\nnames: [x]\na: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
         "nested more than"},
    };
    for (size_t i = 0; i < sizeof yamls / sizeof yamls[0]; i++) {
        put("data.yaml", yamls[i].yaml);
        tn_dataset *d = open_it("data.yaml", NULL);
        if (d != NULL) fail_msg("taken: %s", yamls[i].yaml);
        if (strstr(err.message, yamls[i].says) == NULL)
            fail_msg("%s gave: %s", yamls[i].yaml, err.message);
        assert_non_null(strstr(err.where, "data.yaml"));
    }
    /* Nothing outside the folder is looked at. */
    put("data.yaml", "train: /etc\nval: images/../../../etc\nnames: [x]\n");
    tn_dataset *d = open_it("", NULL);
    assert_non_null(d);
    assert_int_equal(info_of(d).n_images, 0);
    assert_true(has_note(d, "split-missing"));
    tn_dataset_close(d);
}

/* --- there and back ------------------------------------------------------ */

static const char coco[] =
    "{\"info\": {\"year\": 2026},\n\"images\": [\n"
    "{\"id\": 12, \"width\": 640, \"height\": 480, \"file_name\": \"a.bmp\","
    " \"license\": 3},\n"
    "{\"id\": 5, \"width\": 64, \"height\": 48, \"file_name\": \"A.png\"},\n"
    "{\"id\": 6, \"width\": 9, \"height\": 9, \"file_name\": \"none.jpg\"}],\n"
    "\"annotations\": [\n"
    "{\"id\": 100, \"image_id\": 12, \"category_id\": 90, \"bbox\": [10.5, 20,"
    " 30.25, 40.125], \"area\": 77.5, \"iscrowd\": 0, \"segmentation\":"
    " [[10.5,20,40.75,20,40.75,60.125]], \"attributes\": {\"x\": true}},\n"
    "{\"id\": 101, \"image_id\": 12, \"category_id\": 7, \"bbox\": [1, 2, 3, "
    "4],"
    " \"area\": 12, \"iscrowd\": 1, \"segmentation\": [[1,2,4,2,4,6],"
    "[7,7,8,7,8,8]], \"more\": [1]},\n"
    "{\"id\": 102, \"image_id\": 5, \"category_id\": 7, \"bbox\": [1, 2, 3, 4],"
    " \"area\": 12, \"iscrowd\": 0},\n"
    "{\"id\": 103, \"image_id\": 999, \"category_id\": 7, \"bbox\": [1, 2, 3, "
    "4],"
    " \"area\": 12, \"iscrowd\": 0}],\n"
    "\"categories\": [{\"id\": 90, \"name\": \"a\", \"supercategory\": \"s\"},"
    " {\"id\": 7, \"name\": \"yes\", \"colour\": \"red\"}]}";

static void look_at_coco(const tn_dataset *d)
{
    tn_annotation_row a = TN_ANNOTATION_ROW_INIT;
    tn_image_row image = TN_IMAGE_ROW_INIT;
    tn_class_row c = TN_CLASS_ROW_INIT;
    tn_shape s = TN_SHAPE_INIT;
    double v = 0.0, box[4];
    assert_int_equal(info_of(d).n_images, 3);
    assert_int_equal(info_of(d).n_annotations, 4);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tn_dataset_image(d, i, &image), TN_OK);
        if (image.id.number == 12) {
            assert_string_equal(image.name, "a.bmp");
            assert_int_equal(image.width, 640);
            assert_non_null(tn_dataset_image_text(d, i, TN_TEXT_EXTRA, 0).data);
        } else if (image.id.number == 5) {
            assert_string_equal(image.name, "A.png");
        } else {
            assert_int_equal(image.id.number, 6);
            assert_int_equal(image.state, TN_STATE_UNKNOWN);
        }
    }
    assert_int_equal(tn_dataset_class(d, 0, &c), TN_OK);
    assert_int_equal(c.id.number, 90);
    assert_string_equal(c.parent, "s");
    int seen = 0;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(tn_dataset_annotation(d, i, &a), TN_OK);
        seen |= 1 << (a.id.number - 100);
        if (a.id.number == 103) assert_int_equal(a.image, TN_NONE);
        if (a.id.number == 100) {
            assert_true(tn_dataset_box(d, i, box));
            assert_true(box[0] == 10.5 && box[3] == 60.125);
            assert_true(tn_dataset_num(d, i, TN_NUM_AREA, &v) && v == 77.5);
            assert_memory_equal(
                tn_dataset_text(d, i, TN_TEXT_ATTRIBUTES, 0).data,
                "{\"x\": true}", 11);
        }
        if (a.id.number == 101) {
            assert_true((a.flags & TN_IS_CROWD) != 0);
            assert_int_equal(tn_dataset_shape(d, i, &s, &err), TN_OK);
            assert_int_equal(s.n_rings, 2);
            assert_memory_equal(tn_dataset_text(d, i, TN_TEXT_EXTRA, 0).data,
                                "\"more\": [1]", 11);
            assert_null(tn_dataset_text(d, i, TN_TEXT_EXTRA, 1).data);
        }
    }
    assert_int_equal(seen, 15);
    tn_shape_fini(&s);
}

static tn_status convert(const tn_dataset *d, const char *name,
                         const char *format, const char *variant,
                         const char *allow, tn_conversion **c)
{
    char to[TMP_PATH + 100];
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    o.format = format;
    o.variant = variant;
    o.allow_loss = allow;
    (void)snprintf(to, sizeof to, "%s/%s", dir, name);
    memset(&err, 0, sizeof err);
    return tn_dataset_convert(c, d, to, &o, &err);
}

static int loses(const tn_conversion *c, const char *code)
{
    tn_loss l = TN_LOSS_INIT;
    for (size_t i = 0; tn_conversion_loss(c, i, &l) == TN_OK; i++)
        if (strcmp(l.code, code) == 0) return (int)l.count;
    return 0;
}

static void coco_to_yolo_and_back(void **state)
{
    (void)state;
    static const char *const variants[] = {"segment", "detect", "obb"};
    put("x.json", coco);
    tn_dataset *d = open_it("x.json", NULL);
    tn_conversion *c = NULL;
    tn_conversion_info info = TN_CONVERSION_INFO_INIT;
    assert_non_null(d);
    look_at_coco(d);
    assert_int_equal(convert(d, "y", "yolo", NULL, NULL, &c), TN_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "cannot hold everything"));
    assert_int_equal(loses(c, "parts"), 1);
    assert_int_equal(loses(c, "crowd"), 1);
    assert_int_equal(loses(c, "annotation-ids"), 4);
    assert_int_equal(loses(c, "attributes"), 1);
    assert_int_equal(loses(c, "orphans"), 1);
    assert_int_equal(loses(c, "image-names"), 1);
    assert_int_equal(loses(c, "polygons"), 0);
    tn_conversion_free(c);
    assert_null(open_it("y", NULL));
    assert_int_equal(err.code, TN_ENOTFOUND);
    assert_int_equal(convert(d, "y", "yolo", NULL, "parts,nonsense", &c),
                     TN_EINVAL);
    tn_conversion_free(c);
    for (size_t i = 0; i < 3; i++) {
        char back_name[16];
        tn_dataset *y = NULL, *back = NULL;
        if (convert(d, variants[i], "yolo", variants[i], "all", &c) != TN_OK)
            fail_msg("%s: %s: %s", variants[i], err.where, err.message);
        tn_conversion_get_info(c, &info);
        assert_int_equal(info.verified, 1);
        assert_int_equal(info.n_compared, 3);
        assert_true(info.max_corner_error < 1e-5);
        assert_int_equal(info.n_renamed, 1);
        tn_conversion_free(c);
        y = open_it(variants[i], variants[i]);
        if (y == NULL) fail_msg("%s: %s", err.where, err.message);
        (void)snprintf(back_name, sizeof back_name, "b%zu.json", i);
        if (convert(y, back_name, "coco", NULL, NULL, &c) != TN_OK)
            fail_msg("%s: %s", variants[i], err.message);
        tn_conversion_free(c);
        tn_dataset_close(y);
        back = open_it(back_name, NULL);
        assert_non_null(back);
        look_at_coco(back);
        tn_dataset_close(back);
    }
    tn_dataset_close(d);
}

/* The text of a file below `dir`. */
static const char *text_of(const char *name)
{
    static char text[4096];
    char path[TMP_PATH + 200];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) fail_msg("no %s", path);
    const size_t n = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    text[n] = '\0';
    return text;
}

/* Trainers want train and val, and look for a `path` that is relative in a
 * folder of their own. */
static void what_trainers_ask_for(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *begins;
        size_t splits;
        const char *first;
    } rows[] = {
        {"train: images/a\n",
         "train: \"images/train\"\nval: \"images/train\"\n"
         "tenon_splits:\n  train: \"train\"\n  val: \"\"\nnames:\n",
         1, "train"},
        {"test: images/a\n",
         "test: \"images/test\"\ntrain: \"images/test\"\n"
         "val: \"images/test\"\ntenon_splits:\n  test: \"test\"\n"
         "  train: \"\"\n  val: \"\"\nnames:\n",
         1, "test"},
        {"train: images/a\nval: images/b\n",
         "train: \"images/train\"\nval: \"images/val\"\nnames:\n", 2, "train"},
        {"valid: images/a\ntrain: images/b\n",
         "val: \"images/valid\"\ntrain: \"images/train\"\n"
         "tenon_splits:\n  val: \"valid\"\n  train: \"train\"\nnames:\n",
         2, "valid"},
        {"\"val\": images/a\n",
         "val: \"images/val\"\ntrain: \"images/val\"\n"
         "tenon_splits:\n  val: \"val\"\n  train: \"\"\nnames:\n",
         1, "val"},
    };
    put("s/labels/a/1.txt", "0 0.5 0.5 0.25 0.5\n");
    put("s/labels/b/2.txt", "0 0.5 0.5 0.25 0.5\n");
    put_bmp("s/images/a/1.bmp", 64, 48);
    put_bmp("s/images/b/2.bmp", 64, 48);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char yaml[200], to[20], data[40];
        tn_conversion *c = NULL;
        (void)snprintf(yaml, sizeof yaml, "%snames: [x]\n", rows[i].yaml);
        (void)snprintf(to, sizeof to, "t%zu", i);
        (void)snprintf(data, sizeof data, "t%zu/data.yaml", i);
        put("s/data.yaml", yaml);
        tn_dataset *d = open_it("s", NULL);
        if (d == NULL) fail_msg("%s: %s", rows[i].yaml, err.message);
        if (convert(d, to, "yolo", NULL, NULL, &c) != TN_OK)
            fail_msg("%s: %s", rows[i].yaml, err.message);
        tn_conversion_free(c);
        if (strncmp(text_of(data), rows[i].begins, strlen(rows[i].begins)) != 0)
            fail_msg("%s gave: %s", rows[i].yaml, text_of(data));
        tn_dataset *back = open_it(to, NULL);
        assert_non_null(back);
        assert_int_equal(info_of(back).n_images, info_of(d).n_images);
        assert_int_equal(info_of(back).n_splits, rows[i].splits);
        assert_string_equal(tn_dataset_split(back, 0), rows[i].first);
        tn_dataset_close(back);
        tn_dataset_close(d);
    }
}

static void yolo_to_coco_and_back(void **state)
{
    (void)state;
    make_detect();
    tn_dataset *d = open_it("", NULL), *back = NULL, *again = NULL;
    tn_conversion *c = NULL;
    tn_image_row image = TN_IMAGE_ROW_INIT;
    tn_annotation_row a = TN_ANNOTATION_ROW_INIT;
    double box[4];
    assert_non_null(d);
    if (convert(d, "coco", "coco", NULL, "all", &c) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    assert_int_equal(loses(c, "empty-images"), 1);
    assert_int_equal(loses(c, "unknown-sizes"), 1);
    tn_conversion_free(c);
    back = open_it("coco", NULL);
    assert_non_null(back);
    assert_int_equal(info_of(back).n_splits, 2);
    assert_int_equal(info_of(back).n_annotations, 4);
    assert_int_equal(tn_dataset_image(back, 2, &image), TN_OK);
    assert_int_equal(image.state, TN_STATE_EMPTY);
    if (convert(back, "again", "yolo", "detect", "all", &c) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    tn_conversion_free(c);
    again = open_it("again", NULL);
    assert_non_null(again);
    assert_int_equal(info_of(again).n_images, 5);
    assert_int_equal(info_of(again).n_annotations, 4);
    assert_int_equal(info_of(again).n_splits, 2);
    assert_true(tn_dataset_box(again, 0, box));
    assert_true(box[0] == 240.0 && box[3] == 360.0);
    assert_string_equal(class_name(again, 2), "a: b");
    tn_dataset_close(again);
    tn_dataset_close(back);
    /* YOLO to YOLO: number by number. */
    if (convert(d, "same", "yolo", NULL, "all", &c) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    tn_conversion_free(c);
    again = open_it("same", NULL);
    assert_non_null(again);
    assert_int_equal(tn_dataset_annotation(again, 1, &a), TN_OK);
    assert_true(a.box[0] == 0.125 && a.box[3] == 0.2);
    tn_dataset_close(again);
    tn_dataset_close(d);
}

/* Shapes that YOLO has no place for are announced, not lost by the way. */
static void odd_shapes_are_announced(void **state)
{
    (void)state;
    put("x.json",
        "{\"images\": [{\"id\": 1, \"width\": 8, \"height\": 8, "
        "\"file_name\": \"a.jpg\"}], \"annotations\": [{\"id\": 1, "
        "\"image_id\": 1, \"category_id\": 1, \"bbox\": [1, 1, 2, 2], "
        "\"segmentation\": [[1, 1, 3, 3]]}, {\"id\": 2, \"image_id\": 1, "
        "\"category_id\": 1, \"bbox\": [0, 0, 8, 8], \"segmentation\": "
        "{\"size\": [8, 8], \"counts\": [0, 64]}}], \"categories\": "
        "[{\"id\": 1, \"name\": \"x\"}]}");
    tn_dataset *d = open_it("x.json", NULL), *back = NULL;
    tn_conversion *c = NULL;
    tn_shape s = TN_SHAPE_INIT;
    assert_non_null(d);
    if (convert(d, "y", "yolo", "segment", "all", &c) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    assert_int_equal(loses(c, "degenerate-outlines"), 1);
    assert_int_equal(loses(c, "masks"), 1);
    tn_conversion_free(c);
    assert_int_equal(convert(d, "z", "coco", "results", "all", &c),
                     TN_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "only results can be written"));
    tn_conversion_free(c);
    tn_dataset_close(d);
    back = open_it("y", NULL);
    assert_non_null(back);
    assert_int_equal(tn_dataset_shape(back, 1, &s, &err), TN_OK);
    assert_int_equal(s.kind, TN_SHAPE_RLE);
    tn_shape_fini(&s);
    tn_dataset_close(back);
    put("p.json",
        "{\"images\": [{\"id\": 1, \"width\": 8, \"height\": 8, "
        "\"file_name\": \"a.jpg\"}], \"annotations\": [{\"image_id\": 1, "
        "\"file_name\": \"a.png\", \"segments_info\": [{\"id\": 9, "
        "\"category_id\": 1, \"area\": 4, \"bbox\": [0, 0, 2, 2], "
        "\"iscrowd\": 0}]}], \"categories\": [{\"id\": 1, \"name\": \"x\", "
        "\"isthing\": 1}]}");
    d = open_it("p.json", NULL);
    assert_non_null(d);
    assert_int_equal(info_of(d).n_annotations, 1);
    assert_int_equal(tn_dataset_shape_kind(d, 0), TN_SHAPE_MASK_FILE);
    assert_int_equal(convert(d, "q.json", "coco", NULL, NULL, &c),
                     TN_EUNSUPPORTED);
    assert_int_equal(loses(c, "mask-files"), 1);
    tn_conversion_free(c);
    tn_dataset_close(d);
}

static void a_changed_label_keeps_its_change(void **state)
{
    (void)state;
    put("x.json", coco);
    tn_dataset *d = open_it("x.json", NULL);
    tn_conversion *c = NULL;
    double box[4];
    assert_non_null(d);
    assert_int_equal(convert(d, "y", "yolo", "detect", "all", &c), TN_OK);
    tn_conversion_free(c);
    tn_dataset_close(d);
    put("y/labels/unsplit/a.txt", "0 0.5 0.5 0.5 0.5\n1 0.5 0.5 0.5 0.5\n");
    d = open_it("y", NULL);
    assert_non_null(d);
    assert_true(has_note(d, "residue-stale"));
    assert_true(tn_dataset_box(d, 0, box) && box[0] == 160.0);
    tn_dataset_close(d);
}

/* The list of a split whose name has folders stands beside data.yaml too. */
static void splits_with_folders_in_their_names(void **state)
{
    (void)state;
    put("data.yaml", "train: a\nval: b\nnames: [x]\n"
                     "tenon_splits: {train: p/q_r, val: p_q/r}\n");
    put("a/k.t u/l.txt", "0 0.5 0.5 0.1 1\n");
    put("b/m.txt", "0 0.5 0.5 0.1 1\n");
    tn_dataset *d = open_it("", NULL);
    tn_conversion *c = NULL;
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    if (convert(d, "y", "yolo", NULL, NULL, &c) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    tn_conversion_free(c);
    tn_dataset_close(d);
    d = open_it("y", NULL);
    assert_non_null(d);
    assert_int_equal(info_of(d).n_images, 2);
    assert_int_equal(info_of(d).n_annotations, 2);
    assert_int_equal(info_of(d).n_splits, 2);
    tn_dataset_close(d);
}

/* A dataset of one image of this split, which YAML says in double quotes. */
static tn_status split_again(const char *yaml, const char *unsplit)
{
    char text[600];
    (void)snprintf(text, sizeof text,
                   "train: a\nval: b\nnames: [x]\ntenon_splits: {train: "
                   "\"%s\", val: \"\"}\n%s",
                   yaml, unsplit);
    put("data.yaml", text);
    put("a/k/l.txt", "0 0.5 0.5 0.1 1\n");
    put("u/m.txt", "0 0.5 0.5 0.1 1\n");
    tn_dataset *d = open_it("", NULL);
    tn_conversion *c = NULL;
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    const tn_status status = convert(d, "y", "yolo", NULL, NULL, &c);
    tn_conversion_free(c);
    tn_dataset_close(d);
    return status;
}

/* Names that look like paths of another system. */
static void splits_with_colons_in_their_names(void **state)
{
    static const char *const names[] = {"q:/w", "q:w", "q:", "a:b/c:d", ":"};
    char path[TMP_PATH];
    (void)state;
    tmp_path(path, dir, "y");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (split_again(names[i], "") != TN_OK)
            fail_msg("%s: %s: %s", names[i], err.where, err.message);
        tn_dataset *d = open_it("y", NULL);
        assert_non_null(d);
        assert_int_equal(info_of(d).n_images, 1);
        assert_int_equal(info_of(d).n_annotations, 1);
        assert_string_equal(image_of(d, 0).name, "k/l");
        assert_string_equal(tn_dataset_split(d, 0), names[i]);
        tn_dataset_close(d);
        tmp_remove(path);
    }
    /* A file of that name is itself, and no file of a drive. */
    put("data.yaml", "train: \"q:/a\"\nval: b\nnames: [x]\n");
    put("q:/a/k.txt", "0 0.5 0.5 0.1 1\n");
    put("a/k.txt", "0 0.5 0.5 0.1 1\n0 0.5 0.5 0.1 1\n");
    tn_dataset *d = open_it("", NULL);
    assert_non_null(d);
    assert_int_equal(info_of(d).n_annotations, 1);
    tn_dataset_close(d);
}

static void splits_that_are_no_folders(void **state)
{
    static const char *const names[] = {"/w", "w/",      "a//b",  "./a",
                                        ".",  "a\\\\b", "a\\nb"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(split_again(names[i], ""), TN_EUNSUPPORTED);
        assert_non_null(strstr(err.message, "cannot be the name of a folder"));
    }
    assert_int_equal(split_again("unsplit", "tenon_unsplit: u\n"),
                     TN_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "'unsplit' has the folder"));
}

static void pose(void **state)
{
    (void)state;
    put("data.yaml", "train: images/train\nval: images/train\nnames: [p]\n"
                     "kpt_shape: [2, 3]\nflip_idx: [1, 0]\n");
    put_bmp("images/train/a.bmp", 100, 50);
    put("labels/train/a.txt", "0 0.5 0.5 0.2 0.4 0.1 0.2 2 0.3 0.4 0\n");
    tn_dataset *d = open_it("", NULL), *back = NULL;
    tn_conversion *c = NULL;
    tn_shape s = TN_SHAPE_INIT;
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_string_equal(info_of(d).variant, "pose");
    assert_int_equal(tn_dataset_keypoints(d, 0, &s, &err), TN_OK);
    assert_int_equal(s.n_points, 2);
    assert_true(s.xy[0] == 10.0 && s.xy[1] == 10.0 && s.visible[0] == 2);
    if (convert(d, "out", "yolo", NULL, "split-overlap", &c) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    tn_conversion_free(c);
    back = open_it("out", NULL);
    assert_non_null(back);
    assert_int_equal(tn_dataset_keypoints(back, 0, &s, &err), TN_OK);
    assert_true(s.xy[2] == 30.0 && s.visible[1] == 0);
    tn_dataset_close(back);
    if (convert(d, "coco", "coco", NULL, "all", &c) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    tn_conversion_free(c);
    back = open_it("coco", NULL);
    assert_non_null(back);
    assert_int_equal(tn_dataset_keypoints(back, 0, &s, &err), TN_OK);
    assert_true(s.xy[2] == 30.0 && s.visible[0] == 2);
    tn_dataset_close(back);
    tn_dataset_close(d);
    tn_shape_fini(&s);
}

static void classify(void **state)
{
    (void)state;
    put_bmp("in/train/cat/a.bmp", 4, 4);
    put_bmp("in/train/dog/a.bmp", 4, 4);
    put_bmp("in/test/dog/b.bmp", 4, 4);
    tn_dataset *d = NULL, *back = NULL;
    tn_conversion *c = NULL;
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    char path[TMP_PATH + 100];
    o.format = "yolo";
    o.variant = "classify";
    (void)snprintf(path, sizeof path, "%s/in", dir);
    assert_int_equal(tn_dataset_open(&d, path, &o, &err), TN_OK);
    assert_int_equal(info_of(d).n_images, 3);
    assert_int_equal(info_of(d).n_classes, 2);
    assert_string_equal(class_name(d, 1), "dog");
    if (convert(d, "out", "yolo", NULL, NULL, &c) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    tn_conversion_info info = TN_CONVERSION_INFO_INIT;
    tn_conversion_get_info(c, &info);
    assert_string_equal(info.variant, "classify");
    assert_int_equal(info.n_compared, 3);
    tn_conversion_free(c);
    (void)snprintf(path, sizeof path, "%s/out", dir);
    assert_int_equal(tn_dataset_open(&back, path, &o, &err), TN_OK);
    assert_int_equal(info_of(back).n_annotations, 3);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    make_detect();
    survives_oom(dir, "yolo");
}

static void shared_fixtures(void **state)
{
    (void)state;
    static const struct {
        const char *path, *variant;
        size_t images, annotations, classes;
    } rows[] = {
        {"yolo", NULL, 1, 2, 10},
        {"yolov8_detection", NULL, 1, 2, 10},
        {"yolov8_detection_with_list_of_imgs", NULL, 1, 2, 10},
        {"yolov8_detection_with_list_of_names", NULL, 1, 2, 10},
        {"yolov8_detection_with_subset_txt", NULL, 1, 2, 10},
        {"yolov8_oriented_boxes", "obb", 1, 2, 10},
        {"yolov8_segmentation", "segment", 1, 2, 10},
        {"yolov8_pose", NULL, 1, 1, 1},
        {"yolov8_pose_two_values_per_point", NULL, 1, 1, 1},
    };
    int n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[1024];
        tn_dataset *d = NULL;
        tn_dataset_opts o = TN_DATASET_OPTS_INIT;
        (void)snprintf(path, sizeof path,
                       "%s/datasets/datumaro-assets-cvat/yolo_dataset/%s",
                       TEST_DATA, rows[i].path);
        if (access(path, R_OK) != 0) continue;
        o.variant = rows[i].variant;
        if (tn_dataset_open(&d, path, &o, &err) != TN_OK)
            fail_msg("%s: %s", err.where, err.message);
        const tn_dataset_info info = info_of(d);
        if (info.n_images != rows[i].images ||
            info.n_annotations != rows[i].annotations ||
            info.n_classes != rows[i].classes)
            fail_msg("%s: %zu images, %zu annotations, %zu classes",
                     rows[i].path, info.n_images, info.n_annotations,
                     info.n_classes);
        tn_dataset_close(d);
        n++;
    }
    print_message("%d of the shared fixtures, the others are not here\n", n);
    if (n == 0) skip();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(detect),
        TEST(spellings),
        TEST(lists_are_no_labels),
        TEST(lines_that_name_no_image),
        TEST(darknet),
        TEST(refuses),
        TEST(coco_to_yolo_and_back),
        TEST(what_trainers_ask_for),
        TEST(yolo_to_coco_and_back),
        TEST(odd_shapes_are_announced),
        TEST(a_changed_label_keeps_its_change),
        TEST(splits_with_folders_in_their_names),
        TEST(splits_with_colons_in_their_names),
        TEST(splits_that_are_no_folders),
        TEST(pose),
        TEST(classify),
        TEST(survives_lack_of_memory),
        cmocka_unit_test(shared_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

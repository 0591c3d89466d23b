/* SPDX-License-Identifier: Apache-2.0 */
/* test_voc_pictures.c - Pascal VOC: sizes and masks of images, broken trees */
#define _XOPEN_SOURCE 700
#include "formats.h"

#include "tenon/image.h"

#define BOX(a, b, c, d)                                                        \
    "<bndbox><xmin>" #a "</xmin><ymin>" #b "</ymin><xmax>" #c                  \
    "</xmax><ymax>" #d "</ymax></bndbox>"
#define OBJECT(name, inner) "<object><name>" name "</name>" inner "</object>"
#define SIZE(w, h)                                                             \
    "<size><width>" #w "</width><height>" #h "</height><depth>3</depth></"     \
    "size>"
#define DOG OBJECT("dog", BOX(1, 2, 3, 4))

static char xml_text[4096];

static const char *xml(const char *inner)
{
    (void)snprintf(xml_text, sizeof xml_text, "<annotation>%s</annotation>",
                   inner);
    return xml_text;
}

/* A picture of 8 bits for each pixel, of colors when there is no palette. */
static void put_picture(const char *name, int64_t w, int64_t h, int channels,
                        const uint8_t *px, const uint8_t *palette, int colors)
{
    char folder[TMP_PATH];
    tn_image_view v = TN_IMAGE_VIEW_INIT;
    tmp_path(path, dir, name);
    (void)snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    (void)mkdir(folder, 0777);
    v.width = w;
    v.height = h;
    v.channels = channels;
    v.bits = 8;
    v.stride = (size_t)w * (size_t)channels;
    v.pixels = px;
    v.palette = palette;
    v.n_colors = colors;
    assert_int_equal(tn_image_write(path, "png", &v, &err), TN_OK);
}

static void size_swapped(void **state)
{
    (void)state;
    static const uint8_t px[12] = {0};
    put("v/Annotations/a.xml", xml(SIZE(3, 4) DOG));
    put_picture("v/JPEGImages/a.png", 4, 3, 1, px, NULL, 0);
    tmp_path(path, dir, "v");
    tn_dataset *d = open_as("voc", path);
    assert_int_equal(noted(d, "size-swapped"), 1);
    assert_int_equal(image_of(d, 0).width, 4);
    assert_string_equal(image_of(d, 0).name, "a.png");
    tn_dataset_close(d);
}

/* --- pictures ------------------------------------------------------------------------- */

static void put_masks(bool objects, bool colors)
{
    static const uint8_t cls[12] = {0, 1, 1, 0, 0, 1, 1, 255, 15, 15, 0, 0};
    static const uint8_t obj[12] = {0, 1, 1, 0, 0, 1, 1, 255, 2, 2, 0, 0};
    static const uint8_t rgb[16][3] = {
        [1] = {128, 0, 0}, [15] = {192, 128, 128}};
    uint8_t px[36], palette[1024];
    for (int i = 0; i < 12; i++)
        for (int k = 0; k < 3; k++)
            px[3 * i + k] = cls[i] < 16 ? rgb[cls[i]][k] : k < 2 ? 224 : 192;
    memset(palette, 255, sizeof palette);
    if (colors)
        put_picture("v/SegmentationClass/a.png", 4, 3, 3, px, NULL, 0);
    else
        put_picture("v/SegmentationClass/a.png", 4, 3, 1, cls, palette, 256);
    if (objects)
        put_picture("v/SegmentationObject/a.png", 4, 3, 1, obj, palette, 256);
}

static void pictures_of_classes_alone(void **state)
{
    (void)state;
    for (int colors = 0; colors < 2; colors++) {
        put("v/ImageSets/Segmentation/train.txt", "a\n");
        put_masks(false, colors != 0);
        tmp_path(path, dir, "v");
        tn_dataset *d = open_as(NULL, path);
        assert_int_equal(info_of(d).n_images, 1);
        assert_int_equal(info_of(d).n_annotations, 2);
        assert_string_equal(class_of(d, 0), "aeroplane");
        assert_string_equal(class_of(d, 1), "person");
        assert_box(d, 0, 1, 0, 3, 2);
        assert_box(d, 1, 0, 2, 2, 3);
        assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 0),
                    "\"void\": {\"counts\": [10, 1, 1], \"size\": [3, 4]}");
        tn_dataset_close(d);
    }
}

static void pictures_join_their_objects(void **state)
{
    (void)state;
    put("v/Annotations/a.xml",
        xml(SIZE(4, 3) "<segmented>1</segmented>" OBJECT(
            "aeroplane", BOX(2, 1, 3, 2)) OBJECT("dog", BOX(1, 2, 2, 3))));
    put_masks(true, false);
    tmp_path(path, dir, "v");
    tn_dataset *d = open_as(NULL, path);
    assert_int_equal(info_of(d).n_annotations, 3);
    assert_int_equal(tn_dataset_shape_kind(d, 0), TN_SHAPE_RLE);
    /* Another class: not the same object. */
    assert_int_equal(tn_dataset_shape_kind(d, 1), TN_SHAPE_NONE);
    assert_string_equal(class_of(d, 2), "person");
    assert_int_equal(tn_dataset_shape_kind(d, 2), TN_SHAPE_RLE);
    tn_dataset_close(d);
}

static void labelmap_by_color(void **state)
{
    (void)state;
    static const uint8_t cls[4] = {0, 7, 9, 255};
    uint8_t palette[1024] = {0};
    palette[28] = 10;
    palette[29] = 20;
    palette[30] = 30;
    put("v/labelmap.txt", "background:0,0,0::\nold\ndog:10,20,30::\n");
    put_picture("v/SegmentationClass/a.png", 2, 2, 1, cls, palette, 256);
    put("v/ImageSets/Segmentation/all.txt", "a\n");
    tmp_path(path, dir, "v");
    tn_dataset *d = open_as("voc", path);
    /* 7 is dog by its color; 9 and 255 are black: background. */
    assert_int_equal(info_of(d).n_annotations, 1);
    assert_string_equal(class_of(d, 0), "dog");
    tn_dataset_close(d);
}

/* Two masks in one row of six pixels, the second from `at` to the end. */
static tn_dataset *two_masks(int at)
{
    char text[900];
    (void)snprintf(
        text, sizeof text,
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 6, "
        "\"height\": 1}], \"categories\": [{\"id\": 0, \"name\": \"c\"}], "
        "\"annotations\": [{\"id\": 1, \"image_id\": 1, \"category_id\": 0, "
        "\"bbox\": [0, 0, 4, 1], \"segmentation\": {\"counts\": [0, 4, 2], "
        "\"size\": [1, 6]}}, {\"id\": 2, \"image_id\": 1, \"category_id\": 0, "
        "\"bbox\": [%d, 0, %d, 1], \"segmentation\": {\"counts\": [%d, %d], "
        "\"size\": [1, 6]}}]}",
        at, 6 - at, at, 6 - at);
    tn_dataset *d = open_text("coco", "x.json", text);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    return d;
}

/* As the folder has it, with the residue or without it. */
static tn_dataset *reopened(const char *at, bool residue)
{
    tn_dataset *d = NULL;
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    o.flags = residue ? 0 : TN_DATASET_NO_RESIDUE;
    if (tn_dataset_open(&d, at, &o, &err) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    return d;
}

static void assert_run(const tn_dataset *d, size_t ann, uint32_t from,
                       uint32_t n)
{
    tn_shape s = TN_SHAPE_INIT;
    shape_of(d, ann, &s);
    assert_int_equal(s.kind, TN_SHAPE_RLE);
    assert_int_equal(s.runs[0], from);
    assert_int_equal(s.runs[1], n);
    tn_shape_fini(&s);
}

/* A pixel of a picture is of one object: the one drawn last. */
static void overlapping_masks_are_a_loss(void **state)
{
    (void)state;
    static const struct {
        int at;
        const char *lost; /* beyond what VOC never keeps */
        uint64_t count;
    } rows[] = {
        {4, NULL, 0},
        {3, "overlapping-masks", 1},
        {1, "masks", 1}, /* too little of it is left to be known again */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char lost[400], to[TMP_PATH], coco[TMP_PATH];
        tn_dataset *d = two_masks(rows[i].at);
        (void)snprintf(to, sizeof to, "%.80s/v%zu", dir, i);
        assert_int_equal(
            convert(d, to, "voc", "annotation-ids,image-ids", lost),
            rows[i].lost == NULL ? TN_OK : TN_EUNSUPPORTED);
        if (rows[i].lost != NULL) {
            char says[100], allow[100];
            (void)snprintf(says, sizeof says, ": %d %s;", (int)rows[i].count,
                           rows[i].lost);
            if (strstr(err.message, says) == NULL) fail_msg("%s", err.message);
            (void)snprintf(allow, sizeof allow, "annotation-ids,image-ids,%s",
                           rows[i].lost);
            must_convert(d, to, "voc", allow);
        }
        tn_dataset_close(d);
        d = reopened(to, false);
        if (rows[i].at == 3) assert_run(d, 0, 0, 3);
        if (rows[i].at == 1)
            assert_int_equal(tn_dataset_shape_kind(d, 0), TN_SHAPE_NONE);
        assert_run(d, 1, (uint32_t)rows[i].at, 6 - (uint32_t)rows[i].at);
        tn_dataset_close(d);
        d = reopened(to, true); /* the residue has it whole */
        (void)snprintf(coco, sizeof coco, "%.80s/c%zu.json", dir, i);
        must_convert(d, coco, "coco", "all");
        tn_dataset_close(d);
        d = reopened(coco, true);
        assert_run(d, 0, 0, 4);
        assert_box(d, 0, 0, 0, 4, 1);
        assert_int_equal(ann_of(d, 0).id.number, 1);
        assert_run(d, 1, (uint32_t)rows[i].at, 6 - (uint32_t)rows[i].at);
        tn_dataset_close(d);
    }
}

/* What lies above by its z is drawn later, wherever it is in the file. */
static void masks_are_drawn_by_their_z(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_text(
        "cvat", "x.xml",
        "<annotations><version>1.1</version><meta><task><labels><label><name>"
        "c</name></label></labels></task></meta><image id=\"0\" name=\"a.jpg\" "
        "width=\"6\" height=\"1\"><mask label=\"c\" rle=\"0,4\" left=\"0\" "
        "top=\"0\" width=\"4\" height=\"1\" z_order=\"2\"/><mask label=\"c\" "
        "rle=\"0,3\" left=\"3\" top=\"0\" width=\"3\" height=\"1\" "
        "z_order=\"1\"/></image></annotations>");
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    tmp_path(to, dir, "v");
    must_convert(d, to, "voc", "all");
    tn_dataset_close(d);
    d = reopened(to, false);
    assert_run(d, 0, 0, 4);
    assert_run(d, 1, 4, 2);
    tn_dataset_close(d);
}

static void refuses_broken_trees(void **state)
{
    (void)state;
    static const uint8_t px[4] = {1, 1, 1, 1};
    tmp_path(path, dir, "v");
    put("v/x.txt", "");
    assert_null(try_open("voc", path));
    assert_non_null(strstr(err.message, "no annotation of Pascal VOC"));
    put("v/Annotations/a.xml", xml(DOG));
    put("v/labelmap.txt", "a:1,2,300::\n");
    assert_null(try_open("voc", path));
    assert_non_null(strstr(err.message, "expected name:r,g,b:parts:actions"));
    assert_non_null(strstr(err.where, "labelmap.txt, line 1"));
    put("v/labelmap.txt", "");
    put("v/ImageSets/Main/train.txt", "a\n");
    put("v/ImageSets/Main/dog_train.txt", "a 1\nb 7\n");
    assert_null(try_open("voc", path));
    assert_non_null(strstr(err.message, "and 1, 0 or -1"));
    put("v/ImageSets/Main/dog_train.txt", "");
    put_picture("v/SegmentationClass/a.png", 2, 2, 1, px, NULL, 0);
    put_picture("v/SegmentationObject/a.png", 4, 1, 1, px, NULL, 0);
    tmp_path(path, dir, "v");
    assert_null(try_open("voc", path));
    assert_non_null(strstr(err.message, "the picture of classes is 2 x 2"));
    static const uint8_t rgb[12] = {1, 2, 3};
    put_picture("v/SegmentationObject/a.png", 2, 2, 3, rgb, NULL, 0);
    tmp_path(path, dir, "v");
    assert_null(try_open("voc", path));
    assert_non_null(strstr(err.message, "the color 1, 2, 3 at 0, 0"));
    put("v/SegmentationObject/a.png", "no picture");
    tmp_path(path, dir, "v");
    assert_null(try_open("voc", path));
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(size_swapped),
        IN_FOLDER(pictures_of_classes_alone),
        IN_FOLDER(pictures_join_their_objects),
        IN_FOLDER(labelmap_by_color),
        IN_FOLDER(overlapping_masks_are_a_loss),
        IN_FOLDER(masks_are_drawn_by_their_z),
        IN_FOLDER(refuses_broken_trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

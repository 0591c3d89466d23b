/* SPDX-License-Identifier: Apache-2.0 */
/* test_openimages.c - Open Images: its tables, ids, splits, writing */
#define _XOPEN_SOURCE 700
#include "formats.h"

#define BOXES                                                                  \
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,"      \
    "IsTruncated,IsGroupOf,IsDepiction,IsInside\n"

static uint32_t flags_of(const tn_dataset *d, size_t i)
{
    return ann_of(d, i).flags &
           (TN_IS_OCCLUDED | TN_IS_TRUNCATED | TN_IS_CROWD | TN_SAYS_CROWD |
            TN_IS_TAG | TN_IS_NEGATIVE);
}

static void look_at_golden(const tn_dataset *d)
{
    double v = 0.0;
    tn_class_row c = TN_CLASS_ROW_INIT;
    has(d, 3, 7, 4);
    assert_int_equal(tn_dataset_class(d, 0, &c), TN_OK);
    assert_string_equal(c.name, "Cat");
    assert_string_equal(c.id.text, "/m/01yrx");
    assert_string_equal(c.parent, "/m/0jbk");
    assert_string_equal(class_name(d, 3), "M\xc3\xbcnchen, no");
    assert_int_equal(tn_dataset_class(d, 2, &c), TN_OK);
    assert_null(c.parent);
    assert_string_equal(image_of(d, 0).name, "a1.jpg");
    assert_int_equal(image_of(d, 0).splits, 1);
    assert_int_equal(image_of(d, 1).splits, 2);
    assert_int_equal(image_of(d, 0).width, 100);
    assert_int_equal(image_of(d, 0).height, 200);
    assert_string_equal(image_of(d, 2).name, "c 3.jpg");
    assert_int_equal(image_of(d, 2).width, 9);
    assert_int_equal(image_of(d, 2).state, TN_STATE_UNKNOWN);
    has_box(d, 0, 10, 50, 50, 150);
    assert_int_equal(flags_of(d, 0), TN_IS_OCCLUDED | TN_SAYS_CROWD);
    assert_int_equal(flags_of(d, 1), TN_IS_CROWD | TN_SAYS_CROWD);
    assert_int_equal(flags_of(d, 2), 0);
    assert_int_equal(flags_of(d, 3), TN_IS_TAG);
    assert_int_equal(flags_of(d, 4), TN_IS_TAG | TN_IS_NEGATIVE);
    assert_true(has_text(tn_dataset_text(d, 0, TN_TEXT_ATTRIBUTES, 0),
                         "{\"Source\": \"xclick\", \"IsTruncated\": false, "
                         "\"IsDepiction\": true}"));
    assert_true(has_text(tn_dataset_text(d, 0, TN_TEXT_EXTRA, 0),
                         "\"XClick1X\": 0.125"));
    assert_false(tn_dataset_num(d, 0, TN_NUM_SCORE, &v));
    assert_true(tn_dataset_num(d, 1, TN_NUM_SCORE, &v) && v == 0.5);
    assert_true(tn_dataset_num(d, 2, TN_NUM_SCORE, &v) && v == 1.0);
    assert_true(tn_dataset_num(d, 5, TN_NUM_SCORE, &v) && v == 0.7);
    assert_int_equal(tn_dataset_shape_kind(d, 6), TN_SHAPE_MASK_FILE);
    assert_true(ann_of(d, 6).box[0] == 0.5);
    assert_true(has_text(tn_dataset_text(d, 6, TN_TEXT_EXTRA, 2),
                         "\"Clicks\": \"0.1 0.2 1;0.3 0.4 0\""));
    assert_true(has_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 2),
                         "\"Author\": \"Ada, B\""));
}

static void reads_golden(void **state)
{
    (void)state;
    tn_dataset *d = open_variant(GOLDEN "openimages", NULL, NULL);
    assert_string_equal(info_of(d).format, "openimages");
    assert_int_equal(info_of(d).n_splits, 2);
    look_at_golden(d);
    assert_true(has_text(tn_dataset_image_text(d, 1, TN_TEXT_EXTRA, 0),
                         "\"Rotation\": 90"));
    assert_non_null(note_of(d, "image-rotation", NULL));
    tn_bytes t = tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 6);
    assert_non_null(t.data);
    assert_memory_equal(t.data, "\"relationships\": [{\"LabelName1\": \"/m/",
                        37);
    tn_dataset_close(d);
}

static void same_bytes(const char *name)
{
    char file[TMP_PATH], found[8192];
    (void)snprintf(file, sizeof file, GOLDEN "openimages/annotations/%s", name);
    FILE *f = fopen(file, "rb");
    assert_non_null(f);
    const size_t n = fread(found, 1, sizeof found - 1, f);
    (void)fclose(f);
    found[n] = '\0';
    (void)snprintf(file, sizeof file, "out/annotations/%s", name);
    file_is(file, found);
}

static void writes_what_it_read(void **state)
{
    (void)state;
    tn_dataset *d = open_variant(GOLDEN "openimages", NULL, NULL);
    convert_here(d, "out", "openimages", NULL, "");
    static const char *const files[] = {
        "oidv6-class-descriptions.csv",
        "train-annotations-bbox.csv",
        "validation-annotations-bbox.csv",
        "train-annotations-human-imagelabels.csv",
        "validation-annotations-machine-imagelabels.csv",
        "validation-annotations-object-segmentation.csv",
        "train-annotations-vrd.csv",
        "image_ids_and_rotation.csv",
        "bbox_labels_600_hierarchy.json",
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        same_bytes(files[i]);
    file_is("out/annotations/images.meta", "a1 200 100\n\"c 3\" 7 9\n");
    tn_dataset *back = open_here("out", NULL, NULL);
    look_at_golden(back);
    same(d, back);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

/* Files beside: extensions, masks, the same id in two splits. */
static void images_and_masks_go_along(void **state)
{
    (void)state;
    put("in/annotations/train-annotations-bbox.csv",
        BOXES "a,,/m/0,1,0,1,0,1,0,0,0,0,0\n");
    put("in/annotations/test-annotations-object-segmentation.csv",
        "MaskPath,ImageID,LabelName\nm.png,b,/m/0\n");
    put("in/images/train/a.png", "");
    put("in/images/test/b.jpg", "");
    put("in/masks/test/m.png", "mask");
    tn_dataset *d = open_here("in", NULL, NULL);
    has(d, 2, 2, 1);
    assert_string_equal(image_of(d, 0).name, "a.png");
    tn_shape s = TN_SHAPE_INIT;
    assert_int_equal(tn_dataset_shape(d, 1, &s, NULL), TN_OK);
    assert_true(has_text(s.text, "masks/test/m.png"));
    tn_shape_fini(&s);
    convert_here(d, "out", "openimages", NULL, "");
    file_is("out/masks/test/m.png", "mask");
    file_is("out/annotations/train-annotations-bbox.csv",
            BOXES "a,,/m/0,1,0,1,0,1,0,0,0,0,0\n");
    file_is("out/images/train/a.png", "");
    tn_dataset_close(d);
}

static void ids_are_one_space(void **state)
{
    (void)state;
    put("in/train/_annotations.csv", "filename,label\na.jpg,x\n");
    put("in/valid/_annotations.csv", "filename,label\na.jpg,x\n"
                                     "b.png,x\nc.jpg.png,x\n");
    tn_dataset *d = open_here("in", "csv", NULL);
    has(d, 4, 4, 1);
    convert_here(d, "out", "openimages", NULL, "image-names");
    tn_dataset *back = open_here("out", NULL, NULL);
    has(back, 4, 4, 1);
    assert_string_equal(image_of(back, 2).name,
                        "b.png"); /* by its whole name */
    assert_string_equal(image_of(back, 3).name, "c.jpg.png");
    assert_string_equal(image_of(back, 1).name, "a.jpg"); /* by the residue */
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void tables_alone(void **state)
{
    (void)state;
    put("x.csv", "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\n"
                 "abc,xclick,Cat,1.0,0.1,0.5,0.2,0.8\n");
    tn_dataset *d = open_here("x.csv", NULL, NULL);
    has(d, 1, 1, 1);
    assert_string_equal(class_name(d, 0), "Cat");
    assert_int_equal(info_of(d).n_splits, 0);
    tn_dataset_close(d);
    put("class-descriptions.csv", "/m/0,Zebra\n/m/1,Ape\n");
    put("y-annotations-bbox.csv", BOXES "abc,,/m/1,1,0,1,0,1,,,,,\n");
    put("other.csv", "a,b\n1,2\n");
    char file[TMP_PATH];
    tmp_path(file, dir, "y-annotations-bbox.csv");
    d = open_variant(file, NULL, NULL);
    has(d, 1, 1, 2);
    assert_string_equal(class_name(d, 0), "Zebra");
    assert_string_equal(tn_dataset_split(d, 0), "y");
    tn_dataset_close(d);
    d = open_here("", "openimages", NULL);
    assert_non_null(note_of(d, "other-file", NULL));
    tn_dataset_close(d);
}

/* FiftyOne's: data, labels and metadata in a folder per split. */
static void folders_of_fiftyone(void **state)
{
    (void)state;
    put("in/validation/labels/detections.csv",
        BOXES "a,xclick,/m/1,1,0,1,0,1,0,0,0,0,0\n");
    put("in/validation/labels/segmentations.csv",
        "MaskPath,ImageID,LabelName\nF.png,a,/m/1\n");
    put("in/validation/labels/masks/F/F.png", "mask");
    put("in/validation/metadata/classes.csv", "/m/0,Cat\n/m/1,Dog\n");
    put("in/validation/metadata/image_ids.csv",
        "ImageID,Subset\na,validation\nzzz,validation\n");
    put("in/validation/metadata/hierarchy.json",
        "{\"LabelName\": \"/m/r\", \"Subcategory\": [{\"LabelName\": "
        "\"/m/0\", \"Subcategory\": [{\"LabelName\": \"/m/1\"}]}]}");
    put("in/validation/data/a.jpg", "");
    tn_class_row c = TN_CLASS_ROW_INIT;
    tn_shape s = TN_SHAPE_INIT;
    tn_dataset *d = open_here("in", NULL, NULL);
    has(d, 1, 2, 2);
    assert_string_equal(tn_dataset_split(d, 0), "validation");
    assert_non_null(image_of(d, 0).file);
    assert_int_equal(tn_dataset_class(d, 1, &c), TN_OK);
    assert_string_equal(c.parent, "Cat");
    assert_int_equal(tn_dataset_shape(d, 1, &s, NULL), TN_OK);
    assert_true(has_text(s.text, "validation/labels/masks/F/F.png"));
    tn_shape_fini(&s);
    convert_here(d, "out", "openimages", NULL, "");
    file_is("out/masks/validation/F.png", "mask");
    tn_dataset_close(d);
    d = open_here("in/validation", NULL, NULL);
    has(d, 1, 2, 2);
    assert_int_equal(info_of(d).n_splits, 0);
    assert_non_null(image_of(d, 0).file);
    tn_dataset_close(d);
}

static void from_coco_and_back(void **state)
{
    (void)state;
    put("x.json",
        "{\"info\": {\"a\": 1}, \"images\": [{\"id\": 7, \"file_name\": "
        "\"a.jpg\", \"width\": 90, \"height\": 80}, {\"id\": 0, "
        "\"file_name\": \"b c.png\", \"width\": 9, \"height\": 9}], "
        "\"annotations\": [{\"id\": 5, \"image_id\": 7, \"category_id\": "
        "3, \"bbox\": [10, 20, 30, 40], \"area\": 99, \"iscrowd\": 0, "
        "\"segmentation\": [[10, 20, 40, 20, 40, 60]]}, {\"id\": 6, "
        "\"image_id\": 7, \"category_id\": 3, \"bbox\": [1, 2, 3, 4], "
        "\"area\": 12, \"iscrowd\": 1, \"segmentation\": {\"counts\": "
        "[7200], \"size\": [80, 90]}}], "
        "\"categories\": [{\"id\": 3, \"name\": \"x\", \"supercategory\": "
        "\"thing\"}, {\"id\": 9, \"name\": \"none\"}]}");
    tn_dataset *d = open_here("x.json", "coco", NULL);
    convert_here(d, "out", "openimages", NULL, "all");
    file_is("out/annotations/annotations-bbox.csv",
            BOXES "a,,x,1,0.1111111111111111,0.4444444444444444,0.25,0.75,-1,"
                  "-1,0,-1,-1\n"
                  "a,,x,1,0.011111111111111112,0.044444444444444446,0.025,"
                  "0.075,-1,-1,1,-1,-1\n");
    file_is("out/annotations/bbox_labels_600_hierarchy.json",
            "{\"LabelName\": \"/m/0bl9f\", \"Subcategory\": [\n"
            "{\"LabelName\": \"thing\", \"Subcategory\": [{\"LabelName\": "
            "\"x\"}]}]}\n");
    file_is("out/annotations/images.meta", "a 80 90\n\"b c.png\" 9 9\n");
    tn_dataset *back = open_here("out", NULL, NULL);
    has(back, 2, 2, 2);
    assert_int_equal(image_of(back, 0).id.number, 7);
    assert_int_equal(ann_of(back, 0).id.number, 5);
    assert_int_equal(tn_dataset_shape_kind(back, 0), TN_SHAPE_POLYGON);
    assert_true((ann_of(back, 1).flags & TN_IS_CROWD) != 0);
    assert_int_equal(image_of(back, 1).state, TN_STATE_UNKNOWN);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

/* Boxes, tags and masks of an image change places: each table has its own. */
static void order_of_tables(void **state)
{
    (void)state;
    put("x.json",
        "[{\"image\": \"a.jpg\", \"annotations\": [{\"label\": \"t\", "
        "\"k\": 1}, {\"label\": \"b\", \"k\": 2, \"coordinates\": {\"x\": "
        "5, \"y\": 5, \"width\": 2, \"height\": 2}}]}]");
    put("a.jpg", "\xff\xd8\xff\xc0");
    tn_dataset *d = open_here("x.json", "createml", NULL);
    convert_here(d, "out", "openimages", NULL, "unknown-sizes");
    tn_dataset *back = open_here("out", "openimages", NULL);
    has(back, 1, 2, 2);
    assert_true(
        has_text(tn_dataset_text(back, 0, TN_TEXT_EXTRA, 0), "\"k\": 1"));
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void what_tables_cannot_say_is_a_loss(void **state)
{
    (void)state;
    static const struct {
        const char *text, *lost;
    } cases[] = {
        {"{\"label\": \"t\", \"IsInside\": 1}", "1 unknown-fields"},
        {"{\"label\": \"t\", \"k\": [1]}", "1 unknown-fields"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[400];
        (void)snprintf(text, sizeof text,
                       "[{\"image\": \"a.jpg\", \"annotations\": [%s]}]",
                       cases[i].text);
        put("x.json", text);
        tn_dataset *d = open_here("x.json", "createml", NULL);
        is_not_converted(d, "out", "openimages", NULL, cases[i].lost);
        tn_dataset_close(d);
    }
    put("x.json", "[{\"image\": \"a.jpg\", \"relationships\": 5, "
                  "\"annotations\": []}]");
    tn_dataset *d = open_here("x.json", "createml", NULL);
    is_not_converted(d, "out", "openimages", NULL, "1 image-fields");
    tn_dataset_close(d);
    put("x.json", "[{\"image\": \"a\", \"annotations\": []}]");
    d = open_here("x.json", "createml", NULL);
    is_not_converted(d, "out", "openimages", "all", "does not end like");
    tn_dataset_close(d);
    put("x.json", "[{\"image\": \"a.jpg\", \"annotations\": "
                  "[{\"label\": \"\"}]}]");
    d = open_here("x.json", "createml", NULL);
    is_not_converted(d, "out", "openimages", "all", "no label of its own");
    tn_dataset_close(d);
    put("s/oidv6/_annotations.csv", "filename,label\na.jpg,x\n");
    d = open_here("s", "csv", NULL);
    is_not_converted(d, "out", "openimages", "all", "a part of a file's name");
    tn_dataset_close(d);
}

static void refuses_broken(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *says;
    } cases[] = {
        {"x.csv", BOXES "a,,/m/0,1,0,1,0\n", "found '' as YMax"},
        {"x.csv", BOXES "a,,/m/0,1,nan,1,0,1,0,0,0,0,0\n",
         "found 'nan' as XMin"},
        {"x.csv", BOXES "a,,/m/0,1,1e400,1,0,1,0,0,0,0,0\n",
         "found '1e400' as XMin"},
        {"x.csv", BOXES "a,,/m/0,1,0,1,0,1,2,0,0,0,0\n",
         "found '2' as IsOccluded, expected 0, 1 or -1"},
        {"x.csv", BOXES "a,,/m/0,high,0,1,0,1,0,0,0,0,0\n",
         "found 'high' as Confidence"},
        {"x.csv", BOXES ",,/m/0,1,0,1,0,1,0,0,0,0,0\n", "without an ImageID"},
        {"x.csv", BOXES "a,,,1,0,1,0,1,0,0,0,0,0\n", "without a LabelName"},
        {"x.csv", BOXES "a,,/m/0,1,0,1,0,1,0,0,0,0,0,7\n",
         "line 2: found 14 fields, expected at most 13"},
        {"x.csv", BOXES "a\xff,,/m/0,1,0,1,0,1,0,0,0,0,0\n", "is not UTF-8"},
        {"x.csv", BOXES "\"a,,/m/0\n", "never closed"},
        {"x.csv", "MaskPath,ImageID,LabelName\n,a,/m/0\n",
         "without a MaskPath"},
        {"x.csv", "a,b\n", "no table of Open Images"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put(cases[i].name, cases[i].text);
        is_refused("x.csv", "openimages", NULL, cases[i].says);
    }
    static const struct {
        const char *name, *text, *says;
    } beside[] = {
        {"in/images.meta", "a 1\n", "found 'a 1', expected an image's id"},
        {"in/images.meta", "a 0 5\n", "found 'a 0 5'"},
        {"in/images.meta", "a 1 2\n", NULL},
        {"in/class-descriptions.csv", "/m/0,x\n/m/1\n", "found 1 fields"},
        {"in/class-descriptions.csv", "/m/0,x\n", NULL},
        {"in/h.json", "{\"LabelName\": \"a\", \"Subcategory\": [{}]}",
         "without a LabelName"},
        {"in/h.json", "{\"LabelName\": \"a\", \"Subcategory\": [",
         "ends where"},
    };
    put("in/x.csv", BOXES "a,,/m/0,1,0,1,0,1,0,0,0,0,0\n");
    for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
        put(beside[i].name, beside[i].text);
        if (beside[i].says != NULL)
            is_refused("in", "openimages", NULL, beside[i].says);
    }
}

static void paths_stay_inside(void **state)
{
    (void)state;
    put("secret.png", "");
    put("in/annotations/x.csv",
        "MaskPath,ImageID,LabelName\n../secret.png,../../secret,/m/0\n");
    tn_dataset *d = open_here("in", NULL, NULL);
    assert_null(image_of(d, 0).file);
    convert_here(d, "out", "openimages", NULL, "image-names");
    tn_dataset_close(d);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    survives_oom(GOLDEN "openimages", "openimages");
}

static void shared_fixtures(void **state)
{
    (void)state;
    static const shared_row rows[] = {
        {"datumaro-assets/open_images_dataset/v6", 4, 7, 4},
        {"datumaro-assets/open_images_dataset/v5", 2, 0, 2},
        {"datumaro-assets-cvat/open_images_dataset/v6", 4, 7, 4},
        {"panlabel-fixtures/sample_valid.openimages.csv", 2, 3, 2},
    };
    check_shared(rows, sizeof rows / sizeof rows[0], NULL);
    tn_dataset *d = open_shared("datumaro-assets/open_images_dataset/v6", NULL);
    if (d == NULL) return;
    assert_int_equal(info_of(d).n_splits, 3);
    convert_here(d, "out", "openimages", NULL, "");
    tn_dataset *back = open_here("out", NULL, NULL);
    has(back, 4, 7, 4); /* the tables are in another order */
    assert_int_equal(image_of(back, 3).height, 1);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_golden),
        IN_FOLDER(writes_what_it_read),
        IN_FOLDER(images_and_masks_go_along),
        IN_FOLDER(ids_are_one_space),
        IN_FOLDER(tables_alone),
        IN_FOLDER(folders_of_fiftyone),
        IN_FOLDER(from_coco_and_back),
        IN_FOLDER(order_of_tables),
        IN_FOLDER(what_tables_cannot_say_is_a_loss),
        IN_FOLDER(refuses_broken),
        IN_FOLDER(paths_stay_inside),
        cmocka_unit_test(survives_lack_of_memory),
        IN_FOLDER(shared_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_voc.c - Pascal VOC: XML, folders, lists, pictures, traps, round trips */
#define _XOPEN_SOURCE 700
#include "formats.h"

#include <math.h>

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

static tn_dataset *open_xml(const char *inner)
{
    tn_dataset *d = open_text("voc", "a.xml", xml(inner));
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    return d;
}

static tn_dataset *open_in_dir(const char *format)
{
    return open_as(format, dir);
}

static double num(const tn_dataset *d, size_t i, tn_num kind)
{
    double v = (double)NAN;
    (void)tn_dataset_num(d, i, kind, &v);
    return v;
}

/* --- the golden tree ------------------------------------------------------------ */

static void look_at_person(const tn_dataset *d)
{
    tn_shape s = TN_SHAPE_INIT;
    assert_string_equal(class_of(d, 0), "person");
    assert_box(d, 0, 3, 2, 21, 28.5);
    assert_int_equal(ann_of(d, 0).flags &
                         (TN_IS_TRUNCATED | TN_IS_OCCLUDED | TN_IS_DIFFICULT),
                     TN_IS_TRUNCATED | TN_IS_OCCLUDED);
    assert_text(tn_dataset_text(d, 0, TN_TEXT_ATTRIBUTES, 0),
                "{\"pose\": \"Left\"}");
    assert_text(tn_dataset_text(d, 0, TN_TEXT_EXTRA, 0),
                "\"actions\": {\"jumping\": \"0\", \"phoning\": \"1\"}");
    assert_text(tn_dataset_text(d, 0, TN_TEXT_EXTRA, 1),
                "\"point\": {\"x\": \"4\", \"y\": \"5\"}");
    shape_of(d, 0, &s);
    assert_int_equal(s.kind, TN_SHAPE_RLE);
    assert_true(s.width == 40 && s.height == 30);
    uint64_t area = 0;
    for (size_t i = 1; i < s.n_runs; i += 2) area += s.runs[i];
    assert_int_equal(area, 16 * 24);
    tn_shape_fini(&s);
}

static void look_at_parts(const tn_dataset *d)
{
    assert_string_equal(class_of(d, 1), "head");
    assert_box(d, 1, 5.5, 2, 9, 8);
    assert_string_equal(class_of(d, 2), "hand");
    for (size_t i = 0; i < 3; i++) assert_true(num(d, i, TN_NUM_GROUP) == 1.0);
    assert_text(tn_dataset_text(d, 1, TN_TEXT_EXTRA, 0), "\"part\": true");
    assert_text(tn_dataset_text(d, 2, TN_TEXT_EXTRA, 1), "\"side\": \"left\"");
    assert_true(isnan(num(d, 3, TN_NUM_GROUP)));
}

static void look_at_turned(const tn_dataset *d)
{
    tn_shape s = TN_SHAPE_INIT;
    size_t i = 0;
    while (!(fabs(num(d, i, TN_NUM_ANGLE) - 28.64788975654116) <= 1e-12) &&
           i + 1 < info_of(d).n_annotations)
        i++;
    assert_box(d, i, 35, 35, 65, 45);
    assert_int_equal(ann_of(d, i).box_form, TN_BOX_CXCYWH);
    assert_int_equal(tn_dataset_text(d, i, TN_TEXT_EXTRA, 0).size, 0);
    shape_of(d, i + 1, &s);
    assert_int_equal(s.kind, TN_SHAPE_POLYGON);
    assert_int_equal(s.n_points, 3);
    assert_true(s.xy[3] == 12.25);
    assert_box(d, i + 1, 10, 10, 40, 30);
    shape_of(d, i + 2, &s);
    assert_int_equal(s.kind, TN_SHAPE_QUAD);
    assert_true(s.xy[0] == 1 && s.xy[1] == 4 && s.xy[7] == 8);
    tn_shape_fini(&s);
}

static void reads_golden(void **state)
{
    (void)state;
    tn_dataset *d = open_as(NULL, GOLDEN "voc");
    assert_string_equal(info_of(d).format, "voc");
    assert_string_equal(info_of(d).variant, "as-is");
    assert_int_equal(info_of(d).n_images, 5);
    assert_int_equal(info_of(d).n_annotations, 9);
    assert_int_equal(info_of(d).n_classes, 6);
    assert_int_equal(info_of(d).n_splits, 2);
    assert_string_equal(image_of(d, 0).name, "2007_000001.jpg");
    assert_int_equal(image_of(d, 0).width, 40);
    assert_int_equal(image_of(d, 1).state, TN_STATE_EMPTY);
    assert_int_equal(image_of(d, 1).splits, 3);
    assert_string_equal(image_of(d, 2).name, "more/b c.png");
    assert_string_equal(image_of(d, 4).name, "x.jpg");
    assert_int_equal(image_of(d, 4).state, TN_STATE_UNKNOWN);
    look_at_person(d);
    look_at_parts(d);
    look_at_turned(d);
    assert_int_equal(ann_of(d, 3).flags & TN_IS_DIFFICULT, TN_IS_DIFFICULT);
    assert_text(tn_dataset_text(d, 3, TN_TEXT_ATTRIBUTES, 0),
                "{\"color\": \"dark red\", \"age\": 2.5, \"new\": true}");
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 0),
                "\"@verified\": \"yes\"");
    tn_dataset_close(d);
}

static void lists_give_images_classes(void **state)
{
    (void)state;
    tn_dataset *d = open_as(NULL, GOLDEN "voc");
    const size_t n = info_of(d).n_annotations;
    assert_string_equal(class_of(d, n - 1), "ship");
    assert_int_equal(ann_of(d, n - 1).flags, TN_IS_TAG);
    assert_string_equal(image_of(d, ann_of(d, n - 1).image).name,
                        "unknown.bmp");
    tn_dataset_close(d);
}

/* What was read from the golden tree is written as it. */
static void writes_golden(void **state)
{
    (void)state;
    static const char *const files[] = {
        "labelmap.txt",
        "Annotations/2007_000001.xml",
        "Annotations/empty.xml",
        "Annotations/more/b c.xml",
        "Annotations/unknown.xml",
        "ImageSets/Main/train.txt",
        "ImageSets/Main/val.txt",
        "ImageSets/Main/ship_train.txt",
        "ImageSets/Main/traffic light_train.txt",
        "ImageSets/Main/unused_val.txt",
        "ImageSets/Layout/train.txt",
        "SegmentationClass/2007_000001.png",
        "SegmentationObject/2007_000001.png",
    };
    char lost[400];
    tn_dataset *d = open_as(NULL, GOLDEN "voc");
    tmp_path(path, dir, "out");
    assert_int_equal(convert(d, path, "voc", NULL, lost), TN_OK);
    assert_string_equal(lost, "");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        same_file(GOLDEN "voc", files[i], path, files[i]);
    tn_dataset_close(d);
}

/* --- XML ------------------------------------------------------------------------- */

static void bndbox_in_any_order_and_floats(void **state)
{
    (void)state;
    tn_dataset *d = open_xml(
        OBJECT("dog", "<bndbox><xmin>2</xmin><xmax> 45.70\n</xmax><ymin>1e0"
                      "</ymin><ymax>2.5</ymax></bndbox>")
            OBJECT("dog", BOX(9, 9, 3, 4)));
    assert_box(d, 0, 2, 1, 45.7, 2.5);
    assert_true(ann_of(d, 1).box[0] == 9.0);
    tn_dataset_close(d);
}

static void sizes_missing_empty_or_zero(void **state)
{
    (void)state;
    static const char *const sizes[] = {
        "", "<size></size>", SIZE(0, 0),
        "<size><width/><height>5</height></size>",
        "<size><width>9</width></size>"};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char text[1000];
        (void)snprintf(text, sizeof text, "%s" DOG, sizes[i]);
        tn_dataset *d = open_xml(text);
        assert_int_equal(image_of(d, 0).width, 0);
        tn_dataset_close(d);
    }
}

static void marks_in_all_spellings(void **state)
{
    (void)state;
    tn_dataset *d = open_xml(
        OBJECT("dog",
               "<truncated>true</truncated><difficult>Unspecified</difficult>"
               "<occluded>yes</occluded><pose></pose>" BOX(1, 2, 3, 4))
            OBJECT("dog", "<truncated>0.25</truncated>" BOX(1, 2, 3, 4)));
    assert_int_equal(ann_of(d, 0).flags &
                         (TN_IS_TRUNCATED | TN_IS_DIFFICULT | TN_IS_OCCLUDED),
                     TN_IS_TRUNCATED | TN_IS_OCCLUDED);
    assert_int_equal(tn_dataset_text(d, 0, TN_TEXT_ATTRIBUTES, 0).size, 0);
    assert_text(tn_dataset_text(d, 1, TN_TEXT_EXTRA, 0),
                "\"truncated\": \"0.25\"");
    tmp_path(path, dir, "out");
    must_convert(d, path, "voc", NULL);
    size_t n = 0;
    char *text = bytes_of(path, "Annotations/a.xml", &n);
    assert_non_null(strstr(text, "<truncated>0.25</truncated>"));
    free(text);
    tn_dataset_close(d);
}

static void rotation_of_cvat(void **state)
{
    (void)state;
#define TURN(v)                                                                \
    "<attributes><attribute><name>rotation</name><value>" v                    \
    "</value></attribute></attributes>"
    tn_dataset *d = open_xml(OBJECT("dog", BOX(10, 20, 30, 40) TURN("30.5"))
                                 OBJECT("dog", BOX(10, 20, 30, 40) TURN("0")));
    assert_true(num(d, 0, TN_NUM_ANGLE) == 30.5);
    assert_box(d, 0, 10, 20, 30, 40);
    assert_int_equal(tn_dataset_text(d, 0, TN_TEXT_ATTRIBUTES, 0).size, 0);
    assert_true(isnan(num(d, 1, TN_NUM_ANGLE)));
    assert_text(tn_dataset_text(d, 1, TN_TEXT_ATTRIBUTES, 0),
                "{\"rotation\": 0}");
    tmp_path(path, dir, "out");
    must_convert(d, path, "voc", NULL);
    tn_dataset *back = open_as("voc", path);
    assert_true(fabs(num(back, 0, TN_NUM_ANGLE) - 30.5) < 1e-12);
    assert_box(back, 0, 10, 20, 30, 40);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void a_box_beside_a_turned_one(void **state)
{
    (void)state;
#define RBOX                                                                   \
    "<robndbox><cx>50</cx><cy>40</cy><w>30</w><h>10</h><angle>0</angle>"       \
    "</robndbox>"
    tn_dataset *d = open_xml(OBJECT("s", BOX(35, 35, 65, 45) RBOX)
                                 OBJECT("s", BOX(1, 2, 3, 4) RBOX));
    assert_int_equal(tn_dataset_text(d, 0, TN_TEXT_EXTRA, 0).size, 0);
    assert_text(tn_dataset_text(d, 1, TN_TEXT_EXTRA, 0),
                "\"bndbox\": {\"xmin\": \"1\", \"ymin\": \"2\", \"xmax\": "
                "\"3\", \"ymax\": \"4\"}");
    tn_dataset_close(d);
}

static void unknown_elements_stay(void **state)
{
    (void)state;
    static const char inner[] =
        "<filename>a.jpg</filename><owner><flickrid>x</flickrid></owner>"
        "<note lang=\"de\">\xc3\xbc</note><size><width>9</width><height>8"
        "</height><depth>3</depth><unit>px</unit></size>"
        "<object><name>dog</name><attributes><x>1</x></attributes>" BOX(
            1, 2, 3, 4) "<polygon><pt><x>1</x></pt><pt><x>2</x></pt></polygon>"
                        "<empty/></object>";
    tn_dataset *d = open_xml(inner);
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 1),
                "\"note\": {\"@lang\": \"de\", \"#text\": \"\xc3\xbc\"}");
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 2),
                "\"unit\": \"px\"");
    assert_text(tn_dataset_text(d, 0, TN_TEXT_EXTRA, 0),
                "\"attributes\": {\"x\": \"1\"}");
    assert_text(tn_dataset_text(d, 0, TN_TEXT_EXTRA, 1),
                "\"polygon\": {\"pt\": [{\"x\": \"1\"}, {\"x\": \"2\"}]}");
    assert_text(tn_dataset_text(d, 0, TN_TEXT_EXTRA, 2), "\"empty\": \"\"");
    tmp_path(path, dir, "out");
    must_convert(d, path, "voc", "unknown-fields");
    tn_dataset *back = open_as("voc", path);
    assert_text(tn_dataset_text(back, 0, TN_TEXT_EXTRA, 1),
                "\"polygon\": {\"pt\": [{\"x\": \"1\"}, {\"x\": \"2\"}]}");
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void class_names_as_they_are(void **state)
{
    (void)state;
    static const char *const names[] = {
        "no",   "1",  "a: b", "M\xc3\xbcnchen", "dog", "Dog",
        "dog ", "#x", "",     "a &amp; b"};
    char text[3000] = "";
    for (size_t i = 0; i < 10; i++) {
        const size_t n = strlen(text);
        (void)snprintf(text + n, sizeof text - n, OBJECT("%s", BOX(1, 2, 3, 4)),
                       names[i]);
    }
    tn_dataset *d = open_xml(text);
    assert_int_equal(info_of(d).n_classes, 10);
    tmp_path(path, dir, "out");
    must_convert(d, path, "voc", NULL);
    tn_dataset *back = open_as("voc", path);
    assert_int_equal(info_of(back).n_classes, 10);
    for (size_t i = 0; i < 10; i++)
        assert_string_equal(class_of(d, i), class_of(back, i));
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void names_are_unwrapped(void **state)
{
    (void)state;
    tn_dataset *d = open_xml("<filename>\n  a.png\n</filename>" OBJECT(
        "\n\tdog\n\t", BOX(1, 2, 3, 4)));
    assert_string_equal(class_of(d, 0), "dog");
    assert_string_equal(image_of(d, 0).name, "a.png");
    tn_dataset_close(d);
}

static void crlf_and_byte_order_mark(void **state)
{
    (void)state;
    tn_dataset *d =
        open_text(NULL, "a.xml",
                  "\xef\xbb\xbf<?xml version=\"1.0\"?>\r\n<annotation>\r\n"
                  "<filename>a.jpg</filename>\r\n" DOG "</annotation>\r\n");
    assert_non_null(d);
    assert_int_equal(info_of(d).n_annotations, 1);
    tn_dataset_close(d);
}

/* --- pixels from 0 or from 1 -------------------------------------------------------- */

static void base_is_told_not_guessed(void **state)
{
    (void)state;
    static const struct {
        const char *box, *code;
    } cases[] = {
        {OBJECT("d", BOX(0, 2, 30, 40)), "voc-base-0"},
        {OBJECT("d", BOX(1, 1, 100, 50)), "voc-base-undecidable"},
        {OBJECT("d", BOX(1, 1, 101, 50)), "voc-base-overflow"},
    };
    for (size_t i = 0; i < 3; i++) {
        char text[600];
        (void)snprintf(text, sizeof text, SIZE(100, 50) "%s", cases[i].box);
        tn_dataset *d = open_xml(text);
        assert_int_equal(noted(d, cases[i].code), 1);
        tn_dataset_close(d);
    }
    tn_dataset *d = open_xml(SIZE(100, 50) DOG);
    assert_int_equal(info_of(d).n_notes, 0);
    tn_dataset_close(d);
}

static void one_based_when_asked_for(void **state)
{
    (void)state;
    tn_dataset *d = NULL;
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    tn_convert_opts c = TN_CONVERT_OPTS_INIT;
    tn_conversion *done = NULL;
    put("a.xml", xml(SIZE(100, 50) OBJECT("d", BOX(1, 1, 100, 50))));
    tmp_path(path, dir, "a.xml");
    o.format = "voc";
    o.variant = "one-based";
    assert_int_equal(tn_dataset_open(&d, path, &o, &err), TN_OK);
    assert_string_equal(info_of(d).variant, "one-based");
    assert_box(d, 0, 0, 0, 100, 50);
    c.format = "voc";
    c.variant = "one-based";
    tmp_path(path, dir, "out");
    assert_int_equal(tn_dataset_convert(&done, d, path, &c, &err), TN_OK);
    tn_conversion_free(done);
    size_t n = 0;
    char *text = bytes_of(path, "Annotations/a.xml", &n);
    assert_non_null(strstr(text, "<xmin>1</xmin>"));
    assert_non_null(strstr(text, "<xmax>100</xmax>"));
    free(text);
    tn_dataset_close(d);
}

/* --- folders ------------------------------------------------------------------------ */

static void splits_of_roboflow(void **state)
{
    (void)state;
    put("train/a_jpg.rf.1.xml", xml("<folder></folder>" DOG));
    put("train/a_jpg.rf.1.jpg", "");
    put("valid/a_jpg.rf.1.xml", xml(DOG DOG));
    put("test/e.xml", xml(""));
    tn_dataset *d = open_in_dir(NULL);
    assert_int_equal(info_of(d).n_splits, 3);
    assert_int_equal(info_of(d).n_images, 3);
    assert_int_equal(info_of(d).n_annotations, 3);
    assert_string_equal(image_of(d, 0).name, "a_jpg.rf.1.jpg");
    assert_non_null(image_of(d, 0).file);
    tmp_path(path, dir, "out");
    must_convert(d, path, "voc", "image-names,image-fields");
    tn_dataset *back = open_as(NULL, path);
    assert_int_equal(info_of(back).n_images, 3);
    assert_int_equal(info_of(back).n_splits, 3);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void xml_beside_images(void **state)
{
    (void)state;
    put("a.xml", xml(DOG));
    put("a.JPG", "");
    put("sub/b.xml", xml(DOG));
    put("sub/b.png", "");
    put("c.png", "");
    put("other.xml", "<annotations/>");
    tn_dataset *d = open_in_dir("voc");
    assert_int_equal(info_of(d).n_images, 3);
    assert_string_equal(image_of(d, 0).name, "a.JPG");
    assert_string_equal(image_of(d, 1).name, "c.png");
    assert_int_equal(image_of(d, 1).state, TN_STATE_UNKNOWN);
    assert_string_equal(image_of(d, 2).name, "sub/b.png");
    assert_int_equal(noted(d, "other-xml"), 1);
    tn_dataset_close(d);
}

static void annotations_and_images(void **state)
{
    (void)state;
    put("images/a.jpeg", "");
    put("annotations/xmls/a.xml", xml("<filename>a.jpeg</filename>" DOG));
    tn_dataset *d = open_in_dir(NULL);
    assert_int_equal(info_of(d).n_images, 1);
    assert_int_equal(image_of(d, 0).state, TN_STATE_ANNOTATED);
    tn_dataset_close(d);
}

static void splits_inside_annotations(void **state)
{
    (void)state;
    put("images/train/a.jpg", "");
    put("images/val/a.jpg", "");
    put("annotations/train/a.xml", xml(DOG));
    put("annotations/val/a.xml", xml(DOG DOG));
    tn_dataset *d = open_in_dir(NULL);
    assert_int_equal(info_of(d).n_images, 2);
    assert_int_equal(info_of(d).n_splits, 2);
    assert_string_equal(image_of(d, 0).name, "a.jpg");
    assert_string_equal(image_of(d, 1).name, "a.jpg");
    assert_non_null(strstr(image_of(d, 1).file, "images/val/a.jpg"));
    assert_int_equal(image_of(d, 1).splits, 2);
    tmp_path(path, dir, "out");
    must_convert(d, path, "voc", "image-names");
    tn_dataset *back = open_as(NULL, path);
    assert_int_equal(info_of(back).n_images, 2);
    assert_int_equal(info_of(back).n_splits, 2);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void years_of_the_devkit(void **state)
{
    (void)state;
    put("VOCdevkit/VOC2007/Annotations/1.xml", xml(DOG));
    put("VOCdevkit/VOC2007/JPEGImages/1.jpg", "");
    put("VOCdevkit/VOC2007/ImageSets/Main/train.txt", "1\n");
    put("VOCdevkit/VOC2012/Annotations/1.xml", xml(DOG DOG));
    put("VOCdevkit/VOC2012/JPEGImages/1.jpg", "");
    put("VOCdevkit/VOC2012/ImageSets/Main/val.txt", "1\n");
    tn_dataset *d = open_in_dir(NULL);
    assert_int_equal(info_of(d).n_images, 2);
    assert_string_equal(image_of(d, 0).name, "VOC2007/1.jpg");
    assert_string_equal(image_of(d, 1).name, "VOC2012/1.jpg");
    assert_int_equal(image_of(d, 1).splits, 2);
    assert_int_equal(info_of(d).n_annotations, 3);
    tn_dataset_close(d);
}

static void one_file_finds_its_image(void **state)
{
    (void)state;
    put("v/Annotations/a.xml", xml("<filename>a.png</filename>" DOG));
    put("v/JPEGImages/a.png", "");
    tmp_path(path, dir, "v/Annotations/a.xml");
    tn_dataset *d = open_as(NULL, path);
    assert_non_null(image_of(d, 0).file);
    tn_dataset_close(d);
}

static void filename_traps(void **state)
{
    (void)state;
    /* The same stem twice, another name, no extension, a path of its author. */
    put("v/JPEGImages/a.jpg", "");
    put("v/JPEGImages/a.png", "");
    put("v/JPEGImages/b.jpg", "");
    put("v/JPEGImages/c.jpg", "");
    put("v/Annotations/a.xml", xml("<filename>a.png</filename>" DOG));
    put("v/Annotations/b.xml", xml("<filename>c.jpg</filename>" DOG));
    put("v/Annotations/c.xml", xml("<filename>c</filename>" DOG));
    put("v/Annotations/d.xml",
        xml("<filename>C:\\Users\\me\\d.bmp</filename>" DOG));
    put("v/Annotations/e.xml", xml(DOG));
    put("v/Annotations/f.xml",
        xml("<filename>../../etc/passwd</filename>" DOG));
    tmp_path(path, dir, "v");
    tn_dataset *d = open_as(NULL, path);
    static const struct {
        const char *name;
        tn_state state;
    } want[] = {{"a.jpg", TN_STATE_UNKNOWN},   {"a.png", TN_STATE_ANNOTATED},
                {"b.jpg", TN_STATE_ANNOTATED}, {"c.jpg", TN_STATE_ANNOTATED},
                {"d.bmp", TN_STATE_ANNOTATED}, {"e.jpg", TN_STATE_ANNOTATED},
                {"f.jpg", TN_STATE_ANNOTATED}};
    assert_int_equal(info_of(d).n_images, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_string_equal(image_of(d, i).name, want[i].name);
        assert_int_equal(image_of(d, i).state, want[i].state);
    }
    assert_int_equal(noted(d, "filename-differs"), 2);
    assert_int_equal(noted(d, "stem-twice"), 1);
    tn_dataset_close(d);
}

static void two_files_about_one_image(void **state)
{
    (void)state;
    put("v/images/a.jpg", "");
    put("v/annotations/x/a.xml", xml(DOG));
    put("v/annotations/y/a.xml", xml(DOG));
    tmp_path(path, dir, "v");
    tn_dataset *d = open_as(NULL, path);
    assert_int_equal(info_of(d).n_images, 1);
    assert_int_equal(info_of(d).n_annotations, 2);
    assert_int_equal(noted(d, "image-twice"), 1);
    tn_dataset_close(d);
}

static void splits_that_divide_come_first(void **state)
{
    (void)state;
    put("v/Annotations/a.xml", xml(DOG));
    put("v/ImageSets/Main/trainval.txt", "a\n");
    put("v/ImageSets/Main/all.txt", "a\n");
    put("v/ImageSets/Main/val.txt", "a\n");
    tmp_path(path, dir, "v");
    tn_dataset *d = open_as(NULL, path);
    assert_string_equal(tn_dataset_split(d, 0), "val");
    assert_string_equal(tn_dataset_split(d, 1), "all");
    assert_int_equal(image_of(d, 0).splits, 7);
    tn_dataset_close(d);
}

static void lists_of_all_kinds(void **state)
{
    (void)state;
    put("v/Annotations/a.xml", xml(DOG));
    put("v/Annotations/img 1.xml", xml(OBJECT("cat", BOX(1, 2, 3, 4))));
    put("v/ImageSets/Main/train.txt", "\xef\xbb\xbf"
                                      "a\r\n\r\nimg 1\r\n");
    put("v/ImageSets/Main/aug_train.txt", "\"img 1\"\n");
    put("v/ImageSets/Main/dog_train.txt", "a  1\nimg 1 -1\n");
    put("v/ImageSets/Main/cat_train.txt", "a -1\nimg 1 -1\n");
    put("v/ImageSets/Main/cow_train.txt", "");
    put("v/ImageSets/Main/default.txt", "only listed.png\n");
    put("v/ImageSets/Layout/val.txt", "a 3\n");
    put("v/ImageSets/Action/jumping_val.txt", "a 3 1\n");
    put("v/ImageSets/Action/val.txt", "a 3\n");
    tmp_path(path, dir, "v");
    tn_dataset *d = open_as(NULL, path);
    assert_int_equal(info_of(d).n_images, 3);
    assert_int_equal(info_of(d).n_splits, 3);
    assert_int_equal(info_of(d).n_annotations, 2);
    assert_string_equal(image_of(d, 2).name, "only listed.png");
    assert_int_equal(image_of(d, 2).splits, 0);
    assert_int_equal(noted(d, "class-file-differs"), 1);
    assert_int_equal(noted(d, "list-unused"), 1);
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 0),
                "\"image_sets\": [\"Main/train\", \"Action/val\", "
                "\"Layout/val\"]");
    tn_dataset_close(d);
}

/* --- what cannot be ---------------------------------------------------------------------- */

static void refuses_broken(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "no element found"},
        {"<annotations></annotations>", "the outermost element is"},
        {"<annotation><object>" BOX(1, 2, 3, 4) "</object></annotation>",
         "line 1: <object> has no <name>"},
        {"<annotation>\n<object><name>d</name></object></annotation>",
         "line 2: an <object> has no <bndbox>"},
        {"<annotation>" OBJECT(
             "d", "<bndbox><xmin>1</xmin></bndbox>") "</annotation>",
         "<bndbox> has no <ymin>"},
        {"<annotation>" OBJECT("d", BOX(1, nan, 3, 4)) "</annotation>",
         "<ymin> is 'nan', expected a finite number"},
        {"<annotation>" OBJECT("d", BOX(1, 1e400, 3, 4)) "</annotation>",
         "is '1e400'"},
        {"<annotation>"
         "<object><name>d</name><bndbox><xmin>1,5</xmin></bndbox></object>"
         "</annotation>",
         "<xmin> is '1,5'"},
        {"<annotation>" OBJECT("d", BOX(1, 2, 3, 4) "<part><name>h</name>"
                                                    "</part>") "</annotation>",
         "a <part> has no <bndbox>"},
        {"<annotation>" OBJECT(
             "d", "<polygon><x1>a</x1><y1>2</y1></polygon>") "</annotation>",
         "<x1> is 'a'"},
        {"<annotation>" OBJECT(
             "d", "<robndbox><cx>1</cx></robndbox>") "</annotation>",
         "<robndbox> has no <cy>"},
        {"<annotation><size><width>4.5</width></size></annotation>",
         "<width> is no whole number"},
        {"<annotation><size><width>-4</width></size></annotation>",
         "<width> is no whole number"},
        {"<annotation><filename>a & b.jpg</filename></annotation>",
         "not well-formed"},
        {"<!DOCTYPE a [<!ENTITY x \"y\">]><annotation/>", "declares an entity"},
        {"<?xml version=\"1.0\" encoding=\"GBK\"?><annotation/>",
         "convert the file to UTF-8"},
        {"<annotation><object>", "no element found"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refused("voc", "a.xml", cases[i].text, cases[i].says);
}

static void not_written(void **state)
{
    (void)state;
    static const struct {
        const char *image, *cls, *split, *says;
    } cases[] = {
        {"a.jpg", "a\\nb", "train", "has a line end"},
        {"\\\"a.jpg", "c", "train", "cannot be in a list"},
        {"a.jpg", "c", "default", "'default' is taken for none"},
    };
    for (size_t i = 0; i < 3; i++) {
        char text[600], name[100];
        (void)snprintf(text, sizeof text,
                       "{\"images\": [{\"id\": 1, \"file_name\": \"%s\"}], "
                       "\"categories\": [{\"id\": 0, \"name\": \"%s\"}], "
                       "\"annotations\": []}",
                       cases[i].image, cases[i].cls);
        (void)snprintf(name, sizeof name, "%zu/annotations/instances_%s.json",
                       i, cases[i].split);
        put(name, text);
        (void)snprintf(name, sizeof name, "%zu", i);
        tmp_path(path, dir, name);
        tn_dataset *d = open_as("coco", path);
        tmp_path(path, dir, "out");
        assert_int_equal(convert(d, path, "voc", "all", NULL), TN_EUNSUPPORTED);
        assert_non_null(strstr(err.message, cases[i].says));
        tn_dataset_close(d);
    }
}

/* --- round trips -------------------------------------------------------------------------- */

static void coco_comes_back(void **state)
{
    (void)state;
    put("c/annotations/instances_train.json",
        "{\"info\": {\"year\": 2020}, \"images\": [{\"id\": 7, \"file_name\": "
        "\"x/a.jpg\", \"width\": 20, \"height\": 10, \"license\": 3, "
        "\"coco_url\": \"\\u00fc\"}], \"categories\": [{\"id\": 3, \"name\": "
        "\"c\", \"supercategory\": \"s\"}], \"annotations\": [{\"id\": 9, "
        "\"image_id\": 7, \"category_id\": 3, \"iscrowd\": 0, \"area\": 12.5, "
        "\"bbox\": [1, 2, 3, 4], \"segmentation\": [[1, 2, 4, 2, 4, 6], [8, "
        "8, 9, 8, 9, 9]], \"attributes\": {\"occluded\": true, \"n\": \"5\"}, "
        "\"odd key\": {\"a\": [1]}, \"plain\": \"t\"}]}");
    tmp_path(path, dir, "c");
    tn_dataset *d = open_as("coco", path);
    tmp_path(path, dir, "v");
    must_convert(d, path, "voc", "all");
    tn_dataset *v = open_as(NULL, path);
    assert_string_equal(info_of(v).format, "voc");
    tmp_path(path, dir, "c2");
    must_convert(v, path, "coco", NULL);
    tn_dataset *back = open_as("coco", path);
    assert_int_equal(image_of(back, 0).id.number, 7);
    assert_int_equal(ann_of(back, 0).id.number, 9);
    assert_text(tn_dataset_text(back, 0, TN_TEXT_ATTRIBUTES, 0),
                "{\"occluded\": true, \"n\": \"5\"}");
    tn_shape s = TN_SHAPE_INIT;
    shape_of(back, 0, &s);
    assert_int_equal(s.n_rings, 2);
    tn_shape_fini(&s);
    tmp_path(path, dir, "c1");
    must_convert(d, path, "coco", NULL);
    char again[TMP_PATH];
    tmp_path(again, dir, "c2");
    same_file(path, "annotations/instances_train.json", again,
              "annotations/instances_train.json");
    tn_dataset_close(back);
    tn_dataset_close(v);
    tn_dataset_close(d);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    survives_oom(GOLDEN "voc", "voc");
}

static void shared_fixtures(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t images, annotations, classes;
    } rows[] = {
        {"bccd", 364, 4888, 3},
        {"datumaro-assets/voc_dataset/voc_dataset1", 2, 14, 14},
        {"datumaro-assets/voc_dataset/voc_dataset2", 5, 4, 21},
        {"datumaro-assets/kaggle_dataset/relaxed_voc1", 2, 2, 2},
        {"datumaro-assets/kaggle_dataset/relaxed_voc2", 2, 2, 2},
        {"datumaro-assets/roboflow_dataset/voc", 3, 4, 2},
        {"datumaro-assets-cvat/voc_dataset/voc_dataset1", 2, 14, 14},
        {"datumaro-assets-cvat/voc_dataset/voc_dataset2", 5, 4, 21},
    };
    int found = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char file[1024];
        if (!shared(file, rows[i].name)) continue;
        found++;
        tn_dataset *d = open_as(NULL, file);
        assert_string_equal(info_of(d).format, "voc");
        assert_int_equal(info_of(d).n_images, rows[i].images);
        assert_int_equal(info_of(d).n_annotations, rows[i].annotations);
        assert_int_equal(info_of(d).n_classes, rows[i].classes);
        if (i == 0) assert_int_equal(noted(d, "voc-base-undecidable"), 1);
        tmp_path(path, dir, "out");
        must_convert(d, path, "voc", NULL);
        tmp_remove(path);
        tn_dataset_close(d);
    }
    if (found == 0) skip();
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_golden),
        cmocka_unit_test(lists_give_images_classes),
        IN_FOLDER(writes_golden),
        IN_FOLDER(bndbox_in_any_order_and_floats),
        IN_FOLDER(sizes_missing_empty_or_zero),
        IN_FOLDER(marks_in_all_spellings),
        IN_FOLDER(rotation_of_cvat),
        IN_FOLDER(a_box_beside_a_turned_one),
        IN_FOLDER(unknown_elements_stay),
        IN_FOLDER(class_names_as_they_are),
        IN_FOLDER(names_are_unwrapped),
        IN_FOLDER(crlf_and_byte_order_mark),
        IN_FOLDER(base_is_told_not_guessed),
        IN_FOLDER(one_based_when_asked_for),
        IN_FOLDER(splits_of_roboflow),
        IN_FOLDER(xml_beside_images),
        IN_FOLDER(annotations_and_images),
        IN_FOLDER(splits_inside_annotations),
        IN_FOLDER(years_of_the_devkit),
        IN_FOLDER(one_file_finds_its_image),
        IN_FOLDER(filename_traps),
        IN_FOLDER(two_files_about_one_image),
        IN_FOLDER(splits_that_divide_come_first),
        IN_FOLDER(lists_of_all_kinds),
        IN_FOLDER(refuses_broken),
        IN_FOLDER(not_written),
        IN_FOLDER(coco_comes_back),
        cmocka_unit_test(survives_lack_of_memory),
        IN_FOLDER(shared_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

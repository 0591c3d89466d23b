/* SPDX-License-Identifier: Apache-2.0 */
/* test_cvat.c - CVAT XML: shapes, labels, tracks, traps, round trips */
#define _XOPEN_SOURCE 700
#include "formats.h"

#include <math.h>

#define HEAD  "<annotations><version>1.1</version>"
#define IMAGE "<image id=\"0\" name=\"a.jpg\" width=\"10\" height=\"8\">"
#define TAIL  "</image></annotations>"
#define BOX                                                                    \
    "<box label=\"c\" xtl=\"1\" ytl=\"2\" xbr=\"3\" ybr=\"4\" "                \
    "occluded=\"0\"/>"

static tn_dataset *open_shapes(const char *shapes)
{
    char text[4000];
    (void)snprintf(text, sizeof text, HEAD IMAGE "%s" TAIL, shapes);
    tn_dataset *d = open_text("cvat", "x.xml", text);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    return d;
}

static double num(const tn_dataset *d, size_t i, tn_num kind)
{
    double v = (double)NAN;
    (void)tn_dataset_num(d, i, kind, &v);
    return v;
}

static tn_bytes attributes_of(const tn_dataset *d, size_t i)
{
    return tn_dataset_text(d, i, TN_TEXT_ATTRIBUTES, 0);
}

/* --- images --------------------------------------------------------------------- */

static void look_at_labels(const tn_dataset *d)
{
    assert_int_equal(info_of(d).n_classes, 3);
    tn_class_row face = TN_CLASS_ROW_INIT;
    assert_int_equal(tn_dataset_class(d, 2, &face), TN_OK);
    assert_string_equal(face.name, "face");
    assert_int_equal(face.n_keypoints, 3);
    assert_string_equal(tn_dataset_keypoint_name(d, 2, 1), "nose");
}

static void look_at_geometry(const tn_dataset *d)
{
    tn_shape s = TN_SHAPE_INIT;
    assert_box(d, 0, 1.5, 2, 30.25, 20);
    assert_true(num(d, 0, TN_NUM_ANGLE) == 30.5);
    assert_true(num(d, 0, TN_NUM_Z) == 2 && num(d, 0, TN_NUM_GROUP) == 4);
    assert_int_equal(ann_of(d, 0).flags & TN_IS_OCCLUDED, TN_IS_OCCLUDED);
    shape_of(d, 1, &s);
    assert_int_equal(s.kind, TN_SHAPE_POLYGON);
    assert_true(s.n_points == 3 && s.xy[2] == 30.5);
    shape_of(d, 2, &s);
    assert_int_equal(s.kind, TN_SHAPE_POLYLINE);
    shape_of(d, 3, &s);
    assert_int_equal(s.kind, TN_SHAPE_POINTS);
    shape_of(d, 4, &s);
    assert_int_equal(s.kind, TN_SHAPE_ELLIPSE);
    assert_true(s.xy[2] == 10 && s.xy[3] == 5 && s.xy[4] == 45);
    shape_of(d, 5, &s);
    assert_int_equal(s.kind, TN_SHAPE_CUBOID);
    assert_true(s.n_points == 8 && s.xy[15] == 11);
    tn_shape_fini(&s);
}

/* Rows of the crop "off on on / off off on" at 3, 4 of an image of 40 x 30. */
static void look_at_mask(const tn_dataset *d)
{
    tn_shape s = TN_SHAPE_INIT;
    shape_of(d, 6, &s);
    assert_int_equal(s.kind, TN_SHAPE_RLE);
    assert_true(s.width == 40 && s.height == 30);
    assert_int_equal(s.n_runs, 5);
    assert_int_equal(s.runs[0], 4 * 30 + 4);
    assert_int_equal(s.runs[1], 1);
    assert_int_equal(s.runs[2], 29);
    assert_int_equal(s.runs[3], 2);
    tn_shape_fini(&s);
}

static void look_at_skeleton(const tn_dataset *d)
{
    tn_shape s = TN_SHAPE_INIT;
    assert_int_equal(tn_dataset_keypoints(d, 7, &s, &err), TN_OK);
    assert_int_equal(s.n_points, 3);
    assert_true(s.xy[0] == 1.5 && s.xy[2] == 3 && s.xy[4] == 5);
    assert_int_equal(s.visible[0], 1);
    assert_int_equal(s.visible[1], 2);
    assert_int_equal(s.visible[2], 0);
    tn_shape_fini(&s);
}

static void reads_golden(void **state)
{
    (void)state;
    tn_dataset *d = open_as(NULL, GOLDEN "cvat");
    assert_string_equal(info_of(d).format, "cvat");
    assert_string_equal(info_of(d).variant, "images");
    assert_int_equal(info_of(d).n_images, 3);
    assert_int_equal(info_of(d).n_annotations, 10);
    assert_int_equal(info_of(d).n_splits, 2);
    assert_string_equal(image_of(d, 1).name, "sub/c.png");
    assert_int_equal(image_of(d, 1).state, TN_STATE_UNKNOWN);
    assert_int_equal(image_of(d, 2).id.number, 7);
    assert_int_equal(image_of(d, 2).splits, 2);
    assert_int_equal(image_of(d, 0).width, 40);
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 0),
                "\"task_id\": \"39\"");
    look_at_labels(d);
    look_at_geometry(d);
    look_at_mask(d);
    look_at_skeleton(d);
    assert_int_equal(ann_of(d, 2).class_index, TN_NONE);
    assert_int_equal(ann_of(d, 8).flags & TN_IS_TAG, TN_IS_TAG);
    assert_text(tn_dataset_text(d, 6, TN_TEXT_EXTRA, 0),
                "\"source\": \"semi-auto\"");
    assert_text(tn_dataset_text(d, 9, TN_TEXT_EXTRA, 0), "\"uuid\": \"x-1\"");
    assert_text(tn_dataset_text(d, 9, TN_TEXT_EXTRA, 1),
                "\"note\": {\"text\": \"hello\"}");
    tn_dataset_close(d);
}

static void attributes_have_the_types_of_labels(void **state)
{
    (void)state;
    tn_dataset *d = open_as(NULL, GOLDEN "cvat");
    assert_text(attributes_of(d, 0),
                "{\"parked\": true, \"speed\": 12.5, \"code\": \"0003\"}");
    assert_text(attributes_of(d, 8), "{\"weather\": \"rain\"}");
    tn_dataset_close(d);
    d = open_shapes("<box label=\"c\" xtl=\"1\" ytl=\"2\" xbr=\"3\" ybr=\"4\">"
                    "<attribute name=\"n\">5</attribute></box>");
    assert_text(attributes_of(d, 0), "{\"n\": \"5\"}");
    tn_dataset_close(d);
}

static void attributes_of_version_1_0(void **state)
{
    (void)state;
    tn_dataset *d = open_text(
        "cvat", "x.xml",
        "<annotations><version>1.0</version><meta><task><labels><label><name>c"
        "</name><attributes><attribute>@checkbox=cut:false</attribute>"
        "<attribute>~number=n:0,1,2</attribute><attribute>@select=q:a,b"
        "</attribute></attributes></label></labels></task></meta>" IMAGE
        "<box label=\"c\" xtl=\"1\" ytl=\"2\" xbr=\"3\" ybr=\"4\"><attribute "
        "name=\"cut\">true</attribute><attribute name=\"n\">2</attribute>"
        "<attribute name=\"q\">a</attribute></box>" TAIL);
    assert_non_null(d);
    assert_text(attributes_of(d, 0), "{\"cut\": true, \"n\": 2, \"q\": \"a\"}");
    tmp_path(path, dir, "out.xml");
    must_convert(d, path, "cvat", NULL);
    tn_dataset *back = open_as(NULL, path);
    assert_text(attributes_of(back, 0),
                "{\"cut\": true, \"n\": 2, \"q\": \"a\"}");
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void writes_golden(void **state)
{
    (void)state;
    static const char *const names[] = {"cvat", "cvat_video"};
    for (int i = 0; i < 2; i++) {
        char folder[TMP_PATH], lost[400];
        (void)snprintf(folder, sizeof folder, GOLDEN "%s", names[i]);
        tn_dataset *d = open_as(NULL, folder);
        tmp_path(path, dir, names[i]);
        assert_int_equal(convert(d, path, "cvat", NULL, lost), TN_OK);
        assert_string_equal(lost, "");
        same_file(folder, "annotations.xml", path, "annotations.xml");
        tn_dataset_close(d);
    }
}

static void one_file_keeps_subsets(void **state)
{
    (void)state;
    char lost[400];
    tn_dataset *d = open_as(NULL, GOLDEN "cvat");
    tmp_path(path, dir, "all.xml");
    assert_int_equal(convert(d, path, "cvat", NULL, lost), TN_OK);
    assert_string_equal(lost, "");
    tn_dataset *back = open_as(NULL, path);
    assert_int_equal(info_of(back).n_splits, 2);
    assert_string_equal(image_of(back, 2).name, "a b.jpg");
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void files_of_subsets(void **state)
{
    (void)state;
    put("train.xml", HEAD IMAGE BOX TAIL);
    put("val.xml", HEAD IMAGE BOX BOX TAIL);
    put("other.xml", "<annotation/>");
    put("images/train/a.jpg", "");
    put("images/a.jpg", "");
    tn_dataset *d = open_as("cvat", dir);
    assert_int_equal(info_of(d).n_images, 2);
    assert_int_equal(info_of(d).n_splits, 2);
    assert_int_equal(noted(d, "other-xml"), 1);
    assert_non_null(strstr(image_of(d, 0).file, "images/train/a.jpg"));
    assert_non_null(strstr(image_of(d, 1).file, "images/a.jpg"));
    tn_dataset_close(d);
}

static void splits_make_a_project(void **state)
{
    (void)state;
    put("train.xml",
        HEAD "<meta><task><id>5</id></task></meta>" IMAGE BOX TAIL);
    tn_dataset *d = open_as(NULL, dir);
    char lost[400];
    tmp_path(path, dir, "out");
    assert_int_equal(convert(d, path, "cvat", "all", lost), TN_OK);
    assert_string_equal(lost, "dataset-fields");
    size_t n = 0;
    char *text = bytes_of(path, "annotations.xml", &n);
    assert_non_null(strstr(text, "<project>\n      <tasks>\n        <task>\n"
                                 "          <id>5</id>\n"
                                 "          <subset>train</subset>"));
    free(text);
    tn_dataset_close(d);
}

static void labels_nobody_declared(void **state)
{
    (void)state;
    tn_dataset *d = open_shapes(
        BOX "<skeleton label=\"s\"><points label=\"p\" points=\"1,2\"/>"
            "<points label=\"q\" points=\"3,4\"><attribute name=\"a\">1"
            "</attribute></points></skeleton>"
            "<skeleton label=\"s\"><points label=\"q\" points=\"5,6\"/>"
            "</skeleton>");
    tn_shape s = TN_SHAPE_INIT;
    assert_int_equal(info_of(d).n_classes, 2);
    assert_string_equal(tn_dataset_keypoint_name(d, 1, 1), "q");
    assert_int_equal(tn_dataset_keypoints(d, 2, &s, &err), TN_OK);
    assert_true(s.n_points == 2 && s.visible[0] == 0 && s.xy[2] == 5);
    tn_shape_fini(&s);
    tmp_path(path, dir, "out.xml");
    must_convert(d, path, "cvat", NULL);
    tn_dataset *back = open_as(NULL, path);
    assert_int_equal(info_of(back).n_classes, 2);
    assert_true(tn_dataset_text(back, 1, TN_TEXT_EXTRA, 0).size > 0);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void boxes_beside_shapes(void **state)
{
    (void)state;
    tn_dataset *d = open_text(
        "coco", "x.json",
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 20, "
        "\"height\": 10}], \"categories\": [{\"id\": 0, \"name\": \"c\", "
        "\"keypoints\": [\"p\"]}], \"annotations\": [{\"id\": 1, \"image_id\": "
        "1, \"category_id\": 0, \"bbox\": [1, 1, 9, 8], \"segmentation\": [[2, "
        "2, 8, 2, 8, 8]]}, {\"id\": 2, \"image_id\": 1, \"category_id\": 0, "
        "\"bbox\": [1, 2, 3, 4], \"keypoints\": [2, 3, 1], \"num_keypoints\": "
        "1}]}");
    assert_non_null(d);
    tmp_path(path, dir, "out");
    must_convert(d, path, "cvat",
                 "annotation-ids,unlabelled-images,dataset-fields,"
                 "keypoint-names,unknown-fields");
    size_t n = 0;
    char *text = bytes_of(path, "annotations.xml", &n);
    assert_non_null(strstr(text, "points=\"2,2;8,2;8,8\" xtl=\"1\" ytl=\"1\" "
                                 "xbr=\"10\" ybr=\"9\""));
    assert_non_null(strstr(text, "<skeleton label=\"c\""));
    free(text);
    tn_dataset_close(d);
}

static void attribute_types_are_inferred(void **state)
{
    (void)state;
    char lost[400];
    static const char form[] =
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}], \"categories\": "
        "[{\"id\": 0, \"name\": \"c\"}], \"annotations\": [{\"id\": 1, "
        "\"image_id\": 1, \"category_id\": 0, \"bbox\": [1, 1, 9, 8], "
        "\"attributes\": {\"b\": true, \"n\": 2.5, \"s\": \"5\"}}, {\"id\": 2, "
        "\"image_id\": 1, \"category_id\": 0, \"bbox\": [1, 1, 9, 8], "
        "\"attributes\": {\"b\": false, \"n\": %s}}]}";
    for (int i = 0; i < 2; i++) {
        char text[800];
        (void)snprintf(text, sizeof text, form, i == 0 ? "7" : "\"x\"");
        tn_dataset *d = open_text("coco", "x.json", text);
        assert_non_null(d);
        tmp_path(path, dir, i == 0 ? "one" : "two");
        assert_int_equal(convert(d, path, "cvat", "all", lost), TN_OK);
        assert_true((strstr(lost, "attributes") != NULL) == (i == 1));
        tn_dataset *back = open_as("cvat", path);
        assert_text(attributes_of(back, 0),
                    "{\"b\": true, \"n\": 2.5, \"s\": \"5\"}");
        tn_dataset_close(back);
        tn_dataset_close(d);
    }
}

/* --- videos ---------------------------------------------------------------------- */

static void reads_video(void **state)
{
    (void)state;
    tn_shape s = TN_SHAPE_INIT;
    tn_dataset *d = open_as(NULL, GOLDEN "cvat_video");
    assert_string_equal(info_of(d).variant, "video");
    assert_int_equal(info_of(d).n_images, 3);
    assert_int_equal(info_of(d).n_annotations, 6);
    assert_string_equal(image_of(d, 0).name, "frame_000010.png");
    assert_int_equal(image_of(d, 0).id.number, 10);
    assert_int_equal(image_of(d, 0).width, 25);
    assert_true(num(d, 0, TN_NUM_TRACK) == 0 && num(d, 3, TN_NUM_TRACK) == 7);
    assert_true(num(d, 0, TN_NUM_GROUP) == 3);
    /* As they are written: nothing between keyframes is made up. */
    assert_box(d, 1, 5, 5, 12, 6.5);
    assert_text(tn_dataset_text(d, 1, TN_TEXT_EXTRA, 0), "\"keyframe\": \"0\"");
    assert_int_equal(ann_of(d, 2).flags & TN_IS_NEGATIVE, TN_IS_NEGATIVE);
    assert_text(attributes_of(d, 0), "{\"lights\": \"on\"}");
    assert_text(tn_dataset_text(d, 3, TN_TEXT_EXTRA, 0),
                "\"source\": \"auto\"");
    assert_int_equal(tn_dataset_keypoints(d, 5, &s, &err), TN_OK);
    assert_true(s.visible[0] == 0 && s.visible[1] == 2 && s.xy[3] == 4.5);
    assert_int_equal(tn_dataset_keypoints(d, 4, &s, &err), TN_OK);
    assert_int_equal(s.visible[1], 1);
    tn_shape_fini(&s);
    tn_dataset_close(d);
}

static void frames_have_the_names_of_files(void **state)
{
    (void)state;
    put("annotations.xml",
        HEAD "<track id=\"1\" label=\"c\"><box frame=\"1\" xtl=\"1\" "
             "ytl=\"2\" xbr=\"3\" ybr=\"4\"/></track></annotations>");
    put("images/frame_000001.JPG", "");
    put("images/frame_000002.jpg", "");
    put("images/readme.png", "");
    tn_dataset *d = open_as(NULL, dir);
    assert_int_equal(info_of(d).n_images, 2);
    assert_string_equal(image_of(d, 0).name, "frame_000001.JPG");
    assert_non_null(image_of(d, 0).file);
    assert_int_equal(image_of(d, 1).state, TN_STATE_UNKNOWN);
    tmp_path(path, dir, "out");
    must_convert(d, path, "cvat", NULL);
    tn_dataset *back = open_as(NULL, path);
    assert_string_equal(image_of(back, 0).name, "frame_000001.JPG");
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void outside_is_no_object_elsewhere(void **state)
{
    (void)state;
    char lost[400];
    tn_dataset *d = open_as(NULL, GOLDEN "cvat_video");
    tmp_path(path, dir, "c");
    assert_int_equal(convert(d, path, "coco", "all", lost), TN_OK);
    assert_non_null(strstr(lost, "negative-tags"));
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    tn_dataset *back = NULL;
    o.format = "coco";
    o.flags = TN_DATASET_NO_RESIDUE;
    assert_int_equal(tn_dataset_open(&back, path, &o, &err), TN_OK);
    assert_int_equal(info_of(back).n_annotations, 5);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void not_every_track_is_a_video(void **state)
{
    (void)state;
    put("m/gt/gt.txt", "1,1,10,20,5,6,1,1,1\n2,1,11,20,5,6,1,1,1\n");
    put("m/seqinfo.ini", "[Sequence]\nname=m\nimDir=img1\nseqLength=2\n"
                         "imWidth=100\nimHeight=80\nimExt=.jpg\n");
    tmp_path(path, dir, "m");
    tn_dataset *d = open_as("mot", path);
    char lost[400];
    tmp_path(path, dir, "out");
    assert_int_equal(convert(d, path, "cvat", "all", lost), TN_OK);
    assert_non_null(strstr(lost, "tracks"));
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_conversion *c = NULL;
    o.format = "cvat";
    o.variant = "video";
    o.allow_loss = "all";
    tmp_path(path, dir, "out2");
    assert_int_equal(tn_dataset_convert(&c, d, path, &o, &err),
                     TN_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "cannot be a frame of a video"));
    tn_conversion_free(c);
    tn_dataset_close(d);
}

/* --- what cannot be ----------------------------------------------------------------- */

#define SHAPE(text) HEAD IMAGE "\n" text TAIL
#define MASK(rle, left, top, w, h)                                             \
    SHAPE("<mask label=\"c\" rle=\"" rle "\" left=\"" left "\" top=\"" top     \
          "\" width=\"" w "\" height=\"" h "\"/>")
#define TRACK(inner)                                                           \
    HEAD "<track id=\"1\" label=\"c\">" inner "</track></annotations>"

static const struct {
    const char *text, *says;
} broken[] = {
    {"<annotation/>", "expected <annotations>"},
    {HEAD "<image id=\"0\"/></annotations>", "<image> has no attribute"},
    {HEAD "<image name=\"a\" width=\"-1\"/></annotations>",
     "width is no whole number"},
    {HEAD "<image name=\"a\" width=\"x\"/></annotations>",
     "width is 'x', expected a finite number"},
    {SHAPE("<box xtl=\"1\" ytl=\"1\" xbr=\"1\" ybr=\"1\"/>"),
     "line 2: <box> has no attribute 'label'"},
    {SHAPE("<box label=\"c\" xtl=\"1\"/>"), "<box> has no attribute 'ytl'"},
    {SHAPE("<box label=\"c\" xtl=\"nan\"/>"), "xtl is 'nan'"},
    {SHAPE("<box label=\"c\" xtl=\"1e400\"/>"), "xtl is '1e400'"},
    {SHAPE("<tag label=\"c\" occluded=\"maybe\"/>"),
     "occluded is 'maybe', expected 0 or 1"},
    {SHAPE("<polygon label=\"c\"/>"), "<polygon> has no attribute 'points'"},
    {SHAPE("<polygon label=\"c\" points=\"\"/>"), "<polygon> has no points"},
    {SHAPE("<polygon label=\"c\" points=\"1,2;3\"/>"), "a point is '3'"},
    {SHAPE("<polyline label=\"c\" points=\"1,2,3\"/>"),
     "a point is '1,2,3', expected two finite numbers"},
    {SHAPE("<cuboid label=\"c\" xtl1=\"1\"/>"), "no attribute 'ytl1'"},
    {SHAPE("<ellipse label=\"c\" cx=\"1\"/>"), "no attribute 'cy'"},
    {MASK("1, 2, 2, 1", "3", "4", "3", "1"), "a run of the mask is '2'"},
    {MASK("1, 2", "3", "4", "3", "2"), "the runs of a mask have 3 pixels"},
    {MASK("1, x", "3", "4", "3", "2"), "a run of the mask is 'x'"},
    {MASK("0, 6", "8", "4", "3", "2"), "leaves its image of 10 x 8"},
    {MASK("0, 6", "1.5", "4", "3", "2"), "left is no whole number"},
    {MASK("0", "1", "4", "0", "2"), "a mask of 0 x 2 pixels"},
    {SHAPE("<mask label=\"c\" left=\"1\" top=\"1\" width=\"1\" "
           "height=\"1\"/>"),
     "<mask> has no attribute 'rle'"},
    {HEAD "<image name=\"a\"><mask label=\"c\" rle=\"0, 1\" left=\"1\" "
          "top=\"1\" width=\"1\" height=\"1\"/></image></annotations>",
     "the image has no width and height"},
    {SHAPE("<skeleton label=\"\"><points label=\"a\" points=\"1,2\"/>"
           "</skeleton>"),
     "a skeleton has no label"},
    {SHAPE("<skeleton label=\"c\"><points points=\"1,2\"/></skeleton>"),
     "<points> has no attribute 'label'"},
    {SHAPE("<skeleton label=\"c\"><points label=\"a\"/></skeleton>"),
     "a point of a skeleton has no 'points'"},
    {SHAPE("<skeleton label=\"c\"><points label=\"a\" points=\"1,2;3,4\"/>"
           "</skeleton>"),
     "has 2 points, expected 1"},
    {SHAPE("<skeleton label=\"c\"><points label=\"a\" points=\"1,2\"/>"
           "</skeleton><skeleton label=\"c\"><points label=\"b\" "
           "points=\"1,2\"/></skeleton>"),
     "'b' is none of the points of the skeleton 'c'"},
    {SHAPE("<tag label=\"c\"><attribute>x</attribute></tag>"),
     "an <attribute> has no name"},
    {SHAPE("<tag label=\"c\"><attribute name=\"a\"><b/></attribute></tag>"),
     "an <attribute> has elements in it"},
    {HEAD "<track label=\"c\"></track></annotations>",
     "<track> has no attribute 'id'"},
    {HEAD "<track id=\"x\" label=\"c\"></track></annotations>",
     "id is 'x', expected a whole number"},
    {HEAD "<track id=\"1\"></track></annotations>",
     "<track> has no attribute 'label'"},
    {TRACK(BOX), "<box> in a track has no attribute 'frame'"},
    {TRACK("<box frame=\"x\"/>"), "frame is 'x'"},
    {TRACK("<box frame=\"-1\"/>"), "frame -1, expected 0 to 100,000,000"},
    {TRACK("<image/>"), "<image> in a track, expected a shape"},
    {HEAD "<meta><task><labels><label/></labels></task></meta>"
          "</annotations>",
     "a <label> has no <name>"},
    {HEAD "<meta><task><original_size><width>x</width></original_size>"
          "</task></meta></annotations>",
     "<width> is 'x'"},
    {"<!DOCTYPE a [<!ENTITY x \"y\">]><annotations/>", "declares an entity"},
    {HEAD IMAGE, "no element found"},
};

static void refuses_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        refused("cvat", "x.xml", broken[i].text, broken[i].says);
}

static void refuses_folders_and_names(void **state)
{
    (void)state;
    put("f/a.xml", "<annotation/>");
    tmp_path(path, dir, "f");
    assert_null(try_open("cvat", path));
    assert_non_null(strstr(err.message, "the folder has no file of CVAT"));
    put("c/annotations/instances_default.json",
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}], "
        "\"categories\": [], \"annotations\": []}");
    tmp_path(path, dir, "c");
    tn_dataset *d = open_as("coco", path);
    tmp_path(path, dir, "out");
    assert_int_equal(convert(d, path, "cvat", "all", NULL), TN_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "'default' is taken for none"));
    tn_dataset_close(d);
}

static void classes_that_are_not_written(void **state)
{
    (void)state;
    static const struct {
        const char *cls, *says;
    } cases[] = {
        {"\"name\": \"\"", "a class without a name"},
        {"\"name\": \"c\", \"keypoints\": [\"a\", \"a\"]", "two have one name"},
    };
    for (size_t i = 0; i < 2; i++) {
        char text[600];
        (void)snprintf(text, sizeof text,
                       "{\"images\": [{\"id\": 1, \"file_name\": "
                       "\"a.jpg\"}], \"categories\": [{\"id\": 0, %s}], "
                       "\"annotations\": [{\"id\": 1, \"image_id\": 1, "
                       "\"category_id\": 0, \"bbox\": [1, 2, 3, 4]}]}",
                       cases[i].cls);
        tn_dataset *d = open_text("coco", "x.json", text);
        assert_non_null(d);
        tmp_path(path, dir, "out");
        assert_int_equal(convert(d, path, "cvat", "all", NULL),
                         TN_EUNSUPPORTED);
        assert_non_null(strstr(err.message, cases[i].says));
        tn_dataset_close(d);
    }
}

static void names_that_leave_the_folder(void **state)
{
    (void)state;
    tn_dataset *d = open_text(
        "cvat", "x.xml",
        HEAD "<image id=\"0\" name=\"../../etc/passwd\"/></annotations>");
    assert_non_null(d);
    assert_null(image_of(d, 0).file);
    tn_dataset_close(d);
}

/* --- round trips ----------------------------------------------------------------------- */

static void coco_comes_back(void **state)
{
    (void)state;
    put("c/annotations/instances_train.json",
        "{\"info\": {\"year\": 2020}, \"images\": [{\"id\": 7, \"file_name\": "
        "\"x/a.jpg\", \"width\": 20, \"height\": 10, \"license\": 3}], "
        "\"categories\": [{\"id\": 3, \"name\": \"c\", \"supercategory\": "
        "\"s\"}], \"annotations\": [{\"id\": 9, \"image_id\": 7, "
        "\"category_id\": 3, \"iscrowd\": 0, \"area\": 12.5, \"bbox\": [1, 2, "
        "3, 4], \"segmentation\": [[1, 2, 4, 2, 4, 6], [8, 8, 9, 8, 9, 9]], "
        "\"attributes\": {\"occluded\": true, \"n\": \"5\"}, \"odd key\": "
        "{\"a\": [1]}, \"plain\": \"t\"}]}");
    tmp_path(path, dir, "c");
    tn_dataset *d = open_as("coco", path);
    tmp_path(path, dir, "v");
    must_convert(d, path, "cvat", "all");
    tn_dataset *v = open_as(NULL, path);
    assert_string_equal(info_of(v).format, "cvat");
    tmp_path(path, dir, "c2");
    must_convert(v, path, "coco", "all");
    tmp_path(path, dir, "c1");
    must_convert(d, path, "coco", NULL);
    char again[TMP_PATH];
    tmp_path(again, dir, "c2");
    same_file(path, "annotations/instances_train.json", again,
              "annotations/instances_train.json");
    tn_dataset_close(v);
    tn_dataset_close(d);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    survives_oom(GOLDEN "cvat", "cvat");
    survives_oom(GOLDEN "cvat_video", "cvat");
}

static void shared_fixtures(void **state)
{
    (void)state;
#define NEW "datumaro-assets/cvat_dataset/"
#define OLD "datumaro-assets-cvat/cvat_dataset/"
    static const struct {
        const char *name, *variant;
        size_t images, annotations, classes, splits;
    } rows[] = {
        {NEW "for_images/export_project", "images", 6, 12, 2, 3},
        {NEW "for_images/export_task", "images", 2, 4, 2, 1},
        {NEW "for_video", "video", 3, 7, 3, 0},
        {OLD "for_images", "images", 2, 6, 3, 1},
        {OLD "for_video", "video", 3, 10, 4, 0},
        {"panlabel-fixtures/sample_valid.cvat.xml", "images", 3, 2, 2, 0},
        {"panlabel-fixtures/sample_no_meta.cvat.xml", "images", 2, 2, 2, 0},
        {"panlabel-fixtures/sample_with_meta.cvat.xml", "images", 1, 1, 2, 0},
    };
    int found = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char file[1024];
        if (!shared(file, rows[i].name)) continue;
        found++;
        tn_dataset *d = open_as(NULL, file);
        assert_string_equal(info_of(d).format, "cvat");
        assert_string_equal(info_of(d).variant, rows[i].variant);
        if (info_of(d).n_images != rows[i].images ||
            info_of(d).n_annotations != rows[i].annotations ||
            info_of(d).n_classes != rows[i].classes ||
            info_of(d).n_splits != rows[i].splits)
            fail_msg("%s: %zu images, %zu annotations, %zu classes, %zu splits",
                     rows[i].name, info_of(d).n_images,
                     info_of(d).n_annotations, info_of(d).n_classes,
                     info_of(d).n_splits);
        tmp_path(path, dir, "out");
        must_convert(d, path, "cvat",
                     rows[i].splits == 1 ? "dataset-fields" : NULL);
        tmp_remove(path);
        tn_dataset_close(d);
    }
    if (found == 0) skip();
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* YOLO may have points that nobody names. */
static void points_without_names_are_numbered(void **state)
{
    (void)state;
    char from[TMP_PATH], to[TMP_PATH];
    size_t n = 0;
    put("p/data.yaml", "train: images/train\nval: images/train\nkpt_shape: "
                       "[2, 3]\nnames: [cat]\n");
    put("p/labels/train/a.txt", "0 0.5 0.5 0.5 0.5 0.25 0.25 2 0.75 0.75 1\n");
    put("p/images/train/a.bmp", "");
    char *image = bytes_of(TEST_FIXTURES "/images", "rgb24.bmp", &n);
    tmp_write(dir, "p/images/train/a.bmp", image, n);
    free(image);
    tmp_path(from, dir, "p");
    tn_dataset *d = open_as("yolo", from);
    tmp_path(to, dir, "out");
    must_convert(d, to, "cvat", "all");
    tn_dataset_close(d);
    d = open_as("cvat", to);
    assert_int_equal(info_of(d).n_annotations, 1);
    assert_true((ann_of(d, 0).flags & TN_HAS_KEYPOINTS) != 0);
    tn_dataset_close(d);
    char *text = bytes_of(to, "annotations.xml", &n);
    assert_non_null(strstr(text, "<points label=\"2\""));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_golden),
        IN_FOLDER(attributes_have_the_types_of_labels),
        IN_FOLDER(attributes_of_version_1_0),
        IN_FOLDER(writes_golden),
        IN_FOLDER(one_file_keeps_subsets),
        IN_FOLDER(files_of_subsets),
        IN_FOLDER(splits_make_a_project),
        IN_FOLDER(labels_nobody_declared),
        IN_FOLDER(boxes_beside_shapes),
        IN_FOLDER(attribute_types_are_inferred),
        cmocka_unit_test(reads_video),
        IN_FOLDER(frames_have_the_names_of_files),
        IN_FOLDER(outside_is_no_object_elsewhere),
        IN_FOLDER(not_every_track_is_a_video),
        IN_FOLDER(refuses_broken),
        IN_FOLDER(refuses_folders_and_names),
        IN_FOLDER(classes_that_are_not_written),
        IN_FOLDER(names_that_leave_the_folder),
        IN_FOLDER(points_without_names_are_numbered),
        IN_FOLDER(coco_comes_back),
        cmocka_unit_test(survives_lack_of_memory),
        IN_FOLDER(shared_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

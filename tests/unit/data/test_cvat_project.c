/* SPDX-License-Identifier: Apache-2.0 */
/* test_cvat_project.c - CVAT videos: projects of several tasks, segments */
#define _XOPEN_SOURCE 700
#include "formats.h"

#define LABELS                                                                 \
    "<labels><label><name>a</name></label><label><name>b</name></label>"       \
    "</labels>"
#define VIDEO(id, subset, first, last, w, h)                                   \
    "<task><id>" #id "</id><name>v</name><size>4</size><mode>interpolation"    \
    "</mode><subset>" subset "</subset><start_frame>" #first "</start_frame>"  \
    "<stop_frame>" #last "</stop_frame><frame_filter>step=2</frame_filter>"    \
    "<segments><segment><id>1</id><start>0</start><stop>1</stop></segment>"    \
    "<segment><id>2</id><start>1</start><stop>3</stop></segment></segments>"   \
    "<original_size><width>" #w "</width><height>" #h "</height>"              \
    "</original_size></task>"
#define SHAPE(frame, outside)                                                  \
    "<box frame=\"" #frame "\" keyframe=\"1\" outside=\"" #outside             \
    "\" occluded=\"0\" xtl=\"1\" ytl=\"2\" xbr=\"3\" ybr=\"4\" "               \
    "z_order=\"0\"/>"
#define PROJECT(tasks)                                                         \
    "<annotations><version>1.1</version><meta><project><id>3</id><name>p"      \
    "</name><tasks>" tasks "</tasks>" LABELS "</project></meta>"
#define TRACKS(subset)                                                         \
    "<track id=\"0\" label=\"a\" source=\"manual\" task_id=\"5\" "             \
    "subset=\"default\">" SHAPE(10, 0)                                         \
        SHAPE(12, 1) "</track><track id=\"1\" label=\"b\" source=\"manual\" "  \
                     "task_id=\"6\" "                                          \
                     "subset=\"" subset "\">" SHAPE(10, 0)                     \
                         SHAPE(14, 0) "</track></annotations>"

static size_t image_named(const tn_dataset *d, const char *name)
{
    for (size_t i = 0; i < info_of(d).n_images; i++)
        if (strcmp(image_of(d, i).name, name) == 0) return i;
    fail_msg("no image %s", name);
    return 0;
}

/* Frames count through the video of their task, whatever its segments; those of
 * two tasks are not the same. */
static void a_project_of_videos(void **state)
{
    (void)state;
    char to[TMP_PATH], lost[400];
    double track = 0.0;
    tn_dataset *d = open_text(NULL, "x.xml",
                              PROJECT(VIDEO(5, "", 10, 16, 40, 30) VIDEO(
                                  6, "", 10, 16, 64, 48)) TRACKS("default"));
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_string_equal(info_of(d).variant, "video");
    assert_int_equal(info_of(d).n_images, 4);
    assert_int_equal(info_of(d).n_splits, 0);
    const size_t one = image_named(d, "task_5/frame_000010.png");
    const size_t other = image_named(d, "task_6/frame_000010.png");
    assert_int_equal(image_of(d, one).width, 40);
    assert_int_equal(image_of(d, other).width, 64);
    assert_int_equal(image_of(d, other).height, 48);
    assert_int_equal(image_of(d, other).id.number, 10);
    assert_int_equal(ann_of(d, 0).image, one);
    assert_int_equal(ann_of(d, 1).flags & TN_IS_NEGATIVE, TN_IS_NEGATIVE);
    assert_int_equal(ann_of(d, 2).image, other);
    assert_true(tn_dataset_num(d, 3, TN_NUM_TRACK, &track) && track == 1.0);
    /* No video has two videos in it: images, the tracks in the residue. */
    tmp_path(to, dir, "out");
    assert_int_equal(convert(d, to, "cvat", NULL, lost), TN_EUNSUPPORTED);
    assert_string_equal(lost, "negative-tags,tracks");
    must_convert(d, to, "cvat", "all");
    tn_dataset_close(d);
    d = open_as(NULL, to);
    assert_int_equal(info_of(d).n_images, 4);
    assert_int_equal(info_of(d).n_annotations, 4);
    assert_true(tn_dataset_num(d, 2, TN_NUM_TRACK, &track) && track == 1.0);
    tn_dataset_close(d);
}

/* A task for each subset: the subset tells frames apart, and their files. */
static void a_project_of_subsets(void **state)
{
    (void)state;
    put("p/annotations.xml",
        PROJECT(VIDEO(5, "", 10, 16, 40, 30) VIDEO(6, "Val", 10, 16, 64, 48))
            TRACKS("Val"));
    put("p/images/default/frame_000010.PNG", "");
    put("p/images/Val/frame_000010.PNG", "");
    put("p/images/Val/frame_000012.PNG", "");
    put("p/images/other/frame_000012.PNG", "");
    tmp_path(path, dir, "p");
    tn_dataset *d = open_as(NULL, path);
    assert_int_equal(info_of(d).n_images, 5);
    assert_int_equal(info_of(d).n_splits, 1);
    assert_string_equal(tn_dataset_split(d, 0), "Val");
    assert_string_equal(image_of(d, 0).name, "frame_000010.PNG");
    assert_non_null(strstr(image_of(d, 0).file, "images/default/"));
    assert_int_equal(image_of(d, 0).width, 40);
    const uint32_t other = ann_of(d, 2).image;
    assert_int_equal(image_of(d, other).splits, 1);
    assert_int_equal(image_of(d, other).width, 64);
    assert_non_null(strstr(image_of(d, other).file, "images/Val/"));
    assert_int_equal(image_of(d, 4).splits, 1);
    assert_int_equal(image_of(d, 4).state, TN_STATE_UNKNOWN);
    tn_dataset_close(d);
}

/* Nothing says of which task the file of a frame is. */
static void files_of_several_tasks(void **state)
{
    (void)state;
    put("p/annotations.xml",
        PROJECT(VIDEO(5, "", 10, 16, 40, 30) VIDEO(6, "", 10, 16, 64, 48))
            TRACKS("default"));
    put("p/images/frame_000010.PNG", "");
    tmp_path(path, dir, "p");
    tn_dataset *d = open_as(NULL, path);
    assert_int_equal(info_of(d).n_images, 4);
    assert_null(image_of(d, 0).file);
    assert_int_equal(noted(d, "frame-of-tasks"), 1);
    tn_dataset_close(d);
}

/* Tracks name their tasks where no <meta> does. */
static void tasks_without_meta(void **state)
{
    (void)state;
    tn_dataset *d =
        open_text("cvat", "x.xml", "<annotations>" TRACKS("default"));
    assert_non_null(d);
    assert_int_equal(info_of(d).n_images, 4);
    (void)image_named(d, "task_6/frame_000014.png");
    tn_dataset_close(d);
}

/* A project of one task is that task; so is the export of a task. */
static void one_task_has_plain_frames(void **state)
{
    (void)state;
    static const char *const texts[] = {
        PROJECT(VIDEO(5, "", 10, 16, 40,
                      30)) "<track id=\"0\" label=\"a\" "
                           "task_id=\"5\" subset=\"default\">" SHAPE(
                               10, 0) "</track>"
                                      "</annotations>",
        "<annotations><meta>" VIDEO(5, "", 10, 16, 40,
                                    30) "</meta><track "
                                        "id=\"0\" label=\"a\">" SHAPE(
                                            10, 0) "</track></annotations>",
        "<annotations><meta>" VIDEO(5, "Val", 10, 16, 40,
                                    30) "</meta><track "
                                        "id=\"0\" label=\"a\">" SHAPE(
                                            10, 0) "</track></annotations>"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        tn_dataset *d = open_text("cvat", "x.xml", texts[i]);
        if (d == NULL) fail_msg("%s: %s", err.where, err.message);
        assert_int_equal(info_of(d).n_images, 1);
        assert_string_equal(image_of(d, 0).name, "frame_000010.png");
        assert_int_equal(image_of(d, 0).width, 40);
        tn_dataset_close(d);
    }
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_project_of_videos),       IN_FOLDER(a_project_of_subsets),
        IN_FOLDER(files_of_several_tasks),    IN_FOLDER(tasks_without_meta),
        IN_FOLDER(one_task_has_plain_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

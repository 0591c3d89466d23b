/* SPDX-License-Identifier: Apache-2.0 */
/* test_repository.c - layouts, versions, loading and unloading by request */
#define _XOPEN_SOURCE 700
#include "harness/tmp.h"
#include "serve/models.h"
#include "sys/dir.h"
#include "sys/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static tn_err err;

static void put(const char *dir, const char *name, const char *example)
{
    char from[TMP_PATH], to[TMP_PATH];
    (void)snprintf(from, sizeof from, "%s/%s/model.onnx", TEST_EXAMPLES,
                   example);
    tmp_path(to, dir, name);
    assert_int_equal(tni_dir_make_for(to, &err), TN_OK);
    assert_int_equal(tni_file_copy(from, to, &err), TN_OK);
}

static tn_status open_dir(tni_repository **r, const char *dir,
                          tni_reload reload)
{
    const char *paths[1] = {dir};
    tni_repository_opts o;
    memset(&o, 0, sizeof o);
    o.paths = paths;
    o.n_paths = 1;
    o.reload = reload;
    o.n_threads = 2;
    o.default_max_batch = 4;
    return tni_repository_open(r, &o, &err);
}

static tn_status state_of(tni_repository *r, const char *name,
                          const char *version)
{
    tni_served *m =
        tni_repository_get(r, tni_span_of(name), tni_span_of(version), &err);
    if (m == NULL) return err.code;
    tni_served_release(m);
    return TN_OK;
}

static void layouts_are_found(void **state)
{
    (void)state;
    char dir[TMP_PATH];
    tni_repository *r = NULL;
    tmp_new(dir);
    put(dir, "a.onnx", "digits-pytorch");
    put(dir, "b/model.onnx", "digits-keras");
    put(dir, "c/1/model.onnx", "digits-pytorch");
    put(dir, "c/3/model.onnx", "digits-keras");
    put(dir, "c/07/model.onnx", "digits-keras");
    put(dir, ".hidden/model.onnx", "digits-keras");
    tmp_write(dir, "broken.onnx", "not a model", 11);
    assert_int_equal(open_dir(&r, dir, TNI_RELOAD_NONE), TN_OK);
    assert_int_equal(tni_repository_wait(r, &err), TN_OK);
    assert_true(tni_repository_ready(r));
    assert_int_equal(state_of(r, "a", "1"), TN_OK);
    assert_int_equal(state_of(r, "b", ""), TN_OK);
    assert_int_equal(state_of(r, "c", "3"), TN_OK);
    assert_int_equal(state_of(r, "c", "1"), TN_ENOTFOUND);
    assert_int_equal(state_of(r, "broken", ""), TN_EBUSY);
    assert_int_equal(state_of(r, ".hidden", ""), TN_ENOTFOUND);
    assert_int_equal(state_of(r, "nobody", ""), TN_ENOTFOUND);
    tni_mem mem;
    tni_arena arena;
    tni_index_entry *list = NULL;
    size_t n = 0;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 1024);
    assert_int_equal(tni_repository_index(r, false, &list, &n, &arena, &err),
                     TN_OK);
    assert_int_equal(n, 4);
    assert_string_equal(list[1].name, "b");
    assert_string_equal(list[2].name, "broken");
    assert_int_equal(list[2].state, TNI_MODEL_UNAVAILABLE);
    assert_true(list[2].reason[0] != '\0');
    assert_int_equal(tni_repository_index(r, true, &list, &n, &arena, &err),
                     TN_OK);
    assert_int_equal(n, 3);
    tni_arena_fini(&arena);
    tni_repository_close(r, 0);
    tmp_remove(dir);
}

static void links_stay_inside(void **state)
{
    (void)state;
    char dir[TMP_PATH], other[TMP_PATH], from[TMP_PATH], to[TMP_PATH];
    tni_repository *r = NULL;
    tmp_new(dir);
    tmp_new(other);
    put(other, "x.onnx", "digits-pytorch");
    put(dir, "a.onnx", "digits-pytorch");
    tmp_path(from, other, "x.onnx");
    tmp_path(to, dir, "out.onnx");
    assert_int_equal(symlink(from, to), 0);
    tmp_path(to, dir, "in.onnx");
    assert_int_equal(symlink("a.onnx", to), 0);
    assert_int_equal(open_dir(&r, dir, TNI_RELOAD_NONE), TN_OK);
    assert_int_equal(tni_repository_wait(r, &err), TN_OK);
    assert_int_equal(state_of(r, "in", ""), TN_OK);
    assert_int_equal(state_of(r, "out", ""), TN_EBUSY);
    assert_non_null(strstr(err.message, "leads out of the repository"));
    tni_repository_close(r, 0);
    tmp_remove(dir);
    tmp_remove(other);
}

/* Triton's layout, and what its configuration says. */
static void config_is_followed(void **state)
{
    (void)state;
    static const char config[] =
        "name: \"m\"\nmax_batch_size: 3\n"
        "output { name: \"probability\" data_type: TYPE_FP32 dims: 10\n"
        "  label_filename: \"labels.txt\" }\n"
        "version_policy { all { } }\ndefault_model_filename: \"net.onnx\"\n";
    static const char labels[] = "zero\r\none\n\nthree";
    static const char wrong[] = "\n input { nome: \"x\" }";
    char dir[TMP_PATH];
    tni_repository *r = NULL;
    tmp_new(dir);
    put(dir, "m/1/net.onnx", "digits-pytorch");
    put(dir, "m/2/net.onnx", "digits-pytorch");
    tmp_write(dir, "m/config.pbtxt", config, sizeof config - 1);
    tmp_write(dir, "m/labels.txt", labels, sizeof labels - 1);
    put(dir, "w/1/model.onnx", "digits-pytorch");
    tmp_write(dir, "w/config.pbtxt", wrong, sizeof wrong - 1);
    put(dir, "n/1/model.onnx", "digits-pytorch");
    tmp_write(dir, "n/config.pbtxt", "name: \"x\"", 9);
    assert_int_equal(open_dir(&r, dir, TNI_RELOAD_NONE), TN_OK);
    assert_int_equal(tni_repository_wait(r, &err), TN_OK);
    assert_int_equal(state_of(r, "m", "1"), TN_OK);
    tni_served *m =
        tni_repository_get(r, tni_span_of("m"), tni_span_of("2"), &err);
    assert_non_null(m);
    assert_int_equal(m->max_batch_size, 3);
    const tni_port *port = &m->outputs[1];
    assert_string_equal(port->name, "probability");
    assert_int_equal(port->n_labels, 4);
    assert_string_equal(port->labels[0], "zero");
    assert_string_equal(port->labels[2], "");
    assert_string_equal(port->labels[3], "three");
    tni_served_release(m);
    assert_int_equal(state_of(r, "w", ""), TN_EBUSY);
    assert_non_null(strstr(err.message, "config.pbtxt line 2"));
    assert_non_null(strstr(err.message, "'nome' is no field"));
    assert_int_equal(state_of(r, "n", ""), TN_EBUSY);
    assert_non_null(strstr(err.message, "its name is 'x'"));
    tni_repository_close(r, 0);
    tmp_remove(dir);
}

typedef struct waiter {
    tni_load load;
    tni_monitor *lock;
    bool is_done;
} waiter;

static void load_done(tni_load *load)
{
    waiter *w = load->ctx;
    tni_monitor_lock(w->lock);
    w->is_done = true;
    tni_monitor_wake_all(w->lock);
    tni_monitor_unlock(w->lock);
}

static tn_status ask(tni_repository *r, const char *name, bool unload)
{
    waiter w;
    tni_mem mem;
    memset(&w, 0, sizeof w);
    tni_mem_init(&mem, NULL, 0);
    assert_int_equal(tni_monitor_new(&w.lock, &mem, &err), TN_OK);
    w.load.done = load_done;
    w.load.ctx = &w;
    const tni_span none = {NULL, 0};
    tn_status status =
        unload ? tni_repository_unload(r, tni_span_of(name), &w.load, &err)
               : tni_repository_load(r, tni_span_of(name), none, &w.load, &err);
    if (status == TN_OK) {
        tni_monitor_lock(w.lock);
        while (!w.is_done) tni_monitor_wait(w.lock, 0);
        tni_monitor_unlock(w.lock);
        status = w.load.status;
    }
    tni_monitor_free(w.lock, &mem);
    return status;
}

static void loads_by_request(void **state)
{
    (void)state;
    char dir[TMP_PATH];
    tni_repository *r = NULL;
    tmp_new(dir);
    put(dir, "a.onnx", "digits-pytorch");
    assert_int_equal(open_dir(&r, dir, TNI_RELOAD_EXPLICIT), TN_OK);
    assert_int_equal(tni_repository_wait(r, &err), TN_OK);
    assert_int_equal(state_of(r, "a", ""), TN_EBUSY);
    assert_int_equal(ask(r, "a", false), TN_OK);
    assert_int_equal(state_of(r, "a", ""), TN_OK);
    assert_int_equal(ask(r, "../a", false), TN_EINVAL);
    assert_int_equal(ask(r, "none", false), TN_ENOTFOUND);
    /* One that fails leaves the one that serves. */
    tni_served *old =
        tni_repository_get(r, tni_span_of("a"), tni_span_of(""), &err);
    assert_non_null(old);
    tmp_write(dir, "a.onnx", "half of a mod", 13);
    assert_int_not_equal(ask(r, "a", false), TN_OK);
    assert_int_equal(state_of(r, "a", ""), TN_OK);
    /* A good one takes its place; who has the old one keeps it. */
    char path[TMP_PATH];
    tmp_path(path, dir, "a.onnx");
    assert_int_equal(unlink(path), 0);
    put(dir, "a.onnx", "digits-keras");
    assert_int_equal(ask(r, "a", false), TN_OK);
    tni_served *now =
        tni_repository_get(r, tni_span_of("a"), tni_span_of(""), &err);
    assert_non_null(now);
    assert_ptr_not_equal(now, old);
    assert_int_equal(ask(r, "a", true), TN_OK);
    assert_int_equal(state_of(r, "a", ""), TN_EBUSY);
    assert_true(old->n_inputs == 1 && now->n_inputs == 1);
    tni_served_release(old);
    tni_served_release(now);
    tni_repository_close(r, 0);
    tmp_remove(dir);
}

static void not_by_request_otherwise(void **state)
{
    (void)state;
    char dir[TMP_PATH];
    tni_repository *r = NULL;
    tmp_new(dir);
    assert_int_equal(open_dir(&r, dir, TNI_RELOAD_NONE), TN_ENOTFOUND);
    assert_null(r);
    put(dir, "a.onnx", "digits-pytorch");
    assert_int_equal(open_dir(&r, dir, TNI_RELOAD_NONE), TN_OK);
    assert_int_equal(ask(r, "a", true), TN_EUNSUPPORTED);
    tni_repository_close(r, 0);
    tmp_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_are_found),
        cmocka_unit_test(links_stay_inside),
        cmocka_unit_test(config_is_followed),
        cmocka_unit_test(loads_by_request),
        cmocka_unit_test(not_by_request_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_memory.c - how much of the machine's memory a session takes
 *
 * The test starts itself again for every model, so that the high-water mark is
 * that of opening and running alone.
 */
#define _XOPEN_SOURCE 700
#include "harness/pb.h"
#include "harness/tmp.h"
#include "tenon/tenon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||     \
    __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static const char *self;

/* kB of a line of /proc/self/status; 0 where there is no such thing. */
static uint64_t status_bytes(const char *key)
{
    char line[256];
    unsigned long long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtoull(line + strlen(key) + 1, NULL, 10);
    if (f != NULL) (void)fclose(f);
    return (uint64_t)kib << 10;
}

/* --- the model ----------------------------------------------------------- */

static void add_weights(pb *graph, const char *name, int rank,
                        const int64_t *dims, float base)
{
    pb t = {0};
    size_t len = 1;
    for (int i = 0; i < rank; i++) len *= (size_t)dims[i];
    float *w = malloc(len * sizeof *w);
    assert_non_null(w);
    for (size_t i = 0; i < len; i++)
        w[i] = base + (float)((i * 2654435761u) >> 20 & 63) * 1e-3f;
    pb_tensor(&t, name, TN_F32, rank, dims, w, len * sizeof *w);
    pb_message(graph, 5, &t);
    free(w);
}

/* Convolutions with a BatchNormalization each, a Gemm and a MatMul: 40 MB. The
 * note moves all weights by its length. */
static pb make_model(const char *note)
{
    const int64_t k[4] = {256, 256, 3, 3}, c[1] = {256}, g[2] = {8192, 256},
                  m[2] = {8192, 784}, in[4] = {-1, 256, 7, 7},
                  out[2] = {-1, 784};
    pb graph = {0}, model = {0}, attrs = {0};
    for (int i = 0; i < 2; i++) {
        char conv[64], norm[64], name[16];
        (void)snprintf(name, sizeof name, "k%d", i);
        add_weights(&graph, name, 4, k, -0.03f);
        (void)snprintf(conv, sizeof conv, "%s,k%d", i == 0 ? "x" : "n0", i);
        (void)snprintf(norm, sizeof norm, "c%d,s,s,s,s", i);
        (void)snprintf(name, sizeof name, "c%d", i);
        pb_attr_text(&attrs, "auto_pad", "SAME_UPPER");
        pb_node(&graph, 1, "", "Conv", name, conv, name, &attrs);
        (void)snprintf(name, sizeof name, "n%d", i);
        pb_node(&graph, 1, "", "BatchNormalization", name, norm, name, NULL);
    }
    add_weights(&graph, "s", 1, c, 1.0f);
    pb_node(&graph, 1, "", "GlobalAveragePool", "pool", "n1", "p", NULL);
    pb_node(&graph, 1, "", "Flatten", "flat", "p", "f", NULL);
    add_weights(&graph, "g", 2, g, -0.03f);
    pb_attr_int(&attrs, "transB", 1);
    pb_node(&graph, 1, "", "Gemm", "gemm", "f,g", "h", &attrs);
    add_weights(&graph, "mm", 2, m, -0.03f);
    pb_node(&graph, 1, "", "MatMul", "mul", "h,mm", "y", NULL);
    pb_value(&graph, 11, "x", TN_F32, 4, in);
    pb_value(&graph, 12, "y", TN_F32, 2, out);
    pb_text(&model, 6, note);
    pb_model(&model, &graph, 17);
    return model;
}

/* --- the child ------------------------------------------------------------ */

static int fails(const tn_err *err)
{
    (void)fprintf(stderr, "%s: %s\n", err->where, err->message);
    return 1;
}

static int run_once(tn_run *run, int64_t batch, tn_plan_info *info, tn_err *err)
{
    const int64_t dims[4] = {batch, 256, 7, 7};
    tn_tensor *x = NULL;
    if (tn_tensor_new(&x, TN_F32, 4, dims, NULL, err) != TN_OK ||
        tn_run_set_input(run, 0, x, err) != TN_OK ||
        tn_run_exec(run, err) != TN_OK)
        return fails(err);
    const int code = tn_run_plan_info(run, info) != TN_OK;
    tn_tensor_free(x);
    return code;
}

static int within(const char *what, uint64_t bytes, uint64_t weights,
                  const tn_plan_info *info)
{
    const uint64_t need = weights + info->peak_bytes;
    const uint64_t bound = need + need / 100 * 15 + (UINT64_C(4) << 20);
    if (bytes <= bound) return 0;
    (void)fprintf(stderr, "%s %llu, at most %llu\n", what,
                  (unsigned long long)bytes, (unsigned long long)bound);
    return 1;
}

static int child(const char *path)
{
    tn_err err;
    memset(&err, 0, sizeof err);
    tn_model *model = NULL;
    tn_session *session = NULL;
    tn_run *run = NULL;
    tn_model_info facts = TN_MODEL_INFO_INIT;
    tn_plan_info info = TN_PLAN_INFO_INIT;
    tn_session_opts opts = TN_SESSION_OPTS_INIT;
    opts.n_threads = 2;
    if (tn_model_open(&model, path, NULL, &err) != TN_OK ||
        tn_model_get_info(model, &facts) != TN_OK ||
        tn_session_new(&session, model, &opts, &err) != TN_OK ||
        tn_run_new(&run, session, &err) != TN_OK)
        return fails(&err);
    int code = run_once(run, 1, &info, &err);
    code |= within("first run: VmHWM", status_bytes("VmHWM"),
                   facts.weights_bytes, &info);
    code |= info.total_bytes < info.packed_bytes + info.peak_bytes;
    code |= info.packed_bytes + info.weights_bytes < facts.weights_bytes;
    /* Another plan packs nothing again. */
    code |= run_once(run, 3, &info, &err);
    code |= within("other shapes: VmHWM", status_bytes("VmHWM"),
                   facts.weights_bytes, &info);
    code |= within("at the end: VmRSS", status_bytes("VmRSS"),
                   facts.weights_bytes, &info);
    tn_run_free(run);
    tn_session_free(session);
    tn_model_close(model);
    return code;
}

/* -------------------------------------------------------------------------- */

static void holds_weights_once(void **state)
{
    (void)state;
    if (SANITIZED || status_bytes("VmHWM") == 0) skip();
    char dir[TMP_PATH], path[TMP_PATH];
    for (int shift = 0; shift < 4; shift++) {
        tmp_new(dir);
        pb model = make_model(&"..."[3 - shift]);
        tmp_write(dir, "m.onnx", model.bytes, model.size);
        pb_free(&model);
        tmp_path(path, dir, "m.onnx");
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            (void)execl(self, self, path, (char *)NULL);
            _exit(127);
        }
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        tmp_remove(dir);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1) return child(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_weights_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

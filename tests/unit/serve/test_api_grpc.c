/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints by gRPC, and a stream of requests. */
#include "api_rig.h"
#include "base/wire.h"
#include "serve/proto_write.h"
#include "serve/reflection.h"

#define SERVICE "/inference.GRPCInferenceService/"

typedef struct grpc {
    api_rig r;
    ask q;
    tni_mem mem;
    tni_arena arena;
} grpc;

static void start(grpc *g)
{
    rig_new(&g->r);
    rig_put(&g->r, "digits.onnx", "digits-pytorch");
    rig_put(&g->r, "penguins.onnx", "penguins-sklearn");
    rig_start(&g->r);
    ask_new(&g->q);
    tni_mem_init(&g->mem, NULL, 0);
    tni_arena_init(&g->arena, &g->mem, 4096);
}

static void finish(grpc *g)
{
    tni_arena_fini(&g->arena);
    ask_free(&g->q);
    rig_free(&g->r);
}

/* One call; gRPC's status. */
static int call(grpc *g, const char *method, const tni_proto *w)
{
    ask *q = &g->q;
    const tni_app *app = tni_api_app(g->r.api);
    memset(&q->x, 0, sizeof q->x);
    q->x.carrier = TNI_GRPC;
    q->x.method = tni_span_of("POST");
    q->x.path = tni_span_of(method);
    q->x.headers = q->headers;
    q->x.n_headers = q->n_headers;
    q->x.start_ns = tni_clock_ns();
    q->x.transport = &ask_transport;
    q->answered = false;
    q->n_answers = 0;
    q->max_body = UINT64_MAX;
    if (app->head(app->ctx, &q->x, &q->max_body)) {
        if (w != NULL) {
            assert_true(tni_proto_good(w) && w->at <= sizeof q->body);
            if (w->at > 0) memcpy(q->body, w->bytes, w->at);
            q->x.body_len = w->at;
        }
        q->x.body = q->body;
        app->request(app->ctx, &q->x);
    }
    return ask_wait(q);
}

/* The nth field of that number in the last answer. */
static bool find(grpc *g, uint32_t number, int nth, tni_field *f)
{
    tni_wire w;
    tn_err err;
    bool more = true;
    tni_wire_init(&w, g->q.text, g->q.text_size, "answer", 8, &err);
    for (;;) {
        assert_int_equal(tni_wire_next(&w, f, &more), TN_OK);
        if (!more) return false;
        if (f->number == number && nth-- == 0) return true;
    }
}

static tni_proto *request(grpc *g)
{
    tni_proto *w = TNI_NEW(&g->arena, tni_proto);
    tni_proto_init(w, &g->arena);
    return w;
}

static void describes(void **state)
{
    (void)state;
    grpc g;
    tni_field f;
    start(&g);
    assert_int_equal(call(&g, SERVICE "ServerLive", NULL), 0);
    assert_true(find(&g, 1, 0, &f) && f.value == 1);
    assert_int_equal(call(&g, SERVICE "ServerReady", NULL), 0);
    assert_true(find(&g, 1, 0, &f) && f.value == 1);
    assert_int_equal(call(&g, "/grpc.health.v1.Health/Check", NULL), 0);
    assert_true(find(&g, 1, 0, &f) && f.value == 1);
    tni_api_set_state(g.r.api, TNI_API_DRAINING);
    assert_int_equal(call(&g, SERVICE "ServerReady", NULL), 0);
    assert_false(find(&g, 1, 0, &f));
    assert_int_equal(call(&g, "/grpc.health.v1.Health/Check", NULL), 0);
    assert_true(find(&g, 1, 0, &f) && f.value == 2);
    tni_api_set_state(g.r.api, TNI_API_SERVING);
    tni_proto *w = request(&g);
    tni_proto_text(w, 1, "nobody");
    assert_int_equal(call(&g, "/grpc.health.v1.Health/Check", w), 5);
    assert_int_equal(call(&g, SERVICE "ModelMetadata", w), 5);
    assert_int_equal(call(&g, SERVICE "ModelReady", w), 0);
    assert_false(find(&g, 1, 0, &f));
    w = request(&g);
    tni_proto_text(w, 1, "digits");
    assert_int_equal(call(&g, SERVICE "ModelReady", w), 0);
    assert_true(find(&g, 1, 0, &f) && f.value == 1);
    assert_int_equal(call(&g, SERVICE "ModelMetadata", w), 0);
    assert_true(find(&g, 1, 0, &f) && f.bytes.len == 6);
    assert_true(find(&g, 5, 1, &f)); /* two outputs */
    assert_int_equal(call(&g, SERVICE "ModelConfig", w), 0);
    assert_true(find(&g, 1, 0, &f) && f.bytes.len > 40);
    assert_int_equal(call(&g, SERVICE "ModelStatistics", w), 0);
    assert_true(find(&g, 1, 0, &f));
    assert_false(find(&g, 1, 1, &f));
    assert_int_equal(call(&g, SERVICE "ModelStatistics", NULL), 0);
    assert_true(find(&g, 1, 1, &f));
    assert_int_equal(call(&g, SERVICE "RepositoryIndex", NULL), 0);
    assert_true(find(&g, 1, 1, &f));
    assert_int_equal(call(&g, SERVICE "ServerMetadata", NULL), 0);
    assert_true(find(&g, 3, 5, &f));
    assert_int_equal(call(&g, SERVICE "Nothing", NULL), 12);
    assert_int_equal(call(&g, "/", NULL), 12);
    finish(&g);
}

static tni_proto *infer(grpc *g, const char *name, int64_t rows, size_t bytes,
                        const char *id)
{
    static uint8_t zeros[4096];
    const int64_t dims[4] = {rows, 1, 8, 8};
    tni_proto *w = request(g);
    tni_proto_text(w, 1, name);
    tni_proto_text(w, 3, id);
    const size_t mark = tni_proto_open(w, 5);
    tni_proto_text(w, 1, "image");
    tni_proto_text(w, 2, "FP32");
    tni_proto_ints(w, 3, dims, 4);
    tni_proto_close(w, mark);
    tni_proto_bytes(w, 7, zeros, bytes);
    return w;
}

static void infers(void **state)
{
    (void)state;
    grpc g;
    tni_field f;
    start(&g);
    assert_int_equal(
        call(&g, SERVICE "ModelInfer", infer(&g, "digits", 2, 512, "x")), 0);
    assert_true(find(&g, 1, 0, &f) && f.bytes.len == 6);
    assert_true(find(&g, 3, 0, &f) && f.bytes.ptr[0] == 'x');
    assert_true(find(&g, 6, 1, &f));
    assert_int_equal(f.bytes.len, 80);
    float sum = 0, v = 0;
    for (size_t i = 0; i < 10; i++) {
        memcpy(&v, f.bytes.ptr + 4 * i, sizeof v);
        sum += v;
    }
    assert_true(sum > 0.99F && sum < 1.01F);
    assert_int_equal(
        call(&g, SERVICE "ModelInfer", infer(&g, "digits", 2, 511, "")), 3);
    assert_non_null(strstr(g.q.message, "511 bytes"));
    assert_int_equal(
        call(&g, SERVICE "ModelInfer", infer(&g, "nobody", 2, 512, "")), 5);
    assert_int_equal(
        call(&g, SERVICE "ModelInfer", infer(&g, "penguins", 2, 512, "")), 3);
    assert_int_equal(call(&g, SERVICE "ModelInfer", NULL), 5);
    tni_proto *cut = infer(&g, "digits", 2, 512, "");
    cut->at -= 5;
    assert_int_equal(call(&g, SERVICE "ModelInfer", cut), 3);
    finish(&g);
}

static void tokens_are_asked_for(void **state)
{
    (void)state;
    grpc g;
    start(&g);
    tni_api_free(g.r.api);
    g.r.opts.infer_token = "secret";
    assert_int_equal(tni_api_new(&g.r.api, &g.r.opts, &rig_err), TN_OK);
    assert_int_equal(call(&g, SERVICE "ServerMetadata", NULL), 16);
    assert_int_equal(call(&g, SERVICE "Nothing", NULL), 16);
    assert_int_equal(call(&g, SERVICE "ServerReady", NULL), 0);
    ask_header(&g.q, "authorization", "Bearer secret");
    assert_int_equal(call(&g, SERVICE "ServerMetadata", NULL), 0);
    finish(&g);
}

/* --- a stream ------------------------------------------------------------- */

/* Stands in for the I/O thread's loop: what is posted runs on the test's. */
static tni_monitor *posts_lock;
static tni_post *posts;

void tni_loop_post(tni_loop *loop, tni_post *post)
{
    (void)loop;
    tni_monitor_lock(posts_lock);
    tni_post **at = &posts;
    while (*at != NULL) at = &(*at)->next;
    post->next = NULL;
    *at = post;
    tni_monitor_wake_all(posts_lock);
    tni_monitor_unlock(posts_lock);
}

static void run_a_post(void)
{
    tni_monitor_lock(posts_lock);
    while (posts == NULL) tni_monitor_wait(posts_lock, 0);
    tni_post *post = posts;
    posts = post->next;
    tni_monitor_unlock(posts_lock);
    post->run(post);
}

typedef struct talk {
    tni_exchange x; /* the first member */
    int n_sent, status;
    char ids[64];
    bool finished;
} talk;

/* What came: its id, or '!' for a failure. */
static void talk_send(tni_exchange *x, const tni_piece *pieces, size_t n)
{
    talk *t = (talk *)(void *)x;
    uint8_t bytes[4096] = {0};
    size_t size = 0;
    tni_wire w, sub;
    tni_field f;
    bool more = true;
    tn_err err;
    for (size_t i = 0; i < n; i++) {
        memcpy(bytes + size, pieces[i].bytes, pieces[i].size);
        size += pieces[i].size;
    }
    char id = '!';
    tni_wire_init(&w, bytes, size, "response", 8, &err);
    assert_int_equal(tni_wire_next(&w, &f, &more), TN_OK);
    if (f.number == 2) {
        assert_int_equal(tni_wire_enter(&w, &f, "response", &sub), TN_OK);
        while (tni_wire_next(&sub, &f, &more) == TN_OK && more)
            if (f.number == 3) id = (char)f.bytes.ptr[0];
    }
    for (size_t i = 0; i < n; i++)
        if (pieces[i].release != NULL) pieces[i].release(pieces[i].ctx);
    t->ids[t->n_sent++] = id;
}

static void talk_finish(tni_exchange *x, int status, const char *message)
{
    talk *t = (talk *)(void *)x;
    (void)message;
    t->status = status;
    t->finished = true;
}

static const tni_transport talk_transport = {NULL, talk_send, talk_finish};

static void open_talk(grpc *g, talk *t)
{
    const tni_app *app = tni_api_app(g->r.api);
    uint64_t most = UINT64_MAX;
    memset(t, 0, sizeof *t);
    assert_int_equal(tni_monitor_new(&posts_lock, &g->mem, &rig_err), TN_OK);
    t->x.loop = (tni_loop *)(void *)t; /* never looked into */
    t->x.carrier = TNI_GRPC;
    t->x.method = tni_span_of("POST");
    t->x.path = tni_span_of(SERVICE "ModelStreamInfer");
    t->x.transport = &talk_transport;
    assert_true(app->head(app->ctx, &t->x, &most));
    assert_true(t->x.streaming);
}

static void say(grpc *g, talk *t, const char *model, char name)
{
    const tni_app *app = tni_api_app(g->r.api);
    const char id[2] = {name, '\0'};
    tni_proto *w = infer(g, model, 1, 256, id);
    app->message(app->ctx, &t->x, w->bytes, w->at);
}

static void close_talk(grpc *g)
{
    assert_null(posts);
    tni_monitor_free(posts_lock, &g->mem);
}

static void a_stream_answers_in_order(void **state)
{
    (void)state;
    grpc g;
    talk t;
    start(&g);
    open_talk(&g, &t);
    const tni_app *app = tni_api_app(g.r.api);
    for (int i = 0; i < 6; i++)
        say(&g, &t, i == 3 ? "nobody" : "digits", (char)('a' + i));
    app->half_close(app->ctx, &t.x);
    assert_false(t.finished);
    for (int i = 0; i < 5; i++) run_a_post();
    assert_true(t.finished);
    assert_int_equal(t.status, 0);
    assert_string_equal(t.ids, "abc!ef");
    close_talk(&g);
    finish(&g);
}

static void a_lost_stream_waits_for_its_jobs(void **state)
{
    (void)state;
    grpc g;
    talk t;
    start(&g);
    open_talk(&g, &t);
    for (int i = 0; i < 3; i++) say(&g, &t, "digits", 'x');
    t.x.cancelled = true;
    t.x.on_cancel(&t.x);
    for (int i = 0; i < 3; i++) {
        assert_false(t.finished);
        run_a_post();
    }
    assert_true(t.finished);
    assert_int_equal(t.n_sent, 0);
    close_talk(&g);
    /* And one without any ends at once. */
    open_talk(&g, &t);
    t.x.cancelled = true;
    t.x.on_cancel(&t.x);
    assert_true(t.finished);
    close_talk(&g);
    finish(&g);
}

static void a_stream_is_bounded(void **state)
{
    (void)state;
    grpc g;
    talk t;
    start(&g);
    tni_api_free(g.r.api);
    g.r.opts.max_stream_requests = 2;
    assert_int_equal(tni_api_new(&g.r.api, &g.r.opts, &rig_err), TN_OK);
    open_talk(&g, &t);
    for (int i = 0; i < 4; i++) say(&g, &t, "digits", 'x');
    run_a_post();
    run_a_post();
    assert_true(t.finished);
    assert_int_equal(t.status, 8);
    close_talk(&g);
    finish(&g);
}

static void services_are_described(void **state)
{
    (void)state;
    static const struct {
        uint32_t field;
        const char *text;
        uint32_t answer;
    } rows[] = {
        {7, "", 6},
        {4, "inference.GRPCInferenceService", 4},
        {4, "inference.GRPCInferenceService.ModelInfer", 4},
        {4, "inference.ModelInferRequest", 4},
        {4, "grpc.health.v1.Health", 4},
        {4, "grpc.reflection.v1.ServerReflection", 4},
        {3, "grpc_service.proto", 4},
        {3, "other.proto", 7},
        {4, "inference.Nothing", 7},
        {4, "inference", 7},
        {4, "inference.", 7},
        {4, "", 7},
        {6, "inference.ModelInferRequest", 7},
    };
    grpc g;
    tni_field f;
    tn_err err;
    start(&g);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tni_proto *w = request(&g), out;
        tni_proto_text(w, rows[i].field, rows[i].text);
        tni_proto_init(&out, &g.arena);
        assert_int_equal(tni_reflect(&out, w->bytes, w->at, &err), TN_OK);
        assert_true(tni_proto_good(&out));
        free(g.q.text);
        g.q.text = malloc(out.at);
        memcpy(g.q.text, out.bytes, out.at);
        g.q.text_size = out.at;
        if (!find(&g, rows[i].answer, 0, &f))
            fail_msg("%s: no field %u", rows[i].text, rows[i].answer);
    }
    finish(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(describes),
        cmocka_unit_test(infers),
        cmocka_unit_test(tokens_are_asked_for),
        cmocka_unit_test(a_stream_answers_in_order),
        cmocka_unit_test(a_lost_stream_waits_for_its_jobs),
        cmocka_unit_test(a_stream_is_bounded),
        cmocka_unit_test(services_are_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

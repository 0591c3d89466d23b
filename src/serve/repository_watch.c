/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repository_watch.c - following changes of the repository
 *
 * It is looked at every half second, by names, sizes, times and inodes, on
 * whatever file system; what has changed is taken when it stayed as it is for
 * two seconds, so that a file that is being copied is not.
 */
#include "serve/repository.h"
#include "serve/serve_log.h"
#include "sys/clock.h"

#include <string.h>

/* Under the lock: what was seen of a model now. */
static void saw(tni_repository *r, tni_entry *e, uint64_t print, uint64_t now)
{
    tni_task *t = NULL;
    if (print != e->seen_print) {
        e->seen_print = print;
        e->seen_ns = now;
        if (e->tried_print != 0) return;
    }
    if (e->busy || print == e->tried_print || now - e->seen_ns < r->settle_ns)
        return;
    const bool gone = print == 0;
    /* Whatever comes of it, the same files are not tried again. */
    e->tried_print = print;
    tni_serve_log(&r->logger, TN_LOG_INFO, "model.changed", "model=%s %s",
                  e->name, gone ? "removed" : "reload");
    (void)tni_repository_post(r, e, gone, NULL, (tni_span){NULL, 0}, &t, NULL);
    tni_monitor_wake_all(r->lock);
}

static void look(tni_repository *r, tni_arena *arena)
{
    tni_source *list = NULL;
    size_t n = 0;
    tn_err err;
    memset(&err, 0, sizeof err);
    /* A folder that cannot be read for a moment takes no model down. */
    if (tni_repository_scan(r, &list, &n, arena, &err) != TN_OK) {
        tni_serve_log(&r->logger, TN_LOG_WARN, "repository.scan",
                      "reason=\"%s\"", err.message);
        return;
    }
    uint64_t *prints = TNI_NEW_ARRAY(arena, uint64_t, n + 1);
    if (prints == NULL) return;
    for (size_t i = 0; i < n; i++) {
        tni_found found;
        prints[i] = 1;
        if (tni_source_look(&list[i], "model.onnx", &found, arena, NULL) ==
            TN_OK)
            prints[i] = tni_found_print(&found);
    }
    const uint64_t now = tni_clock_ns();
    tni_monitor_lock(r->lock);
    for (tni_entry *e = r->entries; e != NULL; e = e->next) e->seen = false;
    for (size_t i = 0; i < n; i++) {
        tni_entry *e = tni_repository_entry(r, tni_span_of(list[i].name));
        if (e == NULL) e = tni_repository_add(r, list[i].name, NULL);
        if (e == NULL) continue;
        e->seen = true;
        saw(r, e, prints[i], now);
    }
    for (tni_entry *e = r->entries; e != NULL; e = e->next)
        if (!e->seen) saw(r, e, 0, now);
    tni_monitor_unlock(r->lock);
}

void tni_watcher_main(void *repository)
{
    tni_repository *r = repository;
    tni_arena arena;
    tni_arena_init(&arena, &r->mem, 1 << 16);
    tni_monitor_lock(r->lock);
    while (!r->closing) {
        tni_monitor_unlock(r->lock);
        look(r, &arena);
        tni_arena_reset(&arena);
        const uint64_t until = tni_clock_ns() + r->poll_ns;
        tni_monitor_lock(r->lock);
        while (!r->closing && tni_clock_ns() < until)
            tni_monitor_wait(r->lock, until);
    }
    tni_monitor_unlock(r->lock);
    tni_arena_fini(&arena);
}

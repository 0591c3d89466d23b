/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repository.h - inside the repository: what there is, tasks, the loaders
 *
 * An entry is a model by name; a version of it holds the one reference that
 * keeps a loaded model served. Loading happens on the loader threads, outside
 * the lock: the new model is opened and warmed up first, then takes the place
 * of the old one in a moment; requests that run on the old one end there, and
 * who gives the last reference back leaves it to a loader to be freed.
 */
#ifndef TN_SRC_SERVE_REPOSITORY_H
#define TN_SRC_SERVE_REPOSITORY_H

#include "serve/served.h"
#include "sys/mutex.h"

enum { TNI_PATH_MAX = 4096, TNI_REASON_MAX = 512, TNI_LOADERS = 4 };

/* Where a model is, found by scanning. */
typedef struct tni_source {
    const char *name;
    const char *path;
    const char *root; /* files must not be outside; NULL: named by the user */
    bool is_file;
} tni_source;

/* A version of it in the file system. */
typedef struct tni_found_version {
    int64_t number;
    const char *path; /* of the model file */
    uint64_t print;   /* changes when a file does */
} tni_found_version;

typedef struct tni_found {
    const char *config_path;     /* NULL: none */
    const char *folder;          /* of labels; NULL: none */
    uint64_t print;              /* of the configuration and its files */
    tni_found_version *versions; /* lowest first */
    size_t n_versions;
} tni_found;

typedef struct tni_version {
    struct tni_version *next; /* lowest first */
    int64_t number;
    char text[24];
    tni_served_private *served; /* NULL: not ready */
    uint64_t print;             /* of what is served */
    tni_model_state state;
    char reason[TNI_REASON_MAX];
} tni_version;

typedef struct tni_entry {
    struct tni_entry *next; /* by name */
    char name[TNI_MODEL_NAME_MAX + 1];
    tni_version *versions;
    bool busy;             /* a loader is at it */
    bool failed;           /* the last load did not succeed */
    tni_model_state state; /* while there is no version */
    char reason[TNI_REASON_MAX];
    /* Watching: what is loaded or was tried, and what was seen since when. */
    uint64_t tried_print, seen_print, seen_ns;
    bool seen; /* in the scan that goes on */
} tni_entry;

typedef struct tni_task {
    struct tni_task *next;
    tni_entry *entry;
    bool unload, initial;
    tni_load *load; /* NULL: nobody waits */
    char *config;   /* or NULL */
    size_t config_size;
    tn_status status;
    tn_err err;
} tni_task;

struct tni_repository {
    tni_mem mem;
    tni_arena arena; /* of the options */
    tni_repository_opts opts;
    tn_limits limits;
    tn_logger logger, user_logger;
    tni_mutex *log_lock;
    tni_scheduler *sched;
    const char **roots; /* n_paths: where the paths lead to */
    tni_monitor *lock;  /* over everything below */
    tni_entry *entries;
    tni_task *tasks, *last_task;
    size_t n_initial, n_initial_failed, n_initial_all;
    tn_err first_err;
    tni_served_private *graves; /* to be freed */
    size_t n_alive;             /* loaded, freed not yet */
    uint64_t bytes;             /* of these */
    uint64_t poll_ns, settle_ns;
    bool closing;
    tni_thread *loaders[TNI_LOADERS];
    tni_thread *watcher;
};

/* [A-Za-z0-9._-]{1,128}, not starting with a dot. */
bool tni_model_name_ok(tni_span name);

/* Every model below the paths, by name; what two paths have is an error, what
 * cannot be a model is left out. */
tn_status tni_repository_scan(tni_repository *r, tni_source **out, size_t *n,
                              tni_arena *arena, tn_err *err);
/* The versions and files of one. */
tn_status tni_source_look(const tni_source *source, const char *model_file,
                          tni_found *out, tni_arena *arena, tn_err *err);
/* A number that changes when anything of the model in the file system does. */
uint64_t tni_found_print(const tni_found *found);

/* Under the lock. */
tni_entry *tni_repository_entry(tni_repository *r, tni_span name);
tni_entry *tni_repository_add(tni_repository *r, const char *name, tn_err *err);
/* Queues a task and wakes a loader. */
tn_status tni_repository_post(tni_repository *r, tni_entry *e, bool unload,
                              tni_load *load, tni_span config, tni_task **out,
                              tn_err *err);

/* Threads. */
void tni_loader_main(void *repository);
void tni_watcher_main(void *repository);
/* Frees what is in `graves`; called and returns with the lock held. */
void tni_repository_bury(tni_repository *r);
/* Takes the versions out of service; under the lock. */
void tni_entry_detach(tni_entry *e, const char *reason);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* mutex.c - a lock for the few objects that are shared and changed */
#define _POSIX_C_SOURCE 200809L
#include "sys/mutex.h"

#include <pthread.h>

struct tni_mutex {
    pthread_mutex_t lock;
};

tn_status tni_mutex_new(tni_mutex **out, tni_mem *mem, tn_err *err)
{
    *out = NULL;
    tni_mutex *m = tni_mem_alloc(mem, sizeof *m, _Alignof(tni_mutex));
    if (m == NULL) return tni_fail(err, TN_ENOMEM, "out of memory for a lock");
    if (pthread_mutex_init(&m->lock, NULL) != 0) {
        tni_mem_free(mem, m, sizeof *m, _Alignof(tni_mutex));
        return tni_fail(err, TN_ENOMEM, "the system refused a lock");
    }
    *out = m;
    return TN_OK;
}

void tni_mutex_free(tni_mutex *mutex, tni_mem *mem)
{
    if (mutex == NULL) return;
    (void)pthread_mutex_destroy(&mutex->lock);
    tni_mem_free(mem, mutex, sizeof *mutex, _Alignof(tni_mutex));
}

void tni_mutex_lock(tni_mutex *mutex)
{
    (void)pthread_mutex_lock(&mutex->lock);
}

void tni_mutex_unlock(tni_mutex *mutex)
{
    (void)pthread_mutex_unlock(&mutex->lock);
}

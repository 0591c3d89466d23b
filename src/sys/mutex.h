/* SPDX-License-Identifier: Apache-2.0 */
/* mutex.h - a lock for the few objects that are shared and changed */
#ifndef TN_SRC_SYS_MUTEX_H
#define TN_SRC_SYS_MUTEX_H

#include "base/alloc.h"
#include "base/err.h"

typedef struct tni_mutex tni_mutex;

tn_status tni_mutex_new(tni_mutex **out, tni_mem *mem, tn_err *err);
void tni_mutex_free(tni_mutex *mutex, tni_mem *mem);
void tni_mutex_lock(tni_mutex *mutex);
void tni_mutex_unlock(tni_mutex *mutex);

#endif

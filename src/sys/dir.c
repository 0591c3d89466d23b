/* SPDX-License-Identifier: Apache-2.0 */
/* dir.c - folders: what is in them, making, copying, removing */
#define _XOPEN_SOURCE   700
#define _DEFAULT_SOURCE 1
#include "sys/dir.h"

#include "sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, MAX_ENTRIES = 50000000, MAX_DEPTH = 64 };

static tn_status refuse(tn_err *err, const char *path, const char *what)
{
    const int e = errno;
    tni_err_where(err, "%s", path);
    if (e == ENOENT || e == ENOTDIR)
        return tni_fail(err, TN_ENOTFOUND, "no such file or folder");
    if (e == EACCES || e == EPERM)
        return tni_fail(err, TN_EIO, "permission denied: %s", what);
    if (e == EEXIST || e == ENOTEMPTY)
        return tni_fail(err, TN_EIO, "it exists already: %s", what);
    if (e == ENOSPC)
        return tni_fail(err, TN_EIO, "no space left on the device");
    return tni_fail(err, TN_EIO, "%s failed (system error %d)", what, e);
}

tni_path_info tni_path_look(const char *path)
{
    tni_path_info info;
    struct stat st;
    memset(&info, 0, sizeof info);
    if (stat(path, &st) != 0) return info;
    info.exists = true;
    info.is_dir = S_ISDIR(st.st_mode) != 0;
    info.is_file = S_ISREG(st.st_mode) != 0;
    info.size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
    info.device = (uint64_t)st.st_dev;
    info.inode = (uint64_t)st.st_ino;
#if defined(__APPLE__)
    const struct timespec at = st.st_mtimespec;
#else
    const struct timespec at = st.st_mtim;
#endif
    info.modified_ns = (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
    return info;
}

tn_status tni_path_real(char *out, size_t size, const char *path, tn_err *err)
{
    char real[PATH_SIZE];
    if (realpath(path, real) == NULL)
        return refuse(err, path, "following the path");
    const size_t len = strlen(real);
    if (len >= size) return tni_fail(err, TN_EINVAL, "a path is too long");
    memcpy(out, real, len + 1);
    return TN_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const tni_dir_entry *)a)->name,
                  ((const tni_dir_entry *)b)->name);
}

static bool entry_is_dir(const char *path, const struct dirent *e)
{
    if (e->d_type == DT_DIR) return true;
    if (e->d_type != DT_LNK && e->d_type != DT_UNKNOWN) return false;
    char full[PATH_SIZE];
    const int n = snprintf(full, sizeof full, "%s/%s", path, e->d_name);
    return n > 0 && (size_t)n < sizeof full && tni_path_look(full).is_dir;
}

tn_status tni_dir_list(tni_dir_entry **out, size_t *n, const char *path,
                       tni_arena *arena, tn_err *err)
{
    *out = NULL;
    *n = 0;
    DIR *dir = opendir(path);
    if (dir == NULL) return refuse(err, path, "listing the folder");
    tni_dir_entry *list = NULL;
    size_t len = 0, cap = 0;
    tn_status status = TN_OK;
    for (const struct dirent *e;
         status == TN_OK && (e = readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (len >= MAX_ENTRIES) {
            status = tni_fail(err, TN_ELIMIT, "more than %d entries",
                              (int)MAX_ENTRIES);
            break;
        }
        if (len == cap) {
            cap = cap == 0 ? 64 : cap * 2;
            tni_dir_entry *more = TNI_NEW_ARRAY(arena, tni_dir_entry, cap);
            if (more != NULL && len > 0) memcpy(more, list, len * sizeof *list);
            list = more;
        }
        char *name = tni_arena_strndup(arena, e->d_name, strlen(e->d_name));
        if (list == NULL || name == NULL) {
            status = tni_fail(err, TN_ENOMEM, "out of memory");
            break;
        }
        list[len].name = name;
        list[len].is_dir = entry_is_dir(path, e);
        len++;
    }
    (void)closedir(dir);
    if (status != TN_OK) return status;
    if (len > 1) qsort(list, len, sizeof *list, by_name);
    *out = list;
    *n = len;
    return TN_OK;
}

tn_status tni_dir_make(const char *path, tn_err *err)
{
    char part[PATH_SIZE];
    const size_t len = strlen(path);
    if (len == 0 || len >= sizeof part)
        return tni_fail(err, TN_EINVAL, "a folder's path is empty or too long");
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0') continue;
        const char keep = part[i];
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return refuse(err, part, "making the folder");
        part[i] = keep;
    }
    if (!tni_path_look(path).is_dir) {
        tni_err_where(err, "%s", path);
        return tni_fail(err, TN_EIO, "a file of this name is in the way");
    }
    return TN_OK;
}

tn_status tni_dir_make_for(const char *path, tn_err *err)
{
    char part[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path) return TN_OK;
    const size_t len = (size_t)(slash - path);
    if (len >= sizeof part)
        return tni_fail(err, TN_EINVAL, "a path is too long");
    memcpy(part, path, len);
    part[len] = '\0';
    return tni_dir_make(part, err);
}

tn_status tni_dir_make_temporary(char *out, size_t size, const char *path,
                                 tn_err *err)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') len--;
    for (unsigned attempt = 0; attempt < 1000; attempt++) {
        const int n = snprintf(out, size, "%.*s.%ld-%u.tmp", (int)len, path,
                               (long)getpid(), attempt);
        if (n < 0 || (size_t)n >= size)
            return tni_fail(err, TN_EINVAL, "a path is too long");
        if (mkdir(out, 0777) == 0) return TN_OK;
        if (errno != EEXIST) return refuse(err, out, "making the folder");
    }
    return refuse(err, out, "making the folder");
}

/* `path` is a buffer of PATH_SIZE bytes that is put back as it was. */
static tn_status remove_below(char *path, int depth, tn_err *err)
{
    struct stat st;
    if (lstat(path, &st) != 0) return refuse(err, path, "removing it");
    if (!S_ISDIR(st.st_mode))
        return unlink(path) == 0 ? TN_OK : refuse(err, path, "removing it");
    if (depth >= MAX_DEPTH)
        return tni_fail(err, TN_ELIMIT, "folders are nested too deep");
    DIR *dir = opendir(path);
    if (dir == NULL) return refuse(err, path, "listing the folder");
    const size_t len = strlen(path);
    tn_status status = TN_OK;
    for (const struct dirent *e;
         status == TN_OK && (e = readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        const int n = snprintf(path + len, PATH_SIZE - len, "/%s", e->d_name);
        if (n < 0 || (size_t)n >= PATH_SIZE - len)
            status = tni_fail(err, TN_EINVAL, "a path is too long");
        else
            status = remove_below(path, depth + 1, err);
        path[len] = '\0';
    }
    (void)closedir(dir);
    if (status == TN_OK && rmdir(path) != 0)
        status = refuse(err, path, "removing the folder");
    return status;
}

tn_status tni_path_remove(const char *path, tn_err *err)
{
    char buffer[PATH_SIZE];
    const size_t len = strlen(path);
    if (len == 0 || len >= sizeof buffer)
        return tni_fail(err, TN_EINVAL, "a path is empty or too long");
    memcpy(buffer, path, len + 1);
    return remove_below(buffer, 0, err);
}

tn_status tni_path_rename(const char *from, const char *to, tn_err *err)
{
    if (rename(from, to) == 0) return TN_OK;
    return refuse(err, to, "renaming the finished output to it");
}

tn_status tni_file_copy(const char *from, const char *to, tn_err *err)
{
    static const size_t block = 1 << 16;
    char *buffer = tni_libc_allocator.alloc(NULL, block, 1);
    if (buffer == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    tn_status status = TN_OK;
    int out = -1;
    const int in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (in < 0) status = refuse(err, from, "reading");
    if (status == TN_OK) {
        out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (out < 0) status = refuse(err, to, "writing");
    }
    while (status == TN_OK) {
        const ssize_t n = read(in, buffer, block);
        if (n == 0) break;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) status = refuse(err, from, "reading");
        for (ssize_t done = 0; status == TN_OK && done < n;) {
            const ssize_t k = write(out, buffer + done, (size_t)(n - done));
            if (k > 0) done += k;
            if (k < 0 && errno != EINTR) status = refuse(err, to, "writing");
        }
    }
    if (in >= 0) (void)close(in);
    if (out >= 0 && close(out) != 0 && status == TN_OK)
        status = refuse(err, to, "writing");
    tni_libc_allocator.free(NULL, buffer, block, 1);
    return status;
}

tn_status tni_file_link(const char *from, const char *to, tn_err *err)
{
    char real[PATH_SIZE];
    /* The file itself, should `from` be a symbolic link. */
    const char *target = realpath(from, real) != NULL ? real : from;
    if (link(target, to) == 0) return TN_OK;
    return tni_file_copy(from, to, err);
}

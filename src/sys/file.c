/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - reading files by mapping them, writing them whole or not at all */
#define _XOPEN_SOURCE 700
#define _GNU_SOURCE   /* madvise, memfd_create */
#include "sys/file.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

/* Paths that come from files or users are copied into buffers of this size. */
enum { path_size = PATH_MAX };

static tn_status fail_errno(tn_err *err, const char *path, const char *what,
                            int e)
{
    tni_err_where(err, "%s", path);
    if (e == ENOENT || e == ENOTDIR)
        return tni_fail(err, TN_ENOTFOUND, "no such file; check the path");
    if (e == EACCES || e == EPERM)
        return tni_fail(err, TN_EIO,
                        "permission denied: %s needs other access rights",
                        what);
    if (e == EISDIR)
        return tni_fail(err, TN_EIO, "this is a directory, not a file");
    if (e == ENOSPC)
        return tni_fail(err, TN_EIO, "no space left on the device");
    return tni_fail(err, TN_EIO, "%s failed (system error %d)", what, e);
}

/* Maps an open descriptor, which the caller closes. */
static tn_status map_fd(tni_file_map *map, int fd, const char *path,
                        uint64_t max_bytes, tn_err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return fail_errno(err, path, "reading the file's size", errno);
    if (S_ISDIR(st.st_mode)) {
        tni_err_where(err, "%s", path);
        return tni_fail(err, TN_EIO,
                        "this is a directory, not a file; name a file in it");
    }
    if (!S_ISREG(st.st_mode) || st.st_size < 0) {
        tni_err_where(err, "%s", path);
        return tni_fail(err, TN_EIO, "this is not a regular file");
    }
    const uint64_t size = (uint64_t)st.st_size;
    if ((max_bytes != 0 && size > max_bytes) || size > SIZE_MAX / 2) {
        tni_err_where(err, "%s", path);
        return tni_fail(err, TN_ELIMIT,
                        "the file has %llu bytes, more than the limit of %llu",
                        (unsigned long long)size,
                        (unsigned long long)max_bytes);
    }
    if (size == 0) return TN_OK;
    void *p = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return fail_errno(err, path, "mapping the file", errno);
    map->bytes = p;
    map->size = (size_t)size;
    map->handle = p;
    return TN_OK;
}

static int open_path(const char *path, int flags)
{
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd;
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

static tn_status map_path(tni_file_map *map, const char *path, int flags,
                          const char *shown, uint64_t max_bytes, tn_err *err)
{
    memset(map, 0, sizeof *map);
    const int fd = open_path(path, flags);
    if (fd < 0) return fail_errno(err, shown, "reading", errno);
    const tn_status status = map_fd(map, fd, shown, max_bytes, err);
    (void)close(fd);
    return status;
}

tn_status tni_file_map_open(tni_file_map *map, const char *path,
                            uint64_t max_bytes, tn_err *err)
{
    return map_path(map, path, 0, path, max_bytes, err);
}

static tn_status read_fd(char *buf, size_t cap, uint64_t *size, int fd,
                         const char *path, tn_err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return fail_errno(err, path, "reading the file's size", errno);
    if (!S_ISREG(st.st_mode) || st.st_size < 0) {
        tni_err_where(err, "%s", path);
        return tni_fail(err, TN_ENOTFOUND, "this is not a regular file");
    }
    *size = (uint64_t)st.st_size;
    if (*size > cap) return TN_OK;
    size_t have = 0;
    while (have < *size) {
        const ssize_t n = read(fd, buf + have, (size_t)*size - have);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_errno(err, path, "reading", errno);
        if (n == 0) break; /* shorter by now */
        have += (size_t)n;
    }
    *size = have;
    return TN_OK;
}

tn_status tni_file_read(void *buf, size_t cap, uint64_t *size, const char *path,
                        tn_err *err)
{
    *size = 0;
    const int fd = open_path(path, 0);
    if (fd < 0) return fail_errno(err, path, "reading", errno);
    const tn_status status = read_fd(buf, cap, size, fd, path, err);
    (void)close(fd);
    return status;
}

static void drop_pages(void *pages, size_t size)
{
#if defined(MADV_DONTNEED)
    (void)madvise(pages, size, MADV_DONTNEED);
#else
    (void)posix_madvise(pages, size, POSIX_MADV_DONTNEED);
#endif
}

void tni_file_map_drop(const tni_file_map *map)
{
    if (map->handle != NULL) drop_pages(map->handle, map->size);
}

void tni_file_map_drop_part(const tni_file_map *map, const void *bytes,
                            size_t size)
{
    const uintptr_t start = (uintptr_t)map->bytes, at = (uintptr_t)bytes;
    if (map->handle == NULL || at < start || at - start > map->size ||
        size > map->size - (at - start))
        return;
    const long unit = sysconf(_SC_PAGESIZE);
    if (unit <= 0) return;
    const uintptr_t page = (uintptr_t)unit;
    const uintptr_t first = (at - start + page - 1) / page * page;
    const uintptr_t last = (at - start + size) / page * page;
    if (first < last)
        drop_pages((char *)map->handle + first, (size_t)(last - first));
}

/* The system reads the pages: one that is gone is an error there, where a read
 * by this program would be a signal. */
static tn_status copy_to(int fd, const tni_file_map *map, tn_err *err)
{
    enum { AT_ONCE = 1 << 30 };
    size_t done = 0;
    while (done < map->size) {
        const size_t left = map->size - done;
        const ssize_t n = write(fd, (const char *)map->bytes + done,
                                left < AT_ONCE ? left : (size_t)AT_ONCE);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno == EFAULT)
            return tni_fail(err, TN_EIO, "the file changed while it was read");
        else if (errno == ENOSPC || errno == ENOMEM)
            return tni_fail(err, TN_ENOMEM,
                            "no memory for the file's %zu bytes", map->size);
        else if (errno != EINTR)
            return tni_fail(err, TN_EIO, "copying failed (system error %d)",
                            errno);
    }
    return TN_OK;
}

tn_status tni_file_map_detach(tni_file_map *map, tn_err *err)
{
    if (map->handle == NULL) return TN_OK;
    const int fd = memfd_create("tenon", MFD_CLOEXEC);
    if (fd < 0)
        return tni_fail(err, TN_EIO, "no memory file (system error %d)", errno);
    tn_status s = copy_to(fd, map, err);
    void *p = MAP_FAILED;
    if (s == TN_OK) {
        p = mmap(NULL, map->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
            s = tni_fail(err, TN_ENOMEM, "no room to map %zu bytes", map->size);
    }
    (void)close(fd);
    if (s != TN_OK) return s;
    (void)munmap(map->handle, map->size);
    map->handle = p;
    map->bytes = p;
    return TN_OK;
}

void tni_file_map_close(tni_file_map *map)
{
    if (map->handle != NULL) (void)munmap(map->handle, map->size);
    memset(map, 0, sizeof *map);
}

/* --- paths that a file names -------------------------------------------- */

static tn_status check_location(const char *location, tn_err *err)
{
    if (location[0] == '\0')
        return tni_fail(err, TN_EFORMAT, "the location is empty");
    const bool drive = ((location[0] >= 'a' && location[0] <= 'z') ||
                        (location[0] >= 'A' && location[0] <= 'Z')) &&
                       location[1] == ':';
    if (location[0] == '/' || location[0] == '\\' || drive)
        return tni_fail(err, TN_EFORMAT,
                        "'%.100s' is an absolute path; expected one relative "
                        "to the model's folder",
                        location);
    for (const char *p = location; *p != '\0';) {
        const size_t len = strcspn(p, "/\\");
        if (len == 2 && p[0] == '.' && p[1] == '.')
            return tni_fail(err, TN_EFORMAT,
                            "'%.100s' leaves the model's folder by '..'; move "
                            "the file beside the model and name it without "
                            "'..'",
                            location);
        p += len;
        if (*p != '\0') p++;
    }
    return TN_OK;
}

/* Cuts a path to its folder; "model.onnx" gives ".". */
static void cut_to_folder(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL)
        memcpy(path, ".", 2);
    else if (slash == path)
        path[1] = '\0';
    else
        *slash = '\0';
}

/* Whether the resolved `path` lies in the resolved `folder`. */
static bool lies_in(const char *path, const char *folder)
{
    const size_t n = strlen(folder);
    if (n == 1 && folder[0] == '/') return true;
    return strncmp(path, folder, n) == 0 && path[n] == '/';
}

/* `extra` is a second folder that a link may lead to, or NULL; both folders
 * are as named. */
static tn_status open_in(tni_file_map *map, const char *folder,
                         const char *extra, const char *location,
                         uint64_t max_bytes, tn_err *err)
{
    memset(map, 0, sizeof *map);
    TN_TRY(check_location(location, err));
    char path[path_size], real[path_size], root[path_size];
    const int n = snprintf(path, sizeof path, "%s/%s", folder, location);
    if (n < 0 || (size_t)n >= sizeof path)
        return tni_fail(err, TN_EFORMAT, "the location is too long a path");
    if (realpath(path, real) == NULL)
        return fail_errno(err, path, "reading", errno);
    bool inside = realpath(folder, root) != NULL && lies_in(real, root);
    if (!inside && extra != NULL && realpath(extra, root) != NULL)
        inside = lies_in(real, root);
    if (!inside) {
        tni_err_where(err, "%s", path);
        return tni_fail(err, TN_EFORMAT,
                        "a symbolic link leads outside the model's folder; "
                        "put the file itself beside the model");
    }
    return map_path(map, real, O_NOFOLLOW, path, max_bytes, err);
}

tn_status tni_file_map_open_in(tni_file_map *map, const char *folder,
                               const char *location, uint64_t max_bytes,
                               tn_err *err)
{
    return open_in(map, folder, NULL, location, max_bytes, err);
}

tn_status tni_file_map_open_beside(tni_file_map *map, const char *owner,
                                   const char *location, uint64_t max_bytes,
                                   tn_err *err)
{
    memset(map, 0, sizeof *map);
    char folder[path_size], extra[path_size];
    if (strlen(owner) + 2 > sizeof folder)
        return tni_fail(err, TN_EINVAL, "the model's path is too long");
    memcpy(folder, owner, strlen(owner) + 1);
    cut_to_folder(folder);
    const bool resolved = realpath(owner, extra) != NULL;
    if (resolved) cut_to_folder(extra);
    return open_in(map, folder, resolved ? extra : NULL, location, max_bytes,
                   err);
}

/* --- writing ------------------------------------------------------------- */

struct tni_file_out {
    int fd;
    size_t size; /* of this block */
    const char *path;
    char *temporary; /* beside path, so that rename stays on one device */
};

static void out_free(tni_file_out *f)
{
    tni_libc_allocator.free(NULL, f, f->size, _Alignof(tni_file_out));
}

static tn_status out_open(tni_file_out **out, const char *path, bool direct,
                          tn_err *err)
{
    *out = NULL;
    const size_t len = strlen(path);
    if (len == 0 || len > path_size)
        return tni_fail(err, TN_EINVAL, "the output path is empty or too long");
    const size_t size = sizeof(tni_file_out) + 2 * len + 64;
    tni_file_out *f =
        tni_libc_allocator.alloc(NULL, size, _Alignof(tni_file_out));
    if (f == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    f->size = size;
    char *text = (char *)(f + 1);
    memcpy(text, path, len + 1);
    f->path = text;
    f->temporary = text + len + 1;
    f->fd = -1;
    for (unsigned attempt = 0; f->fd < 0; attempt++) {
        if (direct)
            f->temporary = text;
        else
            (void)snprintf(f->temporary, len + 63, "%s.%ld-%u.tmp", path,
                           (long)getpid(), attempt);
        f->fd =
            open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (f->fd < 0 && errno != EINTR &&
            (errno != EEXIST || direct || attempt > 999)) {
            const int e = errno;
            out_free(f);
            if (e == ENOENT || e == ENOTDIR) {
                tni_err_where(err, "%s", path);
                return tni_fail(err, TN_ENOTFOUND,
                                "the folder of this file does not exist");
            }
            return fail_errno(err, path, "writing", e);
        }
    }
    *out = f;
    return TN_OK;
}

tn_status tni_file_out_open(tni_file_out **out, const char *path, tn_err *err)
{
    return out_open(out, path, false, err);
}

tn_status tni_file_out_open_new(tni_file_out **out, const char *path,
                                tn_err *err)
{
    return out_open(out, path, true, err);
}

tn_status tni_file_out_write(tni_file_out *f, const void *bytes, size_t size,
                             tn_err *err)
{
    const char *p = bytes;
    while (size > 0) {
        const size_t part = size < (1u << 30) ? size : (1u << 30);
        const ssize_t n = write(f->fd, p, part);
        if (n < 0) {
            if (errno == EINTR) continue;
            return fail_errno(err, f->path, "writing", errno);
        }
        p += n;
        size -= (size_t)n;
    }
    return TN_OK;
}

tn_status tni_file_out_commit(tni_file_out *f, tn_err *err)
{
    tn_status status = TN_OK;
    /* close tells of errors that a network file system kept back. */
    if (close(f->fd) != 0 && errno != EINTR)
        status = fail_errno(err, f->path, "writing", errno);
    f->fd = -1;
    if (status == TN_OK && f->temporary != f->path &&
        rename(f->temporary, f->path) != 0)
        status = fail_errno(err, f->path, "renaming the finished file", errno);
    if (status == TN_OK)
        out_free(f);
    else
        tni_file_out_abort(f);
    return status;
}

void tni_file_out_abort(tni_file_out *f)
{
    if (f == NULL) return;
    if (f->fd >= 0) (void)close(f->fd);
    (void)unlink(f->temporary);
    out_free(f);
}

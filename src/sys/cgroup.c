/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.c - the CPU quota that a container runs under
 *
 * Version 2: the line "0::/path" of /proc/self/cgroup, then cpu.max ("max
 * 100000" or "150000 100000") in that group and every one above it. Version 1:
 * the line "4:cpu,cpuacct:/path", then cpu.cfs_quota_us and cpu.cfs_period_us.
 * Inside a container the path may name a group of the host that is not
 * mounted, so the root of the mount is always read too.
 */
#define _POSIX_C_SOURCE 200809L
#include "sys/cgroup.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { path_size = 1024, text_size = 4096 };

/* Reads at most size - 1 bytes, terminated; false when it cannot. */
static bool read_text(char *buf, size_t size, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    size_t used = 0;
    while (used < size - 1) {
        const ssize_t n = read(fd, buf + used, size - 1 - used);
        if (n <= 0) break;
        used += (size_t)n;
    }
    (void)close(fd);
    buf[used] = '\0';
    return used > 0;
}

/* A decimal number; false for "max" and "-1". */
static bool read_number(const char **text, uint64_t *out)
{
    const char *p = *text;
    while (*p == ' ') p++;
    if (*p < '0' || *p > '9') return false;
    uint64_t v = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (v > UINT64_MAX / 100) return false;
        v = v * 10 + (uint64_t)(*p - '0');
    }
    *text = p;
    *out = v;
    return true;
}

static void take_smaller(int *best, uint64_t quota, uint64_t period)
{
    if (period == 0 || quota == 0) return;
    uint64_t cpus = quota / period + (quota % period != 0 ? 1 : 0);
    if (cpus > INT32_MAX) return;
    if (*best == 0 || (int)cpus < *best) *best = (int)cpus;
}

static void read_v2(int *best, const char *folder)
{
    char path[path_size], text[128];
    const int n = snprintf(path, sizeof path, "%s/cpu.max", folder);
    if (n < 0 || (size_t)n >= sizeof path ||
        !read_text(text, sizeof text, path))
        return;
    const char *p = text;
    uint64_t quota = 0, period = 0;
    if (read_number(&p, &quota) && read_number(&p, &period))
        take_smaller(best, quota, period);
}

static void read_v1(int *best, const char *folder)
{
    char path[path_size], text[128];
    uint64_t quota = 0, period = 0;
    int n = snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    if (n < 0 || (size_t)n >= sizeof path ||
        !read_text(text, sizeof text, path))
        return;
    const char *p = text;
    if (!read_number(&p, &quota)) return;
    n = snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    if (n < 0 || (size_t)n >= sizeof path ||
        !read_text(text, sizeof text, path))
        return;
    p = text;
    if (read_number(&p, &period)) take_smaller(best, quota, period);
}

/* Visits mount/group and every folder above it, up to mount itself. */
static void walk_up(int *best, const char *mount, const char *group,
                    size_t group_len, void (*read)(int *best, const char *path))
{
    char path[path_size];
    const size_t base = strlen(mount);
    if (base + group_len + 1 > sizeof path) group_len = 0;
    memcpy(path, mount, base);
    if (group_len != 0) memcpy(path + base, group, group_len);
    size_t len = base + group_len;
    path[len] = '\0';
    for (;;) {
        read(best, path);
        if (len <= base) return;
        while (len > base && path[len - 1] != '/') len--;
        if (len > base) len--;
        path[len] = '\0';
    }
}

/* Whether a comma list of controllers has "cpu". */
static bool has_cpu(const char *list, size_t len)
{
    while (len > 0) {
        size_t n = 0;
        while (n < len && list[n] != ',') n++;
        if (n == 3 && memcmp(list, "cpu", 3) == 0) return true;
        if (n == len) return false;
        list += n + 1;
        len -= n + 1;
    }
    return false;
}

int tni_cgroup_cpus(const char *membership, const char *mount)
{
    char text[text_size], sub[path_size];
    int best = 0;
    if (!read_text(text, sizeof text, membership)) return 0;
    for (char *line = text; *line != '\0';) {
        const size_t len = strcspn(line, "\n");
        const char *first = memchr(line, ':', len);
        const char *second =
            first != NULL
                ? memchr(first + 1, ':', len - (size_t)(first + 1 - line))
                : NULL;
        if (second != NULL) {
            const char *list = first + 1, *group = second + 1;
            const size_t list_len = (size_t)(second - list);
            const size_t group_len = len - (size_t)(group - line);
            if (list_len == 0) {
                walk_up(&best, mount, group, group_len, read_v2);
                /* Hybrid hierarchies mount version 2 one level down. */
                const int n = snprintf(sub, sizeof sub, "%s/unified", mount);
                if (n > 0 && (size_t)n < sizeof sub)
                    walk_up(&best, sub, group, group_len, read_v2);
            } else if (has_cpu(list, list_len) && list_len < 64) {
                /* Mounted under the whole list, with "cpu" linked to it. */
                int n = snprintf(sub, sizeof sub, "%s/%.*s", mount,
                                 (int)list_len, list);
                if (n > 0 && (size_t)n < sizeof sub)
                    walk_up(&best, sub, group, group_len, read_v1);
                n = snprintf(sub, sizeof sub, "%s/cpu", mount);
                if (n > 0 && (size_t)n < sizeof sub)
                    walk_up(&best, sub, group, group_len, read_v1);
            }
        }
        line += len;
        if (*line != '\0') line++;
    }
    return best;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c - runs a fuzz target over files, under any compiler
 *
 * Arguments are files and folders; each file is copied to a block of exactly
 * its size, so that sanitizers see the first byte read beyond it.
 */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        (void)fprintf(stderr, "cannot open %s\n", path);
        return 1;
    }
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (fseek(f, 0, SEEK_END) == 0) {
        const long end = ftell(f);
        if (end >= 0) size = (size_t)end;
        rewind(f);
        bytes = malloc(size != 0 ? size : 1);
    }
    const int good = bytes != NULL && fread(bytes, 1, size, f) == size;
    (void)fclose(f);
    if (good) (void)LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    if (!good) (void)fprintf(stderr, "cannot read %s\n", path);
    return good ? 0 : 1;
}

/* Returns how many files could not be run; *n counts those that were. */
static int run_path(const char *path, int *n)
{
    struct stat st;
    DIR *dir = NULL;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) dir = opendir(path);
    if (dir == NULL) {
        ++*n;
        return run_file(path);
    }
    int failed = 0;
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        char name[1024];
        if (entry->d_name[0] == '.') continue;
        const int len =
            snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (len > 0 && (size_t)len < sizeof name) {
            ++*n;
            failed += run_file(name);
        }
    }
    (void)closedir(dir);
    return failed;
}

int main(int argc, char **argv)
{
    int n = 0, failed = 0;
    for (int i = 1; i < argc; i++) failed += run_path(argv[i], &n);
    (void)printf("%d files\n", n);
    return failed == 0 && n > 0 ? 0 : 1;
}

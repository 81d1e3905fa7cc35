/* SPDX-License-Identifier: ISC
 *
 * corpus: the files of tests/corpus/<name>, in the order of their names. y_* must be accepted, n_*
 * refused; a number behind n_ (n_1002_...) is the code to refuse with.
 *
 * The folder is looked for in $srcdir, which `make check` sets, or in the working folder. Each text
 * lies in memory of exactly its size, so that a sanitizer sees a read behind its end.
 */
#ifndef TEST_CORPUS_H
#define TEST_CORPUS_H

#include "lib/test.h"

#include <dirent.h>
#include <stdbool.h>

struct corpus_file {
    const char *name;
    bool accept;
    long code; /* 0: none named */
    char *data;
    size_t len;
};

static inline _Noreturn void corpus_unreadable(const char *path)
{
    perror(path);
    exit(EXIT_FAILURE);
}

static inline void corpus_read(const char *folder, const char *name, struct corpus_file *out)
{
    char path[2048];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) < 0)
        corpus_unreadable(path);
    long size = ftell(file);
    char *text = size < 0 ? NULL : malloc((size_t)size);
    rewind(file);
    if ((size > 0 && !text) || fread(text, 1, (size_t)size, file) != (size_t)size ||
        fclose(file) != 0)
        corpus_unreadable(path);
    bool accept = name[0] == 'y';
    *out = (struct corpus_file){name, accept, accept ? 0 : strtol(name + 2, NULL, 10), text,
                                (size_t)size};
}

static inline int corpus_wanted(const struct dirent *entry)
{
    return strncmp(entry->d_name, "y_", 2) == 0 || strncmp(entry->d_name, "n_", 2) == 0;
}

/* Shows every file to `check`; a failure names the file. There must be 15 of each kind at least.
 * Returns how many there were. */
static inline int corpus_each(const char *name, void (*check)(const struct corpus_file *file))
{
    struct dirent **entries;
    const char *srcdir = getenv("srcdir");
    char folder[1024];
    int accepted = 0;
    snprintf(folder, sizeof folder, "%s/tests/corpus/%s", srcdir ? srcdir : ".", name);
    int count = scandir(folder, &entries, corpus_wanted, alphasort);
    if (count < 0)
        corpus_unreadable(folder);
    for (int i = 0; i < count; i++) {
        struct corpus_file file;
        int before = test_failed_here;
        corpus_read(folder, entries[i]->d_name, &file);
        test_failed_here = 0;
        check(&file);
        if (test_failed_here)
            printf("# in %s/%s\n", folder, file.name);
        test_failed_here |= before;
        accepted += file.accept;
        free(file.data);
        free(entries[i]);
    }
    free(entries);
    CHECK(accepted >= 15);
    CHECK(count - accepted >= 15);
    return count;
}

#endif

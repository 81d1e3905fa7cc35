/* SPDX-License-Identifier: ISC
 *
 * corpus: hands the files of tests/corpus/<name>/ to a test, y_* to be accepted and n_* refused.
 *
 * The folder is looked for in $srcdir, which `make check` sets, or in the working folder. Each text
 * lies in memory of exactly its size, so that a sanitizer sees a read behind its end.
 */
#ifndef CORPUS_H
#define CORPUS_H

#include "lib/test.h"

#include <dirent.h>
#include <stdbool.h>

/* Whether the text is accepted; what else is to be said goes through CHECK. */
typedef bool (*corpus_fn)(const char *text, size_t len);

static inline _Noreturn void corpus_unreadable(const char *path)
{
    perror(path);
    exit(EXIT_FAILURE);
}

static inline char *corpus_read(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) < 0)
        corpus_unreadable(path);
    long size = ftell(file);
    char *text = size < 0 ? NULL : malloc((size_t)size);
    rewind(file);
    if (!text || fread(text, 1, (size_t)size, file) != (size_t)size || fclose(file) != 0)
        corpus_unreadable(path);
    *len = (size_t)size;
    return text;
}

static inline int corpus_wanted(const struct dirent *entry)
{
    return strncmp(entry->d_name, "y_", 2) == 0 || strncmp(entry->d_name, "n_", 2) == 0;
}

/* Calls `accepts` for each file in the order of their names; fails for each that is judged wrongly.
 * Returns how many there were. */
static inline int corpus_each(const char *name, corpus_fn accepts)
{
    struct dirent **entries;
    const char *srcdir = getenv("srcdir");
    char folder[1024], path[2048];
    snprintf(folder, sizeof folder, "%s/tests/corpus/%s", srcdir ? srcdir : ".", name);
    int count = scandir(folder, &entries, corpus_wanted, alphasort);
    if (count < 0)
        corpus_unreadable(folder);
    for (int i = 0; i < count; i++) {
        size_t len;
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        char *text = corpus_read(path, &len);
        if (accepts(text, len) != (*entries[i]->d_name == 'y'))
            test_fail(entries[i]->d_name, 1, "judged wrongly");
        free(text);
        free(entries[i]);
    }
    free(entries);
    return count;
}

#endif

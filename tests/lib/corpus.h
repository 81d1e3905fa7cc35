/* SPDX-License-Identifier: ISC
 *
 * corpus: the files of tests/corpus/<name>. y_* must be accepted, n_* refused; a number behind n_
 * (n_1002_...) is the code to refuse with.
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

static inline bool corpus_read(const char *folder, const char *name, struct corpus_file *file)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "rb");
    if (!in)
        return false;
    static char data[1 << 20];
    size_t len = fread(data, 1, sizeof data, in);
    bool good = !ferror(in) && feof(in);
    fclose(in);
    file->name = name;
    file->accept = name[0] == 'y';
    file->code = file->accept ? 0 : strtol(name + 2, NULL, 10);
    file->data = malloc(len ? len : 1);
    file->len = len;
    if (file->data && len)
        memcpy(file->data, data, len);
    return good && file->data;
}

/* Shows every file to `check`; a failure names the file. There must be 15 of each kind at least. */
static inline void corpus_each(const char *corpus, void (*check)(const struct corpus_file *file))
{
    const char *srcdir = getenv("srcdir");
    char folder[2048];
    int accepted = 0, refused = 0;
    snprintf(folder, sizeof folder, "%s/tests/corpus/%s", srcdir ? srcdir : ".", corpus);
    DIR *dir = opendir(folder);
    CHECK(dir != NULL);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        struct corpus_file file = {0};
        if (entry->d_name[0] == '.')
            continue;
        int before = test_failed_here;
        test_failed_here = 0;
        CHECK(strncmp(entry->d_name, "y_", 2) == 0 || strncmp(entry->d_name, "n_", 2) == 0);
        CHECK(corpus_read(folder, entry->d_name, &file));
        if (!test_failed_here)
            check(&file);
        if (test_failed_here)
            printf("# in %s/%s\n", folder, entry->d_name);
        test_failed_here |= before;
        accepted += file.accept;
        refused += !file.accept;
        free(file.data);
    }
    if (dir)
        closedir(dir);
    CHECK(accepted >= 15);
    CHECK(refused >= 15);
}

#endif

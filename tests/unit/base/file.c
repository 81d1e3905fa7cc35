/* SPDX-License-Identifier: ISC */
#include "base/file.h"

#include "base/mem.h"
#include "lib/test.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/arda-file-XXXXXX";
static char path[64];
static bool in_place;

/* Nothing but the file itself is to be left. */
static int count_files(void)
{
    int count = 0;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        count += entry->d_name[0] != '.';
    closedir(entries);
    return count;
}

static void check_content(const char *wanted)
{
    struct base_buf text = BASE_BUF_INIT;
    CHECK_INT(base_file_read(path, 1 << 20, &text, NULL), 0);
    CHECK_BYTES(text.data ? text.data : "", text.len, wanted);
    base_buf_fini(&text);
}

static void makes_and_replaces(void)
{
    CHECK_INT(base_file_replace(path, "one", 3, &in_place, NULL), 0);
    check_content("one");
    CHECK_INT(base_file_replace(path, "second", 6, &in_place, NULL), 0);
    check_content("second");
    CHECK_INT(base_file_replace(path, "", 0, &in_place, NULL), 0);
    check_content("");
    CHECK_INT(count_files(), 1);
}

static void reads_large_ones_whole_and_no_larger_ones(void)
{
    struct base_buf text = BASE_BUF_INIT;
    struct base_why why;
    static char bytes[100000];
    memset(bytes, 'x', sizeof bytes);
    CHECK_INT(base_file_replace(path, bytes, sizeof bytes, &in_place, NULL), 0);
    CHECK_INT(base_file_read(path, sizeof bytes, &text, NULL), 0);
    CHECK_INT(text.len, sizeof bytes);
    CHECK_INT(base_file_read(path, sizeof bytes - 1, &text, &why), BASE_ERR_LIMIT);
    CHECK(strncmp(why.text, path, strlen(path)) == 0);
    base_buf_fini(&text);
}

static void says_what_is_wrong(void)
{
    struct base_buf text = BASE_BUF_INIT;
    struct base_why why;
    CHECK_INT(base_file_read("/nonexistent/file", 10, &text, &why), BASE_ERR_NOTFOUND);
    CHECK_STR(why.text, "/nonexistent/file: No such file or directory");
    CHECK_INT(base_file_read(folder, 10, &text, &why), BASE_ERR_IO);
    CHECK_INT(base_file_replace("/nonexistent/file", "x", 1, &in_place, &why), BASE_ERR_CANTCREATE);
    CHECK_STR(why.text, "/nonexistent/file: No such file or directory");
    base_buf_fini(&text);
}

/* A folder of that name cannot be replaced: the attempt leaves nothing behind. */
static void a_failure_leaves_the_old_one(void)
{
    struct base_why why;
    CHECK_INT(unlink(path), 0);
    CHECK_INT(mkdir(path, 0700), 0);
    CHECK_INT(base_file_replace(path, "x", 1, &in_place, &why), BASE_ERR_CANTCREATE);
    CHECK_INT(count_files(), 1);
    CHECK_INT(rmdir(path), 0);
}

static void without_memory_nothing_changes(void)
{
    struct base_buf text = BASE_BUF_INIT;
    CHECK_INT(base_file_replace(path, "old", 3, &in_place, NULL), 0);
    base_mem_fail(1, 1);
    CHECK_INT(base_file_replace(path, "new", 3, &in_place, NULL), BASE_ERR_NOMEM);
    base_mem_fail(1, 1);
    CHECK_INT(base_file_read(path, 100, &text, NULL), BASE_ERR_NOMEM);
    base_mem_fail(0, 0);
    check_content("old");
    base_buf_fini(&text);
}

int main(void)
{
    if (!mkdtemp(folder))
        return EXIT_FAILURE;
    snprintf(path, sizeof path, "%s/file", folder);
    RUN(makes_and_replaces);
    RUN(reads_large_ones_whole_and_no_larger_ones);
    RUN(says_what_is_wrong);
    RUN(a_failure_leaves_the_old_one);
    RUN(without_memory_nothing_changes);
    unlink(path);
    rmdir(folder);
    return test_end();
}

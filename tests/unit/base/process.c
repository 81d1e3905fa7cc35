/* SPDX-License-Identifier: ISC */
#include "base/process.h"

#include "lib/test.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static void descriptors_are_counted(void)
{
    struct base_process before, after;
    struct rlimit files;
    int fds[10];
    base_process_get(&before);
    for (int i = 0; i < 10; i++)
        fds[i] = open("/dev/null", O_RDONLY);
    base_process_get(&after);
    CHECK_INT(after.open_fds, before.open_fds + 10);
    for (int i = 0; i < 10; i++)
        close(fds[i]);
    base_process_get(&after);
    CHECK_INT(after.open_fds, before.open_fds);
    CHECK(before.open_fds >= 3);
    getrlimit(RLIMIT_NOFILE, &files);
    CHECK_INT(after.max_fds, files.rlim_cur);
}

static void memory_grows_when_it_is_used(void)
{
    struct base_process before, after;
    size_t len = 64 * 1024 * 1024;
    base_process_get(&before);
    char *block = malloc(len);
    memset(block, 1, len);
    base_process_get(&after);
    CHECK(before.resident_bytes > 100 * 1024);
    CHECK(after.resident_bytes >= before.resident_bytes + len / 2);
    CHECK_INT(block[len - 1], 1);
    free(block);
}

int main(void)
{
    RUN(descriptors_are_counted);
    RUN(memory_grows_when_it_is_used);
    return test_end();
}

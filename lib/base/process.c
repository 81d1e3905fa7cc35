/* SPDX-License-Identifier: ISC */
#include "base/process.h"

#include "base/number.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t count_fds(void)
{
    struct stat folder;
    uint64_t count = 0;
    /* Since Linux 6.2 the folder's size is their number. */
    if (stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0)
        return (uint64_t)folder.st_size;
    DIR *entries = opendir("/proc/self/fd");
    if (!entries)
        return 0;
    while (readdir(entries))
        count++;
    closedir(entries);
    return count > 3 ? count - 3 : 0; /* `.`, `..`, and the folder's own */
}

static uint64_t resident_pages(void)
{
    char line[128]; /* SIZE RESIDENT ... */
    const char *rest = NULL;
    uint64_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fgets(line, sizeof line, file))
        rest = strchr(line, ' ');
    if (!rest || (rest++, !base_number_take_u64(&rest, &pages)))
        pages = 0;
    fclose(file);
    return pages;
}

void base_process_get(struct base_process *process)
{
    struct rlimit files;
    *process = (struct base_process){0};
    process->resident_bytes = resident_pages() * (uint64_t)sysconf(_SC_PAGESIZE);
    process->open_fds = count_fds();
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY)
        process->max_fds = files.rlim_cur;
}

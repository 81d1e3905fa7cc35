/* SPDX-License-Identifier: ISC
 *
 * Drafts in a real folder: who may read them, what links do, and files that cannot be replaced.
 */
#include "base/file_draft.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "lib/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static char folder[] = "/tmp/arda-draft-XXXXXX";
static char path[64], other[64];
static bool in_place;

static int count_files(void)
{
    int count = 0;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        count += entry->d_name[0] != '.';
    closedir(entries);
    return count;
}

static mode_t mode_of(const char *name)
{
    struct stat status;
    return stat(name, &status) < 0 ? 07777 : status.st_mode & 07777;
}

static void put(const char *name, const char *text, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK_INT(base_file_write_all(fd, text, strlen(text)), 0);
    CHECK_INT(fchmod(fd, mode), 0);
    close(fd);
}

static void check_content(const char *name, const char *wanted)
{
    struct base_buf text = BASE_BUF_INIT;
    CHECK_INT(base_file_read(name, 1 << 20, &text, NULL), 0);
    CHECK_BYTES(text.data ? text.data : "", text.len, wanted);
    base_buf_fini(&text);
}

static int replace(const char *name, const char *text)
{
    struct base_file_draft draft;
    int failed = base_file_draft_open(&draft, name, &in_place, NULL);
    if (failed)
        return failed;
    int error = base_file_draft_write(&draft, text, strlen(text));
    if (!error)
        error = base_file_draft_commit(&draft, true);
    base_file_draft_close(&draft);
    return error;
}

static void begin(void)
{
    in_place = false;
    unlink(path);
    unlink(other);
}

static void a_new_one_is_for_its_owner_alone(void)
{
    mode_t mask = umask(0);
    begin();
    CHECK_INT(replace(path, "one"), 0);
    check_content(path, "one");
    CHECK_INT(mode_of(path), 0600);
    umask(mask);
}

static void the_mode_of_the_old_one_stays(void)
{
    static const mode_t modes[] = {0600, 0640, 0644, 0400};
    for (size_t i = 0; i < 4; i++) {
        begin();
        put(path, "old", modes[i]);
        CHECK_INT(replace(path, "new"), 0);
        check_content(path, "new");
        CHECK_INT(mode_of(path), modes[i]);
        CHECK_INT(count_files(), 1);
    }
}

/* Before it is in its place, too. */
static void nobody_else_can_read_the_draft(void)
{
    struct base_file_draft draft;
    mode_t mask = umask(0);
    begin();
    put(path, "old", 0600);
    CHECK_INT(base_file_draft_open(&draft, path, &in_place, NULL), 0);
    CHECK_INT(mode_of(draft.name), 0600);
    CHECK_INT(count_files(), 2);
    base_file_draft_close(&draft);
    CHECK_INT(count_files(), 1);
    check_content(path, "old");
    umask(mask);
}

static void two_drafts_do_not_meet(void)
{
    struct base_file_draft one, two;
    begin();
    CHECK_INT(base_file_draft_open(&one, path, &in_place, NULL), 0);
    CHECK_INT(base_file_draft_open(&two, path, &in_place, NULL), 0);
    CHECK_INT(base_file_draft_write(&one, "one", 3), 0);
    CHECK_INT(base_file_draft_write(&two, "two", 3), 0);
    CHECK_INT(base_file_draft_commit(&one, false), 0);
    check_content(path, "one");
    CHECK_INT(base_file_draft_commit(&two, false), 0);
    check_content(path, "two");
    base_file_draft_close(&one);
    base_file_draft_close(&two);
    CHECK_INT(count_files(), 1);
}

static void where_a_link_leads_to_is_replaced(void)
{
    struct stat status;
    begin();
    put(other, "old", 0600);
    CHECK_INT(symlink(other, path), 0);
    CHECK_INT(replace(path, "new"), 0);
    check_content(other, "new");
    CHECK(lstat(path, &status) == 0 && S_ISLNK(status.st_mode));
}

static void where_a_link_leads_to_is_made(void)
{
    struct stat status;
    begin();
    CHECK_INT(symlink(strrchr(other, '/') + 1, path), 0);
    CHECK_INT(replace(path, "new"), 0);
    check_content(other, "new");
    CHECK(lstat(path, &status) == 0 && S_ISLNK(status.st_mode));
    begin();
    CHECK_INT(symlink("nosuch/file", path), 0);
    CHECK_INT(replace(path, "new"), BASE_ERR_CANTCREATE);
    CHECK_INT(count_files(), 1);
    begin();
    CHECK_INT(symlink(path, other), 0);
    CHECK_INT(symlink(other, path), 0);
    CHECK_INT(replace(path, "new"), BASE_ERR_CANTCREATE);
    CHECK_INT(count_files(), 2);
}

/* A name that somebody could guess leads to a file of ours. */
static void a_link_beside_it_is_not_followed(void)
{
    static const char *const suffixes[] = {".new", ".tmp", ".XXXXXX", "~"};
    char guess[80];
    begin();
    put(other, "precious", 0600);
    for (size_t i = 0; i < 4; i++) {
        snprintf(guess, sizeof guess, "%s%s", path, suffixes[i]);
        CHECK_INT(symlink(other, guess), 0);
    }
    CHECK_INT(replace(path, "new"), 0);
    check_content(path, "new");
    check_content(other, "precious");
    for (size_t i = 0; i < 4; i++) {
        snprintf(guess, sizeof guess, "%s%s", path, suffixes[i]);
        CHECK_INT(unlink(guess), 0);
    }
}

static void only_files_are_replaced(void)
{
    struct base_why why;
    struct base_file_draft draft;
    begin();
    CHECK_INT(base_file_draft_open(&draft, "/dev/null", &in_place, &why), BASE_ERR_CANTCREATE);
    CHECK_STR(why.text, "/dev/null: Operation not supported");
    CHECK_INT(base_file_draft_open(&draft, folder, &in_place, &why), BASE_ERR_CANTCREATE);
    CHECK(strstr(why.text, "Is a directory"));
    CHECK_INT(base_file_draft_open(&draft, "/nonexistent/x", &in_place, &why), BASE_ERR_CANTCREATE);
    CHECK_STR(why.text, "/nonexistent/x: No such file or directory");
    CHECK(!in_place);
}

/* Runs a test in a child, whose failed checks are those of this one. */
static void in_child(void (*test)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        test();
        fflush(stdout);
        _exit(test_failed_here);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK_INT(status, 0);
}

static void in_a_closed_folder(void)
{
    if (geteuid() == 0 && (setegid(NOBODY) < 0 || seteuid(NOBODY) < 0))
        return;
    struct base_file_draft draft;
    struct base_why why;
    CHECK_INT(replace(path, "a new and longer one"), 0);
    CHECK(in_place);
    check_content(path, "a new and longer one");
    CHECK_INT(replace(path, "short"), 0);
    check_content(path, "short");
    in_place = false;
    CHECK_INT(base_file_draft_open(&draft, other, &in_place, &why), BASE_ERR_CANTCREATE);
    CHECK(strstr(why.text, other) && strstr(why.text, "Permission denied"));
    CHECK(!in_place);
}

static void a_file_in_a_closed_folder_is_overwritten(void)
{
    begin();
    put(path, "old", 0666);
    CHECK_INT(chmod(folder, 0555), 0);
    in_child(in_a_closed_folder);
    CHECK_INT(chmod(folder, 0700), 0);
    CHECK_INT(count_files(), 1);
    CHECK_INT(mode_of(path), 0666);
}

static void write_file(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        printf("# %s: %s\n", name, strerror(errno));
    close(fd);
}

/* A mount of its own, as containers make of a single file. False: the system does not let us. */
static bool mount_over(const char *from, const char *to)
{
    uid_t user = geteuid();
    char map[32];
    if (unshare(CLONE_NEWNS) < 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
            return false;
        snprintf(map, sizeof map, "0 %u 1", user);
        write_file("/proc/self/uid_map", map);
    }
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount(from, to, NULL, MS_BIND, NULL) == 0;
}

static void on_a_mount(void)
{
    if (!mount_over(other, path)) {
        printf("# skipped: no mounts here: %s\n", strerror(errno));
        return;
    }
    CHECK_INT(replace(path, "a new and longer one"), 0);
    CHECK(in_place);
    check_content(path, "a new and longer one");
    CHECK_INT(replace(path, "short"), 0);
    check_content(path, "short");
    check_content(other, "short");
    CHECK_INT(count_files(), 2);
}

static void a_mounted_file_is_overwritten(void)
{
    begin();
    put(path, "below", 0600);
    put(other, "mounted", 0640);
    in_child(on_a_mount);
    CHECK_INT(mode_of(other), 0640);
    check_content(path, "below");
}

static void without_memory_nothing_is_made(void)
{
    begin();
    put(path, "old", 0600);
    for (long n = 1, failed = 1; failed; n++) {
        struct base_file_draft draft;
        base_mem_fail(n, 1);
        failed = base_file_draft_open(&draft, path, &in_place, NULL);
        base_mem_fail(0, 0);
        CHECK(!failed || failed == BASE_ERR_NOMEM);
        CHECK(failed || n > 2);
        if (!failed)
            base_file_draft_close(&draft);
        CHECK_INT(count_files(), 1);
    }
    check_content(path, "old");
}

int main(void)
{
    if (!mkdtemp(folder))
        return EXIT_FAILURE;
    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    base_log_init("test", BASE_LOG_TEXT, BASE_LOG_ERROR);
    RUN(a_new_one_is_for_its_owner_alone);
    RUN(the_mode_of_the_old_one_stays);
    RUN(nobody_else_can_read_the_draft);
    RUN(two_drafts_do_not_meet);
    RUN(where_a_link_leads_to_is_replaced);
    RUN(where_a_link_leads_to_is_made);
    RUN(a_link_beside_it_is_not_followed);
    RUN(only_files_are_replaced);
    RUN(a_file_in_a_closed_folder_is_overwritten);
    RUN(a_mounted_file_is_overwritten);
    RUN(without_memory_nothing_is_made);
    begin();
    rmdir(folder);
    return test_end();
}

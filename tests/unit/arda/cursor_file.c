/* SPDX-License-Identifier: ISC
 *
 * Positions in a real file.
 */
#include "arda/stream/cursor_file.h"

#include "base/clock.h"
#include "base/mem.h"
#include "lib/test.h"

#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/arda-test-XXXXXX";
static char path[64];
static uint64_t now_us;

static uint64_t mono_us(void)
{
    return now_us;
}

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

static struct arda_cursor_file *open_file(void)
{
    struct arda_cursor_file *file = NULL;
    struct base_why why = {0, ""};
    CHECK_INT(arda_cursor_file_open(path, &file, &why), 0);
    CHECK_STR(why.text, "");
    return file;
}

static void set(struct arda_cursor_file *file, const char *tenant, uint64_t ms, uint64_t number)
{
    CHECK_INT(
        arda_cursor_file_set(file, slice(tenant), (struct arda_stream_id){ms, 7}, number, NULL), 0);
}

static void has(const struct arda_cursor_file *file, const char *tenant, uint64_t ms,
                uint64_t number)
{
    struct arda_stream_id id = {0, 0};
    uint64_t got = 0;
    CHECK(arda_cursor_file_get(file, slice(tenant), &id, &got));
    CHECK(id.ms == ms && id.seq == 7);
    CHECK_INT(got, number);
}

static ino_t inode(void)
{
    struct stat stat_now;
    CHECK_INT(stat(path, &stat_now), 0);
    return stat_now.st_ino;
}

/* What another process would read now. */
static void file_has(const char *want)
{
    char text[4096], squeezed[4096];
    size_t to = 0;
    FILE *stream = fopen(path, "r");
    size_t len = stream ? fread(text, 1, sizeof text, stream) : 0;
    if (stream)
        fclose(stream);
    CHECK_INT(len % 256, 0);
    for (size_t i = 0; i < len; i++)
        if (text[i] != ' ')
            squeezed[to++] = text[i];
    CHECK_BYTES(squeezed, to, want);
}

#define HEAD "{\"cursor\":1}\n"

static void the_file_tells_each_position_at_once(void)
{
    struct arda_cursor_file *file = open_file();
    file_has(HEAD);
    set(file, "acme", 5, 1);
    file_has(HEAD "{\"tenantId\":\"acme\",\"position\":\"5-7\",\"number\":1}\n");
    set(file, "globex", 6, 0);
    set(file, "acme", 1770552000000, UINT64_MAX - 1);
    file_has(HEAD "{\"tenantId\":\"acme\",\"position\":\"1770552000000-7\","
                  "\"number\":18446744073709551614}\n"
                  "{\"tenantId\":\"globex\",\"position\":\"6-7\",\"number\":null}\n");
    CHECK_INT(arda_cursor_file_close(file, NULL), 0);
    file = open_file();
    has(file, "acme", 1770552000000, UINT64_MAX - 1);
    has(file, "globex", 6, 0);
    CHECK(!arda_cursor_file_get(file, slice("other"), NULL, NULL));
    CHECK_INT(arda_cursor_file_close(file, NULL), 0);
    unlink(path);
}

static void it_is_replaced_once_a_second_and_at_the_end(void)
{
    struct arda_cursor_file *file = open_file();
    ino_t first = inode();
    set(file, "acme", 1, 1);
    now_us += 999999;
    set(file, "acme", 2, 2);
    CHECK(inode() == first);
    now_us++;
    set(file, "acme", 3, 3);
    ino_t second = inode();
    CHECK(second != first);
    file_has(HEAD "{\"tenantId\":\"acme\",\"position\":\"3-7\",\"number\":3}\n");
    set(file, "acme", 4, 4);
    CHECK(inode() == second);
    CHECK_INT(arda_cursor_file_close(file, NULL), 0);
    CHECK(inode() != second);
    unlink(path);
}

static void one_process_at_a_time_uses_it(void)
{
    struct arda_cursor_file *file = open_file(), *other = NULL;
    struct base_why why;
    CHECK_INT(arda_cursor_file_open(path, &other, &why), BASE_ERR_AGAIN);
    set(file, "acme", 1, 1);
    now_us += 2000000;
    set(file, "acme", 2, 2); /* replaced: the new one is locked as well */
    CHECK_INT(arda_cursor_file_open(path, &other, &why), BASE_ERR_AGAIN);
    CHECK_INT(arda_cursor_file_close(file, NULL), 0);
    file = open_file();
    has(file, "acme", 2, 2);
    CHECK_INT(arda_cursor_file_close(file, NULL), 0);
    unlink(path);
}

static void many_tenants_keep_their_places(void)
{
    struct arda_cursor_file *file = open_file();
    char name[65];
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "%064d", i);
        set(file, name, (uint64_t)i, UINT64_MAX);
    }
    for (int i = 499; i >= 0; i -= 3) {
        snprintf(name, sizeof name, "%064d", i);
        set(file, name, (uint64_t)i + 1000, 9);
    }
    CHECK_INT(arda_cursor_file_close(file, NULL), 0);
    file = open_file();
    for (int i = 0; i < 500; i++) {
        bool moved = i % 3 == 499 % 3;
        snprintf(name, sizeof name, "%064d", i);
        has(file, name, (uint64_t)i + (moved ? 1000 : 0), moved ? 9 : UINT64_MAX);
    }
    CHECK_INT(arda_cursor_file_close(file, NULL), 0);
    unlink(path);
}

static void memory_that_fails_leaves_the_file_alone(void)
{
    struct arda_cursor_file *file = open_file();
    set(file, "acme", 5, 5);
    CHECK_INT(arda_cursor_file_close(file, NULL), 0);
    bool failed = true;
    for (long fail = 1; failed && fail < 100; fail++) {
        file = NULL;
        base_mem_fail(fail, 1);
        int result = arda_cursor_file_open(path, &file, NULL);
        if (!result)
            result =
                arda_cursor_file_set(file, slice("globex"), (struct arda_stream_id){1, 7}, 1, NULL);
        failed = base_mem_tries() >= fail;
        base_mem_fail(0, 0);
        CHECK_INT(result, failed ? BASE_ERR_NOMEM : BASE_OK);
        if (file)
            CHECK_INT(arda_cursor_file_close(file, NULL), 0);
        file = open_file();
        has(file, "acme", 5, 5);
        CHECK_INT(arda_cursor_file_close(file, NULL), 0);
    }
    CHECK(!failed);
    unlink(path);
}

int main(void)
{
    if (!mkdtemp(folder))
        return EXIT_FAILURE;
    snprintf(path, sizeof path, "%s/cursor", folder);
    base_clock_replace(mono_us, NULL);
    RUN(the_file_tells_each_position_at_once);
    RUN(it_is_replaced_once_a_second_and_at_the_end);
    RUN(one_process_at_a_time_uses_it);
    RUN(many_tenants_keep_their_places);
    RUN(memory_that_fails_leaves_the_file_alone);
    rmdir(folder);
    return test_end();
}

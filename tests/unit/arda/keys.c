/* SPDX-License-Identifier: ISC */
#include "arda/name/keys.h"

#include "lib/test.h"

static void names_follow_the_catalog(void)
{
    char key[ARDA_KEY_MAX];
    CHECK_INT(arda_key(key, "arda", ARDA_KEY_EVENTS, "t1", 2), 14);
    CHECK_STR(key, "arda:events:t1");
    CHECK_INT(arda_key(key, "arda", ARDA_KEY_EVENTS, "global", 6), 18);
    CHECK_STR(key, "arda:events:global");
    CHECK_INT(arda_key(key, "a:b", ARDA_KEY_TENANTS, NULL, 0), 11);
    CHECK_STR(key, "a:b:tenants");
    CHECK_INT(arda_key(key, "arda", ARDA_KEY_LOOPS, "abc", 1), 12);
    CHECK_STR(key, "arda:loops:a");
}

static void the_longest_name_fits(void)
{
    char key[ARDA_KEY_MAX], prefix[ARDA_PREFIX_MAX + 1], id[ARDA_ID_MAX];
    memset(prefix, 'p', ARDA_PREFIX_MAX);
    prefix[ARDA_PREFIX_MAX] = '\0';
    memset(id, 'i', sizeof id);
    size_t len = arda_key(key, prefix, ARDA_KEY_PREFERENCES, id, sizeof id);
    CHECK_INT(len, ARDA_PREFIX_MAX + 1 + 11 + 1 + ARDA_ID_MAX);
    CHECK_INT(strlen(key), len);
    CHECK(memcmp(key + len - sizeof id, id, sizeof id) == 0);
}

static void marks_name_tenant_and_event(void)
{
    char key[ARDA_MARK_KEY_MAX], prefix[ARDA_PREFIX_MAX + 1], id[ARDA_ID_MAX];
    CHECK_INT(arda_mark_key(key, "arda", "t1", 2, "e-1", 3), 18);
    CHECK_STR(key, "arda:dedupe:t1:e-1");
    arda_mark_key(key, "arda", NULL, 0, "e-1", 3);
    CHECK_STR(key, "arda:dedupe:global:e-1");
    memset(prefix, 'p', ARDA_PREFIX_MAX);
    prefix[ARDA_PREFIX_MAX] = '\0';
    memset(id, 'i', sizeof id);
    CHECK_INT(arda_mark_key(key, prefix, id, sizeof id, id, sizeof id),
              ARDA_PREFIX_MAX + 8 + ARDA_ID_MAX + 1 + ARDA_ID_MAX);
}

static void runs_are_cut_into_chunks(void)
{
    char key[ARDA_MARK_KEY_MAX];
    CHECK_INT(arda_run_key(key, "arda", "r1", 2, 0), 13);
    CHECK_STR(key, "arda:run:r1:0");
    arda_run_key(key, "arda", "r1", 2, ARDA_RUN_CHUNK - 1);
    CHECK_STR(key, "arda:run:r1:0");
    arda_run_key(key, "arda", "r1", 2, UINT64_MAX);
    CHECK_STR(key, "arda:run:r1:281474976710655");
}

static void inboxes_name_tenant_and_user(void)
{
    char key[ARDA_INBOX_KEY_MAX], prefix[ARDA_PREFIX_MAX + 1], id[ARDA_ID_MAX + 1];
    CHECK_INT(arda_inbox_key(key, "arda", ARDA_KEY_UNREAD, "t1", "ann"), 18);
    CHECK_STR(key, "arda:unread:t1:ann");
    memset(prefix, 'p', ARDA_PREFIX_MAX);
    memset(id, 'i', ARDA_ID_MAX);
    prefix[ARDA_PREFIX_MAX] = id[ARDA_ID_MAX] = '\0';
    CHECK_INT(arda_inbox_key(key, prefix, ARDA_KEY_UNREAD, id, id),
              ARDA_PREFIX_MAX + 8 + ARDA_ID_MAX + 1 + ARDA_ID_MAX);
}

static void a_prefix_is_of_the_alphabet_and_colons(void)
{
    char prefix[ARDA_PREFIX_MAX + 2];
    for (int c = 1; c < 256; c++) {
        char text[] = {'a', (char)c, '\0'}, character = (char)c;
        CHECK(arda_prefix_valid(text) == (c == ':' || arda_id_valid(&character, 1)));
    }
    memset(prefix, ':', sizeof prefix);
    prefix[ARDA_PREFIX_MAX + 1] = '\0';
    CHECK(!arda_prefix_valid(prefix));
    prefix[ARDA_PREFIX_MAX] = '\0';
    CHECK(arda_prefix_valid(prefix));
    CHECK(!arda_prefix_valid(""));
}

int main(void)
{
    RUN(names_follow_the_catalog);
    RUN(the_longest_name_fits);
    RUN(marks_name_tenant_and_event);
    RUN(runs_are_cut_into_chunks);
    RUN(inboxes_name_tenant_and_user);
    RUN(a_prefix_is_of_the_alphabet_and_colons);
    return test_end();
}

/* SPDX-License-Identifier: ISC */
#include "base/id.h"

#include "base/clock.h"
#include "lib/test.h"

#include <pthread.h>

#define IDS     20000
#define THREADS 4

static int64_t wall_ms;

static int64_t stopped_clock(void)
{
    return wall_ms;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static unsigned long long time_of(const char *uuid)
{
    char digits[13];
    memcpy(digits, uuid, 8);
    memcpy(digits + 8, uuid + 9, 4);
    digits[12] = '\0';
    return strtoull(digits, NULL, 16);
}

static void a_uuid_has_its_form_and_the_time(void)
{
    char id[BASE_UUID_LEN + 1];
    wall_ms = 0x0198a1b2c3d4;
    base_clock_replace(NULL, stopped_clock);
    CHECK_INT(base_id_uuid7(id), 0);
    CHECK_INT(strlen(id), BASE_UUID_LEN);
    CHECK(base_id_is_uuid(id, BASE_UUID_LEN));
    CHECK_BYTES(id, 15, "0198a1b2-c3d4-7");
    CHECK(strchr("89ab", id[19]));
    base_clock_replace(NULL, NULL);
}

/* Draws `count` ids; each must be above `last`, which receives the last one. */
static void draw_increasing(int count, char last[static BASE_UUID_LEN + 1])
{
    int wrong = 0;
    for (int i = 0; i < count; i++) {
        char id[BASE_UUID_LEN + 1];
        CHECK_INT(base_id_uuid7(id), 0);
        wrong += strcmp(last, id) >= 0;
        memcpy(last, id, sizeof id);
    }
    CHECK_INT(wrong, 0);
}

static void uuids_increase_whatever_the_clock_does(void)
{
    char last[BASE_UUID_LEN + 1] = "";
    wall_ms = 0x0198a1b2c3d5;
    base_clock_replace(NULL, stopped_clock);
    draw_increasing(IDS, last);
    CHECK_INT(time_of(last), wall_ms);
    wall_ms++;
    draw_increasing(1, last);
    CHECK_INT(time_of(last), wall_ms);
    wall_ms -= 3600000;
    draw_increasing(IDS, last);
    CHECK_INT(time_of(last), wall_ms + 3600000);
    wall_ms = -1;
    draw_increasing(1, last);
    base_clock_replace(NULL, NULL);
}

static void *draw_many(void *ids)
{
    for (char(*id)[BASE_UUID_LEN + 1] = ids, (*end)[BASE_UUID_LEN + 1] = id + IDS; id < end; id++)
        if (base_id_uuid7(*id) < 0)
            (*id)[0] = '\0';
    return NULL;
}

static void threads_draw_different_and_increasing_uuids(void)
{
    static char ids[THREADS * IDS][BASE_UUID_LEN + 1];
    int wrong = 0;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, draw_many, ids[i * IDS]) != 0)
            abort();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 1; i < THREADS * IDS; i++)
        wrong += i % IDS != 0 && strcmp(ids[i - 1], ids[i]) >= 0;
    for (int i = 0; i < THREADS * IDS; i++)
        ids[i][23] = '\0'; /* time and count; what follows is random, and differs anyway */
    qsort(ids, THREADS * IDS, sizeof ids[0], compare);
    for (int i = 1; i < THREADS * IDS; i++)
        wrong += strcmp(ids[i - 1], ids[i]) >= 0;
    CHECK_INT(wrong, 0);
}

static void tokens_are_base64url_and_differ(void)
{
    static char tokens[IDS][BASE_TOKEN_LEN + 1];
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int wrong = 0;
    for (int i = 0; i < IDS; i++) {
        CHECK_INT(base_id_token(tokens[i]), 0);
        wrong += strlen(tokens[i]) != BASE_TOKEN_LEN || strspn(tokens[i], digits) != BASE_TOKEN_LEN;
    }
    qsort(tokens, IDS, sizeof tokens[0], compare);
    for (int i = 1; i < IDS; i++)
        wrong += strcmp(tokens[i - 1], tokens[i]) == 0;
    CHECK_INT(wrong, 0);
}

static void recognises_uuids(void)
{
    char text[] = "0123abCD-4567-89ab-CDEF-0123456789ef";
    CHECK(base_id_is_uuid(text, BASE_UUID_LEN));
    CHECK(!base_id_is_uuid(text, BASE_UUID_LEN - 1));
    CHECK(!base_id_is_uuid("{0123abcd-4567-89ab-cdef-0123456789e}", 37));
    CHECK(!base_id_is_uuid(NULL, 0));
    for (size_t i = 0; i < BASE_UUID_LEN; i++) {
        char kept = text[i];
        for (int c = 0; c < 256; c++) {
            bool want = kept == '-' ? c == '-' : c && strchr("0123456789abcdefABCDEF", c);
            text[i] = (char)c;
            CHECK(base_id_is_uuid(text, BASE_UUID_LEN) == want);
        }
        text[i] = kept;
    }
}

static void tells_the_time_of_a_version_7(void)
{
    uint64_t ms = 1;
    CHECK(base_id_uuid7_ms("017F22E2-79B0-7CC3-98C4-DC0C0C07398F", &ms));
    CHECK_INT(ms, 1645557742000); /* RFC 9562, appendix A.6 */
    CHECK(base_id_uuid7_ms("ffffffff-ffff-7000-8000-000000000000", &ms));
    CHECK_INT(ms, 0xffffffffffff);
    CHECK(!base_id_uuid7_ms("017f22e2-79b0-4cc3-98c4-dc0c0c07398f", &ms));
    CHECK(!base_id_uuid7_ms("017f22e2-79b0-7cc3-98c4-dc0c0c07398", &ms));
    CHECK(!base_id_uuid7_ms("", &ms));
}

/* HMAC-SHA-256 of "abc" with the key "key", as openssl(1) gives it, with version and variant. */
static void derived_ids_follow_from_key_and_bytes(void)
{
    char id[BASE_UUID_LEN + 1], other[BASE_UUID_LEN + 1];
    CHECK_INT(base_id_derive("key", 3, "abc", 3, id), 0);
    CHECK_STR(id, "9c196e32-dc01-85f8-af4b-1cb89289d661");
    CHECK(base_id_is_uuid(id, BASE_UUID_LEN));
    CHECK_INT(base_id_derive("keya", 4, "bc", 2, other), 0);
    CHECK(strcmp(id, other) != 0);
    CHECK_INT(base_id_derive("key", 3, "", 0, other), 0);
    CHECK(strcmp(id, other) != 0);
}

static void derives_the_same_from_the_same(void)
{
    char first[BASE_UUID_LEN + 1], second[BASE_UUID_LEN + 1];
    CHECK_INT(base_id_derive("key", 3, "text", 4, first), 0);
    CHECK(base_id_is_uuid(first, strlen(first)));
    CHECK(first[14] == '8' && strchr("89ab", first[19]));
    CHECK_INT(base_id_derive("key", 3, "text", 4, second), 0);
    CHECK_STR(first, second);
    CHECK_INT(base_id_derive("kez", 3, "text", 4, second), 0);
    CHECK(strcmp(first, second) != 0);
    CHECK_INT(base_id_derive("key", 3, "texu", 4, second), 0);
    CHECK(strcmp(first, second) != 0);
}

int main(void)
{
    RUN(a_uuid_has_its_form_and_the_time);
    RUN(uuids_increase_whatever_the_clock_does);
    RUN(threads_draw_different_and_increasing_uuids);
    RUN(tokens_are_base64url_and_differ);
    RUN(recognises_uuids);
    RUN(tells_the_time_of_a_version_7);
    RUN(derived_ids_follow_from_key_and_bytes);
    RUN(derives_the_same_from_the_same);
    return test_end();
}

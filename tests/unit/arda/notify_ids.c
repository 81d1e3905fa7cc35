/* SPDX-License-Identifier: ISC
 *
 * The vectors were computed apart from this code: printf 'acme\0KEY\0ann\0po_sent\0' | sha256sum,
 * its first 48 bits replaced by the time, version and variant set.
 */
#include "arda/notify_ids.h"

#include "base/err.h"
#include "base/id.h"
#include "base/mem.h"
#include "lib/test.h"

#define KEY "019c3d5e-8a00-7abc-8def-0123456789ab" /* 0x019c3d5e8a00 ms */

static struct arda_notify_cause cause;

static int read_cause(const char *text)
{
    struct arda_message message;
    CHECK_INT(arda_message_parse(text, strlen(text), "acme", 4, &message, NULL), ARDA_DROP_NONE);
    return arda_notify_cause_of(&message, &cause);
}

static void check_cause(const char *text, const char *key, int64_t time_ms, const char *id)
{
    CHECK_INT(read_cause(text), 0);
    CHECK_STR(cause.key, key);
    CHECK_INT(cause.time_ms, time_ms);
    CHECK_BYTES(cause.id.len ? cause.id.data : "", cause.id.len, id);
}

static void the_id_is_the_key(void)
{
    check_cause("{\"type\":\"x\",\"eventId\":\"" KEY "\"}", KEY, 0x019c3d5e8a00, "\"" KEY "\"");
    check_cause("{\"type\":\"x\",\"eventId\":\"e.1\",\"timestamp\":\"1970-01-01T00:00:01Z\"}",
                "e.1", 1000, "\"e.1\"");
    check_cause("{\"type\":\"x\",\"eventId\":\"\\u0065.1\"}", "e.1", -1, "\"\\u0065.1\"");
}

/* A uuid of version 7 tells the time, whatever else does. */
static void both_forms_of_an_event_agree(void)
{
#define EVENT "\"type\":\"x\",\"timestamp\":\"2026-02-08T12:00:00.000Z\""
    check_cause("{" EVENT ",\"eventId\":\"" KEY "\"}", KEY, 0x019c3d5e8a00, "\"" KEY "\"");
    check_cause("{\"id\":\"" KEY "\",\"timestamp\":\"2030-01-01T00:00:00Z\",\"event\":{" EVENT
                ",\"eventId\":\"" KEY "\"}}",
                KEY, 0x019c3d5e8a00, "\"" KEY "\"");
    struct arda_notify_cause bare;
    CHECK_INT(read_cause("{" EVENT "}"), 0);
    bare = cause;
    CHECK_INT(read_cause("{\"timestamp\":\"2030-01-01T00:00:00Z\",\"event\": {" EVENT "} }"), 0);
    CHECK_STR(cause.key, bare.key);
    CHECK_INT(cause.time_ms, 1770552000000);
    CHECK_INT(bare.time_ms, 1770552000000);
}

static void odd_ids_are_hashed(void)
{
    /* sha256 of "a b" */
    check_cause("{\"type\":\"x\",\"eventId\":\"a b\"}",
                "id:c8687a08aa5d6ed2044328fa6a697ab8e96dc34291e8c2034ae8c38e6fcc6d65", -1,
                "\"a b\"");
    check_cause("{\"type\":\"x\",\"eventId\":\"a\\u0020b\"}",
                "id:c8687a08aa5d6ed2044328fa6a697ab8e96dc34291e8c2034ae8c38e6fcc6d65", -1,
                "\"a\\u0020b\"");
    /* A lone surrogate has no other form than its text, "\ud800" with the quotes. */
    CHECK_INT(read_cause("{\"type\":\"x\",\"eventId\":\"\\ud800\"}"), 0);
    CHECK_INT(strlen(cause.key), 67);
}

static void long_ids_are_hashed_and_left_out(void)
{
    char text[1024];
    snprintf(text, sizeof text, "{\"type\":\"x\",\"eventId\":\"%0500d\"}", 7);
    CHECK_INT(read_cause(text), 0);
    CHECK_INT(strlen(cause.key), 67);
    CHECK_INT(cause.id.len, 0);
    snprintf(text, sizeof text, "{\"type\":\"x\",\"eventId\":\"%065d\"}", 7);
    CHECK_INT(read_cause(text), 0);
    CHECK_INT(strlen(cause.key), 67);
    CHECK_INT(cause.id.len, 67);
}

static void without_an_id_the_text_is_the_key(void)
{
    /* sha256 of {"type":"x"} */
    check_cause("{\"type\":\"x\"}",
                "event:c432d16d2a54b09f4af18a18a547a31b57d802f3e057950b50a62052c14cc999", -1, "");
    check_cause(" {\"type\":\"x\"} ", cause.key, -1, "");
    check_cause("{\"event\":{\"type\":\"x\"}}", cause.key, -1, "");
    check_cause("{\"id\":\"\",\"event\":{\"type\":\"x\"}}", cause.key, -1, "");
}

static void times_outside_48_bits_are_none(void)
{
    static const char *const times[] = {"\"1969-12-31T23:59:59Z\"", "\"yesterday\"", "5", "null",
                                        "\"2026-02-08\""};
    char text[128];
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        snprintf(text, sizeof text, "{\"type\":\"x\",\"eventId\":\"e\",\"timestamp\":%s}",
                 times[i]);
        check_cause(text, "e", -1, "\"e\"");
    }
    check_cause("{\"type\":\"x\",\"eventId\":\"FFFFFFFF-FFFF-7abc-8def-0123456789ab\"}",
                "FFFFFFFF-FFFF-7abc-8def-0123456789ab", 0xFFFFFFFFFFFF,
                "\"FFFFFFFF-FFFF-7abc-8def-0123456789ab\"");
    check_cause("{\"type\":\"x\",\"eventId\":\"019c3d5e-8a00-4abc-8def-0123456789ab\"}",
                "019c3d5e-8a00-4abc-8def-0123456789ab", -1,
                "\"019c3d5e-8a00-4abc-8def-0123456789ab\"");
}

/* ---- ids ---- */

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

static const char *id_of(int64_t ms, const char *tenant, const char *key, const char *user,
                         const char *type)
{
    static char id[ARDA_NOTIFY_ID_LEN + 1];
    CHECK_INT(arda_notify_id(ms, slice(tenant), key, slice(user), slice(type), id), 0);
    return id;
}

static void ids_are_those_of_the_vectors(void)
{
    char id[ARDA_NOTIFY_ID_LEN + 1], other[ARDA_NOTIFY_ID_LEN + 1];
    CHECK_STR(id_of(0x019c3d5e8a00, "acme", KEY, "ann", "po_sent"),
              "019c3d5e-8a00-8d57-b1f5-4b348afb496a");
    CHECK_STR(id_of(-1, "acme", KEY, "ann", "po_sent"), "db365154-d9e9-8d57-b1f5-4b348afb496a");
    CHECK_STR(id_of(0, "acme", KEY, "ann", "po_sent"), "00000000-0000-8d57-b1f5-4b348afb496a");
    strcpy(id, id_of(0x019c3d5e8a00, "acme", KEY, "ann", "po_sent"));
    CHECK_INT(arda_notify_event_id(id, other), 0);
    CHECK_STR(other, "019c3d5e-8a00-8e7f-a235-36eae89dd996");
    CHECK_INT(arda_notify_delivery_id(id, ARDA_NOTIFY_EMAIL, other), 0);
    CHECK_STR(other, "019c3d5e-8a00-8be0-86d3-ed23ac9e6db9");
    CHECK_INT(arda_notify_delivery_id(id, ARDA_NOTIFY_WEBHOOK, other), 0);
    CHECK_STR(other, "019c3d5e-8a00-845c-bf85-ace353f1e57e");
}

static void everything_that_differs_makes_another_id(void)
{
    char ids[6][ARDA_NOTIFY_ID_LEN + 1];
    strcpy(ids[0], id_of(5, "acme", "k", "ann", "po_sent"));
    strcpy(ids[1], id_of(5, "acm", "ek", "ann", "po_sent"));
    strcpy(ids[2], id_of(5, "acme", "k2", "ann", "po_sent"));
    strcpy(ids[3], id_of(5, "acme", "k", "bob", "po_sent"));
    strcpy(ids[4], id_of(5, "acme", "k", "ann", "po_received"));
    strcpy(ids[5], id_of(6, "acme", "k", "ann", "po_sent"));
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < i; k++)
            CHECK(strcmp(ids[i], ids[k]) != 0);
    CHECK_STR(id_of(5, "acme", "k", "ann", "po_sent"), ids[0]);
    CHECK(strcmp(ids[0], ids[5]) < 0);
}

static void the_longest_texts_fit(void)
{
    char longest[ARDA_NOTIFY_KEY_MAX + 1];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    CHECK(base_id_is_uuid(id_of(1, longest, longest, longest, longest), ARDA_NOTIFY_ID_LEN));
}

static void survives_failing_allocations(void)
{
    base_mem_fail(1, 100);
    int result = read_cause("{\"type\":\"x\",\"eventId\":\"\\u0065\"}");
    base_mem_fail(0, 0);
    CHECK_INT(result, BASE_ERR_NOMEM);
}

int main(void)
{
    RUN(the_id_is_the_key);
    RUN(both_forms_of_an_event_agree);
    RUN(odd_ids_are_hashed);
    RUN(long_ids_are_hashed_and_left_out);
    RUN(without_an_id_the_text_is_the_key);
    RUN(times_outside_48_bits_are_none);
    RUN(ids_are_those_of_the_vectors);
    RUN(everything_that_differs_makes_another_id);
    RUN(the_longest_texts_fit);
    RUN(survives_failing_allocations);
    return test_end();
}

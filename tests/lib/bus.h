/* SPDX-License-Identifier: ISC
 *
 * bus: a bus on the test's loop, and ears that note what they hear.
 */
#ifndef TEST_BUS_H
#define TEST_BUS_H

#include "arda/bus.h"
#include "lib/loop.h"

/* ---- a bus ---- */

struct test_bus {
    struct arda_bus *bus;
    int ups, downs;
    char why[256]; /* of the last outage */
    bool closed;
};

static inline void test_on_state(void *data, bool up, const struct base_why *why)
{
    struct test_bus *test = data;
    test->ups += up;
    test->downs += !up;
    if (!up)
        snprintf(test->why, sizeof test->why, "%s", why->text);
}

static inline void test_bus_open(struct test_bus *test, const char *url)
{
    struct base_why why = {0, ""};
    struct arda_bus_options options = {.url = url, .on_state = test_on_state, .data = test};
    *test = (struct test_bus){0};
    CHECK_INT(arda_bus_new(&test_loop, &options, &test->bus, &why), 0);
    CHECK_STR(why.text, "");
}

static inline void test_bus_up(struct test_bus *test, const char *url)
{
    test_bus_open(test, url);
    RUN_UNTIL(arda_bus_is_up(test->bus));
}

static inline void test_on_closed(void *data)
{
    ((struct test_bus *)data)->closed = true;
}

static inline void test_bus_close(struct test_bus *test)
{
    arda_bus_shutdown(test->bus, 5000, test_on_closed, test);
    RUN_UNTIL(test->closed);
}

/* ---- a subscription ---- */

struct test_ear {
    struct arda_subscription *subscription;
    int messages, stands, falls;
    bool standing;
    char text[1024], event[1024], tenant[80]; /* of the last message */
};

static inline void test_copy(char *out, size_t size, struct base_slice text)
{
    snprintf(out, size, "%.*s", (int)text.len, text.len ? text.data : "");
}

static inline void test_on_message(void *data, const struct arda_message *message)
{
    struct test_ear *ear = data;
    ear->messages++;
    test_copy(ear->text, sizeof ear->text, message->text);
    test_copy(ear->event, sizeof ear->event, message->event);
    test_copy(ear->tenant, sizeof ear->tenant, message->tenant);
}

static inline void test_on_standing(void *data, bool standing)
{
    struct test_ear *ear = data;
    CHECK(ear->standing != standing);
    ear->standing = standing;
    ear->stands += standing;
    ear->falls += !standing;
}

/* On a tenant, or on the global channel for NULL. */
static inline void test_ear_open(struct test_ear *ear, struct arda_bus *bus, const char *tenant)
{
    const struct arda_handlers handlers = {test_on_message, test_on_standing, ear};
    *ear = (struct test_ear){0};
    CHECK_INT(tenant ? arda_bus_subscribe_tenant(bus, tenant, strlen(tenant), &handlers,
                                                 &ear->subscription)
                     : arda_bus_subscribe_global(bus, &handlers, &ear->subscription),
              0);
}

static inline void test_ear_up(struct test_ear *ear, struct arda_bus *bus, const char *tenant)
{
    test_ear_open(ear, bus, tenant);
    RUN_UNTIL(ear->standing);
}

/* ---- a publication ---- */

struct test_publication {
    int answers, result;
    char stream_id[64], why[256];
};

static inline void test_on_published(void *data, int result, const char *stream_id,
                                     const struct base_why *why)
{
    struct test_publication *publication = data;
    publication->answers++;
    publication->result = result;
    snprintf(publication->stream_id, sizeof publication->stream_id, "%s",
             stream_id ? stream_id : "");
    snprintf(publication->why, sizeof publication->why, "%s", why ? why->text : "");
}

static inline struct base_slice test_slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

/* `envelope` empty: no entry in the stream. */
static inline int test_publish(struct arda_bus *bus, const char *tenant, const char *message,
                               const char *envelope, struct test_publication *answer)
{
    const struct arda_publication publication = {
        .tenant = test_slice(tenant),
        .message = test_slice(message),
        .envelope = test_slice(envelope),
        .type = test_slice("card.transition"),
        .source = test_slice("tests"),
        .timestamp = test_slice("2026-02-08T12:00:00.000Z"),
    };
    *answer = (struct test_publication){0};
    return arda_bus_publish(bus, &publication, test_on_published, answer);
}

#endif

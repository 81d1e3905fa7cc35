/* SPDX-License-Identifier: ISC */
#include "compare.h"

#include "match.h"

#include "arda/bus.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rfc3339.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>
#include <uv.h>

#define BUS_TIMEOUT_MS 1000
#define ROUNDS         2 /* answers of the bus before differences count */

struct compare {
    struct compare_options options;
    struct match match;
    struct arda_bus *bus;
    uv_timer_t grace;
    struct base_buf user; /* whom the gateway takes us for */
    bool stands;          /* the subscription */
    bool ready;           /* it was told */
    bool connected;       /* to the gateway */
    bool counting;
    bool has_begun;
    bool asking; /* the bus has not answered yet */
    int rounds;
    bool ending;
};

static void changed(struct compare *compare);

/* ---- beginning to count ---- */

static void ask(struct compare *compare);

static void on_answer(void *data, int result)
{
    struct compare *compare = data;
    compare->asking = false;
    if (compare->ending || result < 0 || !compare->stands || !compare->connected)
        return;
    if (++compare->rounds < ROUNDS) {
        ask(compare);
        return;
    }
    compare->counting = compare->has_begun = true;
    base_log(BASE_LOG_INFO, "comparing");
}

static void ask(struct compare *compare)
{
    if (compare->ending || compare->counting || compare->asking || !compare->stands ||
        !compare->connected)
        return;
    compare->asking = true;
    arda_bus_ping(compare->bus, on_answer, compare);
}

static void begin(struct compare *compare)
{
    /* An answer that is still to come is to an older question. */
    compare->rounds = compare->asking ? -1 : 0;
    ask(compare);
}

static void pause_counting(struct compare *compare)
{
    compare->counting = false;
    match_pause(&compare->match);
}

/* ---- differences ---- */

static int add_member(struct base_buf *out, const char *name, struct base_slice text)
{
    if (base_buf_printf(out, ",\"%s\":", name) < 0)
        return BASE_ERR_NOMEM;
    return text.len ? base_text_flat(out, text) : base_buf_add_text(out, "null");
}

static int add_members(struct base_buf *out, const struct match_difference *difference)
{
    int failed = BASE_OK;
    if (difference->kind == MATCH_TEXT) {
        failed = add_member(out, "bus", difference->text);
        return failed ? failed : add_member(out, "gateway", difference->other);
    }
    if (difference->kind == MATCH_ORDER)
        failed = add_member(out, "behind", difference->behind);
    else if (difference->kind == MATCH_NAME)
        failed = add_member(out, "name", difference->name);
    return failed ? failed : add_member(out, "event", difference->text);
}

static int write_difference(struct base_buf *out, const struct match_difference *difference)
{
    static const char *const heads[] = {
        [MATCH_MISSING] = "\"missing\":\"gateway\"",
        [MATCH_ORDER] = "\"order\":\"gateway\"",
        [MATCH_TEXT] = "\"differs\":\"text\"",
        [MATCH_NAME] = "\"differs\":\"name\"",
        [MATCH_UNEXPECTED] = "\"unexpected\":\"gateway\"",
    };
    bool bus = difference->kind == MATCH_MISSING && difference->side == MATCH_BUS;
    const char *head = bus ? "\"missing\":\"bus\"" : heads[difference->kind];
    char at[BASE_RFC3339_LEN + 1];
    base_rfc3339_format(base_clock_wall_ms(), at);
    if (base_buf_printf(out, "{%s,\"at\":\"%s\"", head, at) < 0 || add_members(out, difference) < 0)
        return BASE_ERR_NOMEM;
    return base_buf_add_text(out, "}\n");
}

static void on_difference(void *data, const struct match_difference *difference)
{
    struct compare *compare = data;
    struct base_buf *out = compare->options.out;
    size_t before = out->len;
    if (write_difference(out, difference) < 0) {
        out->len = before;
        base_log(BASE_LOG_ERROR, "out of memory: a difference is not shown");
    }
}

static void on_grace(uv_timer_t *timer)
{
    struct compare *compare = timer->data;
    match_expire(&compare->match, (int64_t)uv_now(timer->loop));
    changed(compare);
}

/* Behind everything that has come. */
static void changed(struct compare *compare)
{
    int64_t due_ms = match_due_ms(&compare->match);
    int64_t now_ms = (int64_t)uv_now(compare->grace.loop);
    if (due_ms >= 0 && !uv_is_active((uv_handle_t *)&compare->grace))
        uv_timer_start(&compare->grace, on_grace, due_ms > now_ms ? (uint64_t)(due_ms - now_ms) : 0,
                       0);
    compare->options.on_change(compare->options.data);
}

static void check_memory(struct compare *compare, int result)
{
    if (result == BASE_ERR_NOMEM) {
        base_log(BASE_LOG_ERROR, "out of memory: an event cannot be compared");
        compare->options.on_fail(compare->options.data, BASE_ERR_NOMEM);
    }
}

/* ---- the gateway ---- */

/* {"tenantId":…,"userId":…,"timestamp":…} */
static void learn_user(struct compare *compare, const struct base_json_value *greeting)
{
    struct base_json_member user = BASE_JSON_WANT("userId");
    compare->user.len = 0;
    if (greeting->kind == BASE_JSON_OBJECT &&
        base_json_pick(greeting->text, greeting->len, &user, 1, NULL, NULL) == 0)
        base_json_unescape(&user.value, &compare->user);
}

static bool is_named(const struct base_json_value *name, const char *text)
{
    return base_json_equals(name, text, strlen(text));
}

static void on_event(struct compare *compare, const struct client_record *record)
{
    const struct base_json_value *name = &record->packet->name;
    struct base_json_value event = client_event_first(record->packet);
    if (is_named(name, "connected")) {
        learn_user(compare, &event);
        return;
    }
    if (is_named(name, "pong") || is_named(name, "error"))
        return;
    int result = match_gateway(&compare->match, (int64_t)uv_now(compare->grace.loop), name,
                               (struct base_slice){event.text, event.len}, !compare->counting);
    check_memory(compare, result);
    changed(compare);
}

void compare_record(struct compare *compare, const struct client_record *record)
{
    if (record->kind == CLIENT_RECORD_CONNECT) {
        compare->connected = true;
        begin(compare);
    } else if (record->kind == CLIENT_RECORD_DISCONNECT) {
        compare->connected = false;
        pause_counting(compare);
    } else if (record->kind == CLIENT_RECORD_EVENT) {
        on_event(compare, record);
    }
}

/* ---- the bus ---- */

static void on_message(void *data, const struct arda_message *message)
{
    struct compare *compare = data;
    if (compare->ending)
        return;
    int result =
        match_bus(&compare->match, (int64_t)uv_now(compare->grace.loop), message->event,
                  (struct base_slice){compare->user.data, compare->user.len}, !compare->counting);
    check_memory(compare, result);
    changed(compare);
}

static void on_standing(void *data, bool standing)
{
    struct compare *compare = data;
    compare->stands = standing;
    if (compare->ending)
        return;
    if (!standing) {
        pause_counting(compare);
        return;
    }
    begin(compare);
    if (!compare->ready) {
        compare->ready = true;
        compare->options.on_ready(compare->options.data);
    }
}

static void on_refused(void *data, const struct base_why *why)
{
    struct compare *compare = data;
    base_log(BASE_LOG_ERROR, "%s", why->text);
    if (!compare->ending)
        compare->options.on_fail(compare->options.data, why->code);
}

static void on_state(void *data, bool up, const struct base_why *why)
{
    struct compare *compare = data;
    if (compare->ending)
        return;
    if (!up && arda_bus_is_refusal(why)) {
        on_refused(compare, why);
        return;
    }
    if (up)
        begin(compare);
    else
        base_log(BASE_LOG_WARNING, "%s; trying again until it is back", why->text);
}

/* ---- life ---- */

int compare_new(struct uv_loop_s *loop, const struct compare_options *options, struct compare **out,
                struct base_why *why)
{
    struct arda_subscription *ignored;
    struct compare *compare = base_calloc(1, sizeof *compare);
    if (!compare)
        return base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
    compare->options = *options;
    struct arda_handlers handlers = {on_message, on_standing, compare};
    struct arda_bus_options bus_options = {.url = options->redis,
                                           .prefix = options->prefix,
                                           .name = "arda-subscribe",
                                           .use = ARDA_BUS_READS,
                                           .on_state = on_state,
                                           .on_refused = on_refused,
                                           .data = compare};
    int failed = arda_bus_new(loop, &bus_options, &compare->bus, why);
    if (!failed) {
        failed = arda_bus_subscribe_tenant(compare->bus, options->tenant, strlen(options->tenant),
                                           &handlers, &ignored);
        if (failed)
            arda_bus_shutdown(compare->bus, 0, NULL, NULL);
        if (failed)
            base_why_set(why, failed, "%s: %s", options->tenant, base_err_text(failed));
    }
    if (failed) {
        base_free(compare);
        return failed;
    }
    match_init(&compare->match, options->grace_ms, on_difference, compare);
    uv_timer_init(loop, &compare->grace);
    compare->grace.data = compare;
    *out = compare;
    return BASE_OK;
}

uint64_t compare_decided(const struct compare *compare)
{
    return match_decided(&compare->match);
}

bool compare_has_begun(const struct compare *compare)
{
    return compare->has_begun;
}

static void log_sums(const struct match *match)
{
    base_log(BASE_LOG_INFO,
             "%" PRIu64 " events came both ways, %" PRIu64 " of them out of order, %" PRIu64
             " of them different; missing: %" PRIu64 " at the gateway, %" PRIu64
             " on the bus; unexpected: %" PRIu64 "; not for clients: %" PRIu64
             "; undecided: %" PRIu64,
             match->both, match->differences[MATCH_ORDER],
             match->differences[MATCH_TEXT] + match->differences[MATCH_NAME],
             match->missing[MATCH_GATEWAY], match->missing[MATCH_BUS],
             match->differences[MATCH_UNEXPECTED], match->left_out, match_undecided(match));
}

static void on_bus_closed(void *data)
{
    struct compare *compare = data;
    match_fini(&compare->match);
    base_buf_fini(&compare->user);
    base_free(compare);
}

static void on_grace_closed(uv_handle_t *handle)
{
    struct compare *compare = handle->data;
    arda_bus_shutdown(compare->bus, BUS_TIMEOUT_MS, on_bus_closed, compare);
}

bool compare_end(struct compare *compare)
{
    bool found = match_differences(&compare->match) > 0;
    if (!compare->ending) {
        compare->ending = true;
        log_sums(&compare->match);
        uv_close((uv_handle_t *)&compare->grace, on_grace_closed);
    }
    return found;
}

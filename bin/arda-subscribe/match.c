/* SPDX-License-Identifier: ISC
 *
 * An entry leaves its reading when it is matched or has expired, except that one of the gateway's
 * also waits for those before it, so that the order is looked at in the gateway's order: each has
 * to come from further back on the bus than all before it.
 */
#include "match.h"

#include "base/err.h"
#include "base/mem.h"
#include "net/codec/sio.h"

#include <string.h>

#define MOST_BYTES (64 * 1024 * 1024) /* that wait; the oldest are then decided upon early */

struct entry {
    struct base_list link;
    struct entry *same; /* the next with the same key */
    int64_t at_ms;
    uint64_t place; /* on the bus: its own, or that of its counterpart */
    bool optional;
    bool matched;
    struct base_slice key; /* into `text` */
    struct base_slice id;  /* with quotes, or empty */
    size_t len;
    char text[];
};

static struct entry *entry_of(struct base_list *link)
{
    return base_container(link, struct entry, link);
}

void match_init(struct match *match, int64_t grace_ms, match_found_fn found, void *data)
{
    *match = (struct match){.grace_ms = grace_ms, .found = found, .data = data};
    base_list_init(&match->readings[MATCH_BUS].entries);
    base_list_init(&match->readings[MATCH_GATEWAY].entries);
}

void match_fini(struct match *match)
{
    for (int side = 0; side < 2; side++) {
        struct match_reading *reading = &match->readings[side];
        BASE_LIST_FOREACH_SAFE (link, &reading->entries)
            base_free(entry_of(link));
        base_list_init(&reading->entries);
        base_map_fini(&reading->known);
    }
    base_buf_fini(&match->highest_id);
}

static void tell(struct match *match, const struct match_difference *difference)
{
    match->differences[difference->kind]++;
    if (difference->kind == MATCH_MISSING)
        match->missing[difference->side]++;
    match->found(match->data, difference);
}

static struct base_slice text_of(const struct entry *entry)
{
    return (struct base_slice){entry->text, entry->len};
}

/* ---- entries ---- */

/* What of an event is looked at. */
struct parts {
    struct base_json_value type;
    struct base_slice id;
    struct base_json_value user;
};

static int read_parts(struct base_slice event, struct parts *parts)
{
    struct base_json_member wanted[] = {BASE_JSON_WANT("type"), BASE_JSON_WANT("eventId"),
                                        BASE_JSON_WANT("userId")};
    *parts = (struct parts){0};
    if (base_json_pick(event.data, event.len, wanted, 3, NULL, NULL) < 0)
        return BASE_ERR_SYNTAX;
    parts->type = wanted[0].value;
    parts->user = wanted[2].value;
    if (wanted[1].value.kind == BASE_JSON_STRING && wanted[1].value.len > strlen("\"\""))
        parts->id = (struct base_slice){wanted[1].value.text, wanted[1].value.len};
    return BASE_OK;
}

static struct entry *new_entry(struct base_slice event, struct base_slice id, int64_t at_ms,
                               bool optional)
{
    struct entry *entry = base_malloc(sizeof *entry + event.len + id.len);
    if (!entry)
        return NULL;
    *entry = (struct entry){.at_ms = at_ms, .optional = optional, .len = event.len};
    base_list_init(&entry->link);
    memcpy(entry->text, event.data, event.len);
    memcpy(entry->text + event.len, id.data ? id.data : "", id.len);
    if (id.len)
        entry->id = (struct base_slice){entry->text + event.len, id.len};
    entry->key = id.len ? entry->id : text_of(entry);
    return entry;
}

static int add(struct match *match, enum match_side side, struct entry *entry)
{
    struct match_reading *reading = &match->readings[side];
    struct entry *first = base_map_get(&reading->known, entry->key.data, entry->key.len);
    if (!first && base_map_set(&reading->known, entry->key.data, entry->key.len, entry) < 0)
        return BASE_ERR_NOMEM;
    while (first && first->same)
        first = first->same;
    if (first)
        first->same = entry;
    base_list_append(&reading->entries, &entry->link);
    match->bytes += sizeof *entry + entry->len;
    return BASE_OK;
}

/* Others can no longer be matched with it. Making room for none needs no memory. */
static void forget(struct match *match, enum match_side side, struct entry *entry)
{
    struct base_map *known = &match->readings[side].known;
    struct entry *first = base_map_get(known, entry->key.data, entry->key.len);
    if (first == entry && entry->same) {
        base_map_set(known, entry->key.data, entry->key.len, entry->same);
    } else if (first == entry) {
        base_map_remove(known, entry->key.data, entry->key.len);
    } else {
        while (first && first->same != entry)
            first = first->same;
        if (first)
            first->same = entry->same;
    }
    entry->same = NULL;
}

static void drop(struct match *match, struct entry *entry)
{
    base_list_remove(&entry->link);
    match->bytes -= sizeof *entry + entry->len;
    base_free(entry);
}

/* ---- order ---- */

static void check_order(struct match *match, const struct entry *entry)
{
    if (entry->place > match->highest) {
        match->highest = entry->place;
        match->highest_id.len = 0;
        base_buf_add(&match->highest_id, entry->id.data, entry->id.len);
        return;
    }
    struct match_difference difference = {
        .kind = MATCH_ORDER,
        .side = MATCH_GATEWAY,
        .text = text_of(entry),
        .behind = {match->highest_id.data, match->highest_id.len},
    };
    tell(match, &difference);
}

static void settle_gateway(struct match *match)
{
    struct base_list *entries = &match->readings[MATCH_GATEWAY].entries;
    while (!base_list_empty(entries) && entry_of(entries->next)->matched) {
        struct entry *entry = entry_of(entries->next);
        if (!entry->optional)
            check_order(match, entry);
        drop(match, entry);
    }
}

/* ---- pairs ---- */

static bool equal(struct base_slice a, struct base_slice b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* The gateway's entry may be one that waits or one that is not in its reading yet; the bus's is
 * freed by the caller. */
static void pair(struct match *match, const struct entry *bus, struct entry *gateway)
{
    gateway->matched = true;
    gateway->place = bus->place;
    gateway->optional |= bus->optional;
    if (!gateway->optional)
        match->both++;
    if (!equal(text_of(bus), text_of(gateway))) {
        struct match_difference difference = {.kind = MATCH_TEXT,
                                              .side = MATCH_GATEWAY,
                                              .text = text_of(bus),
                                              .other = text_of(gateway)};
        tell(match, &difference);
    }
}

static void expire_oldest(struct match *match, enum match_side side)
{
    struct entry *entry = entry_of(match->readings[side].entries.next);
    enum match_side other = side == MATCH_BUS ? MATCH_GATEWAY : MATCH_BUS;
    struct match_difference difference = {
        .kind = MATCH_MISSING, .side = other, .text = text_of(entry)};
    forget(match, side, entry);
    if (!entry->optional)
        tell(match, &difference);
    drop(match, entry);
    settle_gateway(match);
}

static void bound(struct match *match)
{
    while (match->bytes > MOST_BYTES) {
        enum match_side side =
            base_list_empty(&match->readings[MATCH_BUS].entries) ? MATCH_GATEWAY : MATCH_BUS;
        expire_oldest(match, side);
    }
}

/* ---- what comes ---- */

/* What the gateway says on its own, and what no client can be told (arda-protocol(7)). */
static bool never_passed_on(const struct base_json_value *type)
{
    static const char *const own[] = {"connected", "pong", "error"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (base_json_equals(type, own[i], strlen(own[i])))
            return true;
    return net_sio_reserved(type);
}

static bool is_secret(const struct base_json_value *type)
{
    static const char prefix[] = "security.";
    struct base_buf plain = BASE_BUF_INIT;
    bool secret = base_json_unescape(type, &plain) == 0 && plain.len >= strlen(prefix) &&
                  memcmp(plain.data, prefix, strlen(prefix)) == 0;
    base_buf_fini(&plain);
    return secret;
}

/* Those of others, or of nobody known, may be passed on, as the gateway is told to. */
static bool is_for_another(const struct parts *parts, struct base_slice user)
{
    static const char type[] = "notification.created";
    return base_json_equals(&parts->type, type, strlen(type)) &&
           (user.len == 0 || !base_json_equals(&parts->user, user.data, user.len));
}

int match_bus(struct match *match, int64_t at_ms, struct base_slice event, struct base_slice user,
              bool optional)
{
    struct parts parts;
    if (read_parts(event, &parts) < 0)
        return BASE_ERR_SYNTAX;
    if (never_passed_on(&parts.type) || is_secret(&parts.type)) {
        match->left_out += !optional;
        return BASE_OK;
    }
    optional |= is_for_another(&parts, user);
    struct entry *entry = new_entry(event, parts.id, at_ms, optional);
    if (!entry)
        return BASE_ERR_NOMEM;
    entry->place = ++match->readings[MATCH_BUS].count;
    struct entry *gateway =
        base_map_get(&match->readings[MATCH_GATEWAY].known, entry->key.data, entry->key.len);
    if (!gateway) {
        int failed = add(match, MATCH_BUS, entry);
        if (failed)
            base_free(entry);
        bound(match);
        return failed;
    }
    forget(match, MATCH_GATEWAY, gateway);
    pair(match, entry, gateway);
    base_free(entry);
    settle_gateway(match);
    return BASE_OK;
}

static bool same_string(const struct base_json_value *a, const struct base_json_value *b)
{
    struct base_buf x = BASE_BUF_INIT, y = BASE_BUF_INIT;
    bool same = a->kind == b->kind && a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
    if (!same && base_json_unescape(a, &x) == 0 && base_json_unescape(b, &y) == 0)
        same = x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
    base_buf_fini(&x);
    base_buf_fini(&y);
    return same;
}

static void check_name(struct match *match, const struct base_json_value *name,
                       const struct parts *parts, struct base_slice event)
{
    struct match_difference difference = {
        .kind = MATCH_NAME, .side = MATCH_GATEWAY, .text = event, .name = {name->text, name->len}};
    if (!same_string(name, &parts->type))
        tell(match, &difference);
}

int match_gateway(struct match *match, int64_t at_ms, const struct base_json_value *name,
                  struct base_slice event, bool optional)
{
    struct parts parts;
    bool readable = read_parts(event, &parts) == 0;
    if (!readable || is_secret(&parts.type) || is_secret(name)) {
        struct match_difference difference = {
            .kind = MATCH_UNEXPECTED, .side = MATCH_GATEWAY, .text = event};
        tell(match, &difference);
        return BASE_OK;
    }
    check_name(match, name, &parts, event);
    struct entry *entry = new_entry(event, parts.id, at_ms, optional);
    if (!entry)
        return BASE_ERR_NOMEM;
    struct entry *bus =
        base_map_get(&match->readings[MATCH_BUS].known, entry->key.data, entry->key.len);
    if (bus) {
        forget(match, MATCH_BUS, bus);
        pair(match, bus, entry);
        drop(match, bus);
        base_list_append(&match->readings[MATCH_GATEWAY].entries, &entry->link);
        match->bytes += sizeof *entry + entry->len;
    } else if (add(match, MATCH_GATEWAY, entry) < 0) {
        base_free(entry);
        return BASE_ERR_NOMEM;
    }
    settle_gateway(match);
    bound(match);
    return BASE_OK;
}

/* ---- time ---- */

void match_expire(struct match *match, int64_t now_ms)
{
    for (int side = 0; side < 2; side++) {
        struct base_list *entries = &match->readings[side].entries;
        while (!base_list_empty(entries) &&
               entry_of(entries->next)->at_ms + match->grace_ms <= now_ms)
            expire_oldest(match, (enum match_side)side);
    }
}

int64_t match_due_ms(const struct match *match)
{
    int64_t due_ms = -1;
    for (int side = 0; side < 2; side++) {
        struct base_list *first = match->readings[side].entries.next;
        if (first == &match->readings[side].entries)
            continue;
        int64_t first_ms = entry_of(first)->at_ms + match->grace_ms;
        due_ms = due_ms < 0 || first_ms < due_ms ? first_ms : due_ms;
    }
    return due_ms;
}

void match_pause(struct match *match)
{
    for (int side = 0; side < 2; side++)
        BASE_LIST_FOREACH (link, &match->readings[side].entries)
            entry_of(link)->optional = true;
}

uint64_t match_decided(const struct match *match)
{
    return match->both + match->missing[MATCH_BUS] + match->missing[MATCH_GATEWAY];
}

uint64_t match_undecided(const struct match *match)
{
    uint64_t undecided = 0;
    for (int side = 0; side < 2; side++)
        BASE_LIST_FOREACH (link, &match->readings[side].entries)
            undecided += !entry_of(link)->optional && !entry_of(link)->matched;
    return undecided;
}

uint64_t match_differences(const struct match *match)
{
    uint64_t sum = 0;
    for (int kind = 0; kind < MATCH_KINDS; kind++)
        sum += match->differences[kind];
    return sum;
}

/* SPDX-License-Identifier: ISC
 *
 * Messages that wait for a read which was asked for after their arrival. Publishing is one step for
 * channel and stream, so what such a read does not bring is not in the stream.
 */
#include "arda/stream/internal.h"

#include "base/clock.h"
#include "base/mem.h"

#include <string.h>

#define MSGS_MAX    65536
#define BYTES_MAX   (8 * 1024 * 1024)
#define NAMELESS_US 2000000

struct waiting {
    struct base_list link;
    uint64_t number; /* among those that arrived */
    size_t len;      /* of the text; 0: there was no room for it */
    size_t key_len;  /* of the id, which stands behind the text; 0: another one has it */
    char bytes[];
};

/* ---- ids ---- */

struct base_slice arda_tail_id_of(const struct arda_message *message, struct base_buf *spare)
{
    struct base_slice id;
    if (message->id.kind == BASE_JSON_ABSENT)
        return (struct base_slice){NULL, 0};
    if (base_json_plain(&message->id, &id))
        return id;
    spare->len = 0;
    if (base_json_unescape(&message->id, spare) < 0)
        return (struct base_slice){message->id.text, message->id.len};
    return (struct base_slice){spare->data, spare->len};
}

/* An event without an id is known by its text: by a hash of it behind a byte that no id begins
 * with. */
struct key {
    struct base_buf spare;
    struct base_slice text;
    char hash[1 + sizeof(uint64_t)];
};

static void make_key(struct key *key, const struct arda_message *message)
{
    *key = (struct key){.spare = BASE_BUF_INIT};
    key->text = arda_tail_id_of(message, &key->spare);
    if (key->text.len > 0)
        return;
    uint64_t hash = base_map_hash(message->event.data, message->event.len);
    memcpy(key->hash + 1, &hash, sizeof hash);
    key->text = (struct base_slice){key->hash, sizeof key->hash};
}

/* ---- events without ids ---- */

bool arda_tail_had_nameless(struct arda_tail *tail, const struct arda_message *message)
{
    if (message->id.kind != BASE_JSON_ABSENT)
        return false;
    uint64_t hash = base_map_hash(message->event.data, message->event.len);
    uint64_t now_us = base_clock_mono_us();
    for (size_t i = 0; i < sizeof tail->nameless / sizeof tail->nameless[0]; i++)
        if (tail->nameless[i].hash == hash && tail->nameless[i].until_us > now_us) {
            tail->nameless[i].until_us = 0;
            return true;
        }
    return false;
}

static void note_nameless(struct arda_tail *tail, const struct arda_message *message)
{
    size_t at = tail->nameless_next++ % (sizeof tail->nameless / sizeof tail->nameless[0]);
    tail->nameless[at].hash = base_map_hash(message->event.data, message->event.len);
    tail->nameless[at].until_us = base_clock_mono_us() + NAMELESS_US;
}

/* ---- the list ---- */

static void drop(struct arda_tail *tail, struct waiting *waiting)
{
    if (waiting->key_len > 0)
        base_map_remove(&tail->waiting_by, waiting->bytes + waiting->len, waiting->key_len);
    base_list_remove(&waiting->link);
    tail->waiting_msgs--;
    tail->tails->waiting_msgs--;
    tail->tails->waiting_bytes -= waiting->len;
    base_free(waiting);
}

void arda_tail_forget_waiting(struct arda_tail *tail)
{
    BASE_LIST_FOREACH_SAFE (link, &tail->waiting)
        drop(tail, base_container(link, struct waiting, link));
}

bool arda_tail_has_waiting(const struct arda_tail *tail)
{
    return tail->waiting_msgs > 0;
}

static struct waiting *make_waiting(struct arda_tail *tail, const struct arda_message *message,
                                    const struct key *key)
{
    struct arda_tails *tails = tail->tails;
    size_t len = message->text.len;
    if (tails->waiting_msgs >= MSGS_MAX)
        return NULL;
    if (tails->waiting_bytes + len > BYTES_MAX)
        len = 0;
    bool first = !base_map_get(&tail->waiting_by, key->text.data, key->text.len);
    struct waiting *waiting = base_malloc(sizeof *waiting + len + key->text.len);
    if (!waiting)
        return NULL;
    *waiting = (struct waiting){.len = len, .key_len = first ? key->text.len : 0};
    memcpy(waiting->bytes, message->text.data, len);
    memcpy(waiting->bytes + len, key->text.data, key->text.len);
    if (first && base_map_set(&tail->waiting_by, key->text.data, key->text.len, waiting) < 0) {
        base_free(waiting);
        return NULL;
    }
    tails->waiting_msgs++;
    tails->waiting_bytes += len;
    return waiting;
}

void arda_tail_wait_for_read(struct arda_tail *tail, const struct arda_message *message)
{
    struct key key;
    make_key(&key, message);
    struct waiting *waiting = make_waiting(tail, message, &key);
    tail->arrived++;
    if (waiting) {
        waiting->number = tail->arrived;
        tail->waiting_msgs++;
        base_list_append(&tail->waiting, &waiting->link);
    } else {
        tail->overflowed = true;
    }
    base_buf_fini(&key.spare);
}

bool arda_tail_was_waiting(struct arda_tail *tail, const struct arda_message *message)
{
    struct key key;
    make_key(&key, message);
    struct waiting *waiting = base_map_get(&tail->waiting_by, key.text.data, key.text.len);
    if (waiting)
        drop(tail, waiting);
    else if (key.text.data == key.hash && tail->live)
        note_nameless(tail, message);
    base_buf_fini(&key.spare);
    return waiting != NULL;
}

/* ---- those that the stream does not have ---- */

static bool give(struct arda_tail *tail, const struct waiting *waiting)
{
    struct arda_message message;
    struct base_buf spare = BASE_BUF_INIT;
    if (waiting->len == 0)
        return false;
    if (arda_message_parse(waiting->bytes, waiting->len, tail->tenant, tail->tenant_len, &message,
                           NULL))
        return true;
    struct base_slice id = arda_tail_id_of(&message, &spare);
    const struct arda_tail_event event = {&message, {0, 0}};
    if (id.len == 0 || !arda_seen_add(&tail->seen, id.data, id.len))
        tail->tails->on.on_event(tail->tails->on.data, tail, &event);
    base_buf_fini(&spare);
    return true;
}

void arda_tail_give_waiting(struct arda_tail *tail)
{
    uint64_t lost = 0;
    while (!base_list_empty(&tail->waiting) && !arda_tail_is_over(tail)) {
        struct waiting *waiting = base_container(tail->waiting.next, struct waiting, link);
        if (waiting->number > tail->mark && !tail->blind)
            break;
        lost += !give(tail, waiting);
        drop(tail, waiting);
    }
    if (tail->overflowed || lost > 0)
        arda_tail_tell_gap(tail, ARDA_GAP_BUFFER, (struct arda_stream_id){0, 0},
                           tail->overflowed ? ARDA_GAP_UNKNOWN : lost);
    tail->overflowed = false;
}

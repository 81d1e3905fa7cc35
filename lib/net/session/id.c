/* SPDX-License-Identifier: ISC
 *
 * Session ids are 15 bytes in base64url: 11 of them random, one for the worker, three for the slot
 * in the worker's table, the latter masked with a keyed hash of the random part so that they tell
 * nothing of how many sessions there are. A look-up is an index and a comparison. Of a server that
 * has a number among others, the last two of the random bytes are that number, masked with a hash
 * of the first nine whose key all of them know.
 */
#include "net/session/internal.h"

#include "base/base64.h"
#include "base/crypto.h"
#include "base/map.h"
#include "base/mem.h"

#define ID_BYTES     15
#define ID_RANDOM    11
#define ID_SERVER    9 /* where the server's number begins */
#define SLOT_MAX     0xffffffu
#define FIRST_SLOTS  64u
#define NO_FREE_SLOT UINT32_MAX

/* ---- slots ---- */

static uintptr_t free_mark(uint32_t next)
{
    return ((uintptr_t)next << 1) | 1;
}

static bool is_free(uintptr_t slot)
{
    return slot & 1;
}

static int grow_slots(struct net_sessions *sessions)
{
    uint32_t cap = sessions->slot_cap ? sessions->slot_cap * 2 : FIRST_SLOTS;
    if (cap > SLOT_MAX)
        return BASE_ERR_LIMIT;
    uintptr_t *slots = base_realloc(sessions->slots, cap * sizeof *slots);
    if (!slots)
        return BASE_ERR_NOMEM;
    for (uint32_t i = sessions->slot_cap; i < cap; i++)
        slots[i] = free_mark(i + 1 < cap ? i + 1 : NO_FREE_SLOT);
    sessions->free_slot = sessions->slot_cap;
    sessions->slots = slots;
    sessions->slot_cap = cap;
    return BASE_OK;
}

static int take_slot(struct net_session *session)
{
    struct net_sessions *sessions = session->worker->sessions;
    if (!sessions->slot_cap || sessions->free_slot == NO_FREE_SLOT) {
        int failed = grow_slots(sessions);
        if (failed)
            return failed;
    }
    session->slot = sessions->free_slot;
    sessions->free_slot = (uint32_t)(sessions->slots[session->slot] >> 1);
    sessions->slots[session->slot] = (uintptr_t)session;
    return BASE_OK;
}

void net_session_id_give_back(struct net_session *session)
{
    struct net_sessions *sessions = session->worker->sessions;
    sessions->slots[session->slot] = free_mark(sessions->free_slot);
    sessions->free_slot = session->slot;
}

/* ---- ids ---- */

static uint32_t slot_mask(const unsigned char id[static ID_BYTES])
{
    return (uint32_t)base_map_hash((const char *)id, ID_RANDOM + 1) & SLOT_MAX;
}

static uint16_t server_mask(const struct net_worker *worker, const unsigned char *id)
{
    return (uint16_t)base_map_hash_of(worker->shared->options.relay->id_seed, (const char *)id,
                                      ID_SERVER);
}

static void put_server(const struct net_worker *worker, unsigned char id[static ID_BYTES])
{
    uint16_t number = atomic_load_explicit(&worker->sessions->shared->id, memory_order_relaxed);
    if (!number)
        return;
    number ^= server_mask(worker, id);
    id[ID_SERVER] = (unsigned char)(number >> 8);
    id[ID_SERVER + 1] = (unsigned char)number;
}

static int make_id(struct net_session *session)
{
    unsigned char id[ID_BYTES];
    if (base_crypto_random(id, ID_RANDOM) < 0)
        return BASE_ERR_INTERNAL;
    put_server(session->worker, id);
    id[ID_RANDOM] = (unsigned char)session->worker->index;
    uint32_t slot = session->slot ^ slot_mask(id);
    id[12] = (unsigned char)(slot >> 16);
    id[13] = (unsigned char)(slot >> 8);
    id[14] = (unsigned char)slot;
    base_base64_encode(BASE_BASE64_URL, id, ID_BYTES, session->sid);
    session->sid[NET_SID_LEN] = '\0';
    return BASE_OK;
}

static bool decode_id(struct base_slice sid, unsigned char id[static ID_BYTES + 3])
{
    return sid.len == NET_SID_LEN &&
           base_base64_decode(BASE_BASE64_URL, sid.data, sid.len, id) == ID_BYTES;
}

bool net_session_server(const struct net_worker *worker, struct base_slice sid, uint16_t *number)
{
    unsigned char id[ID_BYTES + 3];
    if (!decode_id(sid, id))
        return false;
    *number = (uint16_t)(id[ID_SERVER] << 8 | id[ID_SERVER + 1]) ^ server_mask(worker, id);
    return true;
}

bool net_session_worker(struct base_slice sid, unsigned *worker)
{
    unsigned char id[ID_BYTES + 3];
    if (!decode_id(sid, id))
        return false;
    *worker = id[ID_RANDOM];
    return true;
}

int net_session_id_take(struct net_session *session)
{
    int failed = take_slot(session);
    if (failed)
        return failed;
    failed = make_id(session);
    if (failed)
        net_session_id_give_back(session);
    return failed;
}

struct net_session *net_session_id_find(struct net_sessions *sessions, struct base_slice sid)
{
    unsigned char id[ID_BYTES + 3];
    if (!decode_id(sid, id))
        return NULL;
    uint32_t slot = ((uint32_t)id[12] << 16 | (uint32_t)id[13] << 8 | id[14]) ^ slot_mask(id);
    if (slot >= sessions->slot_cap || is_free(sessions->slots[slot]))
        return NULL;
    struct net_session *session = (struct net_session *)sessions->slots[slot];
    return base_crypto_equal(session->sid, sid.data, NET_SID_LEN) ? session : NULL;
}

struct net_session *net_session_id_next(const struct net_sessions *sessions, uint32_t *slot)
{
    while (*slot < sessions->slot_cap) {
        uintptr_t at = sessions->slots[(*slot)++];
        if (!is_free(at))
            return (struct net_session *)at;
    }
    return NULL;
}

/* SPDX-License-Identifier: ISC
 *
 * Who has connected and not proved yet to be a gateway. Anybody who reaches the port can take such
 * places, so a newcomer is never kept out by those who are silent: the oldest one of its address
 * makes room for it, or the oldest of an address that no gateway has connected from.
 */
#include "relay/internal.h"

#include "base/block.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <string.h>

#define STRANGERS_MAX 64
#define ADDRESS_MAX   4  /* of an address, or of a /64 of IPv6 */
#define GATEWAYS_MAX  32 /* of an address of gateways */

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

static void read_address(struct relay_link *link)
{
    struct sockaddr_storage peer;
    int len = sizeof peer;
    if (uv_tcp_getpeername(&link->tcp, (struct sockaddr *)&peer, &len) < 0)
        return;
    if (peer.ss_family == AF_INET6) {
        memcpy(link->address, &((struct sockaddr_in6 *)&peer)->sin6_addr, sizeof link->address);
    } else {
        memcpy(link->address, mapped_prefix, sizeof mapped_prefix);
        memcpy(link->address + sizeof mapped_prefix, &((struct sockaddr_in *)&peer)->sin_addr, 4);
    }
}

static bool same_address(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, base_block_owner_len(a)) == 0;
}

static bool is_of_gateways(const struct relay *relay, const uint8_t *address)
{
    for (size_t i = 0; i < RELAY_PROVEN_MAX; i++)
        if (memcmp(relay->proven[i], address, sizeof relay->proven[i]) == 0)
            return true;
    return false;
}

void relay_stranger_proven(struct relay_link *link)
{
    struct relay *relay = link->relay;
    read_address(link);
    if (!is_of_gateways(relay, link->address))
        memcpy(relay->proven[relay->next_proven++ % RELAY_PROVEN_MAX], link->address,
               sizeof link->address);
}

const char *relay_stranger_name(const struct relay_link *link, char out[static INET6_ADDRSTRLEN])
{
    bool v4 = memcmp(link->address, mapped_prefix, sizeof mapped_prefix) == 0;
    const void *address = v4 ? link->address + sizeof mapped_prefix : link->address;
    return inet_ntop(v4 ? AF_INET : AF_INET6, address, out, INET6_ADDRSTRLEN) ? out : "?";
}

static void put_out(struct relay_link *link)
{
    static struct base_log_limit limit;
    char name[INET6_ADDRSTRLEN];
    base_log_limited(&limit, BASE_LOG_WARNING,
                     "relay: %s: too many connections without a proof of the secret; the oldest "
                     "one is closed",
                     relay_stranger_name(link, name));
    relay_link_close(link);
}

bool relay_stranger_admit(struct relay_link *link)
{
    struct relay *relay = link->relay;
    struct relay_link *oldest_same = NULL, *oldest_other = NULL;
    unsigned same = 0;
    read_address(link);
    BASE_LIST_FOREACH (at, &relay->taken) { /* in the order in which they have come */
        struct relay_link *one = base_container(at, struct relay_link, link);
        if (one == link || one->state != LINK_GREETING)
            continue;
        if (same_address(one->address, link->address) && same++ == 0)
            oldest_same = one;
        if (!oldest_other && !is_of_gateways(relay, one->address))
            oldest_other = one;
    }
    if (same >= (is_of_gateways(relay, link->address) ? GATEWAYS_MAX : ADDRESS_MAX)) {
        put_out(oldest_same);
    } else if (relay->strangers > STRANGERS_MAX) { /* itself among them */
        if (!oldest_other)
            return false;
        put_out(oldest_other);
    }
    return true;
}

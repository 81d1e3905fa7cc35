/* SPDX-License-Identifier: ISC
 *
 * block: blocks of IP addresses, as firewalls write them (RFC 4632, RFC 4291 section 2.3). IPv4
 * addresses are IPv4-mapped IPv6 ones, so an address is in a block however it was written.
 * Threads: any.
 */
#ifndef BASE_BLOCK_H
#define BASE_BLOCK_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct base_block {
    uint8_t bytes[16];
    uint8_t bits;
};

/* "10.0.0.0/8", "::1", "fd00::/8". BASE_ERR_INVALID with the reason. */
int base_block_parse(const char *text, struct base_block *block, struct base_why *why);
/* `host`: an address as text without a port, brackets or a zone; false for what is none. */
bool base_block_address(struct base_slice host, uint8_t bytes[static 16]);
/* How many bytes of an address, from the first, say whose it is: all of IPv4, and of IPv6 a /64,
 * since nobody is given less. */
size_t base_block_owner_len(const uint8_t bytes[static 16]);
bool base_block_has_address(const struct base_block *block, const uint8_t bytes[static 16]);
/* Whether one of the blocks has the address `host`. */
bool base_block_has(const struct base_block *blocks, size_t count, struct base_slice host);

#endif

/* SPDX-License-Identifier: ISC
 *
 * tally: how often each name has come. A zeroed struct is empty.
 */
#ifndef ARDA_REPLAY_TALLY_H
#define ARDA_REPLAY_TALLY_H

#include "base/buf.h"
#include "base/map.h"

#include <stdint.h>

struct tally {
    struct base_map names;
};

struct tally_row {
    uint64_t count;
    const char *name; /* borrowed for the tally's life */
    size_t len;
};

/* 0, or BASE_ERR_NOMEM. */
int tally_add(struct tally *tally, const char *name, size_t len);
/* All of them, the most frequent first, and by name; to be freed. NULL without memory; `*count`
 * tells how many. */
struct tally_row *tally_sort(const struct tally *tally, size_t *count);
void tally_fini(struct tally *tally);

#endif

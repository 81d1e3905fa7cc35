/* SPDX-License-Identifier: ISC
 *
 * Names are the keys of a map, their counts its values.
 */
#include "arda-replay/tally.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

int tally_add(struct tally *tally, const char *name, size_t len)
{
    uint64_t *count = base_map_get(&tally->names, name, len);
    if (!count) {
        count = base_calloc(1, sizeof *count);
        if (!count || base_map_set(&tally->names, name, len, count) < 0) {
            base_free(count);
            return BASE_ERR_NOMEM;
        }
    }
    ++*count;
    return BASE_OK;
}

static int compare_rows(const void *left, const void *right)
{
    const struct tally_row *a = left, *b = right;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    int order = memcmp(a->name, b->name, a->len < b->len ? a->len : b->len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

struct tally_row *tally_sort(const struct tally *tally, size_t *count)
{
    struct tally_row *rows = base_calloc(tally->names.count + 1, sizeof *rows);
    size_t cursor = 0;
    struct base_map_entry *entry;
    *count = 0;
    if (!rows)
        return NULL;
    while ((entry = base_map_next(&tally->names, &cursor)) != NULL)
        rows[(*count)++] =
            (struct tally_row){*(const uint64_t *)entry->value, entry->key, entry->key_len};
    qsort(rows, *count, sizeof *rows, compare_rows);
    return rows;
}

void tally_fini(struct tally *tally)
{
    size_t cursor = 0;
    struct base_map_entry *entry;
    while ((entry = base_map_next(&tally->names, &cursor)) != NULL)
        base_free(entry->value);
    base_map_fini(&tally->names);
}

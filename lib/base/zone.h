/* SPDX-License-Identifier: ISC
 *
 * zone: the wall clock of a time zone of the IANA database, any number of zones at a time.
 *
 * A wall clock's time is a number, too: the milliseconds since 1970-01-01 00:00 that it shows, so
 * that its day is a division. A clock that is put forward skips times, one that is put back shows
 * some twice. Sources: RFC 9636 (TZif), POSIX.1-2017 section 8.3 (TZ). Threads: any; a zone does
 * not change.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define BASE_ZONE_NAME_MAX 64
#define BASE_ZONE_FILE_MAX 65536 /* bytes; the largest of the database has 4000 */

/* NULL is UTC wherever a zone is asked for. */
struct base_zone;

/* "Europe/Berlin", "Etc/GMT+5", "UTC": whether it can be a name, and is no path to elsewhere. */
bool base_zone_name_valid(const char *name, size_t len);

/* Reads `folder`/`name`. 0; BASE_ERR_INVALID for what is no name; BASE_ERR_NOTFOUND;
 * BASE_ERR_SYNTAX for a file that is no TZif; BASE_ERR_IO, BASE_ERR_LIMIT, BASE_ERR_NOMEM. `*zone`
 * is then NULL, which is UTC. */
int base_zone_load(const char *folder, const char *name, size_t len, struct base_zone **zone);
/* The same from the bytes of a file, which are borrowed for the call. */
int base_zone_parse(struct base_slice file, struct base_zone **zone);
void base_zone_free(struct base_zone *zone); /* NULL is allowed */

/* What the wall clock shows at a moment, in milliseconds since 1970 UTC. Moments of the years
 * 0 to 9999. */
int64_t base_zone_wall(const struct base_zone *zone, int64_t utc_ms);
/* The moment at which it shows this: the first one, of a time that it shows twice; the first one
 * behind the gap, of a time that it skips. Never decreases as `wall_ms` grows. */
int64_t base_zone_utc(const struct base_zone *zone, int64_t wall_ms);
/* The first moment behind `utc_ms` at which the clock may be put forward or back; INT64_MAX: it
 * never is again. */
int64_t base_zone_change(const struct base_zone *zone, int64_t utc_ms);

#endif

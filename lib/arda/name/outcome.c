/* SPDX-License-Identifier: ISC
 *
 * The names are the rows of the table in the header.
 */
#include "arda/name/outcome.h"

const char *arda_outcome_name(enum arda_outcome outcome)
{
    static const char *const names[] = {
#define NAME_(outcome, name) name,
        ARDA_OUTCOME_MAP(NAME_)
#undef NAME_
    };
    return outcome < ARDA_OUTCOMES ? names[outcome] : "unknown";
}

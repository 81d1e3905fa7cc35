/* SPDX-License-Identifier: ISC
 *
 * The names are the rows of the table in the header.
 */
#include "arda/name/outcome.h"

#include "base/names.h"

BASE_NAME_FUNCTION(arda_outcome_name, enum arda_outcome, ARDA_OUTCOME_MAP, BASE_NAME_SECOND,
                   "unknown")

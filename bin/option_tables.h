/* SPDX-License-Identifier: ISC
 *
 * option_tables: the options of all programs, so that each knows what the variables of the others
 * are called. An environment is shared, and a variable for another program is no mistake.
 */
#ifndef ARDA_OPTION_TABLES_H
#define ARDA_OPTION_TABLES_H

#include "base/opt.h"

#define OPTION_TABLE_COUNT 9

extern const struct base_opt_table option_tables[OPTION_TABLE_COUNT];

#endif

/* SPDX-License-Identifier: ISC
 *
 * Makes the rows of bin/<program>/options.h once more, without places in a struct of settings.
 */
#include "option_tables.h"

#include "arda-deliveries/options.h"
#include "arda-directory/options.h"
#include "arda-gateway/options.h"
#include "arda-inbox/options.h"
#include "arda-notifyd/options.h"
#include "arda-publish/options.h"
#include "arda-replay/options.h"
#include "arda-subscribe/options.h"
#include "arda-token/options.h"

#define PROGRAMS(X)                                                                                \
    X(deliveries, DELIVERIES_OPTIONS)                                                              \
    X(directory, DIRECTORY_OPTIONS)                                                                \
    X(gateway, GATEWAY_OPTIONS)                                                                    \
    X(inbox, INBOX_OPTIONS)                                                                        \
    X(notifyd, NOTIFYD_OPTIONS)                                                                    \
    X(publish, PUBLISH_OPTIONS)                                                                    \
    X(replay, REPLAY_OPTIONS)                                                                      \
    X(subscribe, SUBSCRIBE_OPTIONS)                                                                \
    X(token, TOKEN_OPTIONS)

#define ROWS(name, OPTIONS)                                                                        \
    static const struct base_opt name##_rows[] = {OPTIONS(BASE_OPT_ROW_ALONE)};
PROGRAMS(ROWS)

#define TABLE(name, OPTIONS) {"arda-" #name, name##_rows, BASE_OPT_COUNT_OF(name##_rows)},
const struct base_opt_table option_tables[OPTION_TABLE_COUNT] = {PROGRAMS(TABLE)};

/* SPDX-License-Identifier: ISC
 *
 * What the options mean with --via and --compare, which take no part in the rest of the program.
 */
#include "arda-subscribe/subscribe.h"

#include "via.h"

#include "base/exit.h"
#include "base/log.h"

#include <string.h>

static int misuse(const char *text)
{
    base_log(BASE_LOG_ERROR, "%s", text);
    return BASE_EXIT_USAGE;
}

static bool names_position(const struct settings *settings)
{
    return settings->since || settings->until || settings->last || settings->follow ||
           settings->cursor || settings->gaps || settings->fail_on_gap;
}

static bool has_filters(const struct settings *settings)
{
    return settings->type.count || settings->loop.count || settings->card.count ||
           settings->order.count || settings->user.count || settings->correlation.count ||
           settings->match.count;
}

static int check(const struct settings *settings, char **operands, int count)
{
    if (!settings->via)
        return misuse("--compare: with what? It needs --via");
    if (settings->all || settings->global || settings->tenants ||
        count != (settings->compare ? 1 : 0))
        return misuse(settings->compare ? "--compare: expected one tenant"
                                        : "--via: expected no tenant, the token has it");
    if (names_position(settings))
        return misuse("--via: a gateway has no past to read from");
    if (strcmp(settings->format, "json") != 0)
        return misuse("--via: its lines have a form of their own");
    if (settings->compare && has_filters(settings))
        return misuse("--compare compares all events: it takes no filters");
    if (settings->compare && !arda_tenant_valid(operands[0], strlen(operands[0]))) {
        base_log(BASE_LOG_ERROR, "`%s' is no tenant id", operands[0]);
        return BASE_EXIT_USAGE;
    }
    return BASE_EXIT_OK;
}

static bool is_wanted(const void *data, struct base_slice event)
{
    const struct subscriber *subscriber = data;
    struct arda_message message;
    if (!has_filters(&subscriber->settings))
        return true;
    return arda_message_parse(event.data, event.len, NULL, 0, &message, NULL) == ARDA_DROP_NONE &&
           output_wants(subscriber, &message);
}

bool through_is_asked_for(const struct subscriber *subscriber)
{
    return subscriber->settings.via || subscriber->settings.compare;
}

int through_run(struct subscriber *subscriber, char **operands, int count)
{
    struct base_why why;
    const struct settings *settings = &subscriber->settings;
    int status = check(settings, operands, count);
    if (status != BASE_EXIT_OK)
        return status;
    int failed = output_prepare(subscriber, &why);
    if (failed) {
        base_log(BASE_LOG_ERROR, "%s", why.text);
        return failed == BASE_ERR_INVALID ? BASE_EXIT_USAGE : base_exit_status(failed);
    }
    const struct via_options options = {
        .url = settings->via,
        .transport = settings->transport,
        .token_file = settings->token_file,
        .cacert = settings->cacert,
        .no_reconnect = settings->no_reconnect,
        .compare = settings->compare,
        .tenant = operands[0],
        .redis = settings->redis,
        .prefix = settings->prefix,
        .grace_ms = settings->grace,
        .connect_timeout_ms = settings->connect_timeout,
        .count = settings->count,
        .idle_ms = settings->idle,
        .timeout_ms = settings->timeout,
        .line_buffered = settings->line_buffered,
        .wanted = is_wanted,
        .data = subscriber,
    };
    return via_run(&options, &subscriber->signal);
}

/* SPDX-License-Identifier: ISC
 *
 * Calls of scripts as the parts of libarda use them: words in, a reply out. How they are sent is
 * decided in call.c.
 */
#include "arda/bus/script.h"

#include "arda/bus/internal.h"

#include <string.h>

int arda_script_call(struct arda_bus *bus, const struct arda_script *script, int argc,
                     const char *const *argv, const size_t *lens, arda_reply_fn done, void *data)
{
    const struct bus_waiting waiting = {
        .kind = WAIT_REPLY, .replies_left = 1, .on_reply = done, .data = data};
    struct bus_call call;
    if (argc < 0 || argc > ARDA_SCRIPT_MAX_ARGS)
        return BASE_ERR_LIMIT;
    if (!arda_redis_conn_is_up(bus->commands))
        return BASE_ERR_UNAVAILABLE;
    int failed = arda_bus_call_begin(bus, script, 0, (size_t)argc, &call);
    if (failed)
        return failed;
    for (int i = 0; i < argc; i++)
        call.failed |= arda_redis_add_argument(call.out, argv[i], lens ? lens[i] : strlen(argv[i]));
    return arda_bus_call_end(&call, &waiting);
}

int arda_script_error(const struct arda_bus *bus, int result, const struct redisReply *reply,
                      struct base_why *why)
{
    if (result == BASE_ERR_CLOSED)
        return base_why_set(why, result, "the connection to Redis was lost before the answer");
    if (result)
        return base_why_set(why, result, "%s", base_err_text(result));
    return arda_bus_reply_error(bus, reply, why);
}

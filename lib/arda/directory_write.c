/* SPDX-License-Identifier: ISC
 *
 * Storing and removing single entries. A tenant stays known when its last entry is removed.
 */
#include "arda/bus_internal.h"
#include "arda/directory.h"

#include "base/mem.h"

#include <string.h>

/* One request, perhaps of several commands, whose last reply ends it. */
struct request {
    struct arda_bus *bus;
    arda_directory_done_fn done;
    void *data;
    int replies_left;
    int result; /* the first that is not 0 */
    struct base_why why;
    bool removes;
};

static void on_reply(void *data, int result, const struct redisReply *reply)
{
    struct request *request = data;
    if (!result)
        result = bus_reply_error(request->bus, reply, request->result ? NULL : &request->why);
    else if (!request->result)
        base_why_set(&request->why, result, "the connection to Redis was lost before the answer");
    if (!result && request->removes && reply->type == REDIS_REPLY_INTEGER && reply->integer == 0)
        result = base_why_set(&request->why, BASE_ERR_NOTFOUND, "not found");
    if (!request->result)
        request->result = result;
    if (--request->replies_left > 0)
        return;
    request->done(request->data, request->result, &request->why);
    base_free(request);
}

static int send_command(struct request *request, int argc, const char *const *argv)
{
    size_t lens[4];
    for (int i = 0; i < argc; i++)
        lens[i] = strlen(argv[i]);
    int failed = arda_bus_command(request->bus, argc, argv, lens, on_reply, request);
    request->replies_left += !failed;
    return failed;
}

static struct request *new_request(struct arda_bus *bus, arda_directory_done_fn done, void *data)
{
    struct request *request = base_calloc(1, sizeof *request);
    if (request)
        *request = (struct request){.bus = bus, .done = done, .data = data};
    return request;
}

/* An error counts only if nothing is under way, whose replies would find the request gone. */
static int end_sending(struct request *request, int failed)
{
    if (!failed)
        return BASE_OK;
    if (request->replies_left == 0) {
        base_free(request);
        return failed;
    }
    request->result = base_why_set(&request->why, BASE_ERR_AGAIN, "%s", base_err_text(failed));
    return BASE_OK;
}

int arda_directory_put(struct arda_bus *bus, const struct arda_directory_line *line,
                       arda_directory_done_fn done, void *data)
{
    char tenants[ARDA_KEY_MAX], entries[ARDA_KEY_MAX];
    bool user = line->kind == ARDA_DIRECTORY_USER;
    struct request *request = new_request(bus, done, data);
    struct base_buf value = BASE_BUF_INIT;
    if (!request)
        return BASE_ERR_NOMEM;
    arda_key(tenants, arda_bus_prefix(bus), "tenants", NULL, 0);
    arda_key(entries, arda_bus_prefix(bus), user ? "users" : "loops", line->tenant,
             strlen(line->tenant));
    int failed = base_buf_add(&value, line->value.data, line->value.len);
    if (!failed && !base_buf_cstr(&value))
        failed = BASE_ERR_NOMEM;
    const char *const known[] = {"SADD", tenants, line->tenant};
    const char *const stored[] = {user ? "HSET" : "SADD", entries, line->id, value.data};
    if (!failed)
        failed = send_command(request, 3, known);
    if (!failed)
        failed = send_command(request, user ? 4 : 3, stored);
    base_buf_fini(&value);
    return end_sending(request, failed);
}

int arda_directory_remove(struct arda_bus *bus, const struct arda_directory_line *line,
                          arda_directory_done_fn done, void *data)
{
    char entries[ARDA_KEY_MAX];
    bool user = line->kind == ARDA_DIRECTORY_USER;
    struct request *request = new_request(bus, done, data);
    if (!request)
        return BASE_ERR_NOMEM;
    request->removes = true;
    arda_key(entries, arda_bus_prefix(bus), user ? "users" : "loops", line->tenant,
             strlen(line->tenant));
    const char *const argv[] = {user ? "HDEL" : "SREM", entries, line->id};
    return end_sending(request, send_command(request, 3, argv));
}

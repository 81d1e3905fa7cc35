/* SPDX-License-Identifier: ISC
 *
 * Loop rooms (catalog sections 3 and 7). Whoever may join one is in the tenant's room anyway, so a
 * room is only its name in the client's list; what counts are the check and the answer.
 */
#include "gateway.h"

#include "arda/directory.h"
#include "base/log.h"
#include "base/mem.h"

#include <string.h>

#define LOOPS_PER_CLIENT 1000

static const char not_found[] = "Loop not found or access denied";
static const char not_checked[] = "Failed to subscribe to loop";

/* The values of client->loops. */
static char asked, joined;

/* A question on its way to the home loop and back. */
struct question {
    struct gateway *gateway;
    struct client *client;
    unsigned worker;
    int result;
    char tenant[ARDA_ID_MAX + 1];
    char loop[ARDA_ID_MAX + 1];
};

static bool read_loop(const struct net_event *event, char loop[static ARDA_ID_MAX + 1])
{
    struct base_json_iter iter;
    struct base_json_value name, value;
    base_json_iter_init(&iter, &event->data);
    memset(loop, 0, ARDA_ID_MAX + 1);
    if (!base_json_iter_next(&iter, NULL, &name) || !base_json_iter_next(&iter, NULL, &value))
        return false;
    ssize_t len = base_json_copy(&value, loop, ARDA_ID_MAX + 1);
    return len >= 0 && arda_id_valid(loop, (size_t)len);
}

/* On the worker: the client may have gone, or have left the room, since it asked. */
static void take_answer(void *arg)
{
    struct question *question = arg;
    struct client *client = question->client;
    size_t len = strlen(question->loop);
    client->look_ups--;
    if (client->socket && base_map_get(client->loops, question->loop, len) == &asked) {
        if (question->result == 1)
            base_map_set(client->loops, question->loop, len, &joined);
        else
            base_map_remove(client->loops, question->loop, len);
        if (question->result != 1)
            sockets_error(client, question->result == 0 ? not_found : not_checked);
    }
    sockets_drop_client(client);
    base_free(question);
}

static void on_looked_up(void *data, int result)
{
    struct question *question = data;
    question->result = result;
    /* After the server's end no worker is left. */
    if (question->worker == 0 || !question->gateway->server)
        take_answer(question);
    else if (net_server_post(question->gateway->server, question->worker, take_answer, question) <
             0) {
        base_log(BASE_LOG_ERROR, "tenant %s: out of memory: subscribe:loop is not answered",
                 question->tenant);
        base_free(question); /* its client belongs to the worker, and is never freed */
    }
}

static void ask(void *arg)
{
    struct question *question = arg;
    loops_look_up(question->gateway, question->tenant, question->loop, on_looked_up, question);
}

void loops_look_up(struct gateway *gateway, const char *tenant, const char *loop,
                   void (*done)(void *data, int result), void *data)
{
    if (gateway->source)
        done(data, source_has_loop(gateway->source, tenant, loop));
    else
        arda_directory_has_loop(gateway->bus, tenant, strlen(tenant), loop, strlen(loop), done,
                                data);
}

/* Notes the question in the client's list and sends it. */
static int begin(struct client *client, const char *loop)
{
    struct gateway_worker *worker = client->tenant->worker;
    size_t len = strlen(loop);
    if (!client->loops)
        client->loops = base_calloc(1, sizeof *client->loops);
    struct question *question = base_calloc(1, sizeof *question);
    if (!client->loops || !question || client->loops->count >= LOOPS_PER_CLIENT ||
        base_map_set(client->loops, loop, len, &asked) < 0) {
        base_free(question);
        return BASE_ERR_LIMIT;
    }
    question->gateway = worker->gateway;
    question->client = client;
    question->worker = worker->index;
    memcpy(question->tenant, client->tenant->id, sizeof question->tenant);
    memcpy(question->loop, loop, len + 1);
    if (net_server_post_home(worker->gateway->server, ask, question) < 0) {
        base_map_remove(client->loops, loop, len);
        base_free(question);
        return BASE_ERR_NOMEM;
    }
    client->look_ups++;
    return BASE_OK;
}

void loops_subscribe(struct client *client, const struct net_event *event)
{
    char loop[ARDA_ID_MAX + 1];
    if (!read_loop(event, loop))
        sockets_error(client, not_found);
    else if (client->loops && base_map_get(client->loops, loop, strlen(loop)))
        return; /* joined already, or about to be */
    else if (begin(client, loop) < 0)
        sockets_error(client, not_checked);
}

void loops_unsubscribe(struct client *client, const struct net_event *event)
{
    char loop[ARDA_ID_MAX + 1];
    if (client->loops && read_loop(event, loop))
        base_map_remove(client->loops, loop, strlen(loop));
}

void loops_free(struct client *client)
{
    if (!client->loops)
        return;
    base_map_fini(client->loops);
    base_free_clear(&client->loops);
}

/* SPDX-License-Identifier: ISC
 *
 * A client of any Socket.IO server, out of lib/client alone: prints what it sees as JSON lines
 * until it is told to go or Ctrl-C.
 *
 *     watch URL [websocket|polling]
 */
#include "client/client.h"

#include "base/clock.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

struct watch {
    uv_loop_t loop;
    uv_signal_t signal;
    struct client *client;
    int status;
};

static void on_record(void *data, const struct client_record *record)
{
    struct base_buf line = {0};
    (void)data;
    if (client_record_write(&line, record, base_clock_wall_ms()) == 0)
        fwrite(line.data, 1, line.len, stdout);
    fflush(stdout);
    base_buf_fini(&line);
}

static void on_end(void *data, int status)
{
    struct watch *watch = data;
    watch->status = status;
    watch->client = NULL;
    uv_close((uv_handle_t *)&watch->signal, NULL);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct watch *watch = signal->data;
    (void)number;
    if (watch->client)
        client_stop(watch->client);
}

int main(int argc, char **argv)
{
    struct watch watch = {0};
    struct client_options options = {.url = argc > 1 ? argv[1] : "http://127.0.0.1:3000",
                                     .reconnect = true};
    struct client_handlers handlers = {on_record, on_end, &watch};
    struct base_why why;
    if (argc > 2)
        options.transport = strcmp(argv[2], "polling") == 0 ? CLIENT_POLLING : CLIENT_WEBSOCKET;
    uv_loop_init(&watch.loop);
    uv_signal_init(&watch.loop, &watch.signal);
    watch.signal.data = &watch;
    uv_signal_start(&watch.signal, on_signal, SIGINT);
    if (client_new(&watch.loop, &options, &handlers, &watch.client, &why) < 0) {
        fprintf(stderr, "watch: %s\n", why.text);
        on_end(&watch, 1);
    }
    uv_run(&watch.loop, UV_RUN_DEFAULT);
    uv_loop_close(&watch.loop);
    return watch.status;
}

/* SPDX-License-Identifier: ISC
 *
 * The secret is read, the listener and the entry in the registry are made at the start; at the end
 * links that others have made may finish their streams for a second, those made here are closed at
 * once.
 */
#include "relay/internal.h"

#include "base/encoding.h"
#include "base/env_secrets.h"
#include "base/log.h"
#include "base/mask.h"
#include "base/mem.h"
#include "base/secret_file.h"
#include "base/url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END_MS     1000
#define SECRET_MIN 32
#define SECRET_MAX 4096
#define VARIABLE   BASE_ENV_RELAY_SECRET

/* ---- the secret ---- */

static int read_secret(struct base_buf *secret, const char *file, struct base_why *why)
{
    if (base_buf_reserve(secret, SECRET_MAX + 1) < 0)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    ssize_t len = base_secret_file_read(file, secret->data, SECRET_MAX + 1);
    if (len < 0)
        return base_why_errno(why, BASE_ERR_CONFIG, errno, "cannot read %s", base_mask_file(file));
    secret->len = (size_t)len;
    if (secret->len > SECRET_MAX)
        return base_why_set(why, BASE_ERR_CONFIG, "%s is longer than %d bytes", file, SECRET_MAX);
    struct base_slice text = {secret->data, secret->len};
    if (base_encoding_strip_secret(&text, why) < 0)
        return base_why_prefix(why, "%s", file), BASE_ERR_CONFIG;
    base_buf_consume(secret, (size_t)(text.data - secret->data));
    secret->len = text.len;
    base_secret_file_check(file);
    return BASE_OK;
}

static int load_secret(struct base_buf *secret, const char *file, struct base_why *why)
{
    const char *text = getenv(VARIABLE);
    int failed = BASE_OK;
    if (file && *file)
        failed = read_secret(secret, file, why);
    else if (text && *text)
        failed = base_buf_add_text(secret, text);
    else
        return base_why_set(why, BASE_ERR_CONFIG,
                            "--advertise needs --relay-secret-file or " VARIABLE);
    if (failed)
        return failed;
    if (secret->len < SECRET_MIN)
        return base_why_set(why, BASE_ERR_CONFIG,
                            "the secret of the relay has %zu bytes; it needs at least %d",
                            secret->len, SECRET_MIN);
    return BASE_OK;
}

/* What hides the numbers in session ids; every gateway of the same secret has the same. */
static int make_seed(struct relay *relay)
{
    static const char purpose[] = "session ids";
    uint8_t digest[BASE_SHA256_LEN];
    int failed = base_crypto_hmac_sha256(relay->secret.data, relay->secret.len, purpose,
                                         sizeof purpose - 1, digest);
    memcpy(relay->handlers.id_seed, digest, sizeof relay->handlers.id_seed);
    return failed;
}

/* ---- the beginning ---- */

static int prepare(struct relay *relay, const char *advertise, const char *secret_file,
                   struct base_why *why)
{
    uint16_t port;
    if (base_url_listen(advertise, relay->host, sizeof relay->host, &port, why) < 0)
        return base_why_prefix(why, "--advertise"), BASE_ERR_INVALID;
    if (!*relay->host)
        return base_why_set(why, BASE_ERR_INVALID, "--advertise: expected HOST:PORT, got `%s'",
                            advertise);
    relay->port = port;
    int failed = load_secret(&relay->secret, secret_file, why);
    if (!failed && make_seed(relay) < 0)
        failed = base_why_set(why, BASE_ERR_INTERNAL, "no HMAC");
    return failed;
}

int relay_new(const struct relay_options *options, struct relay **out, struct base_why *why)
{
    struct relay *relay = base_calloc(1, sizeof *relay);
    *out = NULL;
    if (!relay)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    relay->loop = options->loop;
    base_list_init(&relay->made);
    base_list_init(&relay->taken);
    int failed = prepare(relay, options->advertise, options->secret_file, why);
    if (failed) {
        relay_free(relay);
        return failed;
    }
    relay_entry_init(relay);
    relay_lookup_init(relay);
    *out = relay;
    return BASE_OK;
}

const struct net_relay *relay_handlers(struct relay *relay)
{
    return relay ? &relay->handlers : NULL;
}

int relay_start(struct relay *relay, struct net_server *server, struct arda_bus *bus,
                struct base_why *why)
{
    if (!relay)
        return BASE_OK;
    uv_loop_t *loop = relay->loop;
    relay->server = server;
    relay->bus = bus;
    uv_timer_init(loop, &relay->registry_timer);
    uv_timer_init(loop, &relay->end_timer);
    relay_lookup_start(relay);
    relay->registry_timer.data = relay->end_timer.data = relay;
    int failed = relay_listen_start(relay, why);
    if (failed)
        return failed;
    base_log(BASE_LOG_INFO, "relay on %s", relay->address);
    if (relay_registry_start(relay) < 0)
        return base_why_set(why, BASE_ERR_INTERNAL, "no random numbers");
    return BASE_OK;
}

/* ---- the end ---- */

static void close_links(struct base_list *links)
{
    while (!base_list_empty(links))
        relay_link_close(base_container(links->next, struct relay_link, link));
}

void relay_stop(struct relay *relay)
{
    if (!relay)
        return;
    relay->stopping = true;
    relay_registry_stop(relay);
    uv_close((uv_handle_t *)&relay->registry_timer, NULL);
    relay_listen_stop(relay);
    relay_lookup_stop(relay);
    close_links(&relay->made);
}

static void on_end(uv_timer_t *timer)
{
    struct relay *relay = timer->data;
    close_links(&relay->taken);
}

void relay_check_end(struct relay *relay)
{
    uv_handle_t *timer = (uv_handle_t *)&relay->end_timer;
    if (relay->closing && base_list_empty(&relay->taken) && !uv_is_closing(timer))
        uv_close(timer, NULL);
}

void relay_close(struct relay *relay)
{
    if (!relay)
        return;
    relay->closing = true;
    uv_timer_start(&relay->end_timer, on_end, END_MS, 0);
    BASE_LIST_FOREACH_SAFE (at, &relay->taken)
        relay_link_end_if_idle(base_container(at, struct relay_link, link));
    relay_check_end(relay);
}

void relay_free(struct relay *relay)
{
    if (!relay)
        return;
    if (relay->secret.data)
        explicit_bzero(relay->secret.data, relay->secret.cap);
    base_buf_fini(&relay->secret);
    base_free(relay);
}

void relay_get_stats(const struct relay *relay, struct relay_stats *stats)
{
    *stats = relay ? relay->stats : (struct relay_stats){0};
}

/* SPDX-License-Identifier: ISC
 *
 * libcurl names the descriptors it waits for and one time; the loop tells it when something has
 * come. Every call of curl_multi_socket_action is followed by a look for transfers that have ended,
 * and only there are callbacks called: never from inside libcurl.
 */
#include "http/curl_loop.h"

#include "base/mem.h"

#include <string.h>
#include <uv.h>

/* Connections that are kept for the next transfer, those that wait included. By itself libcurl
 * keeps four for each transfer that is under way: with few at a time, spread over many hosts, each
 * would find that its own has been closed. */
#define CONNECTIONS_MAX 1024L

/* A descriptor of libcurl's; freed by the loop after libcurl has let go of it. */
struct watch {
    uv_poll_t poll;
    struct http_curl *curl;
    curl_socket_t fd;
};

struct http_curl {
    CURLM *multi;
    uv_loop_t *loop;
    uv_timer_t timer;
    int open_handles;
    bool closing;
};

struct http_transfer {
    struct http_curl *curl;
    CURL *easy;
    struct http_transfer_options options;
    bool added; /* to the multi handle */
    char text[CURL_ERROR_SIZE];
};

/* ---- ends of transfers ---- */

static void tell_end(CURL *easy, CURLcode result)
{
    struct http_transfer *transfer;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    if (!transfer->options.keep) {
        curl_multi_remove_handle(transfer->curl->multi, easy);
        transfer->added = false;
    }
    const char *text = transfer->text[0] ? transfer->text : curl_easy_strerror(result);
    transfer->options.done(transfer->options.data, result, text);
}

static void act(struct http_curl *curl, curl_socket_t fd, int events)
{
    int ignored;
    CURLMsg *message;
    curl_multi_socket_action(curl->multi, fd, events, &ignored);
    /* The struct stays until the loop has closed its timer, whatever a callback does. */
    while (!curl->closing && (message = curl_multi_info_read(curl->multi, &ignored)))
        if (message->msg == CURLMSG_DONE)
            tell_end(message->easy_handle, message->data.result);
}

/* ---- what libcurl waits for ---- */

static void on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long timeout_ms, void *data)
{
    struct http_curl *curl = data;
    (void)multi;
    if (curl->closing)
        return 0;
    if (timeout_ms < 0) {
        uv_timer_stop(&curl->timer);
        return 0;
    }
    /* Never early: libcurl would find nothing due, and not ask for the same time again. */
    uv_update_time(curl->loop);
    uv_timer_start(&curl->timer, on_timer, timeout_ms > 0 ? (uint64_t)timeout_ms + 1 : 0, 0);
    return 0;
}

static void on_watch(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    int what = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
               (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    /* A refused connection comes as an error without events. */
    act(watch->curl, watch->fd, status < 0 ? CURL_CSELECT_ERR : what);
}

static void handle_closed(struct http_curl *curl)
{
    if (--curl->open_handles == 0)
        base_free(curl);
}

static void on_timer_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    handle_closed(watch->curl);
    base_free(watch);
}

static struct watch *add_watch(struct http_curl *curl, curl_socket_t fd)
{
    struct watch *watch = base_calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    if (uv_poll_init_socket(curl->loop, &watch->poll, fd) < 0) {
        base_free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    watch->curl = curl;
    watch->fd = fd;
    curl->open_handles++;
    curl_multi_assign(curl->multi, fd, watch);
    return watch;
}

/* A descriptor that cannot be watched makes its transfer fail. */
static int set_watch(CURL *easy, curl_socket_t fd, int what, void *data, void *assigned)
{
    struct http_curl *curl = data;
    struct watch *watch = assigned;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            curl_multi_assign(curl->multi, fd, NULL);
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
        }
        return 0;
    }
    if (!watch && !(watch = add_watch(curl, fd)))
        return -1;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&watch->poll, events, on_watch) < 0 ? -1 : 0;
}

/* ---- life ---- */

int http_curl_new(struct uv_loop_s *loop, struct http_curl **out)
{
    static bool initialised;
    if (!initialised && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return BASE_ERR_INTERNAL;
    initialised = true;
    struct http_curl *curl = base_calloc(1, sizeof *curl);
    CURLM *multi = curl ? curl_multi_init() : NULL;
    if (!multi) {
        base_free(curl);
        return BASE_ERR_NOMEM;
    }
    curl->multi = multi;
    curl->loop = loop;
    curl->open_handles = 1;
    uv_timer_init(loop, &curl->timer);
    curl->timer.data = curl;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, set_watch);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, curl);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, curl);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
    *out = curl;
    return BASE_OK;
}

void http_curl_close(struct http_curl *curl)
{
    if (!curl || curl->closing)
        return;
    curl->closing = true;
    curl_multi_cleanup(curl->multi);
    uv_close((uv_handle_t *)&curl->timer, on_timer_closed);
}

/* ---- transfers ---- */

int http_transfer_new(struct http_curl *curl, const struct http_transfer_options *options,
                      struct http_transfer **out)
{
    struct http_transfer *transfer = base_calloc(1, sizeof *transfer);
    if (!transfer)
        return BASE_ERR_NOMEM;
    transfer->curl = curl;
    transfer->options = *options;
    transfer->options.protocols = NULL; /* borrowed for the call */
    transfer->easy = curl_easy_init();
    CURL *easy = transfer->easy;
    if (!easy || curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->text) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, options->protocols) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, options->protocols) != CURLE_OK ||
        (!options->env_proxy && curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK)) {
        http_transfer_free(transfer);
        return BASE_ERR_NOMEM;
    }
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A transfer that ends while its name is being resolved does not wait for that thread. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    *out = transfer;
    return BASE_OK;
}

CURL *http_transfer_easy(const struct http_transfer *transfer)
{
    return transfer->easy;
}

int http_transfer_start(struct http_transfer *transfer)
{
    base_assert(!transfer->added && !transfer->curl->closing);
    transfer->text[0] = '\0';
    if (curl_multi_add_handle(transfer->curl->multi, transfer->easy) != CURLM_OK)
        return BASE_ERR_NOMEM;
    transfer->added = true;
    return BASE_OK;
}

void http_transfer_free(struct http_transfer *transfer)
{
    if (!transfer)
        return;
    if (transfer->added)
        curl_multi_remove_handle(transfer->curl->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    base_free(transfer);
}

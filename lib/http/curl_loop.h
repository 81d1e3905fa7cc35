/* SPDX-License-Identifier: ISC
 *
 * curl_loop: transfers of libcurl on a libuv loop, for HTTP and SMTP. Nothing here blocks; names
 * are resolved by a thread of libcurl's.
 *
 * An http_curl is a "multi handle": it keeps connections for later transfers. An http_transfer is
 * an "easy handle": its user sets what it is with curl_easy_setopt, starts it, and is told its end
 * once. When memory is too short to watch a descriptor, libcurl gives up the whole multi handle:
 * all its transfers, later ones too, end with CURLE_ABORTED_BY_CALLBACK. Threads: the loop's only.
 */
#ifndef HTTP_CURL_LOOP_H
#define HTTP_CURL_LOOP_H

#include "base/err.h"

#include <curl/curl.h>
#include <stdbool.h>

struct uv_loop_s;
struct http_curl;
struct http_transfer;

/* 0, BASE_ERR_NOMEM, or BASE_ERR_INTERNAL when libcurl cannot be initialised. */
int http_curl_new(struct uv_loop_s *loop, struct http_curl **curl);
/* Closes all connections; the struct is freed by the loop. Its transfers must have been freed. May
 * be called by the `done` of one. NULL is allowed. */
void http_curl_close(struct http_curl *curl);

struct http_transfer_options {
    const char *protocols; /* that may be used, also after a redirection: "http,https" */
    bool env_proxy; /* go through the proxies that http_proxy and the like name. Without it no
                       proxy is used, so what CURLOPT_OPENSOCKETFUNCTION sees is the peer */
    bool keep;      /* for CURLOPT_CONNECT_ONLY: the connection lives as long as the transfer.
                       It should have an http_curl of its own, since libcurl closes idle
                       connections that have something to read when it looks for one to use
                       again, and it takes this one for idle */
    /* The transfer has ended: CURLE_OK, or why not, with a text for a person, borrowed for the
     * call. What curl_easy_getinfo tells is still there. May free this transfer and others, and
     * start new ones. */
    void (*done)(void *data, CURLcode result, const char *text);
    void *data;
};

/* BASE_ERR_NOMEM. Of the options the texts are borrowed for the call. */
int http_transfer_new(struct http_curl *curl, const struct http_transfer_options *options,
                      struct http_transfer **transfer);
/* For curl_easy_setopt and curl_easy_getinfo. CURLOPT_PRIVATE, CURLOPT_ERRORBUFFER and
 * CURLOPT_NOSIGNAL are taken. */
CURL *http_transfer_easy(const struct http_transfer *transfer);
/* `done` is called later, from the loop, never from in here. Not while it is under way. 0, or
 * BASE_ERR_NOMEM. */
int http_transfer_start(struct http_transfer *transfer);
/* Ends it at once if it is under way; `done` is not called any more. Not from a callback that
 * libcurl calls, such as one that is given the body. NULL is allowed. */
void http_transfer_free(struct http_transfer *transfer);

#endif

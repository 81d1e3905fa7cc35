/* SPDX-License-Identifier: ISC
 *
 * What libcurl and servers report becomes one of the reasons that socket.io-client has.
 */
#include "client/net.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 15000L /* of TCP and TLS */
#define BODY_SHOWN         80     /* bytes of a body that explains an answer */

int client_net_transfer(const struct client_net *net, struct http_curl *curl,
                        const struct http_transfer_options *options, const char *url,
                        struct http_transfer **out)
{
    struct http_transfer *transfer;
    if (http_transfer_new(curl, options, &transfer) < 0)
        return BASE_ERR_NOMEM;
    CURL *easy = http_transfer_easy(transfer);
    if (curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_USERAGENT, net->user_agent) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS) != CURLE_OK ||
        (net->cacert && (curl_easy_setopt(easy, CURLOPT_CAINFO, net->cacert) != CURLE_OK ||
                         curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) != CURLE_OK))) {
        http_transfer_free(transfer);
        return BASE_ERR_NOMEM;
    }
    *out = transfer;
    return BASE_OK;
}

void client_end_set(struct client_end *end, const char *reason, int code, const char *format, ...)
{
    va_list args;
    *end = (struct client_end){.reason = reason, .why.code = code};
    va_start(args, format);
    vsnprintf(end->why.text, sizeof end->why.text, format, args);
    va_end(args);
}

void client_end_of_transfer(struct client_end *end, CURLcode result, const char *text)
{
    int code = BASE_ERR_UNAVAILABLE;
    bool lasting = true;
    switch (result) {
    case CURLE_OUT_OF_MEMORY:
    case CURLE_ABORTED_BY_CALLBACK: code = BASE_ERR_NOMEM; break;
    case CURLE_SSL_CACERT_BADFILE: code = BASE_ERR_CONFIG; break;
    case CURLE_UNSUPPORTED_PROTOCOL: /* what answers speaks HTTP/0.9, or none */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING: code = BASE_ERR_SYNTAX; break;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_URL_MALFORMAT: break;
    default: lasting = false; break;
    }
    client_end_set(end, "transport error", code, "%s", text);
    end->lasting = lasting;
}

/* {"code":1,"message":"Session ID unknown"}, or a short text. What is longer is a page. */
static void explain(struct base_why *why, const char *body, size_t len)
{
    struct base_json_member message = BASE_JSON_WANT("message");
    struct base_slice text = {body, len};
    if (base_json_pick(body, len, &message, 1, NULL, NULL) == 0 &&
        !base_json_plain(&message.value, &text))
        return;
    if (text.len > 0 && text.len <= BODY_SHOWN) {
        size_t at = strlen(why->text);
        snprintf(why->text + at, sizeof why->text - at, ": %.*s", (int)text.len, text.data);
    }
}

void client_end_of_status(struct client_end *end, int status, const char *body, size_t len)
{
    bool passing = status >= 500 || status == 408 || status == 425 || status == 429;
    int code = passing                            ? BASE_ERR_UNAVAILABLE
               : (status == 401 || status == 403) ? BASE_ERR_DENIED
                                                  : BASE_ERR_SYNTAX;
    client_end_set(end, "transport error", code, "HTTP %d", status);
    end->http_status = status;
    end->lasting = !passing;
    explain(&end->why, body, len);
}

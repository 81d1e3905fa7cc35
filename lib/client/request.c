/* SPDX-License-Identifier: ISC
 *
 * One transfer of libcurl. The body is collected up to a bound, and the status decides whether it
 * is one.
 */
#include "client/request.h"

#include "base/mem.h"

struct client_request {
    struct http_transfer *transfer;
    struct curl_slist *headers;
    struct base_buf body;
    client_answer_fn done;
    void *data;
};

void client_request_cancel(struct client_request *request)
{
    if (!request)
        return;
    http_transfer_free(request->transfer);
    curl_slist_free_all(request->headers);
    base_buf_fini(&request->body);
    base_free(request);
}

/* Called by libcurl; another result than the length ends the transfer. */
static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct client_request *request = data;
    size_t len = size * count;
    if (len > CLIENT_MAX_MESSAGE - request->body.len ||
        base_buf_add(&request->body, bytes, len) < 0)
        return 0;
    return len;
}

static void on_done(void *data, CURLcode result, const char *text)
{
    struct client_request *request = data;
    struct client_end end = {0};
    long status = 0;
    curl_easy_getinfo(http_transfer_easy(request->transfer), CURLINFO_RESPONSE_CODE, &status);
    if (result == CURLE_WRITE_ERROR) {
        client_end_set(&end, "transport error", BASE_ERR_SYNTAX,
                       "an answer is larger than %d bytes", CLIENT_MAX_MESSAGE);
        end.lasting = true;
    } else if (result != CURLE_OK) {
        client_end_of_transfer(&end, result, text);
    } else if (status != 200) {
        client_end_of_status(&end, (int)status, request->body.data, request->body.len);
    }
    client_answer_fn done = request->done;
    void *done_data = request->data;
    struct base_buf body = request->body;
    request->body = (struct base_buf)BASE_BUF_INIT;
    client_request_cancel(request);
    done(done_data, &body, end.reason ? &end : NULL);
    base_buf_fini(&body);
}

static int prepare(struct client_request *request, const struct base_buf *packets)
{
    CURL *easy = http_transfer_easy(request->transfer);
    bool good = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_WRITEDATA, request) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate") == CURLE_OK;
    if (good && packets) {
        request->headers = curl_slist_append(NULL, "Content-Type: text/plain;charset=UTF-8");
        good = request->headers &&
               curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)packets->len) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, packets->data) == CURLE_OK;
    }
    return good ? BASE_OK : BASE_ERR_NOMEM;
}

int client_request_start(const struct client_net *net, struct http_curl *curl, const char *url,
                         const struct base_buf *packets, client_answer_fn done, void *data,
                         struct client_request **out)
{
    struct client_request *request = base_calloc(1, sizeof *request);
    if (!request)
        return BASE_ERR_NOMEM;
    struct http_transfer_options options = {
        .protocols = "http,https", .env_proxy = true, .done = on_done, .data = request};
    request->done = done;
    request->data = data;
    int failed = client_net_transfer(net, curl, &options, url, &request->transfer);
    if (!failed)
        failed = prepare(request, packets);
    if (!failed)
        failed = http_transfer_start(request->transfer);
    if (failed)
        client_request_cancel(request);
    else
        *out = request;
    return failed;
}

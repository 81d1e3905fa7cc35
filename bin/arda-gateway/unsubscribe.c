/* SPDX-License-Identifier: ISC
 *
 * The link at the end of an e-mail (RFC 8058). Whoever opens it is asked, and nothing changes,
 * since scanners of e-mails open links, too; a POST, from the page's button or from a mail program
 * by itself, sets the preference. The token is all that is looked at, whoever shows it: cookies and
 * origins are of no account. It never goes into a log.
 *
 * A worker judges the request; the home loop, which has the bus, writes to the directory; the
 * worker answers.
 */
#include "gateway.h"
#include "unsubscribe_page.h"

#include "arda/directory.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/names.h"
#include "net/codec/form.h"
#include "net/codec/http1.h"

#include <stdio.h>
#include <string.h>

#define PATH           "/notifications/unsubscribe"
#define OTHER_PATH     "/api/notifications/unsubscribe" /* in e-mails of the service beside us */
#define PAGES          2
#define BODY_MAX_BYTES 4096

/* A POST on its way to the home loop and back. */
struct visit {
    struct gateway *gateway;
    struct net_request *request;
    unsigned worker;
    enum unsubscribe_page page;
    struct arda_unsubscribe what;
};

BASE_NAME_FUNCTION(gateway_unsubscribe_name, enum gateway_unsubscribe, GATEWAY_UNSUBSCRIBE_MAP,
                   BASE_NAME_SECOND, "unknown")

static void answer(struct gateway *gateway, struct net_request *request, enum unsubscribe_page page,
                   const struct arda_unsubscribe *what)
{
    static const enum gateway_unsubscribe outcomes[] = {
#define OUTCOME_(page, status, outcome, heading) outcome,
        UNSUBSCRIBE_PAGE_MAP(OUTCOME_)
#undef OUTCOME_
    };
    atomic_fetch_add_explicit(&gateway->unsubscribes[outcomes[page]], 1, memory_order_relaxed);
    unsubscribe_page_answer(request, page, what);
}

/* ---- judging; workers ---- */

/* UNSUBSCRIBE_ASK for a good token. */
static enum unsubscribe_page read_token(struct gateway *gateway, struct net_request *request,
                                        struct arda_unsubscribe *what)
{
    static struct base_log_limit limit;
    struct base_buf token = BASE_BUF_INIT;
    struct base_why why = {.text = "no token"};
    enum unsubscribe_page page = UNSUBSCRIBE_MISSING;
    int found = net_http1_query(net_request_query(request), "token", &token);
    if (found == BASE_ERR_NOMEM)
        return UNSUBSCRIBE_FAILED;
    if (found == 1 && token.len > 0) {
        pthread_rwlock_rdlock(&gateway->key_lock);
        int failed = arda_unsubscribe_verify(gateway->unsubscribe_key, token.data, token.len,
                                             base_clock_wall_ms(), what, &why);
        pthread_rwlock_unlock(&gateway->key_lock);
        page = !failed                      ? UNSUBSCRIBE_ASK
               : failed == BASE_ERR_TIMEOUT ? UNSUBSCRIBE_EXPIRED
               : failed == BASE_ERR_DENIED  ? UNSUBSCRIBE_DENIED
                                            : UNSUBSCRIBE_FAILED;
    }
    base_buf_fini(&token);
    if (page != UNSUBSCRIBE_ASK)
        base_log_limited(&limit, BASE_LOG_DEBUG, "unsubscribe: refused: %s", why.text);
    return page;
}

/* UNSUBSCRIBE_DONE if the body asks for it. */
static enum unsubscribe_page read_form(struct net_request *request)
{
    static const char wanted[] = "One-Click";
    struct base_buf value = BASE_BUF_INIT;
    int found = net_form_value(net_request_header(request, "content-type"),
                               net_request_body(request), "List-Unsubscribe", &value);
    bool good =
        found == 1 && value.len == sizeof wanted - 1 && memcmp(value.data, wanted, value.len) == 0;
    base_buf_fini(&value);
    if (found == BASE_ERR_NOMEM)
        return UNSUBSCRIBE_FAILED;
    if (found == BASE_ERR_INVALID)
        return UNSUBSCRIBE_FOREIGN;
    return good ? UNSUBSCRIBE_DONE : UNSUBSCRIBE_UNCLEAR;
}

/* ---- writing; home loop ---- */

static void take_answer(void *arg)
{
    struct visit *visit = arg;
    answer(visit->gateway, visit->request, visit->page, &visit->what);
    base_free(visit);
}

static void finish(struct visit *visit, enum unsubscribe_page page)
{
    static struct base_log_limit limit;
    struct gateway *gateway = visit->gateway;
    visit->page = page;
    /* After the server's end no worker is left, and nobody listens. */
    if (visit->worker == 0 || !gateway->server)
        take_answer(visit);
    else if (net_server_post(gateway->server, visit->worker, take_answer, visit) < 0)
        base_log_limited(&limit, BASE_LOG_ERROR, "unsubscribe: out of memory");
}

static void on_stored(void *data, int result, const struct base_why *why)
{
    static struct base_log_limit limit;
    struct visit *visit = data;
    /* That Redis is away is said where it went. */
    if (result && result != BASE_ERR_UNAVAILABLE)
        base_log_limited(&limit, BASE_LOG_WARNING, "unsubscribe: %s", why->text);
    else if (!result)
        base_log(BASE_LOG_DEBUG, "tenant %s: user %s: unsubscribed from %s by %s",
                 visit->what.tenant, visit->what.user, arda_notify_type_name(visit->what.type),
                 arda_notify_channel_name(visit->what.channel));
    finish(visit, result ? UNSUBSCRIBE_FAILED : UNSUBSCRIBE_DONE);
}

static int store_preference(struct visit *visit, struct base_why *why)
{
    static const char value[] = "{\"enabled\":false}";
    struct arda_directory_line line = {.kind = ARDA_DIRECTORY_PREFERENCE};
    char id[ARDA_DIRECTORY_ID_MAX + 1];
    memcpy(line.tenant, visit->what.tenant, sizeof line.tenant);
    int len = snprintf(id, sizeof id, "%s:%s:%s", visit->what.user,
                       arda_notify_type_name(visit->what.type),
                       arda_notify_channel_name(visit->what.channel));
    int failed = arda_directory_line_set_id(&line, id, (size_t)len, why);
    if (!failed)
        failed = arda_directory_line_set_value(&line, value, sizeof value - 1, why);
    if (!failed) {
        failed = arda_directory_put(visit->gateway->bus, &line, on_stored, visit);
        if (failed)
            base_why_set(why, failed, "%s", base_err_text(failed));
    }
    arda_directory_line_fini(&line);
    return failed;
}

/* A tenant that was removed does not come back by an old e-mail. The answer may come when the bus
 * is closing, and the gateway has it no more. */
static void on_tenant(void *data, int known)
{
    struct visit *visit = data;
    struct base_why why;
    if (known == 0) {
        finish(visit, UNSUBSCRIBE_EXPIRED);
    } else if (known < 0 || !visit->gateway->bus) {
        finish(visit, UNSUBSCRIBE_FAILED);
    } else {
        int failed = store_preference(visit, &why);
        if (failed)
            on_stored(visit, failed, &why);
    }
}

static void store(void *arg)
{
    struct visit *visit = arg;
    const char *tenant = visit->what.tenant;
    if (visit->gateway->bus)
        arda_directory_has_tenant(visit->gateway->bus, tenant, strlen(tenant), on_tenant, visit);
    else
        finish(visit, UNSUBSCRIBE_FAILED);
}

/* ---- requests; workers ---- */

static void unsubscribe(struct gateway *gateway, struct net_request *request,
                        const struct arda_unsubscribe *what)
{
    struct visit *visit = base_malloc(sizeof *visit);
    if (visit) {
        *visit = (struct visit){.gateway = gateway, .request = request, .what = *what};
        visit->worker = net_request_worker(request);
        if (net_server_post_home(gateway->server, store, visit) == 0)
            return;
    }
    base_free(visit);
    answer(gateway, request, UNSUBSCRIBE_FAILED, what);
}

static void on_request(void *data, struct net_request *request)
{
    struct gateway *gateway = data;
    struct arda_unsubscribe what = {0};
    enum unsubscribe_page page = read_token(gateway, request, &what);
    if (page == UNSUBSCRIBE_ASK && net_request_is_post(request))
        page = read_form(request);
    if (page == UNSUBSCRIBE_DONE)
        unsubscribe(gateway, request, &what);
    else
        answer(gateway, request, page, &what);
}

/* ---- the key ---- */

int unsubscribe_load_key(struct gateway *gateway, struct base_why *why)
{
    struct arda_token_key *key;
    int failed = arda_unsubscribe_key_load(gateway->unsubscribe_file, &key, why);
    if (failed)
        return failed;
    pthread_rwlock_wrlock(&gateway->key_lock);
    struct arda_token_key *old = gateway->unsubscribe_key;
    gateway->unsubscribe_key = key;
    pthread_rwlock_unlock(&gateway->key_lock);
    arda_token_key_free(old);
    return BASE_OK;
}

int unsubscribe_prepare(struct gateway *gateway, const char *file, struct base_why *why)
{
    gateway->unsubscribe_file = file;
    if (unsubscribe_page_prepare() < 0)
        return base_why_set(why, BASE_ERR_INTERNAL, "the pages cannot be made");
    int failed = unsubscribe_load_key(gateway, why);
    return failed == BASE_ERR_NOTFOUND ? BASE_OK : failed;
}

/* A page in the folder of the endpoint. */
static char *make_path(const struct gateway *gateway, const char *page)
{
    struct base_buf path = BASE_BUF_INIT;
    const char *last = strrchr(gateway->path, '/');
    size_t folder = last ? (size_t)(last - gateway->path) : 0;
    if (base_buf_add(&path, gateway->path, folder) == 0 && base_buf_add_text(&path, page) == 0 &&
        base_buf_cstr(&path))
        return base_buf_take(&path, NULL);
    base_buf_fini(&path);
    return NULL;
}

int unsubscribe_site(struct gateway *gateway, const struct net_site **out, struct base_why *why)
{
    static const char *const paths[PAGES] = {PATH, OTHER_PATH};
    static struct net_page pages[PAGES];
    static struct net_site site;
    *out = NULL;
    if (!gateway->unsubscribe_key)
        return BASE_OK;
    for (size_t i = 0; i < PAGES; i++) {
        gateway->unsubscribe_paths[i] = make_path(gateway, paths[i]);
        if (!gateway->unsubscribe_paths[i])
            return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
        pages[i] = (struct net_page){gateway->unsubscribe_paths[i], on_request, BODY_MAX_BYTES};
    }
    site = (struct net_site){.pages = pages, .page_count = PAGES, .data = gateway};
    *out = &site;
    return BASE_OK;
}

void unsubscribe_fini(struct gateway *gateway)
{
    for (size_t i = 0; i < PAGES; i++)
        base_free(gateway->unsubscribe_paths[i]);
    arda_token_key_free(gateway->unsubscribe_key);
}

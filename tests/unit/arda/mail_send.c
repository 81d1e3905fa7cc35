/* SPDX-License-Identifier: ISC
 *
 * Attempts against a relay of the test's own, on the same loop.
 */
#include "arda/mail/send.h"

#include "arda/mail/message.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "lib/loop.h"

#include <netinet/in.h>
#include <strings.h>

#define MOST_PEERS 8
#define MOST_MAILS 6

/* ---- the relay ---- */

/* What it answers; NULL: as one that is content. */
static struct script {
    const char *greeting, *ehlo, *auth, *mail, *rcpt, *data, *content;
    const char *silent_at; /* the command that is never answered */
    const char *drop_at;
} script;

static struct {
    uv_tcp_t listener;
    struct peer {
        uv_tcp_t tcp;
        char line[4096];
        size_t len;
        bool in_message, in_login;
    } peers[MOST_PEERS];
    int count, closed;
    int port;
    char read[4096];
    char heard[16384]; /* commands, and messages */
    size_t heard_len;
} relay;

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    (void)handle;
    (void)wanted;
    *buf = uv_buf_init(relay.read, sizeof relay.read);
}

static void on_closed(uv_handle_t *handle)
{
    (void)handle;
    relay.closed++;
}

static void end_peer(struct peer *peer)
{
    if (!uv_is_closing((uv_handle_t *)&peer->tcp))
        uv_close((uv_handle_t *)&peer->tcp, on_closed);
}

static void say(struct peer *peer, const char *text, const char *otherwise)
{
    const char *said = text ? text : otherwise;
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)said, (unsigned)strlen(said));
    CHECK_INT(uv_try_write((uv_stream_t *)&peer->tcp, &buf, 1), buf.len);
}

static bool begins(const char *line, const char *word)
{
    return word && strncasecmp(line, word, strlen(word)) == 0;
}

static void answer(struct peer *peer, const char *line)
{
    static const char ready[] = "250-relay\r\n250-SIZE 1000000\r\n250 AUTH PLAIN\r\n";
    if (begins(line, script.silent_at))
        return;
    if (begins(line, script.drop_at))
        end_peer(peer);
    else if (peer->in_message) {
        peer->in_message = strcmp(line, ".") != 0;
        if (!peer->in_message)
            say(peer, script.content, "250 2.0.0 taken as 4711\r\n");
    } else if (begins(line, "EHLO") || begins(line, "HELO"))
        say(peer, script.ehlo, ready);
    else if (begins(line, "AUTH")) {
        say(peer, NULL, "334 \r\n");
        peer->in_login = true;
    } else if (peer->in_login) {
        say(peer, script.auth, "235 welcome\r\n");
        peer->in_login = false;
    } else if (begins(line, "MAIL"))
        say(peer, script.mail, "250 ok\r\n");
    else if (begins(line, "RCPT"))
        say(peer, script.rcpt, "250 ok\r\n");
    else if (begins(line, "DATA")) {
        say(peer, script.data, "354 go on\r\n");
        peer->in_message = !script.data;
    } else if (begins(line, "QUIT"))
        say(peer, NULL, "221 bye\r\n");
    else
        say(peer, NULL, "500 what\r\n");
}

static void hear(const char *line)
{
    size_t len = strlen(line);
    base_assert(relay.heard_len + len + 2 < sizeof relay.heard);
    memcpy(relay.heard + relay.heard_len, line, len);
    relay.heard_len += len;
    memcpy(relay.heard + relay.heard_len, "\n", 2);
    relay.heard_len++;
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct peer *peer = base_container(stream, struct peer, tcp);
    if (got < 0) {
        end_peer(peer);
        return;
    }
    for (ssize_t i = 0; i < got && !uv_is_closing((uv_handle_t *)stream); i++) {
        base_assert(peer->len < sizeof peer->line);
        peer->line[peer->len++] = buf->base[i];
        if (buf->base[i] != '\n')
            continue;
        CHECK(peer->len >= 2 && peer->line[peer->len - 2] == '\r');
        peer->line[peer->len - 2] = '\0';
        peer->len = 0;
        hear(peer->line);
        answer(peer, peer->line);
    }
}

static void on_peer(uv_stream_t *listener, int status)
{
    CHECK_INT(status, 0);
    base_assert(relay.count < MOST_PEERS);
    struct peer *peer = &relay.peers[relay.count++];
    uv_tcp_init(&test_loop, &peer->tcp);
    CHECK_INT(uv_accept(listener, (uv_stream_t *)&peer->tcp), 0);
    uv_read_start((uv_stream_t *)&peer->tcp, on_alloc, on_read);
    if (!begins("connect", script.silent_at))
        say(peer, script.greeting, "220 relay\r\n");
}

/* How often one of its lines begins with this. */
static int heard(const char *word)
{
    int count = 0;
    for (const char *line = relay.heard; *line; line = strchr(line, '\n') + 1)
        count += begins(line, word);
    return count;
}

/* ---- a sender, and attempts of it ---- */

static struct arda_mail_sender *sender;
static struct base_buf headers;

static struct mail {
    struct arda_mail_attempt *attempt;
    int ends;
    struct arda_mail_result result;
} mails[MOST_MAILS];
static int ends, ended_as[MOST_MAILS];
static bool close_with_last;

static void on_done(void *data, const struct arda_mail_result *result)
{
    struct mail *mail = data;
    mail->ends++;
    mail->result = *result;
    ended_as[ends++] = (int)(mail - mails);
    CHECK(base_utf8_valid(result->text, strlen(result->text)) && !strpbrk(result->text, "\r\n\t"));
    CHECK(!strstr(result->text, "s3cret"));
    if (close_with_last) {
        arda_mail_sender_close(sender);
        sender = NULL;
    }
}

static void make_headers(void)
{
    struct arda_mail mail = {
        .delivery_id = {"id-1", 4},
        .from_address = {"arda@acme.example", 17},
        .to_address = {"ann@works.example", 17},
        .subject = {"Subject", 7},
    };
    struct base_why why;
    CHECK_INT(arda_mail_headers_add(&headers, &mail, &why), 0);
}

/* `url`: with %d for the port. */
static int make_sender(const char *format, struct arda_mail_sender_options options)
{
    char url[256];
    struct base_why why = {0, ""};
    const char *mark = strstr(format, "%d");
    snprintf(url, sizeof url, "%.*s%d%s", (int)(mark - format), format, relay.port, mark + 2);
    options.loop = &test_loop;
    options.url = url;
    int failed = arda_mail_sender_new(&options, &sender, &why);
    CHECK_STR(why.text, failed == BASE_ERR_NOMEM ? "out of memory" : "");
    return failed;
}

static void begin_relay(void)
{
    struct sockaddr_in address;
    int len = sizeof address;
    memset(&relay, 0, sizeof relay);
    memset(mails, 0, sizeof mails);
    ends = 0;
    close_with_last = false;
    test_loop_init();
    uv_tcp_init(&test_loop, &relay.listener);
    uv_ip4_addr("127.0.0.1", 0, &address);
    CHECK_INT(uv_tcp_bind(&relay.listener, (struct sockaddr *)&address, 0), 0);
    CHECK_INT(uv_listen((uv_stream_t *)&relay.listener, 8, on_peer), 0);
    uv_tcp_getsockname(&relay.listener, (struct sockaddr *)&address, &len);
    relay.port = ntohs(address.sin_port);
    make_headers();
}

static void begin_with(struct script with, struct arda_mail_sender_options options)
{
    script = with;
    begin_relay();
    CHECK_INT(make_sender("smtp://ann:s3cret@127.0.0.1:%d/me.example", options), 0);
}

static void count_handle(uv_handle_t *handle, void *count)
{
    (void)handle;
    ++*(int *)count;
}

/* The timer of the test is one. */
static bool only_the_timer_is_left(void)
{
    int count = 0;
    uv_walk(&test_loop, count_handle, &count);
    return count == 1;
}

static void end(void)
{
    arda_mail_sender_close(sender);
    sender = NULL;
    if (!uv_is_closing((uv_handle_t *)&relay.listener))
        uv_close((uv_handle_t *)&relay.listener, NULL);
    RUN_UNTIL(only_the_timer_is_left());
    CHECK_INT(relay.closed, relay.count);
    test_loop_fini();
    base_buf_fini(&headers);
}

static int send_to(struct mail *mail, const char *to)
{
    static const char plain[] = "First\r\n.\r\n..two = dots\r\nRCPT TO:<eve@evil.example>\r\n";
    static const char html[] = "<p>\xc3\xbc</p>\r\n";
    struct arda_mail_request request = {
        .from = "arda@acme.example",
        .to = to,
        .headers = &headers,
        .plain = {plain, sizeof plain - 1},
        .html = {html, sizeof html - 1},
        .done = on_done,
        .data = mail,
    };
    return arda_mail_send(sender, &request, &mail->attempt);
}

static void start(struct mail *mail)
{
    int before = ends;
    CHECK_INT(send_to(mail, "ann@works.example"), 0);
    CHECK_INT(ends, before); /* never at once */
}

static const struct arda_mail_sender_options usual = {.timeout_ms = 60000};

/* ---- what goes over the wire ---- */

static void the_relay_gets_one_recipient_and_the_message(void)
{
    begin_with((struct script){0}, usual);
    CHECK(strncmp(arda_mail_sender_name(sender), "127.0.0.1:", 10) == 0);
    start(&mails[0]);
    RUN_UNTIL(ends == 1);
    CHECK_INT(mails[0].result.outcome, ARDA_OUTCOME_DONE);
    CHECK_INT(mails[0].result.reply, 250);
    CHECK_STR(mails[0].result.text, "SMTP 250: 2.0.0 taken as 4711");
    CHECK(mails[0].result.attempted);
    CHECK_INT(heard("EHLO me.example"), 1);
    CHECK_INT(heard("AUTH PLAIN"), 1);
    CHECK_INT(heard("MAIL FROM:<arda@acme.example>"), 1);
    CHECK_INT(heard("RCPT TO:<ann@works.example>"), 1);
    CHECK(strstr(relay.heard, "\nContent-Type: multipart/alternative; boundary=") != NULL);
    CHECK(strstr(relay.heard, "\nMessage-ID: <id-1@acme.example>\n") != NULL);
    CHECK_INT(heard("MIME-Version: 1.0"), 1);
    CHECK(strstr(relay.heard, "First\n..\n...two =3D dots\nRCPT TO:<eve@evil.example>\n") != NULL);
    CHECK(strstr(relay.heard, "<p>=C3=BC</p>") != NULL);
    end();
}

static void a_connection_is_used_again(void)
{
    begin_with((struct script){0}, usual);
    for (int i = 0; i < 4; i++) {
        start(&mails[i]);
        RUN_UNTIL(ends == i + 1);
        CHECK_INT(mails[i].result.outcome, ARDA_OUTCOME_DONE);
    }
    CHECK_INT(relay.count, 1);
    CHECK_INT(heard("MAIL FROM:"), 4);
    CHECK_INT(heard("AUTH"), 1);
    end();
}

static void no_more_connections_than_allowed(void)
{
    struct arda_mail_sender_options options = usual;
    options.connections = 2;
    begin_with((struct script){0}, options);
    for (int i = 0; i < MOST_MAILS; i++)
        start(&mails[i]);
    RUN_UNTIL(ends == MOST_MAILS);
    for (int i = 0; i < MOST_MAILS; i++)
        CHECK_INT(mails[i].result.outcome, ARDA_OUTCOME_DONE);
    CHECK(relay.count == 1 || relay.count == 2); /* one may be quick enough for all */
    CHECK_INT(heard("RCPT TO:<ann@"), MOST_MAILS);
    end();
}

/* ---- refusals ---- */

/* No answer that counts, or one to something else than the message, or one that wants a log-in. */
static bool is_about_relay(const struct script *said, int reply)
{
    return reply == 0 || said->greeting || said->ehlo || said->auth || reply == 530;
}

static void outcomes(void)
{
    static const struct {
        struct script script;
        enum arda_outcome outcome;
        int reply;
        const char *text;
    } rows[] = {
        {{.greeting = "554 no mail here\r\n"}, ARDA_OUTCOME_RETRY, 554, NULL},
        {{.greeting = "421 too busy\r\n"}, ARDA_OUTCOME_RETRY, 421, NULL},
        {{.ehlo = "550 who\r\n"}, ARDA_OUTCOME_RETRY, 550, "SMTP 550 to HELO: who"},
        {{.auth = "535 5.7.8 no s3cret for ann\r\n"}, ARDA_OUTCOME_RETRY, 535, "SMTP 535 to AUTH"},
        {{.auth = "535 5.7.8 wrong\r\n"}, ARDA_OUTCOME_RETRY, 535, "SMTP 535 to AUTH: 5.7.8 wrong"},
        {{.auth = "454 later\r\n"}, ARDA_OUTCOME_RETRY, 454, "SMTP 454 to AUTH: later"},
        {{.mail = "550 not you\r\n"}, ARDA_OUTCOME_FAILED, 550, "SMTP 550 to MAIL FROM: not you"},
        {{.mail = "530 log in\r\n"}, ARDA_OUTCOME_RETRY, 530, "SMTP 530 to MAIL FROM: log in"},
        {{.mail = "451 later\r\n"}, ARDA_OUTCOME_RETRY, 451, "SMTP 451 to MAIL FROM: later"},
        {{.rcpt = "550-5.1.1 No\x1b[2J\r\n550-\xff\r\n550 such \xc3\xbcser\r\n"},
         ARDA_OUTCOME_BOUNCED,
         550,
         "SMTP 550 to RCPT TO: 5.1.1 No\\u001b[2J ? such \xc3\xbcser"},
        {{.rcpt = "450 greylisted\r\n"},
         ARDA_OUTCOME_RETRY,
         450,
         "SMTP 450 to RCPT TO: greylisted"},
        {{.rcpt = "550\r\n"}, ARDA_OUTCOME_BOUNCED, 550, "SMTP 550 to RCPT TO"},
        {{.data = "554 no\r\n"}, ARDA_OUTCOME_FAILED, 554, "SMTP 554 to DATA: no"},
        {{.data = "452 full\r\n"}, ARDA_OUTCOME_RETRY, 452, "SMTP 452 to DATA: full"},
        {{.content = "554 spam\r\n"}, ARDA_OUTCOME_FAILED, 554, "SMTP 554 to the message: spam"},
        {{.content = "451 scan\r\n"}, ARDA_OUTCOME_RETRY, 451, "SMTP 451 to the message: scan"},
        {{.rcpt = "garbage\r\n", .drop_at = "DATA"}, ARDA_OUTCOME_RETRY, 0, NULL},
        {{.drop_at = "EHLO"}, ARDA_OUTCOME_RETRY, 0, NULL},
        {{.drop_at = "MAIL"}, ARDA_OUTCOME_RETRY, 0, NULL},
        {{.drop_at = "RCPT"}, ARDA_OUTCOME_RETRY, 0, NULL},
        {{.drop_at = "DATA"}, ARDA_OUTCOME_RETRY, 0, NULL},
        {{.drop_at = "First"}, ARDA_OUTCOME_RETRY, 0, NULL},
        {{.drop_at = "."}, ARDA_OUTCOME_RETRY, 0, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        /* What is no answer is not waited for long. */
        bool garbage = rows[i].script.rcpt && !rows[i].text;
        struct arda_mail_sender_options options = {.timeout_ms = garbage ? 300 : 60000};
        begin_with(rows[i].script, options);
        start(&mails[0]);
        RUN_UNTIL(ends == 1);
        CHECK_INT(mails[0].result.outcome, rows[i].outcome);
        CHECK_INT(mails[0].result.relay, is_about_relay(&rows[i].script, rows[i].reply)
                                             ? ARDA_MAIL_RELAY_FAILS
                                             : ARDA_MAIL_RELAY_WORKS);
        CHECK_INT(mails[0].result.reply, rows[i].reply);
        CHECK(mails[0].result.text[0] != '\0');
        if (rows[i].text)
            CHECK_STR(mails[0].result.text, rows[i].text);
        end();
    }
}

static void silence_is_a_timeout(void)
{
    static const char *const commands[] = {"connect", "EHLO", "RCPT", "."};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        struct arda_mail_sender_options options = {.timeout_ms = 100};
        begin_with((struct script){.silent_at = commands[i]}, options);
        start(&mails[0]);
        RUN_UNTIL(ends == 1);
        CHECK_INT(mails[0].result.outcome, ARDA_OUTCOME_RETRY);
        CHECK(strncmp(mails[0].result.text, "not ended within 100 ms, at ", 28) == 0);
        CHECK(mails[0].result.duration_ms >= 100);
        end();
    }
}

static void who_waits_too_long_is_told(void)
{
    struct arda_mail_sender_options options = {.timeout_ms = 100, .connections = 1};
    begin_with((struct script){.silent_at = "connect"}, options);
    for (int i = 0; i < 3; i++)
        start(&mails[i]);
    RUN_UNTIL(ends == 3);
    CHECK_INT(ended_as[0], 0);
    int told = 0; /* the second may have waited a little less, and then only the third is */
    for (int i = 0; i < 3; i++) {
        CHECK_INT(mails[i].result.outcome, ARDA_OUTCOME_RETRY);
        if (mails[i].result.attempted)
            continue;
        told++;
        CHECK_STR(mails[i].result.text, "no connection to the relay was free within 100 ms");
    }
    CHECK(told == 1 || told == 2);
    CHECK(relay.count <= 3 - told);
    end();
}

static void nobody_is_there(void)
{
    begin_with((struct script){0}, usual);
    uv_close((uv_handle_t *)&relay.listener, NULL);
    uv_run(&test_loop, UV_RUN_NOWAIT);
    start(&mails[0]);
    RUN_UNTIL(ends == 1);
    CHECK_INT(mails[0].result.outcome, ARDA_OUTCOME_RETRY);
    CHECK(strstr(mails[0].result.text, "connect") != NULL);
    end();
}

/* The name is this computer's, but not one of those that the URL may say it with. */
static void without_tls_nothing_is_said(void)
{
    for (int optional = 0; optional < 2; optional++) {
        struct arda_mail_sender_options options = usual;
        options.tls = optional ? ARDA_MAIL_TLS_OPTIONAL : ARDA_MAIL_TLS_REQUIRED;
        script = (struct script){0};
        begin_relay();
        CHECK_INT(make_sender("smtp://ann:s3cret@127.1:%d", options), 0);
        start(&mails[0]);
        RUN_UNTIL(ends == 1);
        CHECK_INT(mails[0].result.outcome, optional ? ARDA_OUTCOME_DONE : ARDA_OUTCOME_RETRY);
        CHECK_INT(heard("AUTH"), optional);
        CHECK_INT(heard("MAIL"), optional);
        if (!optional)
            CHECK_STR(mails[0].result.text,
                      "the relay does not offer STARTTLS, without which nothing is sent to it");
        end();
    }
}

/* ---- ends ---- */

static void addresses_are_looked_at(void)
{
    begin_with((struct script){0}, usual);
    CHECK_INT(send_to(&mails[0], "ann@works.example>\r\nRCPT TO:<eve@evil.example"),
              BASE_ERR_INVALID);
    CHECK_INT(send_to(&mails[0], ""), BASE_ERR_INVALID);
    end();
}

static void cancelled_ones_are_silent(void)
{
    struct arda_mail_sender_options options = usual;
    options.connections = 1;
    begin_with((struct script){.silent_at = "MAIL"}, options);
    for (int i = 0; i < 3; i++)
        start(&mails[i]);
    RUN_UNTIL(heard("MAIL") == 1);
    script = (struct script){0};
    arda_mail_cancel(mails[1].attempt);
    arda_mail_cancel(mails[0].attempt); /* the third may begin */
    RUN_UNTIL(ends == 1);
    CHECK_INT(ended_as[0], 2);
    CHECK_INT(mails[2].result.outcome, ARDA_OUTCOME_DONE);
    arda_mail_cancel(NULL);
    end();
}

static void the_last_may_close_the_sender(void)
{
    begin_with((struct script){0}, usual);
    close_with_last = true;
    start(&mails[0]);
    RUN_UNTIL(ends == 1);
    CHECK(!sender);
    arda_mail_sender_close(NULL);
    end();
}

static void memory_may_be_short(void)
{
    int result = BASE_ERR_NOMEM;
    script = (struct script){0};
    begin_relay();
    for (long n = 1; result && n < 50; n++) {
        struct arda_mail_sender_options options = usual;
        options.ca_file = "/nowhere";
        base_mem_fail(n, 1);
        result = make_sender("smtp://u:p@127.0.0.1:%d", options);
        base_mem_fail(0, 0);
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
    }
    CHECK_INT(result, 0);
    result = BASE_ERR_NOMEM;
    for (long n = 1; result && n < 50; n++) {
        base_mem_fail(n, 1);
        result = send_to(&mails[0], "ann@works.example");
        base_mem_fail(0, 0);
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
    }
    CHECK_INT(result, 0);
    RUN_UNTIL(ends == 1);
    CHECK_INT(mails[0].ends, 1);
    end();
}

int main(void)
{
    RUN(the_relay_gets_one_recipient_and_the_message);
    RUN(a_connection_is_used_again);
    RUN(no_more_connections_than_allowed);
    RUN(outcomes);
    RUN(silence_is_a_timeout);
    RUN(who_waits_too_long_is_told);
    RUN(nobody_is_there);
    RUN(without_tls_nothing_is_said);
    RUN(addresses_are_looked_at);
    RUN(cancelled_ones_are_silent);
    RUN(the_last_may_close_the_sender);
    RUN(memory_may_be_short);
    return test_end();
}

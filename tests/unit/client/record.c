/* SPDX-License-Identifier: ISC */
#include "client/record.h"

#include "base/mem.h"
#include "lib/test.h"

#define AT "{\"at\":\"1970-01-01T00:00:01.500Z\","

static void writes(const struct client_record *record, const char *line)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(client_record_write(&out, record, 1500), 0);
    CHECK_BYTES(out.data, out.len, line);
    base_buf_fini(&out);
    for (long n = 1;; n++) {
        base_mem_fail(n, 1);
        int failed = client_record_write(&out, record, 1500);
        bool tried = base_mem_tries() >= n;
        base_mem_fail(0, 0);
        size_t len = out.len;
        base_buf_fini(&out);
        if (!tried)
            break;
        CHECK_INT(failed, BASE_ERR_NOMEM);
        CHECK_INT(len, 0);
    }
}

static void writes_packet(enum client_kind kind, const char *text, const char *line)
{
    struct net_sio_packet packet;
    CHECK_INT(net_sio_parse_server(text, strlen(text), &packet, NULL), 0);
    struct client_record record = {.kind = kind, .packet = &packet};
    if (kind == CLIENT_RECORD_EVENT)
        record.args = client_event_args(&packet);
    writes(&record, line);
}

static void sessions(void)
{
    struct client_open open = {.sid = "s1",
                               .upgrade = true,
                               .ping_interval_ms = 25000,
                               .ping_timeout_ms = 10000,
                               .max_payload_bytes = 1000000};
    writes(&(struct client_record){.kind = CLIENT_RECORD_HANDSHAKE,
                                   .url = "http://h/",
                                   .transport = "polling",
                                   .open = &open},
           AT
           "\"kind\":\"handshake\",\"url\":\"http://h/\",\"transport\":\"polling\",\"sid\":\"s1\","
           "\"upgrades\":[\"websocket\"],\"pingInterval\":25000,\"pingTimeout\":10000,"
           "\"maxPayload\":1000000}\n");
    writes(&(struct client_record){.kind = CLIENT_RECORD_UPGRADE, .transport = "websocket"},
           AT "\"kind\":\"upgrade\",\"transport\":\"websocket\"}\n");
    writes_packet(CLIENT_RECORD_CONNECT, "0{\"sid\":\"x\\u0041\",\"pid\":1}",
                  AT "\"kind\":\"connect\",\"sid\":\"x\\u0041\"}\n");
    writes_packet(CLIENT_RECORD_CONNECT, "0", AT "\"kind\":\"connect\"}\n");
}

static void events(void)
{
    writes_packet(CLIENT_RECORD_EVENT, "2[\"a\",{\"n\":1.0},\n\"\\u00e9\"]",
                  AT "\"kind\":\"event\",\"name\":\"a\",\"args\":[{\"n\":1.0}, \"\\u00e9\"]}\n");
    writes_packet(CLIENT_RECORD_EVENT, "2[ \"a,b\" ]",
                  AT "\"kind\":\"event\",\"name\":\"a,b\",\"args\":[]}\n");
    writes_packet(CLIENT_RECORD_EVENT, "27[7]",
                  AT "\"kind\":\"event\",\"name\":7,\"args\":[],\"ack\":7}\n");
    writes_packet(CLIENT_RECORD_EVENT, "51-[\"a\",{\"_placeholder\":true,\"num\":0}]",
                  AT
                  "\"kind\":\"event\",\"name\":\"a\",\"args\":[{\"_placeholder\":true,\"num\":0}],"
                  "\"attachments\":1}\n");
}

static void ends(void)
{
    struct client_end end;
    client_end_set(&end, "transport close", BASE_ERR_UNAVAILABLE, "closed: \"%d\"", 1001);
    end.close_code = 1001;
    writes(&(struct client_record){.kind = CLIENT_RECORD_DISCONNECT, .end = &end},
           AT "\"kind\":\"disconnect\",\"reason\":\"transport close\","
              "\"message\":\"closed: \\\"1001\\\"\",\"code\":1001}\n");
    client_end_of_status(&end, 404, "\xff\xfe", 2);
    writes(&(struct client_record){.kind = CLIENT_RECORD_ERROR, .end = &end},
           AT "\"kind\":\"error\",\"reason\":\"transport error\",\"message\":\"HTTP 404: ??\","
              "\"status\":404}\n");
    client_end_of_status(&end, 400, "{\"code\":1,\"message\":\"Session ID unknown\"}", 41);
    CHECK_STR(end.why.text, "HTTP 400: Session ID unknown");
    CHECK(end.lasting && end.why.code == BASE_ERR_SYNTAX);
    client_end_of_status(&end, 502, "", 0);
    CHECK(!end.lasting && end.why.code == BASE_ERR_UNAVAILABLE);
    client_end_of_status(&end, 403, NULL, 0);
    CHECK(end.lasting && end.why.code == BASE_ERR_DENIED);
    char page[200];
    memset(page, 'x', sizeof page);
    client_end_of_status(&end, 404, page, sizeof page);
    CHECK_STR(end.why.text, "HTTP 404");
}

static void refusals(void)
{
    writes_packet(
        CLIENT_RECORD_ERROR, "4{\"message\":\"no\",\"data\":{\"a\":[1]}}",
        AT "\"kind\":\"error\",\"reason\":\"refused\",\"message\":\"no\",\"data\":{\"a\":[1]}}\n");
    writes_packet(CLIENT_RECORD_ERROR, "4\"no\"",
                  AT "\"kind\":\"error\",\"reason\":\"refused\",\"message\":\"no\"}\n");
    writes_packet(CLIENT_RECORD_ERROR, "4{}", AT "\"kind\":\"error\",\"reason\":\"refused\"}\n");
}

static void first_arguments(void)
{
    struct net_sio_packet packet;
    CHECK_INT(net_sio_parse_server("2[\"a\", [1],2]", 13, &packet, NULL), 0);
    struct base_json_value first = client_event_first(&packet);
    CHECK_BYTES(first.text, first.len, "[1]");
    CHECK_INT(net_sio_parse_server("2[\"a\"]", 6, &packet, NULL), 0);
    CHECK_INT(client_event_first(&packet).kind, BASE_JSON_ABSENT);
}

int main(void)
{
    RUN(sessions);
    RUN(events);
    RUN(ends);
    RUN(refusals);
    RUN(first_arguments);
    return test_end();
}

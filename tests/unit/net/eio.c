/* SPDX-License-Identifier: ISC */
#include "net/codec/eio.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/corpus.h"
#include "lib/trace.h"

/* The packets of a body as text: `4 "hello"`, `4 binary "\x01"`, and at the end `refused`. */
static char *payload_trace(const char *body, size_t len)
{
    char *copy = trace_copy(body, len);
    struct net_eio_packet packet;
    struct trace trace;
    size_t at = 0;
    int got;
    trace_begin(&trace);
    while ((got = net_eio_payload_next(copy, len, &at, &packet)) == 1) {
        fprintf(trace.out, "%c%s", packet.type, packet.binary ? " binary" : "");
        trace_bytes(&trace, packet.data, packet.len);
        fputc('\n', trace.out);
    }
    CHECK(got == 0 || got == BASE_ERR_SYNTAX);
    if (got < 0)
        fputs("refused\n", trace.out);
    free(copy);
    return trace_end(&trace);
}

static void gives(const char *body, const char *packets)
{
    char *got = payload_trace(body, strlen(body));
    CHECK_STR(got, packets);
    free(got);
}

static void reads_every_type(void)
{
    static char text[] = "0rest";
    struct net_eio_packet packet;
    for (int c = 0; c < 256; c++) {
        text[0] = (char)c;
        int result = net_eio_parse(text, 5, false, &packet);
        CHECK_INT(result, c >= '0' && c <= '6' ? 0 : BASE_ERR_SYNTAX);
        if (result == 0) {
            CHECK_INT(packet.type, c);
            CHECK(!packet.binary);
            CHECK_BYTES(packet.data, packet.len, "rest");
        }
    }
    CHECK_INT(net_eio_parse(text, 0, false, &packet), BASE_ERR_SYNTAX);
    text[0] = '3';
    CHECK_INT(net_eio_parse(text, 1, false, &packet), 0);
    CHECK_INT(packet.len, 0);
}

static void takes_binary_messages_as_they_are(void)
{
    char bytes[] = "\xff\0x";
    struct net_eio_packet packet;
    CHECK_INT(net_eio_parse(bytes, 3, true, &packet), 0);
    CHECK(packet.type == NET_EIO_MESSAGE && packet.binary);
    CHECK(packet.data == bytes && packet.len == 3);
    CHECK_INT(net_eio_parse(bytes, 0, true, &packet), 0);
    CHECK_INT(packet.len, 0);
}

static void splits_payloads(void)
{
    gives("4hello", "4 \"hello\"\n");
    gives("2\x1e"
          "4a\x1e"
          "3\x1e"
          "4",
          "2 \"\"\n4 \"a\"\n3 \"\"\n4 \"\"\n");
    gives("4\xc3\xa9\x1e"
          "2probe",
          "4 \"\\xc3\\xa9\"\n2 \"probe\"\n");
    gives("4\x1f\x1d", "4 \"\\x1f\\x1d\"\n");
}

static void refuses_empty_packets(void)
{
    gives("", "refused\n");
    gives("\x1e", "refused\n");
    gives("4a\x1e", "4 \"a\"\nrefused\n");
    gives("\x1e"
          "4a",
          "refused\n");
    gives("4a\x1e\x1e"
          "4b",
          "4 \"a\"\nrefused\n");
}

static void stops_at_what_it_refuses(void)
{
    gives("4a\x1e"
          "7\x1e"
          "4b",
          "4 \"a\"\nrefused\n");
    gives("4a\x1e"
          "a",
          "4 \"a\"\nrefused\n");
    gives("4\xff", "refused\n");
    gives("4\xc3\x1e\xa9", "refused\n");
    gives("4\xed\xa0\x80", "refused\n");
}

static void decodes_base64(void)
{
    gives("bAQIDBA==", "4 binary \"\\x01\\x02\\x03\\x04\"\n");
    gives("bAQIDBA", "4 binary \"\\x01\\x02\\x03\\x04\"\n");
    gives("b", "4 binary \"\"\n");
    gives("4a\x1e"
          "b/+8=\x1e"
          "4b",
          "4 \"a\"\n4 binary \"\\xff\\xef\"\n4 \"b\"\n");
    static const char *const bad[] = {
        "bA", "bA===", "bAQ=", "bAR==", "b_w==", "bAQ==AQ==", "b AQ==", "bAQI=\n", "b=", "b===="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        gives(bad[i], "refused\n");
}

static void writes_what_it_reads(void)
{
    struct base_buf body = BASE_BUF_INIT;
    CHECK_INT(net_eio_payload_add(&body, NET_EIO_MESSAGE, false, "hello", 5), 0);
    CHECK_INT(net_eio_payload_add(&body, NET_EIO_MESSAGE, true, "\x01\x02\x03\x04", 4), 0);
    CHECK_INT(net_eio_payload_add(&body, NET_EIO_PING, false, NULL, 0), 0);
    CHECK_INT(net_eio_payload_add(&body, NET_EIO_MESSAGE, true, NULL, 0), 0);
    CHECK_BYTES(body.data, body.len,
                "4hello\x1e"
                "bAQIDBA==\x1e"
                "2\x1e"
                "b");
    char *got = payload_trace(body.data, body.len);
    CHECK_STR(got, "4 \"hello\"\n4 binary \"\\x01\\x02\\x03\\x04\"\n2 \"\"\n4 binary \"\"\n");
    free(got);
    base_buf_fini(&body);
}

static void formats_the_open_packet(void)
{
    struct base_buf out = BASE_BUF_INIT;
    struct net_eio_open open = {"abc", true, 25000, 10000, 1000000};
    CHECK_INT(net_eio_format_open(&out, &open), 0);
    CHECK_BYTES(out.data, out.len,
                "0{\"sid\":\"abc\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,"
                "\"pingTimeout\":10000,\"maxPayload\":1000000}");
    out.len = 0;
    open.upgrade = false;
    CHECK_INT(net_eio_format_open(&out, &open), 0);
    CHECK_BYTES(out.data, out.len,
                "0{\"sid\":\"abc\",\"upgrades\":[],\"pingInterval\":25000,"
                "\"pingTimeout\":10000,\"maxPayload\":1000000}");
    base_buf_fini(&out);
}

static void leaves_the_body_alone_without_memory(void)
{
    static char large[200];
    memset(large, 'x', sizeof large);
    for (int binary = 0; binary < 2; binary++) {
        struct base_buf body = BASE_BUF_INIT;
        CHECK_INT(net_eio_payload_add(&body, NET_EIO_MESSAGE, false, "a", 1), 0);
        base_mem_fail(1, 1);
        CHECK_INT(net_eio_payload_add(&body, NET_EIO_MESSAGE, binary, large, sizeof large),
                  BASE_ERR_NOMEM);
        CHECK_INT(net_eio_payload_add(&body, NET_EIO_MESSAGE, false, "b", 1), 0);
        base_mem_fail(1, 1);
        CHECK_INT(net_eio_format_open(&body, &(struct net_eio_open){"0123456789", 1, 1, 1, 1}),
                  BASE_ERR_NOMEM);
        base_mem_fail(0, 0);
        CHECK_BYTES(body.data, body.len,
                    "4a\x1e"
                    "4b");
        base_buf_fini(&body);
    }
}

static void check_file(const struct corpus_file *file)
{
    char *got = payload_trace(file->data, file->len);
    CHECK(file->accept == !strstr(got, "refused\n"));
    free(got);
}

static void agrees_with_the_corpus(void)
{
    corpus_each("eio", check_file);
}

int main(void)
{
    RUN(reads_every_type);
    RUN(takes_binary_messages_as_they_are);
    RUN(splits_payloads);
    RUN(refuses_empty_packets);
    RUN(stops_at_what_it_refuses);
    RUN(decodes_base64);
    RUN(writes_what_it_reads);
    RUN(formats_the_open_packet);
    RUN(leaves_the_body_alone_without_memory);
    RUN(agrees_with_the_corpus);
    return test_end();
}

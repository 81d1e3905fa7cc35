/* SPDX-License-Identifier: ISC */
#include "net/codec/sio.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/corpus.h"
#include "lib/trace.h"

#include <limits.h>

static const struct base_slice root = {"/", 1}, admin = {"/admin", 6};

/* A packet as text: `2 / ack=1 attachments=2 name="a" data=["a"]`, or `refused`. */
static char *packet_trace(const char *text, size_t len)
{
    char *copy = trace_copy(text, len);
    struct net_sio_packet packet;
    const char *reason = NULL;
    struct trace trace;
    trace_begin(&trace);
    int result = net_sio_parse(copy, len, &packet, &reason);
    CHECK((result < 0) == (reason != NULL));
    CHECK_INT(net_sio_parse(copy, len, &packet, NULL), result);
    if (result < 0) {
        CHECK_INT(result, BASE_ERR_SYNTAX);
        fputs("refused", trace.out);
    } else {
        fprintf(trace.out, "%c %.*s", packet.type, (int)packet.nsp.len, packet.nsp.data);
        if (packet.has_ack)
            fprintf(trace.out, " ack=%" PRIu64, packet.ack);
        if (packet.attachments)
            fprintf(trace.out, " attachments=%u", packet.attachments);
        if (packet.name.kind)
            fprintf(trace.out, " name=%.*s", (int)packet.name.len, packet.name.text);
        if (packet.data.kind)
            fprintf(trace.out, " data=%.*s", (int)packet.data.len, packet.data.text);
    }
    free(copy);
    return trace_end(&trace);
}

static void gives(const char *text, const char *packet)
{
    char *got = packet_trace(text, strlen(text));
    CHECK_STR(got, packet);
    free(got);
}

static void refuses_all(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *got = packet_trace(texts[i], strlen(texts[i]));
        CHECK_STR(got, "refused");
        if (strcmp(got, "refused") != 0)
            printf("# for `%s'\n", texts[i]);
        free(got);
    }
}

#define REFUSES(...)                                                                               \
    do {                                                                                           \
        static const char *const texts_[] = {__VA_ARGS__};                                         \
        refuses_all(texts_, sizeof texts_ / sizeof *texts_);                                       \
    } while (0)

static void reads_connect(void)
{
    gives("0", "0 /");
    gives("0{}", "0 / data={}");
    gives("0{\"token\":\"t\"}", "0 / data={\"token\":\"t\"}");
    gives("0/admin,", "0 /admin");
    gives("0/admin,{\"a\":1}", "0 /admin data={\"a\":1}");
    gives("0/custom", "0 /custom");
    gives("0/a?b=c,{}", "0 /a?b=c data={}");
    gives("0 {} ", "0 / data={}");
    REFUSES("0[]", "0\"t\"", "0null", "0{", "0{}}", "0,", "0{}x", "0/a,[]", "0true");
}

static void reads_disconnect(void)
{
    gives("1", "1 /");
    gives("1/admin,", "1 /admin");
    REFUSES("1{}", "1[]", "1/a,{}", "1x");
}

static void reads_events(void)
{
    gives("2[\"a\"]", "2 / name=\"a\" data=[\"a\"]");
    gives("2[1,\"x\"]", "2 / name=1 data=[1,\"x\"]");
    gives("2[-1.5e3]", "2 / name=-1.5e3 data=[-1.5e3]");
    gives("2/admin,[\"a\",{\"b\":[]}]", "2 /admin name=\"a\" data=[\"a\",{\"b\":[]}]");
    gives("2[\"\"]", "2 / name=\"\" data=[\"\"]");
    gives("2 [ \"a\" , 1 ] ", "2 / name=\"a\" data=[ \"a\" , 1 ]");
    REFUSES("2", "2{}", "2[]", "2[null]", "2[{}]", "2[[]]", "2[true]", "2\"a\"", "2[\"a\"",
            "2[\"a\"] x", "2[\"a\",]", "2[\"\xff\"]", "2[\"a\n\"]", "2[NaN]", "2[01]", "2[\"\\x\"]",
            "2null", "2[\"a\"]]");
}

static void refuses_reserved_names(void)
{
    REFUSES("2[\"connect\"]", "2[\"connect_error\"]", "2[\"disconnect\"]", "2[\"disconnecting\"]",
            "2[\"newListener\"]", "2[\"removeListener\",1]", "2[\"\\u0063onnect\"]",
            "2/a,7[\"disconnect\"]", "51-[\"connect\",{\"_placeholder\":true,\"num\":0}]");
    gives("2[\"connected\"]", "2 / name=\"connected\" data=[\"connected\"]");
    gives("2[\"Connect\"]", "2 / name=\"Connect\" data=[\"Connect\"]");
    gives("2[\"error\"]", "2 / name=\"error\" data=[\"error\"]");
    gives("3"
          "1[\"connect\"]",
          "3 / ack=1 data=[\"connect\"]");
}

static void reads_acknowledgements(void)
{
    gives("20[\"a\"]", "2 / ack=0 name=\"a\" data=[\"a\"]");
    gives("2/admin,456[\"a\"]", "2 /admin ack=456 name=\"a\" data=[\"a\"]");
    gives("212[\"a\"]", "2 / ack=12 name=\"a\" data=[\"a\"]");
    gives("30[]", "3 / ack=0 data=[]");
    gives("3/a,7[1]", "3 /a ack=7 data=[1]");
    gives("2999999999999999999[\"a\"]", "2 / ack=999999999999999999 name=\"a\" data=[\"a\"]");
    REFUSES("3[]", "31", "31{}", "3", "2-1[\"a\"]", "2+1[\"a\"]", "21.5[\"a\"]",
            "29999999999999999999[\"a\"]", "218446744073709551616[\"a\"]",
            "20000000000000000000[\"a\"]", "3100000000000000000000[]");
}

static void reads_attachments(void)
{
    gives("51-[\"a\",{\"_placeholder\":true,\"num\":0}]",
          "5 / attachments=1 name=\"a\" data=[\"a\",{\"_placeholder\":true,\"num\":0}]");
    gives("510-/admin,7[\"a\"]", "5 /admin ack=7 attachments=10 name=\"a\" data=[\"a\"]");
    gives("61-3[{\"_placeholder\":true,\"num\":0}]",
          "6 / ack=3 attachments=1 data=[{\"_placeholder\":true,\"num\":0}]");
    gives("50-[\"a\"]", "5 / name=\"a\" data=[\"a\"]");
    gives("500002-[\"a\"]", "5 / attachments=2 name=\"a\" data=[\"a\"]");
    REFUSES("5", "5-[\"a\"]", "5[\"a\"]", "51[\"a\"]", "51", "51-", "511-[\"a\"]",
            "599999999999-[\"a\"]", "54294967297-[\"a\"]", "5 1-[\"a\"]", "5-1-[\"a\"]", "51-{}",
            "61-[]", "6-1[]", "61-1{}", "5/a,1-[\"a\"]");
}

static void refuses_what_no_client_sends(void)
{
    REFUSES("", "4", "4{\"message\":\"x\"}", "7", "9", "a", "-", " 2[\"a\"]", "\n",
            "2/admin[\"a\"]", "2,[\"a\"]", "2admin,[\"a\"]");
}

static void bounds_namespaces(void)
{
    static char text[NET_SIO_MAX_NAMESPACE + 44] = "0/", want[NET_SIO_MAX_NAMESPACE + 144];
    memset(text + 2, 'n', NET_SIO_MAX_NAMESPACE - 1);
    snprintf(want, sizeof want, "0 %s", text + 1);
    gives(text, want);
    strcat(text, ",{}");
    strcat(want, " data={}");
    gives(text, want);
    strcpy(text + 1 + NET_SIO_MAX_NAMESPACE, "n");
    gives(text, "refused");
    strcat(text, ",{}");
    gives(text, "refused");
}

static void bounds_nesting(void)
{
    static char text[2 * BASE_JSON_MAX_DEPTH + 10];
    for (size_t deep = BASE_JSON_MAX_DEPTH - 1; deep <= BASE_JSON_MAX_DEPTH; deep++) {
        memcpy(text, "2[1,", 4);
        memset(text + 4, '[', deep);
        memset(text + 4 + deep, ']', deep + 1);
        char *got = packet_trace(text, 4 + deep * 2 + 1);
        CHECK((strcmp(got, "refused") == 0) == (deep == BASE_JSON_MAX_DEPTH));
        free(got);
    }
}

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

static void wrote(struct base_buf *out, const char *text)
{
    CHECK_BYTES(out->data, out->len, text);
    out->len = 0;
}

static void formats_packets(void)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(net_sio_format_connect(&out, root, "sid1"), 0);
    wrote(&out, "40{\"sid\":\"sid1\"}");
    CHECK_INT(net_sio_format_connect(&out, admin, "s"), 0);
    wrote(&out, "40/admin,{\"sid\":\"s\"}");
    CHECK_INT(net_sio_format_connect_error(&out, root, "a \"b\"\n"), 0);
    wrote(&out, "44{\"message\":\"a \\\"b\\\"\\u000a\"}");
    CHECK_INT(net_sio_format_connect_error(&out, slice("/x?y"), "Invalid namespace"), 0);
    wrote(&out, "44/x?y,{\"message\":\"Invalid namespace\"}");
    CHECK_INT(net_sio_format_disconnect(&out, root), 0);
    CHECK_INT(net_sio_format_disconnect(&out, admin), 0);
    wrote(&out, "4141/admin,");
    CHECK_INT(net_sio_format_event(&out, root, slice("\"e\""), slice(""), 0), 0);
    wrote(&out, "42[\"e\"]");
    CHECK_INT(net_sio_format_event(&out, admin, slice("\"e\""), slice("1,{}"), 2), 0);
    wrote(&out, "452-/admin,[\"e\",1,{}]");
    CHECK_INT(net_sio_format_ack(&out, root, 0, slice(""), 0), 0);
    wrote(&out, "430[]");
    CHECK_INT(net_sio_format_ack(&out, admin, UINT64_MAX, slice("1"), UINT_MAX), 0);
    wrote(&out, "464294967295-/admin,18446744073709551615[1]");
    base_buf_fini(&out);
}

/* Each formatter with the n-th allocation failing. */
static int format(struct base_buf *out, int which)
{
    static const char message[] = "\x01\x02\x03\x04\x05\x06\x07\x08 grows when it is escaped";
    switch (which) {
    case 0: return net_sio_format_connect(out, admin, message);
    case 1: return net_sio_format_connect_error(out, admin, message);
    case 2: return net_sio_format_disconnect(out, admin);
    case 3: return net_sio_format_event(out, admin, slice("\"e\""), slice(message), 3);
    default: return net_sio_format_ack(out, admin, UINT64_MAX, slice(message), 3);
    }
}

static void leaves_the_buffer_alone_without_memory(void)
{
    for (int which = 0; which < 5; which++) {
        bool failed = true;
        for (long n = 1; failed; n++) {
            struct base_buf out = BASE_BUF_INIT;
            base_buf_add_text(&out, "before, and this fills sixty bytes of the sixty-four there");
            size_t before = out.len;
            base_mem_fail(n, 1);
            int result = format(&out, which);
            failed = base_mem_tries() >= n;
            base_mem_fail(0, 0);
            CHECK_INT(result, failed ? BASE_ERR_NOMEM : 0);
            CHECK(failed ? out.len == before : out.len > before);
            CHECK(memcmp(out.data, "before", 6) == 0);
            CHECK(n > 1 || failed);
            base_buf_fini(&out);
        }
    }
}

static void check_file(const struct corpus_file *file)
{
    char *got = packet_trace(file->data, file->len);
    CHECK(file->accept == (strcmp(got, "refused") != 0));
    free(got);
}

static void agrees_with_the_corpus(void)
{
    corpus_each("sio", check_file);
}

/* A server may refuse a connection; the rest is as a client sends it. */
static void servers(void)
{
    static const char *const good[] = {
        "4{\"message\":\"no\"}", "4\"no\"", "4/a,{}", "0{\"sid\":\"x\"}", "1", "2[\"a\"]", "31[]"};
    static const char *const bad[] = {"4", "4[]", "4no", "1{}", "2[\"connect\"]", "7", ""};
    struct net_sio_packet packet;
    const char *reason;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK_INT(net_sio_parse_server(good[i], strlen(good[i]), &packet, NULL), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        reason = NULL;
        CHECK_INT(net_sio_parse_server(bad[i], strlen(bad[i]), &packet, &reason), BASE_ERR_SYNTAX);
        CHECK(reason != NULL);
    }
    CHECK_INT(net_sio_parse_server(good[2], strlen(good[2]), &packet, NULL), 0);
    CHECK_INT(packet.type, NET_SIO_CONNECT_ERROR);
    CHECK_BYTES(packet.nsp.data, packet.nsp.len, "/a");
}

int main(void)
{
    RUN(reads_connect);
    RUN(reads_disconnect);
    RUN(reads_events);
    RUN(refuses_reserved_names);
    RUN(reads_acknowledgements);
    RUN(reads_attachments);
    RUN(refuses_what_no_client_sends);
    RUN(bounds_namespaces);
    RUN(bounds_nesting);
    RUN(formats_packets);
    RUN(leaves_the_buffer_alone_without_memory);
    RUN(agrees_with_the_corpus);
    RUN(servers);
    return test_end();
}

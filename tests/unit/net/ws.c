/* SPDX-License-Identifier: ISC */
#include "net/codec/ws.h"

#include "base/mem.h"
#include "lib/corpus.h"
#include "lib/ws_trace.h"

#include <malloc.h>

#define FIN 0x80
#define MAX 1000

/* The length field's form; 0 is the shortest that fits. */
enum form { SHORTEST = 0, FORM_16 = 126, FORM_64 = 127 };

static struct {
    char bytes[300000];
    size_t len;
} in;

static void byte(unsigned value)
{
    in.bytes[in.len++] = (char)value;
}

static void head(unsigned first, uint64_t len, enum form form, bool masked)
{
    if (!form && len > UINT16_MAX)
        form = FORM_64;
    else if (!form && len > NET_WS_CONTROL_MAX)
        form = FORM_16;
    byte(first);
    byte((masked ? 0x80u : 0u) | (form ? (unsigned)form : (unsigned)len));
    for (int shift = form == FORM_64 ? 56 : form == FORM_16 ? 8 : -8; shift >= 0; shift -= 8)
        byte((unsigned)(len >> shift) & 0xff);
}

static void frame_as(unsigned first, const char *payload, size_t len, enum form form)
{
    static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    head(first, len, form, true);
    for (size_t i = 0; i < 4; i++)
        byte(mask[i]);
    for (size_t i = 0; i < len; i++)
        byte((unsigned char)payload[i] ^ mask[i % 4]);
}

static void frame(unsigned first, const char *payload)
{
    frame_as(first, payload, strlen(payload), SHORTEST);
}

/* What has been built gives these events, however it is cut, and is forgotten. */
static void gives_as(bool compressed, size_t max, const char *events)
{
    for (struct cuts cuts = {0}; cuts_run(&cuts);) {
        char *got = ws_trace_as(compressed, cuts, max, in.bytes, in.len);
        CHECK_STR(got, events);
        free(got);
    }
    in.len = 0;
}

static void gives_up_to(size_t max, const char *events)
{
    gives_as(false, max, events);
}

static void gives(const char *events)
{
    gives_up_to(MAX, events);
}

static void unmasks_messages(void)
{
    frame(FIN | NET_WS_TEXT, "Hello");
    gives("text \"Hello\"\n");
    frame(FIN | NET_WS_TEXT, "");
    frame_as(FIN | NET_WS_BINARY, "\0\xff\1", 3, SHORTEST);
    frame(FIN | NET_WS_BINARY, "");
    frame(FIN | NET_WS_TEXT, "a longer one, of more than a word of the mask's width");
    gives("text \"\"\nbinary \"\\x00\\xff\\x01\"\nbinary \"\"\n"
          "text \"a longer one, of more than a word of the mask's width\"\n");
}

/* The example of section 5.7. */
static void reads_the_example_of_the_rfc(void)
{
    static const char example[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    memcpy(in.bytes, example, in.len = sizeof example - 1);
    gives("text \"Hello\"\n");
}

static void refuses_frames_without_a_mask(void)
{
    head(FIN | NET_WS_TEXT, 0, SHORTEST, false);
    gives("violation 1002\n");
    head(FIN | NET_WS_PING, 0, SHORTEST, false);
    gives("violation 1002\n");
}

static void reads_every_form_of_length(void)
{
    static const size_t lens[] = {0, 1, 7, 8, 9, 125, 126, 127, 255, 256, 65535, 65536, 70000};
    static char payload[70000];
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (char)('a' + i % 23);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct trace trace;
        trace_begin(&trace);
        ws_trace_event(&trace, &(struct net_ws_event){NET_WS_TEXT, payload, lens[i], 0, false});
        ws_trace_event(&trace, &(struct net_ws_event){NET_WS_BINARY, payload, lens[i], 0, false});
        char *want = trace_end(&trace);
        frame_as(FIN | NET_WS_TEXT, payload, lens[i], SHORTEST);
        frame_as(FIN | NET_WS_BINARY, payload, lens[i], SHORTEST);
        gives_up_to(lens[i], want);
        free(want);
    }
}

static void refuses_lengths_that_shorter_forms_hold(void)
{
    static const char payload[65535];
    static const struct {
        size_t len;
        enum form form;
    } cases[] = {{0, FORM_16}, {125, FORM_16}, {0, FORM_64}, {126, FORM_64}, {65535, FORM_64}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        frame_as(FIN | NET_WS_BINARY, payload, cases[i].len, cases[i].form);
        gives_up_to(1 << 20, "violation 1002\n");
    }
    head(FIN | NET_WS_BINARY, UINT64_C(1) << 63, FORM_64, true);
    gives("violation 1002\n");
}

static void joins_fragments(void)
{
    frame(NET_WS_TEXT, "one ");
    frame(NET_WS_CONTINUATION, "");
    frame(NET_WS_CONTINUATION, "two ");
    frame(FIN | NET_WS_CONTINUATION, "three");
    frame(NET_WS_BINARY, "");
    frame(FIN | NET_WS_CONTINUATION, "four");
    frame(NET_WS_TEXT, "");
    frame(FIN | NET_WS_CONTINUATION, "");
    frame(NET_WS_TEXT, "five");
    frame(FIN | NET_WS_CONTINUATION, "");
    gives("text \"one two three\"\nbinary \"four\"\ntext \"\"\ntext \"five\"\n");
}

static void yields_control_frames_between_fragments(void)
{
    frame(NET_WS_TEXT, "");
    frame(FIN | NET_WS_PING, "early");
    frame(NET_WS_CONTINUATION, "be");
    frame(FIN | NET_WS_PING, "first");
    frame(FIN | NET_WS_PONG, "");
    frame(NET_WS_CONTINUATION, "tw");
    frame(FIN | NET_WS_PONG, "second, and longer");
    frame(FIN | NET_WS_CONTINUATION, "een");
    frame(FIN | NET_WS_TEXT, "next");
    gives("ping \"early\"\nping \"first\"\npong \"\"\npong \"second, and longer\"\n"
          "text \"between\"\ntext \"next\"\n");
}

static void ends_with_a_close_between_fragments(void)
{
    frame(NET_WS_TEXT, "never");
    frame(FIN | NET_WS_CLOSE, "\x03\xe8"
                              "bye");
    frame(FIN | NET_WS_CONTINUATION, "finished");
    gives("close 1000 \"bye\"\n");
}

static void refuses_fragments_out_of_turn(void)
{
    frame(FIN | NET_WS_CONTINUATION, "stray");
    gives("violation 1002\n");
    frame(FIN | NET_WS_TEXT, "whole");
    frame(NET_WS_CONTINUATION, "stray");
    gives("text \"whole\"\nviolation 1002\n");
    frame(NET_WS_TEXT, "");
    frame(FIN | NET_WS_TEXT, "another");
    gives("violation 1002\n");
    frame(NET_WS_BINARY, "a");
    frame(FIN | NET_WS_TEXT, "b");
    gives("violation 1002\n");
}

static void bounds_control_frames(void)
{
    static const char payload[126];
    frame_as(FIN | NET_WS_PING, payload, 125, SHORTEST);
    frame(FIN | NET_WS_TEXT, "on");
    char *got = ws_trace(cuts_of(CUTS_BYTES, 1), MAX, in.bytes, in.len);
    CHECK(strncmp(got, "ping \"\\x00", 9) == 0 && strstr(got, "\"\ntext \"on\"\n"));
    free(got);
    in.len = 0;
    for (unsigned opcode = NET_WS_CLOSE; opcode <= NET_WS_PONG; opcode++) {
        frame_as(FIN | opcode, payload, 126, SHORTEST);
        gives("violation 1002\n");
        frame_as(FIN | opcode, payload, 2, FORM_64);
        gives("violation 1002\n");
        frame_as(opcode, "", 0, SHORTEST);
        gives("violation 1002\n");
    }
}

static void refuses_what_is_reserved(void)
{
    for (unsigned bit = 0x10; bit <= 0x40; bit <<= 1) {
        frame(FIN | bit | NET_WS_TEXT, "");
        gives("violation 1002\n");
        frame(FIN | bit | NET_WS_PING, "");
        gives("violation 1002\n");
    }
    for (unsigned opcode = 0; opcode < 16; opcode++) {
        if (opcode < 3 || (opcode >= 8 && opcode <= 10))
            continue;
        frame(FIN | opcode, "");
        gives("violation 1002\n");
    }
}

static void reads_close_frames(void)
{
    frame(FIN | NET_WS_CLOSE, "");
    gives("close 0 \"\"\n");
    frame(FIN | NET_WS_CLOSE, "\x03\xe8");
    frame(FIN | NET_WS_TEXT, "ignored");
    gives("close 1000 \"\"\n");
    frame(FIN | NET_WS_CLOSE, "\x0f\xa1 na\xc3\xafve");
    gives("close 4001 \" na\\xc3\\xafve\"\n");
    frame(FIN | NET_WS_CLOSE, "x");
    gives("violation 1002\n");
    frame(FIN | NET_WS_CLOSE, "\x03\xe8\xc3");
    gives("violation 1007\n");
    frame(FIN | NET_WS_CLOSE, "\x03\xe8\xff");
    gives("violation 1007\n");
}

static bool close_code_is_legal(unsigned code)
{
    if (code >= 3000 && code <= 4999)
        return true;
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

static void knows_every_close_code(void)
{
    for (unsigned code = 0; code < 65536; code += code < 5100 ? 1 : 997) {
        char payload[2] = {(char)(code >> 8), (char)code}, want[32] = "violation 1002\n";
        if (close_code_is_legal(code))
            snprintf(want, sizeof want, "close %u \"\"\n", code);
        frame_as(FIN | NET_WS_CLOSE, payload, 2, SHORTEST);
        char *got = ws_trace(cuts_of(CUTS_WHOLE, 1), MAX, in.bytes, in.len);
        CHECK_STR(got, want);
        free(got);
        in.len = 0;
    }
}

static void checks_text_for_utf8(void)
{
    frame(FIN | NET_WS_TEXT, "\xce\xba\xe1\xbd\xb9\xf0\x9f\x98\x80");
    frame(FIN | NET_WS_BINARY, "\xff\xfe");
    gives("text \"\\xce\\xba\\xe1\\xbd\\xb9\\xf0\\x9f\\x98\\x80\"\nbinary \"\\xff\\xfe\"\n");
    static const char *const bad[] = {
        "\xff",         "a\x80",        "\xc0\xaf",          "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xf0\x9f\x98", "ab\xe1\xbd z", "12345678\xc3\x28.", "\xce",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        frame(FIN | NET_WS_TEXT, bad[i]);
        frame(FIN | NET_WS_PING, "");
        gives("violation 1007\n");
    }
}

static void checks_utf8_over_fragments(void)
{
    frame(NET_WS_TEXT, "a\xf0\x9f");
    frame(FIN | NET_WS_PING, "\xff");
    frame(NET_WS_CONTINUATION, "");
    frame(NET_WS_CONTINUATION, "\x98");
    frame(FIN | NET_WS_CONTINUATION, "\x80"
                                     "b");
    gives("ping \"\\xff\"\ntext \"a\\xf0\\x9f\\x98\\x80b\"\n");
    frame(NET_WS_TEXT, "\xe1\xbd");
    frame(FIN | NET_WS_CONTINUATION, "a");
    gives("violation 1007\n");
    frame(NET_WS_TEXT, "\xe1\xbd");
    frame(FIN | NET_WS_CONTINUATION, "");
    gives("violation 1007\n");
    frame(NET_WS_TEXT, "");
    frame(NET_WS_CONTINUATION, "\xff");
    gives("violation 1007\n");
    frame(NET_WS_BINARY, "\xe1");
    frame(FIN | NET_WS_CONTINUATION, "\xff");
    frame(FIN | NET_WS_TEXT, "\xe1");
    gives("binary \"\\xe1\\xff\"\nviolation 1007\n");
}

/* From the header alone: no payload has come. */
static void bounds_messages(void)
{
    static const uint64_t lens[] = {11, 125, 126, 65535, 65536, UINT32_MAX, UINT64_C(1) << 32};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        head(FIN | NET_WS_TEXT, lens[i], SHORTEST, true);
        gives_up_to(10, "violation 1009\n");
    }
    head(FIN | NET_WS_BINARY, INT64_MAX, FORM_64, true);
    gives_up_to(SIZE_MAX, "violation 1009\n");
    frame(FIN | NET_WS_TEXT, "0123456789");
    frame(NET_WS_TEXT, "01234");
    frame(FIN | NET_WS_CONTINUATION, "56789");
    frame(NET_WS_BINARY, "01234");
    frame(NET_WS_CONTINUATION, "56789");
    frame(FIN | NET_WS_PING, "a control frame does not count");
    frame(FIN | NET_WS_CONTINUATION, "");
    frame(NET_WS_BINARY, "01234");
    head(NET_WS_CONTINUATION, 6, SHORTEST, true);
    gives_up_to(10, "text \"0123456789\"\ntext \"0123456789\"\n"
                    "ping \"a control frame does not count\"\nbinary \"0123456789\"\n"
                    "violation 1009\n");
}

/* The bound may be lowered while a message is coming. */
static void survives_a_bound_that_shrinks(void)
{
    struct net_ws ws = {0};
    struct net_ws_event event;
    size_t used, first = 6 + 300;
    static char payload[2000];
    memset(payload, 'x', sizeof payload);
    for (unsigned fin = 0; fin <= FIN; fin += FIN) {
        in.len = 0;
        frame_as(fin | NET_WS_BINARY, payload, sizeof payload, SHORTEST);
        CHECK_INT(net_ws_next(&ws, 5000, in.bytes, first, &used, &event), 0);
        CHECK_INT(used, first);
        int got = net_ws_next(&ws, 100, in.bytes + first, in.len - first, &used, &event);
        CHECK_INT(got, fin ? 1 : 0);
        if (fin)
            CHECK_INT(event.len, sizeof payload);
        net_ws_fini(&ws);
    }
    in.len = 0;
}

static void tells_when_it_is_midway(void)
{
    struct net_ws ws = {0};
    struct net_ws_event event;
    size_t used;
    CHECK(!net_ws_midway(&ws));
    frame(NET_WS_TEXT, "ab");
    frame(FIN | NET_WS_CONTINUATION, "cd");
    for (size_t i = 0; i < in.len; i++) {
        int got = net_ws_next(&ws, MAX, in.bytes + i, 1, &used, &event);
        CHECK_INT(got, i + 1 == in.len);
        CHECK(net_ws_midway(&ws) == (i + 1 < in.len));
    }
    net_ws_fini(&ws);
    in.len = 0;
}

/* Nothing is allocated for a message that arrives whole, and it is not moved. */
static void keeps_whole_messages_in_place(void)
{
    struct net_ws ws = {0};
    struct net_ws_event event;
    size_t used;
    frame(FIN | NET_WS_TEXT, "where it came");
    base_mem_fail(1, 1000);
    CHECK_INT(net_ws_next(&ws, MAX, in.bytes, in.len, &used, &event), 1);
    base_mem_fail(0, 0);
    CHECK(event.data == in.bytes + 6);
    CHECK(ws.partial == NULL);
    net_ws_fini(&ws);
    in.len = 0;
}

/* After an event the memory it lay in goes with the next call, even one without bytes. */
static void releases_what_an_event_lay_in(void)
{
    static const unsigned opcodes[] = {NET_WS_TEXT, NET_WS_PING, NET_WS_CLOSE};
    for (size_t i = 0; i < sizeof opcodes / sizeof *opcodes * 2; i++) {
        struct net_ws ws = {0};
        struct net_ws_event event;
        size_t used;
        if (i >= 3 && opcodes[i % 3] == NET_WS_CLOSE)
            frame(NET_WS_TEXT, "given up by the close");
        frame(FIN | opcodes[i % 3], "\x0c in two pieces");
        size_t half = in.len - 3;
        CHECK_INT(net_ws_next(&ws, MAX, in.bytes, half, &used, &event), 0);
        CHECK(ws.partial != NULL);
        CHECK_INT(net_ws_next(&ws, MAX, in.bytes + half, in.len - half, &used, &event), 1);
        CHECK_INT(net_ws_next(&ws, MAX, NULL, 0, &used, &event), 0);
        CHECK(ws.partial == NULL);
        net_ws_fini(&ws);
        in.len = 0;
    }
}

/* An announced length is not believed before the bytes have come. */
static void allocates_for_what_has_come(void)
{
    struct net_ws ws = {0};
    struct net_ws_event event;
    size_t used;
    head(FIN | NET_WS_TEXT, UINT32_MAX, FORM_64, true);
    memcpy(in.bytes + in.len, "\0\0\0\0x", 5);
    in.len += 5;
    CHECK_INT(net_ws_next(&ws, SIZE_MAX, in.bytes, in.len, &used, &event), 0);
    CHECK(ws.partial && malloc_usable_size(ws.partial) < 1000);
    net_ws_fini(&ws);
    in.len = 0;
}

/* RSV1 belongs to the first frame of a message, RFC 7692 section 6.1. */
static void reads_compressed_messages(void)
{
    const unsigned rsv1 = NET_WS_COMPRESSED;
    frame(FIN | rsv1 | NET_WS_TEXT, "\xf2\xff");
    frame(FIN | NET_WS_TEXT, "plain");
    frame(FIN | rsv1 | NET_WS_BINARY, "b");
    frame(FIN | NET_WS_BINARY, "c");
    gives_as(true, MAX, "text* \"\\xf2\\xff\"\ntext \"plain\"\nbinary* \"b\"\nbinary \"c\"\n");
    frame(rsv1 | NET_WS_TEXT, "\xff");
    frame(FIN | NET_WS_PING, "p");
    frame(NET_WS_CONTINUATION, "\xfe");
    frame(FIN | NET_WS_CONTINUATION, "");
    frame(NET_WS_TEXT, "a");
    frame(FIN | NET_WS_CONTINUATION, "\xff");
    gives_as(true, MAX, "ping \"p\"\ntext* \"\\xff\\xfe\"\nviolation 1007\n");
    static const struct {
        unsigned first, second;
    } wrong[] = {
        {FIN | NET_WS_TEXT, FIN | rsv1 | NET_WS_PING},
        {FIN | NET_WS_TEXT, FIN | rsv1 | NET_WS_PONG},
        {FIN | NET_WS_TEXT, FIN | rsv1 | NET_WS_CLOSE},
        {FIN | NET_WS_TEXT, FIN | rsv1 | NET_WS_CONTINUATION},
        {FIN | NET_WS_TEXT, FIN | 0x20 | NET_WS_TEXT},
        {FIN | NET_WS_TEXT, FIN | 0x10 | rsv1 | NET_WS_TEXT},
        {FIN | NET_WS_TEXT, FIN | rsv1 | 0x3},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        frame(wrong[i].first, "");
        frame(wrong[i].second, "");
        gives_as(true, MAX, "text \"\"\nviolation 1002\n");
    }
    frame(rsv1 | NET_WS_TEXT, "");
    frame(FIN | rsv1 | NET_WS_CONTINUATION, "");
    gives_as(true, MAX, "violation 1002\n");
    frame(FIN | rsv1 | NET_WS_BINARY, "abc");
    gives_as(true, 2, "violation 1009\n");
}

static void writes_headers(void)
{
    static const struct {
        size_t len;
        const char *bytes;
        size_t header;
    } cases[] = {
        {0, "\x81\x00", 2},
        {125, "\x81\x7d", 2},
        {126, "\x81\x7e\x00\x7e", 4},
        {65535, "\x81\x7e\xff\xff", 4},
        {65536, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10},
        {0x1234567890, "\x81\x7f\x00\x00\x00\x12\x34\x56\x78\x90", 10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[NET_WS_HEADER_MAX];
        size_t payload_len;
        CHECK_INT(net_ws_header(out, NET_WS_TEXT, cases[i].len), cases[i].header);
        CHECK(memcmp(out, cases[i].bytes, cases[i].header) == 0);
        CHECK_INT(net_ws_header_read(out, &payload_len), cases[i].header);
        CHECK_INT(payload_len, cases[i].len);
    }
}

/* The example of section 1.3. */
static void computes_the_accept_value(void)
{
    char out[NET_WS_ACCEPT_LEN + 1];
    CHECK_INT(net_ws_accept("dGhlIHNhbXBsZSBub25jZQ==", 24, out), 0);
    CHECK_STR(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    static const char *const bad[] = {
        "",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZQ==x",
        "dGhlIHNhbXBsZSBub25jZQ=!",
        "dGhlIHNhbXBsZSBub25jZQAA",
        "dGhlIHNhbXBsZSBub25j_Q==",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_INT(net_ws_accept(bad[i], strlen(bad[i]), out), BASE_ERR_SYNTAX);
}

/* Up to the failure the events are the same; then it says so, and never anything else. */
static void survives_every_failing_allocation(void)
{
    static char long_text[400];
    memset(long_text, 'x', sizeof long_text - 1);
    frame(FIN | NET_WS_PING, "ping");
    frame(NET_WS_TEXT, long_text);
    frame(FIN | NET_WS_PONG, "pong");
    frame(FIN | NET_WS_CONTINUATION, long_text);
    frame(FIN | NET_WS_BINARY, "short");
    frame(FIN | NET_WS_CLOSE, "\x03\xe8"
                              "bye");
    char *want = ws_trace(cuts_of(CUTS_WHOLE, 1), MAX, in.bytes, in.len);
    for (long n = 1, failed = 1; failed; n++) {
        base_mem_fail(n, 1);
        char *got = ws_trace(cuts_of(CUTS_BYTES, 1), MAX, in.bytes, in.len);
        failed = base_mem_tries() >= n;
        base_mem_fail(0, 0);
        size_t len = strlen(got), tail = failed ? strlen("nomem 1011\n") : 0;
        CHECK(len >= tail && strncmp(got, want, len - tail) == 0);
        CHECK_STR(got + len - tail, failed ? "nomem 1011\n" : "");
        CHECK(failed || strcmp(got, want) == 0);
        free(got);
        CHECK(n < 100);
    }
    free(want);
    in.len = 0;
}

static void check_file(const struct corpus_file *file)
{
    char violation[32] = "violation ";
    if (file->code)
        snprintf(violation, sizeof violation, "violation %ld\n", file->code);
    char *whole = ws_trace(cuts_of(CUTS_WHOLE, 1), MAX, file->data, file->len);
    CHECK(file->accept == !strstr(whole, violation));
    CHECK(!strstr(whole, "midway"));
    for (struct cuts cuts = {0}; cuts_run(&cuts);) {
        char *got = ws_trace(cuts, MAX, file->data, file->len);
        CHECK_STR(got, whole);
        free(got);
    }
    free(whole);
}

static void agrees_with_the_corpus(void)
{
    corpus_each("ws", check_file);
}

int main(void)
{
    RUN(unmasks_messages);
    RUN(reads_the_example_of_the_rfc);
    RUN(refuses_frames_without_a_mask);
    RUN(reads_every_form_of_length);
    RUN(refuses_lengths_that_shorter_forms_hold);
    RUN(joins_fragments);
    RUN(yields_control_frames_between_fragments);
    RUN(ends_with_a_close_between_fragments);
    RUN(refuses_fragments_out_of_turn);
    RUN(bounds_control_frames);
    RUN(refuses_what_is_reserved);
    RUN(reads_close_frames);
    RUN(knows_every_close_code);
    RUN(checks_text_for_utf8);
    RUN(checks_utf8_over_fragments);
    RUN(bounds_messages);
    RUN(survives_a_bound_that_shrinks);
    RUN(tells_when_it_is_midway);
    RUN(keeps_whole_messages_in_place);
    RUN(releases_what_an_event_lay_in);
    RUN(allocates_for_what_has_come);
    RUN(reads_compressed_messages);
    RUN(writes_headers);
    RUN(computes_the_accept_value);
    RUN(survives_every_failing_allocation);
    RUN(agrees_with_the_corpus);
    return test_end();
}

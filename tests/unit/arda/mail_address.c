/* SPDX-License-Identifier: ISC */
#include "arda/mail_address.h"

#include "lib/test.h"

static const char *judge_bytes(const char *text, size_t len)
{
    static struct base_why why;
    why.text[0] = '\0';
    int result = arda_mail_address_check((struct base_slice){text, len}, &why);
    CHECK_INT(result, why.text[0] ? BASE_ERR_INVALID : 0);
    return why.text;
}

static const char *judge(const char *text)
{
    return judge_bytes(text, strlen(text));
}

static void ordinary_addresses_pass(void)
{
    CHECK_STR(judge("ann@acme.example"), "");
    CHECK_STR(judge("a@b"), "");
    CHECK_STR(judge("ann.o'hara+lists@mail.acme-works.example"), "");
    CHECK_STR(judge("!#$%&'*+-/=?^_`{|}~@x.y"), "");
    CHECK_STR(judge("ann@xn--bcher-kva.example"), "");
    CHECK_STR(judge("ann@1.2.3.4.example"), "");
}

static void what_means_something_to_smtp_does_not(void)
{
    static const char *const locals[] = {
        "ann@acme.example>\r\nRCPT TO:<bob@acme.example",
        "ann\r\n@acme.example",
        "ann@bob@acme.example",
        "<ann@acme.example",
        "\"ann b\"@acme.example",
        "ann b@acme.example",
        "ann,bob@acme.example",
        "ann(comment)@acme.example",
        "@acme.example",
        ".ann@acme.example",
        "ann.@acme.example",
        "a..b@acme.example",
        "\xc3\xa4nn@acme.example",
        "a234567890123456789012345678901234567890123456789012345678901234x@acme.example",
    };
    static const char *const domains[] = {
        "ann@",        "ann@.example",      "ann@acme.",      "ann@acme..example",
        "ann@-acme.x", "ann@acme-.x",       "ann@acme_x.y",   "ann@[127.0.0.1]",
        "ann@acme.x>", "ann@acme.x\n",      "ann@acme.x\r\n", "ann@b\xc3\xbc.example",
        "ann@acme .x", "ann@acme.x SIZE=1",
    };
    for (size_t i = 1; i < sizeof locals / sizeof locals[0]; i++)
        CHECK_STR(judge(locals[i]), "what is before the @ cannot be sent to");
    CHECK_STR(judge(locals[0]), "what is before the @ cannot be sent to");
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++)
        CHECK_STR(judge(domains[i]), "what is behind the @ is no domain");
    CHECK_STR(judge(""), "no @ in the address");
    CHECK_STR(judge("ann"), "no @ in the address");
    CHECK_STR(judge_bytes("ann@acme\0.x", 11), "what is behind the @ is no domain");
}

static void long_ones_do_not(void)
{
    char text[300];
    memset(text, 'a', sizeof text);
    memcpy(text, "ann@", 4);
    for (size_t i = 4; i + 49 < sizeof text; i += 50)
        text[i + 49] = '.';
    CHECK_STR(judge_bytes(text, 253), "");
    CHECK_STR(judge_bytes(text, 255), "the address is longer than 254 bytes");
}

static void sender(const char *text, const char *name, const char *address)
{
    struct base_slice got_name, got_address;
    CHECK_INT(arda_mail_sender_parse(text, &got_name, &got_address, NULL), 0);
    CHECK_BYTES(got_name.data, got_name.len, name);
    CHECK_BYTES(got_address.data, got_address.len, address);
}

static void senders_may_have_a_name(void)
{
    struct base_slice name, address;
    sender("arda@acme.example", "", "arda@acme.example");
    sender("<arda@acme.example>", "", "arda@acme.example");
    sender("Arda at Acme <arda@acme.example>", "Arda at Acme", "arda@acme.example");
    sender("J\xc3\xb6rg, Lager <a@b.c>", "J\xc3\xb6rg, Lager", "a@b.c");
    static const char *const bad[] = {
        "",  "Arda",        "Arda <a@b.c> x", "Arda\r\nBcc: x@y.z <a@b.c>",
        "<", "Arda <a@b.c", "\xff <a@b.c>"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_INT(arda_mail_sender_parse(bad[i], &name, &address, NULL), BASE_ERR_INVALID);
}

int main(void)
{
    RUN(ordinary_addresses_pass);
    RUN(what_means_something_to_smtp_does_not);
    RUN(long_ones_do_not);
    RUN(senders_may_have_a_name);
    return test_end();
}

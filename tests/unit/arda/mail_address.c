/* SPDX-License-Identifier: ISC */
#include "arda/mail/address.h"

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
        "\xc3\x28nn@acme.example",
        "\xc2\x85nn@acme.example",
        "\xe2\x80\xaenn@acme.example",
        "\xc2\xa0nn@acme.example",
        "\xe2\x80\x8bnn@acme.example",
        "a234567890123456789012345678901234567890123456789012345678901234x@acme.example",
    };
    static const char *const domains[] = {
        "ann@",        "ann@.example",      "ann@acme.",      "ann@acme..example",
        "ann@-acme.x", "ann@acme-.x",       "ann@acme_x.y",   "ann@[127.0.0.1]",
        "ann@acme.x>", "ann@acme.x\n",      "ann@acme.x\r\n", "ann@b\xc3\xbc.example",
        "ann@acme .x", "ann@acme.x SIZE=1",
    };
    for (size_t i = 1; i < sizeof locals / sizeof locals[0]; i++)
        CHECK_STR(judge(locals[i]), "the part before the @ is not a mailbox name");
    CHECK_STR(judge(locals[0]), "the part before the @ is not a mailbox name");
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++)
        CHECK_STR(judge(domains[i]), "the part after the @ is not a domain");
    CHECK_STR(judge(""), "no @ in the address");
    CHECK_STR(judge("ann"), "no @ in the address");
    CHECK_STR(judge_bytes("ann@acme\0.x", 11), "the part after the @ is not a domain");
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

static const char *wire_of(const char *text)
{
    static struct base_buf wire;
    static struct base_why why;
    wire.len = 0;
    why.text[0] = '\0';
    base_buf_add_text(&wire, ">");
    int failed = arda_mail_address_wire((struct base_slice){text, strlen(text)}, &wire, &why);
    CHECK_INT(failed, why.text[0] ? BASE_ERR_INVALID : 0);
    if (failed) {
        CHECK_INT(wire.len, 1);
        return strncmp(why.text, "the part after the @ is not a domain", 36) == 0 ? "no domain"
                                                                                  : why.text;
    }
    const char *made = base_buf_cstr(&wire);
    CHECK_INT(arda_mail_address_check((struct base_slice){made + 1, wire.len - 1}, NULL), 0);
    return made + 1;
}

static void domains_are_converted_for_the_wire(void)
{
    CHECK_STR(wire_of("ann@acme.example"), "ann@acme.example");
    CHECK_STR(wire_of("Ann@ACME.example"), "Ann@ACME.example");
    CHECK_STR(wire_of("a@r3---x.example"), "a@r3---x.example");
    CHECK_STR(wire_of("ann@m\xc3\xbcnchen.example"), "ann@xn--mnchen-3ya.example");
    CHECK_STR(wire_of("ann@M\xc3\x9cNCHEN.Example"), "ann@xn--mnchen-3ya.example");
    CHECK_STR(wire_of("ann@mu\xcc\x88nchen.example"), "ann@xn--mnchen-3ya.example");
    CHECK_STR(wire_of("ann@stra\xc3\x9f"
                      "e.example"),
              "ann@xn--strae-oqa.example");
    CHECK_STR(wire_of("j\xc3\xb6rg@m\xc3\xbcnchen.example"), "j\xc3\xb6rg@xn--mnchen-3ya.example");
    /* The full stop of Chinese and Japanese keyboards. */
    CHECK_STR(wire_of("a@\xe4\xbe\x8b\xe3\x81\x88\xe3\x80\x82\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88"),
              "a@xn--r8jz45g.xn--zckzah");
}

static void what_cannot_be_converted_is_no_domain(void)
{
    static const char *const bad[] = {
        "ann@m\xc3\xbcnchen .example", "ann@m\xc3\xbcnchen_x.example",
        "ann@m\xc3\xbcnchen.",         "ann@.m\xc3\xbcnchen",
        "ann@-m\xc3\xbc.example",      "ann@m\xc3(.example",
        "ann@\xe2\x80\xae.example",    "ann@m\xc3\xbc>.example",
        "ann@\xf0\x9f.example",        "ann@m\xc3\xbc\xe3\x80\x82\xe3\x80\x82x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_STR(wire_of(bad[i]), "no domain");
    char text[512] = "a@";
    while (strlen(text) < 240)
        strcat(text, "\xc3\xbc.");
    strcat(text, "x"); /* fits as it is, and does not on the wire */
    CHECK_STR(wire_of(text), "no domain");
}

static void addresses_that_need_an_extension(void)
{
    const struct base_slice plain = {"a@b.c", 5}, other = {"\xc3\xb6@b.c", 6};
    CHECK(!arda_mail_address_is_utf8(plain));
    CHECK(arda_mail_address_is_utf8(other));
    CHECK_STR(judge("\xc3\xb6@b.c"), "");
    CHECK_STR(judge("\xe7\x94\xa8\xe6\x88\xb7.x@b.c"), "");
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
    RUN(domains_are_converted_for_the_wire);
    RUN(what_cannot_be_converted_is_no_domain);
    RUN(addresses_that_need_an_extension);
    RUN(senders_may_have_a_name);
    return test_end();
}

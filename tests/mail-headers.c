/* SPDX-License-Identifier: ISC
 *
 * mail-headers: prints the headers that libarda writes for an e-mail, for parsers of others.
 *
 *     mail-headers SUBJECT FROM-NAME TO-NAME
 */
#include "arda/mail/message.h"

#include <stdio.h>
#include <string.h>

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

int main(int argc, char **argv)
{
    struct base_buf headers = BASE_BUF_INIT;
    struct base_why why;
    if (argc != 4) {
        fputs("usage: mail-headers SUBJECT FROM-NAME TO-NAME\n", stderr);
        return 64;
    }
    struct arda_mail mail = {
        .delivery_id = slice("0d8a4a3e-5b1c-4f0e-9a53-0a5c8a2b7d11"),
        .from_name = slice(argv[2]),
        .from_address = slice("arda@acme.example"),
        .to_name = slice(argv[3]),
        .to_address = slice("ann@works.example"),
        .subject = slice(argv[1]),
        .unsubscribe_url = slice("https://arda.example/notifications/unsubscribe?token=a.b.c"),
        .date_ms = INT64_C(1770552896789),
    };
    if (arda_mail_headers_add(&headers, &mail, &why) < 0) {
        fprintf(stderr, "mail-headers: %s\n", why.text);
        return 1;
    }
    for (const char *at = NULL; (at = arda_mail_headers_next(&headers, at));)
        printf("%s\r\n", at);
    printf("\r\n");
    base_buf_fini(&headers);
    return fflush(stdout) == 0 ? 0 : 1;
}

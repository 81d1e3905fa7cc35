/* SPDX-License-Identifier: ISC
 *
 * What the texts of the directory have to look like.
 */
#include "arda/directory/kind.h"

#include "arda/mail/address.h"
#include "base/base64.h"
#include "base/url.h"
#include "base/zone.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define URL_MAX          2048
#define SECRET_PREFIX    "whsec_"
#define SECRET_MIN_BYTES 24
#define SECRET_MAX_BYTES 64

bool arda_directory_is_address(const char *text, size_t len)
{
    const char *at = len ? memrchr(text, '@', len) : NULL;
    if (!at || at == text || at + 1 == text + len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7F)
            return false;
    return true;
}

/* The same function decides when an e-mail is sent. */
int arda_directory_check_address(struct base_slice text, struct base_why *why)
{
    struct base_why reason;
    int failed = arda_mail_address_wire(text, NULL, &reason);
    if (failed == BASE_ERR_INVALID)
        base_why_set(why, failed, "is not an address that e-mail can be sent to: %s", reason.text);
    return failed;
}

/* What is allowed in a URL by RFC 3986, and no fragment. */
static bool has_url_characters(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) &&
            (!text[i] || !strchr("-._~:/?[]@!$&'()*+,;=%", text[i])))
            return false;
    return true;
}

bool arda_directory_is_url(const char *text, size_t len)
{
    char copy[URL_MAX + 1];
    struct base_url url;
    if (len > URL_MAX || !has_url_characters(text, len))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (base_url_parse(copy, &url, NULL) < 0 || url.host.len == 0 || url.user.data)
        return false;
    return base_url_has_scheme(&url, "http") || base_url_has_scheme(&url, "https");
}

/* Standard Webhooks, "Signature scheme": 24 to 64 bytes as base64 behind a prefix. Padding is asked
 * for, since not every receiver does without. */
bool arda_directory_is_secret(const char *text, size_t len)
{
    size_t prefix = strlen(SECRET_PREFIX);
    char bytes[(SECRET_MAX_BYTES + 2) / 3 * 3 + 3];
    if (len < prefix || memcmp(text, SECRET_PREFIX, prefix) != 0)
        return false;
    len -= prefix;
    if (len % 4 != 0 || len > base_base64_encoded_len(BASE_BASE64_STD, SECRET_MAX_BYTES))
        return false;
    ssize_t count = base_base64_decode(BASE_BASE64_STD, text + prefix, len, bytes);
    return count >= SECRET_MIN_BYTES && count <= SECRET_MAX_BYTES;
}

bool arda_directory_is_time(const char *text, size_t len)
{
    if (len != 5 || text[2] != ':')
        return false;
    for (size_t i = 0; i < len; i++)
        if (i != 2 && !isdigit((unsigned char)text[i]))
            return false;
    return memcmp(text, "23", 2) <= 0 && text[3] <= '5';
}

bool arda_directory_is_schedule(const char *text, size_t len)
{
    if (len == 6 && memcmp(text, "hourly", 6) == 0)
        return true;
    return len > 6 && memcmp(text, "daily@", 6) == 0 && arda_directory_is_time(text + 6, len - 6);
}

/* ---- time zones ---- */

const char *arda_directory_zones(void)
{
    const char *folder = getenv("TZDIR");
    if (!folder || !*folder)
        folder = "/usr/share/zoneinfo";
    return access(folder, R_OK | X_OK) == 0 ? folder : NULL;
}

bool arda_directory_is_zone(const char *text, size_t len)
{
    char path[1024], magic[4] = "";
    const char *folder = arda_directory_zones();
    if (!base_zone_name_valid(text, len))
        return false;
    if (!folder)
        return true;
    if (snprintf(path, sizeof path, "%s/%.*s", folder, (int)len, text) >= (int)sizeof path)
        return false;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t count = read(file, magic, sizeof magic); /* a folder cannot be read */
    close(file);
    return count == 4 && memcmp(magic, "TZif", 4) == 0;
}

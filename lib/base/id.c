/* SPDX-License-Identifier: ISC
 *
 * RFC 9562 section 5.7: 48 bits of milliseconds, then version and 12 bits, then variant and 62
 * bits. The 12 bits and the first ones behind the variant are one counter (section 6.2, method 1)
 * that starts anew at a random value each millisecond, so ids of a process sort by age.
 */
#include "base/id.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define TOKEN_BYTES  15
#define COUNTER_BITS 26 /* 12 before the variant, 14 behind it */
#define COUNTER_MAX  ((1u << COUNTER_BITS) - 1)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t last_ms;
static uint32_t counter;

/* The next moment and count; time stands still here when it steps back outside. */
static void next_tick(uint32_t random, uint64_t *ms, uint32_t *count)
{
    int64_t now = base_clock_wall_ms();
    pthread_mutex_lock(&lock);
    if (now > 0 && (uint64_t)now > last_ms) {
        last_ms = (uint64_t)now;
        counter = random & (COUNTER_MAX >> 1); /* half of the range is left to count in */
    } else if (counter++ == COUNTER_MAX) {
        last_ms++;
        counter = random & (COUNTER_MAX >> 1);
    }
    *ms = last_ms;
    *count = counter;
    pthread_mutex_unlock(&lock);
}

void base_id_format_uuid(const unsigned char bytes[static 16], char out[static BASE_UUID_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";
    char *to = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = hex[bytes[i] >> 4];
        *to++ = hex[bytes[i] & 15];
    }
    *to = '\0';
}

int base_id_uuid7(char out[static BASE_UUID_LEN + 1])
{
    unsigned char bytes[16];
    uint32_t random, count;
    uint64_t ms;
    if (base_crypto_random(bytes + 10, 6) < 0 || base_crypto_random(&random, sizeof random) < 0)
        return BASE_ERR_INTERNAL;
    next_tick(random, &ms, &count);
    for (int i = 0; i < 6; i++)
        bytes[i] = (unsigned char)(ms >> (8 * (5 - i)));
    bytes[6] = (unsigned char)(0x70 | count >> 22);
    bytes[7] = (unsigned char)(count >> 14);
    bytes[8] = (unsigned char)(0x80 | (count >> 8 & 0x3F));
    bytes[9] = (unsigned char)count;
    base_id_format_uuid(bytes, out);
    return BASE_OK;
}

int base_id_derive(const char *key, size_t key_len, const char *bytes, size_t len,
                   char out[static BASE_UUID_LEN + 1])
{
    uint8_t hash[BASE_SHA256_LEN];
    int failed = base_crypto_hmac_sha256(key, key_len, bytes, len, hash);
    if (failed)
        return failed;
    hash[6] = (uint8_t)(0x80 | (hash[6] & 0x0F));
    hash[8] = (uint8_t)(0x80 | (hash[8] & 0x3F));
    base_id_format_uuid(hash, out);
    return BASE_OK;
}

int base_id_token(char out[static BASE_TOKEN_LEN + 1])
{
    unsigned char bytes[TOKEN_BYTES];
    if (base_crypto_random(bytes, sizeof bytes) < 0)
        return BASE_ERR_INTERNAL;
    base_base64_encode(BASE_BASE64_URL, bytes, sizeof bytes, out);
    out[BASE_TOKEN_LEN] = '\0';
    return BASE_OK;
}

bool base_id_is_uuid(const char *text, size_t len)
{
    if (len != BASE_UUID_LEN)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
        if (dash ? c != '-' : !hex)
            return false;
    }
    return true;
}

bool base_id_uuid7_ms(const char *text, uint64_t *ms)
{
    if (!base_id_is_uuid(text, strlen(text)) || text[14] != '7')
        return false;
    *ms = 0;
    for (const char *at = text; at < text + 13; at++)
        if (*at != '-')
            *ms = *ms << 4 | (uint64_t)(*at <= '9' ? *at - '0' : (*at | 0x20) - 'a' + 10);
    return true;
}

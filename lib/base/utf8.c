/* SPDX-License-Identifier: ISC
 *
 * The state is the number of continuation bytes still to come, plus what RFC 3629 narrows of the
 * first of them: after E0 at least A0, after ED at most 9F, after F0 at least 90, after F4 at most
 * 8F.
 */
#include "base/utf8.h"

#include <string.h>

enum { ONE_MORE = 1, TWO_MORE, THREE_MORE, AFTER_E0, AFTER_ED, AFTER_F0, AFTER_F4 };

static uint8_t lead_state(unsigned char byte)
{
    if (byte < 0x80)
        return BASE_UTF8_START;
    if (byte < 0xC2 || byte > 0xF4)
        return BASE_UTF8_REJECT;
    if (byte < 0xE0)
        return ONE_MORE;
    if (byte < 0xF0)
        return byte == 0xE0 ? AFTER_E0 : byte == 0xED ? AFTER_ED : TWO_MORE;
    return byte == 0xF0 ? AFTER_F0 : byte == 0xF4 ? AFTER_F4 : THREE_MORE;
}

static uint8_t next_state(uint8_t state, unsigned char byte)
{
    static const struct {
        unsigned char low, high;
        uint8_t next;
    } moves[] = {
        [ONE_MORE] = {0x80, 0xBF, BASE_UTF8_START}, [TWO_MORE] = {0x80, 0xBF, ONE_MORE},
        [THREE_MORE] = {0x80, 0xBF, TWO_MORE},      [AFTER_E0] = {0xA0, 0xBF, ONE_MORE},
        [AFTER_ED] = {0x80, 0x9F, ONE_MORE},        [AFTER_F0] = {0x90, 0xBF, TWO_MORE},
        [AFTER_F4] = {0x80, 0x8F, TWO_MORE},
    };
    if (byte < moves[state].low || byte > moves[state].high)
        return BASE_UTF8_REJECT;
    return moves[state].next;
}

uint8_t base_utf8_feed(uint8_t state, const char *bytes, size_t len)
{
    if (state == BASE_UTF8_REJECT || len == 0)
        return state;
    const char *end = bytes + len;
    while (bytes < end) {
        /* Eight bytes of ASCII at a time. */
        uint64_t word;
        if (state == BASE_UTF8_START && end - bytes >= 8) {
            memcpy(&word, bytes, 8);
            if (!(word & UINT64_C(0x8080808080808080))) {
                bytes += 8;
                continue;
            }
        }
        unsigned char byte = (unsigned char)*bytes++;
        state = state == BASE_UTF8_START ? lead_state(byte) : next_state(state, byte);
        if (state == BASE_UTF8_REJECT)
            break;
    }
    return state;
}

bool base_utf8_valid(const char *bytes, size_t len)
{
    return base_utf8_feed(BASE_UTF8_START, bytes, len) == BASE_UTF8_START;
}

size_t base_utf8_next(const char *bytes, size_t len, uint32_t *code)
{
    static const unsigned char lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint8_t state = BASE_UTF8_START;
    if (len > 0 && (unsigned char)bytes[0] < 0x80) { /* most of them */
        *code = (unsigned char)bytes[0];
        return 1;
    }
    for (size_t i = 0; i < len; i++) {
        state = base_utf8_feed(state, bytes + i, 1);
        if (state == BASE_UTF8_REJECT)
            return 0;
        if (state != BASE_UTF8_START)
            continue;
        *code = (unsigned char)bytes[0] & lead_bits[i + 1];
        for (size_t more = 1; more <= i; more++)
            *code = *code << 6 | ((unsigned char)bytes[more] & 0x3Fu);
        return i + 1;
    }
    return 0;
}

size_t base_utf8_cut(const char *text, size_t max)
{
    while (max > 0 && ((unsigned char)text[max] & 0xC0) == 0x80)
        max--;
    return max;
}

/* SPDX-License-Identifier: ISC
 *
 * The scanner is a loop over values with a stack of one bit per level: object or array. At level
 * one of an object it compares each key with the wanted ones. Strings are skipped sixteen bytes at
 * a time; only what is not plain ASCII is looked at closely.
 */
#include "base/json.h"

#include "base/err.h"

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct scanner {
    const char *start;
    const char *at;
    const char *end;
    struct base_json_error *error;
    struct base_json_member *members;
    size_t member_count;
    size_t depth;
    uint64_t is_object[BASE_JSON_MAX_DEPTH / 64 + 1];
};

static int fail(struct scanner *scan, const char *at, const char *text)
{
    if (scan->error)
        *scan->error = (struct base_json_error){(size_t)(at - scan->start), text};
    return BASE_ERR_SYNTAX;
}

static void skip_blanks(struct scanner *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
        scan->at++;
}

/* ---- strings ---- */

/* The first byte from `at` on that is a quote, a backslash, a control character or not ASCII. */
static const char *skip_plain(const char *at, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    const __m128i first_plain = _mm_set1_epi8(0x20);
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* Signed: bytes from 0x80 on are negative, and so less than a blank as well. */
        __m128i special =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash)),
                         _mm_cmplt_epi8(bytes, first_plain));
        int mask = _mm_movemask_epi8(special);
        if (mask)
            return at + __builtin_ctz((unsigned)mask);
    }
#endif
    for (; at < end; at++) {
        signed char byte = (signed char)*at;
        if (byte < 0x20 || byte == '"' || byte == '\\')
            break;
    }
    return at;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Behind the backslash. */
static int scan_escape(struct scanner *scan)
{
    if (scan->at == scan->end)
        return fail(scan, scan->at, "unexpected end in a string");
    char kind = *scan->at++;
    if (kind != 'u')
        return kind && strchr("\"\\/bfnrt", kind) ? BASE_OK
                                                  : fail(scan, scan->at - 1, "unknown escape");
    for (int i = 0; i < 4; i++, scan->at++)
        if (scan->at == scan->end || !is_hex(*scan->at))
            return fail(scan, scan->at, "expected four hexadecimal digits");
    return BASE_OK;
}

/* One character that is not ASCII (RFC 3629, section 4). */
static int scan_utf8(struct scanner *scan)
{
    const unsigned char *at = (const unsigned char *)scan->at;
    size_t left = (size_t)(scan->end - scan->at);
    unsigned char low = 0x80, high = 0xBF, lead = at[0];
    size_t more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    if (lead < 0xC2 || lead > 0xF4 || left <= more)
        return fail(scan, scan->at, "invalid UTF-8");
    if (lead == 0xE0)
        low = 0xA0;
    else if (lead == 0xED)
        high = 0x9F;
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;
    for (size_t i = 1; i <= more; i++, low = 0x80, high = 0xBF)
        if (at[i] < low || at[i] > high)
            return fail(scan, scan->at, "invalid UTF-8");
    scan->at += more + 1;
    return BASE_OK;
}

/* At the opening quote; ends behind the closing one. */
static int scan_string(struct scanner *scan, bool *escaped)
{
    int failed = BASE_OK;
    scan->at++;
    while (!failed) {
        scan->at = skip_plain(scan->at, scan->end);
        if (scan->at == scan->end)
            return fail(scan, scan->at, "unexpected end in a string");
        unsigned char byte = (unsigned char)*scan->at;
        if (byte == '"') {
            scan->at++;
            return BASE_OK;
        }
        if (byte == '\\') {
            *escaped = true;
            scan->at++;
            failed = scan_escape(scan);
        } else if (byte < 0x20) {
            failed = fail(scan, scan->at, "bare control character in a string");
        } else {
            failed = scan_utf8(scan);
        }
    }
    return failed;
}

/* ---- numbers and words ---- */

static size_t skip_digits(struct scanner *scan)
{
    const char *from = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return (size_t)(scan->at - from);
}

static bool take(struct scanner *scan, char c)
{
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

static int scan_number(struct scanner *scan)
{
    take(scan, '-');
    if (!take(scan, '0') && skip_digits(scan) == 0)
        return fail(scan, scan->at, "expected a digit");
    if (take(scan, '.') && skip_digits(scan) == 0)
        return fail(scan, scan->at, "expected a digit");
    if (take(scan, 'e') || take(scan, 'E')) {
        if (!take(scan, '+'))
            take(scan, '-');
        if (skip_digits(scan) == 0)
            return fail(scan, scan->at, "expected a digit");
    }
    return BASE_OK;
}

static int scan_word(struct scanner *scan, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, word, len) != 0)
        return fail(scan, scan->at, "expected a value");
    scan->at += len;
    return BASE_OK;
}

/* A value that is neither object nor array. */
static int scan_scalar(struct scanner *scan, enum base_json_kind *kind)
{
    bool escaped = false;
    switch (scan->at < scan->end ? *scan->at : '\0') {
    case '"': *kind = BASE_JSON_STRING; return scan_string(scan, &escaped);
    case 't': *kind = BASE_JSON_TRUE; return scan_word(scan, "true");
    case 'f': *kind = BASE_JSON_FALSE; return scan_word(scan, "false");
    case 'n': *kind = BASE_JSON_NULL; return scan_word(scan, "null");
    case '-':
    case '0' ... '9': *kind = BASE_JSON_NUMBER; return scan_number(scan);
    default: return fail(scan, scan->at, "expected a value");
    }
}

/* ---- structure ---- */

static bool in_object(const struct scanner *scan)
{
    return scan->is_object[scan->depth / 64] >> (scan->depth % 64) & 1;
}

static int push(struct scanner *scan, bool object)
{
    if (scan->depth == BASE_JSON_MAX_DEPTH) {
        fail(scan, scan->at, "nested too deep");
        return BASE_ERR_LIMIT;
    }
    scan->depth++;
    uint64_t bit = UINT64_C(1) << (scan->depth % 64);
    if (object)
        scan->is_object[scan->depth / 64] |= bit;
    else
        scan->is_object[scan->depth / 64] &= ~bit;
    return BASE_OK;
}

static struct base_json_member *find_member(struct scanner *scan, const char *key, size_t len,
                                            bool escaped)
{
    struct base_json_value string = {BASE_JSON_STRING, key, len};
    for (size_t i = 0; i < scan->member_count; i++) {
        struct base_json_member *member = &scan->members[i];
        bool same = escaped ? base_json_equals(&string, member->key, member->key_len)
                            : member->key_len == len - 2 &&
                                  memcmp(member->key, key + 1, member->key_len) == 0;
        if (same)
            return member;
    }
    return NULL;
}

/* A key and its colon. `*member` is the wanted member of that name, if it is one. */
static int scan_key(struct scanner *scan, struct base_json_member **member)
{
    bool escaped = false;
    const char *from = scan->at;
    if (scan->at == scan->end || *scan->at != '"')
        return fail(scan, scan->at, "expected a string as key");
    int failed = scan_string(scan, &escaped);
    if (failed)
        return failed;
    if (scan->depth == 1 && scan->member_count)
        *member = find_member(scan, from, (size_t)(scan->at - from), escaped);
    skip_blanks(scan);
    if (!take(scan, ':'))
        return fail(scan, scan->at, "expected ':'");
    skip_blanks(scan);
    return BASE_OK;
}

/* Behind a value: closes what ends here. 1: a further value or key follows; 0: all is closed. */
static int scan_after(struct scanner *scan, struct base_json_member **open)
{
    while (scan->depth > 0) {
        skip_blanks(scan);
        bool object = in_object(scan);
        if (take(scan, ',')) {
            skip_blanks(scan);
            return 1;
        }
        if (!take(scan, object ? '}' : ']'))
            return fail(scan, scan->at, object ? "expected ',' or '}'" : "expected ',' or ']'");
        scan->depth--;
        if (scan->depth == 1 && *open) {
            (*open)->value.len = (size_t)(scan->at - (*open)->value.text);
            *open = NULL;
        }
    }
    return 0;
}

static void set_member(struct base_json_member *member, enum base_json_kind kind, const char *from,
                       const char *to)
{
    if (member)
        member->value = (struct base_json_value){kind, from, (size_t)(to - from)};
}

/* One value with all that is in it; `open` is the member whose value spans several levels. */
static int scan_value(struct scanner *scan, enum base_json_kind *outer)
{
    struct base_json_member *open = NULL;
    for (bool first = true;; first = false) {
        struct base_json_member *member = NULL;
        int result = scan->depth > 0 && in_object(scan) ? scan_key(scan, &member) : BASE_OK;
        if (result < 0)
            return result;
        char c = scan->at < scan->end ? *scan->at : '\0';
        const char *from = scan->at;
        enum base_json_kind kind = c == '{' ? BASE_JSON_OBJECT : BASE_JSON_ARRAY;
        if (c == '{' || c == '[') {
            result = push(scan, c == '{');
            if (result < 0)
                return result;
            scan->at++;
            skip_blanks(scan);
            set_member(member, kind, from, scan->at);
            if (member)
                open = member;
            if (first)
                *outer = kind;
            if (scan->at == scan->end || *scan->at != (c == '{' ? '}' : ']'))
                continue;
        } else {
            result = scan_scalar(scan, &kind);
            if (result < 0)
                return result;
            set_member(member, kind, from, scan->at);
            if (first)
                *outer = kind;
        }
        result = scan_after(scan, &open);
        if (result <= 0)
            return result;
    }
}

static int scan_text(struct scanner *scan, struct base_json_value *value)
{
    enum base_json_kind kind = BASE_JSON_ABSENT;
    skip_blanks(scan);
    const char *from = scan->at;
    int failed = scan_value(scan, &kind);
    if (failed)
        return failed;
    *value = (struct base_json_value){kind, from, (size_t)(scan->at - from)};
    skip_blanks(scan);
    return scan->at == scan->end ? BASE_OK
                                 : fail(scan, scan->at, "unexpected text after the value");
}

/* The bits of the stack are left alone: each is set before it is read. */
static void start(struct scanner *scan, const char *text, size_t len, struct base_json_error *error)
{
    scan->start = scan->at = text;
    scan->end = len ? text + len : text; /* an empty buffer has no text at all */
    scan->error = error;
    scan->members = NULL;
    scan->member_count = scan->depth = 0;
}

int base_json_check(const char *text, size_t len, struct base_json_value *value,
                    struct base_json_error *error)
{
    struct base_json_value ignored;
    struct scanner scan;
    start(&scan, text, len, error);
    return scan_text(&scan, value ? value : &ignored);
}

int base_json_pick(const char *text, size_t len, struct base_json_member *members, size_t count,
                   struct base_json_value *object, struct base_json_error *error)
{
    struct base_json_value outer;
    struct scanner scan;
    for (size_t i = 0; i < count; i++)
        members[i].value = (struct base_json_value){BASE_JSON_ABSENT, NULL, 0};
    start(&scan, text, len, error);
    scan.members = members;
    scan.member_count = count;
    int failed = scan_text(&scan, &outer);
    if (failed)
        return failed;
    if (outer.kind != BASE_JSON_OBJECT) {
        fail(&scan, outer.text, "expected an object");
        return BASE_ERR_INVALID;
    }
    if (object)
        *object = outer;
    return BASE_OK;
}

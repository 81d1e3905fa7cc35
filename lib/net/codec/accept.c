/* SPDX-License-Identifier: ISC */
#include "net/codec/accept.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Cuts the part before the next `at` off a text, without the blanks around it. */
static struct base_slice take_part(struct base_slice *text, char at)
{
    const char *end = text->len ? memchr(text->data, at, text->len) : NULL;
    struct base_slice part = {text->data, end ? (size_t)(end - text->data) : text->len};
    size_t used = part.len + (end != NULL);
    text->data += used;
    text->len -= used;
    for (; part.len && (*part.data == ' ' || *part.data == '\t'); part.len--)
        part.data++;
    while (part.len && (part.data[part.len - 1] == ' ' || part.data[part.len - 1] == '\t'))
        part.len--;
    return part;
}

/* "0.25" is 250; -1 for what is no weight. */
static int parse_weight(struct base_slice text)
{
    int weight = 0, unit = 1000;
    if (text.len == 0 || text.len > 5 || (text.len > 1 && text.data[1] != '.'))
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (i == 1)
            continue;
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        weight += (text.data[i] - '0') * unit;
        unit /= 10;
    }
    return weight <= 1000 ? weight : -1;
}

/* Of what stands behind a range; 1000 where nothing is said. */
static int find_weight(struct base_slice parameters)
{
    while (parameters.len) {
        struct base_slice one = take_part(&parameters, ';');
        if (one.len >= 2 && (*one.data == 'q' || *one.data == 'Q') && one.data[1] == '=')
            return parse_weight((struct base_slice){one.data + 2, one.len - 2});
    }
    return 1000;
}

static bool equals(struct base_slice text, const char *want, size_t len)
{
    return text.len == len && strncasecmp(text.data, want, len) == 0;
}

/* How closely a range names the type: 0 not at all, 1 as one of all, 2 of its family, 3 by name. */
static int closeness(struct base_slice range, const char *type)
{
    size_t family = strcspn(type, "/") + 1;
    if (equals(range, type, strlen(type)))
        return 3;
    if (range.len == family + 1 && range.data[family] == '*' &&
        strncasecmp(range.data, type, family) == 0)
        return 2;
    return equals(range, "*/*", 3);
}

unsigned net_accept_weight(struct base_slice accept, const char *type)
{
    int best = 0, best_weight = accept.data ? 0 : 1000;
    while (accept.len) {
        struct base_slice parameters = take_part(&accept, ',');
        int close = closeness(take_part(&parameters, ';'), type);
        int weight = find_weight(parameters);
        if (close == 0 || weight < 0 || close < best || (close == best && weight <= best_weight))
            continue;
        best = close;
        best_weight = weight;
    }
    return (unsigned)best_weight;
}

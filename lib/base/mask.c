/* SPDX-License-Identifier: ISC
 *
 * One pass from left to right: at each place a rule may take a run of characters, of which only the
 * beginning that names its kind is kept.
 */
#include "base/mask.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define STARS      "***"
#define STARS_LEN  3
#define ALNUM      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define TOKEN      "eyJ" /* how every header of JSON begins in base64 */
#define TOKEN_MIN  20    /* characters; shorter ones are words */
#define WHSEC      "whsec_"
#define SECRET_MIN 32 /* bytes, of a secret that a program takes */

/* A run to mask: `kept` characters stay, `len` follow. len 0: none. */
struct run {
    size_t kept, len;
};

static struct run starting_with(const char *at, const char *start, const char *alphabet)
{
    size_t kept = strlen(start);
    if (strncmp(at, start, kept) != 0)
        return (struct run){0, 0};
    return (struct run){kept, strspn(at + kept, alphabet)};
}

/* From "://": what stands between the first colon and the last `@` before the path. */
static struct run password(const char *at)
{
    const char *user = at + strlen("://"), *end = user + strcspn(user, "/?# \t\n\"'`");
    const char *colon = memchr(user, ':', (size_t)(end - user)), *sign = end;
    while (sign > user && *sign != '@')
        sign--;
    if (!colon || *sign != '@' || colon > sign)
        return (struct run){0, 0};
    return (struct run){(size_t)(colon + 1 - at), (size_t)(sign - colon - 1)};
}

/* From `?` or `&`: the value of a name that tells a secret. */
static struct run parameter(const char *at)
{
    static const char *const names[] = {
        "token=", "access_token=", "secret=", "password=", "key=", "sig="};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(at + 1, names[i], strlen(names[i])) == 0) {
            size_t kept = 1 + strlen(names[i]);
            return (struct run){kept, strcspn(at + kept, "&# \t\n\"'`")};
        }
    return (struct run){0, 0};
}

static struct run find(const char *at)
{
    struct run run = {0, 0};
    switch (*at) {
    case 'e':
        run = starting_with(at, TOKEN, ALNUM "-_.");
        return run.len + run.kept >= TOKEN_MIN ? run : (struct run){0, 0};
    case 'w': return starting_with(at, WHSEC, ALNUM "+/=");
    case ':': return at[1] == '/' && at[2] == '/' ? password(at) : run;
    case '?':
    case '&': return parameter(at);
    default: return run;
    }
}

void base_mask(char *text)
{
    char *to = text;
    for (const char *at = text; *at;) {
        struct run run = find(at);
        if (run.len == 0 || strspn(at + run.kept, "*") >= run.len) { /* none, or masked already */
            *to++ = *at++;
            continue;
        }
        size_t stars = run.len < STARS_LEN ? run.len : STARS_LEN;
        memmove(to, at, run.kept);
        memcpy(to + run.kept, STARS, stars);
        to += run.kept + stars;
        at += run.kept + run.len;
    }
    *to = '\0';
}

const char *base_mask_file(const char *file)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(file, '/');
    if (strlen(file) < SECRET_MIN)
        return file;
    size_t len = slash ? (size_t)(slash - file) + 1 : 0;
    if (len == 0 || len >= sizeof folder)
        return STARS;
    memcpy(folder, file, len);
    folder[len] = '\0';
    return access(folder, F_OK) == 0 ? file : STARS;
}

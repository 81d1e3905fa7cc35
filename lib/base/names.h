/* SPDX-License-Identifier: ISC
 *
 * names: the names of enumerations, out of the X-macro that declares them.
 *
 *     #define COLOUR_MAP(X) X(RED, "red") X(BLUE, "blue")
 *     BASE_NAME_FUNCTION(colour_name, enum colour, COLOUR_MAP, BASE_NAME_SECOND, "unknown")
 *
 * Threads: any.
 */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H

#include <stddef.h>

/* Which column of a row is the name; the first one is the code. */
#define BASE_NAME_SECOND(code, second, ...)       [code] = (second),
#define BASE_NAME_THIRD(code, second, third, ...) [code] = (third),

/* A table of names by code. */
#define BASE_NAME_TABLE(table, MAP, PICK) static const char *const table[] = {MAP(PICK)}

/* Defines a function that gives the name of a code, static storage; `other` for a code without one.
 */
#define BASE_NAME_FUNCTION(function, type, MAP, PICK, other)                                       \
    const char *function(type code)                                                                \
    {                                                                                              \
        BASE_NAME_TABLE(names, MAP, PICK);                                                         \
        return base_name_of(names, sizeof names / sizeof names[0], (size_t)code, (other));         \
    }

static inline const char *base_name_of(const char *const *names, size_t count, size_t code,
                                       const char *other)
{
    return code < count && names[code] ? names[code] : other;
}

/* The code of a name, or -1. */
int base_names_find(const char *const *names, size_t count, const char *name, size_t len);

#endif

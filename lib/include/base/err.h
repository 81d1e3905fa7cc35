/* SPDX-License-Identifier: ISC
 *
 * err: results, causes and assertions, for every layer.
 *
 * Functions return 0 (or a count) for success and a negative `enum base_err` otherwise. Where the
 * cause lies outside the program, the last argument is a `struct base_why *` that receives a code
 * and one line of text for a person; NULL is allowed and means "not interested".
 *
 * Threads: every function here may be called from any thread.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/api.h"

#include <stdarg.h>
#include <stddef.h>

/* Code, text. Adding a line is all it takes to add an error. */
#define BASE_ERR_MAP(X)                                                                            \
    X(BASE_ERR_NOMEM, "out of memory")                                                             \
    X(BASE_ERR_INVALID, "invalid argument")                                                        \
    X(BASE_ERR_SYNTAX, "malformed data")                                                           \
    X(BASE_ERR_LIMIT, "limit exceeded")                                                            \
    X(BASE_ERR_NOTFOUND, "not found")                                                              \
    X(BASE_ERR_DENIED, "not permitted")                                                            \
    X(BASE_ERR_CLOSED, "connection closed")                                                        \
    X(BASE_ERR_AGAIN, "temporarily unavailable")                                                   \
    X(BASE_ERR_TIMEOUT, "timed out")                                                               \
    X(BASE_ERR_IO, "input/output error")                                                           \
    X(BASE_ERR_UNAVAILABLE, "service unavailable")                                                 \
    X(BASE_ERR_CONFIG, "bad configuration")                                                        \
    X(BASE_ERR_CANTCREATE, "cannot create file")                                                   \
    X(BASE_ERR_INTERNAL, "internal error")

enum base_err {
    BASE_OK = 0,
    BASE_ERR_FIRST_ = -1000, /* the codes below count up from here; all stay negative */
#define BASE_ERR_ENUM_(code, text) code,
    BASE_ERR_MAP(BASE_ERR_ENUM_)
#undef BASE_ERR_ENUM_
};

/* A failure that a person will read. `text` is one line without a final newline or full stop. */
struct base_why {
    int code; /* enum base_err */
    char text[256];
};

/* The text of a code, "unknown error" for a number that is none. Static storage. */
ARDA_API const char *base_err_text(int code);

/* Fills `why` (may be NULL) and returns `code`, so that `return base_why_set(...)` reads well.
 * A text that does not fit is cut at a UTF-8 character border. */
ARDA_API int base_why_set(struct base_why *why, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Like base_why_set, with ": " and the text of `errno_value` at the end. */
ARDA_API int base_why_errno(struct base_why *why, int code, int errno_value, const char *format,
                            ...) __attribute__((format(printf, 4, 5)));

/* Puts a prefix and ": " before the text that is there; the code stays. Returns the code. */
ARDA_API int base_why_prefix(struct base_why *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Stops the program when `cond` is false, in every build. For broken invariants of ours; nothing
 * that a peer or an input line contains may reach one. */
#define base_assert(cond) ((cond) ? (void)0 : base_assert_failed(#cond, __FILE__, __LINE__))

ARDA_API _Noreturn void base_assert_failed(const char *cond, const char *file, int line);

#endif

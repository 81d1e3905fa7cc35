/* SPDX-License-Identifier: ISC
 *
 * exit: the exit statuses of all programs, after sysexits.h, as every manual page lists them.
 */
#ifndef BASE_EXIT_H
#define BASE_EXIT_H

/* Name, status, text of the manual. */
#define BASE_EXIT_MAP(X)                                                                           \
    X(BASE_EXIT_OK, 0, "done")                                                                     \
    X(BASE_EXIT_NO, 1, "nothing matched, or a check failed")                                       \
    X(BASE_EXIT_USAGE, 64, "wrong usage")                                                          \
    X(BASE_EXIT_DATAERR, 65, "bad input data")                                                     \
    X(BASE_EXIT_UNAVAILABLE, 69, "a service is unavailable")                                       \
    X(BASE_EXIT_SOFTWARE, 70, "internal error")                                                    \
    X(BASE_EXIT_CANTCREAT, 73, "a file cannot be created")                                         \
    X(BASE_EXIT_IOERR, 74, "input or output failed")                                               \
    X(BASE_EXIT_TEMPFAIL, 75, "temporary failure, trying again makes sense")                       \
    X(BASE_EXIT_NOPERM, 77, "not permitted")                                                       \
    X(BASE_EXIT_CONFIG, 78, "bad configuration")                                                   \
    X(BASE_EXIT_TIMEOUT, 124, "--timeout was reached")

enum base_exit {
#define BASE_EXIT_ENUM_(name, status, text) name = status,
    BASE_EXIT_MAP(BASE_EXIT_ENUM_)
#undef BASE_EXIT_ENUM_
};

/* The status that belongs to an error code: BASE_ERR_CONFIG gives BASE_EXIT_CONFIG and so on. */
int base_exit_status(int err);

#endif

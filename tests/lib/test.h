/* SPDX-License-Identifier: ISC
 *
 * test: what a unit test program needs. It prints TAP and exits 1 when a check failed.
 *
 *     static void refuses_nan(void) { CHECK(parse("NaN") < 0); }
 *     int main(void) { RUN(refuses_nan); return test_end(); }
 */
#ifndef TEST_H
#define TEST_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int test_number, test_failures, test_failed_here;

static inline void test_fail(const char *file, int line, const char *text)
{
    printf("# %s:%d: %s\n", file, line, text);
    test_failed_here = 1;
}

#define CHECK(cond) ((cond) ? (void)0 : test_fail(__FILE__, __LINE__, #cond))

/* Compares integers and shows both. */
#define CHECK_INT(got, want)                                                                       \
    do {                                                                                           \
        intmax_t got_ = (intmax_t)(got), want_ = (intmax_t)(want);                                 \
        if (got_ != want_) {                                                                       \
            printf("# got %jd, expected %jd\n", got_, want_);                                      \
            test_fail(__FILE__, __LINE__, #got " == " #want);                                      \
        }                                                                                          \
    } while (0)

/* Compares `len` bytes with a string literal or C string and shows both. */
#define CHECK_BYTES(got, len, want)                                                                \
    do {                                                                                           \
        const char *got_ = (got), *want_ = (want);                                                 \
        size_t len_ = (len);                                                                       \
        if (len_ != strlen(want_) || memcmp(got_, want_, len_) != 0) {                             \
            printf("# got `%.*s', expected `%s'\n", (int)len_, got_, want_);                       \
            test_fail(__FILE__, __LINE__, #got " == " #want);                                      \
        }                                                                                          \
    } while (0)

#define CHECK_STR(got, want) CHECK_BYTES(got, strlen(got), want)

static inline void test_run(void (*test)(void), const char *name)
{
    test_failed_here = 0;
    test();
    test_failures += test_failed_here;
    printf("%sok %d - %s\n", test_failed_here ? "not " : "", ++test_number, name);
    fflush(stdout);
}

#define RUN(test) test_run(test, #test)

static inline int test_end(void)
{
    printf("1..%d\n", test_number);
    return test_failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif

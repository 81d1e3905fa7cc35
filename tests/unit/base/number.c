/* SPDX-License-Identifier: ISC */
#include "base/number.h"

#include "lib/test.h"

static void takes_the_digits_and_leaves_the_rest(void)
{
    static const struct {
        const char *text, *rest;
        uint64_t number;
    } cases[] = {{"0", "", 0},
                 {"007x", "x", 7},
                 {"12-3", "-3", 12},
                 {"18446744073709551615 ", " ", UINT64_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *text = cases[i].text;
        uint64_t number = 1;
        CHECK(base_number_take_u64(&text, &number));
        CHECK(number == cases[i].number);
        CHECK_STR(text, cases[i].rest);
    }
}

static void refuses_what_is_no_number(void)
{
    static const char *const wrong[] = {"", " 1", "+1", "-1", "x", "18446744073709551616"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *text = wrong[i];
        uint64_t number = 5;
        CHECK(!base_number_take_u64(&text, &number));
        CHECK_INT(number, 5);
        CHECK(text == wrong[i]);
    }
}

static void takes_negative_numbers(void)
{
    const char *text = "-9223372036854775808..9223372036854775807";
    int64_t number;
    CHECK(base_number_take_i64(&text, &number));
    CHECK(number == INT64_MIN);
    text += 2;
    CHECK(base_number_take_i64(&text, &number));
    CHECK(number == INT64_MAX);
    CHECK_STR(text, "");
    static const char *const wrong[] = {
        "", "-", "--1", "+1", " 1", "9223372036854775808", "-9223372036854775809"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        text = wrong[i];
        CHECK(!base_number_take_i64(&text, &number));
    }
}

int main(void)
{
    RUN(takes_the_digits_and_leaves_the_rest);
    RUN(refuses_what_is_no_number);
    RUN(takes_negative_numbers);
    return test_end();
}

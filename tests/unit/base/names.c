/* SPDX-License-Identifier: ISC */
#include "base/names.h"

#include "lib/test.h"

#define COLOUR_MAP(X)                                                                              \
    X(RED, "red", "as blood") X(BLUE, "blue", "as the sea") X(GREEN, "green", "as grass")

enum colour { NO_COLOUR, RED, GREEN, BLUE };

static BASE_NAME_FUNCTION(name_of, enum colour, COLOUR_MAP, BASE_NAME_SECOND,
                          "none") static BASE_NAME_FUNCTION(text_of, enum colour, COLOUR_MAP,
                                                            BASE_NAME_THIRD, "as glass")

    static void codes_have_names(void)
{
    CHECK_STR(name_of(RED), "red");
    CHECK_STR(name_of(GREEN), "green");
    CHECK_STR(text_of(BLUE), "as the sea");
}

static void other_codes_have_another(void)
{
    CHECK_STR(name_of(NO_COLOUR), "none");
    CHECK_STR(name_of((enum colour)99), "none");
    CHECK_STR(name_of((enum colour) - 1), "none");
    CHECK_STR(text_of(NO_COLOUR), "as glass");
}

static void names_are_found(void)
{
    BASE_NAME_TABLE(names, COLOUR_MAP, BASE_NAME_SECOND);
    size_t count = sizeof names / sizeof names[0];
    CHECK_INT(base_names_find(names, count, "blue", 4), BLUE);
    CHECK_INT(base_names_find(names, count, "blues", 5), -1);
    CHECK_INT(base_names_find(names, count, "blu", 3), -1);
    CHECK_INT(base_names_find(names, count, "", 0), -1);
    CHECK_INT(base_names_find(names, count, "Blue", 4), -1);
}

int main(void)
{
    RUN(codes_have_names);
    RUN(other_codes_have_another);
    RUN(names_are_found);
    return test_end();
}

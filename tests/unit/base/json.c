/* SPDX-License-Identifier: ISC */
#include "base/json.h"

#include "base/err.h"
#include "lib/corpus.h"
#include "lib/test.h"

/* Checks a copy of exactly these bytes; whatever the answer, error and value must fit it. */
static int check(const char *text, size_t len, struct base_json_error *error)
{
    struct base_json_value value = {BASE_JSON_ABSENT, NULL, 0};
    char *copy = malloc(len);
    memcpy(copy, text, len);
    *error = (struct base_json_error){SIZE_MAX, NULL};
    int result = base_json_check(copy, len, &value, error);
    CHECK(result == 0 || result == BASE_ERR_SYNTAX || result == BASE_ERR_LIMIT);
    if (result == 0) {
        CHECK(value.kind != BASE_JSON_ABSENT && value.len > 0);
        CHECK(value.text >= copy && value.text + value.len <= copy + len);
    } else {
        CHECK(error->offset <= len && error->text);
    }
    free(copy);
    return result;
}

static bool accepted(const char *text, size_t len)
{
    struct base_json_error error;
    return check(text, len, &error) == 0;
}

static bool accepts(const char *text)
{
    return accepted(text, strlen(text));
}

static void check_refused(const char *text, size_t offset, const char *message)
{
    struct base_json_error error;
    CHECK_INT(check(text, strlen(text), &error), BASE_ERR_SYNTAX);
    CHECK_INT(error.offset, offset);
    if (error.text)
        CHECK_STR(error.text, message);
}

static void judge(const struct corpus_file *file)
{
    CHECK(accepted(file->data, file->len) == file->accept);
}

static void judges_the_corpus(void)
{
    CHECK(corpus_each("json", judge) >= 200);
}

/* Of a value that ends by itself, no beginning is a value. */
static void no_prefix_is_accepted(const struct corpus_file *file)
{
    struct base_json_value value;
    if (base_json_check(file->data, file->len, &value, NULL) < 0)
        return;
    size_t end = (size_t)(value.text - file->data) + value.len;
    if (value.kind != BASE_JSON_NUMBER)
        for (size_t cut = 0; cut < end; cut++)
            CHECK(!accepted(file->data, cut));
}

static void refuses_what_breaks_off(void)
{
    corpus_each("json", no_prefix_is_accepted);
}

static void knows_every_byte_before_a_value(void)
{
    for (int c = 0; c < 256; c++) {
        char text[] = {(char)c, '1', (char)c == '"' ? 'x' : ' '};
        bool want = c && strchr(" \t\r\n-123456789", c);
        CHECK(accepted(text, sizeof text) == want);
    }
}

static void knows_every_byte_of_a_string_at_every_place(void)
{
    for (size_t place = 1; place < 40; place++)
        for (int c = 0; c < 256; c++) {
            char text[42];
            memset(text, 'x', sizeof text);
            text[0] = text[41] = '"';
            text[place] = (char)c;
            CHECK(accepted(text, sizeof text) == (c >= 0x20 && c < 0x80 && c != '"' && c != '\\'));
        }
}

static void knows_every_escape(void)
{
    for (int c = 0; c < 256; c++) {
        char text[] = {'"', '\\', (char)c, '"'};
        CHECK(accepted(text, sizeof text) == (c && strchr("\"\\/bfnrt", c)));
        for (int place = 3; place < 7; place++) {
            char code[] = "\"\\u0000\"";
            code[place] = (char)c;
            CHECK(accepted(code, 8) == (c && strchr("0123456789abcdefABCDEF", c)));
        }
    }
}

static void knows_every_short_number(void)
{
    /* All texts of up to six of these characters against the grammar as an automaton. */
    static const char characters[] = "01-+.e";
    enum { START, MINUS, ZERO, DIGITS, POINT, FRACTION, EXP, SIGN, POWER, BAD };
    static const unsigned char moves[][7] = {
        /*             0         1       -      +     .      e */
        [START] = {ZERO, DIGITS, MINUS, BAD, BAD, BAD},
        [MINUS] = {ZERO, DIGITS, BAD, BAD, BAD, BAD},
        [ZERO] = {BAD, BAD, BAD, BAD, POINT, EXP},
        [DIGITS] = {DIGITS, DIGITS, BAD, BAD, POINT, EXP},
        [POINT] = {FRACTION, FRACTION, BAD, BAD, BAD, BAD},
        [FRACTION] = {FRACTION, FRACTION, BAD, BAD, BAD, EXP},
        [EXP] = {POWER, POWER, SIGN, SIGN, BAD, BAD},
        [SIGN] = {POWER, POWER, BAD, BAD, BAD, BAD},
        [POWER] = {POWER, POWER, BAD, BAD, BAD, BAD},
        [BAD] = {BAD, BAD, BAD, BAD, BAD, BAD},
    };
    for (size_t len = 1, count = 6; len <= 6; len++, count *= 6)
        for (size_t n = 0; n < count; n++) {
            char text[8] = "";
            int state = START;
            for (size_t i = 0, rest = n; i < len; i++, rest /= 6) {
                text[i] = characters[rest % 6];
                state = moves[state][rest % 6];
            }
            bool want = state == ZERO || state == DIGITS || state == FRACTION || state == POWER;
            if (accepts(text) != want)
                test_fail(text, 1, "judged wrongly");
        }
}

static void says_where_and_what(void)
{
    check_refused("", 0, "expected a value");
    check_refused("[1,]", 3, "expected a value");
    check_refused("[1 2]", 3, "expected ',' or ']'");
    check_refused("{\"a\":1 2}", 7, "expected ',' or '}'");
    check_refused("{\"a\" 1}", 5, "expected ':'");
    check_refused("{\"a\":1,}", 7, "expected a string as key");
    check_refused("{} x", 3, "unexpected text after the value");
    check_refused("\"ab", 3, "unexpected end in a string");
    check_refused("\"a\nb\"", 2, "bare control character in a string");
    check_refused("\"\\x\"", 2, "unknown escape");
    check_refused("\"\\u12g4\"", 5, "expected four hexadecimal digits");
    check_refused("\"a\xff\"", 2, "invalid UTF-8");
    check_refused("[-]", 2, "expected a digit");
}

enum nesting { ARRAYS, OBJECTS, ALTERNATING };

static bool is_object(enum nesting nesting, size_t level)
{
    return nesting == OBJECTS || (nesting == ALTERNATING && level % 2 == 1);
}

static char *nest(size_t levels, enum nesting nesting, size_t *len)
{
    char *text = malloc(levels * 6 + 2), *to = text;
    for (size_t i = 0; i < levels; i++)
        to += sprintf(to, is_object(nesting, i) ? "{\"k\":" : "[");
    *to++ = '0';
    for (size_t i = levels; i-- > 0;)
        *to++ = is_object(nesting, i) ? '}' : ']';
    *len = (size_t)(to - text);
    return text;
}

static void nests_a_thousand_levels_and_no_more(void)
{
    static const size_t offsets[] = {1000, 5000, 3000}; /* of the bracket that is too many */
    struct base_json_error error;
    size_t len;
    for (enum nesting nesting = ARRAYS; nesting <= ALTERNATING; nesting++) {
        char *text = nest(BASE_JSON_MAX_DEPTH, nesting, &len);
        CHECK_INT(check(text, len, &error), 0);
        free(text);
        text = nest(BASE_JSON_MAX_DEPTH + 1, nesting, &len);
        CHECK_INT(check(text, len, &error), BASE_ERR_LIMIT);
        CHECK_INT(error.offset, offsets[nesting]);
        if (error.text)
            CHECK_STR(error.text, "nested too deep");
        free(text);
    }
}

static void remembers_what_each_level_is(void)
{
    struct base_json_error error;
    size_t len;
    for (enum nesting nesting = ARRAYS; nesting <= ALTERNATING; nesting++) {
        char *text = nest(BASE_JSON_MAX_DEPTH, nesting, &len);
        for (size_t i = len - BASE_JSON_MAX_DEPTH; i < len; i += 7) {
            text[i] ^= ']' ^ '}';
            CHECK_INT(check(text, len, &error), BASE_ERR_SYNTAX);
            CHECK_INT(error.offset, i);
            text[i] ^= ']' ^ '}';
        }
        free(text);
    }
}

static void many_siblings_are_not_deep(void)
{
    size_t count = 5000, len = 0;
    char *text = malloc(count * 12 + 2);
    text[len++] = '[';
    for (size_t i = 0; i < count; i++)
        len += (size_t)sprintf(text + len, "%s[{\"a\":[]}]", i ? "," : "");
    text[len++] = ']';
    CHECK(accepted(text, len));
    free(text);
}

static void numbers_may_have_any_size(void)
{
    size_t len = 200000;
    char *text = malloc(len);
    memset(text, '9', len);
    CHECK(accepted(text, len));
    text[0] = '-';
    CHECK(accepted(text, len));
    text[100000] = '.';
    CHECK(accepted(text, len));
    text[150000] = 'e';
    CHECK(accepted(text, len));
    text[len - 1] = '.';
    CHECK(!accepted(text, len));
    free(text);
}

static void no_text_is_no_value(void)
{
    struct base_json_error error;
    CHECK_INT(base_json_check(NULL, 0, NULL, NULL), BASE_ERR_SYNTAX);
    CHECK_INT(base_json_check(NULL, 0, NULL, &error), BASE_ERR_SYNTAX);
    CHECK_INT(error.offset, 0);
    CHECK_INT(base_json_pick(NULL, 0, NULL, 0, NULL, NULL), BASE_ERR_SYNTAX);
}

static void yields_the_value_without_blanks(void)
{
    struct base_json_value value;
    const char *text = " \n{\"a\": 1}\t ";
    CHECK_INT(base_json_check(text, strlen(text), &value, NULL), 0);
    CHECK_INT(value.kind, BASE_JSON_OBJECT);
    CHECK_BYTES(value.text, value.len, "{\"a\": 1}");
}

int main(void)
{
    RUN(judges_the_corpus);
    RUN(refuses_what_breaks_off);
    RUN(knows_every_byte_before_a_value);
    RUN(knows_every_byte_of_a_string_at_every_place);
    RUN(knows_every_escape);
    RUN(knows_every_short_number);
    RUN(says_where_and_what);
    RUN(nests_a_thousand_levels_and_no_more);
    RUN(remembers_what_each_level_is);
    RUN(many_siblings_are_not_deep);
    RUN(numbers_may_have_any_size);
    RUN(no_text_is_no_value);
    RUN(yields_the_value_without_blanks);
    return test_end();
}

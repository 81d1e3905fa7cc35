/* SPDX-License-Identifier: ISC
 *
 * The first line that is not blank decides what the input may be; the second one is asked whether
 * the first was merely a wrong line. An object over several lines is told from one that was cut
 * off by the second line: that is no object of its own, and goes on with what the first has begun.
 */
#include "arda/record/form.h"

#include "base/encoding.h"
#include "base/json.h"
#include "base/jsonl.h"

#include <string.h>

/* What a line is when looked at alone. */
enum shape {
    OTHER,
    OBJECT,
    OBJECT_AND_COMMA,
    OBJECT_AND_MORE,  /* another object follows on the line */
    OBJECT_UNFINISHED /* right so far, ends before its last brace */
};

/* ---- lines ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == BASE_JSONL_RECORD_MARK;
}

static void skip_blanks(struct base_slice *text)
{
    while (text->len > 0 && is_blank(*text->data)) {
        text->data++;
        text->len--;
    }
}

/* Cuts the next line that is not blank off, with its end. False: it has not come as a whole. */
static bool take_line(struct base_slice *rest, bool is_all, struct base_slice *line)
{
    skip_blanks(rest);
    const char *end = rest->len > 0 ? memchr(rest->data, '\n', rest->len) : NULL;
    *line = (struct base_slice){rest->data, end ? (size_t)(end - rest->data) + 1 : rest->len};
    if (!end && !is_all)
        return false;
    rest->data += line->len;
    rest->len -= line->len;
    return true;
}

/* ---- one line ---- */

/* What stands between an object and the end of its line. */
static enum shape shape_with_rest(struct base_slice rest)
{
    char first = *rest.data;
    if (first == BASE_JSONL_RECORD_MARK)
        skip_blanks(&rest);
    if (rest.len > 0 && *rest.data == '{')
        return OBJECT_AND_MORE;
    rest.data++;
    rest.len -= rest.len > 0;
    skip_blanks(&rest);
    return first == ',' && rest.len == 0 ? OBJECT_AND_COMMA : OTHER;
}

static enum shape shape_of(struct base_slice line)
{
    struct base_json_value value = {.kind = BASE_JSON_ABSENT};
    struct base_json_error error;
    if (line.len == 0 || *line.data != '{')
        return OTHER;
    if (base_json_check(line.data, line.len, &value, &error) == BASE_OK)
        return OBJECT;
    if (value.kind == BASE_JSON_OBJECT)
        return shape_with_rest(
            (struct base_slice){line.data + error.offset, line.len - error.offset});
    return error.offset == line.len ? OBJECT_UNFINISHED : OTHER;
}

/* ---- the first two ---- */

static bool is_whole_array(struct base_slice line)
{
    return base_json_check(line.data, line.len, NULL, NULL) == BASE_OK;
}

/* Whether two lines together are the beginning of an object, or more than one. */
static bool goes_on(struct base_slice first, struct base_slice second)
{
    struct base_slice both = {first.data, (size_t)(second.data + second.len - first.data)};
    enum shape shape = shape_of(both);
    return shape != OTHER;
}

static enum arda_form form_of_two(struct base_slice first, struct base_slice second)
{
    enum shape next = shape_of(second);
    if (*first.data == '[')
        return is_whole_array(first) && next == OBJECT ? ARDA_FORM_LINES : ARDA_FORM_ARRAY;
    switch (shape_of(first)) {
    case OBJECT_AND_MORE: return next == OBJECT ? ARDA_FORM_LINES : ARDA_FORM_JOINED;
    case OBJECT_AND_COMMA: return next == OBJECT_AND_COMMA ? ARDA_FORM_COMMAS : ARDA_FORM_LINES;
    case OBJECT_UNFINISHED:
        return second.len > 0 && next != OBJECT && goes_on(first, second) ? ARDA_FORM_SPREAD
                                                                          : ARDA_FORM_LINES;
    case OBJECT:
    case OTHER: break;
    }
    return ARDA_FORM_LINES;
}

enum arda_form arda_form_of(const char *text, size_t len, bool is_all)
{
    struct base_slice rest = {text, len}, first, second;
    if (base_encoding_strip(&rest, NULL) < 0)
        return ARDA_FORM_LINES;
    if (!take_line(&rest, is_all, &first))
        return ARDA_FORM_OPEN;
    if (first.len == 0 || (*first.data != '[' && *first.data != '{') || shape_of(first) == OBJECT)
        return ARDA_FORM_LINES;
    if (!take_line(&rest, is_all, &second))
        return ARDA_FORM_OPEN;
    return form_of_two(first, second);
}

const char *arda_form_help(enum arda_form form)
{
    switch (form) {
    case ARDA_FORM_ARRAY: return "this is an array; jq -c '.[]' makes lines of it";
    case ARDA_FORM_SPREAD: return "this is JSON over several lines; jq -c . makes lines of it";
    case ARDA_FORM_JOINED: return "two objects on a line; jq -c . makes a line of each";
    case ARDA_FORM_COMMAS:
        return "a comma follows each object; sed 's/,[[:space:]]*$//' takes it off";
    case ARDA_FORM_OPEN:
    case ARDA_FORM_LINES: break;
    }
    return NULL;
}

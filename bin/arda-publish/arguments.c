/* SPDX-License-Identifier: ISC
 *
 * An event from arguments: `card.transition tenantId=… linkedCardIds=a,b confidenceScore=7`. What a
 * value means follows from the event table; NAME:=JSON gives a value as JSON.
 */
#include "arda-publish/publish.h"

#include "arda/event.h"
#include "base/log.h"
#include "base/utf8.h"

#include <ctype.h>
#include <string.h>

/* NAME of NAME=VALUE or NAME:=JSON; 0 for anything else, such as ./a=b. */
static size_t name_len(const char *operand)
{
    size_t len = 0;
    while (isalnum((unsigned char)operand[len]) || operand[len] == '_')
        len++;
    bool assigns = operand[len] == '=' || (operand[len] == ':' && operand[len + 1] == '=');
    return assigns ? len : 0;
}

bool arguments_are_event(char **operands, int count)
{
    if (count == 0 || (count == 1 && !arda_event_find(operands[0], strlen(operands[0]))))
        return false;
    for (int i = 1; i < count; i++)
        if (name_len(operands[i]) == 0)
            return false;
    return true;
}

static int add_ids(struct base_buf *out, const char *text)
{
    int failed = base_buf_add_byte(out, '[');
    while (*text) {
        size_t len = strcspn(text, ",");
        failed |= base_json_quote(out, text, len);
        text += len;
        if (*text == ',' && text[1])
            failed |= base_buf_add_byte(out, ',');
        text += *text == ',';
    }
    return failed | base_buf_add_byte(out, ']');
}

static bool is_number(const char *text)
{
    struct base_json_value value;
    return base_json_check(text, strlen(text), &value, NULL) == 0 && value.kind == BASE_JSON_NUMBER;
}

static int add_value(struct base_buf *out, const struct arda_field *field, const char *text)
{
    bool number = field && (field->kind == ARDA_FIELD_PERCENT || field->kind == ARDA_FIELD_VERSION);
    if (number && is_number(text))
        return base_buf_add_text(out, text);
    if (field && field->kind == ARDA_FIELD_UUIDS)
        return add_ids(out, text);
    return base_json_quote(out, text, strlen(text));
}

static int add_member(struct base_buf *out, const struct arda_event_type *type, const char *operand)
{
    size_t len = name_len(operand);
    const char *value = operand + len + (operand[len] == ':' ? 2 : 1);
    if (!base_utf8_valid(value, strlen(value))) {
        base_log(BASE_LOG_ERROR, "%.*s: not UTF-8", (int)len, operand);
        return BASE_ERR_SYNTAX;
    }
    if (operand[len] == ':' && base_json_check(value, strlen(value), NULL, NULL) < 0) {
        base_log(BASE_LOG_ERROR, "%.*s: expected JSON after `:=', got `%s'", (int)len, operand,
                 value);
        return BASE_ERR_SYNTAX;
    }
    int failed = base_buf_add_byte(out, ',') | base_json_quote(out, operand, len);
    failed |= base_buf_add_byte(out, ':');
    failed |= operand[len] == ':' ? base_buf_add_text(out, value)
                                  : add_value(out, arda_event_field(type, operand, len), value);
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

int arguments_to_json(char **operands, int count, struct base_buf *out)
{
    const char *name = operands[0];
    const struct arda_event_type *type = arda_event_find(name, strlen(name));
    if (!base_utf8_valid(name, strlen(name))) {
        base_log(BASE_LOG_ERROR, "type: not UTF-8");
        return BASE_ERR_SYNTAX;
    }
    int failed = base_buf_add_text(out, "{\"type\":") | base_json_quote(out, name, strlen(name));
    for (int i = 1; i < count && !failed; i++)
        failed = add_member(out, type, operands[i]);
    if (!failed)
        failed = base_buf_add_byte(out, '}');
    return failed;
}

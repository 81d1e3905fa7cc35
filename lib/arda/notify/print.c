/* SPDX-License-Identifier: ISC
 *
 * The table of rules as text: for a person, and as lines of JSON.
 */
#include "arda/notify_rules.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>

#define CONDITION_MAX 128

/* ---- for a person ---- */

static void condition_of(const struct arda_notify_rule *rule, char out[static CONDITION_MAX])
{
    char order[48] = "", field[64] = "";
    if (rule->order_type && *rule->order_type != '*')
        snprintf(order, sizeof order, "%s", rule->order_type);
    if (rule->field) {
        int len = snprintf(field, sizeof field, "%s ", rule->field);
        for (const char *at = rule->values; *at; at++)
            len +=
                snprintf(field + len, sizeof field - (size_t)len, *at == '|' ? " or " : "%c", *at);
    }
    snprintf(out, CONDITION_MAX, "%s%s%s", order, *order && *field ? ", " : "",
             *field   ? field
             : *order ? ""
                      : "always");
}

static int add_row(struct base_buf *out, const char *const cells[4], const int widths[4])
{
    return base_buf_printf(out, "%-*s  %-*s  %-*s  %s\n", widths[0], cells[0], widths[1], cells[1],
                           widths[2], cells[2], cells[3]);
}

static int print_text(struct base_buf *out)
{
    static const char *const heads[4] = {"EVENT", "CONDITION", "NOTIFICATION", "TITLE"};
    char condition[CONDITION_MAX];
    int widths[4] = {5, 9, 12, 5};
    for (const struct arda_notify_rule *rule = arda_notify_rules; rule->event; rule++) {
        condition_of(rule, condition);
        const char *const cells[4] = {rule->event, condition, rule->type, rule->title};
        for (int i = 0; i < 4; i++)
            if ((int)strlen(cells[i]) > widths[i])
                widths[i] = (int)strlen(cells[i]);
    }
    int failed = add_row(out, heads, widths);
    for (const struct arda_notify_rule *rule = arda_notify_rules; rule->event; rule++) {
        condition_of(rule, condition);
        const char *const cells[4] = {rule->event, condition, rule->type, rule->title};
        failed |= add_row(out, cells, widths);
    }
    return failed;
}

/* ---- JSON ---- */

static int add_member(struct base_buf *out, const char *name, const char *value)
{
    int failed = base_buf_printf(out, "%s\"%s\":", *name == 'e' ? "{" : ",", name);
    return failed |
           (value ? base_json_quote(out, value, strlen(value)) : base_buf_add_text(out, "null"));
}

/* "a|b" as an array of strings. */
static int add_list(struct base_buf *out, const char *name, const char *list)
{
    if (!list)
        return add_member(out, name, NULL);
    int failed = base_buf_printf(out, ",\"%s\":[\"", name);
    for (; *list; list++)
        failed |= *list == '|' ? base_buf_add_text(out, "\",\"") : base_buf_add_byte(out, *list);
    return failed | base_buf_add_text(out, "\"]");
}

static int print_json(struct base_buf *out)
{
    int failed = BASE_OK;
    for (const struct arda_notify_rule *rule = arda_notify_rules; rule->event; rule++) {
        failed |= add_member(out, "event", rule->event);
        failed |= rule->order_type && *rule->order_type == '*'
                      ? add_list(out, "orderType", "purchase_order|work_order|transfer_order")
                      : add_list(out, "orderType", rule->order_type);
        failed |= add_member(out, "field", rule->field);
        failed |= add_list(out, "values", rule->values);
        failed |= add_member(out, "notificationType", rule->type);
        failed |= add_member(out, "title", rule->title);
        failed |= add_list(out, "body", rule->body);
        failed |= add_list(out, "actionUrl", rule->action_url);
        failed |= add_list(out, "metadata", rule->metadata);
        failed |= base_buf_add_text(out, "}\n");
    }
    return failed;
}

int arda_notify_rules_print(struct base_buf *out, bool json)
{
    size_t before = out->len;
    if ((json ? print_json(out) : print_text(out)) == 0)
        return BASE_OK;
    out->len = before;
    return BASE_ERR_NOMEM;
}

/* SPDX-License-Identifier: ISC
 *
 * Compiling collects the members of the event that any criterion needs, so that one pass finds them
 * all. Criteria are tried in order of their cost: the type is known without a pass.
 */
#include "arda/filter.h"

#include "base/mem.h"
#include "base/path.h"

#include <fnmatch.h>
#include <string.h>

#define TYPE_BYTES 256 /* a type longer than this is copied to the heap for fnmatch */

/* A pattern, most often one that needs no fnmatch. */
struct pattern {
    const char *text;
    size_t len;     /* of its plain beginning */
    bool plain;     /* all of it is plain */
    bool beginning; /* all but a `*` at its end is */
};

/* One or two members, one of which must have one of the values. */
struct criterion {
    struct arda_filter_values values;
    ptrdiff_t member, other; /* indices of heads; -1: none */
    ptrdiff_t list;          /* an array of strings that may hold it; -1: none */
};

struct rule {
    struct base_path path;
    ptrdiff_t head;
    struct base_slice value;
    bool negated;
    size_t group; /* the first rule that is not negated and has the same path */
};

enum { LOOP, CARD, ORDER, USER, CRITERIA };

struct arda_filter {
    struct pattern *patterns;
    size_t pattern_count;
    struct criterion criteria[CRITERIA];
    struct criterion correlation;
    struct rule *rules;
    size_t rule_count;
    struct base_heads heads;
    struct base_buf scratch;
};

/* ---- compiling ---- */

static int compile_types(struct arda_filter *filter, const struct arda_filter_values *types)
{
    if (types->count == 0)
        return BASE_OK;
    filter->patterns = base_calloc(types->count, sizeof *filter->patterns);
    if (!filter->patterns)
        return BASE_ERR_NOMEM;
    for (size_t i = 0; i < types->count; i++) {
        const char *text = types->items[i];
        size_t len = strcspn(text, "*?[\\");
        filter->patterns[i] = (struct pattern){.text = text,
                                               .len = len,
                                               .plain = text[len] == '\0',
                                               .beginning = strcmp(text + len, "*") == 0};
    }
    filter->pattern_count = types->count;
    return BASE_OK;
}

static int want(struct arda_filter *filter, const char *key, ptrdiff_t *index)
{
    *index = -1;
    if (!key)
        return BASE_OK;
    *index = base_heads_add(&filter->heads, key, strlen(key));
    return *index < 0 ? (int)*index : BASE_OK;
}

static int compile_ids(struct arda_filter *filter, struct criterion *criterion, const char *option,
                       const struct arda_filter_values *values, const char *const keys[static 3],
                       struct base_why *why)
{
    if (values->count == 0)
        return BASE_OK;
    for (size_t i = 0; i < values->count; i++)
        if (!*values->items[i])
            return base_why_set(why, BASE_ERR_INVALID, "%s: expected an identifier, got `'",
                                option);
    criterion->values = *values;
    int failed = want(filter, keys[0], &criterion->member);
    if (!failed)
        failed = want(filter, keys[1], &criterion->other);
    if (!failed)
        failed = want(filter, keys[2], &criterion->list);
    return failed;
}

/* The sign that ends the field: the first `=` that no backslash takes. */
static const char *find_sign(const char *text)
{
    for (; *text && *text != '='; text++)
        if (*text == '\\' && text[1])
            text++;
    return *text ? text : NULL;
}

static bool same_path(const struct base_path *one, const struct base_path *other)
{
    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++)
        if (one->keys[i].len != other->keys[i].len ||
            memcmp(one->keys[i].data, other->keys[i].data, one->keys[i].len) != 0)
            return false;
    return true;
}

static int compile_rule(struct arda_filter *filter, const char *text, struct base_why *why)
{
    struct rule *rule = &filter->rules[filter->rule_count];
    const char *sign = find_sign(text);
    if (!sign)
        return base_why_set(why, BASE_ERR_INVALID, "--match: expected FIELD=VALUE, got `%s'", text);
    rule->negated = sign > text && sign[-1] == '!' && !(sign - text > 1 && sign[-2] == '\\');
    size_t len = (size_t)(sign - text) - rule->negated;
    int failed = base_path_parse(&rule->path, text, len, NULL);
    if (failed == BASE_ERR_NOMEM)
        return failed;
    if (failed)
        return base_why_set(why, BASE_ERR_INVALID, "--match: `%.*s' is no path to a field",
                            (int)len, text);
    rule->value = (struct base_slice){sign + 1, strlen(sign + 1)};
    size_t group = 0;
    while (group < filter->rule_count &&
           (filter->rules[group].negated || !same_path(&filter->rules[group].path, &rule->path)))
        group++;
    rule->group = rule->negated ? filter->rule_count : group;
    filter->rule_count++;
    rule->head = base_heads_add(&filter->heads, rule->path.keys[0].data, rule->path.keys[0].len);
    return rule->head < 0 ? (int)rule->head : BASE_OK;
}

static int compile_rules(struct arda_filter *filter, const struct arda_filter_values *rules,
                         struct base_why *why)
{
    int failed = BASE_OK;
    if (rules->count == 0)
        return BASE_OK;
    filter->rules = base_calloc(rules->count, sizeof *filter->rules);
    if (!filter->rules)
        return BASE_ERR_NOMEM;
    for (size_t i = 0; i < rules->count && !failed; i++)
        failed = compile_rule(filter, rules->items[i], why);
    return failed;
}

static int compile(struct arda_filter *filter, const struct arda_filter_options *options,
                   struct base_why *why)
{
    const struct {
        struct criterion *criterion;
        const char *option;
        const struct arda_filter_values *values;
        const char *keys[3]; /* a member, another one, an array */
    } rows[] = {
        {&filter->criteria[LOOP], "--loop", &options->loop, {"loopId", NULL, NULL}},
        {&filter->criteria[CARD], "--card", &options->card, {"cardId", NULL, "linkedCardIds"}},
        {&filter->criteria[ORDER], "--order", &options->order, {"orderId", "orderNumber", NULL}},
        {&filter->criteria[USER], "--user", &options->user, {"userId", NULL, NULL}},
        {&filter->correlation,
         "--correlation",
         &options->correlation,
         {"correlationId", NULL, NULL}},
    };
    int failed = compile_types(filter, &options->type);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && !failed; i++)
        failed = compile_ids(filter, rows[i].criterion, rows[i].option, rows[i].values,
                             rows[i].keys, why);
    if (!failed)
        failed = compile_rules(filter, &options->match, why);
    return failed;
}

int arda_filter_new(const struct arda_filter_options *options, struct arda_filter **filter,
                    struct base_why *why)
{
    int failed = BASE_ERR_NOMEM;
    *filter = base_calloc(1, sizeof **filter);
    if (*filter)
        failed = compile(*filter, options, why);
    if (failed == BASE_ERR_NOMEM)
        base_why_set(why, failed, "%s", base_err_text(failed));
    if (failed) {
        arda_filter_free(*filter);
        *filter = NULL;
    }
    return failed;
}

void arda_filter_free(struct arda_filter *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < filter->rule_count; i++)
        base_path_fini(&filter->rules[i].path);
    base_free(filter->rules);
    base_free(filter->patterns);
    base_heads_fini(&filter->heads);
    base_buf_fini(&filter->scratch);
    base_free(filter);
}

/* ---- matching ---- */

static bool pattern_fits(const struct pattern *pattern, struct base_slice type, const char *text)
{
    if (pattern->plain)
        return type.len == pattern->len && memcmp(type.data, pattern->text, type.len) == 0;
    if (type.len < pattern->len || memcmp(type.data, pattern->text, pattern->len) != 0)
        return false;
    return pattern->beginning || fnmatch(pattern->text, text, 0) == 0;
}

/* The type as bytes and, for fnmatch, as a C string: in `small`, or in the scratch buffer. 0;
 * BASE_ERR_SYNTAX for a type that has no such form; BASE_ERR_NOMEM. */
static int read_type(struct arda_filter *filter, const struct base_json_value *type,
                     char small[static TYPE_BYTES], struct base_slice *plain, const char **text)
{
    if (base_json_plain(type, plain) && plain->len < TYPE_BYTES) {
        memcpy(small, plain->data, plain->len);
        small[plain->len] = '\0';
        *text = small;
        return BASE_OK;
    }
    filter->scratch.len = 0;
    int failed = base_json_unescape(type, &filter->scratch);
    if (failed)
        return failed;
    *text = base_buf_cstr(&filter->scratch);
    if (!*text)
        return BASE_ERR_NOMEM;
    *plain = (struct base_slice){*text, filter->scratch.len};
    return BASE_OK;
}

static int type_fits(struct arda_filter *filter, const struct base_json_value *type)
{
    char small[TYPE_BYTES];
    struct base_slice plain;
    const char *text;
    if (filter->pattern_count == 0)
        return 1;
    int failed = read_type(filter, type, small, &plain, &text);
    if (failed == BASE_ERR_NOMEM)
        return failed;
    /* No pattern can name what has no UTF-8 form or holds a NUL. */
    if (failed || memchr(plain.data, '\0', plain.len))
        return 0;
    for (size_t i = 0; i < filter->pattern_count; i++)
        if (pattern_fits(&filter->patterns[i], plain, text))
            return 1;
    return 0;
}

static bool is_one_of(const struct base_json_value *value, const struct arda_filter_values *values)
{
    for (size_t i = 0; i < values->count; i++)
        if (base_json_equals(value, values->items[i], strlen(values->items[i])))
            return true;
    return false;
}

static bool holds_one_of(const struct base_json_value *list,
                         const struct arda_filter_values *values)
{
    struct base_json_iter iter;
    struct base_json_value value;
    if (list->kind != BASE_JSON_ARRAY)
        return false;
    base_json_iter_init(&iter, list);
    while (base_json_iter_next(&iter, NULL, &value))
        if (is_one_of(&value, values))
            return true;
    return false;
}

static bool criterion_fits(const struct criterion *criterion, const struct base_json_member *found)
{
    const struct arda_filter_values *values = &criterion->values;
    return values->count == 0 || is_one_of(&found[criterion->member].value, values) ||
           (criterion->other >= 0 && is_one_of(&found[criterion->other].value, values)) ||
           (criterion->list >= 0 && holds_one_of(&found[criterion->list].value, values));
}

static bool correlation_fits(const struct criterion *criterion,
                             const struct base_json_value *envelope,
                             const struct base_json_member *found)
{
    struct base_json_member outer = BASE_JSON_WANT("correlationId");
    if (criterion->values.count == 0)
        return true;
    if (envelope->kind == BASE_JSON_OBJECT)
        base_assert(base_json_pick(envelope->text, envelope->len, &outer, 1, NULL, NULL) == 0);
    return outer.value.kind == BASE_JSON_STRING ? is_one_of(&outer.value, &criterion->values)
                                                : criterion_fits(criterion, found);
}

static bool rule_fits(const struct rule *rule, const struct base_json_member *found)
{
    struct base_json_value value = base_path_follow(&rule->path, 1, found[rule->head].value);
    bool same = value.kind == BASE_JSON_STRING
                    ? base_json_equals(&value, rule->value.data, rule->value.len)
                    : value.kind != BASE_JSON_ABSENT && value.len == rule->value.len &&
                          memcmp(value.text, rule->value.data, value.len) == 0;
    return same != rule->negated;
}

static bool rules_fit(const struct arda_filter *filter)
{
    for (size_t i = 0; i < filter->rule_count; i++) {
        bool fits = false;
        if (filter->rules[i].group != i)
            continue;
        for (size_t j = i; j < filter->rule_count && !fits; j++)
            fits =
                filter->rules[j].group == i && rule_fits(&filter->rules[j], filter->heads.members);
        if (!fits)
            return false;
    }
    return true;
}

int arda_filter_match(struct arda_filter *filter, const struct arda_message *message)
{
    int fits = type_fits(filter, &message->type);
    if (fits <= 0 || filter->heads.count == 0)
        return fits;
    base_heads_pick(&filter->heads, message->event.data, message->event.len);
    const struct base_json_member *found = filter->heads.members;
    for (size_t i = 0; i < CRITERIA; i++)
        if (!criterion_fits(&filter->criteria[i], found))
            return 0;
    return correlation_fits(&filter->correlation, &message->envelope, found) && rules_fit(filter);
}

/* SPDX-License-Identifier: ISC */
#include "arda/directory_line.h"

#include "arda/directory/kind.h"

#include <string.h>

void arda_directory_line_fini(struct arda_directory_line *line)
{
    base_buf_fini(&line->value);
}

/* ---- reading ---- */

static int take_tenant(const struct base_json_value *object, struct arda_directory_line *line,
                       struct base_why *why)
{
    struct base_json_value value = arda_directory_find(object, "tenantId");
    struct base_buf text = BASE_BUF_INIT;
    if (value.kind == BASE_JSON_ABSENT)
        return base_why_set(why, BASE_ERR_SYNTAX, "tenantId: missing");
    int failed = base_json_unescape(&value, &text);
    bool good = !failed && arda_tenant_valid(text.data, text.len);
    if (good) {
        memcpy(line->tenant, text.data, text.len);
        line->tenant[text.len] = '\0';
    }
    base_buf_fini(&text);
    if (failed == BASE_ERR_NOMEM)
        return arda_directory_no_memory(why);
    return good ? BASE_OK
                : arda_directory_wrong_value(why, "tenantId", "the id of a tenant",
                                             (struct base_slice){value.text, value.len});
}

static int take_kind(const struct base_json_value *object, enum arda_directory_kind *kind,
                     struct base_why *why)
{
    char names[ARDA_DIRECTORY_KINDS * 16] = "";
    struct base_json_value value = arda_directory_find(object, "kind");
    if (value.kind == BASE_JSON_ABSENT)
        return base_why_set(why, BASE_ERR_SYNTAX, "kind: missing");
    for (int i = 0; i < ARDA_DIRECTORY_KINDS; i++) {
        const char *name = arda_directory_kinds[i].name;
        if (base_json_equals(&value, name, strlen(name))) {
            *kind = (enum arda_directory_kind)i;
            return BASE_OK;
        }
        strcat(names, i ? "|" : "");
        strcat(names, name);
    }
    return arda_directory_not_of(why, "kind", false, names,
                                 (struct base_slice){value.text, value.len});
}

static int take_part(const struct base_json_value *object, const struct directory_part *part,
                     struct arda_directory_line *line, struct base_why *why)
{
    struct base_json_value value = arda_directory_find(object, part->name);
    struct base_slice shown = {value.text, value.len};
    struct base_buf text = BASE_BUF_INIT;
    if (value.kind == BASE_JSON_ABSENT)
        return base_why_set(why, BASE_ERR_SYNTAX, "%s: missing", part->name);
    if (value.kind == BASE_JSON_NULL)
        return arda_directory_add_part(line, part, NULL, 0, shown, why);
    /* What is no string is no id either, and is taken for an empty one. */
    int failed = base_json_unescape(&value, &text);
    if (failed == BASE_ERR_NOMEM)
        return arda_directory_no_memory(why);
    failed = arda_directory_add_part(line, part, text.len ? text.data : "", text.len, shown, why);
    base_buf_fini(&text);
    return failed;
}

int arda_directory_line_parse(const char *text, size_t len, struct arda_directory_line *line,
                              struct base_why *why)
{
    struct base_json_value object;
    line->tenant[0] = line->id[0] = '\0';
    line->value.len = 0;
    int failed = arda_directory_object(text, len, &object, why);
    if (failed)
        return failed;
    struct base_why tenant_why = {0};
    int bad_tenant = take_tenant(&object, line, &tenant_why);
    failed = take_kind(&object, &line->kind, why);
    if (!failed && bad_tenant)
        failed = base_why_set(why, tenant_why.code, "%s", tenant_why.text);
    if (failed)
        return failed;
    const struct directory_part *part = arda_directory_kinds[line->kind].parts;
    for (; part->name && !failed; part++)
        failed = take_part(&object, part, line, why);
    return failed ? failed : arda_directory_keep(line, &object, DIRECTORY_OF_INPUT, why);
}

/* ---- writing ---- */

static int add_parts(struct base_buf *out, const struct arda_directory_line *line)
{
    int failed = BASE_OK;
    for (const struct directory_part *part = arda_directory_kinds[line->kind].parts; part->name;
         part++) {
        struct base_slice text;
        failed |=
            arda_directory_line_part(line, part->name, &text)
                ? base_buf_printf(out, ",\"%s\":\"%.*s\"", part->name, (int)text.len, text.data)
                : base_buf_printf(out, ",\"%s\":null", part->name);
    }
    return failed;
}

/* The members behind the parts, each with its comma. */
static int add_members(struct base_buf *out, const struct arda_directory_line *line)
{
    if (line->value.len <= 2)
        return BASE_OK;
    return base_buf_add_byte(out, ',') |
           base_buf_add(out, line->value.data + 1, line->value.len - 2);
}

#define MASK "\"" ARDA_DIRECTORY_MASK "\""

static int add_masked_members(struct base_buf *out, const struct arda_directory_line *line)
{
    int failed = BASE_OK;
    for (const struct directory_member *member = arda_directory_kinds[line->kind].members;
         member->name; member++) {
        struct base_json_value value = arda_directory_line_member(line, member->name);
        if (value.kind == BASE_JSON_ABSENT)
            continue;
        struct base_slice text = {value.text, value.len};
        if (member->secret)
            text = (struct base_slice){MASK, sizeof MASK - 1};
        failed |= base_buf_printf(out, ",\"%s\":%.*s", member->name, (int)text.len, text.data);
    }
    return failed;
}

static int add_line(struct base_buf *out, const struct arda_directory_line *line,
                    int (*add)(struct base_buf *out, const struct arda_directory_line *line))
{
    size_t before = out->len;
    int failed = base_buf_printf(out, "{\"kind\":\"%s\",\"tenantId\":\"%s\"",
                                 arda_directory_kinds[line->kind].name, line->tenant);
    failed |= add_parts(out, line);
    failed |= add(out, line);
    failed |= base_buf_add_byte(out, '}');
    if (failed)
        out->len = before;
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

int arda_directory_line_write(struct base_buf *out, const struct arda_directory_line *line)
{
    return add_line(out, line, add_members);
}

int arda_directory_line_write_masked(struct base_buf *out, const struct arda_directory_line *line)
{
    /* Unknown members of users are no secrets of ours. */
    return add_line(out, line,
                    arda_directory_kinds[line->kind].open ? add_members : add_masked_members);
}

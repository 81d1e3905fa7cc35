/* SPDX-License-Identifier: ISC */
#include "arda/record/template.h"

#include "arda/ws_type.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/path.h"
#include "base/text.h"

#include <string.h>

/* Constant, name in a template. */
#define NAME_MAP(X)                                                                                \
    X(NAME_TYPE, "type")                                                                           \
    X(NAME_TENANT, "tenantId")                                                                     \
    X(NAME_TIMESTAMP, "timestamp")                                                                 \
    X(NAME_ID, "id")                                                                               \
    X(NAME_POSITION, "position")                                                                   \
    X(NAME_CHANNEL, "channel")                                                                     \
    X(NAME_SOURCE, "source")                                                                       \
    X(NAME_CORRELATION, "correlationId")                                                           \
    X(NAME_WS_TYPE, "wsType")                                                                      \
    X(NAME_EVENT, "event")                                                                         \
    X(NAME_ENVELOPE, "envelope")

enum name {
#define NAME_ENUM_(name, text) name,
    NAME_MAP(NAME_ENUM_)
#undef NAME_ENUM_
        NAMES,
    LITERAL = NAMES
};

BASE_NAME_TABLE(names, NAME_MAP, BASE_NAME_SECOND);

/* A literal, or a value with a path behind its name if `path.count` is not 0. */
struct part {
    enum name name;
    size_t from, to;       /* of a literal, in `literals` */
    struct base_path path; /* behind EVENT and ENVELOPE */
    ptrdiff_t head;        /* of the path, or of the event's own correlationId */
};

struct arda_template {
    struct part *parts;
    size_t count;
    struct base_buf literals;
    struct base_heads event, envelope;
};

/* ---- compiling ---- */

struct compiler {
    struct arda_template *form;
    const char *text, *at;
    struct base_why *why;
};

static int refuse(const struct compiler *compiler, const char *at, const char *text)
{
    size_t column = 1;
    for (const char *c = compiler->text; c < at; c++)
        column += (*c & 0xC0) != 0x80;
    return base_why_set(compiler->why, BASE_ERR_INVALID, "column %zu: %s", column, text);
}

static struct part *add_part(struct arda_template *form, enum name name)
{
    size_t bytes = (form->count + 1) * sizeof *form->parts;
    struct part *parts = form->parts ? base_realloc(form->parts, bytes) : base_malloc(bytes);
    if (!parts)
        return NULL;
    form->parts = parts;
    parts[form->count] = (struct part){.name = name, .head = -1};
    return &parts[form->count++];
}

static int add_literal(struct arda_template *form, char byte)
{
    struct part *last = form->count ? &form->parts[form->count - 1] : NULL;
    if (!last || last->name != LITERAL) {
        last = add_part(form, LITERAL);
        if (!last)
            return BASE_ERR_NOMEM;
        last->from = last->to = form->literals.len;
    }
    int failed = base_buf_add_byte(&form->literals, byte);
    last->to = form->literals.len;
    return failed;
}

static int compile_escape(struct compiler *compiler)
{
    static const char letters[] = "ntr\\", meanings[] = "\n\t\r\\";
    const char *found = compiler->at[1] ? strchr(letters, compiler->at[1]) : NULL;
    if (!found)
        return refuse(compiler, compiler->at, "expected \\n, \\t, \\r or \\\\");
    compiler->at += 2;
    return add_literal(compiler->form, meanings[found - letters]);
}

/* The path behind `event.` or `envelope.`. */
static int compile_path(struct compiler *compiler, struct part *part, const char *path, size_t len)
{
    struct arda_template *form = compiler->form;
    size_t offset;
    int failed = base_path_parse(&part->path, path, len, &offset);
    if (failed == BASE_ERR_NOMEM)
        return failed;
    if (failed)
        return refuse(compiler, path + offset,
                      failed == BASE_ERR_LIMIT ? "too many names in a path"
                                               : "expected a name in a path");
    part->head = base_heads_add(part->name == NAME_EVENT ? &form->event : &form->envelope,
                                part->path.keys[0].data, part->path.keys[0].len);
    return part->head < 0 ? (int)part->head : BASE_OK;
}

static int find_name(const char *text, size_t len)
{
    for (int i = 0; i < NAMES; i++)
        if (strlen(names[i]) == len && memcmp(names[i], text, len) == 0)
            return i;
    return -1;
}

/* The `}` that no backslash takes, or NULL. */
static const char *find_end(const char *at)
{
    for (; *at && *at != '}'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at : NULL;
}

static int compile_value(struct compiler *compiler)
{
    static const char own_correlation[] = "correlationId";
    const char *from = compiler->at + 2, *end = find_end(from);
    if (!end)
        return refuse(compiler, compiler->at, "%{ without }");
    size_t len = (size_t)(end - from);
    const char *dot = memchr(from, '.', len);
    int name = find_name(from, dot ? (size_t)(dot - from) : len);
    bool has_path = name == NAME_EVENT || name == NAME_ENVELOPE;
    if (name < 0 || (dot && !has_path))
        return refuse(compiler, from,
                      "expected type, tenantId, timestamp, id, position, channel, source, "
                      "correlationId, wsType, event, envelope, event.FIELD or envelope.FIELD");
    struct part *part = add_part(compiler->form, (enum name)name);
    if (!part)
        return BASE_ERR_NOMEM;
    compiler->at = end + 1;
    if (dot)
        return compile_path(compiler, part, dot + 1, (size_t)(end - dot) - 1);
    if (name == NAME_CORRELATION)
        part->head =
            base_heads_add(&compiler->form->event, own_correlation, sizeof own_correlation - 1);
    return name == NAME_CORRELATION && part->head < 0 ? (int)part->head : BASE_OK;
}

static int compile_next(struct compiler *compiler)
{
    if (*compiler->at == '\\')
        return compile_escape(compiler);
    if (*compiler->at != '%')
        return add_literal(compiler->form, *compiler->at++);
    if (compiler->at[1] == '{')
        return compile_value(compiler);
    if (compiler->at[1] != '%')
        return refuse(compiler, compiler->at, "expected %{NAME} or %%");
    compiler->at += 2;
    return add_literal(compiler->form, '%');
}

int arda_template_new(const char *text, struct arda_template **form, struct base_why *why)
{
    int failed = BASE_OK;
    *form = base_calloc(1, sizeof **form);
    struct compiler compiler = {*form, text, text, why};
    if (!*form)
        failed = BASE_ERR_NOMEM;
    while (!failed && *compiler.at)
        failed = compile_next(&compiler);
    if (failed == BASE_ERR_NOMEM)
        base_why_set(why, failed, "%s", base_err_text(failed));
    if (failed) {
        arda_template_free(*form);
        *form = NULL;
    }
    return failed;
}

void arda_template_free(struct arda_template *form)
{
    if (!form)
        return;
    for (size_t i = 0; i < form->count; i++)
        base_path_fini(&form->parts[i].path);
    base_free(form->parts);
    base_buf_fini(&form->literals);
    base_heads_fini(&form->event);
    base_heads_fini(&form->envelope);
    base_free(form);
}

/* ---- writing ---- */

static int add_slice(struct base_buf *out, struct base_slice text)
{
    return base_text_clean(out, text.data, text.len);
}

static int add_position(struct base_buf *out, struct arda_stream_id position)
{
    char text[ARDA_STREAM_ID_LEN + 1] = "";
    if (!arda_stream_id_is_zero(position))
        arda_stream_id_format(position, text);
    return base_buf_add_text(out, text);
}

static int add_ws_type(struct base_buf *out, struct base_json_value event)
{
    const char *type = arda_ws_type(&event);
    return base_buf_add_text(out, type ? type : "");
}

/* One of two, the second where the first is no value. */
static int add_either(struct base_buf *out, const struct base_json_value *one,
                      const struct base_json_value *other)
{
    return base_text_value(out, one->kind != BASE_JSON_ABSENT ? one : other);
}

static int add_tree(struct base_buf *out, const struct part *part, struct base_json_value root,
                    const struct base_heads *heads)
{
    if (part->path.count > 0)
        root = base_path_follow(&part->path, 1, heads->members[part->head].value);
    return base_text_value(out, &root);
}

static int write_part(const struct arda_template *form, const struct part *part,
                      struct base_buf *out, const struct arda_record *record,
                      const struct arda_record_meta *meta)
{
    const struct arda_message *message = &record->message;
    struct base_json_value event = {BASE_JSON_OBJECT, message->event.data, message->event.len};
    switch (part->name) {
    case NAME_TYPE: return base_text_value(out, &message->type);
    case NAME_TENANT: return add_slice(out, message->tenant);
    case NAME_TIMESTAMP: return add_either(out, &message->timestamp, &meta->timestamp);
    case NAME_ID: return base_text_value(out, &message->id);
    case NAME_POSITION: return add_position(out, record->position);
    case NAME_CHANNEL: return add_slice(out, record->channel);
    case NAME_SOURCE: return base_text_value(out, &meta->source);
    case NAME_CORRELATION:
        return add_either(out, &meta->correlation_id, &form->event.members[part->head].value);
    case NAME_WS_TYPE: return add_ws_type(out, event);
    case NAME_EVENT: return add_tree(out, part, event, &form->event);
    case NAME_ENVELOPE: return add_tree(out, part, message->envelope, &form->envelope);
    default: return base_buf_add(out, form->literals.data + part->from, part->to - part->from);
    }
}

int arda_template_write(struct arda_template *form, struct base_buf *out,
                        const struct arda_record *record)
{
    static const char empty[] = "{}";
    const struct base_json_value *envelope = &record->message.envelope;
    bool wrapped = envelope->kind == BASE_JSON_OBJECT;
    struct arda_record_meta meta;
    size_t before = out->len;
    int failed = BASE_OK;
    arda_record_meta(record, &meta);
    base_heads_pick(&form->event, record->message.event.data, record->message.event.len);
    base_heads_pick(&form->envelope, wrapped ? envelope->text : empty, wrapped ? envelope->len : 2);
    for (size_t i = 0; i < form->count; i++)
        failed |= write_part(form, &form->parts[i], out, record, &meta);
    failed |= base_buf_add_byte(out, '\n');
    if (failed)
        out->len = before;
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

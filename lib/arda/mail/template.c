/* SPDX-License-Identifier: ISC */
#include "arda/mail/template.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "base/vec.h"

#include <stdbool.h>
#include <string.h>

#define NAME_SHOWN_MAX 40 /* bytes of an unknown name in an error */

enum { LITERAL = -1, LINE_END = -2 };

/* A literal, the end of a line, or the index of a name. */
struct part {
    int name;
    size_t from, to; /* of a literal, in `text` */
};

struct arda_mail_template {
    enum arda_mail_kind kind;
    char *text;
    struct part *parts;
    size_t count;
};

/* ---- compiling ---- */

struct compiler {
    struct arda_mail_template *form;
    const char *const *names;
    size_t line;
    size_t room; /* parts that fit */
    struct base_why *why;
};

static int add_part(struct compiler *compiler, struct part part)
{
    struct arda_mail_template *form = compiler->form;
    if (BASE_VEC_RESERVE(form->parts, compiler->room, form->count + 1) < 0)
        return BASE_ERR_NOMEM;
    form->parts[form->count++] = part;
    return BASE_OK;
}

static int add_literal(struct compiler *compiler, size_t from, size_t to)
{
    return from == to ? BASE_OK : add_part(compiler, (struct part){LITERAL, from, to});
}

static int refuse(const struct compiler *compiler, const char *text)
{
    return base_why_set(compiler->why, BASE_ERR_INVALID, "line %zu: %s", compiler->line, text);
}

static int refuse_name(const struct compiler *compiler, const char *name, size_t len)
{
    char known[sizeof compiler->why->text] = "";
    size_t used = 0, shown = len > NAME_SHOWN_MAX ? base_utf8_cut(name, NAME_SHOWN_MAX) : len;
    for (const char *const *at = compiler->names; *at; at++) {
        size_t name_len = strlen(*at);
        if (used + name_len + 3 > sizeof known)
            break;
        if (used > 0) {
            memcpy(known + used, ", ", 2);
            used += 2;
        }
        memcpy(known + used, *at, name_len);
        used += name_len;
    }
    return base_why_set(compiler->why, BASE_ERR_INVALID,
                        "line %zu: expected one of %s, got `%.*s%s'", compiler->line, known,
                        (int)shown, name, shown < len ? "\u2026" : "");
}

static int compile_name(struct compiler *compiler, const char *name, size_t len)
{
    for (int i = 0; compiler->names[i]; i++)
        if (strlen(compiler->names[i]) == len && memcmp(compiler->names[i], name, len) == 0)
            return add_part(compiler, (struct part){i, 0, 0});
    return refuse_name(compiler, name, len);
}

static bool has_control(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7F)
            return true;
    return false;
}

/* A line without its end, from `from` to `to` in the text. */
static int compile_line(struct compiler *compiler, size_t from, size_t to)
{
    const char *text = compiler->form->text;
    int failed = BASE_OK;
    if (!base_utf8_valid(text + from, to - from))
        return refuse(compiler, "not UTF-8");
    if (has_control(text + from, to - from))
        return refuse(compiler, "a control character");
    while (!failed) {
        const char *open = memmem(text + from, to - from, "{{", 2);
        if (!open)
            return add_literal(compiler, from, to);
        size_t name = (size_t)(open - text) + 2;
        const char *close = memmem(text + name, to - name, "}}", 2);
        if (!close)
            return refuse(compiler, "{{ without }}");
        failed = add_literal(compiler, from, name - 2);
        if (!failed)
            failed = compile_name(compiler, text + name, (size_t)(close - text) - name);
        from = (size_t)(close - text) + 2;
    }
    return failed;
}

static int compile(struct compiler *compiler, size_t len)
{
    const char *text = compiler->form->text;
    int failed = BASE_OK;
    for (size_t at = 0; !failed && at < len; compiler->line++) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t next = end ? (size_t)(end - text) : len;
        size_t to = end && next > at && text[next - 1] == '\r' ? next - 1 : next;
        failed = compile_line(compiler, at, to);
        if (!failed && end && compiler->form->kind == ARDA_MAIL_HEADER)
            failed = refuse(compiler, "a header is one line");
        else if (!failed && end)
            failed = add_part(compiler, (struct part){LINE_END, 0, 0});
        at = next + 1;
    }
    return failed;
}

int arda_mail_template_new(struct base_slice text, enum arda_mail_kind kind,
                           const char *const *names, size_t line, struct arda_mail_template **form,
                           struct base_why *why)
{
    int failed = BASE_ERR_NOMEM;
    *form = base_calloc(1, sizeof **form);
    struct compiler compiler = {.form = *form, .names = names, .line = line, .why = why};
    if (*form) {
        (*form)->kind = kind;
        (*form)->text = base_memdup(text.len > 0 ? text.data : "", text.len);
        if ((*form)->text)
            failed = compile(&compiler, text.len);
    }
    if (failed == BASE_ERR_NOMEM)
        base_why_set(why, failed, "%s", base_err_text(failed));
    if (failed) {
        arda_mail_template_free(*form);
        *form = NULL;
    }
    return failed;
}

void arda_mail_template_free(struct arda_mail_template *form)
{
    if (!form)
        return;
    base_free(form->text);
    base_free(form->parts);
    base_free(form);
}

/* ---- writing ---- */

/* The parts of one line, its end among them. */
struct line {
    const struct part *parts;
    size_t count;
    size_t names, values; /* names that are in it; those that have a value */
};

static struct line next_line(const struct arda_mail_template *form, size_t at,
                             const struct base_slice *values)
{
    struct line line = {.parts = &form->parts[at]};
    while (at + line.count < form->count) {
        int name = line.parts[line.count++].name;
        if (name == LINE_END)
            break;
        line.names += name >= 0;
        line.values += name >= 0 && values[name].len > 0;
    }
    return line;
}

static int write_line(const struct arda_mail_template *form, const struct line *line,
                      const struct base_slice *values, unsigned made, struct base_buf *out)
{
    int failed = BASE_OK;
    for (size_t i = 0; !failed && i < line->count; i++) {
        const struct part *part = &line->parts[i];
        if (part->name == LITERAL)
            failed = base_buf_add(out, form->text + part->from, part->to - part->from);
        else if (part->name == LINE_END)
            failed = base_buf_add_text(out, "\r\n");
        else if (made >> part->name & 1)
            failed = base_buf_add(out, values[part->name].data, values[part->name].len);
        else
            failed = arda_mail_text_add(out, values[part->name], form->kind);
    }
    return failed;
}

int arda_mail_template_fill(const struct arda_mail_template *form, const struct base_slice *values,
                            unsigned made, struct base_buf *out)
{
    size_t before = out->len;
    bool left_out = false;
    int failed = BASE_OK;
    for (size_t at = 0; !failed && at < form->count;) {
        struct line line = next_line(form, at, values);
        at += line.count;
        if (left_out && line.parts[0].name == LINE_END)
            continue;
        left_out = form->kind != ARDA_MAIL_HEADER && line.names > 0 && line.values == 0;
        if (!left_out)
            failed = write_line(form, &line, values, made, out);
    }
    if (failed)
        out->len = before;
    return failed;
}

int arda_mail_template_write(const struct arda_mail_template *form, const struct base_slice *values,
                             struct base_buf *out)
{
    return arda_mail_template_fill(form, values, 0, out);
}

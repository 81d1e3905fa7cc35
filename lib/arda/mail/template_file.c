/* SPDX-License-Identifier: ISC */
#include "arda/mail/template_file.h"

#include "arda/mail/templates.h"
#include "base/encoding.h"
#include "base/file.h"

#include <stdbool.h>
#include <string.h>

#define SUBJECT "Subject:"

/* Cuts the first line off `text`, without its end. */
static struct base_slice take_line(struct base_slice *text)
{
    const char *end = text->len > 0 ? memchr(text->data, '\n', text->len) : NULL;
    struct base_slice line = {text->data, end ? (size_t)(end - text->data) : text->len};
    size_t taken = line.len + (end != NULL);
    text->data += taken;
    text->len -= taken;
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

static int read_subject(struct base_slice line, const char *const *names,
                        struct arda_mail_template **subject, struct base_why *why)
{
    size_t mark = sizeof SUBJECT - 1;
    bool marked = line.len > mark && memcmp(line.data, SUBJECT, mark) == 0;
    while (marked && mark < line.len && (line.data[mark] == ' ' || line.data[mark] == '\t'))
        mark++;
    if (!marked || mark == line.len)
        return base_why_set(why, BASE_ERR_INVALID, "line 1: expected `" SUBJECT "' and a text");
    line.data += mark;
    line.len -= mark;
    return arda_mail_template_new(line, ARDA_MAIL_HEADER, names, 1, subject, why);
}

int arda_mail_file_text(struct base_slice text, const char *const *names,
                        struct arda_mail_template **subject, struct arda_mail_template **plain,
                        struct base_why *why)
{
    int failed = read_subject(take_line(&text), names, subject, why);
    size_t line = 2;
    for (struct base_slice rest = text; rest.len > 0 && take_line(&rest).len == 0; line++)
        text = rest;
    if (!failed)
        failed = arda_mail_template_new(text, ARDA_MAIL_PLAIN, names, line, plain, why);
    return failed;
}

/* ---- files ---- */

struct reading {
    const char *const *names;
    enum arda_mail_kind kind;
    struct arda_mail_template **subject; /* NULL: the file has none */
    struct arda_mail_template **text;
};

static int read_text(const struct reading *reading, struct base_slice text, struct base_why *why)
{
    if (base_encoding_strip(&text, why) < 0)
        return BASE_ERR_INVALID;
    if (reading->subject)
        return arda_mail_file_text(text, reading->names, reading->subject, reading->text, why);
    return arda_mail_template_new(text, reading->kind, reading->names, 1, reading->text, why);
}

static int read_file(const char *folder, const char *name, const char *ending,
                     const struct reading *reading, struct base_why *why)
{
    struct base_buf path = BASE_BUF_INIT, bytes = BASE_BUF_INIT;
    int failed = base_buf_printf(&path, "%s/%s%s", folder, name, ending);
    if (!failed && !base_buf_cstr(&path))
        failed = BASE_ERR_NOMEM;
    if (failed) {
        base_why_set(why, failed, "%s", base_err_text(failed));
    } else if (!(failed = base_file_read(path.data, ARDA_MAIL_TEMPLATE_MAX, &bytes, why))) {
        failed = read_text(reading, (struct base_slice){bytes.data, bytes.len}, why);
        if (failed)
            base_why_prefix(why, "%s", path.data);
    }
    base_buf_fini(&bytes);
    base_buf_fini(&path);
    return failed == BASE_ERR_NOTFOUND ? BASE_OK : failed;
}

int arda_mail_file_plain(const char *folder, const char *name, const char *const *names,
                         struct arda_mail_template **subject, struct arda_mail_template **plain,
                         struct base_why *why)
{
    const struct reading reading = {names, ARDA_MAIL_PLAIN, subject, plain};
    return read_file(folder, name, ".txt", &reading, why);
}

int arda_mail_file_html(const char *folder, const char *name, const char *const *names,
                        struct arda_mail_template **html, struct base_why *why)
{
    const struct reading reading = {names, ARDA_MAIL_HTML, NULL, html};
    return read_file(folder, name, ".html", &reading, why);
}

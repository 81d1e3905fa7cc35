/* SPDX-License-Identifier: ISC */
#include "arda/format.h"

#include "arda/record/pretty.h"
#include "arda/record/template.h"
#include "base/mem.h"

#include <string.h>

enum kind { JSON, ENVELOPE, WS, PRETTY, TEMPLATE };

struct arda_format {
    enum kind kind;
    bool color;
    struct arda_template *form; /* of TEMPLATE */
};

static int find_kind(const char *text)
{
    static const char *const names[] = {"json", "envelope", "ws", "pretty"};
    for (int i = 0; i < TEMPLATE; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    return strchr(text, '%') ? TEMPLATE : -1;
}

int arda_format_new(const char *text, bool color, struct arda_format **format, struct base_why *why)
{
    struct arda_template *form = NULL;
    int kind = find_kind(text), failed = BASE_OK;
    *format = NULL;
    if (kind < 0)
        return base_why_set(why, BASE_ERR_INVALID,
                            "expected json, envelope, ws, pretty or a template with %%{NAME}, "
                            "got `%s'",
                            text);
    if (kind == TEMPLATE)
        failed = arda_template_new(text, &form, why);
    if (failed)
        return failed;
    *format = base_malloc(sizeof **format);
    if (!*format) {
        arda_template_free(form);
        return base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
    }
    **format = (struct arda_format){(enum kind)kind, color, form};
    return BASE_OK;
}

void arda_format_free(struct arda_format *format)
{
    if (format)
        arda_template_free(format->form);
    base_free(format);
}

int arda_format_write(struct arda_format *format, struct base_buf *out,
                      const struct arda_record *record)
{
    int failed;
    switch (format->kind) {
    case WS: return arda_record_write_ws(out, record);
    case ENVELOPE: failed = arda_record_write_envelope(out, record); break;
    case PRETTY: failed = arda_pretty_write(out, record, format->color); break;
    case TEMPLATE: failed = arda_template_write(format->form, out, record); break;
    default: failed = arda_record_write_json(out, record); break;
    }
    return failed ? failed : 1;
}

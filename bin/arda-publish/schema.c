/* SPDX-License-Identifier: ISC
 *
 * The table of event types as JSON Schema (draft 2020-12), for those who check elsewhere.
 *
 * It accepts what arda_event_check accepts, as far as a schema can tell: the days of a February and
 * the place of a leap second are left to the format, and how a number was written is not seen.
 */
#include "arda-publish/publish.h"

#include "arda/event.h"

#include <stdio.h>
#include <string.h>

#define UUID_PATTERN  "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"
#define LOOSE_PATTERN "^[A-Za-z0-9._-]{1,64}$"
#define TIME_PATTERN                                                                               \
    "^[0-9]{4}-(02-(0[1-9]|[12][0-9])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|"                          \
    "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01]))[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:"                \
    "([0-5][0-9]|60)([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"

/* The texts of the table need no escapes. */
static void print_text(const char *name, const char *text)
{
    printf("\"%s\": \"%s\"", name, text);
}

static void print_id(bool loose_ids, bool tenant)
{
    print_text("type", "string");
    printf(", ");
    print_text("pattern", loose_ids ? LOOSE_PATTERN : UUID_PATTERN);
    if (tenant && loose_ids)
        printf(", \"not\": {\"const\": \"global\"}");
}

static void print_choices(const char *choices)
{
    printf("\"enum\": [\"");
    for (; *choices; choices++)
        if (*choices == '|')
            printf("\", \"");
        else
            putchar(*choices);
    printf("\"]");
}

static void print_kind(const struct arda_field *field, bool loose_ids)
{
    const char *string =
        field->nullable ? "\"type\": [\"string\", \"null\"]" : "\"type\": \"string\"";
    switch (field->kind) {
    case ARDA_FIELD_UUID: print_id(loose_ids, strcmp(field->name, "tenantId") == 0); break;
    case ARDA_FIELD_UUIDS:
        printf("\"type\": \"array\", \"items\": {");
        print_id(loose_ids, false);
        putchar('}');
        break;
    case ARDA_FIELD_TIMESTAMP:
        printf("%s, \"format\": \"date-time\", ", string);
        print_text("pattern", TIME_PATTERN);
        break;
    case ARDA_FIELD_CHOICE: print_choices(field->choices); break;
    case ARDA_FIELD_TEXT: printf("%s", string); break;
    case ARDA_FIELD_NAME: printf("%s, \"minLength\": 1", string); break;
    case ARDA_FIELD_PERCENT:
        printf("\"type\": \"number\", \"minimum\": 0, \"maximum\": 100");
        break;
    case ARDA_FIELD_VERSION:
        printf("\"type\": \"integer\", \"minimum\": 1, \"maximum\": 999999999");
        break;
    }
}

static void print_fields(const struct arda_field *field, bool loose_ids)
{
    for (; field->name; field++) {
        printf(",\n    \"%s\": {", field->name);
        print_text("description", field->about);
        printf(", ");
        print_kind(field, loose_ids);
        putchar('}');
    }
}

bool schema_print(const char *name, bool loose_ids)
{
    const struct arda_event_type *type = arda_event_find(name, strlen(name));
    if (!type)
        return false;
    printf("{\n  ");
    print_text("$schema", "https://json-schema.org/draft/2020-12/schema");
    printf(",\n  ");
    print_text("title", type->name);
    printf(",\n  ");
    print_text("description", type->about);
    printf(",\n  \"type\": \"object\",\n  \"properties\": {\n    \"type\": {\"const\": \"%s\"}",
           type->name);
    print_fields(type->fields, loose_ids);
    print_fields(arda_event_extras, loose_ids);
    printf("\n  },\n  \"required\": [\"type\"");
    for (const struct arda_field *field = type->fields; field->name; field++)
        if (!field->optional)
            printf(", \"%s\"", field->name);
    printf("]\n}\n");
    return true;
}

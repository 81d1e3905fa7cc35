/* SPDX-License-Identifier: ISC */
#include "arda-publish/publish.h"

#include "arda/event.h"
#include "arda/ws_type.h"

#include <stdio.h>
#include <string.h>

static void print_choices(const char *choices)
{
    for (; *choices; choices++)
        if (*choices == '|')
            fputs(", ", stdout);
        else
            putchar(*choices);
}

static void print_field(const struct arda_field *field)
{
    printf("  %-18s %s%s%s\n", field->name, field->about, field->optional ? " (optional)" : "",
           field->nullable ? " (may be null)" : "");
    printf("%21s", "");
    if (field->kind == ARDA_FIELD_CHOICE)
        print_choices(field->choices);
    else
        fputs(arda_field_kind_text(field->kind), stdout);
    putchar('\n');
}

static void print_ws_types(const char *type)
{
    for (const struct arda_ws_row *row = arda_ws_rows; row->ws_type; row++)
        if (strcmp(row->type, type) == 0)
            printf("  %s%s%s%s%s\n", row->ws_type, row->field ? " when " : "",
                   row->field ? row->field : "", row->field ? " is " : "",
                   row->value ? row->value : "");
}

static void print_type(const struct arda_event_type *type)
{
    printf("%s (catalog section %s)\n%s\n\nfields:\n", type->name, type->section, type->about);
    for (const struct arda_field *field = type->fields; field->name; field++)
        print_field(field);
    for (const struct arda_field *field = arda_event_extras; field->name; field++)
        print_field(field);
    printf("\nproducers:\n");
    for (const char *const *producer = type->producers; *producer; producer++)
        printf("  %s\n", *producer);
    printf("\nknown to web clients as:\n");
    print_ws_types(type->name);
    printf("\ntimestamp, eventId and schemaVersion are filled in where they are missing.\n");
}

bool help_topic(const char *topic)
{
    const struct arda_event_type *type = arda_event_find(topic, strlen(topic));
    if (type) {
        print_type(type);
        return true;
    }
    if (strcmp(topic, "types") != 0)
        return false;
    for (type = arda_event_types; type->name; type++)
        printf("%-24s %s\n", type->name, type->about);
    return true;
}

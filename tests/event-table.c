/* SPDX-License-Identifier: ISC
 *
 * event-table: the event types that libarda knows, for the manual and for tests.
 *
 *     event-table mdoc    what stands in arda-events(5) between the marks "event types"
 *     event-table table   a line per field: type, field, kind, choices, optional, nullable
 *
 * The table is plain text with tabs between the columns, "-" for an empty one, and "*" for the type
 * of what every event may carry. tests/data holds the first one, which later ones have to fit.
 */
#include "arda/event.h"
#include "arda/ws_type.h"
#include "base/exit.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- table ---- */

/* "uuid" of ARDA_FIELD_UUID: a name that does not change when the wording does. */
static void print_kind(enum arda_field_kind kind)
{
    static const char *const names[] = {
#define NAME_(kind, text) #kind,
        ARDA_FIELD_MAP(NAME_)
#undef NAME_
    };
    for (const char *at = names[kind] + strlen("ARDA_FIELD_"); *at; at++)
        putchar(tolower((unsigned char)*at));
}

static void print_rows(const char *type, const struct arda_field *field)
{
    for (; field->name; field++) {
        printf("%s\t%s\t", type, field->name);
        print_kind(field->kind);
        printf("\t%s\t%s\t%s\n", field->choices ? field->choices : "-",
               field->optional ? "optional" : "-", field->nullable ? "nullable" : "-");
    }
}

static void print_table(void)
{
    for (const struct arda_event_type *type = arda_event_types; type->name; type++)
        print_rows(type->name, type->fields);
    print_rows("*", arda_event_extras);
}

/* ---- mdoc ---- */

/* "a|b|c" as literals with commas between them and `end` behind the last. */
static void print_choices(const char *choices, const char *end)
{
    while (*choices) {
        size_t len = strcspn(choices, "|");
        bool last = !choices[len];
        printf(".Ql %.*s %s\n", (int)len, choices, last ? end : ",");
        choices += len + !last;
    }
}

static void print_fields(const struct arda_field *field)
{
    puts(".Bl -tag -width notificationType");
    for (; field->name; field++) {
        printf(".It Va %s\n%c%s", field->name, toupper((unsigned char)field->about[0]),
               field->about + 1);
        if (field->kind == ARDA_FIELD_CHOICE) {
            puts(": one of");
            print_choices(field->choices, field->optional ? ";" : ".");
        } else {
            printf(": %s%s%s\n", arda_field_kind_text(field->kind),
                   field->nullable ? ", or null" : "", field->optional ? ";" : ".");
        }
        if (field->optional)
            puts("may be missing.");
    }
    puts(".El");
}

/* Hyphens are written so that no line is broken at one. */
static void print_producers(const char *const *producer)
{
    puts("Producers:\n.Bl -item -offset indent -compact");
    for (; *producer; producer++) {
        puts(".It");
        for (const char *at = *producer; *at; at++)
            fputs(*at == '-' ? "\\-" : (char[]){*at, '\0'}, stdout);
        putchar('\n');
    }
    puts(".El");
}

static void print_web_names(const char *type)
{
    size_t count = 0;
    for (const struct arda_ws_row *row = arda_ws_rows; row->ws_type; row++) {
        if (strcmp(row->type, type) != 0)
            continue;
        if (count == 0)
            puts(".Pp\nWeb names:\n.Bl -item -offset indent -compact");
        printf(".It\n.Ql %s", row->ws_type);
        if (row->field)
            printf("\nif\n.Va %s\nis\n.Ql %s\n", row->field, row->value);
        else
            puts(count ? "\notherwise" : "");
        count++;
    }
    if (count)
        puts(".El");
}

static void print_other_types(void)
{
    puts(".Ss Other types\nServices publish more types, which are passed on unchecked.\n"
         "Web applications know these of them:\n.Bl -column automation.shopping_list_item_added");
    for (const struct arda_ws_row *row = arda_ws_rows + 1; row->ws_type; row++) {
        if (arda_event_find(row->type, strlen(row->type)))
            continue;
        printf(".It Ql %s Ta Ql %s", row->type, row->ws_type);
        if (row->field)
            printf(" if\n.Va %s\nis\n.Ql %s", row->field, row->value);
        else if (strcmp(row->type, row[-1].type) == 0)
            fputs(" otherwise", stdout);
        putchar('\n');
    }
    puts(".El");
}

static void print_mdoc(void)
{
    for (const struct arda_event_type *type = arda_event_types; type->name; type++) {
        printf(".Ss %s\n%s\nSection %s of the catalog.\n", type->name, type->about, type->section);
        print_fields(type->fields);
        puts(".Pp");
        print_producers(type->producers);
        print_web_names(type->name);
    }
    puts(".Ss Any event\nWhatever its type, an event may carry:");
    print_fields(arda_event_extras);
    print_other_types();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "mdoc") == 0) {
        print_mdoc();
    } else if (argc == 2 && strcmp(argv[1], "table") == 0) {
        print_table();
    } else {
        fputs("usage: event-table mdoc | table\n", stderr);
        return BASE_EXIT_USAGE;
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? BASE_EXIT_OK : BASE_EXIT_IOERR;
}

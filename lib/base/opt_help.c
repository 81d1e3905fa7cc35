/* SPDX-License-Identifier: ISC */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "base/opt_help.h"

#include "base/opt_env.h"

#include <stdio.h>
#include <string.h>

#define WIDTH       80
#define HELP_COLUMN 26

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

/* Both variables of an option with what is to stand between them; "" where it has none. */
static void env_names(const struct base_opt_program *program, const struct base_opt *row,
                      const char *separator, char out[static 2 * BASE_OPT_ENV_MAX])
{
    const char *usual = base_opt_env_usual(row);
    char own[BASE_OPT_ENV_MAX];
    base_opt_env_name(program->name, row, own);
    snprintf(out, 2 * BASE_OPT_ENV_MAX, "%s%s%s", own, usual ? separator : "", usual ? usual : "");
}

/* Words from `column` on, wrapped at the width and indented to the help column. */
static void print_wrapped(const char *text, size_t column)
{
    while (*text) {
        size_t len = strcspn(text, " ");
        if (column > HELP_COLUMN && column + 1 + len > WIDTH) {
            printf("\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        } else if (column > HELP_COLUMN) {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)len, text);
        column += len;
        text += len;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_row(int letter, const char *name, const char *metavar, const char *help)
{
    char left[64];
    int len = letter ? snprintf(left, sizeof left, "  -%c, --%s", letter, name)
                     : snprintf(left, sizeof left, "      --%s", name);
    if (metavar)
        len += snprintf(left + len, sizeof left - (size_t)len, "=%s", metavar);
    printf("%s", left);
    if (len >= HELP_COLUMN - 1)
        printf("\n%*s", HELP_COLUMN, "");
    else
        printf("%*s", HELP_COLUMN - len, "");
    print_wrapped(help, HELP_COLUMN);
}

static void print_option(const struct base_opt_program *program, const struct base_opt *row)
{
    char help[512], env[2 * BASE_OPT_ENV_MAX];
    int len = snprintf(help, sizeof help, "%s", row->help);
    if (row->kind == BASE_OPT_CHOICE)
        len += snprintf(help + len, sizeof help - (size_t)len, ": %s", row->range);
    if (row->fallback)
        len += snprintf(help + len, sizeof help - (size_t)len, " (default: %s)", row->fallback);
    env_names(program, row, ", ", env);
    if (*env)
        snprintf(help + len, sizeof help - (size_t)len, " [%s]", env);
    print_row(row->letter, row->name, row->metavar, help);
}

void base_opt_print_help(const struct base_opt_program *program)
{
    printf("usage: %s [OPTION]...%s%s\n\n%s\n\noptions:\n", program->name,
           *program->operands ? " " : "", program->operands, program->about);
    for (size_t i = 0; i < program->row_count; i++)
        print_option(program, &program->rows[i]);
    print_row('h', "help", NULL, "print this and exit");
    print_row('V', "version", NULL, "print the version and exit");
    if (program->after)
        printf("\n%s\n", program->after);
    printf("\nThe manual: man %s\n", program->name);
}

void base_opt_print_version(const struct base_opt_program *program)
{
    printf("%s %s\n", program->name, PACKAGE_VERSION);
}

void base_opt_dump(const struct base_opt_program *program)
{
    static const char *const kinds[] = {"flag", "count", "text",     "list",
                                        "int",  "size",  "duration", "choice"};
    for (size_t i = 0; i < program->row_count; i++) {
        const struct base_opt *row = &program->rows[i];
        char env[2 * BASE_OPT_ENV_MAX];
        env_names(program, row, ",", env);
        printf("%c\t%s\t%s\t%s\t%s\t%s\n", row->letter ? row->letter : '-', row->name,
               kinds[row->kind], row->metavar ? row->metavar : "-", *env ? env : "-",
               row->kind == BASE_OPT_CHOICE ? row->range : "-");
    }
    printf("h\thelp\tflag\t-\t-\t-\nV\tversion\tflag\t-\t-\t-\n");
}

/* SPDX-License-Identifier: ISC
 *
 * key-table: the keys and channels of Redis that libarda knows, and the rights of the programs, for
 * the manual and for tests.
 *
 *     key-table mdoc                   what stands in arda-redis(5) between the marks "keys"
 *     key-table families               the families, one a line
 *     key-table acl PROGRAM [PREFIX]   the rules of ACL SETUSER for a program, in one line
 *
 * The keys of a program are those that the table names it for, as a writer or a reader.
 */
#include "arda/name/keys.h"
#include "base/exit.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct row {
    const char *family, *rest, *type, *content, *writers, *readers, *lifetime;
};

static const struct row rows[] = {
#define ROW_(code, family, rest, type, content, writers, readers, lifetime)                        \
    {family, rest, type, content, writers, readers, lifetime},
    ARDA_KEY_MAP(ROW_)
#undef ROW_
};

struct rights {
    const char *program, *commands;
};

static const struct rights programs[] = {
#define RIGHTS_(program, commands) {program, commands},
    ARDA_RIGHTS_MAP(RIGHTS_)
#undef RIGHTS_
};

/* Whether "a, b, c" has a word. */
static bool has(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += len)
        if ((at == list || at[-1] == ' ') && (!at[len] || at[len] == ','))
            return true;
    return false;
}

static void print_key(const struct row *row, const char *prefix, const char *mark)
{
    bool both = strncmp(row->rest, "or ", 3) == 0;
    if (both || !*row->rest)
        printf(" %s%s:%s", mark, prefix, row->family);
    if (*row->rest)
        printf(" %s%s:%s:*", mark, prefix, row->family);
}

static void print_rules(const struct rights *rights, const char *prefix)
{
    printf("on resetkeys resetchannels -@all");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (has(rows[i].writers, rights->program) || has(rows[i].readers, rights->program))
            print_key(&rows[i], prefix, strcmp(rows[i].type, "channel") == 0 ? "&" : "~");
    printf(" +");
    for (const char *at = ARDA_RIGHTS_ALL; *at; at++)
        printf(*at == ' ' ? " +" : "%c", *at);
    printf(" +");
    for (const char *at = rights->commands; *at; at++)
        printf(*at == ' ' ? " +" : "%c", *at);
}

static void print_sentence(const char *text)
{
    printf("%c%s", toupper((unsigned char)text[0]), text + 1);
}

static void print_row(const struct row *row)
{
    printf(".It Li arda:%s", row->family);
    if (strncmp(row->rest, "or ", 3) == 0)
        printf(" , arda:%s:\\& Ns Ar %s", row->family, row->rest + 3);
    else if (*row->rest)
        printf(":\\& Ns Ar %s", row->rest);
    printf("\n");
    print_sentence(row->type);
    printf(": %s.\nWritten by %s; read by %s.\nLifetime: %s.\n", row->content, row->writers,
           row->readers, row->lifetime);
}

static void print_mdoc(void)
{
    puts(".Bl -tag -width 2n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        print_row(&rows[i]);
    puts(".El\n.Sh RIGHTS\n"
         "The rules that each program needs, for the prefix\n.Ql arda .\n.Bl -tag -width 2n");
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        printf(".It Xr arda-%s 1\n", programs[i].program);
        printf(".Li ACL SETUSER %s ", programs[i].program);
        print_rules(&programs[i], "arda");
        putchar('\n');
    }
    puts(".El");
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "mdoc") == 0) {
        print_mdoc();
        return BASE_EXIT_OK;
    }
    if (argc == 2 && strcmp(argv[1], "families") == 0) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            puts(rows[i].family);
        return BASE_EXIT_OK;
    }
    for (size_t i = 0; argc >= 3 && i < sizeof programs / sizeof programs[0]; i++)
        if (strcmp(argv[1], "acl") == 0 && strcmp(argv[2], programs[i].program) == 0) {
            print_rules(&programs[i], argc > 3 ? argv[3] : "arda");
            putchar('\n');
            return BASE_EXIT_OK;
        }
    fputs("usage: key-table mdoc | families | acl PROGRAM [PREFIX]\n", stderr);
    return BASE_EXIT_USAGE;
}

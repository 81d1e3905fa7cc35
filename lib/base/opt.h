/* SPDX-License-Identifier: ISC
 *
 * opt: one table of options per program, from which the getopt arrays, the environment, --help,
 * the completions and the tests of the manual page are made.
 *
 * A program lists its rows once, in bin/<program>/options.h:
 *
 *     #define PUBLISH_OPTIONS(OPT) \
 *         BASE_OPT_COMMON_REDIS(OPT) \
 *         OPT(rate, 0, "rate", INT, "N", NULL, "0", "0..1000000", "at most N events a second")
 *
 * with, in order: member of the settings struct, short letter or 0, long name, kind, metavariable
 * (NULL for FLAG), environment, default as text or NULL, range or choices or NULL, help. The
 * environment is NULL for the variable ARDA_<PROGRAM>_<NAME>, the name of a usual variable besides
 * that one, or BASE_OPT_SHARED, BASE_OPT_SHARED_OR or BASE_OPT_NO_ENV (below). Then
 *
 *     struct settings { PUBLISH_OPTIONS(BASE_OPT_MEMBER) };
 *     static const struct base_opt rows[] = { PUBLISH_OPTIONS(BASE_OPT_ROW) };
 *
 * The struct is always called `struct settings`: BASE_OPT_ROW takes the members' offsets from it.
 * A value is looked for in the arguments, then in the variable of ours, then in the usual one, then
 * in the default. --help, --version, --dump-options and `--` are known to every program.
 * Threads: the main one, at start.
 */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum base_opt_kind {
    BASE_OPT_FLAG,     /* bool; the environment takes 1/0, true/false, yes/no */
    BASE_OPT_COUNT,    /* int: how often it was given (-vv) */
    BASE_OPT_TEXT,     /* const char * */
    BASE_OPT_LIST,     /* struct base_opt_list; repeatable, commas separate in the environment */
    BASE_OPT_INT,      /* int64_t; range "min..max" */
    BASE_OPT_SIZE,     /* int64_t bytes; k, m, g for powers of 1024 */
    BASE_OPT_DURATION, /* int64_t milliseconds; 1d2h3m4s5ms, a bare number is seconds (also 0.5) */
    BASE_OPT_CHOICE,   /* int: index in "a|b|c" */
};

struct base_opt_list {
    const char **items;
    size_t count;
};

#define BASE_OPT_TYPE_FLAG     bool
#define BASE_OPT_TYPE_COUNT    int
#define BASE_OPT_TYPE_TEXT     const char *
#define BASE_OPT_TYPE_LIST     struct base_opt_list
#define BASE_OPT_TYPE_INT      int64_t
#define BASE_OPT_TYPE_SIZE     int64_t
#define BASE_OPT_TYPE_DURATION int64_t
#define BASE_OPT_TYPE_CHOICE   int

/* Means the same in every program that has it: ARDA_<NAME> for all, and perhaps a usual variable.
 */
#define BASE_OPT_SHARED           "*"
#define BASE_OPT_SHARED_OR(usual) "*" usual
/* No variable: what rewrites, selects everything or deletes is asked for each time, and so is what
 * makes a program do something else than it is there for. */
#define BASE_OPT_NO_ENV "-"

struct base_opt {
    int letter;
    const char *name;
    enum base_opt_kind kind;
    const char *metavar;
    const char *env;
    const char *fallback;
    const char *range;
    const char *help;
    size_t offset; /* of the member in the settings struct */
};

#define BASE_OPT_MEMBER(member, letter, name, kind, metavar, env, fallback, range, help)           \
    BASE_OPT_TYPE_##kind member;

#define BASE_OPT_ROW(member, letter, name, kind, metavar, env, fallback, range, help)              \
    {letter,  name, BASE_OPT_##kind,                                                               \
     metavar, env,  fallback,                                                                      \
     range,   help, offsetof(struct settings, member)},

/* The same outside a program, without the place of the value: for tables of other programs. */
#define BASE_OPT_ROW_ALONE(member, letter, name, kind, metavar, env, fallback, range, help)        \
    {letter, name, BASE_OPT_##kind, metavar, env, fallback, range, help, 0},

/* The rows of one program among others. */
struct base_opt_table {
    const char *program;
    const struct base_opt *rows;
    size_t row_count;
};

/* What a program is, for --help and --version. */
struct base_opt_program {
    const char *name;
    const char *operands; /* for the synopsis: "[FILE...]" */
    const char *about;    /* a sentence or two */
    const char *after;    /* text behind the options (examples), or NULL */
    /* Prints what `--help TOPIC` asks for; false when there is no such topic. NULL: no topics. */
    bool (*help_topic)(const char *topic);
    const struct base_opt *rows;
    size_t row_count;
    /* Of all programs that share an environment, this one too: no variable of theirs is unknown.
     * NULL: variables are not checked. */
    const struct base_opt_table *tables;
    size_t table_count;
};

#define BASE_OPT_COUNT_OF(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Parses argv into `settings`, which must be zeroed before; its texts are copies that base_opt_fini
 * frees, after a failure too. Options and operands may be mixed; `operands` receives argv's rest
 * (its count is the result). On --help, --version, --dump-options it prints and returns
 * BASE_OPT_DONE: exit 0. On misuse it returns BASE_ERR_INVALID with one line in `why` such as
 * "--count: expected 1 to 1000000, got `12x'"; a bad value of the environment is BASE_ERR_CONFIG
 * and names the variable; BASE_ERR_NOMEM. Passwords in URL-valued arguments
 * (scheme://user:secret@) are wiped from argv after they have been copied. */
#define BASE_OPT_DONE (-1)
int base_opt_parse(const struct base_opt_program *program, void *settings, int argc, char **argv,
                   char ***operands, struct base_why *why);
/* Frees what base_opt_parse has allocated (lists, copies). */
void base_opt_fini(const struct base_opt_program *program, void *settings);

/* The first thing a program does: fills closed standard descriptors (descriptors.h), then
 * base_opt_parse, and on anything but success print and exit with the right status, misuse as one
 * line and "Try 'name --help' for more information." Also applies the common rows: initialises the
 * log from -v, -q and --log-format, and logs what the environment has set and which of its
 * variables are unknown (opt_env.h). */
int base_opt_start(const struct base_opt_program *program, void *settings, int argc, char **argv,
                   char ***operands);

#endif

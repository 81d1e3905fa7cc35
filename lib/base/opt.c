/* SPDX-License-Identifier: ISC */
#include "base/opt.h"

#include "base/descriptors.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/opt_env.h"
#include "base/opt_help.h"
#include "base/opt_values.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW_BASE     256 /* getopt values of the rows, above all letters */
#define VALUE_HELP   1000
#define VALUE_VERS   1001
#define VALUE_DUMP   1002
#define MAX_ROWS     64
#define DEFAULT_SHOW "Try '%s --help' for more information.\n"

static void *member(void *settings, const struct base_opt *row)
{
    return (char *)settings + row->offset;
}

/* ---- values ---- */

static int add_item(struct base_opt_list *list, char *item)
{
    const char **items = item ? base_realloc(list->items, (list->count + 1) * sizeof *items) : NULL;
    if (!items) {
        base_free(item);
        return BASE_ERR_NOMEM;
    }
    list->items = items;
    items[list->count++] = item;
    return BASE_OK;
}

/* `split`: the items of an environment variable, separated by commas. */
static int add_items(struct base_opt_list *list, const char *text, bool split)
{
    for (;;) {
        size_t len = split ? strcspn(text, ",") : strlen(text);
        if (len > 0 || !split) {
            int failed = add_item(list, base_memdup(text, len));
            if (failed)
                return failed;
        }
        if (!text[len])
            return BASE_OK;
        text += len + 1;
    }
}

static int set_text(const char **place, const char *text)
{
    char *copy = base_strdup(text);
    if (!copy)
        return BASE_ERR_NOMEM;
    base_free((void *)(uintptr_t)*place);
    *place = copy;
    return BASE_OK;
}

/* In the environment a count is a number. */
static int set_count(int *place, const char *text, bool from_environment, struct base_why *why)
{
    int64_t count = *place + 1;
    int failed = from_environment ? base_opt_parse_int(text, "0..9", &count, why) : BASE_OK;
    if (!failed)
        *place = (int)count;
    return failed;
}

static int set_value(void *settings, const struct base_opt *row, const char *text,
                     bool from_environment, struct base_why *why)
{
    void *place = member(settings, row);
    switch (row->kind) {
    case BASE_OPT_FLAG: return base_opt_parse_flag(text, place, why);
    case BASE_OPT_COUNT: return set_count(place, text, from_environment, why);
    case BASE_OPT_TEXT: return set_text(place, text);
    case BASE_OPT_LIST: return add_items(place, text, from_environment);
    case BASE_OPT_INT: return base_opt_parse_int(text, row->range, place, why);
    case BASE_OPT_SIZE: return base_opt_parse_size(text, row->range, place, why);
    case BASE_OPT_DURATION: return base_opt_parse_duration(text, place, why);
    case BASE_OPT_CHOICE: return base_opt_parse_choice(text, row->range, place, why);
    default: return BASE_ERR_INTERNAL;
    }
}

/* ---- arguments ---- */

static void make_arrays(const struct base_opt_program *program, struct option *longs, char *shorts)
{
    size_t count = 0;
    *shorts++ = ':'; /* a missing argument is told from an unknown option */
    for (size_t i = 0; i < program->row_count; i++) {
        const struct base_opt *row = &program->rows[i];
        int argument = row->metavar ? required_argument : no_argument;
        longs[count++] = (struct option){row->name, argument, NULL, ROW_BASE + (int)i};
        if (row->letter) {
            *shorts++ = (char)row->letter;
            if (row->metavar)
                *shorts++ = ':';
        }
    }
    longs[count++] = (struct option){"help", no_argument, NULL, VALUE_HELP};
    longs[count++] = (struct option){"version", no_argument, NULL, VALUE_VERS};
    longs[count++] = (struct option){"dump-options", no_argument, NULL, VALUE_DUMP};
    longs[count] = (struct option){0};
    memcpy(shorts, "hV", 3);
}

static const struct base_opt *find_row(const struct base_opt_program *program, int value)
{
    if (value >= ROW_BASE && value < ROW_BASE + (int)program->row_count)
        return &program->rows[value - ROW_BASE];
    if (value == 0) /* an unknown long option; rows without a letter have 0 there */
        return NULL;
    for (size_t i = 0; i < program->row_count; i++)
        if (program->rows[i].letter == value)
            return &program->rows[i];
    return NULL;
}

static int take_argument(const struct base_opt_program *program, void *settings,
                         const struct base_opt *row, bool *given, struct base_why *why)
{
    struct base_opt_list *list = member(settings, row);
    bool *seen = &given[row - program->rows];
    const char *text = row->metavar ? optarg : "1";
    if (row->kind == BASE_OPT_LIST && !*seen)
        *list = (struct base_opt_list){NULL, 0};
    *seen = true;
    int failed = set_value(settings, row, text, false, why);
    if (failed == BASE_ERR_INVALID)
        base_why_prefix(why, "--%s", row->name);
    else if (!failed && row->metavar)
        base_opt_env_wipe(optarg); /* whoever lists the processes can read it */
    return failed;
}

static int misuse(int value, char **argv, const struct base_opt_program *program,
                  struct base_why *why)
{
    /* getopt_long leaves 0 there for a long name that it does not know. */
    const struct base_opt *row = optopt ? find_row(program, optopt) : NULL;
    if (value == ':' && row)
        return base_why_set(why, BASE_ERR_INVALID, "--%s: expected an argument", row->name);
    if (row)
        return base_why_set(why, BASE_ERR_INVALID, "--%s: takes no argument", row->name);
    if (optopt && optopt < ROW_BASE)
        return base_why_set(why, BASE_ERR_INVALID, "unrecognized option '-%c'", optopt);
    /* Without the value: of a misspelt name, it may be a secret. */
    return base_why_set(why, BASE_ERR_INVALID, "unrecognized option '%.*s'",
                        (int)strcspn(argv[optind - 1], "="), argv[optind - 1]);
}

static int show(const struct base_opt_program *program, int value, char **argv,
                struct base_why *why)
{
    const char *topic = argv[optind];
    if (value == VALUE_DUMP)
        base_opt_dump(program);
    else if (value == VALUE_VERS || value == 'V')
        base_opt_print_version(program);
    else if (topic && *topic != '-' && program->help_topic) {
        if (!program->help_topic(topic))
            return base_why_set(why, BASE_ERR_INVALID, "no help for `%s'", topic);
    } else
        base_opt_print_help(program);
    return BASE_OPT_DONE;
}

static int take_arguments(const struct base_opt_program *program, void *settings, int argc,
                          char **argv, bool *given, struct base_why *why)
{
    struct option longs[MAX_ROWS + 4];
    char shorts[MAX_ROWS * 2 + 4];
    int value;
    base_assert(program->row_count <= MAX_ROWS);
    make_arrays(program, longs, shorts);
    optind = 0;
    opterr = 0;
    while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (value == '?' || value == ':')
            return misuse(value, argv, program, why);
        if (value == 'h' || value == 'V' || value >= VALUE_HELP)
            return show(program, value, argv, why);
        int failed = take_argument(program, settings, find_row(program, value), given, why);
        if (failed)
            return failed;
    }
    return BASE_OK;
}

/* ---- environment and defaults ---- */

static const char *set_variable(const char *name)
{
    const char *text = name && *name ? getenv(name) : NULL;
    return text && *text ? text : NULL;
}

/* `from_own`: whether the variable of ours had it. */
static int take_fallback(const struct base_opt_program *program, void *settings,
                         const struct base_opt *row, bool *from_own, struct base_why *why)
{
    char own[BASE_OPT_ENV_MAX];
    base_opt_env_name(program->name, row, own);
    const char *name = own, *text = set_variable(name);
    *from_own = text;
    if (!text) {
        name = base_opt_env_usual(row);
        text = set_variable(name);
    }
    bool from_environment = text;
    if (!from_environment)
        text = row->fallback;
    int failed = text ? set_value(settings, row, text, true, why) : BASE_OK;
    if (failed == BASE_ERR_INVALID && from_environment) {
        base_why_prefix(why, "%s", name);
        failed = BASE_ERR_CONFIG;
        if (why)
            why->code = failed;
    }
    return failed;
}

/* What base_opt_parse does; `from_own` tells for each row whether the variable of ours had it. */
static int parse(const struct base_opt_program *program, void *settings, int argc, char **argv,
                 char ***operands, bool from_own[static MAX_ROWS], struct base_why *why)
{
    bool given[MAX_ROWS] = {false};
    int failed = take_arguments(program, settings, argc, argv, given, why);
    for (size_t i = 0; i < program->row_count && !failed; i++)
        if (!given[i])
            failed = take_fallback(program, settings, &program->rows[i], &from_own[i], why);
    if (failed == BASE_ERR_NOMEM)
        base_why_set(why, failed, "out of memory");
    if (failed)
        return failed;
    *operands = argv + optind;
    return argc - optind;
}

int base_opt_parse(const struct base_opt_program *program, void *settings, int argc, char **argv,
                   char ***operands, struct base_why *why)
{
    bool from_own[MAX_ROWS] = {false};
    return parse(program, settings, argc, argv, operands, from_own, why);
}

void base_opt_fini(const struct base_opt_program *program, void *settings)
{
    for (size_t i = 0; i < program->row_count; i++) {
        void *place = member(settings, &program->rows[i]);
        struct base_opt_list *list = place;
        if (program->rows[i].kind == BASE_OPT_TEXT) {
            base_free((void *)(uintptr_t) * (const char **)place);
            *(const char **)place = NULL;
        } else if (program->rows[i].kind == BASE_OPT_LIST) {
            for (size_t item = 0; item < list->count; item++)
                base_free((void *)(uintptr_t)list->items[item]);
            base_free(list->items);
            *list = (struct base_opt_list){NULL, 0};
        }
    }
}

/* ---- start of a program ---- */

static const void *find_member(const struct base_opt_program *program, const void *settings,
                               const char *name)
{
    for (size_t i = 0; i < program->row_count; i++)
        if (strcmp(program->rows[i].name, name) == 0)
            return (const char *)settings + program->rows[i].offset;
    return NULL;
}

static void start_log(const struct base_opt_program *program, const void *settings)
{
    const int *format = find_member(program, settings, "log-format");
    const int *verbose = find_member(program, settings, "verbose");
    const bool *quiet = find_member(program, settings, "quiet");
    int level = BASE_LOG_INFO + (verbose ? *verbose : 0);
    if (quiet && *quiet)
        level = BASE_LOG_ERROR;
    if (level > BASE_LOG_DEBUG)
        level = BASE_LOG_DEBUG;
    base_log_init(program->name, format && *format ? BASE_LOG_JSON : BASE_LOG_TEXT,
                  (enum base_log_level)level);
}

static int end_output(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return BASE_EXIT_OK;
    base_log(BASE_LOG_ERROR, "cannot write: %s", strerror(errno));
    return BASE_EXIT_IOERR;
}

int base_opt_start(const struct base_opt_program *program, void *settings, int argc, char **argv,
                   char ***operands)
{
    struct base_why why = {0};
    bool from_own[MAX_ROWS] = {false};
    int error = base_descriptors_fill();
    base_log_init(program->name, BASE_LOG_TEXT, BASE_LOG_INFO);
    if (error) {
        base_log(BASE_LOG_ERROR, "/dev/null: %s", strerror(error));
        exit(BASE_EXIT_IOERR);
    }
    int count = parse(program, settings, argc, argv, operands, from_own, &why);
    if (count == BASE_OPT_DONE) {
        base_opt_fini(program, settings);
        exit(end_output());
    }
    if (count < 0) {
        base_log(BASE_LOG_ERROR, "%s", why.text);
        if (count == BASE_ERR_INVALID)
            fprintf(stderr, DEFAULT_SHOW, program->name);
        base_opt_fini(program, settings);
        exit(base_exit_status(count));
    }
    start_log(program, settings);
    base_opt_env_check(program);
    base_opt_env_report(program, from_own);
    return count;
}

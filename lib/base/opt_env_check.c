/* SPDX-License-Identifier: ISC
 *
 * What is logged of the environment at the start: the options it has set, and the variables that
 * have no meaning, each with the name that was probably meant.
 */
#include "base/env_secrets.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/opt_env.h"
#include "base/opt_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OURS        "ARDA_"
#define MAX_CHANGES 3

/* ---- what the environment has set ---- */

static void report(const struct base_opt_program *program, const struct base_opt *row)
{
    char name[BASE_OPT_ENV_MAX];
    base_opt_env_name(program->name, row, name);
    const char *text = getenv(name);
    bool on = false;
    if (!text || (row->fallback && strcmp(row->fallback, text) == 0))
        return;
    if (row->kind == BASE_OPT_FLAG) {
        if (base_opt_parse_flag(text, &on, NULL) == 0 && on)
            base_log(BASE_LOG_INFO, "--%s by %s", row->name, name);
        return;
    }
    char *copy = base_strdup(text);
    if (copy)
        base_opt_env_wipe(copy);
    base_log(BASE_LOG_INFO, "--%s=%s by %s", row->name, copy ? copy : "(out of memory)", name);
    base_free(copy);
}

void base_opt_env_report(const struct base_opt_program *program, const bool *from_own)
{
    for (size_t i = 0; i < program->row_count; i++)
        if (from_own[i] && !base_opt_env_shared(&program->rows[i]))
            report(program, &program->rows[i]);
}

/* ---- variables that are none ---- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters have to be put in, left out or replaced to make one name of the other. */
static size_t distance(const char *a, const char *b)
{
    size_t row[BASE_OPT_ENV_MAX + 1], b_len = strlen(b);
    if (b_len > BASE_OPT_ENV_MAX)
        return SIZE_MAX;
    for (size_t i = 0; i <= b_len; i++)
        row[i] = i;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b_len; j++) {
            size_t replaced = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = least(replaced, 1 + least(row[j], diagonal));
        }
    }
    return row[b_len];
}

/* The nearest of the names that there are. */
struct nearest {
    char name[BASE_OPT_ENV_MAX];
    size_t distance;
};

static void compare(struct nearest *nearest, const char *name, const char *known)
{
    size_t far = *known ? distance(name, known) : SIZE_MAX;
    if (far >= nearest->distance)
        return;
    nearest->distance = far;
    snprintf(nearest->name, sizeof nearest->name, "%s", known);
}

static struct nearest find_nearest(const struct base_opt_program *program, const char *name)
{
    static const char *const secrets[] = BASE_ENV_SECRETS;
    size_t changes = (strlen(name) - strlen(OURS)) / 3; /* more of them, and it is another name */
    struct nearest nearest = {.distance = 1 + least(changes > 0 ? changes : 1, MAX_CHANGES)};
    for (size_t i = 0; i < BASE_OPT_COUNT_OF(secrets); i++)
        compare(&nearest, name, secrets[i]);
    for (size_t i = 0; i < program->table_count; i++) {
        const struct base_opt_table *table = &program->tables[i];
        for (size_t j = 0; j < table->row_count; j++) {
            char known[BASE_OPT_ENV_MAX];
            base_opt_env_name(table->program, &table->rows[j], known);
            compare(&nearest, name, known);
        }
    }
    return nearest;
}

/* Every option once had the variable ARDA_<NAME>, whatever program it was of. */
static const struct base_opt *find_old(const struct base_opt_program *program, const char *name)
{
    for (size_t i = 0; i < program->row_count; i++) {
        char old[BASE_OPT_ENV_MAX];
        base_opt_env_old_name(&program->rows[i], old);
        if (strcmp(old, name) == 0)
            return &program->rows[i];
    }
    return NULL;
}

static bool is_old_of_any(const struct base_opt_program *program, const char *name)
{
    for (size_t i = 0; i < program->table_count; i++) {
        const struct base_opt_table *table = &program->tables[i];
        struct base_opt_program other = {.rows = table->rows, .row_count = table->row_count};
        if (find_old(&other, name))
            return true;
    }
    return false;
}

static void warn_of_old(const struct base_opt_program *program, const struct base_opt *row,
                        const char *name)
{
    char own[BASE_OPT_ENV_MAX];
    base_opt_env_name(program->name, row, own);
    const char *text = *own ? getenv(own) : NULL;
    if (!*own)
        base_log(BASE_LOG_WARNING, "%s is ignored: --%s has no variable", name, row->name);
    else if (!text || !*text)
        base_log(BASE_LOG_WARNING, "%s is ignored: the variable of --%s is %s", name, row->name,
                 own);
}

static void check_variable(const struct base_opt_program *program, const char *name)
{
    struct nearest nearest = find_nearest(program, name);
    if (nearest.distance == 0)
        return;
    const struct base_opt *old = find_old(program, name);
    if (old)
        warn_of_old(program, old, name);
    else if (is_old_of_any(program, name))
        return; /* which of its options it is for is for that program to report */
    else if (*nearest.name)
        base_log(BASE_LOG_WARNING, "unknown variable %s; did you mean %s?", name, nearest.name);
    else
        base_log(BASE_LOG_WARNING, "unknown variable %s", name);
}

void base_opt_env_check(const struct base_opt_program *program)
{
    for (char **at = environ; program->tables && at && *at; at++) {
        size_t len = strcspn(*at, "=");
        if (strncmp(*at, OURS, strlen(OURS)) != 0 || !(*at)[len] || !(*at)[len + 1])
            continue; /* of others, or empty, which is as if it were not there */
        char name[BASE_OPT_ENV_MAX];
        if (len < sizeof name) {
            snprintf(name, sizeof name, "%.*s", (int)len, *at);
            check_variable(program, name);
        } else {
            base_log(BASE_LOG_WARNING, "unknown variable %.*s", (int)len, *at);
        }
    }
}

/* SPDX-License-Identifier: ISC
 *
 * The option tables of all programs beside each other: what one variable sets has one meaning.
 */
#include "option_tables.h"

#include "base/opt_env.h"
#include "lib/test.h"

typedef void on_pair(const struct base_opt_table *table, const struct base_opt *row,
                     const struct base_opt_table *other, const struct base_opt *other_row);

/* Each two rows of two programs. */
static void for_each_pair(on_pair *callback)
{
    const struct base_opt_table *end = option_tables + OPTION_TABLE_COUNT;
    for (const struct base_opt_table *a = option_tables; a < end; a++)
        for (const struct base_opt_table *b = a + 1; b < end; b++)
            for (size_t i = 0; i < a->row_count; i++)
                for (size_t j = 0; j < b->row_count; j++)
                    callback(a, &a->rows[i], b, &b->rows[j]);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_meaning(const struct base_opt *a, const struct base_opt *b)
{
    return a->letter == b->letter && strcmp(a->name, b->name) == 0 && a->kind == b->kind &&
           same_text(a->metavar, b->metavar) && same_text(a->env, b->env) &&
           same_text(a->fallback, b->fallback) && same_text(a->range, b->range) &&
           same_text(a->help, b->help);
}

static size_t shared_pairs;

static void check_shared(const struct base_opt_table *table, const struct base_opt *row,
                         const struct base_opt_table *other, const struct base_opt *other_row)
{
    if (strcmp(row->name, other_row->name) != 0 ||
        (!base_opt_env_shared(row) && !base_opt_env_shared(other_row)))
        return;
    shared_pairs++;
    if (!same_meaning(row, other_row))
        printf("# --%s of %s and of %s\n", row->name, table->program, other->program);
    CHECK(same_meaning(row, other_row));
}

static void a_shared_option_is_the_same_in_all(void)
{
    for_each_pair(check_shared);
    CHECK(shared_pairs > 100);
}

static size_t equal_variables;

/* Whatever the options are called: --a-b of one program may not meet --b of another. */
static void check_variables(const struct base_opt_table *table, const struct base_opt *row,
                            const struct base_opt_table *other, const struct base_opt *other_row)
{
    char name[BASE_OPT_ENV_MAX], other_name[BASE_OPT_ENV_MAX];
    base_opt_env_name(table->program, row, name);
    base_opt_env_name(other->program, other_row, other_name);
    if (!*name || strcmp(name, other_name) != 0)
        return;
    equal_variables++;
    if (!same_meaning(row, other_row))
        printf("# %s of %s and of %s\n", name, table->program, other->program);
    CHECK(same_meaning(row, other_row));
}

static void an_equal_variable_means_the_same(void)
{
    for_each_pair(check_variables);
    CHECK_INT(equal_variables, shared_pairs);
}

static void check_usual(const struct base_opt_table *table, const struct base_opt *row,
                        const struct base_opt_table *other, const struct base_opt *other_row)
{
    const char *usual = base_opt_env_usual(row), *other_usual = base_opt_env_usual(other_row);
    if (usual && other_usual && strcmp(usual, other_usual) == 0 && !same_meaning(row, other_row)) {
        printf("# %s of %s and of %s\n", usual, table->program, other->program);
        CHECK(same_meaning(row, other_row));
    }
}

static void a_usual_variable_means_the_same(void)
{
    for_each_pair(check_usual);
}

static void no_program_has_two_options_of_a_variable(void)
{
    for (size_t t = 0; t < OPTION_TABLE_COUNT; t++) {
        const struct base_opt_table *table = &option_tables[t];
        CHECK(table->row_count > 3);
        for (size_t i = 0; i < table->row_count; i++)
            for (size_t j = 0; j < i; j++) {
                char name[BASE_OPT_ENV_MAX], other[BASE_OPT_ENV_MAX];
                base_opt_env_name(table->program, &table->rows[i], name);
                base_opt_env_name(table->program, &table->rows[j], other);
                CHECK(!*name || strcmp(name, other) != 0);
            }
    }
}

/* The names of options that rewrite, select everything or delete, in whatever program. */
static void what_harms_is_asked_for_each_time(void)
{
    static const char *const harmful[] = {"all",    "global",  "set",    "retime", "map-ids",
                                          "shadow", "redrive", "retain", "replace"};
    size_t found = 0;
    for (size_t t = 0; t < OPTION_TABLE_COUNT; t++)
        for (size_t i = 0; i < option_tables[t].row_count; i++)
            for (size_t k = 0; k < BASE_OPT_COUNT_OF(harmful); k++) {
                const struct base_opt *row = &option_tables[t].rows[i];
                if (strcmp(row->name, harmful[k]) != 0)
                    continue;
                found++;
                CHECK(row->env && strcmp(row->env, BASE_OPT_NO_ENV) == 0);
            }
    CHECK_INT(found, BASE_OPT_COUNT_OF(harmful) + 1); /* two have --all */
}

int main(void)
{
    RUN(a_shared_option_is_the_same_in_all);
    RUN(an_equal_variable_means_the_same);
    RUN(a_usual_variable_means_the_same);
    RUN(no_program_has_two_options_of_a_variable);
    RUN(what_harms_is_asked_for_each_time);
    return test_end();
}

/* SPDX-License-Identifier: ISC
 *
 * What the column `env` of a row says, and the names that follow from it.
 */
#include "base/opt_env.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define OURS "ARDA_"

bool base_opt_env_shared(const struct base_opt *row)
{
    return row->env && *row->env == *BASE_OPT_SHARED;
}

static void make_name(const char *program, const char *option, char out[static BASE_OPT_ENV_MAX])
{
    int len = snprintf(out, BASE_OPT_ENV_MAX, OURS "%s%s%s", program, *program ? "_" : "", option);
    base_assert(len < BASE_OPT_ENV_MAX);
    for (char *at = out; *at; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
}

void base_opt_env_name(const char *program, const struct base_opt *row,
                       char out[static BASE_OPT_ENV_MAX])
{
    if (strncmp(program, "arda-", 5) == 0)
        program += 5;
    if (row->env && strcmp(row->env, BASE_OPT_NO_ENV) == 0)
        *out = '\0';
    else
        make_name(base_opt_env_shared(row) ? "" : program, row->name, out);
}

const char *base_opt_env_usual(const struct base_opt *row)
{
    if (!row->env || strcmp(row->env, BASE_OPT_NO_ENV) == 0)
        return NULL;
    const char *usual = row->env + base_opt_env_shared(row);
    return *usual ? usual : NULL;
}

void base_opt_env_old_name(const struct base_opt *row, char out[static BASE_OPT_ENV_MAX])
{
    make_name("", row->name, out);
}

void base_opt_env_wipe(char *text)
{
    char *scheme = strstr(text, "://");
    char *at = scheme ? strrchr(scheme, '@') : NULL;
    char *colon = at ? strchr(scheme + 3, ':') : NULL;
    if (colon && colon < at)
        memset(colon + 1, '*', (size_t)(at - colon - 1));
}

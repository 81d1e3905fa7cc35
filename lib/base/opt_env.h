/* SPDX-License-Identifier: ISC
 *
 * opt_env: the environment variables of options, for opt.c and opt_help.c.
 *
 * An option is ARDA_<PROGRAM>_<NAME> in the environment, so that what is set for one program does
 * not change another. Only an option that means the same in every program that has it is
 * ARDA_<NAME> (BASE_OPT_SHARED). What rewrites, selects everything or deletes has no variable
 * (BASE_OPT_NO_ENV): it is asked for each time. Threads: the main one, at start.
 */
#ifndef BASE_OPT_ENV_H
#define BASE_OPT_ENV_H

#include "base/opt.h"

#define BASE_OPT_ENV_MAX 64 /* bytes of a variable's name, with its NUL */

/* Writes the name of the variable of ours, "" if there is none. `program` is its name, with or
 * without "arda-". */
void base_opt_env_name(const char *program, const struct base_opt *row,
                       char out[static BASE_OPT_ENV_MAX]);
/* The usual variable besides it, such as REDIS_URL; NULL: none. */
const char *base_opt_env_usual(const struct base_opt *row);

/* Whether it means the same in every program that has it. */
bool base_opt_env_shared(const struct base_opt *row);
/* ARDA_<NAME>, the variable of every option before programs had their own. */
void base_opt_env_old_name(const struct base_opt *row, char out[static BASE_OPT_ENV_MAX]);

/* Logs, as information, the options whose value came from a variable of this program alone and is
 * not the default: who has set it long ago, or somebody else has, sees why the output is as it is.
 * `from_own`: which of the rows, in their order. Passwords in URLs are left out. */
void base_opt_env_report(const struct base_opt_program *program, const bool *from_own);

/* Warns of the variables ARDA_... that no program of the tables has, with the nearest name, and of
 * ARDA_<NAME> that is the variable of an option of this program no more. Values are not logged.
 * Does nothing without tables. */
void base_opt_env_check(const struct base_opt_program *program);

/* Replaces the password in scheme://user:password@host by asterisks. */
void base_opt_env_wipe(char *text);

#endif

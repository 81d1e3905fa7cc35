/* SPDX-License-Identifier: ISC
 *
 * opt_help: what a program prints about its options, for opt.c. Threads: the main one.
 */
#ifndef BASE_OPT_HELP_H
#define BASE_OPT_HELP_H

#include "base/opt.h"

void base_opt_print_help(const struct base_opt_program *program);
void base_opt_print_version(const struct base_opt_program *program);
/* One line per option, fields separated by tabs: letter or "-", name, kind, metavariable or "-",
 * environment variables separated by commas or "-", choices or "-". */
void base_opt_dump(const struct base_opt_program *program);

#endif

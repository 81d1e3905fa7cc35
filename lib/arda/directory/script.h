/* SPDX-License-Identifier: ISC
 *
 * script: the scripts of a step that changes the directory. Shared by the writers of the
 * directory; nobody else includes this. Threads: any.
 *
 * A step is one MULTI: `open`, commands that store or remove, `close`. What changes something sets
 * PREFIX:changed:TENANT, and `close` raises the version if that is there, once, and removes it. So
 * no version comes without a change, and a step may be as long as it takes.
 *
 * What is stored is compared with what is there, by Redis, where nothing can come in between. Of a
 * tenant that is replaced the former entries are set aside under other names, the new ones are
 * stored, and both are compared at the end; that costs no more than finding out which of the former
 * ones have to go.
 */
#ifndef ARDA_DIRECTORY_SCRIPT_H
#define ARDA_DIRECTORY_SCRIPT_H

#include "arda/bus/script.h"

ARDA_SCRIPT(directory_open);
ARDA_SCRIPT(directory_put_hash);
ARDA_SCRIPT(directory_put_set);
ARDA_SCRIPT(directory_remove);
ARDA_SCRIPT(directory_remove_tenant);
ARDA_SCRIPT(directory_close);

#endif

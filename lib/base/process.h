/* SPDX-License-Identifier: ISC
 *
 * process: what the system says of this process. Threads: any.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdint.h>

/* 0 where the system does not tell. */
struct base_process {
    uint64_t resident_bytes;
    uint64_t open_fds;
    uint64_t max_fds;
};

void base_process_get(struct base_process *process);

#endif

/* SPDX-License-Identifier: ISC
 *
 * descriptors: standard input, output and error, which may be closed when a program is started.
 * Threads: the main one, before anything is opened.
 */
#ifndef BASE_DESCRIPTORS_H
#define BASE_DESCRIPTORS_H

/* Puts /dev/null in the place of those of the descriptors 0, 1 and 2 that are closed, so that
 * nothing that is opened later gets such a number: messages would go into a file of data, and libuv
 * aborts when it has to close one of the three. Then standard input is empty, messages are lost,
 * and writing to standard output fails with EBADF. 0, or the errno. */
int base_descriptors_fill(void);

/* A new description of standard output that does not block, if it is a pipe or a device: the shell
 * and others share the old one, which is not to become non-blocking. -1 where that is not possible
 * or standard output is not open for writing; then it is written as it is. The caller closes it. */
int base_descriptors_reopen_output(void);

#endif

/* SPDX-License-Identifier: ISC
 *
 * service: what a daemon has to do with the system around it. Threads: the main one, at start.
 */
#ifndef BASE_SERVICE_H
#define BASE_SERVICE_H

/* Raises the soft limit of open descriptors to the hard one, ignores SIGPIPE. The process holds
 * secrets of all tenants: other processes of its user can neither read its memory and environment
 * nor trace it, and it leaves no core (not in a build with sanitizers, which need that). */
void base_service_prepare(void);
/* Tells systemd a state such as "READY=1" or "STOPPING=1" (sd_notify(3)); does nothing when the
 * program was not started by it. */
void base_service_notify(const char *state);

#endif

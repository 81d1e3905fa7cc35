/* SPDX-License-Identifier: ISC
 *
 * tenant: the identifiers of the wire (catalog sections 3 and 6).
 *
 * A tenantId, userId or loopId is 1 to 64 characters of A-Z a-z 0-9 . _ - ; a tenant is never
 * called "global", whose channel would be everybody's. Threads: any.
 */
#ifndef ARDA_TENANT_H
#define ARDA_TENANT_H

#include "base/api.h"

#include <stdbool.h>
#include <stddef.h>

#define ARDA_ID_MAX 64

ARDA_API bool arda_id_valid(const char *id, size_t len);
ARDA_API bool arda_tenant_valid(const char *id, size_t len);

#endif

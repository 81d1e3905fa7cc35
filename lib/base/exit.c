/* SPDX-License-Identifier: ISC */
#include "base/exit.h"

#include "base/err.h"

int base_exit_status(int err)
{
    switch (err) {
    case BASE_OK: return BASE_EXIT_OK;
    case BASE_ERR_NOTFOUND: return BASE_EXIT_NO;
    case BASE_ERR_INVALID: return BASE_EXIT_USAGE;
    case BASE_ERR_SYNTAX:
    case BASE_ERR_LIMIT: return BASE_EXIT_DATAERR;
    case BASE_ERR_UNAVAILABLE: return BASE_EXIT_UNAVAILABLE;
    case BASE_ERR_CANTCREATE: return BASE_EXIT_CANTCREAT;
    case BASE_ERR_IO: return BASE_EXIT_IOERR;
    case BASE_ERR_AGAIN:
    case BASE_ERR_CLOSED: return BASE_EXIT_TEMPFAIL;
    case BASE_ERR_DENIED: return BASE_EXIT_NOPERM;
    case BASE_ERR_CONFIG: return BASE_EXIT_CONFIG;
    case BASE_ERR_TIMEOUT: return BASE_EXIT_TIMEOUT;
    default: return BASE_EXIT_SOFTWARE;
    }
}

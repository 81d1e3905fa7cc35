/* SPDX-License-Identifier: ISC
 *
 * api: marks what libarda exports. Everything else is hidden.
 */
#ifndef BASE_API_H
#define BASE_API_H

#if defined __GNUC__
#define ARDA_API __attribute__((visibility("default")))
#else
#define ARDA_API
#endif

#endif

/* SPDX-License-Identifier: ISC
 *
 * env_secrets: the variables of ours that are no option, since an argument can be read by everybody
 * who lists the processes. Who reads one takes its name from here, so that it is not reported as
 * unknown.
 */
#ifndef BASE_ENV_SECRETS_H
#define BASE_ENV_SECRETS_H

#define BASE_ENV_JWT_SECRET         "ARDA_JWT_SECRET"
#define BASE_ENV_RELAY_SECRET       "ARDA_RELAY_SECRET"
#define BASE_ENV_TOKEN              "ARDA_TOKEN"
#define BASE_ENV_UNSUBSCRIBE_SECRET "ARDA_UNSUBSCRIBE_TOKEN_SECRET"

/* All of them, as the initialiser of an array. */
#define BASE_ENV_SECRETS                                                                           \
    {                                                                                              \
        BASE_ENV_JWT_SECRET, BASE_ENV_RELAY_SECRET, BASE_ENV_TOKEN, BASE_ENV_UNSUBSCRIBE_SECRET    \
    }

#endif

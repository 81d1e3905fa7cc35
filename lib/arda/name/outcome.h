/* SPDX-License-Identifier: ISC
 *
 * outcome: how an attempt to deliver something has ended, by whatever channel; what is done next
 * follows from this alone. Threads: any.
 */
#ifndef ARDA_NAME_OUTCOME_H
#define ARDA_NAME_OUTCOME_H

/* The name is that in metrics. */
#define ARDA_OUTCOME_MAP(X)                                                                        \
    X(ARDA_OUTCOME_DONE, "done")           /* the receiver has taken it */                         \
    X(ARDA_OUTCOME_RETRY, "retry")         /* the schedule says when */                            \
    X(ARDA_OUTCOME_SLOW_DOWN, "slow_down") /* the same, and the receiver is to be spared */        \
    X(ARDA_OUTCOME_GONE, "gone")           /* failed, and the receiver wants no more */            \
    X(ARDA_OUTCOME_FAILED, "failed")       /* for good */                                          \
    X(ARDA_OUTCOME_BOUNCED, "bounced")     /* for good: refused for its recipient */

enum arda_outcome {
#define ARDA_OUTCOME_ENUM_(outcome, name) outcome,
    ARDA_OUTCOME_MAP(ARDA_OUTCOME_ENUM_)
#undef ARDA_OUTCOME_ENUM_
        ARDA_OUTCOMES
};

const char *arda_outcome_name(enum arda_outcome outcome);

#endif

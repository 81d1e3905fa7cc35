/* SPDX-License-Identifier: ISC
 *
 * The table of the daemon's metrics. A new one is a row here and in the manual, nothing else.
 */
#ifndef METRICS_H
#define METRICS_H

#include "base/metric_table.h"
#include "base/process.h"
#include "notifyd.h"

/* What the metrics are made of, taken at one moment. */
struct metrics_snapshot {
    const struct notifyd *nd;
    const struct counters *counters;
    struct deliver_stats deliver;
    struct arda_bus_stats bus;
    double lag_s;          /* how long the oldest event that is in work has been in its stream */
    double delivery_age_s; /* of the oldest one that is due; 0: none is */
    struct base_process process;
};

#define METRICS_MAP(ONE, SOME)                                                                     \
    SOME(arda_notifyd_build, INFO, "", "Version of the daemon.", 1, "version", PACKAGE_VERSION, 1) \
    ONE(arda_notifyd_entries_read, COUNTER, "", "Entries that were read from streams of tenants.", \
        s->counters->entries)                                                                      \
    ONE(arda_notifyd_messages_received, COUNTER, "",                                               \
        "Messages that came on the channel of all tenants.", s->bus.messages)                      \
    ONE(arda_notifyd_unlogged_events, COUNTER, "",                                                 \
        "Events that were taken from the channel, because they were found in no stream.",          \
        s->counters->unlogged)                                                                     \
    SOME(arda_notifyd_messages_dropped, COUNTER, "", "Messages that were dropped, by cause.",      \
         ARDA_DROP_COUNT - 1, "cause", arda_drop_name((enum arda_drop)(i + 1)),                    \
         s->bus.dropped[i + 1])                                                                    \
    ONE(arda_notifyd_events_handled, COUNTER, "",                                                  \
        "Events that have become their notifications here.", s->counters->events)                  \
    SOME(arda_notifyd_events_skipped, COUNTER, "", "Events that became nothing here, by cause.",   \
         SKIP_COUNT, "cause", notifyd_skip_name((enum notifyd_skip)i), s->counters->skipped[i])    \
    ONE(arda_notifyd_notifications, COUNTER, "", "Notifications that were put into inboxes.",      \
        s->counters->rows)                                                                         \
    ONE(arda_notifyd_deliveries, COUNTER, "",                                                      \
        "Deliveries by e-mail or webhook that were recorded.", s->counters->deliveries)            \
    ONE(arda_notifyd_notifications_trimmed, COUNTER, "",                                           \
        "Notifications that --retain has removed.", s->counters->trimmed)                          \
    ONE(arda_notifyd_directory_reads, COUNTER, "", "Times that a tenant's users were read.",       \
        s->counters->people_loads)                                                                 \
    ONE(arda_notifyd_directory_stale, COUNTER, "",                                                 \
        "Events that had to be tried again because the directory had changed.",                    \
        s->counters->stale)                                                                        \
    ONE(arda_notifyd_retries, COUNTER, "",                                                         \
        "Events that had to be tried again because Redis was away or could not serve them.",       \
        s->counters->retries)                                                                      \
    ONE(arda_notifyd_entries_taken_over, COUNTER, "",                                              \
        "Entries that were taken over from a daemon that died.", s->counters->taken_over)          \
    ONE(arda_notifyd_gaps, COUNTER, "",                                                            \
        "Times that entries had been trimmed from a stream too early.", s->counters->gaps)         \
    SOME(arda_notifyd_entries_missed, COUNTER, "",                                                 \
         "Entries in these gaps, as far as is known: before they were read, or before they were "  \
         "handled.",                                                                               \
         2, "state", i ? "read" : "unread", i ? s->counters->gone : s->counters->missed)           \
    ONE(arda_notifyd_dead_letters, COUNTER, "",                                                    \
        "Entries that were put among the dead letters, and events that were refused.",             \
        s->counters->dead_letters)                                                                 \
    ONE(arda_notifyd_events_in_work, GAUGE, "", "Events that are being processed.",                \
        s->nd->work_count)                                                                         \
    ONE(arda_notifyd_events_heard, GAUGE, "",                                                      \
        "Events of the channel that are looked for in the streams.", s->nd->channel.heard_count)   \
    ONE(arda_notifyd_lag_seconds, GAUGE, "seconds",                                                \
        "Age of the oldest event that is being processed.", s->lag_s)                              \
    ONE(arda_notifyd_tenants, GAUGE, "", "Tenants that are known.", s->nd->tenants.count)          \
    ONE(arda_notifyd_other_daemons, GAUGE, "", "Other daemons that are alive.",                    \
        s->nd->intake.others)                                                                      \
    SOME(arda_notifyd_webhook_attempts, COUNTER, "",                                               \
         "Webhooks that were attempted or given up, by outcome.", ARDA_OUTCOMES, "outcome",        \
         arda_outcome_name((enum arda_outcome)i), s->deliver.outcomes[ARDA_NOTIFY_WEBHOOK][i])     \
    SOME(arda_notifyd_email_attempts, COUNTER, "",                                                 \
         "E-mails that were attempted or given up, by outcome.", ARDA_OUTCOMES, "outcome",         \
         arda_outcome_name((enum arda_outcome)i), s->deliver.outcomes[ARDA_NOTIFY_EMAIL][i])       \
    ONE(arda_notifyd_emails_held, COUNTER, "", "E-mails that were put off, or into a digest.",     \
        s->deliver.held)                                                                           \
    SOME(arda_notifyd_relay_up, GAUGE, "",                                                         \
         "1 while the relay for e-mails works, 0 after it has failed; absent without one.",        \
         s->deliver.relay < 0 ? 0 : 1, NULL, NULL, s->deliver.relay)                               \
    ONE(arda_notifyd_results_late, COUNTER, "",                                                    \
        "Attempts that ended after another daemon had taken over the delivery.", s->deliver.late)  \
    ONE(arda_notifyd_deliveries_taken_over, COUNTER, "",                                           \
        "Deliveries that were taken over from a daemon that did not finish them in time.",         \
        s->deliver.taken_over)                                                                     \
    ONE(arda_notifyd_webhooks_disabled, COUNTER, "", "Webhooks that were disabled here.",          \
        s->deliver.disabled)                                                                       \
    SOME(arda_notifyd_deliveries_in_flight, GAUGE, "", "Attempts that are under way, by channel.", \
         2, "channel", i ? "webhook" : "email", s->deliver.under_way[ARDA_NOTIFY_EMAIL + i])       \
    ONE(arda_notifyd_deliveries_pending, GAUGE, "",                                                \
        "Deliveries that have not ended, of all daemons.", s->deliver.counts.pending)              \
    SOME(arda_notifyd_deliveries_unattended, GAUGE, "",                                            \
         "Deliveries that are due and that no daemon takes, by channel.", 2, "channel",            \
         i ? "webhook" : "email", s->deliver.counts.unattended[ARDA_NOTIFY_EMAIL + i].due)         \
    ONE(arda_notifyd_delivery_age_seconds, GAUGE, "seconds",                                       \
        "How long the oldest due delivery has been due.", s->delivery_age_s)                       \
    ONE(arda_notifyd_circuits_open, GAUGE, "",                                                     \
        "Webhooks that are left alone for a while, since they have failed.",                       \
        s->deliver.counts.circuits)                                                                \
    ONE(arda_notifyd_print_queue_bytes, GAUGE, "bytes", "What waits on standard output.",          \
        print_waiting(s->nd))                                                                      \
    ONE(arda_notifyd_redis_up, GAUGE, "", "1 while both connections to Redis stand, else 0.",      \
        arda_bus_is_up(s->nd->bus))                                                                \
    ONE(arda_notifyd_redis_reconnects, COUNTER, "",                                                \
        "Connections to Redis that were lost and had to be made again.", s->bus.reconnects)        \
    ONE(process_start_time_seconds, GAUGE, "seconds", "When the daemon was started, since 1970.",  \
        (double)s->nd->started_ms / 1000)                                                          \
    ONE(process_resident_memory_bytes, GAUGE, "bytes", "Memory that the process occupies.",        \
        s->process.resident_bytes)                                                                 \
    ONE(process_open_fds, GAUGE, "", "Descriptors that are open.", s->process.open_fds)            \
    ONE(process_max_fds, GAUGE, "", "Descriptors that may be open.", s->process.max_fds)

#endif

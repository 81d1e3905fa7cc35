/* SPDX-License-Identifier: ISC */
#ifndef ARDA_NOTIFYD_OPTIONS_H
#define ARDA_NOTIFYD_OPTIONS_H

#include "arda/delivery/retry_schedule.h"
#include "base/opt_common.h"

#define NOTIFYD_DELIVERY_OPTIONS(OPT)                                                              \
    OPT(no_deliver, 0, "no-deliver", FLAG, NULL, NULL, NULL, NULL,                                 \
        "leave the deliveries by e-mail and webhook to other daemons")                             \
    OPT(deliveries_in_flight, 0, "deliveries-in-flight", INT, "N", NULL, "256", "1..1000",         \
        "deliveries that are under way at a time")                                                 \
    OPT(per_endpoint, 0, "per-endpoint", INT, "N", NULL, "16", "1..1000",                          \
        "of these, how many to one tenant's endpoint, or e-mails of one tenant")                   \
    OPT(retry_schedule, 0, "retry-schedule", TEXT, "TIME[,TIME...]", NULL, ARDA_RETRY_DEFAULT,     \
        NULL, "pauses before the attempts of a delivery")                                          \
    OPT(retain_deliveries, 0, "retain-deliveries", DURATION, "TIME", BASE_OPT_NO_ENV, "180d",      \
        NULL, "how long deliveries that have ended are kept; 0: for ever")                         \
    OPT(webhook_allow, 0, "webhook-allow", LIST, "CIDR[,CIDR...]", NULL, NULL, NULL,               \
        "addresses of your own network that webhooks may be sent to after all")                    \
    OPT(webhook_ca, 0, "webhook-ca", TEXT, "FILE", NULL, NULL, NULL,                               \
        "PEM file of authorities that receivers of webhooks may be certified by, too")             \
    OPT(webhook_proxy, 0, "webhook-proxy", TEXT, "URL", NULL, NULL, NULL,                          \
        "proxy for webhooks, as http://[user:pass@]host:port")                                     \
    OPT(webhook_timeout, 0, "webhook-timeout", DURATION, "TIME", NULL, "15s", NULL,                \
        "how long an attempt by webhook may take")

#define NOTIFYD_MAIL_OPTIONS(OPT)                                                                  \
    OPT(smtp, 0, "smtp", TEXT, "URL", "SMTP_URL", NULL, NULL,                                      \
        "relay for e-mails, as smtp[s]://[user:pass@]host[:port]; without it none are sent")       \
    OPT(smtp_tls, 0, "smtp-tls", CHOICE, "WHEN", NULL, "required", "required|optional",            \
        "whether the relay has to offer STARTTLS; one on this computer never has to")              \
    OPT(smtp_ca, 0, "smtp-ca", TEXT, "FILE", NULL, NULL, NULL,                                     \
        "PEM file of those that may have signed the relay's certificate")                          \
    OPT(smtp_timeout, 0, "smtp-timeout", DURATION, "TIME", NULL, "25s", NULL,                      \
        "how long an attempt by e-mail may take")                                                  \
    OPT(smtp_connections, 0, "smtp-connections", INT, "N", NULL, "8", "1..100",                    \
        "connections to the relay at most")                                                        \
    OPT(mail_from, 0, "mail-from", TEXT, "ADDRESS", "EMAIL_FROM", NULL, NULL,                      \
        "sender of e-mails, also as `NAME <ADDRESS>'; else arda@ and the name of the computer")    \
    OPT(templates, 0, "templates", TEXT, "DIR", NULL, NULL, NULL,                                  \
        "folder with texts of e-mails in place of those that are built in")                        \
    OPT(public_url, 0, "public-url", TEXT, "URL", NULL, NULL, NULL,                                \
        "where links in e-mails lead; else the origin of APP_URL")                                 \
    OPT(unsubscribe_secret_file, 0, "unsubscribe-secret-file", TEXT, "FILE", BASE_OPT_SHARED,      \
        NULL, NULL,                                                                                \
        "file with the secret of the links in e-mails; else UNSUBSCRIBE_TOKEN_SECRET is taken")

#define NOTIFYD_RETAIN "10000" /* the COUNT of --retain where none is given */

#define NOTIFYD_OPTIONS(OPT)                                                                       \
    OPT(since, 's', "since", TEXT, "WHEN", NULL, NULL, NULL,                                       \
        "begin there in streams that nobody has read: start, a time, -10m, a stream id")           \
    OPT(retain, 0, "retain", TEXT, "[AGE][,COUNT]", BASE_OPT_NO_ENV, NOTIFYD_RETAIN, NULL,         \
        "keep no older notifications, and no more of each user; a COUNT of none: any number")      \
    OPT(print, 'p', "print", FLAG, NULL, NULL, NULL, NULL,                                         \
        "write each new notification to standard output, a JSON object a line")                    \
    OPT(dry_run, 'n', "dry-run", FLAG, NULL, NULL, NULL, NULL,                                     \
        "write nothing to Redis; print what would become of each event")                           \
    OPT(explain, 0, "explain", FLAG, NULL, BASE_OPT_NO_ENV, NULL, NULL,                            \
        "print what would become of the events of standard input, and why")                        \
    OPT(redrive, 0, "redrive", FLAG, NULL, BASE_OPT_NO_ENV, NULL, NULL,                            \
        "process dead letters again, all or those that are named, and exit")                       \
    OPT(rules, 0, "rules", FLAG, NULL, BASE_OPT_NO_ENV, NULL, NULL,                                \
        "print which event becomes which notification, and end")                                   \
    OPT(json, 0, "json", FLAG, NULL, NULL, NULL, NULL, "with --rules: a JSON object a line")       \
    OPT(admin, 0, "admin", TEXT, "[ADDR]:PORT", NULL, NULL, NULL,                                  \
        "where to serve /metrics, /healthz and /readyz; without it, nowhere")                      \
    OPT(admin_host, 0, "admin-host", LIST, "NAME", NULL, NULL, NULL,                               \
        "names by which they may be asked for on a loopback address, besides localhost")           \
    OPT(drain, 0, "drain", DURATION, "TIME", NULL, "5s", NULL,                                     \
        "how long events and deliveries that are under way may take at the end")                   \
    NOTIFYD_DELIVERY_OPTIONS(OPT)                                                                  \
    NOTIFYD_MAIL_OPTIONS(OPT)                                                                      \
    BASE_OPT_COMMON_REDIS(OPT)                                                                     \
    BASE_OPT_COMMON_LOG(OPT)

#endif

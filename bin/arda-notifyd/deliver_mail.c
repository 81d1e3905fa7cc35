/* SPDX-License-Identifier: ISC */
#include "notifyd.h"

int deliver_mail_init(struct notifyd *nd, struct base_why *why)
{
    (void)nd;
    (void)why;
    return BASE_OK;
}

int deliver_mail_begin(struct deliver_job *job)
{
    const struct deliver_result result = {.outcome = DELIVER_FAILED,
                                          .text = "no SMTP_URL: e-mails cannot be sent"};
    deliver_done_soon(job, &result);
    return BASE_OK;
}

void deliver_mail_cancel(struct deliver_job *job)
{
    (void)job;
}

void deliver_mail_close(struct notifyd *nd)
{
    (void)nd;
}

void deliver_mail_fini(struct notifyd *nd)
{
    (void)nd;
}

/* SPDX-License-Identifier: ISC */
#include "app/outbox.h"

#include "base/err.h"
#include "lib/loop.h"

/* What `send` says, one after the other; the last one for all that follow. */
static int answers[8];
static int sent, changes, impatient;
static struct app_outbox *outbox;
static struct app_outbox_item *last;

static int on_send(void *data, struct app_outbox_item *item)
{
    (void)data;
    last = item;
    int answer = answers[sent < 7 ? sent : 7];
    sent++;
    return answer;
}

static void on_fini(struct app_outbox_item *item)
{
    (void)item;
}

static void on_change(void *data)
{
    (void)data;
    changes++;
}

static void on_impatient(void *data)
{
    (void)data;
    impatient++;
}

static void begin(int first)
{
    const struct app_outbox_options options = {.item_size = sizeof(struct app_outbox_item),
                                               .patience_ms = 60000,
                                               .send = on_send,
                                               .fini = on_fini,
                                               .on_change = on_change,
                                               .on_impatient = on_impatient};
    sent = changes = impatient = 0;
    memset(answers, 0, sizeof answers);
    answers[0] = first;
    test_loop_init();
    outbox = app_outbox_new(&test_loop, &options);
}

static void end(void)
{
    app_outbox_end(outbox);
    test_loop_fini();
    app_outbox_free(outbox);
}

static struct app_outbox_item *add(void)
{
    struct app_outbox_item *item = app_outbox_blank(outbox);
    app_outbox_add(outbox, item);
    return item;
}

static void what_can_never_be_sent_is_refused(void)
{
    begin(BASE_ERR_INVALID);
    add();
    struct app_outbox_item *good = add();
    CHECK_INT(changes, 0); /* not while its caller may add more */
    CHECK_INT(app_outbox_held(outbox), 2);
    RUN_UNTIL(changes == 1);
    CHECK_INT(app_outbox_refusal(outbox), BASE_ERR_INVALID);
    CHECK_INT(sent, 2);
    CHECK_INT(app_outbox_held(outbox), 1);
    app_outbox_answer(good, BASE_OK, NULL);
    CHECK_INT(app_outbox_held(outbox), 0);
    end();
}

static void want_of_memory_passes(void)
{
    begin(BASE_ERR_NOMEM);
    add();
    RUN_UNTIL(sent == 2);
    app_outbox_answer(last, BASE_OK, NULL);
    CHECK_INT(changes, 1);
    CHECK_INT(app_outbox_refusal(outbox), 0);
    end();
}

/* As a request that goes on with another one, which cannot be sent. */
static void what_follows_an_answer_is_tried_again_or_refused(void)
{
    begin(BASE_OK);
    struct app_outbox_item *item = add();
    app_outbox_unsent(item, BASE_ERR_NOMEM);
    RUN_UNTIL(sent == 2);
    app_outbox_unsent(item, BASE_ERR_UNAVAILABLE);
    app_outbox_on_state(outbox, true);
    CHECK_INT(sent, 3);
    app_outbox_unsent(item, BASE_ERR_LIMIT);
    RUN_UNTIL(changes == 1);
    CHECK_INT(app_outbox_refusal(outbox), BASE_ERR_LIMIT);
    CHECK_INT(app_outbox_held(outbox), 0);
    end();
}

static void an_end_before_the_refusal_leaves_it_unconfirmed(void)
{
    begin(BASE_ERR_INVALID);
    add();
    app_outbox_end(outbox);
    CHECK_INT(app_outbox_held(outbox), 1);
    CHECK_INT(app_outbox_report(outbox), 1);
    test_loop_fini();
    app_outbox_free(outbox);
    CHECK_INT(changes, 0);
}

int main(void)
{
    RUN(what_can_never_be_sent_is_refused);
    RUN(want_of_memory_passes);
    RUN(what_follows_an_answer_is_tried_again_or_refused);
    RUN(an_end_before_the_refusal_leaves_it_unconfirmed);
    return test_end();
}

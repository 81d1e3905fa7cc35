/* SPDX-License-Identifier: ISC
 *
 * Each notification of a digest is read like one of its own and becomes an item; all are of one
 * person.
 */
#include "deliver/mail.h"

#include "base/mem.h"

/* What its items are made of; `values` borrow from `inputs`. */
struct parts {
    struct deliver_mail_input *inputs;
    struct arda_mail_digest_item *items;
    size_t count;
};

static int read_items(const struct deliver_mail_state *mail, const struct arda_delivery *delivery,
                      const struct deliver_mail_input *person, struct parts *parts)
{
    for (size_t i = 0; i < delivery->item_count; i++) {
        struct base_why why = {BASE_OK, ""};
        struct deliver_mail_input *input = &parts->inputs[i];
        int failed = deliver_mail_input_add_row(mail, delivery, delivery->items[i], input, &why);
        if (failed == BASE_ERR_NOMEM)
            return failed;
        if (failed)
            continue;
        struct arda_mail_digest_item *item = &parts->items[parts->count++];
        item->type = input->type;
        item->values = deliver_mail_input_values(delivery, input);
        item->values.of[ARDA_MAIL_USER_NAME] =
            (struct base_slice){person->user_name.data, person->user_name.len};
    }
    return BASE_OK;
}

/* The first row is that of `input`, so there is one item at least. */
int deliver_mail_digest_write(const struct deliver_mail_state *mail,
                              const struct arda_delivery *delivery,
                              struct deliver_mail_input *input, struct arda_mail_content *content)
{
    size_t room = delivery->item_count;
    struct parts parts = {
        .inputs = base_calloc(room, sizeof *parts.inputs),
        .items = base_calloc(room, sizeof *parts.items),
    };
    int failed =
        parts.inputs && parts.items ? read_items(mail, delivery, input, &parts) : BASE_ERR_NOMEM;
    if (!failed)
        failed = arda_mail_digests_write(mail->digests, parts.items, parts.count, content);
    if (!failed && arda_mail_digest_link(parts.items, parts.count).len == 0)
        input->unsubscribe_url.len = 0;
    for (size_t i = 0; parts.inputs && i < room; i++)
        deliver_mail_input_fini(&parts.inputs[i]);
    base_free(parts.inputs);
    base_free(parts.items);
    return failed;
}

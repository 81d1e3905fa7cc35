/* SPDX-License-Identifier: ISC
 *
 * The row says what happened, the directory's entry to whom it goes, the key what the link to
 * unsubscribe is. What is missing is left empty, and the template leaves out its line.
 */
#include "deliver/mail.h"

#include "arda/mail/address.h"
#include "arda/mail/link.h"
#include "arda/notify/unsubscribe.h"
#include "base/clock.h"
#include "base/json.h"

#include <string.h>

static struct base_slice slice_of(const struct base_buf *buf)
{
    return (struct base_slice){buf->data, buf->len};
}

static int no_memory(struct base_why *why)
{
    return base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
}

/* Nothing for what is no string, or has no UTF-8. */
static int add_string(struct base_buf *out, const struct base_json_value *value)
{
    int failed = value->kind == BASE_JSON_STRING ? base_json_unescape(value, out) : BASE_OK;
    return failed == BASE_ERR_NOMEM ? failed : BASE_OK;
}

/* ---- to whom ---- */

static int read_address(const struct base_json_value *value, struct base_buf *wire,
                        struct base_why *why)
{
    struct base_buf text = BASE_BUF_INIT;
    int failed = add_string(&text, value);
    if (failed)
        failed = no_memory(why);
    else if (text.len == 0)
        failed = base_why_set(why, BASE_ERR_INVALID, "the user has no e-mail address");
    else if ((failed = arda_mail_address_wire(slice_of(&text), wire, why)) == BASE_ERR_INVALID)
        base_why_prefix(why, "the user's e-mail address");
    base_buf_fini(&text);
    return failed;
}

static int read_person(const struct arda_delivery *delivery, struct deliver_mail_input *input,
                       struct base_why *why)
{
    struct base_json_member members[] = {BASE_JSON_WANT("email"), BASE_JSON_WANT("name"),
                                         BASE_JSON_WANT("active")};
    struct base_slice person = delivery->person;
    if (person.len == 0)
        return base_why_set(why, BASE_ERR_INVALID, "the directory has no such user");
    if (base_json_pick(person.data, person.len, members, 3, NULL, NULL) < 0)
        return base_why_set(why, BASE_ERR_INVALID,
                            "the user's entry in the directory is malformed");
    if (members[2].value.kind != BASE_JSON_TRUE)
        return base_why_set(why, BASE_ERR_INVALID, "the user is not active");
    if (add_string(&input->user_name, &members[1].value) < 0)
        return no_memory(why);
    return read_address(&members[0].value, &input->address, why);
}

/* ---- about what ---- */

#define TYPE_BYTES 64 /* no type has a longer name */

static int read_row(const struct deliver_mail_state *mail, struct base_slice row,
                    struct deliver_mail_input *input, struct base_why *why)
{
    struct base_json_member members[] = {BASE_JSON_WANT("title"), BASE_JSON_WANT("body"),
                                         BASE_JSON_WANT("actionUrl"), BASE_JSON_WANT("type")};
    char type[TYPE_BYTES];
    struct base_buf url = BASE_BUF_INIT;
    if (base_json_pick(row.data, row.len, members, 4, NULL, NULL) < 0)
        return base_why_set(why, BASE_ERR_INVALID, "the record of the notification is malformed");
    ssize_t type_len = base_json_copy(&members[3].value, type, sizeof type);
    if (type_len > 0)
        (void)arda_notify_type_find(type, (size_t)type_len, &input->type);
    int failed = add_string(&input->title, &members[0].value);
    if (!failed)
        failed = add_string(&input->body, &members[1].value);
    if (!failed)
        failed = add_string(&url, &members[2].value);
    if (!failed)
        failed =
            arda_mail_link_add(&input->action_url, slice_of(&mail->public_url), slice_of(&url));
    base_buf_fini(&url);
    return failed ? no_memory(why) : BASE_OK;
}

/* Nothing without a key, or where the page is not known. */
static int add_unsubscribe(const struct deliver_mail_state *mail,
                           const struct arda_delivery *delivery, struct deliver_mail_input *input)
{
    struct arda_unsubscribe what = {.type = input->type, .channel = ARDA_NOTIFY_EMAIL};
    if (!mail->unsubscribe || mail->public_url.len == 0)
        return BASE_OK;
    memcpy(what.tenant, delivery->tenant, sizeof what.tenant);
    memcpy(what.user, delivery->user, sizeof what.user);
    int failed = base_buf_printf(&input->unsubscribe_url,
                                 "%.*s/notifications/unsubscribe?token=", (int)mail->public_url.len,
                                 mail->public_url.data);
    if (!failed)
        failed = arda_unsubscribe_mint(mail->unsubscribe, &what, base_clock_wall_ms(),
                                       &input->unsubscribe_url);
    return failed;
}

int deliver_mail_input_add_row(const struct deliver_mail_state *mail,
                               const struct arda_delivery *delivery, struct base_slice row,
                               struct deliver_mail_input *input, struct base_why *why)
{
    input->type = delivery->type;
    int failed = read_row(mail, row, input, why);
    if (!failed && add_unsubscribe(mail, delivery, input) < 0)
        failed = no_memory(why);
    return failed;
}

int deliver_mail_input_read(const struct deliver_mail_state *mail,
                            const struct arda_delivery *delivery, struct deliver_mail_input *input,
                            struct base_why *why)
{
    struct base_slice row = delivery->item_count > 0 ? delivery->items[0] : delivery->notification;
    int failed = read_person(delivery, input, why);
    if (!failed)
        failed = deliver_mail_input_add_row(mail, delivery, row, input, why);
    return failed;
}

void deliver_mail_input_fini(struct deliver_mail_input *input)
{
    base_buf_fini(&input->address);
    base_buf_fini(&input->user_name);
    base_buf_fini(&input->title);
    base_buf_fini(&input->body);
    base_buf_fini(&input->action_url);
    base_buf_fini(&input->unsubscribe_url);
}

/* ---- what it says ---- */

struct arda_mail_values deliver_mail_input_values(const struct arda_delivery *delivery,
                                                  const struct deliver_mail_input *input)
{
    const char *type = arda_notify_type_name(input->type);
    return (struct arda_mail_values){
        .of = {
            [ARDA_MAIL_TITLE] = slice_of(&input->title),
            [ARDA_MAIL_BODY] = slice_of(&input->body),
            [ARDA_MAIL_TYPE] = {type, strlen(type)},
            [ARDA_MAIL_ACTION_URL] = slice_of(&input->action_url),
            [ARDA_MAIL_TENANT_ID] = {delivery->tenant, strlen(delivery->tenant)},
            [ARDA_MAIL_USER_NAME] = slice_of(&input->user_name),
            [ARDA_MAIL_UNSUBSCRIBE_URL] = slice_of(&input->unsubscribe_url),
        }};
}

/* A digest of one notification is an e-mail about that one. */
int deliver_mail_content_write(const struct deliver_mail_state *mail,
                               const struct arda_delivery *delivery,
                               struct deliver_mail_input *input, struct arda_mail_content *content)
{
    if (delivery->item_count > 1)
        return deliver_mail_digest_write(mail, delivery, input, content);
    const struct arda_mail_values values = deliver_mail_input_values(delivery, input);
    return arda_mail_templates_write(mail->current, input->type, &values, content);
}

/* SPDX-License-Identifier: ISC
 *
 * Members are written one after the other; JSON of the server goes in as it came, on one line.
 */
#include "client/record.h"

#include "base/json.h"
#include "base/rfc3339.h"
#include "base/text.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <string.h>

struct base_slice client_event_args(const struct net_sio_packet *packet)
{
    const char *at = packet->name.text + packet->name.len;
    const char *end = packet->data.text + packet->data.len - 1; /* the bracket */
    while (at < end && *at != ',')
        at++;
    if (at < end)
        at++;
    return (struct base_slice){at, (size_t)(end - at)};
}

struct base_json_value client_event_first(const struct net_sio_packet *packet)
{
    struct base_json_iter iter;
    struct base_json_value value = {0};
    base_json_iter_init(&iter, &packet->data);
    if (base_json_iter_next(&iter, NULL, &value) && !base_json_iter_next(&iter, NULL, &value))
        value = (struct base_json_value){0};
    return value;
}

/* Others may have written it, in whatever encoding. */
static int add_text(struct base_buf *out, const char *key, const char *text)
{
    char plain[sizeof((struct base_why *)0)->text];
    size_t len = strlen(text);
    if (base_buf_printf(out, ",\"%s\":", key) < 0)
        return BASE_ERR_NOMEM;
    if (!base_utf8_valid(text, len) && len < sizeof plain) {
        for (size_t i = 0; i < len; i++)
            plain[i] = (text[i] & 0x80) ? '?' : text[i];
        text = plain;
    }
    return base_json_quote(out, text, len);
}

static int add_value(struct base_buf *out, const char *key, const struct base_json_value *value)
{
    if (value->kind == BASE_JSON_ABSENT)
        return BASE_OK;
    if (base_buf_printf(out, ",\"%s\":", key) < 0)
        return BASE_ERR_NOMEM;
    return base_text_flat(out, (struct base_slice){value->text, value->len});
}

/* ---- kinds ---- */

static int add_handshake(struct base_buf *out, const struct client_record *record)
{
    const struct client_open *open = record->open;
    if (add_text(out, "url", record->url) < 0 ||
        add_text(out, "transport", record->transport) < 0 || add_text(out, "sid", open->sid) < 0)
        return BASE_ERR_NOMEM;
    return base_buf_printf(out,
                           ",\"upgrades\":[%s],\"pingInterval\":%" PRId64
                           ",\"pingTimeout\":%" PRId64 ",\"maxPayload\":%" PRId64,
                           open->upgrade ? "\"websocket\"" : "", open->ping_interval_ms,
                           open->ping_timeout_ms, open->max_payload_bytes);
}

static int add_connect(struct base_buf *out, const struct client_record *record)
{
    struct base_json_member sid = BASE_JSON_WANT("sid");
    const struct base_json_value *data = &record->packet->data;
    if (base_json_pick(data->text, data->len, &sid, 1, NULL, NULL) < 0)
        return BASE_OK;
    return add_value(out, "sid", &sid.value);
}

static int add_event(struct base_buf *out, const struct client_record *record)
{
    const struct net_sio_packet *packet = record->packet;
    if (add_value(out, "name", &packet->name) < 0 || base_buf_add_text(out, ",\"args\":[") < 0 ||
        base_text_flat(out, record->args) < 0 || base_buf_add_byte(out, ']') < 0)
        return BASE_ERR_NOMEM;
    if (packet->has_ack && base_buf_printf(out, ",\"ack\":%" PRIu64, packet->ack) < 0)
        return BASE_ERR_NOMEM;
    if (packet->attachments && base_buf_printf(out, ",\"attachments\":%u", packet->attachments) < 0)
        return BASE_ERR_NOMEM;
    return BASE_OK;
}

static int add_end(struct base_buf *out, const struct client_record *record)
{
    const struct client_end *end = record->end;
    if (add_text(out, "reason", end->reason) < 0)
        return BASE_ERR_NOMEM;
    if (end->why.text[0] && add_text(out, "message", end->why.text) < 0)
        return BASE_ERR_NOMEM;
    if (end->http_status && base_buf_printf(out, ",\"status\":%d", end->http_status) < 0)
        return BASE_ERR_NOMEM;
    if (end->close_code && base_buf_printf(out, ",\"code\":%d", end->close_code) < 0)
        return BASE_ERR_NOMEM;
    return BASE_OK;
}

/* {"message":"Invalid token","data":…}, or the message alone. */
static int add_refusal(struct base_buf *out, const struct client_record *record)
{
    struct base_json_member wanted[] = {BASE_JSON_WANT("message"), BASE_JSON_WANT("data")};
    const struct base_json_value *data = &record->packet->data;
    if (data->kind == BASE_JSON_STRING)
        wanted[0].value = *data;
    else
        base_json_pick(data->text, data->len, wanted, 2, NULL, NULL);
    if (add_text(out, "reason", "refused") < 0 || add_value(out, "message", &wanted[0].value) < 0 ||
        add_value(out, "data", &wanted[1].value) < 0)
        return BASE_ERR_NOMEM;
    return BASE_OK;
}

static int add_error(struct base_buf *out, const struct client_record *record)
{
    return record->packet ? add_refusal(out, record) : add_end(out, record);
}

static int add_upgrade(struct base_buf *out, const struct client_record *record)
{
    return add_text(out, "transport", record->transport);
}

int client_record_write(struct base_buf *out, const struct client_record *record, int64_t at_ms)
{
    static const struct {
        const char *name;
        int (*add)(struct base_buf *out, const struct client_record *record);
    } kinds[] = {
        [CLIENT_RECORD_HANDSHAKE] = {"handshake", add_handshake},
        [CLIENT_RECORD_CONNECT] = {"connect", add_connect},
        [CLIENT_RECORD_EVENT] = {"event", add_event},
        [CLIENT_RECORD_UPGRADE] = {"upgrade", add_upgrade},
        [CLIENT_RECORD_DISCONNECT] = {"disconnect", add_end},
        [CLIENT_RECORD_ERROR] = {"error", add_error},
    };
    char at[BASE_RFC3339_LEN + 1];
    size_t before = out->len;
    base_rfc3339_format(at_ms, at);
    if (base_buf_printf(out, "{\"at\":\"%s\",\"kind\":\"%s\"", at, kinds[record->kind].name) < 0 ||
        kinds[record->kind].add(out, record) < 0 || base_buf_add_text(out, "}\n") < 0) {
        out->len = before;
        return BASE_ERR_NOMEM;
    }
    return BASE_OK;
}

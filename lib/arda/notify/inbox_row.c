/* SPDX-License-Identifier: ISC */
#include "arda/notify/inbox_row.h"

#include "base/err.h"
#include "base/json.h"
#include "base/utf8.h"

#include <string.h>

int arda_inbox_row_write(struct base_buf *out, struct base_slice stored, struct base_slice read_at)
{
    struct base_json_member body = BASE_JSON_WANT("body");
    size_t before = out->len;
    if (!base_utf8_valid(read_at.data, read_at.len) ||
        base_json_pick(stored.data, stored.len, &body, 1, NULL, NULL) < 0 ||
        body.value.kind == BASE_JSON_ABSENT || memchr(stored.data, '\n', stored.len))
        return BASE_ERR_SYNTAX;
    size_t first = (size_t)(body.value.text + body.value.len - stored.data);
    int failed = base_buf_add(out, stored.data, first);
    if (read_at.len > 0) {
        failed |= base_buf_add_text(out, ",\"isRead\":true,\"readAt\":");
        failed |= base_json_quote(out, read_at.data, read_at.len);
    } else {
        failed |= base_buf_add_text(out, ",\"isRead\":false,\"readAt\":null");
    }
    failed |= base_buf_add(out, stored.data + first, stored.len - first);
    if (failed)
        out->len = before;
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

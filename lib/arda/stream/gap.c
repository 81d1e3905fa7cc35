/* SPDX-License-Identifier: ISC */
#include "arda/gap.h"

#include "base/err.h"
#include "base/json.h"
#include "base/names.h"

#include <inttypes.h>

BASE_NAME_FUNCTION(arda_gap_name, enum arda_gap_cause, ARDA_GAP_MAP, BASE_NAME_SECOND, "unknown")

BASE_NAME_FUNCTION(arda_gap_text, enum arda_gap_cause, ARDA_GAP_MAP, BASE_NAME_THIRD, "unknown")

static int add_id(struct base_buf *out, const char *key, struct arda_stream_id id)
{
    char text[ARDA_STREAM_ID_LEN + 1];
    if (arda_stream_id_is_zero(id))
        return base_buf_printf(out, ",\"%s\":null", key);
    arda_stream_id_format(id, text);
    return base_buf_printf(out, ",\"%s\":\"%s\"", key, text);
}

int arda_gap_write(struct base_buf *out, const struct arda_gap *gap)
{
    size_t before = out->len;
    int failed = base_buf_add_text(out, "{\"gap\":{\"tenantId\":");
    failed |= gap->tenant.len ? base_json_quote(out, gap->tenant.data, gap->tenant.len)
                              : base_buf_add_text(out, "null");
    failed |= add_id(out, "from", gap->from);
    failed |= add_id(out, "to", gap->to);
    failed |= base_buf_printf(out, ",\"cause\":\"%s\",\"count\":", arda_gap_name(gap->cause));
    failed |= gap->count == ARDA_GAP_UNKNOWN ? base_buf_add_text(out, "null")
                                             : base_buf_printf(out, "%" PRIu64, gap->count);
    failed |= base_buf_add_text(out, "}}");
    if (failed)
        out->len = before;
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

/* SPDX-License-Identifier: ISC
 *
 * The options that an endpoint has by default, and the names and texts of why sessions end and
 * clients are refused.
 */
#include "net/options.h"

#include "base/names.h"

const struct net_endpoint net_endpoint_defaults = {
    .path = "/socket.io",
    .ping_interval_ms = 25000,
    .ping_timeout_ms = 20000,
    .connect_timeout_ms = 45000,
    .upgrade_timeout_ms = 10000,
    .max_payload_bytes = 1000000,
    .max_queue_bytes = 4u * 1024 * 1024,
};

BASE_NAME_FUNCTION(net_reason_name, enum net_reason, NET_REASON_MAP, BASE_NAME_SECOND, "unknown")

BASE_NAME_FUNCTION(net_reason_text, enum net_reason, NET_REASON_MAP, BASE_NAME_THIRD, "unknown")

BASE_NAME_FUNCTION(net_refusal_name, enum net_refusal, NET_REFUSAL_MAP, BASE_NAME_SECOND, "unknown")

BASE_NAME_FUNCTION(net_refusal_text, enum net_refusal, NET_REFUSAL_MAP, BASE_NAME_THIRD, "refused")

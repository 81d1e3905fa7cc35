/* SPDX-License-Identifier: ISC
 *
 * key_table: every key and channel of Redis that the programs use. C names keys by these codes
 * (keys.h), what scripts name is compared with this table (tests/lint/keys.sh), and arda-redis(5)
 * prints it.
 */
#ifndef ARDA_NAME_KEY_TABLE_H
#define ARDA_NAME_KEY_TABLE_H

/* Code; family, which follows the prefix; what follows the family; type; content; writers; readers;
 * lifetime. Programs without "arda-". */
#define ARDA_KEY_MAP(X)                                                                            \
    X(EVENTS, "events", "TENANT", "channel",                                                       \
      "events as they are published; TENANT is global for those of all tenants",                   \
      "publish, replay, notifyd, inbox", "gateway, subscribe, notifyd", "none")                    \
    X(STREAM, "stream", "TENANT", "stream",                                                        \
      "the tenant's log: fields envelope, type, source, timestamp; consumer group notifyd",        \
      "publish, replay", "subscribe, replay, notifyd",                                             \
      "trimmed to about 10,000 entries when one is added")                                         \
    X(DEDUPE, "dedupe", "TENANT:EVENT", "string",                                                  \
      "that an event was published, and the id of its entry", "publish, replay",                   \
      "publish, replay", "as --dedupe-for says")                                                   \
    X(RUN, "run", "RUN:CHUNK", "string",                                                           \
      "a bit for each of 65,536 events of a run that were published", "publish, replay",           \
      "publish, replay", "as --dedupe-for says, or until the run has been confirmed")              \
    X(GATEWAY, "gateway", "NUMBER", "string", "where other gateways reach this one", "gateway",    \
      "gateway", "30 seconds after the last refresh")                                              \
    X(TENANTS, "tenants", "", "set", "ids of tenants", "directory",                                \
      "directory, subscribe, notifyd, deliveries, inbox", "until removed")                         \
    X(SHADOWS, "shadows", "", "set", "ids of tenants that only a replay fills", "replay",          \
      "replay, notifyd, inbox, deliveries", "until removed")                                       \
    X(USERS, "users", "TENANT", "hash", "userId to a JSON object: email, name, active, timeZone",  \
      "directory", "directory, notifyd, deliveries, inbox", "until removed")                       \
    X(LOOPS, "loops", "TENANT", "set", "ids of loops", "directory", "directory, gateway",          \
      "until removed")                                                                             \
    X(PREFERENCES, "preferences", "TENANT", "hash",                                                \
      "userId or *, type of notification, channel, with colons between, to 0 or 1",                \
      "directory, gateway", "directory, notifyd, deliveries, inbox", "until removed")              \
    X(WEBHOOK, "webhook", "TENANT", "hash", "url, secret, previousSecret, enabled",                \
      "directory, notifyd", "directory, notifyd, deliveries, inbox", "until removed")              \
    X(DIGEST, "digest", "TENANT", "hash", "userId or * to the schedule of digests", "directory",   \
      "directory, notifyd, deliveries", "until removed")                                           \
    X(QUIET, "quiet", "TENANT", "hash", "userId or * to quiet hours", "directory",                 \
      "directory, notifyd, deliveries", "until removed")                                           \
    X(VERSION, "version", "TENANT", "string", "raised by each change of the tenant's directory",   \
      "directory, gateway, notifyd", "directory, notifyd, inbox, deliveries",                      \
      "until the tenant is removed")                                                               \
    X(CHANGED, "changed", "TENANT", "string", "that a step has changed something", "directory",    \
      "directory", "within one step")                                                              \
    X(FORMER, "former", "TENANT:FAMILY", "any", "what a step replaces", "directory", "directory",  \
      "within one step")                                                                           \
    X(NOTIFYD_START, "notifyd:start", "", "string",                                                \
      "from where streams are read that nobody has read", "notifyd", "notifyd", "for ever")        \
    X(NOTIFYD_DAEMONS, "notifyd:daemons", "", "sorted set",                                        \
      "daemons by the time of their last sign of life", "notifyd", "notifyd",                      \
      "an entry goes when its daemon has been gone for long")                                      \
    X(NOTIFYD_POSITIONS, "notifyd:positions", "", "hash",                                          \
      "tenant to how far its stream has been read", "notifyd", "notifyd", "for ever")              \
    X(NOTIFYD_DEAD, "notifyd:dead", "", "stream",                                                  \
      "entries that could not be processed, with the reason", "notifyd", "notifyd",                \
      "trimmed to about 10,000 entries when one is added")                                         \
    X(HANDLED, "handled", "TENANT:EVENT", "string", "that an event's notifications are made",      \
      "notifyd, inbox", "notifyd, deliveries", "some days")                                        \
    X(PROGRESS, "progress", "TENANT:EVENT", "string",                                              \
      "the last user for whom an event's notifications are made", "notifyd, inbox", "notifyd",     \
      "until the event is handled, or some days")                                                  \
    X(CAUSE, "cause", "TENANT:EVENT", "string", "text of an event that has deliveries",            \
      "notifyd, inbox", "notifyd, deliveries", "as long as deliveries may be redriven")            \
    X(INBOX, "inbox", "TENANT:USER", "sorted set", "ids of notifications by time",                 \
      "notifyd, inbox", "inbox", "trimmed as --retain says")                                       \
    X(UNREAD, "unread", "TENANT:USER", "sorted set", "ids of those that are not read",             \
      "notifyd, inbox", "inbox", "as inbox")                                                       \
    X(ROWS, "rows", "TENANT:USER", "hash",                                                         \
      "id to the notification as JSON; id.read to when it was read", "notifyd, inbox",             \
      "inbox, deliveries", "as inbox")                                                             \
    X(DELIVERIES, "deliveries", "TENANT", "sorted set", "ids of deliveries by time",               \
      "notifyd, inbox", "notifyd, deliveries", "as --retain-deliveries says")                      \
    X(DELIVERY, "delivery", "TENANT:ID", "hash", "the record of a delivery",                       \
      "notifyd, deliveries, inbox", "notifyd, deliveries", "as deliveries")                        \
    X(DUE, "due", "or TENANT:CHANNEL", "sorted set",                                               \
      "lanes by their first delivery; deliveries of a lane by when they are due",                  \
      "notifyd, deliveries, directory, inbox", "notifyd, deliveries", "until they have ended")     \
    X(DIGEST_ITEMS, "digest-items", "TENANT:ID", "sorted set", "notifications of a digest",        \
      "notifyd, deliveries", "notifyd, deliveries", "as its delivery")                             \
    X(DIGESTING, "digesting", "TENANT:USER:SCHEDULE", "string", "the open digest of a user",       \
      "notifyd, deliveries", "notifyd, deliveries", "until it is claimed")                         \
    X(ENDPOINT, "endpoint", "TENANT", "hash", "how the webhook does: failures, circuit, pauses",   \
      "notifyd, deliveries, directory", "notifyd, deliveries", "until it does well")               \
    X(DISABLED, "disabled", "", "hash", "tenant to when and why its webhook was disabled",         \
      "notifyd", "notifyd", "until its users have been notified")                                  \
    X(ATTENDED, "attended", "CHANNEL", "string", "that some daemon delivers by this channel",      \
      "notifyd", "notifyd, deliveries", "some seconds after the last sign")                        \
    X(LEFT, "left", "CHANNEL", "string", "why a daemon does not", "notifyd",                       \
      "notifyd, deliveries", "some seconds after the last sign")

enum arda_key_family {
#define ARDA_KEY_ENUM_(code, family, rest, type, content, writers, readers, lifetime)              \
    ARDA_KEY_##code,
    ARDA_KEY_MAP(ARDA_KEY_ENUM_)
#undef ARDA_KEY_ENUM_
        ARDA_KEY_FAMILIES
};

/* What each program asks of Redis besides the keys above: program and commands. What its
 * scripts call counts. */
#define ARDA_RIGHTS_ALL "client|setname role ping select multi exec eval evalsha script|load"
#define ARDA_RIGHTS_ONCE                                                                           \
    "publish xadd xdel get set del getbit setbit pexpire unlink client|id client|kill info"
#define ARDA_RIGHTS_STREAM "xrange xrevrange xinfo|stream time"
#define ARDA_RIGHTS_MAP(X)                                                                         \
    X("publish", ARDA_RIGHTS_ONCE)                                                                 \
    X("subscribe", "subscribe unsubscribe smembers sismember scan " ARDA_RIGHTS_STREAM)            \
    X("replay", "sismember sadd exists " ARDA_RIGHTS_ONCE " " ARDA_RIGHTS_STREAM)                  \
    X("gateway", "subscribe unsubscribe config|get sismember exists get set mget del unlink "      \
                 "hmget hset incr type")                                                           \
    X("notifyd",                                                                                   \
      "subscribe unsubscribe config|get publish smembers sismember scan exists type "              \
      "get set del mget incr time hget hset hdel hexists hgetall hincrby hmget zadd zcard "        \
      "zcount zrange zrangebyscore zrem zremrangebyscore zrevrange zrevrangebyscore zrevrank "     \
      "zscore xack xadd xclaim xdel xgroup|create xgroup|delconsumer xgroup|setid "                \
      "xinfo|stream xinfo|groups xinfo|consumers xpending xrange xreadgroup")                      \
    X("inbox", "publish exists sismember get set del mget hexists hgetall hget hset hdel hmget "   \
               "unlink zadd zcard zcount zmscore zrange zrangebyscore zrank zrem zrevrange "       \
               "zrevrangebyscore zscore")                                                          \
    X("directory", "smembers sismember sadd srem scard sdiff exists type rename unlink del get "   \
                   "set mget incr hget hgetall hdel hset hmget hlen zadd")                         \
    X("deliveries", "smembers sismember exists get set del mget time hget hset hdel hgetall "      \
                    "hincrby hmget zadd zcard zcount zrange zrangebyscore zrem zrevrange "         \
                    "zrevrangebyscore zrevrank zscore")

#endif

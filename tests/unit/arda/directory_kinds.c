/* SPDX-License-Identifier: ISC
 *
 * Lines of every kind: what they may have, how they are written, what is wrong with them.
 */
#include "arda/directory_line.h"

#include "base/mem.h"
#include "lib/test.h"

#include <unistd.h>

static struct arda_directory_line line;
static struct base_why why;

static int parse(const char *text)
{
    why = (struct base_why){0, ""};
    return arda_directory_line_parse(text, strlen(text), &line, &why);
}

/* `want` NULL: the text is canonical already. */
static void becomes(const char *text, const char *want, const char *id)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(parse(text), 0);
    CHECK_STR(why.text, "");
    CHECK_INT(arda_directory_line_write(&out, &line), 0);
    CHECK_BYTES(out.data, out.len, want ? want : text);
    CHECK_STR(line.id, id);
    base_buf_fini(&out);
}

static void refuses(const char *text, const char *reason)
{
    CHECK_INT(parse(text), BASE_ERR_SYNTAX);
    CHECK_STR(why.text, reason);
}

#define OF(kind) "{\"kind\":\"" kind "\",\"tenantId\":\"t1\""
#define TYPES                                                                                      \
    "card_triggered, po_created, po_sent, po_received, stockout_warning, "                         \
    "relowisa_recommendation, exception_alert, wo_status_change, transfer_status_change, "         \
    "system_alert"
#define SECRET "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"

/* ---- each kind ---- */

static void tenants_have_nothing_else(void)
{
    becomes(OF("tenant") "}", NULL, "");
    CHECK_INT(line.value.len, 0);
    refuses(OF("tenant") ",\"name\":\"x\"}", "name: unknown member of a tenant");
    refuses("{\"kind\":\"tenant\"}", "tenantId: missing");
}

#define PREFERENCE OF("preference")

static void preferences_are_of_a_user_or_of_all(void)
{
    becomes(PREFERENCE ",\"userId\":\"u1\",\"notificationType\":\"po_created\","
                       "\"channel\":\"email\",\"enabled\":false}",
            NULL, "u1:po_created:email");
    becomes("{\"enabled\":true,\"channel\":\"in_app\",\"notificationType\":\"system_alert\","
            "\"userId\":null,\"tenantId\":\"t1\",\"kind\":\"preference\"}",
            PREFERENCE ",\"userId\":null,\"notificationType\":\"system_alert\","
                       "\"channel\":\"in_app\",\"enabled\":true}",
            "*:system_alert:in_app");
    becomes(PREFERENCE ",\"userId\":\"u1\",\"notificationType\":\"po_sent\","
                       "\"channel\":\"webhook\",\"enabled\":true}",
            NULL, "u1:po_sent:webhook");
}

static void preferences_name_what_is_known(void)
{
#define REST ",\"channel\":\"email\",\"enabled\":true}"
    refuses(PREFERENCE ",\"userId\":\"u1\",\"notificationType\":\"po\"" REST,
            "notificationType: \"po\" is not one of " TYPES);
    refuses(PREFERENCE ",\"userId\":\"u1\",\"notificationType\":\"po_created|po_sent\"" REST,
            "notificationType: \"po_created|po_sent\" is not one of " TYPES);
    refuses(PREFERENCE ",\"userId\":\"u1\",\"notificationType\":null" REST,
            "notificationType: null is not one of " TYPES);
    refuses(PREFERENCE ",\"userId\":\"u1\",\"notificationType\":\"\"" REST,
            "notificationType: \"\" is not one of " TYPES);
    refuses(PREFERENCE ",\"notificationType\":\"po_sent\"" REST, "userId: missing");
    refuses(PREFERENCE ",\"userId\":\"*\",\"notificationType\":\"po_sent\"" REST,
            "userId: expected an id or null, got \"*\"");
    refuses(PREFERENCE ",\"userId\":\"u1\"" REST, "notificationType: missing");
#undef REST
#define BEGIN PREFERENCE ",\"userId\":\"u1\",\"notificationType\":\"po_sent\""
    refuses(BEGIN ",\"enabled\":true}", "channel: missing");
    refuses(BEGIN ",\"channel\":\"sms\",\"enabled\":true}",
            "channel: \"sms\" is not one of in_app, email, webhook");
    refuses(BEGIN ",\"channel\":\"email\"}", "enabled: missing");
    refuses(BEGIN ",\"channel\":\"email\",\"enabled\":1}",
            "enabled: expected true or false, got 1");
    refuses(BEGIN ",\"channel\":\"email\",\"enabled\":true,\"note\":1}",
            "note: unknown member of a preference");
#undef BEGIN
}

#define WEBHOOK OF("webhook")

static void webhooks_have_url_and_secret(void)
{
    becomes(WEBHOOK ",\"url\":\"https://a.example/h?x=1\",\"secret\":\"" SECRET
                    "\",\"enabled\":true}",
            NULL, "");
    becomes(WEBHOOK ",\"secret\":\"" SECRET "\",\"url\":\"http:\\/\\/a.example:8080\\/\"}",
            WEBHOOK ",\"url\":\"http://a.example:8080/\",\"secret\":\"" SECRET
                    "\",\"enabled\":true}",
            "");
    becomes(WEBHOOK ",\"url\":\"HTTP://[::1]/\",\"secret\":\"" SECRET "\",\"enabled\":false}", NULL,
            "");
    becomes(WEBHOOK ",\"url\":\"https://a.example/\",\"secret\":\"" SECRET
                    "\",\"previousSecret\":\"" SECRET "\",\"enabled\":true}",
            NULL, "");
    becomes(WEBHOOK ",\"url\":\"https://a.example/\",\"secret\":\"" SECRET
                    "\",\"previousSecret\":\"\"}",
            WEBHOOK ",\"url\":\"https://a.example/\",\"secret\":\"" SECRET "\",\"enabled\":true}",
            "");
    refuses(WEBHOOK ",\"url\":\"https://a.example/\",\"secret\":\"" SECRET
                    "\",\"previousSecret\":\"whsec_c2hvcnQ=\"}",
            "previousSecret: expected \"whsec_\" and the base64 of 24 to 64 bytes");
    refuses(WEBHOOK ",\"secret\":\"" SECRET "\"}", "url: missing");
    refuses(WEBHOOK ",\"url\":\"https://a.example\"}", "secret: missing");
    refuses(WEBHOOK ",\"url\":\"https://a.example\",\"secret\":\"" SECRET "\",\"events\":[]}",
            "events: unknown member of a webhook");
}

static void urls_are_of_http_and_hold_no_password(void)
{
    static const char *const bad[] = {
        "\"\"",
        "5",
        "null",
        "\"a.example\"",
        "\"ftp://a.example/\"",
        "\"file:///etc/passwd\"",
        "\"https://\"",
        "\"https:///x\"",
        "\"https://ann:secret@a.example/\"",
        "\"https://ann@a.example/\"",
        "\"https://a.example/#x\"",
        "\"https://a.example/a b\"",
        "\"https://a.example\\\\@b.example/\"",
        "\"https://a.example/\\u0000\"",
        "\"https://a.example/\\n\"",
        "\"https://\xc3\xa9.example/\"",
        "\"https://a.example:99999/\"",
    };
    char text[512];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, WEBHOOK ",\"url\":%s,\"secret\":\"" SECRET "\"}", bad[i]);
        refuses(text, "url: expected an http or https URL without user, password and fragment");
    }
    for (size_t len = 2048; len <= 2049; len++) {
        char url[2100] = "https://a.example/", whole[2400];
        memset(url + strlen(url), 'x', len - strlen(url));
        snprintf(whole, sizeof whole, WEBHOOK ",\"url\":\"%s\",\"secret\":\"" SECRET "\"}", url);
        CHECK_INT(parse(whole), len == 2048 ? 0 : BASE_ERR_SYNTAX);
    }
}

/* 23, 24, 64 and 65 bytes; and no message shows one. */
static void secrets_have_24_to_64_bytes(void)
{
    static const struct {
        const char *secret;
        int result;
    } cases[] = {
        {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", BASE_ERR_SYNTAX},
        {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0},
        {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", 0},
        {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", BASE_ERR_SYNTAX},
        {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
         "AAA==",
         0},
        {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
         "AAAA=",
         BASE_ERR_SYNTAX},
        {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", BASE_ERR_SYNTAX},
        {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!", BASE_ERR_SYNTAX},
        {"whsec_", BASE_ERR_SYNTAX},
        {"", BASE_ERR_SYNTAX},
    };
    char text[512];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text, WEBHOOK ",\"url\":\"https://a.example\",\"secret\":\"%s\"}",
                 cases[i].secret);
        CHECK_INT(parse(text), cases[i].result);
        if (cases[i].result)
            CHECK_STR(why.text, "secret: expected \"whsec_\" and the base64 of 24 to 64 bytes");
    }
}

static void secrets_are_masked_on_request(void)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(parse(WEBHOOK ",\"url\":\"https://a.example\",\"secret\":\"" SECRET
                            "\",\"previousSecret\":\"" SECRET "\"}"),
              0);
    CHECK_INT(arda_directory_line_write_masked(&out, &line), 0);
    CHECK_BYTES(out.data, out.len,
                WEBHOOK ",\"url\":\"https://a.example\",\"secret\":\"***\","
                        "\"previousSecret\":\"***\",\"enabled\":true}");
    CHECK_INT(parse(base_buf_cstr(&out)), BASE_ERR_SYNTAX);
    CHECK_STR(why.text, "secret: masked; a dump with --secrets has the secret");
    out.len = 0;
    CHECK_INT(parse(WEBHOOK ",\"url\":\"https://a.example\",\"secret\":\"" SECRET
                            "\",\"previousSecret\":\"\\u002a**\"}"),
              BASE_ERR_SYNTAX);
    CHECK_STR(why.text, "previousSecret: masked; a dump with --secrets has the secret");
    CHECK_INT(parse(WEBHOOK ",\"url\":\"https://a.example\",\"secret\":\"" SECRET "\"}"), 0);
    CHECK_INT(arda_directory_line_write_masked(&out, &line), 0);
    CHECK_BYTES(out.data, out.len,
                WEBHOOK ",\"url\":\"https://a.example\",\"secret\":\"***\",\"enabled\":true}");
    out.len = 0;
    CHECK_INT(parse(OF("user") ",\"userId\":\"u1\",\"secret\":1}"), 0);
    CHECK_INT(arda_directory_line_write_masked(&out, &line), 0);
    CHECK_BYTES(out.data, out.len, OF("user") ",\"userId\":\"u1\",\"active\":true,\"secret\":1}");
    base_buf_fini(&out);
}

#define DIGEST OF("digest")

static void digests_have_a_schedule(void)
{
    static const char *const bad[] = {"\"\"",
                                      "\"daily\"",
                                      "\"daily@\"",
                                      "\"daily@8:00\"",
                                      "\"daily@24:00\"",
                                      "\"daily@08:60\"",
                                      "\"daily@08:00 \"",
                                      "\"Hourly\"",
                                      "\"hourly\\u0000\"",
                                      "\"daily@0a:00\"",
                                      "\"daily@08.00\"",
                                      "8",
                                      "null"};
    char text[256], want[256];
    becomes(DIGEST ",\"userId\":\"u1\",\"notificationType\":\"po_sent\",\"schedule\":\"hourly\"}",
            NULL, "u1:po_sent");
    becomes(DIGEST ",\"userId\":null,\"notificationType\":null,\"schedule\":\"daily@23:59\"}", NULL,
            "*:*");
    becomes(
        DIGEST ",\"schedule\":\"d\\u0061ily@00:00\",\"notificationType\":null,\"userId\":\"u\"}",
        DIGEST ",\"userId\":\"u\",\"notificationType\":null,\"schedule\":\"daily@00:00\"}", "u:*");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text,
                 DIGEST ",\"userId\":null,\"notificationType\":null,\"schedule\":%s}", bad[i]);
        snprintf(want, sizeof want, "schedule: expected \"hourly\" or \"daily@HH:MM\", got %s",
                 bad[i]);
        refuses(text, want);
    }
    refuses(DIGEST ",\"userId\":null,\"notificationType\":null}", "schedule: missing");
    refuses(DIGEST ",\"userId\":null,\"schedule\":\"hourly\"}", "notificationType: missing");
    refuses(DIGEST ",\"userId\":null,\"notificationType\":\"x\",\"schedule\":\"hourly\"}",
            "notificationType: \"x\" is not null or one of " TYPES);
}

#define QUIET OF("quiet")

static void quiet_hours_have_two_times(void)
{
    becomes(QUIET ",\"userId\":\"u1\",\"from\":\"22:00\",\"to\":\"07:30\"}", NULL, "u1");
    becomes(QUIET ",\"userId\":null,\"from\":\"00:00\",\"to\":\"23:59\"}", NULL, "*");
    refuses(QUIET ",\"userId\":null,\"from\":\"22:00\",\"to\":\"22:00\"}", "to: the same as from");
    refuses(QUIET ",\"userId\":null,\"from\":\"22:00\"}", "to: missing");
    refuses(QUIET ",\"userId\":null,\"to\":\"22:00\"}", "from: missing");
    refuses(QUIET ",\"userId\":null,\"from\":\"24:00\",\"to\":\"22:00\"}",
            "from: expected a time such as \"22:00\", got \"24:00\"");
    refuses(QUIET ",\"userId\":null,\"from\":\"22:00\",\"to\":7}",
            "to: expected a time such as \"22:00\", got 7");
    refuses(QUIET ",\"userId\":null,\"from\":\"22:00\",\"to\":\"07:00\",\"days\":[]}",
            "days: unknown member of quiet hours");
}

/* ---- time zones ---- */

static int zone(const char *name)
{
    char text[256];
    snprintf(text, sizeof text, OF("user") ",\"userId\":\"u1\",\"timeZone\":\"%s\"}", name);
    return parse(text);
}

static void zones_have_a_form(void)
{
    static const char *const fine[] = {
        "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5",     "Etc/GMT-14", "UTC",
        "EST5EDT",       "America/Port-au-Prince",         "Nowhere/At_All"};
    static const char *const bad[] = {"",
                                      "/",
                                      "/etc/passwd",
                                      "../etc",
                                      "Europe/",
                                      "E//B",
                                      "Europe/../x",
                                      "Europe Berlin",
                                      "+5",
                                      "Europe/Berlin\\u0000",
                                      "Europe/Berlin\\n",
                                      "E.B"};
    setenv("TZDIR", "/nonexistent", 1);
    CHECK(!arda_directory_zones());
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        CHECK_INT(zone(fine[i]), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char want[128];
        snprintf(want, sizeof want,
                 "timeZone: expected a time zone such as \"Europe/Berlin\", got \"%s\"", bad[i]);
        CHECK_INT(zone(bad[i]), BASE_ERR_SYNTAX);
        CHECK_STR(why.text, want);
    }
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* What Redis has is taken as it is: another machine may know more zones. */
static void zones_are_looked_up_where_there_are_any(void)
{
    char folder[] = "/tmp/arda-zones-XXXXXX", path[64];
    const struct arda_directory_change active = {{"active", 6}, "false", false};
    const struct arda_directory_change moves = {{"timeZone", 8}, "Here/Not", false};
    CHECK(mkdtemp(folder) != NULL);
    setenv("TZDIR", folder, 1);
    CHECK_STR(arda_directory_zones(), folder);
    snprintf(path, sizeof path, "%s/Here", folder);
    write_file(path, "TZif2");
    CHECK_INT(zone("Here"), 0);
    CHECK_INT(zone("There"), BASE_ERR_SYNTAX);
    write_file(path, "# no zone");
    CHECK_INT(zone("Here"), BASE_ERR_SYNTAX);
    unlink(path);
    CHECK_INT(parse(OF("user") ",\"userId\":\"u1\"}"), 0);
    CHECK_INT(arda_directory_line_set_value(&line, "{\"timeZone\":\"There\"}", 20, &why), 0);
    CHECK_INT(arda_directory_line_change(&line, &active, 1, &why), 0);
    CHECK_INT(arda_directory_line_change(&line, &moves, 1, &why), BASE_ERR_SYNTAX);
    CHECK_BYTES(line.value.data, line.value.len, "{\"active\":false,\"timeZone\":\"There\"}");
    rmdir(folder);
    unsetenv("TZDIR");
}

/* ---- ids ---- */

static int set_id(enum arda_directory_kind kind, const char *text)
{
    line.kind = kind;
    why = (struct base_why){0, ""};
    return arda_directory_line_set_id(&line, text, strlen(text), &why);
}

static void ids_are_read_as_redis_has_them(void)
{
    static const struct {
        enum arda_directory_kind kind;
        const char *id, *reason;
    } cases[] = {
        {ARDA_DIRECTORY_TENANT, "", ""},
        {ARDA_DIRECTORY_TENANT, "x", "expected no id, got x"},
        {ARDA_DIRECTORY_WEBHOOK, "", ""},
        {ARDA_DIRECTORY_LOOP, "l1", ""},
        {ARDA_DIRECTORY_LOOP, "", "loopId: expected an id, got "},
        {ARDA_DIRECTORY_LOOP, "*", "loopId: expected an id, got *"},
        {ARDA_DIRECTORY_USER, "a:b", "expected userId, got a:b"},
        {ARDA_DIRECTORY_QUIET, "*", ""},
        {ARDA_DIRECTORY_QUIET, "u1", ""},
        {ARDA_DIRECTORY_QUIET, "**", "userId: expected an id or null, got **"},
        {ARDA_DIRECTORY_DIGEST, "*:*", ""},
        {ARDA_DIRECTORY_DIGEST, "u1:po_sent", ""},
        {ARDA_DIRECTORY_DIGEST, "u1", "expected userId:notificationType, got u1"},
        {ARDA_DIRECTORY_PREFERENCE, "u1:po_sent:email", ""},
        {ARDA_DIRECTORY_PREFERENCE, "u1:po_sent:email:x",
         "expected userId:notificationType:channel, got u1:po_sent:email:x"},
        {ARDA_DIRECTORY_PREFERENCE, "u1:*:email", "notificationType: * is not one of " TYPES},
        {ARDA_DIRECTORY_PREFERENCE, "u1:po_sent:*",
         "channel: * is not one of in_app, email, webhook"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_INT(set_id(cases[i].kind, cases[i].id), cases[i].reason[0] ? BASE_ERR_SYNTAX : 0);
        CHECK_STR(why.text, cases[i].reason);
        if (!cases[i].reason[0])
            CHECK_STR(line.id, cases[i].id);
    }
}

static void the_longest_id_fits(void)
{
    char id[65], text[256];
    memset(id, 'i', 64);
    id[64] = '\0';
    snprintf(text, sizeof text, "%s:relowisa_recommendation:webhook", id);
    CHECK_INT(set_id(ARDA_DIRECTORY_PREFERENCE, text), 0);
    CHECK_STR(line.id, text);
}

static void parts_and_members_are_found(void)
{
    struct base_slice part;
    CHECK_INT(parse(PREFERENCE ",\"userId\":null,\"notificationType\":\"po_sent\","
                               "\"channel\":\"email\",\"enabled\":true}"),
              0);
    CHECK(!arda_directory_line_part(&line, "userId", &part));
    CHECK(arda_directory_line_part(&line, "notificationType", &part));
    CHECK_BYTES(part.data, part.len, "po_sent");
    CHECK(arda_directory_line_part(&line, "channel", &part));
    CHECK_BYTES(part.data, part.len, "email");
    CHECK(!arda_directory_line_part(&line, "loopId", &part));
    CHECK_INT(arda_directory_line_member(&line, "enabled").kind, BASE_JSON_TRUE);
    CHECK_INT(arda_directory_line_member(&line, "url").kind, BASE_JSON_ABSENT);
    CHECK_INT(parse(OF("loop") ",\"loopId\":\"l\"}"), 0);
    CHECK_INT(arda_directory_line_member(&line, "enabled").kind, BASE_JSON_ABSENT);
}

/* ---- changes, errors, memory ---- */

static void members_that_need_each_other_are_set_together(void)
{
    const struct arda_directory_change both[] = {{{"from", 4}, "22:00", false},
                                                 {{"to", 2}, "06:00", false}};
    const struct arda_directory_change wrong = {{"to", 2}, "six", false};
    const struct arda_directory_change foreign = {{"userId", 6}, "u2", false};
    struct arda_directory_line fresh = {.kind = ARDA_DIRECTORY_QUIET};
    CHECK_INT(arda_directory_line_change(&fresh, both, 1, &why), BASE_ERR_SYNTAX);
    CHECK_STR(why.text, "to: missing");
    CHECK_INT(fresh.value.len, 0);
    CHECK_INT(arda_directory_line_change(&fresh, both, 2, &why), 0);
    CHECK_BYTES(fresh.value.data, fresh.value.len, "{\"from\":\"22:00\",\"to\":\"06:00\"}");
    CHECK_INT(arda_directory_line_change(&fresh, &wrong, 1, &why), BASE_ERR_SYNTAX);
    CHECK_STR(why.text, "to: expected a time such as \"22:00\", got \"six\"");
    CHECK_INT(arda_directory_line_change(&fresh, &foreign, 1, &why), BASE_ERR_SYNTAX);
    CHECK_STR(why.text, "userId: not to be set");
    CHECK_BYTES(fresh.value.data, fresh.value.len, "{\"from\":\"22:00\",\"to\":\"06:00\"}");
    arda_directory_line_fini(&fresh);
}

/* A load has to know whose line it was. */
static void a_wrong_line_still_names_its_tenant(void)
{
    CHECK_INT(parse(OF("nothing") "}"), BASE_ERR_SYNTAX);
    CHECK_STR(line.tenant, "t1");
    CHECK_INT(parse(OF("loop") "}"), BASE_ERR_SYNTAX);
    CHECK_STR(line.tenant, "t1");
    CHECK_INT(parse("{\"kind\":\"loop\",\"loopId\":\"x\"}"), BASE_ERR_SYNTAX);
    CHECK_STR(line.tenant, "");
    CHECK_INT(parse(OF("loop")), BASE_ERR_SYNTAX);
    CHECK_STR(line.tenant, "");
}

static void survives_every_failing_allocation(void)
{
    static const char *const lines[] = {
        OF("tenant") "}",
        PREFERENCE ",\"userId\":\"u1\",\"notificationType\":\"po_sent\",\"channel\":\"email\","
                   "\"enabled\":true}",
        WEBHOOK ",\"url\":\"https://a.example\",\"secret\":\"" SECRET "\",\"enabled\":true}",
        DIGEST ",\"userId\":null,\"notificationType\":null,\"schedule\":\"hourly\"}",
        QUIET ",\"userId\":null,\"from\":\"22:00\",\"to\":\"07:00\"}",
        OF("user") ",\"userId\":\"u1\",\"active\":true,\"timeZone\":\"UTC\"}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        int result = BASE_ERR_NOMEM;
        for (long n = 1; result && n < 200; n++) {
            struct arda_directory_line fresh = {0};
            struct base_buf out = BASE_BUF_INIT;
            base_mem_fail(n, 1);
            result = arda_directory_line_parse(lines[i], strlen(lines[i]), &fresh, &why);
            if (!result)
                result = arda_directory_line_write(&out, &fresh);
            base_mem_fail(0, 0);
            CHECK(result == 0 || result == BASE_ERR_NOMEM);
            if (!result)
                CHECK_BYTES(out.data, out.len, lines[i]);
            base_buf_fini(&out);
            arda_directory_line_fini(&fresh);
        }
        CHECK_INT(result, 0);
    }
}

int main(void)
{
    RUN(tenants_have_nothing_else);
    RUN(preferences_are_of_a_user_or_of_all);
    RUN(preferences_name_what_is_known);
    RUN(webhooks_have_url_and_secret);
    RUN(urls_are_of_http_and_hold_no_password);
    RUN(secrets_have_24_to_64_bytes);
    RUN(secrets_are_masked_on_request);
    RUN(digests_have_a_schedule);
    RUN(quiet_hours_have_two_times);
    RUN(zones_have_a_form);
    RUN(zones_are_looked_up_where_there_are_any);
    RUN(ids_are_read_as_redis_has_them);
    RUN(the_longest_id_fits);
    RUN(parts_and_members_are_found);
    RUN(members_that_need_each_other_are_set_together);
    RUN(a_wrong_line_still_names_its_tenant);
    RUN(survives_every_failing_allocation);
    arda_directory_line_fini(&line);
    return test_end();
}

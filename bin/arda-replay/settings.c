/* SPDX-License-Identifier: ISC
 *
 * What the options say together.
 */
#include "arda-replay/replay.h"

#include "base/clock.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

static int misuse(const char *text)
{
    base_log(BASE_LOG_ERROR, "%s", text);
    return BASE_EXIT_USAGE;
}

/* ---- values ---- */

/* Digits, perhaps with a point in them. */
static int take_number(const char *option, const char *text, double min, double max, double *out)
{
    char *end;
    *out = strtod(text, &end);
    bool is_plain = *text && strspn(text, "0123456789.") == strlen(text) && *end == '\0';
    if (is_plain && *out >= min && *out <= max)
        return BASE_EXIT_OK;
    base_log(BASE_LOG_ERROR, "--%s: expected %g to %.0f, got `%s'", option, min, max, text);
    return BASE_EXIT_USAGE;
}

static int take_numbers(const struct settings *settings, struct wishes *wishes)
{
    int failed = take_number("speed", settings->speed, 0.01, 1000, &wishes->speed);
    if (!failed && strcmp(settings->rate, "0") != 0)
        failed = take_number("rate", settings->rate, 0.001, 1000000, &wishes->rate);
    if (failed)
        return failed;
    if (wishes->rate > 0 && (settings->instant || wishes->speed != 1))
        return misuse("--rate goes with neither --speed nor --instant");
    if (settings->instant && wishes->speed != 1)
        return misuse("--instant and --speed exclude each other");
    if (settings->instant)
        wishes->speed = 0;
    return BASE_EXIT_OK;
}

static int take_position(const char *option, const char *text, struct arda_when *when)
{
    struct base_why why;
    if (arda_when_parse(text, base_clock_wall_ms(), when, &why) == 0)
        return BASE_EXIT_OK;
    base_log(BASE_LOG_ERROR, "--%s: %s", option, why.text);
    return BASE_EXIT_USAGE;
}

static int refuse_set(const char *text, const char *why)
{
    base_log(BASE_LOG_ERROR, "--set: %s, got `%s'", why, text);
    return BASE_EXIT_USAGE;
}

/* The text of the option is cut in two: the name ends where the sign was. */
static int take_set(const struct settings *settings, char *text, struct wishes *wishes)
{
    char *sign = strchr(text, '=');
    if (!sign || sign == text || !base_utf8_valid(text, strlen(text)))
        return refuse_set(text, "expected FIELD=VALUE in UTF-8");
    if (strncmp(text, "eventId=", 8) == 0)
        return refuse_set(text, "--run and --keep-ids decide on eventId");
    if (strncmp(text, "tenantId=", 9) == 0)
        return refuse_set(text, "--tenant sets tenantId");
    if (settings->retime && strncmp(text, "timestamp=", 10) == 0)
        return refuse_set(text, "--retime sets timestamp");
    if (wishes->set_count == ARDA_MEMBERS_MAX)
        return refuse_set(text, "expected 16 of them at most");
    struct base_slice value = {sign + 1, strlen(sign + 1)};
    *sign = '\0';
    wishes->sets[wishes->set_count++] =
        (struct arda_member){.key = text,
                             .value = value,
                             .literal = base_json_check(value.data, value.len, NULL, NULL) == 0,
                             .replace = true};
    return BASE_EXIT_OK;
}

static int take_sets(const struct settings *settings, struct wishes *wishes)
{
    int failed = BASE_EXIT_OK;
    for (size_t i = 0; i < settings->set.count && !failed; i++)
        failed = take_set(settings, (char *)(uintptr_t)settings->set.items[i], wishes);
    return failed;
}

/* ---- names ---- */

static int check_name(const char *option, const char *text, bool valid)
{
    if (!text || valid)
        return BASE_EXIT_OK;
    base_log(BASE_LOG_ERROR, "--%s: expected 1 to 64 characters of A-Z a-z 0-9 . _ -, got `%s'",
             option, text);
    return BASE_EXIT_USAGE;
}

static int check_names(const struct settings *settings)
{
    const char *tenant = settings->tenant, *shadow = settings->shadow, *run = settings->run;
    const char *from = settings->from_stream;
    int failed = check_name("tenant", tenant, tenant && arda_tenant_valid(tenant, strlen(tenant)));
    failed = failed
                 ? failed
                 : check_name("from-stream", from, from && arda_tenant_valid(from, strlen(from)));
    failed = failed ? failed
                    : check_name("shadow", shadow, shadow && arda_id_valid(shadow, strlen(shadow)));
    return failed ? failed : check_name("run", run, run && arda_id_valid(run, strlen(run)));
}

/* ---- what goes together ---- */

static int check_input(const struct replay *replay)
{
    const struct settings *settings = &replay->settings;
    bool bounded = strcmp(settings->since, "start") != 0 || strcmp(settings->until, "end") != 0;
    int stdins = 0;
    for (int i = 0; i < replay->operand_count; i++)
        stdins += strcmp(replay->operands[i], "-") == 0;
    if (settings->from_stream && replay->operand_count > 0)
        return misuse("expected files or --from-stream, not both");
    if (!settings->from_stream && bounded)
        return misuse("--since and --until need --from-stream");
    if (stdins > 1)
        return misuse("standard input can be read only once");
    if (!settings->from_stream && settings->repeat != 1 &&
        !lines_can_repeat(replay->operands, replay->operand_count))
        return misuse("--repeat: standard input can be read only once, unless it is a file");
    return BASE_EXIT_OK;
}

static int check_output(const struct settings *settings)
{
    if (settings->keep_ids && settings->repeat != 1)
        return misuse("--keep-ids and --repeat exclude each other: what was sent once is known");
    if (settings->keep_ids && settings->run)
        return misuse("--keep-ids and --run exclude each other");
    if (settings->plan && settings->repeat == 0)
        return misuse("--plan and --repeat=0 exclude each other: the plan would have no end");
    if (settings->shadow && settings->print)
        return misuse("--shadow and --stdout exclude each other: what reads the lines cannot tell "
                      "that they are of a shadow");
    return BASE_EXIT_OK;
}

/* Of what changes which events come in which place: a checkpoint is good for this command alone. */
static int name_command(struct replay *replay)
{
    const struct settings *settings = &replay->settings;
    struct base_buf text = BASE_BUF_INIT;
    int failed = base_buf_printf(
        &text, "%s|%s|%s|%s|%s|%s|%d%d%d%d|%jd", settings->prefix,
        settings->from_stream ? settings->from_stream : "", settings->since, settings->until,
        settings->tenant ? settings->tenant : "", settings->shadow ? settings->shadow : "",
        settings->keep_ids, settings->map_ids, settings->retime, settings->print,
        (intmax_t)settings->reorder_window);
    for (int i = 0; i < replay->operand_count; i++)
        failed |= base_buf_printf(&text, "|%s", replay->operands[i]);
    for (size_t i = 0; i < settings->type.count; i++)
        failed |= base_buf_printf(&text, "|type %s", settings->type.items[i]);
    for (size_t i = 0; i < settings->set.count; i++)
        failed |= base_buf_printf(&text, "|set %s", settings->set.items[i]);
    if (!failed)
        failed =
            base_id_derive(PROGRAM, strlen(PROGRAM), text.data, text.len, replay->wishes.command);
    base_buf_fini(&text);
    if (failed)
        base_log(BASE_LOG_ERROR, "%s", base_err_text(failed));
    return base_exit_status(failed);
}

int settings_check(struct replay *replay)
{
    const struct settings *settings = &replay->settings;
    struct wishes *wishes = &replay->wishes;
    int failed = take_numbers(settings, wishes);
    failed = failed ? failed : take_position("since", settings->since, &wishes->since);
    failed = failed ? failed : take_position("until", settings->until, &wishes->until);
    failed = failed ? failed : check_names(settings);
    failed = failed ? failed : check_input(replay);
    failed = failed ? failed : check_output(settings);
    failed = failed ? failed : name_command(replay);
    return failed ? failed : take_sets(settings, wishes);
}

/* SPDX-License-Identifier: ISC
 *
 * arda-token: mint and inspect the tokens of users.
 */
#include "arda-token/options.h"
#include "option_tables.h"

#include "arda/keyring.h"
#include "base/clock.h"
#include "base/exit.h"
#include "base/json.h"
#include "base/jsonl.h"
#include "base/log.h"
#include "base/place.h"
#include "base/terminal.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BEARER "Bearer "
#define NO_KEY "no key is set, so signatures are not checked"

struct settings {
    TOKEN_OPTIONS(BASE_OPT_MEMBER)
};

static const struct base_opt rows[] = {TOKEN_OPTIONS(BASE_OPT_ROW)};

static const struct base_opt_program program = {
    .name = "arda-token",
    .operands = "mint | inspect [FILE | TOKEN]",
    .about =
        "Mint a token for a user of a tenant, or take tokens apart and check them, one a line, "
        "from a file or standard input.",
    .after = "example: arda-token mint --tenant=acme --user=ann --ttl=1h",
    .rows = rows,
    .row_count = BASE_OPT_COUNT_OF(rows),
    .tables = option_tables,
    .table_count = OPTION_TABLE_COUNT,
};

static int fail(int code, const struct base_why *why)
{
    base_log(BASE_LOG_ERROR, "%s", why->text);
    return base_exit_status(code);
}

static int usage(const char *text)
{
    base_log(BASE_LOG_ERROR, "%s", text);
    return BASE_EXIT_USAGE;
}

/* ---- mint ---- */

static int mint(const struct settings *settings, const struct arda_keyring *keys)
{
    struct base_buf token = BASE_BUF_INIT;
    struct base_why why;
    int64_t now_s = base_clock_wall_ms() / 1000;
    struct arda_token_request request = {
        .user = settings->user,
        .tenant = settings->tenant,
        .role = settings->role,
        .email = settings->email,
        .issuer = settings->issuer,
        .audience = settings->audience,
        .issued_s = now_s,
        .expires_s = now_s + settings->ttl / 1000,
    };
    if (!settings->tenant || !settings->user)
        return usage("mint: expected --tenant and --user");
    if (settings->ttl < 1000)
        return usage("--ttl: expected a second or more");
    int failed = arda_keyring_mint(keys, settings->algorithm, &request, &token, &why);
    if (!failed)
        printf("%.*s\n", (int)token.len, token.data);
    base_buf_fini(&token);
    return failed ? fail(failed, &why) : BASE_EXIT_OK;
}

/* ---- inspect ---- */

static struct base_slice trim(struct base_slice line)
{
    while (line.len > 0 && (*line.data == ' ' || *line.data == '\t')) {
        line.data++;
        line.len--;
    }
    if (line.len >= strlen(BEARER) && memcmp(line.data, BEARER, strlen(BEARER)) == 0) {
        line.data += strlen(BEARER);
        line.len -= strlen(BEARER);
    }
    while (line.len > 0 && (line.data[line.len - 1] == ' ' || line.data[line.len - 1] == '\t'))
        line.len--;
    return line;
}

/* Appends whether the token is good: "valid" is null when there is nothing to check it with. */
static int add_verdict(const struct arda_keyring *keys, struct base_slice token,
                       struct base_buf *out, int *status)
{
    struct arda_claims claims;
    struct base_why why;
    *status = BASE_EXIT_OK;
    if (!keys)
        return base_buf_add_text(out, ",\"valid\":null}\n");
    if (arda_keyring_verify(keys, token.data, token.len, &claims, &why) == 0)
        return base_buf_add_text(out, ",\"valid\":true}\n");
    *status = BASE_EXIT_NO;
    return base_buf_add_text(out, ",\"valid\":false,\"reason\":") |
           base_json_quote(out, why.text, strlen(why.text)) | base_buf_add_text(out, "}\n");
}

/* A line, as a terminal or a pipe may have it. What cannot be written shows when it is closed. */
static int print(const struct base_buf *line)
{
    struct base_buf cleaned = BASE_BUF_INIT;
    bool is_terminal = isatty(STDOUT_FILENO);
    int failed = is_terminal ? base_terminal_add(&cleaned, line->data, line->len) : BASE_OK;
    const struct base_buf *shown = is_terminal ? &cleaned : line;
    if (!failed && line->len > 0)
        fwrite(shown->data, 1, shown->len, stdout);
    base_buf_fini(&cleaned);
    return failed;
}

static int inspect_line(const struct arda_keyring *keys, uint64_t number, struct base_slice token)
{
    struct base_buf header = BASE_BUF_INIT, claims = BASE_BUF_INIT, out = BASE_BUF_INIT;
    struct base_place place = {NULL, number};
    struct base_why why;
    char where[BASE_PLACE_MAX];
    int status = BASE_EXIT_OK;
    int failed = arda_token_decode(token.data, token.len, &header, &claims, &why);
    if (!failed) {
        failed = base_buf_add_text(&out, "{\"header\":");
        failed |= base_text_flat(&out, (struct base_slice){header.data, header.len});
        failed |= base_buf_add_text(&out, ",\"claims\":");
        failed |= base_text_flat(&out, (struct base_slice){claims.data, claims.len});
        failed |= add_verdict(keys, token, &out, &status) | print(&out);
        if (failed)
            failed = base_why_set(&why, BASE_ERR_NOMEM, "out of memory");
    }
    if (failed) {
        base_log(BASE_LOG_ERROR, "%s%s", base_place_text(&place, where), why.text);
        status = base_exit_status(failed);
    }
    base_buf_fini(&header);
    base_buf_fini(&claims);
    base_buf_fini(&out);
    return status;
}

static void complain_of_encoding(const char *path, enum base_encoding encoding)
{
    struct base_place place = {path, 0};
    struct base_why why;
    char where[BASE_PLACE_MAX];
    base_encoding_refuse(encoding, path, "arda-token inspect", &why);
    base_log(BASE_LOG_ERROR, "%s%s", base_place_text(&place, where), why.text);
}

/* The worst of what the lines give: malformed before not valid. */
static int inspect_lines(const struct arda_keyring *keys, const char *path,
                         struct base_jsonl *lines)
{
    struct base_slice line;
    int got, worst = BASE_EXIT_OK;
    while ((got = base_jsonl_next(lines, &line)) != 0) {
        int status = BASE_EXIT_DATAERR;
        if (got == 1)
            status = inspect_line(keys, lines->line_number, trim(line));
        else if (got == BASE_ERR_SYNTAX)
            complain_of_encoding(path, lines->encoding);
        else
            base_log(BASE_LOG_ERROR, "line %llu: %s", (unsigned long long)lines->line_number,
                     base_err_text(got));
        if (status > worst)
            worst = status;
    }
    return worst;
}

/* ---- a token as an operand ---- */

/* Somebody who has a token at hand tries that first. A file of such a name is a file. */
static bool is_token(const char *operand)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-_.";
    struct base_slice token = trim((struct base_slice){operand, strlen(operand)});
    bool in_json = token.len > 3 && memcmp(token.data, "eyJ", 3) == 0; /* `{"` in base64 */
    size_t dots = 0;
    for (size_t i = 0; i < token.len; i++)
        dots += token.data[i] == '.';
    return (in_json || (dots == 2 && token.len >= 32)) &&
           strspn(token.data, alphabet) == token.len && access(operand, F_OK) < 0;
}

/* It is taken out of the list of processes; what has looked at that meanwhile has seen it. */
static int inspect_operand(const struct arda_keyring *keys, char *operand)
{
    char text[2 * ARDA_TOKEN_MAX_BYTES];
    size_t len = strlen(operand);
    if (len >= sizeof text)
        return usage("inspect: the token is too long");
    memcpy(text, operand, len + 1);
    memset(operand, 'x', len);
    base_log(BASE_LOG_WARNING, "a token as an operand shows in the list of processes and in the "
                               "shell's history; pass it on standard input instead");
    if (!keys)
        base_log(BASE_LOG_WARNING, NO_KEY);
    int status = inspect_line(keys, 0, trim((struct base_slice){text, len}));
    explicit_bzero(text, sizeof text);
    return status;
}

/* ---- files ---- */

static int inspect(const struct arda_keyring *keys, const char *path)
{
    char block[4096];
    struct base_jsonl lines;
    FILE *file = path && strcmp(path, "-") != 0 ? fopen(path, "re") : stdin;
    if (!file) {
        base_log(BASE_LOG_ERROR, "%s: %s", path, strerror(errno));
        return BASE_EXIT_IOERR;
    }
    if (!keys)
        base_log(BASE_LOG_WARNING, NO_KEY);
    int status = BASE_EXIT_OK;
    base_jsonl_init(&lines, 2 * ARDA_TOKEN_MAX_BYTES);
    for (;;) {
        size_t got = fread(block, 1, sizeof block, file);
        if (got == 0)
            base_jsonl_finish(&lines);
        else
            base_jsonl_feed(&lines, block, got);
        int worst = inspect_lines(keys, path, &lines);
        if (worst > status)
            status = worst;
        if (got == 0)
            break;
    }
    if (ferror(file)) {
        base_log(BASE_LOG_ERROR, "%s: cannot read", path ? path : "standard input");
        status = BASE_EXIT_IOERR;
    } else if (lines.line_number == 0 && status == BASE_EXIT_OK) {
        base_log(BASE_LOG_ERROR, "expected a token, got nothing");
        status = BASE_EXIT_DATAERR;
    }
    base_jsonl_fini(&lines);
    if (file != stdin)
        fclose(file);
    return status;
}

static int run(const struct settings *settings, char **operands, int count)
{
    struct arda_keyring *keys = NULL;
    struct base_why why;
    bool mints = count == 1 && strcmp(operands[0], "mint") == 0;
    bool inspects = (count == 1 || count == 2) && strcmp(operands[0], "inspect") == 0;
    if (!mints && !inspects)
        return usage("expected `mint' or `inspect [FILE]'; see --help");
    struct arda_keyring_options options = {
        .secret_file = settings->jwt_secret_file,
        .key_files = settings->jwt_key.items,
        .key_file_count = settings->jwt_key.count,
        .algorithms = mints ? NULL : settings->jwt_algorithms,
        .issuer = settings->jwt_issuer,
        .audience = settings->jwt_audience,
        .leeway_ms = settings->jwt_leeway,
        .require_exp = settings->jwt_require_exp,
        .allow_private_keys = true,
    };
    int failed = arda_keyring_new(&options, &keys, &why);
    if (failed == BASE_ERR_NOTFOUND && mints)
        failed = BASE_ERR_CONFIG;
    if (failed && failed != BASE_ERR_NOTFOUND)
        return fail(failed, &why);
    char *operand = count == 2 ? operands[1] : NULL;
    int status = mints                          ? mint(settings, keys)
                 : operand && is_token(operand) ? inspect_operand(keys, operand)
                                                : inspect(keys, operand);
    arda_keyring_free(keys);
    return status;
}

int main(int argc, char **argv)
{
    static struct settings settings;
    char **operands;
    int count = base_opt_start(&program, &settings, argc, argv, &operands);
    int status = run(&settings, operands, count);
    base_opt_fini(&program, &settings);
    if (fclose(stdout) != 0 && status == BASE_EXIT_OK) {
        base_log(BASE_LOG_ERROR, "cannot write: %s", strerror(errno));
        status = BASE_EXIT_IOERR;
    }
    return status;
}

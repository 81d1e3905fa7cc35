/* SPDX-License-Identifier: ISC */
#include "arda/mail/message.h"

#include "arda/mail/address.h"
#include "arda/mail/link.h"
#include "arda/mail/text.h"
#include "base/base64.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define LINE_MAX_BYTES 78 /* RFC 5322 section 2.1.1, without CR LF */
#define WORDS_LINE_MAX 76 /* a line with encoded words, RFC 2047 section 2 */
#define WORD_OPEN      "=?UTF-8?B?"
#define WORD_CLOSE     "?="
#define WORD_FRAME     (sizeof WORD_OPEN + sizeof WORD_CLOSE - 2)
#define PLAIN_WORD_MAX                                                                             \
    60 /* bytes between blanks of what is not encoded, so that it can be folded */
#define QUOTED_NAME_MAX 60 /* bytes between quotation marks, which cannot be folded safely */
#define YEAR_MAX        9999

/* Where the header is written: `line` is where its present line begins. */
struct writer {
    struct base_buf *out;
    size_t line;
    int failed;
};

static void put(struct writer *writer, const char *bytes, size_t len)
{
    if (!writer->failed && len > 0)
        writer->failed = base_buf_add(writer->out, bytes, len);
}

static void put_text(struct writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

static size_t column(const struct writer *writer)
{
    return writer->out->len - writer->line;
}

static void open_header(struct writer *writer, const char *name)
{
    writer->line = writer->out->len;
    put_text(writer, name);
    put_text(writer, ":");
}

static void close_header(struct writer *writer)
{
    put(writer, "", 1);
}

/* A blank before `len` bytes that stay together: on a new line where this one would have more than
 * `max`. */
static void put_blank(struct writer *writer, size_t len, size_t max)
{
    if (column(writer) + 1 + len > max) {
        put_text(writer, "\r\n");
        writer->line = writer->out->len;
    }
    put_text(writer, " ");
}

/* ---- text that people have written ---- */

/* Whether the text means itself as it stands. Blanks side by side would come out as one from some
 * readers, and `=?` looks like an encoded word. */
static bool is_plain(struct base_slice text)
{
    size_t word = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c < ' ' || c > '~' || (c == '?' && i > 0 && text.data[i - 1] == '='))
            return false;
        if (c == ' ' && word == 0)
            return false;
        word = c == ' ' ? 0 : word + 1;
        if (word > PLAIN_WORD_MAX)
            return false;
    }
    return true;
}

static void put_folded(struct writer *writer, struct base_slice text)
{
    while (text.len > 0) {
        const char *blank = memchr(text.data, ' ', text.len);
        size_t len = blank ? (size_t)(blank - text.data) : text.len;
        put_blank(writer, len, LINE_MAX_BYTES);
        put(writer, text.data, len);
        len += blank != NULL;
        text.data += len;
        text.len -= len;
    }
}

/* Each encoded word holds whole characters, and the blanks between two words count for nothing
 * (RFC 2047 sections 5 and 6.2). */
static void put_encoded(struct writer *writer, struct base_slice text)
{
    char encoded[WORDS_LINE_MAX];
    for (bool first = true; text.len > 0; first = false) {
        if (!first) {
            put_text(writer, "\r\n");
            writer->line = writer->out->len;
        }
        put_text(writer, " ");
        if (writer->failed)
            return;
        size_t max = (WORDS_LINE_MAX - column(writer) - WORD_FRAME) / 4 * 3;
        size_t len = text.len > max ? base_utf8_cut(text.data, max) : text.len;
        base_base64_encode(BASE_BASE64_STD, text.data, len, encoded);
        put_text(writer, WORD_OPEN);
        put(writer, encoded, base_base64_encoded_len(BASE_BASE64_STD, len));
        put_text(writer, WORD_CLOSE);
        text.data += len;
        text.len -= len;
    }
}

/* Bytes of the text between quotation marks, where some characters take a backslash. */
static size_t quoted_len(struct base_slice text)
{
    size_t len = text.len;
    for (size_t i = 0; i < text.len; i++)
        len += text.data[i] == '"' || text.data[i] == '\\';
    return len;
}

static void put_quoted(struct writer *writer, struct base_slice text)
{
    put_text(writer, " \"");
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            put_text(writer, "\\");
        put(writer, &text.data[i], 1);
    }
    put_text(writer, "\"");
}

/* One line of UTF-8 without blanks at its ends, in `room`. */
static struct base_slice clean(struct writer *writer, struct base_slice text, struct base_buf *room)
{
    room->len = 0;
    if (!writer->failed)
        writer->failed = arda_mail_text_add(room, text, ARDA_MAIL_HEADER);
    struct base_slice line = {room->data, room->len};
    while (line.len > 0 && line.data[line.len - 1] == ' ')
        line.len--;
    while (line.len > 0 && line.data[0] == ' ') {
        line.data++;
        line.len--;
    }
    return line;
}

/* ---- headers ---- */

static void put_subject(struct writer *writer, struct base_slice subject, struct base_buf *room)
{
    struct base_slice line = clean(writer, subject, room);
    open_header(writer, "Subject");
    if (is_plain(line))
        put_folded(writer, line);
    else
        put_encoded(writer, line);
    close_header(writer);
}

static void put_mailbox(struct writer *writer, const char *header, struct base_slice name,
                        struct base_slice address, struct base_buf *room)
{
    struct base_slice line = clean(writer, name, room);
    open_header(writer, header);
    if (line.len > 0 && quoted_len(line) <= QUOTED_NAME_MAX && is_plain(line))
        put_quoted(writer, line);
    else
        put_encoded(writer, line);
    if (line.len > 0)
        put_blank(writer, address.len + 2, WORDS_LINE_MAX);
    else
        put_text(writer, " ");
    put_text(writer, "<");
    put(writer, address.data, address.len);
    put_text(writer, ">");
    close_header(writer);
}

/* RFC 5322 section 3.3; strftime's names of days and months follow the locale. */
static void put_date(struct writer *writer, const struct tm *when)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    open_header(writer, "Date");
    if (!writer->failed)
        writer->failed =
            base_buf_printf(writer->out, " %s, %02d %s %04d %02d:%02d:%02d +0000",
                            days[when->tm_wday], when->tm_mday, months[when->tm_mon],
                            when->tm_year + 1900, when->tm_hour, when->tm_min, when->tm_sec);
    close_header(writer);
}

static void put_unsubscribe(struct writer *writer, struct base_slice url)
{
    if (url.len == 0 || url.len > ARDA_MAIL_LIST_URL_MAX)
        return;
    open_header(writer, "List-Unsubscribe");
    put_blank(writer, url.len + 2, LINE_MAX_BYTES);
    put_text(writer, "<");
    put(writer, url.data, url.len);
    put_text(writer, ">");
    close_header(writer);
    if (strncasecmp(url.data, "https:", 6) != 0)
        return;
    open_header(writer, "List-Unsubscribe-Post");
    put_text(writer, " List-Unsubscribe=One-Click");
    close_header(writer);
}

/* `id` holds what is between the brackets of the Message-ID. */
static void put_all(struct writer *writer, const struct arda_mail *mail, struct base_slice id,
                    const struct tm *when)
{
    struct base_buf room = BASE_BUF_INIT;
    put_date(writer, when);
    open_header(writer, "Message-ID");
    put_text(writer, " <");
    put(writer, id.data, id.len);
    put_text(writer, ">");
    close_header(writer);
    put_mailbox(writer, "From", mail->from_name, mail->from_address, &room);
    put_mailbox(writer, "To", mail->to_name, mail->to_address, &room);
    put_subject(writer, mail->subject, &room);
    open_header(writer, "Auto-Submitted");
    put_text(writer, " auto-generated");
    close_header(writer);
    put_unsubscribe(writer, mail->unsubscribe_url);
    base_buf_fini(&room);
}

/* ---- checks ---- */

static int check_address(struct base_slice address, const char *field, struct base_why *why)
{
    int failed = arda_mail_address_check(address, why);
    return failed ? base_why_prefix(why, "%s", field), failed : BASE_OK;
}

/* Fills `id` with ID@DOMAIN. */
static int make_id(const struct arda_mail *mail, struct base_buf *id, struct base_why *why)
{
    struct base_slice from = mail->from_address;
    const char *at = memrchr(from.data, '@', from.len);
    base_assert(at);
    if (base_buf_add(id, mail->delivery_id.data, mail->delivery_id.len) < 0 ||
        base_buf_add(id, at, (size_t)(from.data + from.len - at)) < 0)
        return base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
    return check_address((struct base_slice){id->data, id->len}, "Message-ID", why);
}

static int check_date(int64_t date_ms, struct tm *when, struct base_why *why)
{
    time_t seconds = (time_t)(date_ms / 1000);
    if (date_ms < 0 || !gmtime_r(&seconds, when) || when->tm_year + 1900 > YEAR_MAX)
        return base_why_set(why, BASE_ERR_INVALID, "Date: expected a time of the years 1970 to %d",
                            YEAR_MAX);
    return BASE_OK;
}

int arda_mail_headers_add(struct base_buf *out, const struct arda_mail *mail, struct base_why *why)
{
    struct writer writer = {out, out->len, BASE_OK};
    struct base_buf id = BASE_BUF_INIT;
    size_t before = out->len;
    struct tm when;
    int failed = check_address(mail->from_address, "From", why);
    if (!failed)
        failed = check_address(mail->to_address, "To", why);
    if (!failed)
        failed = check_date(mail->date_ms, &when, why);
    if (!failed && mail->unsubscribe_url.len > 0 && !arda_mail_link_is_safe(mail->unsubscribe_url))
        failed = base_why_set(why, BASE_ERR_INVALID, "List-Unsubscribe: expected an http(s) URL");
    if (!failed)
        failed = make_id(mail, &id, why);
    if (!failed) {
        put_all(&writer, mail, (struct base_slice){id.data, id.len}, &when);
        if (writer.failed)
            failed = base_why_set(why, writer.failed, "%s", base_err_text(writer.failed));
    }
    if (failed)
        out->len = before;
    base_buf_fini(&id);
    return failed;
}

const char *arda_mail_headers_next(const struct base_buf *headers, const char *header)
{
    const char *next = header ? header + strlen(header) + 1 : headers->data;
    return next && next < headers->data + headers->len ? next : NULL;
}

/* SPDX-License-Identifier: ISC
 *
 * The members that `set` is given: NAME=VALUE, NAME:=JSON, and NAME@=FILE for a value that is not
 * to be seen in a list of processes or in a shell's history.
 */
#include "arda-directory/directory.h"

#include "base/encoding.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_BYTES (64 << 10)
#define MORE_BYTES     5 /* of a mark and a line end */

/* What is left of a file when its mark and the line end are cut off, as a C string. */
static int cut_value(const char *name, struct base_buf *text)
{
    struct base_slice value = {text->data ? text->data : "", text->len};
    struct base_why why;
    if (text->len <= FILE_MAX_BYTES + MORE_BYTES && base_encoding_strip(&value, &why) < 0) {
        base_log(BASE_LOG_ERROR, "%s: %s", name, why.text);
        return BASE_EXIT_DATAERR;
    }
    base_buf_consume(text, text->len - value.len);
    if (text->len && text->data[text->len - 1] == '\n')
        text->len--;
    if (text->len && text->data[text->len - 1] == '\r')
        text->len--;
    if (text->len > FILE_MAX_BYTES || (text->len && memchr(text->data, '\0', text->len))) {
        base_log(BASE_LOG_ERROR, "%s: expected a text of up to 64 KiB", name);
        return BASE_EXIT_DATAERR;
    }
    if (!base_buf_cstr(text)) {
        base_log(BASE_LOG_ERROR, "out of memory");
        return BASE_EXIT_SOFTWARE;
    }
    return BASE_EXIT_OK;
}

/* The whole of a file, `-` for standard input. 0 or an exit status. */
static int read_value(const char *path, struct base_buf *text)
{
    bool own = strcmp(path, "-") != 0;
    const char *name = own ? path : "standard input";
    int file = own ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    ssize_t count = file < 0 ? -1 : 1;
    bool no_memory = false;
    while (count > 0 && text->len <= FILE_MAX_BYTES + MORE_BYTES) {
        char block[4096];
        count = read(file, block, sizeof block);
        if (count < 0 && errno == EINTR)
            count = 1;
        else if (count > 0 && base_buf_add(text, block, (size_t)count) < 0)
            no_memory = true, count = 0;
    }
    if (count < 0)
        base_log(BASE_LOG_ERROR, "%s: %s", name, strerror(errno));
    if (own && file >= 0)
        close(file);
    if (no_memory)
        base_log(BASE_LOG_ERROR, "out of memory");
    return count < 0 ? BASE_EXIT_IOERR : no_memory ? BASE_EXIT_SOFTWARE : cut_value(name, text);
}

static int read_change(struct tool *tool, const char *operand)
{
    struct arda_directory_change *change = &tool->changes[tool->change_count];
    size_t len = strcspn(operand, "=");
    char mark = len > 0 ? operand[len - 1] : '\0';
    if (!operand[len]) {
        /* Not shown: it may be a secret whose name was forgotten. */
        base_log(BASE_LOG_ERROR, "operand %zu after the id: expected NAME=VALUE",
                 tool->change_count + 1);
        return BASE_EXIT_USAGE;
    }
    *change = (struct arda_directory_change){
        .name = {operand, len - (mark == ':' || mark == '@')},
        .value = operand + len + 1,
        .json = mark == ':',
    };
    if (mark == '@') {
        struct base_buf *text = &tool->texts[tool->change_count];
        int status = read_value(change->value, text);
        if (status)
            return status;
        change->value = text->data;
    }
    tool->change_count++;
    return BASE_EXIT_OK;
}

int changes_read(struct tool *tool, char **operands, int count)
{
    int status = BASE_EXIT_OK;
    tool->changes = base_calloc((size_t)count + 1, sizeof *tool->changes);
    tool->texts = base_calloc((size_t)count + 1, sizeof *tool->texts);
    tool->text_count = (size_t)count;
    if (!tool->changes || !tool->texts) {
        base_log(BASE_LOG_ERROR, "out of memory");
        return BASE_EXIT_SOFTWARE;
    }
    for (int i = 0; i < count && !status; i++)
        status = read_change(tool, operands[i]);
    return status;
}

void changes_free(struct tool *tool)
{
    for (size_t i = 0; tool->texts && i < tool->text_count; i++)
        base_buf_fini(&tool->texts[i]);
    base_free(tool->texts);
    base_free(tool->changes);
}

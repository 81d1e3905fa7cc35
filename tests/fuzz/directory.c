/* SPDX-License-Identifier: ISC
 *
 * arda/directory_line: what is taken is written so that it is taken again and written the same, and
 * its id is one that Redis may have; what is not taken has a reason.
 */
#include "arda/directory_line.h"

#include "lib/fuzz.h"

static void write_line(const struct arda_directory_line *line, struct base_buf *out)
{
    FUZZ_CHECK(arda_directory_line_write(out, line) == 0);
    FUZZ_CHECK(memchr(out->data, '\n', out->len) == NULL);
}

static void check_taken(const struct arda_directory_line *line)
{
    struct arda_directory_line again = {0};
    struct base_buf text = BASE_BUF_INIT, second = BASE_BUF_INIT, masked = BASE_BUF_INIT;
    write_line(line, &text);
    FUZZ_CHECK(arda_directory_line_parse(text.data, text.len, &again, NULL) == 0);
    write_line(&again, &second);
    FUZZ_CHECK(text.len == second.len && memcmp(text.data, second.data, text.len) == 0);
    FUZZ_CHECK(arda_tenant_valid(line->tenant, strlen(line->tenant)));
    FUZZ_CHECK(arda_directory_line_set_id(&again, line->id, strlen(line->id), NULL) == 0);
    FUZZ_CHECK(strcmp(line->id, again.id) == 0);
    FUZZ_CHECK(arda_directory_line_set_value(&again, line->value.data, line->value.len, NULL) == 0);
    FUZZ_CHECK(arda_directory_line_write_masked(&masked, line) == 0 && masked.len <= text.len);
    base_buf_fini(&text);
    base_buf_fini(&second);
    base_buf_fini(&masked);
    arda_directory_line_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arda_directory_line line; /* used again, as a load does */
    struct base_why why = {0, ""};
    int failed = arda_directory_line_parse((const char *)data, size, &line, &why);
    FUZZ_CHECK(failed == 0 || (failed == BASE_ERR_SYNTAX && why.text[0]));
    if (!failed)
        check_taken(&line);
    return 0;
}

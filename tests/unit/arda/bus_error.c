/* SPDX-License-Identifier: ISC
 *
 * What an error of Redis means, where EXEC or a script has wrapped it, too.
 */
#include "arda/bus/internal.h"

#include "lib/test.h"

#include <stdio.h>
#include <string.h>

static void the_cause_decides(void)
{
    static const struct {
        const char *text;
        int code;
        const char *cause;
    } rows[] = {
        {"OOM command not allowed", BASE_ERR_AGAIN, "OOM command not allowed"},
        {"READONLY You can't write", BASE_ERR_AGAIN, "READONLY You can't write"},
        {"NOAUTH Authentication required.", BASE_ERR_AGAIN, "NOAUTH Authentication required."},
        {"NOPERM no", BASE_ERR_DENIED, "NOPERM no"},
        {"WRONGTYPE no", BASE_ERR_INTERNAL, "WRONGTYPE no"},
        {"EXECABORT Transaction discarded because of: READONLY You can't write", BASE_ERR_AGAIN,
         "READONLY You can't write"},
        {"EXECABORT Transaction discarded because of: NOPERM no", BASE_ERR_DENIED, "NOPERM no"},
        {"EXECABORT Transaction discarded because of previous errors.", BASE_ERR_INTERNAL,
         "EXECABORT Transaction discarded because of previous errors."},
        {"ERR Error running script (call to f_12): @user_script:7: -READONLY You can't write",
         BASE_ERR_AGAIN, "READONLY You can't write"},
        {"ERR Error running script (call to f_12): @user_script:7: attempt", BASE_ERR_INTERNAL,
         "ERR Error running script (call to f_12): @user_script:7: attempt"},
    };
    struct arda_bus *bus = calloc(1, sizeof *bus);
    char want[256];
    snprintf(bus->url.name, sizeof bus->url.name, "h:1");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct base_why why;
        printf("# %s\n", rows[i].text);
        CHECK_INT(arda_bus_error(bus, rows[i].text, &why), rows[i].code);
        snprintf(want, sizeof want, "redis h:1: %s", rows[i].cause);
        CHECK_STR(why.text, want);
    }
    free(bus);
}

int main(void)
{
    RUN(the_cause_decides);
    return test_end();
}

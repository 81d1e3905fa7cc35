/* SPDX-License-Identifier: ISC
 *
 * What a server may answer to the greeting, of versions that are not at hand, too.
 */
#include "arda/bus/redis_greeting.h"

#include "lib/test.h"

#include <string.h>

#define MASTER  "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
#define REPLICA "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:6379\r\n$9\r\nconnected\r\n:0\r\n"

static struct arda_redis_greeting greeting;
static struct base_why why;

/* Greets as a program with a name does; `step` bytes of the answer come at a time. */
static int answer(const char *url_text, const char *bytes, size_t step)
{
    struct arda_redis_url url;
    struct base_buf out = BASE_BUF_INIT;
    int result = 0;
    CHECK_INT(arda_redis_url_parse(url_text, &url, NULL), 0);
    CHECK_INT(arda_redis_greet(&greeting, &url, "a-name", &out), 0);
    why.text[0] = '\0';
    for (size_t at = 0, len = strlen(bytes); at < len && result == 0; at += step)
        result = arda_redis_greeting_take(&greeting, bytes + at, len - at < step ? len - at : step,
                                          &why);
    base_buf_fini(&out);
    arda_redis_url_fini(&url);
    return result;
}

static void takes_roles(void)
{
    static const struct {
        const char *answer;
        enum arda_redis_role role;
    } rows[] = {
        {MASTER, ARDA_REDIS_PRIMARY},
        {REPLICA, ARDA_REDIS_REPLICA},
        {"*1\r\n$8\r\nsentinel\r\n", ARDA_REDIS_UNKNOWN},
        {"*0\r\n", ARDA_REDIS_UNKNOWN},
        {"*1\r\n:1\r\n", ARDA_REDIS_UNKNOWN},
        {"+OK\r\n", ARDA_REDIS_UNKNOWN},
        {"-ERR unknown command 'ROLE'\r\n", ARDA_REDIS_UNKNOWN},
    };
    char bytes[128];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t step = 1; step < 200; step += 198) {
            snprintf(bytes, sizeof bytes, "+OK\r\n-NOPERM setname\r\n+OK\r\n%s", rows[i].answer);
            CHECK_INT(answer("redis://u:p@h", bytes, step), 1);
            CHECK_INT(greeting.role, rows[i].role);
            arda_redis_greeting_fini(&greeting);
        }
}

static void tells_what_lasts_from_what_passes(void)
{
    static const struct {
        const char *url, *bytes;
        int code;
    } rows[] = {
        {"redis://u:p@h", "-WRONGPASS invalid username-password pair\r\n", BASE_ERR_DENIED},
        {"redis://:p@h", "-ERR invalid password\r\n", BASE_ERR_DENIED},
        {"redis://:p@h", "-ERR Client sent AUTH, but no password is set\r\n", BASE_ERR_DENIED},
        {"redis://:p@h", "-ERR AUTH <password> called without any password configured\r\n",
         BASE_ERR_DENIED},
        {"redis://u:p@h", "-ERR wrong number of arguments for 'auth' command\r\n", BASE_ERR_DENIED},
        {"redis://h", "-NOAUTH Authentication required.\r\n-NOAUTH Authentication required.\r\n",
         BASE_ERR_DENIED},
        {"redis://h", "-DENIED Redis is running in protected mode\r\n", BASE_ERR_DENIED},
        {"redis://h/99", "+OK\r\n-NOPERM no permissions to run the 'select' command\r\n",
         BASE_ERR_DENIED},
        {"redis://h/99", "+OK\r\n-ERR DB index is out of range\r\n", BASE_ERR_CONFIG},
        {"redis://h/99", "+OK\r\n-ERR invalid DB index\r\n", BASE_ERR_CONFIG},
        {"redis://h/1", "+OK\r\n-ERR SELECT is not allowed in cluster mode\r\n", BASE_ERR_CONFIG},
        {"redis://h", "-ERR max number of clients reached\r\n", BASE_ERR_AGAIN},
        {"redis://h", "-ERR max number of clients + cluster connections reached\r\n",
         BASE_ERR_AGAIN},
        {"redis://u:p@h", "-LOADING Redis is loading the dataset in memory\r\n", BASE_ERR_AGAIN},
        {"redis://h", "+OK\r\n-ERR upstream failure\r\n", BASE_ERR_AGAIN},
        {"redis://h", "HTTP/1.1 400 Bad Request\r\n", BASE_ERR_UNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        printf("# %s", rows[i].bytes);
        CHECK_INT(answer(rows[i].url, rows[i].bytes, 7), rows[i].code);
        CHECK_INT(why.code, rows[i].code);
        CHECK(why.text[0] != '\0' && !strchr(why.text, '\r'));
        arda_redis_greeting_fini(&greeting);
        CHECK(!greeting.reader.reader);
    }
}

int main(void)
{
    RUN(takes_roles);
    RUN(tells_what_lasts_from_what_passes);
    return test_end();
}

/* SPDX-License-Identifier: ISC
 *
 * Where the secret comes from: a file, else the environment.
 */
#include "arda/token.h"

#include "base/mem.h"
#include "lib/test.h"

#include <unistd.h>

#define SECRET "0123456789abcdef0123456789abcdef"

static struct arda_token_key *made;
static struct base_why why;
static char file[] = "/tmp/arda-token-key-XXXXXX";

static void without_environment(void)
{
    unsetenv("ARDA_JWT_SECRET");
    unsetenv("JWT_SECRET");
}

static void write_file(const char *bytes, size_t len)
{
    FILE *out = fopen(file, "w");
    CHECK(out && fwrite(bytes, 1, len, out) == len);
    CHECK(out && fclose(out) == 0);
}

/* Whether `made` is the key of these bytes: what one signs the other verifies. */
static bool is_key_of(const char *secret, size_t len)
{
    const struct arda_token_request request = {.user = "u", .tenant = "t", .expires_s = 1L << 33};
    struct arda_token_key *same = NULL;
    struct base_buf token = BASE_BUF_INIT;
    struct arda_claims claims;
    CHECK_INT(arda_token_key_new(secret, len, &same, NULL), 0);
    CHECK_INT(arda_token_mint(made, &request, &token, NULL), 0);
    int result = arda_token_verify(same, token.data, token.len, &claims, NULL);
    base_buf_fini(&token);
    arda_token_key_free(same);
    arda_token_key_free(made);
    made = NULL;
    return result == 0;
}

static void a_secret_has_at_least_32_bytes(void)
{
    CHECK_INT(arda_token_key_new(SECRET, 31, &made, &why), BASE_ERR_CONFIG);
    CHECK_STR(why.text, "the secret has 31 bytes; it needs at least 32");
    CHECK_INT(arda_token_key_new(SECRET, 32, &made, &why), 0);
    CHECK(is_key_of(SECRET, 32));
    base_mem_fail(1, 1);
    CHECK_INT(arda_token_key_new(SECRET, 32, &made, &why), BASE_ERR_NOMEM);
    base_mem_fail(0, 0);
    arda_token_key_free(NULL);
}

static void the_file_loses_one_line_end(void)
{
    static const char *const ends[] = {"", "\n", "\r\n"};
    for (size_t i = 0; i < 3; i++) {
        char text[64];
        write_file(text, (size_t)snprintf(text, sizeof text, SECRET "%s", ends[i]));
        CHECK_INT(arda_token_key_load(file, &made, &why), 0);
        CHECK(is_key_of(SECRET, strlen(SECRET)));
    }
    write_file(SECRET "\n\n", strlen(SECRET) + 2);
    CHECK_INT(arda_token_key_load(file, &made, &why), 0);
    CHECK(is_key_of(SECRET "\n", strlen(SECRET) + 1));
}

static void a_secret_of_any_bytes(void)
{
    static const char bytes[] = SECRET "\0\xff\n ";
    write_file(bytes, sizeof bytes - 1);
    CHECK_INT(arda_token_key_load(file, &made, &why), 0);
    CHECK(is_key_of(bytes, sizeof bytes - 1));
}

static void bad_files_are_named(void)
{
    char big[4098], want[128];
    memset(big, 'x', sizeof big);
    CHECK_INT(arda_token_key_load("/nonexistent/secret", &made, &why), BASE_ERR_CONFIG);
    CHECK_STR(why.text,
              "cannot read the secret file /nonexistent/secret: No such file or directory");
    CHECK_INT(arda_token_key_load("/tmp", &made, &why), BASE_ERR_CONFIG);
    write_file(big, 4097);
    CHECK_INT(arda_token_key_load(file, &made, &why), BASE_ERR_CONFIG);
    write_file(big, 4096);
    CHECK_INT(arda_token_key_load(file, &made, &why), 0);
    CHECK(is_key_of(big, 4096));
    write_file("short\n", 6);
    CHECK_INT(arda_token_key_load(file, &made, &why), BASE_ERR_CONFIG);
    snprintf(want, sizeof want, "%s: the secret has 5 bytes; it needs at least 32", file);
    CHECK_STR(why.text, want);
    CHECK(!made);
}

static void the_environment_stands_behind_the_file(void)
{
    write_file("file" SECRET, strlen(SECRET) + 4);
    CHECK_INT(arda_token_key_load(NULL, &made, &why), BASE_ERR_NOTFOUND);
    CHECK(!made);
    setenv("JWT_SECRET", "plain" SECRET, 1);
    CHECK_INT(arda_token_key_load("", &made, &why), 0);
    CHECK(is_key_of("plain" SECRET, strlen(SECRET) + 5));
    setenv("ARDA_JWT_SECRET", "arda" SECRET, 1);
    CHECK_INT(arda_token_key_load(NULL, &made, &why), 0);
    CHECK(is_key_of("arda" SECRET, strlen(SECRET) + 4));
    CHECK_INT(arda_token_key_load(file, &made, &why), 0);
    CHECK(is_key_of("file" SECRET, strlen(SECRET) + 4));
    setenv("ARDA_JWT_SECRET", "", 1);
    CHECK_INT(arda_token_key_load(NULL, &made, &why), 0);
    CHECK(is_key_of("plain" SECRET, strlen(SECRET) + 5));
    setenv("JWT_SECRET", "hunter2", 1);
    CHECK_INT(arda_token_key_load(NULL, &made, &why), BASE_ERR_CONFIG);
    CHECK_STR(why.text, "JWT_SECRET: the secret has 7 bytes; it needs at least 32");
    without_environment();
}

int main(void)
{
    int fd = mkstemp(file);
    if (fd < 0)
        return EXIT_FAILURE;
    close(fd);
    without_environment();
    RUN(a_secret_has_at_least_32_bytes);
    RUN(the_file_loses_one_line_end);
    RUN(a_secret_of_any_bytes);
    RUN(bad_files_are_named);
    RUN(the_environment_stands_behind_the_file);
    unlink(file);
    return test_end();
}

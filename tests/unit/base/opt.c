/* SPDX-License-Identifier: ISC */
#include "base/opt.h"

#include "base/mem.h"
#include "base/opt_common.h"
#include "lib/test.h"

#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS(OPT)                                                                               \
    OPT(url, 'u', "server-url", TEXT, "URL", "USUAL_URL", "x://fallback", NULL, "where it is")     \
    OPT(type, 't', "type", LIST, "GLOB", NULL, "a,b", NULL, "what to take")                        \
    OPT(count, 'n', "count", INT, "N", NULL, "7", "1..100", "how many")                            \
    OPT(size, 0, "size", SIZE, "BYTES", NULL, "4k", NULL, "how large")                             \
    OPT(wait, 'w', "wait", DURATION, "TIME", NULL, NULL, NULL, "how long")                         \
    OPT(all, 'a', "all", FLAG, NULL, NULL, NULL, NULL, "leave nothing out")                        \
    OPT(mode, 0, "mode", TEXT, "MODE", BASE_OPT_NO_ENV, "none", NULL, "asked for each time")       \
    OPT(shared, 0, "shared", TEXT, "X", BASE_OPT_SHARED_OR("USUAL_X"), NULL, NULL, "as in others") \
    BASE_OPT_COMMON_LOG(OPT)

struct settings {
    OPTIONS(BASE_OPT_MEMBER)
};
static const struct base_opt rows[] = {OPTIONS(BASE_OPT_ROW)};

static bool help_about(const char *topic)
{
    if (strcmp(topic, "types") == 0)
        printf("the types\n");
    return strcmp(topic, "types") == 0;
}

static const struct base_opt_program program = {
    .name = "arda-test",
    .operands = "[FILE...]",
    .about = "Tests options.",
    .after = "Example: none",
    .help_topic = help_about,
    .rows = rows,
    .row_count = BASE_OPT_COUNT_OF(rows),
};

#define MAX_ARGS 12

struct call {
    struct settings settings;
    struct base_why why;
    char *argv[MAX_ARGS + 2];
    char **operands;
    int argc;
};

/* The arguments, separated by blanks, in memory that may be written to. */
static void split(struct call *call, const char *line)
{
    memset(call, 0, sizeof *call);
    call->argv[call->argc++] = strdup("arda-test");
    while (*line) {
        size_t len = strcspn(line, " ");
        call->argv[call->argc++] = strndup(line, len);
        line += len + (line[len] == ' ');
    }
}

static int parse(struct call *call, const char *line)
{
    split(call, line);
    return base_opt_parse(&program, &call->settings, call->argc, call->argv, &call->operands,
                          &call->why);
}

static void end(struct call *call)
{
    base_opt_fini(&program, &call->settings);
    for (int i = 0; i < call->argc; i++)
        free(call->argv[i]);
}

static void check_misuse(const char *line, int code, const char *text)
{
    struct call call;
    CHECK_INT(parse(&call, line), code);
    CHECK_INT(call.why.code, code);
    CHECK_STR(call.why.text, text);
    end(&call);
}

static void check_list(const struct base_opt_list *list, const char *want)
{
    char text[128] = "";
    for (size_t i = 0, len = 0; i < list->count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s;", list->items[i]);
    CHECK_STR(text, want);
}

static void takes_the_defaults(void)
{
    struct call call;
    CHECK_INT(parse(&call, ""), 0);
    CHECK_STR(call.settings.url, "x://fallback");
    check_list(&call.settings.type, "a;b;");
    CHECK_INT(call.settings.count, 7);
    CHECK_INT(call.settings.size, 4096);
    CHECK_INT(call.settings.wait, 0);
    CHECK(!call.settings.all && !call.settings.quiet);
    CHECK_INT(call.settings.log_format, 0);
    CHECK_INT(call.settings.verbose, 0);
    CHECK(*call.operands == NULL);
    end(&call);
}

static void takes_long_and_short_options(void)
{
    struct call call;
    CHECK_INT(parse(&call, "--server-url=x://h --type t1 -tt2,t3 -n 99 --size=1m -w1m -avqv "
                           "--log-format json"),
              0);
    CHECK_STR(call.settings.url, "x://h");
    check_list(&call.settings.type, "t1;t2,t3;");
    CHECK_INT(call.settings.count, 99);
    CHECK_INT(call.settings.size, 1 << 20);
    CHECK_INT(call.settings.wait, 60000);
    CHECK(call.settings.all && call.settings.quiet);
    CHECK_INT(call.settings.verbose, 2);
    CHECK_INT(call.settings.log_format, 1);
    end(&call);
}

static void the_last_of_repeated_options_counts(void)
{
    struct call call;
    CHECK_INT(parse(&call, "-ux://1 -n1 -n2 -ux://2 --server-url="), 0);
    CHECK_STR(call.settings.url, "");
    CHECK_INT(call.settings.count, 2);
    end(&call);
}

static void options_and_operands_may_be_mixed(void)
{
    struct call call;
    CHECK_INT(parse(&call, "one -n 3 two --all -- -n --all"), 4);
    CHECK_INT(call.settings.count, 3);
    CHECK(call.settings.all);
    CHECK_STR(call.operands[0], "one");
    CHECK_STR(call.operands[1], "two");
    CHECK_STR(call.operands[2], "-n");
    CHECK_STR(call.operands[3], "--all");
    CHECK(call.operands[4] == NULL);
    end(&call);
}

static void the_environment_stands_between_option_and_default(void)
{
    struct call call;
    setenv("USUAL_URL", "x://usual", 1);
    setenv("ARDA_TEST_TYPE", ",e1,,e2,", 1);
    setenv("ARDA_TEST_COUNT", "55", 1);
    setenv("ARDA_TEST_ALL", "yes", 1);
    setenv("ARDA_TEST_SIZE", "", 1);
    setenv("ARDA_VERBOSE", "3", 1);
    CHECK_INT(parse(&call, "-n 56"), 0);
    CHECK_INT(call.settings.verbose, 3);
    CHECK_STR(call.settings.url, "x://usual");
    check_list(&call.settings.type, "e1;e2;");
    CHECK_INT(call.settings.count, 56);
    CHECK_INT(call.settings.size, 4096);
    CHECK(call.settings.all);
    end(&call);
    setenv("ARDA_TEST_SERVER_URL", "x://own", 1);
    CHECK_INT(parse(&call, "-t o1 -v"), 0);
    CHECK_INT(call.settings.verbose, 1);
    CHECK_STR(call.settings.url, "x://own");
    check_list(&call.settings.type, "o1;");
    CHECK_INT(call.settings.count, 55);
    end(&call);
    CHECK_INT(parse(&call, "-u x://option"), 0);
    CHECK_STR(call.settings.url, "x://option");
    end(&call);
    unsetenv("USUAL_URL");
    unsetenv("ARDA_TEST_SERVER_URL");
    unsetenv("ARDA_TEST_TYPE");
    unsetenv("ARDA_TEST_COUNT");
    unsetenv("ARDA_TEST_ALL");
    unsetenv("ARDA_TEST_SIZE");
    unsetenv("ARDA_VERBOSE");
}

static void what_is_set_for_others_does_not_count(void)
{
    static const char *const foreign[] = {"ARDA_COUNT", "ARDA_OTHER_COUNT", "ARDA_TEST_MODE",
                                          "ARDA_MODE", "ARDA_TEST_SHARED"};
    struct call call;
    for (size_t i = 0; i < BASE_OPT_COUNT_OF(foreign); i++)
        setenv(foreign[i], "9", 1);
    CHECK_INT(parse(&call, ""), 0);
    CHECK_INT(call.settings.count, 7);
    CHECK_STR(call.settings.mode, "none");
    CHECK(call.settings.shared == NULL);
    end(&call);
    setenv("USUAL_X", "usual", 1);
    CHECK_INT(parse(&call, "--mode x"), 0);
    CHECK_STR(call.settings.shared, "usual");
    CHECK_STR(call.settings.mode, "x");
    end(&call);
    setenv("ARDA_SHARED", "ours", 1);
    CHECK_INT(parse(&call, ""), 0);
    CHECK_STR(call.settings.shared, "ours");
    end(&call);
    for (size_t i = 0; i < BASE_OPT_COUNT_OF(foreign); i++)
        unsetenv(foreign[i]);
    unsetenv("ARDA_SHARED");
    unsetenv("USUAL_X");
}

static void a_bad_environment_is_named(void)
{
    setenv("ARDA_TEST_COUNT", "many", 1);
    check_misuse("", BASE_ERR_CONFIG, "ARDA_TEST_COUNT: expected 1 to 100, got `many'");
    unsetenv("ARDA_TEST_COUNT");
    setenv("ARDA_LOG_FORMAT", "xml", 1);
    check_misuse("", BASE_ERR_CONFIG, "ARDA_LOG_FORMAT: expected one of text|json, got `xml'");
    unsetenv("ARDA_LOG_FORMAT");
    setenv("ARDA_VERBOSE", "loud", 1);
    check_misuse("", BASE_ERR_CONFIG, "ARDA_VERBOSE: expected 0 to 9, got `loud'");
    unsetenv("ARDA_VERBOSE");
}

static void misuse_is_explained_in_one_line(void)
{
    check_misuse("--count 101", BASE_ERR_INVALID, "--count: expected 1 to 100, got `101'");
    check_misuse("-n1x", BASE_ERR_INVALID, "--count: expected 1 to 100, got `1x'");
    check_misuse("--count", BASE_ERR_INVALID, "--count: expected an argument");
    check_misuse("a -n", BASE_ERR_INVALID, "--count: expected an argument");
    check_misuse("--all=1", BASE_ERR_INVALID, "--all: takes no argument");
    check_misuse("-az", BASE_ERR_INVALID, "unrecognized option '-z'");
    check_misuse("a --nothing b", BASE_ERR_INVALID, "unrecognized option '--nothing'");
}

static void secrets_are_neither_left_in_argv_nor_told(void)
{
    struct call call;
    CHECK_INT(parse(&call, "-u x://user:secret@h/0 --server-url=x://:se:cr@et@h --type x://h:1"),
              0);
    CHECK_STR(call.settings.url, "x://:se:cr@et@h");
    CHECK_STR(call.argv[2], "x://user:******@h/0");
    CHECK_STR(call.argv[3], "--server-url=x://:********@h");
    CHECK_STR(call.argv[5], "x://h:1");
    end(&call);
    check_misuse("--servr-url=x://user:secret@h", BASE_ERR_INVALID,
                 "unrecognized option '--servr-url'");
}

static void survives_every_failing_allocation(void)
{
    setenv("ARDA_TEST_SERVER_URL", "x://own", 1);
    for (long n = 1, failed = 1; failed; n++) {
        struct call call;
        split(&call, n % 2 ? "-t one -t two" : "-u x://a -u x://b --type three");
        base_mem_fail(n, 1);
        int result = base_opt_parse(&program, &call.settings, call.argc, call.argv, &call.operands,
                                    &call.why);
        base_mem_fail(0, 0);
        failed = result < 0;
        if (failed) {
            CHECK_INT(result, BASE_ERR_NOMEM);
            CHECK_INT(call.why.code, BASE_ERR_NOMEM);
            CHECK_STR(call.why.text, "out of memory");
        }
        CHECK(failed || n > 4);
        end(&call);
    }
    unsetenv("ARDA_TEST_SERVER_URL");
}

/* ---- what prints and exits, in a child ---- */

struct result {
    int status;
    char out[4096];
    char err[1024];
};

static void slurp(FILE *file, char *text, size_t size)
{
    rewind(file);
    size_t len = fread(text, 1, size - 1, file);
    text[len] = '\0';
    fclose(file);
}

static struct result start(const char *line)
{
    struct result result = {.status = -1};
    FILE *out = tmpfile(), *err = tmpfile();
    int status;
    if (!out || !err)
        abort();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct call call;
        dup2(fileno(out), STDOUT_FILENO);
        dup2(fileno(err), STDERR_FILENO);
        split(&call, line);
        int count = base_opt_start(&program, &call.settings, call.argc, call.argv, &call.operands);
        end(&call);
        fclose(out);
        fclose(err);
        exit(100 + count);
    }
    if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status))
        result.status = WEXITSTATUS(status);
    slurp(out, result.out, sizeof result.out);
    slurp(err, result.err, sizeof result.err);
    return result;
}

static void starts_or_exits_with_the_right_status(void)
{
    struct result result = start("one two -vvvv");
    CHECK_INT(result.status, 102);
    CHECK_STR(result.out, "");
    CHECK_STR(result.err, "");
    result = start("-n x");
    CHECK_INT(result.status, 64);
    CHECK_STR(result.out, "");
    CHECK_STR(result.err, "arda-test: --count: expected 1 to 100, got `x'\n"
                          "Try 'arda-test --help' for more information.\n");
    setenv("ARDA_TEST_COUNT", "x", 1);
    result = start("");
    CHECK_INT(result.status, 78);
    CHECK_STR(result.err, "arda-test: ARDA_TEST_COUNT: expected 1 to 100, got `x'\n");
    unsetenv("ARDA_TEST_COUNT");
}

static void prints_help_for_every_row(void)
{
    struct result result = start("-n 3 --help");
    CHECK_INT(result.status, 0);
    CHECK_STR(result.err, "");
    CHECK(strncmp(result.out, "usage: arda-test [OPTION]... [FILE...]\n\nTests options.\n", 54) ==
          0);
    for (size_t i = 0; i < BASE_OPT_COUNT_OF(rows); i++) {
        CHECK(strstr(result.out, rows[i].name) != NULL);
        CHECK(strstr(result.out, rows[i].help) != NULL);
    }
    CHECK(
        strstr(result.out, "  -n, --count=N           how many (default: 7) [ARDA_TEST_COUNT]\n"));
    CHECK(
        strstr(result.out, "      --size=BYTES        how large (default: 4k) [ARDA_TEST_SIZE]\n"));
    CHECK(strstr(result.out, "                          [ARDA_TEST_SERVER_URL, USUAL_URL]\n"));
    for (char *line = strtok(result.out, "\n"); line; line = strtok(NULL, "\n"))
        CHECK(strlen(line) <= 80);
}

static void help_may_have_topics(void)
{
    struct result result = start("--help types");
    CHECK_INT(result.status, 0);
    CHECK_STR(result.out, "the types\n");
    result = start("--help nothing");
    CHECK_INT(result.status, 64);
    CHECK(strstr(result.err, "no help for `nothing'"));
    result = start("-h -n");
    CHECK_INT(result.status, 0);
    CHECK(strstr(result.out, "usage: "));
}

static void prints_its_version(void)
{
    struct result result = start("-V");
    CHECK_INT(result.status, 0);
    CHECK(strncmp(result.out, "arda-test ", 10) == 0);
    CHECK(strlen(result.out) > 11 &&
          strchr(result.out, '\n') == result.out + strlen(result.out) - 1);
}

static void dumps_its_table(void)
{
    struct result result = start("--dump-options");
    CHECK_INT(result.status, 0);
    CHECK_STR(result.out, "u\tserver-url\ttext\tURL\tARDA_TEST_SERVER_URL,USUAL_URL\t-\n"
                          "t\ttype\tlist\tGLOB\tARDA_TEST_TYPE\t-\n"
                          "n\tcount\tint\tN\tARDA_TEST_COUNT\t-\n"
                          "-\tsize\tsize\tBYTES\tARDA_TEST_SIZE\t-\n"
                          "w\twait\tduration\tTIME\tARDA_TEST_WAIT\t-\n"
                          "a\tall\tflag\t-\tARDA_TEST_ALL\t-\n"
                          "-\tmode\ttext\tMODE\t-\t-\n"
                          "-\tshared\ttext\tX\tARDA_SHARED,USUAL_X\t-\n"
                          "-\tlog-format\tchoice\tFORMAT\tARDA_LOG_FORMAT\ttext|json\n"
                          "v\tverbose\tcount\t-\tARDA_VERBOSE\t-\n"
                          "q\tquiet\tflag\t-\tARDA_QUIET\t-\n"
                          "h\thelp\tflag\t-\t-\t-\n"
                          "V\tversion\tflag\t-\t-\t-\n");
}

int main(void)
{
    RUN(takes_the_defaults);
    RUN(takes_long_and_short_options);
    RUN(the_last_of_repeated_options_counts);
    RUN(options_and_operands_may_be_mixed);
    RUN(the_environment_stands_between_option_and_default);
    RUN(what_is_set_for_others_does_not_count);
    RUN(a_bad_environment_is_named);
    RUN(misuse_is_explained_in_one_line);
    RUN(secrets_are_neither_left_in_argv_nor_told);
    RUN(survives_every_failing_allocation);
    RUN(starts_or_exits_with_the_right_status);
    RUN(prints_help_for_every_row);
    RUN(help_may_have_topics);
    RUN(prints_its_version);
    RUN(dumps_its_table);
    return test_end();
}

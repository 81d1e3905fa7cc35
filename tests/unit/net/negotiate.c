/* SPDX-License-Identifier: ISC */
#include "net/codec/negotiate.h"

#include "lib/test.h"
#include "lib/trace.h"

#define TAKEN                                                                                      \
    "permessage-deflate; server_no_context_takeover; "                                             \
    "client_no_context_takeover"
#define TAKEN_15 TAKEN "; server_max_window_bits=15"

static const struct {
    const char *offer;
    const char *answer; /* NULL: declined */
} offers[] = {
    {"permessage-deflate", TAKEN},
    {"permessage-deflate; client_max_window_bits", TAKEN},
    {"permessage-deflate; client_max_window_bits=8", TAKEN},
    {"permessage-deflate;client_max_window_bits=15", TAKEN},
    {"permessage-deflate ; client_max_window_bits=\"10\"", TAKEN},
    {"permessage-deflate; server_no_context_takeover", TAKEN},
    {"permessage-deflate; client_no_context_takeover", TAKEN},
    {"permessage-deflate; server_no_context_takeover; client_no_context_takeover", TAKEN},
    {"permessage-deflate; server_max_window_bits=15", TAKEN_15},
    {"permessage-deflate; server_max_window_bits=\"15\"; client_max_window_bits", TAKEN_15},
    {"\tpermessage-deflate\t;\tclient_max_window_bits\t", TAKEN},
    {",, permessage-deflate,", TAKEN},
    {"x-webkit-deflate-frame, permessage-deflate", TAKEN},
    {"permessage-bzip2; level=\"9\", permessage-deflate", TAKEN},
    /* A window that is too small: the next offer. */
    {"permessage-deflate; server_max_window_bits=10", NULL},
    {"permessage-deflate; server_max_window_bits=14", NULL},
    {"permessage-deflate; server_max_window_bits=8, permessage-deflate", TAKEN},
    {"permessage-deflate; server_max_window_bits=9, permessage-deflate; server_max_window_bits=15",
     TAKEN_15},
    /* Not as section 7.1 has it. */
    {"permessage-deflate; server_max_window_bits", NULL},
    {"permessage-deflate; server_max_window_bits=", NULL},
    {"permessage-deflate; server_max_window_bits=16", NULL},
    {"permessage-deflate; server_max_window_bits=015", NULL},
    {"permessage-deflate; server_max_window_bits=1x", NULL},
    {"permessage-deflate; server_max_window_bits=115", NULL},
    {"permessage-deflate; client_max_window_bits=7", NULL},
    {"permessage-deflate; client_max_window_bits=16", NULL},
    {"permessage-deflate; client_max_window_bits=08", NULL},
    {"permessage-deflate; client_max_window_bits=0", NULL},
    {"permessage-deflate; client_max_window_bits=-9", NULL},
    {"permessage-deflate; client_max_window_bits=\"\"", NULL},
    {"permessage-deflate; server_no_context_takeover=1", NULL},
    {"permessage-deflate; client_no_context_takeover=\"\"", NULL},
    {"permessage-deflate; server_no_context_takeover; server_no_context_takeover", NULL},
    {"permessage-deflate; client_max_window_bits; client_max_window_bits=9", NULL},
    {"permessage-deflate; unknown", NULL},
    {"permessage-deflate; unknown=1, permessage-deflate", TAKEN},
    {"permessage-deflate; Client_Max_Window_Bits", NULL},
    {"permessage-deflat", NULL},
    {"permessage-deflates", NULL},
    {"Permessage-Deflate", NULL},
    /* Not as section 9.1 of RFC 6455 has it. */
    {"", NULL},
    {" ", NULL},
    {",", NULL},
    {";", NULL},
    {"permessage-deflate;", NULL},
    {"permessage-deflate; ,permessage-deflate", NULL},
    {"permessage-deflate=1", NULL},
    {"permessage-deflate client_max_window_bits", NULL},
    {"permessage-deflate; client_max_window_bits=\"9", NULL},
    {"permessage-deflate; client_max_window_bits=\"9 \"", NULL},
    {"permessage-deflate; client_max_window_bits=\"9\\\"", NULL},
    {"permessage-deflate; =9", NULL},
    {"permessage-deflate; client_max_window_bits 9", NULL},
    {"permessage-deflate\x01", NULL},
    {"permessage-deflate; \xc3\xa4", NULL},
};

/* In memory that ends where the text ends. */
static void takes_what_it_can(void)
{
    for (size_t i = 0; i < sizeof offers / sizeof *offers; i++) {
        size_t len = strlen(offers[i].offer);
        char *copy = trace_copy(offers[i].offer, len);
        const char *got = net_negotiate_deflate((struct base_slice){copy, len});
        const char *want = offers[i].answer;
        if (!got != !want || (got && strcmp(got, want) != 0))
            printf("# %s -> %s\n", offers[i].offer, got ? got : "(declined)");
        CHECK(got ? want && strcmp(got, want) == 0 : !want);
        free(copy);
    }
    CHECK(!net_negotiate_deflate((struct base_slice){NULL, 0}));
}

/* What is cut is not read beyond its end, and taken only when what is left is an offer. */
static void reads_no_further_than_the_end(void)
{
    static const char offer[] = "permessage-deflate; server_max_window_bits=\"15\"";
    for (size_t len = 0; len < sizeof offer - 1; len++) {
        char *copy = trace_copy(offer, len);
        bool taken = net_negotiate_deflate((struct base_slice){copy, len}) != NULL;
        CHECK(taken == (len == strlen("permessage-deflate")));
        free(copy);
    }
}

static const struct {
    const char *header;
    bool gzip;
} codings[] = {
    {"gzip", true},
    {"gzip, deflate, br", true},
    {"deflate, gzip;q=1.0, *;q=0.5", true},
    {"GZip", true},
    {"*", true},
    {"br, *;q=0.1", true},
    {"gzip;q=0.001", true},
    {"gzip ; Q=0.5", true},
    {"gzip;q=1, *;q=0", true},
    {"", false},
    {"identity", false},
    {"br, deflate", false},
    {"gzip;q=0", false},
    {"gzip;q=0.", false},
    {"gzip;q=0.000", false},
    {"gzip; Q=0, *", false},
    {"*, gzip;q=0", false},
    {"*;q=0", false},
    {"xgzip", false},
    {"gzipx", false},
    {"gzip;q", true},
    {"gzip;;", false},
    {"gzip q=1", false},
    {"br;q=", false},
};

static void asks_for_what_a_client_wants(void)
{
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
        size_t len = strlen(codings[i].header);
        char *copy = trace_copy(codings[i].header, len);
        bool got = net_negotiate_gzip((struct base_slice){copy, len});
        if (got != codings[i].gzip)
            printf("# %s\n", codings[i].header);
        CHECK(got == codings[i].gzip);
        free(copy);
    }
    CHECK(!net_negotiate_gzip((struct base_slice){NULL, 0}));
}

int main(void)
{
    RUN(takes_what_it_can);
    RUN(reads_no_further_than_the_end);
    RUN(asks_for_what_a_client_wants);
    return test_end();
}

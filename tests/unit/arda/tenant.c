/* SPDX-License-Identifier: ISC */
#include "arda/tenant.h"

#include "lib/test.h"

static bool valid(const char *id)
{
    return arda_id_valid(id, strlen(id));
}

static void takes_the_alphabet_and_nothing_else(void)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    for (int c = 0; c < 256; c++) {
        char id[] = {'a', (char)c, 'b'};
        bool allowed = c != 0 && strchr(alphabet, c) != NULL;
        if (arda_id_valid(id, sizeof id) != allowed)
            printf("# character %d\n", c);
        CHECK(arda_id_valid(id, sizeof id) == allowed);
        CHECK(arda_tenant_valid(id, sizeof id) == allowed);
        CHECK(arda_id_valid(id + 1, 1) == allowed);
    }
}

static void takes_1_to_64_characters(void)
{
    char id[ARDA_ID_MAX + 1];
    memset(id, 'x', sizeof id);
    for (size_t len = 0; len <= sizeof id; len++) {
        CHECK(arda_id_valid(id, len) == (len >= 1 && len <= 64));
        CHECK(arda_tenant_valid(id, len) == (len >= 1 && len <= 64));
    }
}

static void a_tenant_is_never_global(void)
{
    static const char *const fine[] = {"Global",  "globa", "globals", "GLOBAL",
                                       "global.", ".",     ".."};
    CHECK(!arda_tenant_valid("global", 6));
    CHECK(valid("global"));
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        CHECK(arda_tenant_valid(fine[i], strlen(fine[i])));
}

int main(void)
{
    RUN(takes_the_alphabet_and_nothing_else);
    RUN(takes_1_to_64_characters);
    RUN(a_tenant_is_never_global);
    return test_end();
}

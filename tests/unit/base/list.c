/* SPDX-License-Identifier: ISC */
#include "base/list.h"

#include "lib/test.h"

struct entry {
    int number;
    struct base_list link;
};

/* The numbers from front to back, one digit each, and the same from back to front. */
static const char *show(const struct base_list *head, char out[static 32])
{
    size_t len = 0, back = 0;
    char reverse[16];
    BASE_LIST_FOREACH (link, head)
        out[len++] = (char)('0' + base_container(link, struct entry, link)->number);
    for (const struct base_list *link = head->prev; link != head; link = link->prev)
        reverse[back++] = (char)('0' + base_container(link, struct entry, link)->number);
    CHECK_INT(back, len);
    for (size_t i = 0; i < len; i++)
        CHECK_INT(reverse[i], out[len - 1 - i]);
    out[len] = '\0';
    return out;
}

static void fill(struct base_list *head, struct entry *entries, int from, int to)
{
    base_list_init(head);
    for (int i = from; i < to; i++) {
        entries[i].number = i;
        base_list_append(head, &entries[i].link);
    }
}

static void keeps_the_order(void)
{
    struct base_list head;
    struct entry entries[5];
    char text[32];
    fill(&head, entries, 0, 0);
    CHECK(base_list_empty(&head));
    CHECK_STR(show(&head, text), "");
    fill(&head, entries, 0, 5);
    CHECK(!base_list_empty(&head));
    CHECK_STR(show(&head, text), "01234");
}

static void removes_first_last_middle_and_twice(void)
{
    struct base_list head;
    struct entry entries[5];
    char text[32];
    fill(&head, entries, 0, 5);
    base_list_remove(&entries[2].link);
    base_list_remove(&entries[2].link);
    CHECK(base_list_empty(&entries[2].link));
    CHECK_STR(show(&head, text), "0134");
    base_list_remove(&entries[0].link);
    base_list_remove(&entries[4].link);
    CHECK_STR(show(&head, text), "13");
    base_list_append(&head, &entries[2].link);
    CHECK_STR(show(&head, text), "132");
}

static void the_current_one_may_be_removed_while_walking(void)
{
    struct base_list head;
    struct entry entries[6];
    char text[32];
    fill(&head, entries, 0, 6);
    BASE_LIST_FOREACH_SAFE (link, &head)
        if (base_container(link, struct entry, link)->number % 2 == 0)
            base_list_remove(link);
    CHECK_STR(show(&head, text), "135");
    BASE_LIST_FOREACH_SAFE (link, &head)
        base_list_remove(link);
    CHECK(base_list_empty(&head));
}

static void splices_to_the_end(void)
{
    struct base_list head, other;
    struct entry entries[6];
    char text[32];
    fill(&head, entries, 0, 3);
    fill(&other, entries, 3, 6);
    base_list_splice(&head, &other);
    CHECK_STR(show(&head, text), "012345");
    CHECK(base_list_empty(&other));
    base_list_splice(&head, &other);
    CHECK_STR(show(&head, text), "012345");
    base_list_splice(&other, &head);
    CHECK_STR(show(&other, text), "012345");
    CHECK(base_list_empty(&head));
}

int main(void)
{
    RUN(keeps_the_order);
    RUN(removes_first_last_middle_and_twice);
    RUN(the_current_one_may_be_removed_while_walking);
    RUN(splices_to_the_end);
    return test_end();
}

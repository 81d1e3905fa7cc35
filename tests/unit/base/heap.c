/* SPDX-License-Identifier: ISC */
#include "base/heap.h"

#include "base/err.h"
#include "lib/test.h"

#define MANY 2000

struct item {
    unsigned key;
    size_t place;
};

static struct item items[MANY];

static bool before(const void *item, const void *other)
{
    return ((const struct item *)item)->key < ((const struct item *)other)->key;
}

static void placed(void *item, size_t place)
{
    ((struct item *)item)->place = place;
}

static unsigned draw(void)
{
    static unsigned state = 12345;
    state = state * 1103515245 + 12345;
    return state >> 16 & 0x7fff;
}

static void fill(struct base_heap *heap, size_t count)
{
    CHECK_INT(base_heap_reserve(heap, count), 0);
    for (size_t i = 0; i < count; i++) {
        items[i].key = draw() % 500;
        base_heap_add(heap, &items[i], before, placed);
    }
}

static void items_come_in_order(void)
{
    struct base_heap heap = {0};
    fill(&heap, MANY);
    unsigned last = 0;
    for (size_t i = 0; i < MANY; i++) {
        struct item *first = base_heap_first(&heap);
        CHECK_INT(first->place, 1);
        CHECK(first->key >= last);
        last = first->key;
        base_heap_remove(&heap, 1, before, placed);
    }
    CHECK(!base_heap_first(&heap));
    base_heap_fini(&heap);
}

static void items_know_their_place(void)
{
    struct base_heap heap = {0};
    fill(&heap, MANY);
    for (size_t i = 0; i < MANY; i += 3) {
        CHECK(heap.items[items[i].place - 1] == &items[i]);
        base_heap_remove(&heap, items[i].place, before, placed);
    }
    for (size_t i = 0; i < heap.count; i++)
        CHECK(i == 0 || !before(heap.items[i], heap.items[(i + 1) / 2 - 1]));
    base_heap_fini(&heap);
}

static void a_heap_without_places(void)
{
    struct base_heap heap = {0};
    CHECK_INT(base_heap_reserve(&heap, 3), 0);
    for (unsigned i = 0; i < 3; i++) {
        items[i].key = 3 - i;
        base_heap_add(&heap, &items[i], before, NULL);
    }
    CHECK(base_heap_first(&heap) == &items[2]);
    base_heap_fini(&heap);
}

static void memory_may_be_short(void)
{
    struct base_heap heap = {0};
    base_mem_fail(1, 1);
    CHECK_INT(base_heap_reserve(&heap, 1), BASE_ERR_NOMEM);
    base_mem_fail(0, 0);
    CHECK_INT(heap.cap, 0);
    CHECK_INT(base_heap_reserve(&heap, SIZE_MAX / 4), BASE_ERR_NOMEM);
    base_heap_fini(&heap);
}

int main(void)
{
    RUN(items_come_in_order);
    RUN(items_know_their_place);
    RUN(a_heap_without_places);
    RUN(memory_may_be_short);
    return test_end();
}

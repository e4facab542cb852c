#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "router/numberset.h"
#include "router/table.h"

enum { ITEMS = 2000 };

static int numbers[ITEMS];

static bool same(const void *item, const void *key)
{
    return *(const int *)item == *(const int *)key;
}

/* Few distinct hashes, so that runs are long and wrap around. */
static uint64_t hash_of(int number)
{
    return (uint64_t)(number % 37) * 0x9e3779b97f4a7c15u;
}

static void what_was_put_is_found_until_it_is_removed(void **state)
{
    struct table table = {0};
    bool in[ITEMS] = {0};

    (void)state;
    srand(7);
    for (int i = 0; i < ITEMS; i++)
        numbers[i] = i;
    for (int round = 0; round < 20000; round++) {
        int i = rand() % ITEMS;

        if (!in[i])
            assert_int_equal(table_put(&table, hash_of(i), &numbers[i]), HY_OK);
        else
            table_remove(&table, hash_of(i), &numbers[i]);
        in[i] = !in[i];
    }
    for (int i = 0; i < ITEMS; i++)
        assert_ptr_equal(table_find(&table, hash_of(i), same, &i), in[i] ? &numbers[i] : NULL);
    table_free(&table);
}

static void an_empty_table_has_nothing(void **state)
{
    struct table table = {0};
    int key = 1;

    (void)state;
    assert_null(table_find(&table, 5, same, &key));
    table_remove(&table, 5, &key);
    assert_int_equal(table.count, 0);
}

static void an_id_of_another_app_hashes_apart(void **state)
{
    (void)state;
    assert_int_not_equal(table_hash(1, "anna"), table_hash(2, "anna"));
    assert_int_equal(table_hash(1, "anna"), table_hash(1, "anna"));
}

static void a_number_is_in_the_set_until_it_is_removed(void **state)
{
    struct numberset set = {0};
    bool in[ITEMS] = {0};
    size_t count = 0;

    (void)state;
    srand(11);
    assert_false(numberset_has(&set, 1));
    numberset_remove(&set, 1);
    for (int round = 0; round < 40000; round++) {
        int i = rand() % ITEMS;
        uint64_t number = (uint64_t)(i % 50) << 8 | (uint64_t)(i + 1) << 32; /* long runs */

        assert_int_equal(numberset_has(&set, number), in[i]);
        if (in[i])
            numberset_remove(&set, number);
        else
            numberset_add(&set, number);
        count += in[i] ? -1 : 1;
        in[i] = !in[i];
        assert_int_equal(set.count, count);
    }
    numberset_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_until_it_is_removed),
        cmocka_unit_test(a_number_is_in_the_set_until_it_is_removed),
        cmocka_unit_test(an_empty_table_has_nothing),
        cmocka_unit_test(an_id_of_another_app_hashes_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

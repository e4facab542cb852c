#include "common/coord.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/shardmap.h"

/* One process's view, and what it was told, as lines. */
static struct view {
    struct hy_loop *loop;
    struct hy_coord *coord;
    char told[4096];
    enum hy_err err; /* of the last change */
    uint64_t revision;
    int done;
} view;

static char store_0[] = "store-0=tcp://10.0.0.1:7300", store_1[] = "store-1=tcp://10.0.0.2:7300";
static char router[] = "router-0=tcp://10.0.0.1:7100", id[] = "test";
static char presence[] = "presence-0=ipc:///tmp/a \"b\"";
static char *stores[] = {store_0, store_1}, *routers[] = {router}, *presences[] = {presence};
static struct hy_common_settings settings = {
    .cluster_id = id, .stores = {stores, 2}, .routers = {routers, 1}, .presences = {presences, 1}};

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
    size_t len = strlen(view.told);
    va_list args;

    va_start(args, format);
    vsnprintf(view.told + len, sizeof view.told - len, format, args);
    va_end(args);
}

static void changed(void *ctx, const struct hy_coord_value *value)
{
    struct hy_coord_value copy;

    assert_ptr_equal(ctx, &view);
    assert_int_equal(hy_coord_get(view.coord, value->key, &copy), value->text != NULL);
    if (value->text != NULL)
        assert_int_equal(value->len, strlen(value->text));
    tell("%s=%s\n", value->key, value->text != NULL ? value->text : "(gone)");
}

static void whole(void *ctx)
{
    (void)ctx;
    tell("whole\n");
}

static void leased(void *ctx)
{
    (void)ctx;
    tell("leased\n");
}

static void done(void *arg, enum hy_err err, uint64_t revision)
{
    assert_ptr_equal(arg, &view);
    view.err = err;
    view.revision = revision;
    view.done++;
    tell("done\n");
}

static void open_view(uint32_t lease_s)
{
    const struct hy_coord_handler handler = {.changed = changed, .whole = whole, .leased = leased};
    char why[256];

    view = (struct view){0};
    assert_int_equal(hy_loop_open(&view.loop), HY_OK);
    assert_int_equal(
        hy_coord_open(view.loop, &settings, lease_s, "", &handler, &view, &view.coord, why), HY_OK);
    assert_string_equal(view.told, "");
}

static void begin_view(uint32_t lease_s)
{
    open_view(lease_s);
    while (strstr(view.told, lease_s > 0 ? "leased\n" : "whole\n") == NULL)
        hy_loop_turn(view.loop, 1000);
    view.told[0] = '\0';
}

static void close_view(void)
{
    hy_coord_close(&view.coord);
    assert_null(view.coord);
    hy_loop_close(&view.loop);
}

/* Ask, wait, and give the outcome. */
static enum hy_err change(const struct hy_coord_guard *guards, size_t guard_count,
                          const struct hy_coord_put *puts, size_t put_count)
{
    const struct hy_coord_change c = {guards, guard_count, puts, put_count};
    int before = view.done;

    hy_coord_change(view.coord, &c, done, &view);
    assert_int_equal(view.done, before);
    while (view.done == before)
        hy_loop_turn(view.loop, 1000);
    return view.err;
}

static enum hy_err put(const char *key, const char *text, bool leased_put)
{
    const struct hy_coord_put p = {key, text, leased_put};

    return change(NULL, 0, &p, 1);
}

static enum hy_err put_if(const char *key, const char *text, enum hy_coord_test test,
                          uint64_t revision)
{
    const struct hy_coord_put p = {key, text, false};
    const struct hy_coord_guard g = {key, test, revision};

    return change(&g, 1, &p, 1);
}

static void what_the_settings_say_is_told_first(void **state)
{
    struct hy_coord_value value;
    struct hy_shardmap map;
    char why[128];

    (void)state;
    open_view(6);
    while (strstr(view.told, "leased\n") == NULL)
        hy_loop_turn(view.loop, 1000);
    assert_string_equal(view.told,
                        "map={\"epoch\":1,\"runs\":[[0,0],[8192,1]]}\n"
                        "node/presence/presence-0={\"endpoint\":\"ipc:///tmp/a \\\"b\\\"\"}\n"
                        "node/router/router-0={\"endpoint\":\"tcp://10.0.0.1:7100\"}\n"
                        "node/store/store-0={\"endpoint\":\"tcp://10.0.0.1:7300\",\"shard\":0}\n"
                        "node/store/store-1={\"endpoint\":\"tcp://10.0.0.2:7300\",\"shard\":1}\n"
                        "whole\nleased\n");
    assert_true(hy_coord_get(view.coord, "map", &value));
    assert_int_equal(hy_shardmap_parse(value.text, &map, why), HY_OK);
    assert_int_equal(map.shards, 2);
    assert_true(hy_coord_static(view.coord));
    assert_true(hy_coord_trusted_until_ms(view.coord) == UINT64_MAX);
    close_view();
}

static void a_change_shows_before_it_is_done(void **state)
{
    (void)state;
    begin_view(6);
    assert_int_equal(put("shard/0/state", "one", false), HY_OK);
    assert_int_equal(put("shard/0/state", "two", false), HY_OK);
    assert_int_equal(put("shard/0/state", NULL, false), HY_OK);
    assert_int_equal(put("shard/0/state", NULL, false), HY_OK);
    assert_string_equal(view.told, "shard/0/state=one\ndone\nshard/0/state=two\ndone\n"
                                   "shard/0/state=(gone)\ndone\ndone\n");
    close_view();
}

static void values_know_when_they_came_and_changed(void **state)
{
    struct hy_coord_value value;
    uint64_t first;

    (void)state;
    begin_view(6);
    assert_int_equal(put("a", "1", true), HY_OK);
    first = view.revision;
    assert_int_equal(put("b", "1", false), HY_OK);
    assert_true(view.revision > first);
    assert_int_equal(put("a", "2", true), HY_OK);
    assert_true(hy_coord_get(view.coord, "a", &value));
    assert_int_equal(value.created, first);
    assert_int_equal(value.changed, view.revision);
    assert_true(value.leased);
    assert_int_equal(put("a", NULL, false), HY_OK);
    assert_int_equal(put("a", "3", false), HY_OK);
    assert_true(hy_coord_get(view.coord, "a", &value));
    assert_int_equal(value.created, view.revision);
    assert_false(value.leased);
    close_view();
}

static void a_guard_that_does_not_hold_stops_all(void **state)
{
    struct hy_coord_value value;
    uint64_t revision;

    (void)state;
    begin_view(6);
    assert_int_equal(put_if("a", "1", HY_COORD_CREATED, 1), HY_EEXIST);
    assert_int_equal(put_if("a", "1", HY_COORD_CHANGED, 1), HY_EEXIST);
    assert_int_equal(put_if("a", "1", HY_COORD_ABSENT, 0), HY_OK);
    revision = view.revision;
    assert_int_equal(put_if("a", "2", HY_COORD_ABSENT, 0), HY_EEXIST);
    assert_int_equal(view.revision, 0);
    assert_int_equal(put_if("a", "2", HY_COORD_CHANGED, revision), HY_OK);
    assert_int_equal(put_if("a", "3", HY_COORD_CHANGED, revision), HY_EEXIST);
    assert_int_equal(put_if("a", "3", HY_COORD_CREATED, revision), HY_OK);

    const struct hy_coord_guard guards[] = {{"a", HY_COORD_CREATED, revision},
                                            {"map", HY_COORD_ABSENT, 0}};
    const struct hy_coord_put puts[] = {{"a", "4", false}, {"b", "4", false}};

    assert_int_equal(change(guards, 2, puts, 2), HY_EEXIST);
    assert_false(hy_coord_get(view.coord, "b", &value));
    assert_int_equal(change(guards, 1, puts, 2), HY_OK);
    assert_true(hy_coord_get(view.coord, "b", &value));
    assert_int_equal(value.changed, view.revision);
    close_view();
}

static void who_has_no_lease_leases_nothing(void **state)
{
    (void)state;
    begin_view(0);
    assert_int_equal(put("a", "1", true), HY_ECLOSED);
    assert_int_equal(put("a", NULL, true), HY_OK);
    assert_int_equal(put("a", "1", false), HY_OK);
    assert_true(hy_coord_trusted_until_ms(view.coord) == 0);
    close_view();
}

static void count_one(void *arg, const struct hy_coord_value *value)
{
    (void)value;
    ++*(int *)arg;
}

static void values_are_found_by_the_beginning_of_their_keys(void **state)
{
    int all = 0, nodes = 0, none = 0;

    (void)state;
    begin_view(6);
    assert_int_equal(put("node0", "", false), HY_OK);
    hy_coord_each(view.coord, "", count_one, &all);
    hy_coord_each(view.coord, "node/", count_one, &nodes);
    hy_coord_each(view.coord, "node/stores", count_one, &none);
    assert_int_equal(all, 6);
    assert_int_equal(nodes, 4);
    assert_int_equal(none, 0);
    close_view();
}

static void what_is_over_a_limit_is_refused_at_once(void **state)
{
    static char key[HY_COORD_KEY_MAX + 2], text[HY_COORD_VALUE_MAX + 2];
    const struct hy_coord_put long_key = {key, "", false}, long_text = {"a", text, false};
    const struct hy_coord_change changes[] = {{NULL, 0, &long_key, 1}, {NULL, 0, &long_text, 1}};

    (void)state;
    begin_view(6);
    memset(key, 'k', sizeof key - 1);
    memset(text, 't', sizeof text - 1);
    for (int i = 0; i < 2; i++) {
        hy_coord_change(view.coord, &changes[i], done, &view);
        assert_int_equal(view.done, i + 1);
        assert_int_equal(view.err, HY_ETOOBIG);
    }
    text[HY_COORD_VALUE_MAX] = '\0';
    key[HY_COORD_KEY_MAX] = '\0';
    assert_int_equal(put(key, text, false), HY_OK);
    close_view();
}

static void changes_on_the_way_are_forgotten_when_it_closes(void **state)
{
    const struct hy_coord_put p = {"a", "1", false};
    const struct hy_coord_change c = {NULL, 0, &p, 1};

    (void)state;
    begin_view(6);
    hy_coord_change(view.coord, &c, done, &view);
    hy_coord_change(view.coord, &c, done, &view);
    close_view();
    assert_int_equal(view.done, 0);
}

static void what_is_forgotten_is_done_and_not_told(void **state)
{
    const struct hy_coord_put p = {"a", "1", false};
    const struct hy_coord_change c = {NULL, 0, &p, 1};
    struct hy_coord_value value;

    (void)state;
    begin_view(6);
    hy_coord_change(view.coord, &c, done, &view);
    hy_coord_forget(view.coord, &view);
    while (!hy_coord_get(view.coord, "a", &value))
        hy_loop_turn(view.loop, 1000);
    assert_int_equal(put("b", "2", false), HY_OK); /* it comes after that */
    assert_int_equal(view.done, 1);
    close_view();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_settings_say_is_told_first),
        cmocka_unit_test(a_change_shows_before_it_is_done),
        cmocka_unit_test(values_know_when_they_came_and_changed),
        cmocka_unit_test(a_guard_that_does_not_hold_stops_all),
        cmocka_unit_test(who_has_no_lease_leases_nothing),
        cmocka_unit_test(values_are_found_by_the_beginning_of_their_keys),
        cmocka_unit_test(what_is_over_a_limit_is_refused_at_once),
        cmocka_unit_test(changes_on_the_way_are_forgotten_when_it_closes),
        cmocka_unit_test(what_is_forgotten_is_done_and_not_told),
    };

    return cmocka_run_group_tests_name("coord", tests, NULL, NULL);
}

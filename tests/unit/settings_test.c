#include "common/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct shop {
    struct hy_common_settings common;
    int64_t port, wait_ms;
    bool open;
    char *motto, *secret;
    struct hy_text_list goods;
};

static const struct hy_setting table[] = {
    HY_INT(struct shop, port, "listen.port", 7443, 1, 65535, false, "TCP port"),
    HY_INT(struct shop, wait_ms, "wait_ms", 1000, 1, 10000000000, true, "patience in ms"),
    HY_BOOL(struct shop, open, "open", true, true, "serves customers"),
    HY_TEXT(struct shop, motto, "motto", "hello", true, "on the door"),
    {"till.secret", HY_SET_TEXT, offsetof(struct shop, secret), 0, 0, "", false, true,
     "of the till"},
    HY_LIST(struct shop, goods, "goods", "tea,milk", true, "what there is"),
    {0},
};
static const struct hy_settings_spec spec = {"shop", table, sizeof(struct shop)};

static char dir[] = "/tmp/hy-settings-XXXXXX";
static char path[64], told[4096];
static struct shop *shop;

static void write_file(const char *name, const char *text)
{
    char file[128];
    FILE *f;

    snprintf(file, sizeof file, "%s/%s", dir, name);
    f = fopen(file, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Load text as the file; what was told is in told. */
static enum hy_err load(const char *text)
{
    FILE *errors = fmemopen(told, sizeof told, "w");
    void *settings = NULL;
    enum hy_err err;

    memset(told, 0, sizeof told);
    write_file("shop.conf", text);
    err = hy_settings_load(&spec, path, errors, &settings);
    fclose(errors);
    shop = settings;
    return err;
}

static enum hy_err reload(const char *text)
{
    FILE *errors = fmemopen(told, sizeof told, "w");
    void *settings = shop;
    enum hy_err err;

    memset(told, 0, sizeof told);
    write_file("shop.conf", text);
    err = hy_settings_reload(&spec, path, errors, &settings);
    fclose(errors);
    shop = settings;
    return err;
}

static void done(void)
{
    void *settings = shop;

    hy_settings_free(&spec, &settings);
    shop = NULL;
}

static void assert_told(const char *what)
{
    if (strstr(told, what) == NULL)
        fail_msg("\"%s\" is not in: %s", what, told);
}

static void an_empty_file_gives_the_defaults(void **state)
{
    (void)state;
    assert_int_equal(load(""), HY_OK);
    assert_int_equal(shop->port, 7443);
    assert_true(shop->open);
    assert_string_equal(shop->motto, "hello");
    assert_int_equal(shop->goods.count, 2);
    assert_string_equal(shop->goods.items[1], "milk");
    assert_string_equal(shop->common.name, "shop-0");
    assert_string_equal(shop->common.status_listen, "127.0.0.1:0");
    done();
}

static void groups_and_includes_are_read(void **state)
{
    (void)state;
    write_file("cluster.conf",
               "cluster: { id = \"c1\"; routers = [\"r0=tcp://127.0.0.1:1\"]; };\n");
    assert_int_equal(load("@include \"cluster.conf\"\nlisten: { port = 80; };\nopen = false;\n"
                          "goods = (\"a\");\nwait_ms = 9999999999L;\n"),
                     HY_OK);
    assert_int_equal(shop->port, 80);
    assert_int_equal(shop->wait_ms, 9999999999);
    assert_false(shop->open);
    assert_int_equal(shop->goods.count, 1);
    assert_string_equal(shop->common.cluster_id, "c1");
    assert_string_equal(shop->common.routers.items[0], "r0=tcp://127.0.0.1:1");
    done();
}

static void errors_say_where_and_what(void **state)
{
    static const struct {
        const char *text, *told;
    } rows[] = {
        {"listen: {\n port = 0;\n};", "shop.conf:2: listen.port: out of range, from 1 to 65535"},
        {"listen: { prot = 80; };", "unknown key listen.prot; did you mean listen.port?"},
        {"\nport = 80;", "shop.conf:2: unknown key port; did you mean listen.port?"},
        {"zebra = 80;", "unknown key zebra; --help lists the keys"},
        {"open = 1;", "open: wrong type, give true or false"},
        {"goods = \"x\";", "goods: wrong type, give a list"},
        {"motto = 5;", "motto: wrong type, give a text"},
        {"wait_ms = 1.5;", "wait_ms: wrong type, give a whole number"},
        {"motto = ;", "shop.conf:1: syntax error"},
        {"@include \"none.conf\"", "cannot open include file"},
        {"log: { level = \"loud\"; };", "log.level: one of debug, info, warn, error"},
        {"cluster: { stores = [\"tcp://x:1\"]; };", "cluster.stores: name=endpoint"},
        {"name = \"a/b\";", "name: a name is"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(load(rows[i].text), HY_ECONFIG);
        assert_told(rows[i].told);
        assert_null(shop);
    }
    assert_int_equal(load("a1 = 1;\nb1 = 2;\n"), HY_ECONFIG);
    assert_told(":1: ");
    assert_told(":2: ");
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
    void *settings = NULL;
    FILE *errors = fmemopen(told, sizeof told, "w");

    (void)state;
    assert_int_equal(hy_settings_load(&spec, "/nowhere/x.conf", errors, &settings), HY_ECONFIG);
    assert_int_equal(hy_settings_load(&spec, dir, errors, &settings), HY_ECONFIG);
    fclose(errors);
    assert_told("No such file");
}

static void the_environment_overrides(void **state)
{
    (void)state;
    setenv("HONGYAN_SHOP__LISTEN__PORT", "81", 1);
    setenv("HONGYAN_SHOP__GOODS", "x,,y,", 1);
    setenv("HONGYAN_SHOP__NAME", "shop-7", 1);
    assert_int_equal(load("listen: { port = 80; };"), HY_OK);
    assert_int_equal(shop->port, 81);
    assert_int_equal(shop->goods.count, 2);
    assert_string_equal(shop->common.name, "shop-7");
    done();
    setenv("HONGYAN_SHOP__LISTEN__PORT", "many", 1);
    assert_int_equal(load(""), HY_ECONFIG);
    assert_told("HONGYAN_SHOP__LISTEN__PORT: listen.port: not a number");
    unsetenv("HONGYAN_SHOP__LISTEN__PORT");
    setenv("HONGYAN_SHOP__LISTEN__PROT", "1", 1);
    assert_int_equal(load(""), HY_ECONFIG);
    assert_told("HONGYAN_SHOP__LISTEN__PROT: no such setting");
    unsetenv("HONGYAN_SHOP__LISTEN__PROT");
    unsetenv("HONGYAN_SHOP__GOODS");
    unsetenv("HONGYAN_SHOP__NAME");
}

static void a_reload_is_all_or_nothing(void **state)
{
    (void)state;
    assert_int_equal(load("motto = \"one\"; listen: { port = 80; };"), HY_OK);
    assert_int_equal(reload("motto = \"two\"; listen: { port = 81; };"), HY_ECONFIG);
    assert_told("listen.port cannot change while running");
    assert_string_equal(shop->motto, "one");
    assert_int_equal(reload("motto = \"two\"; listen: { port = 80; ;"), HY_ECONFIG);
    assert_string_equal(shop->motto, "one");
    assert_int_equal(reload("motto = \"two\"; listen: { port = 80; };"), HY_OK);
    assert_string_equal(shop->motto, "two");
    done();
}

static void what_is_printed_can_be_read_again(void **state)
{
    char printed[4096] = "";
    FILE *out = fmemopen(printed, sizeof printed, "w");

    (void)state;
    assert_int_equal(load("motto = \"say \\\"hi\\\"\\\\\"; till: { secret = \"gold\"; }; wait_ms = "
                          "9999999999L; cluster: { id = \"c9\"; };"),
                     HY_OK);
    hy_settings_print(&spec, shop, out);
    fclose(out);
    done();
    assert_null(strstr(printed, "gold"));
    assert_int_equal(load(printed), HY_OK);
    assert_string_equal(shop->motto, "say \"hi\"\\");
    assert_string_equal(shop->secret, "***");
    assert_string_equal(shop->common.cluster_id, "c9");
    assert_int_equal(shop->wait_ms, 9999999999);
    done();
}

static void the_document_has_a_row_for_each_key(void **state)
{
    char text[8192] = "";
    FILE *out = fmemopen(text, sizeof text, "w");

    (void)state;
    hy_settings_document(&spec, out);
    fclose(out);
    assert_non_null(strstr(text, "| `listen.port` | `7443` | 1 to 65535 | restart | TCP port | "
                                 "`HONGYAN_SHOP__LISTEN__PORT` |"));
    assert_non_null(strstr(text, "`cluster.routers`"));
}

static void addresses_and_peers_are_split(void **state)
{
    char host[64], name[64], endpoint[256];
    uint16_t port;

    (void)state;
    assert_int_equal(hy_settings_address("127.0.0.1:80", host, &port), HY_OK);
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(port, 80);
    assert_int_equal(hy_settings_address("[::1]:0", host, &port), HY_OK);
    assert_string_equal(host, "::1");
    assert_int_equal(hy_settings_address("[]:1", host, &port), HY_ECONFIG);
    assert_int_equal(hy_settings_address("[::1:1", host, &port), HY_ECONFIG);
    assert_int_equal(hy_settings_address("host:65536", host, &port), HY_ECONFIG);
    assert_int_equal(hy_settings_address("host", host, &port), HY_ECONFIG);
    assert_int_equal(hy_settings_address(":80", host, &port), HY_ECONFIG);
    assert_int_equal(hy_settings_peer("r-0=ipc:///run/r", name, endpoint), HY_OK);
    assert_string_equal(name, "r-0");
    assert_string_equal(endpoint, "ipc:///run/r");
    assert_int_equal(hy_settings_peer("=tcp://x", name, endpoint), HY_ECONFIG);
    assert_int_equal(hy_settings_peer("r-0", name, endpoint), HY_ECONFIG);
    assert_int_equal(hy_settings_peer("r-0=http://x", name, endpoint), HY_ECONFIG);
}

static int make_dir(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s/shop.conf", mkdtemp(dir));
    return 0;
}

static int drop_dir(void **state)
{
    char file[128];

    (void)state;
    snprintf(file, sizeof file, "%s/cluster.conf", dir);
    unlink(file);
    unlink(path);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_gives_the_defaults),
        cmocka_unit_test(groups_and_includes_are_read),
        cmocka_unit_test(errors_say_where_and_what),
        cmocka_unit_test(a_file_that_cannot_be_read_is_an_error),
        cmocka_unit_test(the_environment_overrides),
        cmocka_unit_test(a_reload_is_all_or_nothing),
        cmocka_unit_test(what_is_printed_can_be_read_again),
        cmocka_unit_test(the_document_has_a_row_for_each_key),
        cmocka_unit_test(addresses_and_peers_are_split),
    };

    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}

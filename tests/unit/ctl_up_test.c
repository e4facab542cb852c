#include "ctl/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "common/body.h"
#include "ctl/certificate.h"
#include "ctl/child.h"
#include "ctl/conf.h"
#include "ctl/irc.h"
#include "ctl/plan.h"

static char dir[] = "/tmp/hy-ctl-XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static int remove_dir(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static const char *write_file(const char *name, const char *text)
{
    static char path[4096];

    files_path(path, "%s/%s", dir, name);
    assert_int_equal(files_write(path, text, strlen(text)), HY_OK);
    return path;
}

static void what_is_written_is_ours_alone(void **state)
{
    struct stat st;
    size_t len = 0;
    const char *path = write_file("secret", "hush");
    char *text = files_read(path, &len);

    (void)state;
    assert_string_equal(text, "hush");
    assert_int_equal(len, 4);
    free(text);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_null(files_read("/nowhere/at/all", NULL));
    assert_int_equal(files_write("/nowhere/at/all", "x", 1), HY_EIO);
}

static void the_certificate_fits_its_key_and_this_machine(void **state)
{
    char certificate[4096], key[4096];
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    FILE *file = NULL;
    X509 *x509 = NULL;

    (void)state;
    files_path(certificate, "%s/tls.crt", dir);
    files_path(key, "%s/tls.key", dir);
    assert_int_equal(certificate_make(certificate, key), HY_OK);
    assert_int_equal(SSL_CTX_use_certificate_chain_file(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM), 1);
    assert_int_equal(SSL_CTX_check_private_key(context), 1);
    SSL_CTX_free(context);
    file = fopen(certificate, "r");
    x509 = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    assert_int_equal(X509_check_ip_asc(x509, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_host(x509, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(x509, "example.com", 0, 0, NULL), 0);
    X509_free(x509);
}

static void settings_become_a_file_with_groups(void **state)
{
    char path[4096];
    json_t *tree = json_object();
    char *text = NULL;

    (void)state;
    assert_int_equal(conf_set_text(tree, "listen.tcp", "127.0.0.1:0"), HY_OK);
    assert_int_equal(conf_set_text(tree, "heartbeat_ms", "1000"), HY_OK);
    assert_int_equal(conf_set_text(tree, "listen.rest", "a\"b"), HY_OK);
    assert_int_equal(conf_set_text(tree, "big", "5000000000"), HY_OK);
    assert_int_equal(conf_set_text(tree, "heartbeat_ms", "2000"), HY_OK); /* the last one counts */
    files_path(path, "%s/x.conf", dir);
    assert_int_equal(conf_write(path, "cluster.conf", tree), HY_OK);
    text = files_read(path, NULL);
    assert_non_null(strstr(text,
                           "@include \"cluster.conf\"\nlisten = {\ntcp = \"127.0.0.1:0\";\n"
                           "rest = \"a\\\"b\";\n};\nheartbeat_ms = 2000;\nbig = 5000000000L;\n"));
    free(text);
    json_decref(tree);
}

static void a_log_gives_its_lines_and_speakers(void **state)
{
    struct irc_day day;
    const char *path =
        write_file("2005-01-01.train-a.log",
                   "[00:01] <anna> hello: [x] <y>\n"
                   "=== ben has joined #ubuntu\n"
                   "[00:02] <ben> \xe9t\xe9\r\n"
                   "[00:02] <ben> \n"
                   "[23:59] <a-nick-that-is-longer-than-an-account-may-be> na\xc3\xafve\n"
                   "[12:00] * anna waves");

    (void)state;
    assert_int_equal(irc_read(path, &day), HY_OK);
    assert_string_equal(day.name, "2005-01-01.train-a");
    assert_int_equal(day.line_count, 3);
    assert_int_equal(day.user_count, 3);
    assert_string_equal(day.lines[0].text, "hello: [x] <y>");
    assert_string_equal(day.lines[1].text, "\xc3\xa9t\xc3\xa9"); /* read as Latin-1 */
    assert_string_equal(day.lines[2].text, "na\xc3\xafve");
    assert_int_equal(day.lines[2].minute, 23 * 60 + 59);
    assert_true(hy_account_ok(day.users[2]));
    assert_true(day.other == 2 && day.empty == 1 && day.converted == 1);
    irc_free(&day);
    assert_int_equal(irc_read(write_file("silence.log", "=== nobody\n"), &day), HY_EMALFORMED);
    assert_int_equal(irc_read("/nowhere/at/all", &day), HY_EIO);
}

static void ports_are_read_as_they_were_told(void **state)
{
    struct child child = {0};

    (void)state;
    child.ports =
        child_read_ports(write_file("x.ports", "status=80\ntcp=127.0.0.1:81\nws=82\n"), "0.0.0.0");
    assert_int_equal(child_port(&child, "status"), 80);
    assert_string_equal(json_string_value(json_object_get(child.ports, "status")), "127.0.0.1:80");
    assert_string_equal(json_string_value(json_object_get(child.ports, "ws")), "0.0.0.0:82");
    assert_int_equal(child_port(&child, "tcp"), 81);
    assert_int_equal(child_port(&child, "tls"), 0);
    json_decref(child.ports);
    assert_null(child_read_ports("/nowhere/at/all", ""));
}

static void who_dies_comes_back_at_once_and_then_ever_later(void **state)
{
    struct child child = {.pid = 5, .ports_told = true, .start_ms = UINT64_MAX};
    uint64_t pause = 0;

    (void)state;
    child_ended(&child, 9, 100000);
    assert_int_equal(child.start_ms, 100000);
    child.ports_told = false;
    for (int i = 0; i < 12; i++) {
        child.started_ms = 200000;
        child_ended(&child, 256, 200000);
        assert_true(child.start_ms - 200000 >= pause);
        pause = child.start_ms - 200000;
    }
    assert_in_range(pause, 5000, 10000);
    child.ports_told = true; /* it came up, and lasted */
    child.started_ms = 300000;
    child_ended(&child, 9, 301000);
    assert_int_equal(child.start_ms, 301000);
}

static void ports_that_may_be_taken_are_given_up(void **state)
{
    struct child child = {.ports = json_pack("{s:s}", "tcp", "127.0.0.1:80")};

    (void)state;
    child.started_ms = 1000;
    child_ended(&child, 9, 1010); /* killed: no fault of the ports */
    assert_int_equal(child_port(&child, "tcp"), 80);
    child_ended(&child, 256, 1010);
    assert_int_equal(child_port(&child, "tcp"), 0);
    json_decref(child.ports);
}

static void settings_go_to_the_processes_they_name(void **state)
{
    const char *good[] = {"gateway.heartbeat_ms=5", "gateway-1.heartbeat_ms=6"},
               *bad[] = {"gatway.x=1"};
    struct plan plan = {
        .bus = "ipc", .host = "127.0.0.1", .gateways = 2, .routers = 1, .presences = 1};
    struct layout layout = {.dir = dir, .ipc = dir, .id = dir};
    const struct command command = {"up", "", "", NULL};
    char path[4096];
    char *text = NULL;

    (void)state;
    plan.shards = 1;
    plan.sets = (struct arg_list){good, 2};
    assert_int_equal(plan_check(&command, &plan), HY_OK);
    files_path(path, "%s/conf", dir);
    assert_int_equal(files_make_dir(path), HY_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(plan_write_process(&plan, &layout, PART_GATEWAY, i, NULL, NULL), HY_OK);
    files_path(path, "%s/conf/gateway-0.conf", dir);
    text = files_read(path, NULL);
    assert_non_null(strstr(text, "heartbeat_ms = 5;"));
    free(text);
    files_path(path, "%s/conf/gateway-1.conf", dir);
    text = files_read(path, NULL);
    assert_non_null(strstr(text, "heartbeat_ms = 6;"));
    free(text);
    plan.sets = (struct arg_list){bad, 1};
    assert_int_equal(plan_check(&command, &plan), HY_ECONFIG);
}

static void write_data(const char *name, const char *text)
{
    char folder[4096], path[4096];

    files_path(folder, "%s/data", dir);
    assert_int_equal(files_make_dir(folder), HY_OK);
    files_path(path, "data/%s", name);
    (void)write_file(path, text);
}

static void shards_that_are_gone_are_not_started(void **state)
{
    struct layout layout = {.dir = dir, .ipc = dir};
    struct plan plan = {.dir = dir, .bus = "ipc", .etcd = 1, .replicas = 2, .shards = 2};
    struct plan fixed = {.dir = dir, .bus = "ipc", .shards = 2};
    char path[4096], name[32];
    char *text;
    json_t *endpoints;

    (void)state;
    write_data("shards", "3 1");
    assert_int_equal(plan_settle_shards(&fixed, &layout), HY_ECONFIG);
    assert_int_equal(plan_settle_shards(&plan, &layout), HY_OK); /* it began with two */
    assert_int_equal(plan_count(&plan, PART_STORE), 6);
    endpoints = plan_endpoints(&plan, &layout, PART_STORE);
    for (size_t i = 0; i < 6; i++) {
        plan_name(&plan, PART_STORE, i, name);
        assert_int_equal(plan_gone(&plan, PART_STORE, i), strncmp(name, "store-1", 7) == 0);
        assert_int_equal(json_is_null(json_array_get(endpoints, i)),
                         plan_gone(&plan, PART_STORE, i));
    }
    json_decref(endpoints);
    plan.shards++;
    plan.gone[2] = true;
    assert_int_equal(plan_write_shards(&plan, &layout), HY_OK);
    files_path(path, "%s/data/shards", dir);
    text = files_read(path, NULL);
    assert_string_equal(text, "4 1 2");
    free(text);
}

static void what_was_restored_starts_with_as_many_copies(void **state)
{
    struct layout layout = {.dir = dir};
    struct plan as_it_is = {.dir = dir}, more = {.dir = dir, .replicas = 3, .etcd = 1},
                fewer = {.dir = dir, .replicas = 1};

    (void)state;
    write_data("restored", "2");
    assert_int_equal(plan_settle_copies(&as_it_is), HY_OK);
    assert_int_equal(as_it_is.replicas, 2);
    assert_int_equal(as_it_is.etcd, 1);
    assert_int_equal(plan_settle_copies(&more), HY_ECONFIG);
    assert_int_equal(plan_settle_copies(&fewer), HY_OK);
    assert_int_equal(fewer.etcd, 1);
    write_data("restored", "0"); /* for one machine: with etcd its folders have other names */
    assert_int_equal(plan_settle_copies(&more), HY_ECONFIG);
    plan_copies_settled(&layout);
    assert_int_equal(plan_settle_copies(&more), HY_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_ours_alone),
        cmocka_unit_test(the_certificate_fits_its_key_and_this_machine),
        cmocka_unit_test(settings_become_a_file_with_groups),
        cmocka_unit_test(a_log_gives_its_lines_and_speakers),
        cmocka_unit_test(ports_are_read_as_they_were_told),
        cmocka_unit_test(who_dies_comes_back_at_once_and_then_ever_later),
        cmocka_unit_test(ports_that_may_be_taken_are_given_up),
        cmocka_unit_test(settings_go_to_the_processes_they_name),
        cmocka_unit_test(shards_that_are_gone_are_not_started),
        cmocka_unit_test(what_was_restored_starts_with_as_many_copies),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

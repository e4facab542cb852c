/* etcd_fixture - a real etcd of one or three members in a directory of its own, and processes'
 * views of what it coordinates. Ports are free ones; what is started dies with the test. */

#ifndef TESTS_UNIT_ETCD_FIXTURE_H
#define TESTS_UNIT_ETCD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/coord.h"

enum { MEMBERS = 3, PATIENCE_MS = 60000, LEASE_S = 6, TEXT = 1024 };

/* ---- etcd ---- */

struct member {
    pid_t pid; /* 0: not running */
    unsigned client_port, peer_port;
};

static struct etcd {
    char dir[64];
    int count;
    bool tls; /* with certificates for both sides, in dir */
    struct member members[MEMBERS];
    char endpoint[MEMBERS][64];
    char *endpoints[MEMBERS];
} etcd;

/* Run a shell command in etcd's directory. */
__attribute__((format(printf, 1, 2))) static inline void shell(const char *format, ...)
{
    char command[4 * TEXT], whole[5 * TEXT];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    snprintf(whole, sizeof whole, "cd %s && { %s; } >>shell.log 2>&1", etcd.dir, command);
    if (system(whole) != 0)
        fail_msg("failed: %s", command);
}

static inline unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* Begin a program that ends with the test. */
static inline pid_t spawn(const char *const *argv, const char *log)
{
    pid_t parent = getpid(), pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

    if (fd < 0 || getppid() != parent)
        _exit(126);
    dup2(fd, 1);
    dup2(fd, 2);
    setenv("ASAN_OPTIONS", "detect_leaks=0", 0);
    execv(argv[0], (char *const *)argv);
    _exit(127);
}

static inline void etcd_run(int i)
{
    struct member *m = &etcd.members[i];
    const char *scheme = etcd.tls ? "https" : "http";
    char name[16], data[96], client[64], peer[64], all[4 * TEXT] = "", log[96];
    char cert[96], key[96], ca[96];

    for (int k = 0; k < etcd.count; k++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%sm%d=http://127.0.0.1:%u",
                 k > 0 ? "," : "", k, etcd.members[k].peer_port);
    snprintf(name, sizeof name, "m%d", i);
    snprintf(data, sizeof data, "%s/%s", etcd.dir, name);
    snprintf(log, sizeof log, "%s/%s.log", etcd.dir, name);
    snprintf(client, sizeof client, "%s://127.0.0.1:%u", scheme, m->client_port);
    snprintf(peer, sizeof peer, "http://127.0.0.1:%u", m->peer_port);
    snprintf(cert, sizeof cert, "%s/server.pem", etcd.dir);
    snprintf(key, sizeof key, "%s/server.key", etcd.dir);
    snprintf(ca, sizeof ca, "%s/ca.pem", etcd.dir);
    const char *argv[] = {"/usr/bin/etcd",
                          "--name",
                          name,
                          "--data-dir",
                          data,
                          "--listen-client-urls",
                          client,
                          "--advertise-client-urls",
                          client,
                          "--listen-peer-urls",
                          peer,
                          "--initial-advertise-peer-urls",
                          peer,
                          "--initial-cluster",
                          all,
                          "--unsafe-no-fsync",
                          "--log-outputs",
                          "stderr",
                          etcd.tls ? "--cert-file" : NULL,
                          cert,
                          "--key-file",
                          key,
                          "--trusted-ca-file",
                          ca,
                          "--client-cert-auth",
                          NULL};

    m->pid = spawn(argv, log);
}

static inline void etcd_signal(int i, int number)
{
    assert_true(etcd.members[i].pid > 0);
    assert_int_equal(kill(etcd.members[i].pid, number), 0);
    if (number == SIGKILL) {
        waitpid(etcd.members[i].pid, NULL, 0);
        etcd.members[i].pid = 0;
    }
}

static inline void etcd_start(int count, bool tls)
{
    etcd = (struct etcd){.count = count, .tls = tls};
    strcpy(etcd.dir, "/tmp/hy-etcd-XXXXXX");
    assert_non_null(mkdtemp(etcd.dir));
    for (int i = 0; i < count; i++) {
        etcd.members[i].client_port = free_port();
        etcd.members[i].peer_port = free_port();
        snprintf(etcd.endpoint[i], sizeof etcd.endpoint[i], "%s://127.0.0.1:%u",
                 tls ? "https" : "http", etcd.members[i].client_port);
        etcd.endpoints[i] = etcd.endpoint[i];
    }
    if (tls)
        shell("for who in ca other; do"
              "  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9"
              "    -subj /CN=$who -keyout $who.key -out $who.pem; done;"
              "for who in server client; do"
              "  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$who"
              "    -keyout $who.key -out $who.csr &&"
              "  echo subjectAltName=IP:127.0.0.1 >san &&"
              "  openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9"
              "    -extfile san -out $who.pem || exit 1; done; chmod 600 *.key");
    for (int i = 0; i < count; i++)
        etcd_run(i);
}

static inline void etcd_stop(void)
{
    for (int i = 0; i < etcd.count; i++)
        if (etcd.members[i].pid > 0)
            etcd_signal(i, SIGKILL);
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", etcd.dir);
    if (system(command) != 0)
        fail_msg("cannot remove %s", etcd.dir);
}

/* etcdctl, until it works: etcd may still be starting. */
__attribute__((format(printf, 1, 2))) static inline void etcdctl(const char *format, ...)
{
    char words[2 * TEXT];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    shell("for i in $(seq 50); do ETCDCTL_API=3 etcdctl --endpoints %s %s && exit 0; sleep .2; "
          "done; exit 1",
          etcd.endpoint[0], words);
}

/* ---- views ---- */

/* One process's view, and what it was told: lines of the last TEXT bytes or so. */
struct view {
    struct hy_loop *loop;
    struct hy_coord *coord;
    char told[TEXT];
    int changes, wholes, leased, lost; /* how often */
    int done;
    enum hy_err err; /* of the last change */
    uint64_t revision;
    char why[256];
};

static inline void view_changed(void *ctx, const struct hy_coord_value *value)
{
    struct view *view = ctx;
    size_t len = strlen(view->told);

    if (len > TEXT / 2)
        view->told[len = 0] = '\0';
    snprintf(view->told + len, sizeof view->told - len, "%s=%.100s\n", value->key,
             value->text != NULL ? value->text : "(gone)");
    view->changes++;
}

static inline void view_whole(void *ctx)
{
    ((struct view *)ctx)->wholes++;
}

static inline void view_lost(void *ctx)
{
    ((struct view *)ctx)->lost++;
}

static inline void view_leased(void *ctx)
{
    ((struct view *)ctx)->leased++;
}

static inline void view_done(void *arg, enum hy_err err, uint64_t revision)
{
    struct view *view = arg;

    view->done++;
    view->err = err;
    view->revision = revision;
}

static char empty[] = "", prefix[] = "/hongyan", cluster[] = "test";

static inline struct hy_common_settings etcd_settings(void)
{
    return (struct hy_common_settings){.cluster_id = cluster,
                                       .etcd_endpoints = {etcd.endpoints, (size_t)etcd.count},
                                       .etcd_prefix = prefix,
                                       .etcd_user = empty,
                                       .etcd_password_file = empty,
                                       .etcd_ca = empty,
                                       .etcd_certificate = empty,
                                       .etcd_key = empty};
}

static inline enum hy_err view_open(struct view *view, struct hy_loop *loop,
                                    const struct hy_common_settings *settings, uint32_t lease_s,
                                    const char *lease_file)
{
    const struct hy_coord_handler handler = {view_changed, view_whole, view_lost, view_leased};

    *view = (struct view){.loop = loop};
    return hy_coord_open(loop, settings, lease_s, lease_file, &handler, view, &view->coord,
                         view->why);
}

#define UNTIL(loop, condition)                                                                     \
    do {                                                                                           \
        uint64_t until_ms = hy_steady_ms() + PATIENCE_MS;                                          \
        while (!(condition)) {                                                                     \
            hy_loop_turn(loop, 20);                                                                \
            if (hy_steady_ms() > until_ms)                                                         \
                fail_msg("%s:%d: never %s", __FILE__, __LINE__, #condition);                       \
        }                                                                                          \
    } while (0)

/* Turn the loop for a time. */
static inline void turn_for(struct hy_loop *loop, uint64_t ms)
{
    uint64_t until_ms = hy_steady_ms() + ms;

    while (hy_steady_ms() < until_ms)
        hy_loop_turn(loop, 20);
}

/* Ask without waiting. */
static inline void ask(struct view *view, const char *key, const char *text, bool leased,
                       enum hy_coord_test test, uint64_t revision)
{
    const struct hy_coord_put put = {key, text, leased};
    const struct hy_coord_guard guard = {key, test, revision};
    const struct hy_coord_change change = {&guard, revision != UINT64_MAX ? 1 : 0, &put, 1};

    hy_coord_change(view->coord, &change, view_done, view);
}

static inline enum hy_err outcome(struct view *view, int before)
{
    UNTIL(view->loop, view->done > before);
    return view->err;
}

static inline enum hy_err put_if(struct view *view, const char *key, const char *text,
                                 enum hy_coord_test test, uint64_t revision)
{
    int before = view->done;

    ask(view, key, text, false, test, revision);
    return outcome(view, before);
}

static inline enum hy_err put(struct view *view, const char *key, const char *text, bool leased)
{
    int before = view->done;

    ask(view, key, text, leased, HY_COORD_ABSENT, UINT64_MAX);
    return outcome(view, before);
}

/* Does the view show this text (NULL: nothing) under key? */
static inline bool shows(const struct view *view, const char *key, const char *text)
{
    struct hy_coord_value value;

    if (!hy_coord_get(view->coord, key, &value))
        return text == NULL;
    return text != NULL && strcmp(value.text, text) == 0;
}

#endif

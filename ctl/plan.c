#include "ctl/plan.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/conf.h"
#include "ctl/files.h"

enum { LOCAL_CONNECT_RATE = 50000 };

const char *const part_names[PARTS] = {"etcd", "store", "presence", "router", "gateway"};

size_t plan_copies(const struct plan *plan)
{
    return plan->replicas > 0 ? (size_t)plan->replicas : 1;
}

size_t plan_shard(const struct plan *plan, size_t i)
{
    return i / plan_copies(plan);
}

bool plan_gone(const struct plan *plan, enum part part, size_t i)
{
    return part == PART_STORE && plan->gone[plan_shard(plan, i)];
}

size_t plan_count(const struct plan *plan, enum part part)
{
    const int64_t counts[PARTS] = {plan->etcd, plan->shards * (int64_t)plan_copies(plan),
                                   plan->presences, plan->routers, plan->gateways};

    return (size_t)counts[part];
}

/* Replicas of one shard come one after the other. */
void plan_name(const struct plan *plan, enum part part, size_t i, char out[static 32])
{
    if (part == PART_STORE && plan->etcd > 0)
        snprintf(out, 32, "store-%zu%c", plan_shard(plan, i), (char)('a' + i % plan_copies(plan)));
    else
        snprintf(out, 32, "%s-%zu", part_names[part], i);
}

/* ---- --set ---- */

/* The length of the first word, or 0. */
static size_t head_of(const char *set)
{
    const char *dot = strchr(set, '.'), *equals = strchr(set, '=');

    return dot != NULL && equals != NULL && dot < equals ? (size_t)(dot - set) : 0;
}

static bool is_for(const char *set, const char *name, const char *component)
{
    size_t len = head_of(set);

    return (strlen(name) == len && memcmp(set, name, len) == 0) ||
           (strlen(component) == len && memcmp(set, component, len) == 0);
}

static bool is_known(const struct plan *plan, const char *set)
{
    char name[32];

    for (int part = PART_STORE; part < PARTS; part++) {
        size_t count = plan_count(plan, (enum part)part);

        if (count == 0)
            count = PLAN_MOST; /* stores, as many as the cluster was made with */
        for (size_t i = 0; i < count; i++) {
            plan_name(plan, (enum part)part, i, name);
            if (is_for(set, name, part_names[part]))
                return true;
        }
    }
    return false;
}

enum hy_err plan_check(const struct command *command, const struct plan *plan)
{
    if (strcmp(plan->bus, "ipc") != 0 && strcmp(plan->bus, "tcp") != 0) {
        args_wrong(command, "--bus is ipc or tcp, not %s", plan->bus);
        return HY_ECONFIG;
    }
    for (size_t i = 0; i < plan->sets.count; i++) {
        if (!is_known(plan, plan->sets.items[i])) {
            args_wrong(command,
                       "--set %s: write COMPONENT.KEY=VALUE, as in gateway.heartbeat_ms=1000",
                       plan->sets.items[i]);
            return HY_ECONFIG;
        }
    }
    return HY_OK;
}

static enum hy_err add_sets(const struct plan *plan, const char *name, const char *component,
                            json_t *tree)
{
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < plan->sets.count && err == HY_OK; i++) {
        const char *set = plan->sets.items[i], *value = strchr(set, '=') + 1;
        char key[128];

        if (!is_for(set, name, component))
            continue;
        snprintf(key, sizeof key, "%.*s", (int)(value - 1 - set - (ptrdiff_t)head_of(set) - 1),
                 set + head_of(set) + 1);
        err = conf_set_text(tree, key, value);
    }
    return err;
}

/* ---- endpoints ---- */

/* A port that was free a moment ago. */
static uint16_t free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint16_t port = 0;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
        getsockname(fd, (struct sockaddr *)&at, &size) == 0)
        port = ntohs(at.sin_port);
    if (fd >= 0)
        close(fd);
    return port;
}

json_t *plan_endpoint(const struct plan *plan, const struct layout *layout, enum part part,
                      size_t i)
{
    char name[32];

    plan_name(plan, part, i, name);
    if (part == PART_ETCD)
        return json_sprintf("%s=http://127.0.0.1:%u", name, free_port());
    return strcmp(plan->bus, "tcp") == 0 ? json_sprintf("%s=tcp://127.0.0.1:%u", name, free_port())
                                         : json_sprintf("%s=ipc://%s/%s", name, layout->ipc, name);
}

/* An etcd remembers its addresses: they are what they were when the cluster was made. */
static json_t *etcd_endpoints(const struct plan *plan, const struct layout *layout)
{
    char path[4096];
    json_t *list;

    files_path(path, "%s/data/etcd.json", layout->dir);
    list = json_load_file(path, 0, NULL);
    if (json_array_size(list) == 2 * plan_count(plan, PART_ETCD))
        return list;
    json_decref(list);
    list = json_array();
    for (size_t i = 0; i < 2 * plan_count(plan, PART_ETCD); i++) /* for clients, for members */
        json_array_append_new(list, plan_endpoint(plan, layout, PART_ETCD, i / 2));
    if (json_dump_file(list, path, 0) != 0)
        fprintf(stderr, "hongyanctl: %s cannot be written\n", path);
    return list;
}

json_t *plan_endpoints(const struct plan *plan, const struct layout *layout, enum part part)
{
    json_t *list = json_array();

    if (part == PART_ETCD && plan->etcd > 0) {
        json_decref(list);
        return etcd_endpoints(plan, layout);
    }
    for (size_t i = 0; i < plan_count(plan, part); i++)
        json_array_append_new(
            list, plan_gone(plan, part, i) ? json_null() : plan_endpoint(plan, layout, part, i));
    return list;
}

/* ---- files ---- */

/* The URLs of etcd for its clients. */
static enum hy_err add_etcd(const struct plan *plan, const json_t *endpoints, json_t *tree)
{
    json_t *urls = json_array();
    enum hy_err err;

    for (size_t i = 0; i < json_array_size(endpoints); i += 2)
        json_array_append_new(
            urls, json_string(strchr(json_string_value(json_array_get(endpoints, i)), '=') + 1));
    err = conf_set(tree, "etcd.endpoints", urls);
    if (err == HY_OK)
        err = conf_set(tree, "cluster.shards", json_integer(plan->shards));
    return err;
}

/* The first replica of each shard. */
static json_t *first_replicas(const struct plan *plan, const json_t *endpoints)
{
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(endpoints); i += plan_copies(plan))
        if (!plan_gone(plan, PART_STORE, i))
            json_array_append(list, json_array_get(endpoints, i));
    return list;
}

enum hy_err plan_write_cluster(const struct plan *plan, const struct layout *layout,
                               const json_t *const endpoints[PARTS], bool curve)
{
    char path[4096];
    json_t *tree = json_object();
    enum hy_err err = conf_set(tree, "cluster.id", json_string(layout->id));

    if (err == HY_OK && curve)
        err = conf_set(tree, "cluster.curve_dir", json_sprintf("%s/keys", layout->dir));
    if (err == HY_OK)
        err = conf_set(tree, "cluster.stores", first_replicas(plan, endpoints[PART_STORE]));
    if (err == HY_OK && plan->etcd > 0)
        err = add_etcd(plan, endpoints[PART_ETCD], tree);
    if (err == HY_OK)
        err = conf_set(tree, "cluster.presences", json_deep_copy(endpoints[PART_PRESENCE]));
    if (err == HY_OK)
        err = conf_set(tree, "cluster.routers", json_deep_copy(endpoints[PART_ROUTER]));
    files_path(path, "%s/conf/cluster.conf", layout->dir);
    if (err == HY_OK)
        err = conf_write(path, NULL, tree);
    json_decref(tree);
    return err;
}

static enum hy_err set_address(const struct plan *plan, const json_t *ports, const char *kind,
                               const char *key, json_t *tree)
{
    const char *fixed = json_string_value(json_object_get(ports, kind));

    return conf_set(tree, key,
                    fixed != NULL ? json_string(fixed) : json_sprintf("%s:0", plan->host));
}

static enum hy_err add_gateway(const struct plan *plan, const struct layout *layout,
                               const json_t *ports, json_t *tree)
{
    static const char *const listens[] = {"tcp", "tls", "ws", "wss", "rest"};
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < sizeof listens / sizeof *listens && err == HY_OK; i++) {
        char key[32];

        snprintf(key, sizeof key, "listen.%s", listens[i]);
        err = set_address(plan, ports, listens[i], key, tree);
    }
    if (err == HY_OK)
        err = conf_set(tree, "tls.certificate", json_sprintf("%s/keys/tls.crt", layout->dir));
    if (err == HY_OK)
        err = conf_set(tree, "tls.key", json_sprintf("%s/keys/tls.key", layout->dir));
    if (err == HY_OK)
        err = conf_set(tree, "resume_secret_file",
                       json_sprintf("%s/keys/resume.secret", layout->dir));
    if (err == HY_OK) /* all clients of a cluster on one machine come from one address */
        err = conf_set(tree, "connect_rate", json_integer(LOCAL_CONNECT_RATE));
    return err;
}

enum hy_err plan_write_process(const struct plan *plan, const struct layout *layout, enum part part,
                               size_t i, const json_t *endpoints, const json_t *ports)
{
    char path[4096], name[32];
    const char *endpoint = json_string_value(json_array_get(endpoints, i));
    const char *status = json_string_value(json_object_get(ports, "status"));
    json_t *tree = json_object();
    enum hy_err err = HY_OK;

    plan_name(plan, part, i, name);
    err = conf_set(tree, "name", json_string(name));
    if (err == HY_OK)
        err = conf_set(tree, "ports_file", json_sprintf("%s/run/%s.ports", layout->dir, name));
    if (err == HY_OK)
        err = conf_set(tree, "status.listen", json_string(status != NULL ? status : "127.0.0.1:0"));
    if (err == HY_OK && part == PART_GATEWAY)
        err = add_gateway(plan, layout, ports, tree);
    if (err == HY_OK && part != PART_GATEWAY)
        err = conf_set(tree, "bus.listen", json_string(strchr(endpoint, '=') + 1));
    if (err == HY_OK && part == PART_STORE)
        err = conf_set(tree, "data_dir", json_sprintf("%s/data/%s", layout->dir, name));
    if (err == HY_OK && part == PART_STORE)
        err = conf_set(tree, "shard", json_integer((json_int_t)plan_shard(plan, i)));
    if (err == HY_OK && part == PART_STORE && plan->etcd > 0 && plan_copies(plan) < 3)
        err = conf_set(tree, "min_insync", json_integer(1)); /* one may be away */
    if (err == HY_OK)
        err = add_sets(plan, name, part_names[part], tree);
    files_path(path, "%s/conf/%s.conf", layout->dir, name);
    if (err == HY_OK)
        err = conf_write(path, "cluster.conf", tree);
    json_decref(tree);
    return err;
}

#include "ctl/report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/files.h"
#include "ctl/plan.h"

/* How an address of a kind is written for those who use it. */
static const struct {
    const char *kind, *prefix;
} kinds[] = {
    {"rest", "http://"}, {"ws", "ws://"}, {"wss", "wss://"}, {"tcp", ""}, {"tls", ""},
};

static json_t *gateway_addresses(const struct child *child)
{
    json_t *out = json_object();

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *address = json_string_value(json_object_get(child->ports, kinds[i].kind));

        if (address != NULL)
            json_object_set_new(out, kinds[i].kind, json_sprintf("%s%s", kinds[i].prefix, address));
    }
    json_object_set_new(out, "name", json_string(child->name));
    return out;
}

static bool is_gone(const struct child *child)
{
    return child->removed && child->pid == 0;
}

/* Those that are there, or are to be. */
static json_t *present(const json_t *endpoints)
{
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(endpoints); i++)
        if (json_is_string(json_array_get(endpoints, i)))
            json_array_append(list, json_array_get(endpoints, i));
    return list;
}

static void add_etcd(const json_t *endpoints, json_t *out)
{
    json_t *urls = json_array();

    for (size_t i = 0; i < json_array_size(endpoints); i += 2)
        json_array_append_new(
            urls, json_string(strchr(json_string_value(json_array_get(endpoints, i)), '=') + 1));
    json_object_set_new(out, "etcd", urls);
}

static void add_processes(const struct child *children, size_t count, json_t *out)
{
    json_t *pids = json_object(), *metrics = json_object();

    for (size_t i = 0; i < count; i++) {
        const struct child *child = &children[i];

        if (child->part == PARTS || is_gone(child))
            continue;
        json_object_set_new(pids, child->name, json_integer(child->pid));
        if (child_port(child, "status") != 0)
            json_object_set_new(
                metrics, child->name,
                json_sprintf("http://127.0.0.1:%u/metrics", child_port(child, "status")));
    }
    json_object_set_new(out, "metrics", metrics);
    json_object_set_new(out, "pids", pids);
}

static void add_addresses(const struct child *children, size_t count, json_t *out)
{
    json_t *gateways = json_array();

    json_object_set_new(out, "gateways", gateways);
    for (size_t i = 0; i < count; i++) {
        const char *demo = json_string_value(json_object_get(children[i].ports, "http"));

        if (children[i].part == PART_GATEWAY && !children[i].removed)
            json_array_append_new(gateways, gateway_addresses(&children[i]));
        else if (children[i].part == PARTS && demo != NULL)
            json_object_set_new(out, "demo", json_sprintf("http://%s", demo));
    }
    json_object_update_missing(out, json_array_get(gateways, 0)); /* the first one's, at the top */
    json_object_del(out, "name");
}

json_t *report_make(const struct layout *layout, const struct child *children, size_t count,
                    const json_t *const endpoints[PARTS], bool curve)
{
    json_t *out = json_object(), *bus = json_object();

    add_addresses(children, count, out);
    add_processes(children, count, out);
    json_object_set_new(out, "apps", json_deep_copy(layout->apps));
    json_object_set_new(bus, "cluster_id", json_string(layout->id));
    json_object_set_new(bus, "curve_dir",
                        curve ? json_sprintf("%s/keys", layout->dir) : json_string(""));
    json_object_set_new(bus, "stores", present(endpoints[PART_STORE]));
    json_object_set_new(bus, "routers", present(endpoints[PART_ROUTER]));
    json_object_set_new(bus, "presences", present(endpoints[PART_PRESENCE]));
    if (json_array_size(endpoints[PART_ETCD]) > 0)
        add_etcd(endpoints[PART_ETCD], out);
    json_object_set_new(out, "bus", bus);
    json_object_set_new(out, "ca", json_sprintf("%s/keys/tls.crt", layout->dir));
    json_object_set_new(out, "supervisor", json_integer(getpid()));
    return out;
}

enum hy_err report_write(const struct layout *layout, const json_t *report)
{
    char path[4096];
    char *text = json_dumps(report, JSON_INDENT(2));
    enum hy_err err = HY_ENOMEM;

    files_path(path, "%s/cluster.json", layout->dir);
    if (text != NULL)
        err = files_write(path, text, strlen(text));
    free(text);
    return err;
}

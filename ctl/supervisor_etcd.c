/* The etcd of a local cluster: one or three members, each with its data in DIR/data. */

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "ctl/files.h"
#include "ctl/supervisor_inside.h"

static const char program[] = "/usr/bin/etcd";

/* The URL of member i; those for clients and those for members take turns. */
static const char *url_of(const struct supervisor *s, size_t i, bool for_members)
{
    const json_t *item = json_array_get(s->endpoints[PART_ETCD], 2 * i + for_members);

    return strchr(json_string_value(item), '=') + 1;
}

/* "etcd-0=http://...,etcd-1=http://..." */
static void members(const struct supervisor *s, char out[static 512])
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < plan_count(s->plan, PART_ETCD) && len < 512; i++)
        len += (size_t)snprintf(out + len, 512 - len, "%setcd-%zu=%s", i > 0 ? "," : "", i,
                                url_of(s, i, true));
}

/* It has no file of ports to write. */
static void note_ports(const struct supervisor *s, const struct child *child)
{
    char path[4096], text[128];
    int len = snprintf(text, sizeof text, "status=%s\n",
                       strrchr(url_of(s, child->number, false), ':') + 1);

    files_path(path, "%s/run/%s.ports", s->layout->dir, child->name);
    (void)!files_write(path, text, (size_t)len);
}

void supervisor_run_etcd(struct supervisor *s, struct child *child, const char *log)
{
    char data[4200], cluster[512];
    char *client = (char *)url_of(s, child->number, false);
    char *member = (char *)url_of(s, child->number, true);
    char *argv[] = {(char *)program,
                    (char *)"--name",
                    child->name,
                    (char *)"--data-dir",
                    data,
                    (char *)"--listen-client-urls",
                    client,
                    (char *)"--advertise-client-urls",
                    client,
                    (char *)"--listen-peer-urls",
                    member,
                    (char *)"--initial-advertise-peer-urls",
                    member,
                    (char *)"--initial-cluster",
                    cluster,
                    (char *)"--initial-cluster-state",
                    (char *)"new",
                    (char *)"--logger",
                    (char *)"zap",
                    (char *)"--log-level",
                    (char *)"warn",
                    NULL};

    members(s, cluster);
    snprintf(data, sizeof data, "%s/data/%s", s->layout->dir, child->name);
    child->pid = child_start(argv, log);
    if (child->pid > 0)
        note_ports(s, child);
}

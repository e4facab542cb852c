/* Processes that come to a running cluster, and leave it. hongyanctl writes what it wants into
 * DIR/run/change and sends SIGUSR2; the file goes when that is under way. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ctl/files.h"
#include "ctl/supervisor_inside.h"

static void add_one(struct supervisor *s, enum part part, size_t number)
{
    if (part != PART_GATEWAY)
        json_array_append_new(s->endpoints[part], plan_endpoint(s->plan, s->layout, part, number));
    if (supervisor_add(s, (int)part, number) == NULL)
        hy_log_error("process.not_added", "component=%s number=%zu", part_names[part], number);
}

static size_t next_gateway(const struct supervisor *s)
{
    size_t number = 0;

    for (size_t i = 0; i < s->count; i++)
        if (s->children[i].part == PART_GATEWAY && s->children[i].number >= number)
            number = s->children[i].number + 1;
    return number;
}

static void write_shards(const struct supervisor *s)
{
    enum hy_err err = plan_write_shards(s->plan, s->layout);

    if (err != HY_OK)
        hy_log_error("cluster.shards_not_written", "why=\"%s\"", hy_err_text(err));
}

/* All stores of one more; its number was never used. */
static void add_shard(struct supervisor *s)
{
    size_t first = plan_count(s->plan, PART_STORE);

    if (s->plan->shards == PLAN_SHARDS)
        return;
    s->plan->shards++;
    write_shards(s);
    for (size_t i = 0; i < plan_copies(s->plan); i++)
        add_one(s, PART_STORE, first + i);
}

static void add(struct supervisor *s, const char *what)
{
    if (strcmp(what, "shard") == 0)
        add_shard(s);
    else if (strcmp(what, "gateway") == 0)
        add_one(s, PART_GATEWAY, next_gateway(s));
    else if (strcmp(what, "router") == 0)
        add_one(s, PART_ROUTER, json_array_size(s->endpoints[PART_ROUTER]));
    else if (strcmp(what, "presence") == 0)
        add_one(s, PART_PRESENCE, json_array_size(s->endpoints[PART_PRESENCE]));
}

static void let_go(struct supervisor *s, struct child *child)
{
    child->removed = true;
    child->start_ms = UINT64_MAX;
    if (child->part != PART_GATEWAY)
        json_array_set_new(s->endpoints[child->part], child->number, json_null());
    if (child->part == PART_STORE) { /* the next start of all is without its shard */
        s->plan->gone[plan_shard(s->plan, child->number)] = true;
        write_shards(s);
    }
    if (child->pid > 0)
        kill(child->pid, SIGTERM);
}

static void take_away(struct supervisor *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++) {
        struct child *child = &s->children[i];

        if (strcmp(child->name, name) == 0 && child->part != PART_ETCD && child->part != PARTS)
            let_go(s, child);
    }
}

void supervisor_change(struct supervisor *s)
{
    char path[4096];
    char *text;

    files_path(path, "%s/run/change", s->layout->dir);
    text = files_read(path, NULL);
    if (text == NULL || s->stopping || !s->running) {
        free(text);
        return;
    }
    hy_log_info("cluster.change", "what=\"%s\"", text);
    if (strncmp(text, "add ", 4) == 0)
        add(s, text + 4);
    else if (strncmp(text, "remove ", 7) == 0)
        take_away(s, text + 7);
    unlink(path);
    free(text);
    supervisor_tick(s);
    supervisor_report(s);
}

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

static void add(struct supervisor *s, const char *component)
{
    int part = PART_PRESENCE;

    while (part < PARTS && strcmp(part_names[part], component) != 0)
        part++;
    if (part == PARTS)
        return;
    size_t number = part == PART_GATEWAY ? 0 : json_array_size(s->endpoints[part]);

    for (size_t i = 0; part == PART_GATEWAY && i < s->count; i++)
        if (s->children[i].part == part && s->children[i].number >= number)
            number = s->children[i].number + 1;
    if (part != PART_GATEWAY)
        json_array_append_new(s->endpoints[part],
                              plan_endpoint(s->plan, s->layout, (enum part)part, number));
    if (supervisor_add(s, part, number) == NULL)
        hy_log_error("process.not_added", "component=%s", component);
}

static void take_away(struct supervisor *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++) {
        struct child *child = &s->children[i];

        if (strcmp(child->name, name) != 0 || child->part < PART_PRESENCE || child->part == PARTS)
            continue;
        child->removed = true;
        child->start_ms = UINT64_MAX;
        if (child->part != PART_GATEWAY)
            json_array_set_new(s->endpoints[child->part], child->number, json_null());
        if (child->pid > 0)
            kill(child->pid, SIGTERM);
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

#include "presence/worker.h"

#include <stdlib.h>
#include <string.h>

struct worker *workers_find(const struct workers *workers, const char *name)
{
    for (struct worker *w = workers->first; w != NULL; w = w->next)
        if (strcmp(w->name, name) == 0)
            return w;
    return NULL;
}

struct worker *workers_make(struct workers *workers, const char *name, uint64_t now_ms)
{
    struct worker *worker = workers_find(workers, name);
    size_t len = strlen(name) + 1;

    if (worker != NULL)
        return worker;
    worker = calloc(1, sizeof *worker + len);
    if (worker == NULL)
        return NULL;
    memcpy(worker->name, name, len);
    lease_heard(&worker->lease, now_ms);
    worker->next = workers->first;
    workers->first = worker;
    return worker;
}

bool workers_registered(const struct workers *workers)
{
    for (const struct worker *w = workers->first; w != NULL; w = w->next)
        if (w->up && !w->registered)
            return false;
    return true;
}

bool workers_any_up(const struct workers *workers)
{
    for (const struct worker *w = workers->first; w != NULL; w = w->next)
        if (w->up)
            return true;
    return false;
}

void workers_tidy(struct workers *workers)
{
    for (struct worker **at = &workers->first; *at != NULL;) {
        struct worker *worker = *at;

        if (worker->up || worker->tally.count > 0) {
            at = &worker->next;
            continue;
        }
        *at = worker->next;
        free(worker);
    }
}

void workers_free(struct workers *workers)
{
    while (workers->first != NULL) {
        struct worker *next = workers->first->next;

        free(workers->first);
        workers->first = next;
    }
}

void worker_add(struct worker *worker, uint64_t session_id, uint64_t link)
{
    tally_add(&worker->tally, session_id, link);
}

void worker_drop(struct worker *worker, uint64_t session_id, uint64_t link)
{
    tally_drop(&worker->tally, session_id, link);
}

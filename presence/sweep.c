#include "presence/sweep.h"

#include <stdlib.h>

#include "presence/fifo.h"

struct line {
    uint32_t app;
    struct fifo users;
    uint64_t round_ms; /* when the last round of this app began; 0: none yet */
    bool in_round;
};

struct sweep {
    struct line *lines;
    size_t count;
    size_t turn; /* the line that is asked first, so that none starves the others */
    size_t waiting;
};

enum hy_err sweep_open(struct sweep **sweep)
{
    *sweep = calloc(1, sizeof **sweep);
    return *sweep != NULL ? HY_OK : HY_ENOMEM;
}

void sweep_close(struct sweep **sweep)
{
    if (*sweep == NULL)
        return;
    for (size_t i = 0; i < (*sweep)->count; i++)
        fifo_free(&(*sweep)->lines[i].users);
    free((*sweep)->lines);
    free(*sweep);
    *sweep = NULL;
}

static struct line *line_of(struct sweep *sweep, uint32_t app)
{
    for (size_t i = 0; i < sweep->count; i++)
        if (sweep->lines[i].app == app)
            return &sweep->lines[i];
    struct line *grown = realloc(sweep->lines, (sweep->count + 1) * sizeof *grown);

    if (grown == NULL)
        return NULL;
    sweep->lines = grown;
    grown[sweep->count] = (struct line){.app = app};
    return &grown[sweep->count++];
}

enum hy_err sweep_add(struct sweep *sweep, uint32_t app, void *user, uint64_t since_ms)
{
    struct line *line = line_of(sweep, app);
    enum hy_err err = HY_ENOMEM;

    if (line == NULL)
        return err;
    /* The first interval runs from the first user on. */
    if (line->round_ms == 0)
        line->round_ms = since_ms;
    err = fifo_push(&line->users, &(struct fifo_item){.at_ms = since_ms, .thing = user});
    if (err == HY_OK)
        sweep->waiting++;
    return err;
}

/* Who had to wait through the grace until now leaves in this round. */
static bool due(const struct line *line, const struct sweep_rule *rule, uint64_t now_ms)
{
    const struct fifo_item *first = fifo_first(&line->users);

    return first != NULL && now_ms >= first->at_ms + rule->grace_s * 1000ULL;
}

static size_t take_line(struct line *line, const struct sweep_rule *rule, uint64_t now_ms,
                        void **users, size_t max)
{
    size_t n = 0;

    if (!line->in_round && now_ms >= line->round_ms + rule->interval_s * 1000ULL) {
        line->in_round = true;
        line->round_ms = now_ms;
    }
    while (line->in_round && n < max && due(line, rule, now_ms)) {
        users[n++] = fifo_first(&line->users)->thing;
        fifo_pop(&line->users);
    }
    if (n < max)
        line->in_round = false;
    return n;
}

size_t sweep_take(struct sweep *sweep, uint64_t now_ms, sweep_rule_fn *rule_of, void *arg,
                  uint32_t *app, void **users, size_t max)
{
    for (size_t i = 0; i < sweep->count; i++) {
        struct line *line = &sweep->lines[(sweep->turn + i) % sweep->count];
        struct sweep_rule rule = rule_of(arg, line->app);
        size_t n = take_line(line, &rule, now_ms, users, max);

        if (n == 0)
            continue;
        *app = line->app;
        sweep->turn = (sweep->turn + i + 1) % sweep->count;
        sweep->waiting -= n;
        return n;
    }
    return 0;
}

size_t sweep_waiting(const struct sweep *sweep)
{
    return sweep->waiting;
}

void *sweep_any(struct sweep *sweep)
{
    for (size_t i = 0; i < sweep->count; i++) {
        const struct fifo_item *first = fifo_first(&sweep->lines[i].users);

        if (first == NULL)
            continue;
        void *user = first->thing;

        fifo_pop(&sweep->lines[i].users);
        sweep->waiting--;
        return user;
    }
    return NULL;
}

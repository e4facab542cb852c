/* Time and chance: events in order, numbers from a seed. */

#include <stdlib.h>

#include "tests/sim/sim.h"

uint64_t sim_random(struct sim *sim, uint64_t below)
{
    uint64_t z = (sim->state += 0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % below;
}

uint64_t sim_between(struct sim *sim, uint64_t least, uint64_t most)
{
    return least + sim_random(sim, most - least + 1);
}

bool sim_chance(struct sim *sim, unsigned percent)
{
    return sim_random(sim, 100) < percent;
}

static bool before(const struct event *a, const struct event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->serial < b->serial;
}

static void swap(struct event *a, struct event *b)
{
    struct event c = *a;

    *a = *b;
    *b = c;
}

static void push(struct queue *q, const struct event *event)
{
    size_t i;

    if (q->count == q->room) {
        q->room = q->room == 0 ? 1024 : 2 * q->room;
        q->heap = realloc(q->heap, q->room * sizeof *q->heap);
        if (q->heap == NULL)
            abort();
    }
    i = q->count++;
    q->heap[i] = *event;
    for (; i > 0 && before(&q->heap[i], &q->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&q->heap[i], &q->heap[(i - 1) / 2]);
}

static struct event pop(struct queue *q)
{
    struct event top = q->heap[0];
    size_t i = 0;

    q->heap[0] = q->heap[--q->count];
    for (;;) {
        size_t least = i;

        for (size_t kid = 2 * i + 1; kid <= 2 * i + 2 && kid < q->count; kid++)
            if (before(&q->heap[kid], &q->heap[least]))
                least = kid;
        if (least == i)
            return top;
        swap(&q->heap[i], &q->heap[least]);
        i = least;
    }
}

void sim_after(struct sim *sim, uint64_t delay_us, const struct event *event)
{
    struct event e = *event;

    e.at_us = sim->now_us + delay_us;
    e.serial = ++sim->queue.serial;
    push(&sim->queue, &e);
}

bool sim_step(struct sim *sim)
{
    struct event e;
    struct node *node;

    if (sim->queue.count == 0)
        return false;
    e = pop(&sim->queue);
    sim->now_us = e.at_us;
    node = e.node < 0 ? NULL : &sim->node[e.node];
    if (node != NULL && node->up && e.life != 0 && node->paused_until_us > sim->now_us) {
        e.at_us = node->paused_until_us;
        push(&sim->queue, &e);
        return true;
    }
    if (node == NULL || e.life == 0 || (node->up && node->life == e.life)) {
        sim->events++;
        e.fn(sim, &e);
        if (node != NULL)
            node_after_event(sim, e.node);
    }
    free(e.data);
    return true;
}

/* crowd - see crowd.h. */

#include "bench/crowd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

/* PORTS: an address has 28,000 towards each gateway, but the kernel looks longer and longer for a
 * free one: at 15,000 links it took most of the driver's time. */
enum { OPEN_AT_ONCE = 128, PORTS = 2000 };

uint32_t crowd_place(uint32_t i, uint32_t n)
{
    return i % n;
}

uint32_t crowd_sources(uint64_t links, uint64_t gateways)
{
    uint64_t each = gateways > 0 ? (links + gateways - 1) / gateways : links;

    return (uint32_t)((each + PORTS - 1) / PORTS);
}

/* ---- what comes ---- */

static void on_state(void *ctx, const struct hongyan_change *change)
{
    struct person *p = ctx;
    struct crowd *crowd = p->crowd;

    if (change->state == HONGYAN_ONLINE) {
        crowd->online++;
        crowd->worker->tally->online++;
    } else if (change->state == HONGYAN_KICKED && crowd->refused++ == 0) {
        fprintf(stderr, "user %u: %u %s\n", p->index, change->code, change->info);
    }
}

static bool on_frame(void *ctx, const uint8_t *bytes, size_t len)
{
    struct person *p = ctx;

    if (p->crowd->frame != NULL && p->crowd->frame(p, bytes, len))
        return true;
    return p->crowd->body != NULL && notice_each(bytes, len, p->crowd->body, p);
}

/* ---- opening ---- */

const char *crowd_source(const struct bench *bench, uint32_t people, uint32_t i,
                         char text[static 16])
{
    const struct arg_list *told = &bench->common->source;
    size_t gateways = bench->target->gateways;
    uint32_t needed = crowd_sources(people, gateways);

    if (told->count > 0)
        return told->items[i / gateways % told->count];
    if (needed < 2 || strncmp(bench->target->tcp[0], "127.", 4) != 0)
        return NULL;
    snprintf(text, 16, "127.0.%u.1", (unsigned)(i / gateways % needed) & 0xff);
    return text;
}

static enum hy_err person_open(struct crowd *crowd, struct person *person)
{
    const struct target *target = crowd->worker->bench->target;
    bool tls = crowd->worker->bench->common->tls;
    uint32_t gateway = crowd->config.place(person->index, (uint32_t)target->gateways);
    const char *address = (tls ? target->tls : target->tcp)[gateway];
    char user[40], ticket[HY_USERSIG_MAX], source[16];
    struct hongyan_config config = {
        .addresses = &address,
        .address_count = 1,
        .tls = tls,
        .insecure = true,
        .source = crowd_source(crowd->worker->bench, crowd->config.people, person->index, source),
        .sdkappid = target->sdkappid,
        .identifier = user,
        .usersig = ticket,
        .platform = HY__PLATFORM__PLATFORM_LINUX,
        .device_id = "bench",
        .send_window = crowd->config.window,
        .heartbeat_ms = crowd->config.heartbeat_ms,
        .max_queued = UINT32_MAX,
        .raw = true, /* what is measured is the push: a pull later on would hide a loss */
        .raw_frame = on_frame,
        .events = {.state = on_state},
        .ctx = person,
    };
    enum hy_err err = HY_OK;

    if (address == NULL)
        return HY_ECONFIG;
    snprintf(user, sizeof user, "%.20s%u", crowd->config.prefix, person->index);
    err = target_ticket(target, user, ticket);
    if (err == HY_OK)
        err = hongyan_open(crowd->worker->loop, &config, &person->client);
    return err;
}

static enum hy_err make_people(struct crowd *crowd)
{
    uint32_t mine = 0, at = 0;
    const struct worker *w = crowd->worker;

    for (uint32_t i = 0; i < crowd->config.people; i++)
        mine += crowd->config.place(i, w->count) == w->index;
    crowd->people = calloc(mine > 0 ? mine : 1, sizeof *crowd->people);
    if (crowd->people == NULL)
        return HY_ENOMEM;
    for (uint32_t i = 0; i < crowd->config.people; i++)
        if (crowd->config.place(i, w->count) == w->index)
            crowd->people[at++] =
                (struct person){.crowd = crowd, .index = i, .deaf_to = UINT64_MAX};
    crowd->count = mine;
    return HY_OK;
}

enum hy_err crowd_open(struct crowd *crowd, struct worker *worker,
                       const struct crowd_config *config)
{
    uint64_t deadline = hy_steady_ms() + CROWD_OPEN_MS;
    enum hy_err err = HY_OK;
    uint32_t opened = 0;

    *crowd = (struct crowd){
        .worker = worker, .config = *config, .body = crowd->body, .frame = crowd->frame};
    if (crowd->config.place == NULL)
        crowd->config.place = crowd_place;
    err = make_people(crowd);
    while (err == HY_OK && crowd->online < crowd->count) {
        while (err == HY_OK && opened < crowd->count && opened - crowd->online < OPEN_AT_ONCE)
            err = person_open(crowd, &crowd->people[opened++]);
        if (err == HY_OK)
            err = worker_turn(worker, 20, deadline);
        if (err == HY_OK && crowd->refused > 0)
            err = HY_EDENIED;
    }
    return err;
}

void crowd_stop(struct crowd *crowd)
{
    for (uint32_t i = 0; crowd->people != NULL && i < crowd->count; i++)
        hongyan_close(&crowd->people[i].client);
}

void crowd_close(struct crowd *crowd)
{
    crowd_stop(crowd);
    for (uint32_t i = 0; crowd->people != NULL && i < crowd->count; i++) {
        struct person *p = &crowd->people[i];

        for (uint32_t k = 0; p->heard != NULL && k < p->hears; k++)
            hearing_free(&p->heard[k]);
        free(p->heard);
    }
    free(crowd->people);
    crowd->people = NULL;
    crowd->count = 0;
}

enum hy_err crowd_listen(struct person *person, uint32_t from, uint32_t count)
{
    person->heard = calloc(count, sizeof *person->heard);
    person->hears_from = from;
    person->hears = count;
    return person->heard == NULL ? HY_ENOMEM : HY_OK;
}

struct person *crowd_find(const struct crowd *crowd, uint32_t index)
{
    uint32_t low = 0, high = crowd->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (crowd->people[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low < crowd->count && crowd->people[low].index == index ? &crowd->people[low] : NULL;
}

/* ---- asking ---- */

struct wait {
    uint32_t under_way, refused;
};

static void on_answer(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    struct wait *wait = arg;

    (void)answer;
    wait->under_way--;
    if (code != 0 && wait->refused++ == 0)
        fprintf(stderr, "a request was answered %u %s\n", code, info);
}

/* It ends: requests have a deadline. */
static void wait_until(struct crowd *crowd, struct wait *wait, uint32_t most)
{
    while (wait->under_way > most)
        hy_loop_turn(crowd->worker->loop, 10);
}

enum hy_err crowd_ask_all(struct crowd *crowd, const Hy__Frame *frame, uint32_t at_once)
{
    struct wait wait = {0, 0};
    enum hy_err err = HY_OK;

    for (uint32_t i = 0; err == HY_OK && i < crowd->count && wait.refused == 0; i++) {
        wait_until(crowd, &wait, at_once - 1);
        err = hongyan_request(crowd->people[i].client, frame, on_answer, &wait);
        if (err == HY_OK)
            wait.under_way++;
    }
    wait_until(crowd, &wait, 0);
    return err == HY_OK && wait.refused > 0 ? HY_EDENIED : err;
}

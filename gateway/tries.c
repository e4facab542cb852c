#include "gateway/tries.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "common/clock.h"

enum { SETS = 1024, WAYS = 4, WINDOW_MS = 60000 };

struct entry {
    uint64_t account; /* hash; 0: empty */
    uint64_t since_ms;
    uint32_t failed;
};

struct tries {
    uint64_t seed; /* so that nobody can aim at one set */
    struct entry sets[SETS][WAYS];
};

enum hy_err tries_open(struct tries **tries)
{
    struct tries *t = calloc(1, sizeof *t);

    if (t == NULL)
        return HY_ENOMEM;
    t->seed = hy_random64();
    *tries = t;
    return HY_OK;
}

void tries_close(struct tries **tries)
{
    free(*tries);
    *tries = NULL;
}

static uint64_t account_of(const struct tries *tries, uint32_t app, const char *user)
{
    return XXH3_64bits_withSeed(user, strlen(user), tries->seed ^ app) | 1;
}

static struct entry *find(const struct tries *tries, uint64_t account)
{
    const struct entry *set = tries->sets[(account >> 1) % SETS];

    for (size_t i = 0; i < WAYS; i++)
        if (set[i].account == account)
            return (struct entry *)(uintptr_t)&set[i];
    return NULL;
}

bool tries_allow(const struct tries *tries, uint32_t app, const char *user, uint64_t now_ms,
                 uint32_t most)
{
    const struct entry *entry = find(tries, account_of(tries, app, user));

    return entry == NULL || now_ms - entry->since_ms >= WINDOW_MS || entry->failed < most;
}

static struct entry *oldest(struct tries *tries, uint64_t account)
{
    struct entry *set = tries->sets[(account >> 1) % SETS], *best = set;

    for (size_t i = 1; i < WAYS; i++)
        if (set[i].since_ms < best->since_ms)
            best = &set[i];
    return best;
}

void tries_fail(struct tries *tries, uint32_t app, const char *user, uint64_t now_ms)
{
    uint64_t account = account_of(tries, app, user);
    struct entry *entry = find(tries, account);

    if (entry == NULL)
        entry = oldest(tries, account);
    if (entry->account != account || now_ms - entry->since_ms >= WINDOW_MS)
        *entry = (struct entry){account, now_ms, 0};
    entry->failed++;
}

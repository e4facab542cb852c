/* users_places - where a user is, from what one presence process tells, or two of them.
 *
 * While a user's slot moves from one process to another both are asked, and what either has told
 * counts: a place goes when neither has it any more. So it does not matter in which order gateways
 * register at the one and leave the other. */

#include <stdlib.h>

#include "router/memory.h"
#include "router/users_entry.h"

/* What one of two has told. */
struct source {
    int presence; /* -1: none, or it forgot: ask */
    bool told;
    struct place *places;
    size_t count;
};

struct sources {
    struct source of[2];
};

static bool among(const struct place *places, size_t count, const struct place *place)
{
    for (size_t i = 0; i < count; i++)
        if (places[i].gate == place->gate && places[i].link == place->link)
            return true;
    return false;
}

static size_t decode(const struct users *users, const Hy__UserSessions *told, struct place **places)
{
    size_t count = 0;

    *places = told->n_places > 0 ? memory_get(told->n_places * sizeof **places) : NULL;
    for (size_t i = 0; i < told->n_places; i++) {
        struct gate *gate = push_gate(users->config.push, told->places[i]->gateway);

        if (gate != NULL)
            (*places)[count++] =
                (struct place){gate, told->places[i]->link, told->places[i]->session_id};
    }
    return count;
}

/* He is there from now on; takes places. Returns whether one of them is new. */
static bool set(struct entry *entry, struct place *places, size_t count)
{
    struct users *users = entry->owner;
    bool found = false;

    for (size_t i = 0; i < count; i++)
        found = found || !among(entry->places, entry->user.place_count, &places[i]);
    if (entry->user.seats != NULL)
        users->config.moved(users->config.ctx, &entry->user, places, count);
    free(entry->places);
    entry->places = places;
    entry->user.places = places;
    entry->user.place_count = count;
    return found;
}

static size_t unite(struct place *all, size_t count, const struct place *more, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!among(all, count, &more[i]))
            all[count++] = more[i];
    return count;
}

/* As long as one of the two has not told, what was known may be true as well. */
static bool merge(struct entry *entry)
{
    const struct source *of = entry->sources->of;
    bool all_told = of[0].told && of[1].told;
    size_t most = of[0].count + of[1].count + (all_told ? 0 : entry->user.place_count), count = 0;
    struct place *places = most > 0 ? memory_get(most * sizeof *places) : NULL;

    count = unite(places, count, of[0].places, of[0].count);
    count = unite(places, count, of[1].places, of[1].count);
    if (!all_told)
        count = unite(places, count, entry->places, entry->user.place_count);
    return set(entry, places, count);
}

static struct source *source_of(const struct entry *entry, int presence)
{
    for (int i = 0; entry->sources != NULL && i < 2; i++)
        if (entry->sources->of[i].presence == presence)
            return &entry->sources->of[i];
    return NULL;
}

bool places_asked(const struct entry *entry, int presence)
{
    return presence >= 0 && (entry->presence == presence || source_of(entry, presence) != NULL);
}

bool places_take(struct entry *entry, int presence, const Hy__UserSessions *told)
{
    struct source *source = source_of(entry, presence);
    struct place *places;
    size_t count;

    if (source == NULL && entry->sources != NULL)
        return false;
    count = decode(entry->owner, told, &places);
    if (source == NULL)
        return set(entry, places, count);
    free(source->places);
    source->places = places;
    source->count = count;
    source->told = true;
    return merge(entry);
}

/* ---- one process, or two ---- */

static struct source make_source(struct entry *entry, int presence)
{
    struct source source = {.presence = presence};
    const struct source *old = source_of(entry, presence);

    if (old != NULL) {
        source = *old;
        ((struct source *)old)->places = NULL; /* it moves */
        return source;
    }
    if (entry->sources == NULL && entry->presence == presence && entry->user.places_known) {
        source.told = true;
        source.count = entry->user.place_count;
        source.places = memory_get((source.count + 1) * sizeof *source.places);
        source.count = unite(source.places, 0, entry->places, source.count);
    }
    return source;
}

void places_free(struct entry *entry)
{
    for (int i = 0; entry->sources != NULL && i < 2; i++)
        free(entry->sources->of[i].places);
    free(entry->sources);
    entry->sources = NULL;
}

static void unwatch(struct entry *entry, int presence, int owner, int other)
{
    if (presence >= 0 && presence != owner && presence != other)
        users_unwatch(entry->owner, presence, entry->user.app, entry->name);
}

static void unwatch_old(struct entry *entry, int owner, int other)
{
    for (int i = 0; entry->sources != NULL && i < 2; i++)
        unwatch(entry, entry->sources->of[i].presence, owner, other);
    if (entry->sources == NULL)
        unwatch(entry, entry->presence, owner, other);
}

bool places_from(struct entry *entry, int owner, int other, bool ask[static 2])
{
    bool told = false;

    ask[0] = owner >= 0 && !places_asked(entry, owner);
    ask[1] = other >= 0 && !places_asked(entry, other);
    unwatch_old(entry, owner, other);
    if (other >= 0) {
        struct sources *fresh = memory_get(sizeof *fresh);

        fresh->of[0] = make_source(entry, owner);
        told = fresh->of[0].told;
        fresh->of[1] = make_source(entry, other);
        places_free(entry);
        entry->sources = fresh;
    } else if (entry->sources != NULL) {
        struct source last = make_source(entry, owner);

        places_free(entry);
        told = last.told;
        if (told)
            (void)set(entry, last.places, last.count);
        else
            free(last.places); /* what was known counts until it tells */
    }
    entry->presence = owner;
    return told && owner >= 0;
}

void places_forgot(struct entry *entry, int presence)
{
    struct source *source = source_of(entry, presence);

    if (source != NULL) {
        source->presence = -1;
        source->told = false;
    }
    if (entry->presence == presence)
        entry->presence = -1;
}

int places_other(const struct entry *entry)
{
    for (int i = 0; entry->sources != NULL && i < 2; i++)
        if (entry->sources->of[i].presence != entry->presence)
            return entry->sources->of[i].presence;
    return -1;
}

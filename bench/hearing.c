/* hearing - see hearing.h. */

#include "bench/hearing.h"

#include <stdlib.h>

struct hole {
    struct hole *next;
    uint64_t from, to;
};

static struct hole *make_hole(uint64_t from, uint64_t to, struct hole *next)
{
    struct hole *hole = malloc(sizeof *hole);

    if (hole == NULL)
        abort(); /* an account with a gap in it is none */
    *hole = (struct hole){next, from, to};
    return hole;
}

static void add_last(struct hearing *hearing, uint64_t from, uint64_t to)
{
    struct hole **at = &hearing->holes;

    while (*at != NULL)
        at = &(*at)->next;
    *at = make_hole(from, to, NULL);
}

/* The link to the run that holds number, or to the end. */
static struct hole **find(struct hearing *hearing, uint64_t number)
{
    struct hole **at = &hearing->holes;

    while (*at != NULL && (*at)->to < number)
        at = &(*at)->next;
    return at;
}

static void fill(struct hole **at, uint64_t number)
{
    struct hole *hole = *at;

    if (hole->from == hole->to) {
        *at = hole->next;
        free(hole);
    } else if (number == hole->from) {
        hole->from++;
    } else if (number == hole->to) {
        hole->to--;
    } else {
        hole->next = make_hole(number + 1, hole->to, hole->next);
        hole->to = number - 1;
    }
}

enum heard hearing_note(struct hearing *hearing, uint64_t number)
{
    struct hole **at = NULL;

    if (number > hearing->last) {
        if (number > hearing->last + 1)
            add_last(hearing, hearing->last + 1, number - 1);
        hearing->last = number;
        return HEARD_NEW;
    }
    at = find(hearing, number);
    if (*at == NULL || (*at)->from > number)
        return HEARD_TWICE;
    fill(at, number);
    return HEARD_LATE;
}

bool hearing_has(const struct hearing *hearing, uint64_t number)
{
    const struct hole *hole = hearing->holes;

    while (hole != NULL && hole->to < number)
        hole = hole->next;
    return number <= hearing->last && (hole == NULL || hole->from > number);
}

uint64_t hearing_missing(const struct hearing *hearing, uint64_t sent)
{
    uint64_t missing = sent > hearing->last ? sent - hearing->last : 0;

    for (const struct hole *hole = hearing->holes; hole != NULL; hole = hole->next)
        missing += hole->to - hole->from + 1;
    return missing;
}

void hearing_free(struct hearing *hearing)
{
    while (hearing->holes != NULL) {
        struct hole *hole = hearing->holes;

        hearing->holes = hole->next;
        free(hole);
    }
    hearing->last = 0;
}

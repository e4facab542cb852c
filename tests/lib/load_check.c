#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/load.h"

enum { TOLD = 20 };

static unsigned told;

#define TELL(...)                                                                                  \
    do {                                                                                           \
        if (told++ < TOLD)                                                                         \
            fprintf(stderr, __VA_ARGS__);                                                          \
    } while (0)

bool load_parse(const Hy__Msg *msg, struct seen *seen)
{
    char text[64];

    if ((msg->flags & HY__MSG_FLAG__MSG_SYSTEM) != 0)
        return false;
    hongyan_body_text(msg->body.data, msg->body.len, text, sizeof text);
    seen->seq = msg->seq;
    return sscanf(text, "%" SCNu32 ":%" SCNu32, &seen->seat, &seen->n) == 2;
}

void seen_add(struct seen_list *list, struct seen seen)
{
    if (list->count == list->size) {
        list->size = list->size > 0 ? list->size * 2 : 64;
        list->items = realloc(list->items, list->size * sizeof *list->items);
        if (list->items == NULL)
            abort();
    }
    list->items[list->count++] = seen;
}

static bool same(const struct seen *a, const struct seen *b)
{
    return a->seq == b->seq && a->seat == b->seat && a->n == b->n;
}

/* ---- one history against the sends ---- */

/* Each seat's messages come in the order in which they were sent, each once. */
static void check_senders(struct load *load, const struct talk *talk, const struct seen_list *list)
{
    uint8_t **times = calloc(talk->count, sizeof *times);
    uint32_t *next = calloc(talk->count, sizeof *next);

    for (size_t i = 0; i < talk->count; i++)
        times[i] = calloc(load->seats[talk->first + i].sent + 1, 1);
    for (size_t k = 0; k < list->count; k++) {
        const struct seen *seen = &list->items[k];
        size_t i = seen->seat - talk->first;

        if (seen->seat < talk->first || i >= talk->count ||
            seen->n >= load->seats[seen->seat].sent) {
            TELL("%s: seq %" PRIu64 " was never sent\n", talk->group, seen->seq);
            load->accounts.doubled++;
            continue;
        }
        if (times[i][seen->n]++ > 0) {
            TELL("%s: %u:%u is there twice, again at %" PRIu64 "\n", talk->group, seen->seat,
                 seen->n, seen->seq);
            load->accounts.doubled++;
        } else if (seen->n < next[i]) {
            TELL("%s: %u:%u comes after %u\n", talk->group, seen->seat, seen->n, next[i] - 1);
            load->accounts.reordered++;
        }
        if (seen->n >= next[i])
            next[i] = seen->n + 1;
    }
    for (size_t i = 0; i < talk->count; i++) {
        const struct seat *seat = &load->seats[talk->first + i];

        for (size_t n = 0; n < seat->sent; n++) {
            if (seat->sends[n].state == SEND_OK && times[i][n] == 0) {
                TELL("%s: %zu:%zu was acknowledged at %" PRIu64 " and is lost\n", talk->group,
                     talk->first + i, n, seat->sends[n].seq);
                load->accounts.lost++;
            }
        }
        free(times[i]);
    }
    free(times);
    free(next);
}

/* A message lies where its acknowledgement said. */
static void check_places(struct load *load, const struct talk *talk, const struct seen_list *list)
{
    for (size_t k = 0; k < list->count; k++) {
        const struct seen *seen = &list->items[k];
        const struct seat *seat = seen->seat < load->seat_count ? &load->seats[seen->seat] : NULL;

        if (seat == NULL || seen->n >= seat->sent || seat->sends[seen->n].state != SEND_OK)
            continue;
        if (seat->sends[seen->n].seq != seen->seq) {
            TELL("%s: %u:%u was acknowledged at %" PRIu64 " and lies at %" PRIu64 "\n", talk->group,
                 seen->seat, seen->n, seat->sends[seen->n].seq, seen->seq);
            load->accounts.reordered++;
        }
    }
}

/* ---- the others against the first ---- */

static void check_same_history(struct load *load, const struct talk *talk, const struct seat *seat,
                               const struct seen_list *truth)
{
    size_t n = seat->history.count < truth->count ? seat->history.count : truth->count;

    for (size_t k = 0; k < n; k++) {
        if (!same(&seat->history.items[k], &truth->items[k])) {
            TELL("%s: the history of %s differs at %" PRIu64 "\n", talk->group, seat->user,
                 truth->items[k].seq);
            load->accounts.reordered++;
            return;
        }
    }
    if (seat->history.count != truth->count) {
        TELL("%s: the history of %s has %zu messages, not %zu\n", talk->group, seat->user,
             seat->history.count, truth->count);
        load->accounts.lost++;
    }
}

/* The stream has all of the others', in order: it is the history without one's own. */
static void check_stream(struct load *load, const struct talk *talk, const struct seat *seat,
                         const struct seen_list *truth)
{
    size_t at = 0;
    uint32_t self = (uint32_t)(seat - load->seats);

    for (size_t k = 0; k < truth->count; k++) {
        if (truth->items[k].seat == self)
            continue;
        if (at < seat->stream.count && same(&seat->stream.items[at], &truth->items[k])) {
            at++;
            continue;
        }
        TELL("%s: %s was not told of seq %" PRIu64 "\n", talk->group, seat->user,
             truth->items[k].seq);
        load->accounts.delivered_missing++;
    }
    if (at < seat->stream.count) {
        TELL("%s: %s was told %zu messages out of order\n", talk->group, seat->user,
             seat->stream.count - at);
        load->accounts.reordered += seat->stream.count - at;
    }
    load->accounts.delivered += seat->stream.count;
    load->accounts.reordered += seat->broken;
}

void load_check(struct load *load)
{
    for (size_t t = 0; t < load->talk_count; t++) {
        const struct talk *talk = &load->talks[t];
        const struct seen_list *truth = &load->seats[talk->first].history;

        check_senders(load, talk, truth);
        check_places(load, talk, truth);
        for (size_t i = 0; i < talk->count; i++) {
            const struct seat *seat = &load->seats[talk->first + i];

            if (i > 0)
                check_same_history(load, talk, seat, truth);
            check_stream(load, talk, seat, truth);
        }
    }
    if (told > TOLD)
        fprintf(stderr, "and %u more\n", told - TOLD);
}

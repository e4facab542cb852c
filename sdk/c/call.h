/* call - what a client has asked and not heard about yet: requests, and sends in their lanes.
 *
 * A call keeps its encoded frame until it is answered, so that it can go out again on another link.
 * No socket and no clock in here. */

#ifndef SDK_C_CALL_H
#define SDK_C_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "sdk/c/hongyan.h"

struct conv;

struct call {
    struct call *prev, *next; /* all of the client, oldest first */
    struct call *behind;      /* sends: the next one of the lane */
    struct conv *lane;        /* sends: their conversation; else NULL */
    uint64_t id;
    uint64_t deadline_ms; /* UINT64_MAX: never */
    uint64_t retry_ms;    /* sends: not before */
    uint32_t tries;
    uint64_t doubt_ms; /* sends: since when they are refused in doubt; 0: they are not */
    bool doubt;        /* sends: the end of an earlier try is not known */
    bool sent;         /* on the present link */
    bool safe;         /* may be asked twice */
    union {
        hongyan_answer_fn *answer;
        hongyan_sent_fn *told;
    } done; /* told for sends */
    void *arg;
    char client_id[65]; /* sends */
    size_t len;
    uint8_t frame[]; /* encoded */
};

struct calls {
    struct call *first, *last;
    uint32_t count;
};

/* Add a call with the encoding of frame. NULL: out of memory. */
struct call *calls_add(struct calls *calls, const Hy__Frame *frame);

/* The call with this id, or NULL. Answers come mostly in order, so the search starts at the oldest.
 */
struct call *calls_find(const struct calls *calls, uint64_t id);

/* Unlink; the caller free()s it. Lanes are conv.h's. */
void calls_remove(struct calls *calls, struct call *call);

/* May a request of this kind be asked twice? Reads and absolute changes may. */
bool call_is_safe(Hy__Frame__BodyCase kind);

/* Is a failure with this code one that another try may heal? */
bool call_is_temporary(uint32_t code);

/* May something have been done though this code was answered? */
bool call_is_unknown(uint32_t code);

/* A pause before try number `tries` (from 1): a random part of base * 2^(tries-1), at most cap. */
uint64_t call_jitter_ms(uint32_t tries, uint64_t base_ms, uint64_t cap_ms, uint64_t random);

#endif

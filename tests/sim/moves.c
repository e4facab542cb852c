/* hongyan-sim-moves: slots that move between shards, under simulated faults, many seeds in a row.
 *
 * usage: hongyan-sim-moves [--seeds A-B] [--break RULE] [--expect-caught]
 *
 * The steps of source and target are the real ones (store/move). Around them: shards whose leaders
 * are replaced at any moment and lose what had not passed, leaders of the past that do not know it,
 * a coordinator whose word comes late, twice or not at all, parts that are lost, doubled and
 * delayed for ever, cancellations, and clients who write to each slot in order and read it. At the
 * end each slot's owner must have all that was acknowledged, once and in order; no read may miss
 * what was acknowledged before it was asked. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/move/broken.h"
#include "store/move/in.h"
#include "store/move/out.h"
#include "store/move/rows.h"

enum {
    SHARDS = 3,
    SLOTS = 6,
    WRITES = 150, /* of a slot, at most */
    MOVES = 40,   /* of a run, at most */
    PROCS = 3,    /* of a shard: one leads, the others did */
    PENDING = 12,
    HISTORY = 3000,
    WIRE = 64,
    ASKED = 32,
    STEPS = 2500,
    CALM_STEPS = 4000,
    PART_ROWS = SLOTS * WRITES,
    NOBODY = 0xFF,
};

unsigned move_broken_rules;

static const struct {
    const char *name, *text;
    unsigned rule;
} rules[] = {
    {"freeze", "a frozen run is served", MOVE_BROKEN_FREEZE},
    {"durable", "the target answers before its copies have it", MOVE_BROKEN_DURABLE},
    {"passed", "it is decided before the frozen row has passed", MOVE_BROKEN_PASSED},
    {"thaw", "a new leader thaws what it finds frozen", MOVE_BROKEN_THAW},
    {"attempt", "parts of any attempt are taken", MOVE_BROKEN_ATTEMPT},
    {"guard", "a decision is not guarded by the move's value", MOVE_BROKEN_GUARD},
    {"fresh", "an old map counts", MOVE_BROKEN_FRESH},
};

/* ---- what there is ---- */

struct list {
    unsigned n;
    uint8_t ids[WRITES * 3]; /* room for what a broken rule doubles */
};

struct out_row {
    bool there, gone;
    uint32_t attempt, to;
    uint16_t first, last;
};

struct db { /* of a shard */
    struct list data[SLOTS];
    bool has[SLOTS];
    uint64_t map_epoch;
    struct out_row out[MOVES];
    bool in_there[MOVES];
    Hy__MoveIn in[MOVES];
};

struct row {
    uint8_t slot, id;
};

struct part {
    bool used;
    enum move_do what;
    uint32_t to, move;
    uint64_t token, source; /* source: serial of who asked */
    struct move_part part;
    unsigned count;
    struct row rows[PART_ROWS];
    uint64_t all, hash; /* of the last */
};

struct promise { /* said when it has passed */
    bool used;
    uint64_t mark;
    int client;             /* a write's; -1 */
    int reader;             /* a read's; -1 */
    unsigned seen;          /* by the read */
    uint64_t token, source; /* of a part; 0: none */
    enum hy_err result;
};

struct proc {
    bool used, real;
    uint64_t serial;
    uint32_t shard;
    struct db db;
    uint64_t written, passed;
    struct promise promises[ASKED];
    size_t view; /* what it knows of the coordinator */
    struct move_out out;
    bool changing;
    /* the run that leaves */
    struct move_run run;
    uint32_t to;
    unsigned next; /* slot to read */
    bool scanned;
    struct row tee[PART_ROWS];
    unsigned tee_count;
    uint64_t seq, hash, rows, token, mark;
    struct part waiting; /* what was asked last */
};

struct shard {
    struct proc procs[PROCS];
    struct db pending[PENDING]; /* written by the leader, not passed */
    uint64_t marks[PENDING];
    unsigned pending_count;
    struct db durable;
};

struct told { /* by the coordinator, at one revision */
    uint8_t owner[SLOTS];
    uint64_t map_epoch, map_revision;
    struct hy_move moves[MOVES];
    uint64_t revisions[MOVES];
    unsigned move_count;
    bool cancelling;
};

struct asked { /* of the coordinator */
    bool used, answered;
    uint64_t source;
    uint32_t shard;
    enum move_do what;
    struct hy_move move;
    uint64_t revision, map_revision;
    int fate; /* 0: as it should be; 1: late; 2: never; 3: the answer is lost */
};

struct client { /* of a slot */
    unsigned next, acked;
    bool waits;
    size_t view;
    bool reads;
    unsigned must_see;
};

static struct {
    uint64_t random, serial, tokens, now_ms;
    struct shard shards[SHARDS];
    struct told history[HISTORY];
    size_t latest;
    struct part wire[WIRE];
    struct asked asked[ASKED];
    struct client clients[SLOTS];
    bool calm;
    unsigned done, cancelled, attempts;
    char wrong[200];
} s;

static uint64_t draw(uint64_t below)
{
    s.random ^= s.random << 13;
    s.random ^= s.random >> 7;
    s.random ^= s.random << 17;
    return (s.random >> 11) % below;
}

static bool chance(unsigned percent)
{
    return draw(100) < percent;
}

static struct told *latest(void)
{
    return &s.history[s.latest];
}

static const struct told *seen(const struct proc *p)
{
    return &s.history[p->view];
}

static struct proc *leader(uint32_t shard)
{
    for (int i = 0; i < PROCS; i++)
        if (s.shards[shard].procs[i].used && s.shards[shard].procs[i].real)
            return &s.shards[shard].procs[i];
    return NULL;
}

static struct proc *by_serial(uint64_t serial)
{
    for (uint32_t shard = 0; shard < SHARDS; shard++)
        for (int i = 0; i < PROCS; i++)
            if (s.shards[shard].procs[i].used && s.shards[shard].procs[i].serial == serial)
                return &s.shards[shard].procs[i];
    return NULL;
}

/* ---- a shard's log ---- */

/* The leader wrote; a leader of the past writes for itself alone. */
static void wrote(struct proc *p)
{
    struct shard *shard = &s.shards[p->shard];

    p->written++;
    if (!p->real)
        return;
    if (shard->pending_count == PENDING) { /* the writer waits until the oldest has passed */
        shard->durable = shard->pending[0];
        p->passed = shard->marks[0];
        memmove(&shard->pending[0], &shard->pending[1], (PENDING - 1) * sizeof shard->pending[0]);
        memmove(&shard->marks[0], &shard->marks[1], (PENDING - 1) * sizeof shard->marks[0]);
        shard->pending_count--;
    }
    shard->pending[shard->pending_count] = p->db;
    shard->marks[shard->pending_count++] = p->written;
}

static const struct out_row *frozen(const struct db *db, uint32_t *id)
{
    for (uint32_t i = 0; i < MOVES; i++)
        if (db->out[i].there && !db->out[i].gone) {
            *id = i + 1;
            return &db->out[i];
        }
    return NULL;
}

static bool fresh(const struct proc *p)
{
    return move_broken(MOVE_BROKEN_FRESH) || seen(p)->map_epoch >= p->db.map_epoch;
}

static bool serves(const struct proc *p, unsigned slot)
{
    uint32_t id;
    const struct out_row *out = frozen(&p->db, &id);

    return seen(p)->owner[slot] == p->shard && fresh(p) &&
           (p->db.has[slot] || move_broken(MOVE_BROKEN_FRESH)) &&
           (out == NULL || slot < out->first || slot > out->last ||
            move_broken(MOVE_BROKEN_FREEZE));
}

static void promise(struct proc *p, struct promise promise)
{
    for (int i = 0; i < ASKED; i++)
        if (!p->promises[i].used) {
            p->promises[i] = promise;
            p->promises[i].used = true;
            return;
        }
}

static void answer_part(uint64_t source, uint64_t token, enum hy_err result)
{
    struct proc *p = by_serial(source);

    if (p == NULL || token == 0 || p->token != token || (!s.calm && chance(5)))
        return;
    p->token = 0;
    move_out_did(&p->out, s.now_ms, p->waiting.what, result);
    if (result == HY_OK && p->waiting.what == MOVE_SEND_FIRST) {
        p->next = p->run.first;
        p->scanned = false;
        p->tee_count = 0;
    }
}

static void keep(struct promise *promise)
{
    struct client *client;

    promise->used = false;
    if (promise->client >= 0) {
        client = &s.clients[promise->client];
        client->acked = client->next;
        client->waits = false;
    } else if (promise->reader >= 0) {
        client = &s.clients[promise->reader];
        client->reads = false;
        if (promise->seen < client->must_see)
            snprintf(s.wrong, sizeof s.wrong, "a read of slot %d saw %u of %u", promise->reader,
                     promise->seen, client->must_see);
    } else {
        answer_part(promise->source, promise->token, promise->result);
    }
}

/* All that was written up to somewhere has passed. */
static void pass(uint32_t number)
{
    struct shard *shard = &s.shards[number];
    struct proc *p = leader(number);
    unsigned count = shard->pending_count == 0 ? 0 : 1 + (unsigned)draw(shard->pending_count);

    if (p == NULL)
        return;
    if (count > 0) {
        shard->durable = shard->pending[count - 1];
        p->passed = shard->marks[count - 1];
        memmove(&shard->pending[0], &shard->pending[count],
                (shard->pending_count - count) * sizeof shard->pending[0]);
        memmove(&shard->marks[0], &shard->marks[count],
                (shard->pending_count - count) * sizeof shard->marks[0]);
        shard->pending_count -= count;
    }
    for (int i = 0; i < ASKED; i++)
        if (p->promises[i].used && p->promises[i].mark <= p->passed)
            keep(&p->promises[i]);
}

/* Another leads: of what had not passed it has a part, and it may be behind the coordinator. */
static void replace(uint32_t number)
{
    struct shard *shard = &s.shards[number];
    struct proc *old = leader(number), *p = NULL;
    unsigned kept = (unsigned)draw(shard->pending_count + 1);
    uint32_t id = 0;
    const struct out_row *out;

    if (kept > 0)
        shard->durable = shard->pending[kept - 1];
    shard->pending_count = 0;
    if (old != NULL) {
        old->real = false; /* it does not know */
        for (int i = 0; i < ASKED; i++) {
            const struct promise *broken = &old->promises[i];

            if (broken->used && broken->client >= 0)
                s.clients[broken->client].waits = false; /* asked again */
            if (broken->used && broken->reader >= 0)
                s.clients[broken->reader].reads = false;
        }
        memset(old->promises, 0, sizeof old->promises);
        if (chance(50))
            old->used = false;
    }
    for (int i = 0; i < PROCS; i++)
        if (!shard->procs[i].used)
            p = &shard->procs[i];
    if (p == NULL) {
        p = &shard->procs[draw(PROCS)];
    }
    memset(p, 0, sizeof *p);
    p->used = p->real = true;
    p->serial = ++s.serial;
    p->shard = number;
    p->db = shard->durable;
    p->view = s.latest - draw(s.latest < 20 ? s.latest + 1 : 20);
    out = frozen(&p->db, &id);
    move_out_lead(&p->out, out == NULL ? 0 : id, out == NULL ? 0 : out->attempt);
}

/* ---- clients ---- */

static bool holds(const struct list *list, unsigned id)
{
    for (unsigned i = 0; i < list->n; i++)
        if (list->ids[i] == id)
            return true;
    return false;
}

static void append(struct list *list, unsigned id)
{
    if (list->n < sizeof list->ids)
        list->ids[list->n++] = (uint8_t)id;
}

/* Whom a client asks: whoever it thinks leads, now and then one who did. */
static struct proc *whom(const struct client *client, unsigned slot)
{
    uint32_t shard = s.history[client->view].owner[slot];
    struct proc *p = &s.shards[shard].procs[draw(PROCS)];

    return p->used && chance(30) ? p : leader(shard);
}

static void write_one(unsigned slot)
{
    struct client *client = &s.clients[slot];
    struct proc *p;

    if (chance(30) && client->view < s.latest)
        client->view = s.calm ? s.latest : client->view + 1 + draw(s.latest - client->view);
    p = whom(client, slot);
    if (p == NULL || client->waits || !serves(p, slot))
        return;
    if (client->next == client->acked) {
        if (client->next == WRITES)
            return;
        client->next++;
    }
    if (!holds(&p->db.data[slot], client->next)) {
        append(&p->db.data[slot], client->next);
        if (p->out.phase == MOVE_COPIES || p->out.phase == MOVE_FREEZES ||
            p->out.phase == MOVE_FROZE)
            if (slot >= p->run.first && slot <= p->run.last && (slot < p->next || p->scanned) &&
                p->tee_count < PART_ROWS)
                p->tee[p->tee_count++] = (struct row){(uint8_t)slot, (uint8_t)client->next};
        wrote(p);
    }
    if (!p->real)
        return; /* it will never be said: the client gives up, and asks again */
    client->waits = true;
    promise(p, (struct promise){.mark = p->written, .client = (int)slot, .reader = -1});
}

static void read_one(unsigned slot)
{
    struct client *client = &s.clients[slot];
    struct proc *p = whom(client, slot);

    if (p == NULL || client->reads || !p->real || !serves(p, slot))
        return;
    client->reads = true;
    client->must_see = client->acked;
    promise(p,
            (struct promise){
                .mark = p->written, .client = -1, .reader = (int)slot, .seen = p->db.data[slot].n});
}

/* ---- the coordinator ---- */

static struct told *next_revision(void)
{
    if (s.latest + 1 == HISTORY) { /* the oldest half is forgotten: everybody knows that much */
        size_t half = HISTORY / 2;

        memmove(&s.history[0], &s.history[half], (HISTORY - half) * sizeof s.history[0]);
        s.latest -= half;
        for (uint32_t shard = 0; shard < SHARDS; shard++)
            for (int i = 0; i < PROCS; i++) {
                size_t *view = &s.shards[shard].procs[i].view;

                *view = *view < half ? 0 : *view - half;
            }
        for (unsigned slot = 0; slot < SLOTS; slot++)
            s.clients[slot].view = s.clients[slot].view < half ? 0 : s.clients[slot].view - half;
    }
    s.history[s.latest + 1] = s.history[s.latest];
    return &s.history[++s.latest];
}

static uint64_t revision_number; /* grows for ever */

static bool ended_all(const struct told *told)
{
    for (unsigned i = 0; i < told->move_count; i++)
        if (!hy_move_ended(told->moves[i].state))
            return false;
    return true;
}

/* The operator: new moves when the old have ended, and now and then he thinks better of it. */
static void operate(void)
{
    struct told *told = latest();

    if (!ended_all(told)) {
        if (chance(85) || s.calm)
            return;
        told = next_revision();
        if (chance(30)) {
            told->cancelling = true;
        } else {
            unsigned i = (unsigned)draw(told->move_count);

            if (!hy_move_ended(told->moves[i].state)) {
                told->moves[i].state = HY_MOVE_CANCELLED;
                told->revisions[i] = ++revision_number;
                s.cancelled++;
            }
        }
        return;
    }
    if (s.calm || told->move_count + 2 > MOVES)
        return;
    told = next_revision();
    told->cancelling = false;
    for (int k = 0; k < 2; k++) {
        unsigned slot = (unsigned)draw(SLOTS), i = told->move_count++;
        struct hy_move *move = &told->moves[i];

        *move = (struct hy_move){.id = i + 1,
                                 .first = (uint16_t)slot,
                                 .last = (uint16_t)slot,
                                 .from = told->owner[slot]};
        while (move->last + 1 < SLOTS && told->owner[move->last + 1] == move->from && chance(50))
            move->last++;
        move->to = (move->from + 1 + (uint32_t)draw(SHARDS - 1)) % SHARDS;
        told->revisions[i] = ++revision_number;
    }
}

static bool guards_hold(const struct asked *asked, const struct told *told)
{
    unsigned i = asked->move.id - 1;

    if (asked->what == MOVE_ASK_DONE) {
        if (told->map_revision != asked->map_revision)
            return false;
        if (move_broken(MOVE_BROKEN_GUARD))
            return told->moves[i].state != HY_MOVE_DONE;
    }
    return told->revisions[i] == asked->revision;
}

static enum hy_err apply_asked(const struct asked *asked)
{
    unsigned i = asked->move.id - 1;
    struct told *told;

    if (!guards_hold(asked, latest()))
        return HY_EEXIST;
    told = next_revision();
    told->moves[i] = asked->move;
    told->revisions[i] = ++revision_number;
    if (asked->what == MOVE_ASK_DONE) {
        for (unsigned slot = asked->move.first; slot <= asked->move.last; slot++)
            told->owner[slot] = (uint8_t)asked->move.to;
        told->map_epoch++;
        told->map_revision = revision_number;
        s.done++;
    }
    s.cancelled += asked->what == MOVE_ASK_CANCELLED;
    return HY_OK;
}

static void tell_asker(struct asked *asked, enum hy_err err)
{
    struct proc *p = by_serial(asked->source);

    asked->answered = true;
    if (p == NULL)
        return;
    p->changing = false;
    if (err == HY_OK || (err == HY_EEXIST && chance(50)))
        p->view = s.latest;
    move_out_did(&p->out, s.now_ms, asked->what, err);
}

static void coordinate(void)
{
    size_t at = draw(ASKED), tries = 0;
    struct asked *asked;
    enum hy_err err;

    while (!s.asked[at].used && tries++ < ASKED)
        at = (at + 1) % ASKED;
    asked = &s.asked[at];
    if (!asked->used)
        return;
    if (!asked->answered && (asked->fate == 1 || asked->fate == 2)) {
        tell_asker(asked, HY_ETIMEOUT);
        asked->used = asked->fate == 1; /* done later */
        return;
    }
    err = apply_asked(asked);
    if (!asked->answered)
        tell_asker(asked, asked->fate == 3 ? HY_ETIMEOUT : err);
    asked->used = false;
}

static void ask(struct proc *p, enum move_do what, const struct hy_move *known)
{
    const struct told *told = seen(p);
    struct asked asked = {.used = true,
                          .source = p->serial,
                          .shard = p->shard,
                          .what = what,
                          .move = *known,
                          .revision = told->revisions[known->id - 1],
                          .map_revision = told->map_revision,
                          .fate = s.calm || chance(75) ? 0 : 1 + (int)draw(3)};

    if (what == MOVE_ASK_COPYING) {
        asked.move.state = HY_MOVE_COPYING;
        asked.move.attempt = p->out.asked;
        s.attempts++;
    } else {
        asked.move.state = what == MOVE_ASK_FROZEN ? HY_MOVE_FROZEN
                           : what == MOVE_ASK_DONE ? HY_MOVE_DONE
                                                   : HY_MOVE_CANCELLED;
    }
    for (int i = 0; i < ASKED; i++)
        if (!s.asked[i].used) {
            p->changing = true;
            s.asked[i] = asked;
            return;
        }
    move_out_did(&p->out, s.now_ms, what, HY_ETIMEOUT);
}

/* ---- the source ---- */

static void on_wire(const struct part *part)
{
    for (int i = 0; i < WIRE; i++)
        if (!s.wire[i].used) {
            s.wire[i] = *part;
            s.wire[i].used = true;
            return;
        }
    s.wire[draw(WIRE)] = *part; /* something is lost */
}

static void take_tee(struct proc *p, struct part *part)
{
    for (unsigned i = 0; i < p->tee_count && part->count < PART_ROWS; i++)
        part->rows[part->count++] = p->tee[i];
    p->tee_count = 0;
}

static void send_part(struct proc *p, enum move_do what)
{
    struct part part = {.what = what,
                        .to = p->to,
                        .move = p->out.id,
                        .token = ++s.tokens,
                        .source = p->serial,
                        .part = {p->out.attempt, 0}};

    if (what == MOVE_SEND_FIRST) {
        p->seq = p->hash = p->rows = 0;
    } else {
        part.part.seq = ++p->seq;
        take_tee(p, &part);
        if (what == MOVE_SEND_ROWS && !p->scanned) {
            const struct list *list = &p->db.data[p->next];

            for (unsigned i = 0; i < list->n && part.count < PART_ROWS; i++)
                part.rows[part.count++] = (struct row){(uint8_t)p->next, list->ids[i]};
            p->scanned = p->next++ == p->run.last;
        }
        p->rows += part.count;
        p->hash = move_rows_hash(p->hash, part.rows, part.count * sizeof part.rows[0]);
    }
    part.all = p->rows;
    part.hash = p->hash;
    p->token = part.token;
    p->waiting = part;
    on_wire(&part);
}

static const struct hy_move *under_way(const struct proc *p)
{
    const struct told *told = seen(p);

    if (p->out.frozen)
        return p->out.frozen_id <= told->move_count ? &told->moves[p->out.frozen_id - 1] : NULL;
    for (unsigned i = 0; i < told->move_count; i++)
        if (told->moves[i].from == p->shard && !hy_move_ended(told->moves[i].state))
            return &told->moves[i];
    return NULL;
}

static void write_row(struct proc *p, enum move_do what)
{
    struct out_row *out = &p->db.out[p->out.frozen_id - 1];

    switch (what) {
    case MOVE_FREEZE:
        *out = (struct out_row){.there = true,
                                .attempt = p->out.attempt,
                                .to = p->to,
                                .first = p->run.first,
                                .last = p->run.last};
        break;
    case MOVE_THAW:
        out->there = false;
        break;
    default:
        out->gone = true;
        for (unsigned slot = out->first; slot <= out->last; slot++)
            p->db.has[slot] = false;
        p->db.map_epoch = seen(p)->map_epoch;
    }
    wrote(p);
    if (what == MOVE_FREEZE)
        p->mark = p->written;
    move_out_did(&p->out, s.now_ms, what, HY_OK);
}

static void drive(struct proc *p)
{
    const struct told *told = seen(p);
    const struct hy_move *move = under_way(p);
    struct move_see see = {.now_ms = s.now_ms, .move = move, .running = true};
    enum move_do what;

    if (p->changing || !fresh(p))
        return;
    see.cancelling = told->cancelling;
    see.owns = move != NULL;
    for (unsigned slot = move == NULL ? SLOTS : move->first; move != NULL && slot <= move->last;
         slot++)
        see.owns = see.owns && told->owner[slot] == p->shard;
    see.ready = !p->scanned || p->tee_count > 0;
    see.small = p->scanned && p->tee_count <= 2;
    see.passed = move_broken(MOVE_BROKEN_PASSED) || p->passed >= p->mark;
    what = move_out_next(&p->out, &see);
    switch (what) {
    case MOVE_REST:
        break;
    case MOVE_SEND_FIRST:
        p->run = (struct move_run){move->first, move->last};
        p->to = move->to;
        send_part(p, what);
        break;
    case MOVE_SEND_ROWS:
    case MOVE_SEND_LAST:
        send_part(p, what);
        break;
    case MOVE_FREEZE:
    case MOVE_THAW:
    case MOVE_GO:
        write_row(p, what);
        break;
    default:
        ask(p, what, move);
    }
}

/* Nobody answers, or the bus asks again. */
static void be_impatient(struct proc *p)
{
    if (p->token == 0)
        return;
    if (s.calm || chance(70)) {
        on_wire(&p->waiting);
        return;
    }
    p->token = 0;
    move_out_did(&p->out, s.now_ms, p->waiting.what, HY_ETIMEOUT);
}

static bool comes(const struct db *db, unsigned slot)
{
    for (unsigned i = 0; i < MOVES; i++)
        if (db->in_there[i] && slot >= db->in[i].first && slot <= db->in[i].last)
            return true;
    return false;
}

/* Rows of what left go. */
static void clean(struct proc *p)
{
    const struct told *told = seen(p);

    if (!fresh(p))
        return;
    for (unsigned i = 0; i < MOVES; i++) {
        struct out_row *out = &p->db.out[i];

        if (!out->there || !out->gone)
            continue;
        for (unsigned slot = out->first; slot <= out->last; slot++)
            if (!p->db.has[slot] && told->owner[slot] != p->shard && !comes(&p->db, slot))
                p->db.data[slot].n = 0;
        out->there = false;
        wrote(p);
    }
}

/* ---- the target ---- */

static bool owns_any(const struct proc *p, const struct hy_move *move)
{
    for (unsigned slot = move->first; slot <= move->last; slot++)
        if (seen(p)->owner[slot] == p->shard)
            return true;
    return false;
}

static struct move_in_see look(const struct proc *p, uint32_t id)
{
    const struct told *told = seen(p);
    struct move_in_see see = {.row = p->db.in_there[id - 1] ? &p->db.in[id - 1] : NULL,
                              .shard = p->shard,
                              .fresh = fresh(p)};
    const struct hy_move *move = &latest()->moves[id - 1]; /* for its run, which never changes */

    if (id <= told->move_count)
        see.move = &told->moves[id - 1];
    see.owns = owns_any(p, move);
    for (unsigned i = 0; i < MOVES; i++) {
        const Hy__MoveIn *other = &p->db.in[i];

        if (i + 1 != id && p->db.in_there[i] && other->first <= move->last &&
            other->last >= move->first &&
            !(i < told->move_count && hy_move_ended(told->moves[i].state)))
            see.taken = true;
    }
    return see;
}

static void begin_in(struct proc *p, const struct part *part)
{
    const struct hy_move *move = &seen(p)->moves[part->move - 1];

    for (unsigned i = 0; i < MOVES; i++)
        if (i + 1 != part->move && p->db.in_there[i] && p->db.in[i].first <= move->last &&
            p->db.in[i].last >= move->first)
            p->db.in_there[i] = false;
    for (unsigned slot = move->first; slot <= move->last; slot++) {
        p->db.data[slot].n = 0;
        p->db.has[slot] = false;
    }
    p->db.map_epoch = seen(p)->map_epoch;
    p->db.in_there[part->move - 1] = true;
    p->db.in[part->move - 1] =
        (Hy__MoveIn){.first = move->first, .last = move->last, .attempt = part->part.attempt};
    wrote(p);
}

static enum hy_err take_in(struct proc *p, const struct part *part)
{
    Hy__MoveIn *row = &p->db.in[part->move - 1];
    uint64_t hash = move_rows_hash(row->hash, part->rows, part->count * sizeof part->rows[0]);
    bool last = part->what == MOVE_SEND_LAST;

    if (last && !move_broken(MOVE_BROKEN_ATTEMPT) &&
        (row->rows + part->count != part->all || hash != part->hash))
        return HY_ECORRUPT;
    for (unsigned i = 0; i < part->count; i++)
        append(&p->db.data[part->rows[i].slot], part->rows[i].id);
    row->seq = part->part.seq;
    row->rows += part->count;
    row->hash = hash;
    row->complete = last;
    for (unsigned slot = row->first; last && slot <= row->last; slot++)
        p->db.has[slot] = true;
    wrote(p);
    return HY_OK;
}

static void receive(const struct part *part)
{
    struct proc *p = &s.shards[part->to].procs[draw(PROCS)];
    struct promise said = {
        .client = -1, .reader = -1, .token = part->token, .source = part->source};
    struct move_in_see see;

    if (!p->used || chance(80))
        p = leader(part->to);
    if (p == NULL)
        return;
    see = look(p, part->move);
    switch (move_in_look(&see, &part->part)) {
    case MOVE_IN_BEGIN:
        begin_in(p, part);
        break;
    case MOVE_IN_TAKE:
        said.result = take_in(p, part);
        break;
    case MOVE_IN_AGAIN:
        break;
    case MOVE_IN_STALE:
        said.result = HY_EDENIED;
        break;
    case MOVE_IN_WAIT:
        return;
    }
    said.mark = p->written;
    if (move_broken(MOVE_BROKEN_DURABLE))
        answer_part(part->source, part->token, said.result);
    else if (p->real)
        promise(p, said);
}

static void end_in(struct proc *p)
{
    for (unsigned i = 0; i < MOVES; i++) {
        struct move_in_see see;
        enum move_in_end end;

        if (!p->db.in_there[i])
            continue;
        see = look(p, i + 1);
        end = move_in_over(&see);
        if (end == MOVE_IN_KEEP)
            continue;
        for (unsigned slot = p->db.in[i].first; end == MOVE_IN_DELETE && slot <= p->db.in[i].last;
             slot++) {
            p->db.has[slot] = false;
            p->db.data[slot].n = 0;
        }
        p->db.in_there[i] = false;
        wrote(p);
    }
}

static void deliver(void)
{
    size_t at = draw(WIRE), tries = 0;
    struct part *part, copy;

    while (!s.wire[at].used && tries++ < WIRE)
        at = (at + 1) % WIRE;
    part = &s.wire[at];
    copy = *part;
    if (!part->used)
        return;
    if (s.calm || chance(85))
        part->used = false; /* else it comes again */
    if (s.calm || chance(90))
        receive(&copy);
}

/* ---- a run ---- */

static void some_proc(void (*fn)(struct proc *p))
{
    struct proc *p = &s.shards[draw(SHARDS)].procs[draw(PROCS)];

    if (p->used)
        fn(p);
}

static void hear(struct proc *p)
{
    if (p->view < s.latest)
        p->view += 1 + draw(s.latest - p->view);
}

static void step(void)
{
    unsigned what = (unsigned)draw(100);

    s.now_ms += draw(20);
    if (what < 22)
        write_one((unsigned)draw(SLOTS));
    else if (what < 28)
        read_one((unsigned)draw(SLOTS));
    else if (what < 45)
        pass((uint32_t)draw(SHARDS));
    else if (what < 65)
        some_proc(drive);
    else if (what < 76)
        deliver();
    else if (what < 86)
        coordinate();
    else if (what < 91)
        some_proc(hear);
    else if (what < 93)
        some_proc(be_impatient);
    else if (what < 95)
        some_proc(clean);
    else if (what < 97)
        some_proc(end_in);
    else if (what < 98)
        operate();
    else if (!s.calm && chance(40))
        replace((uint32_t)draw(SHARDS));
}

static void begin(uint64_t seed)
{
    struct told *told;

    memset(&s, 0, sizeof s);
    s.random = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15);
    s.now_ms = 1000;
    for (int i = 0; i < 8; i++)
        (void)draw(2);
    revision_number = 1;
    told = latest();
    told->map_epoch = told->map_revision = 1;
    for (unsigned slot = 0; slot < SLOTS; slot++)
        told->owner[slot] = (uint8_t)(slot * SHARDS / SLOTS);
    for (uint32_t shard = 0; shard < SHARDS; shard++) {
        s.shards[shard].durable.map_epoch = 1;
        for (unsigned slot = 0; slot < SLOTS; slot++)
            s.shards[shard].durable.has[slot] = told->owner[slot] == shard;
        replace(shard);
    }
}

static void check(void)
{
    for (unsigned slot = 0; slot < SLOTS && s.wrong[0] == '\0'; slot++) {
        const struct proc *p = leader(latest()->owner[slot]);
        const struct list *list = &p->db.data[slot];
        const struct client *client = &s.clients[slot];

        if (!serves(p, slot))
            snprintf(s.wrong, sizeof s.wrong, "slot %u is served by nobody", slot);
        else if (list->n < client->acked || list->n > client->next)
            snprintf(s.wrong, sizeof s.wrong, "slot %u has %u, acknowledged were %u", slot, list->n,
                     client->acked);
        for (unsigned i = 0; i < list->n && s.wrong[0] == '\0'; i++)
            if (list->ids[i] != i + 1)
                snprintf(s.wrong, sizeof s.wrong, "slot %u has %u at place %u", slot, list->ids[i],
                         i + 1);
    }
}

static void tell_stuck(void)
{
    const struct told *told = latest();

    for (unsigned i = 0; i < told->move_count; i++) {
        const struct hy_move *move = &told->moves[i];
        const struct proc *p = leader(move->from);

        if (!hy_move_ended(move->state))
            snprintf(
                s.wrong, sizeof s.wrong,
                "move %u of %u-%u, %u to %u, stays %s at attempt %u: phase %d of %u, busy \"%s\"",
                move->id, move->first, move->last, move->from, move->to,
                hy_move_state_name(move->state), move->attempt, p->out.phase, p->out.id,
                move_do_name(p->out.busy));
    }
}

static bool run(uint64_t seed)
{
    begin(seed);
    for (int i = 0; i < STEPS && s.wrong[0] == '\0'; i++)
        step();
    s.calm = true; /* those of the past are gone, the others hear everything */
    for (uint32_t shard = 0; shard < SHARDS; shard++)
        for (int i = 0; i < PROCS; i++)
            if (s.shards[shard].procs[i].used && !s.shards[shard].procs[i].real)
                s.shards[shard].procs[i].used = false;
    for (int i = 0; i < CALM_STEPS && s.wrong[0] == '\0'; i++) {
        step();
        for (uint32_t shard = 0; shard < SHARDS; shard++)
            leader(shard)->view = s.latest;
    }
    if (s.wrong[0] == '\0' && !ended_all(latest()))
        tell_stuck();
    if (s.wrong[0] == '\0')
        check();
    return s.wrong[0] == '\0';
}

static int usage(void)
{
    fprintf(stderr, "usage: hongyan-sim-moves [--seeds A-B] [--break RULE] [--expect-caught]\n");
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        fprintf(stderr, "  --break %-8s %s\n", rules[i].name, rules[i].text);
    return 2;
}

static bool break_rule(const char *name)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].name, name) == 0) {
            move_broken_rules |= rules[i].rule;
            return true;
        }
    return false;
}

int main(int argc, char **argv)
{
    unsigned long first = 1, last = 200;
    uint64_t failed = 0, done = 0, cancelled = 0, attempts = 0, acked = 0;
    bool caught = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--expect-caught") == 0)
            caught = true;
        else if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc &&
                 sscanf(argv[i + 1], "%lu-%lu", &first, &last) == 2)
            i++;
        else if (strcmp(argv[i], "--break") == 0 && i + 1 < argc && break_rule(argv[i + 1]))
            i++;
        else
            return usage();
    }
    for (unsigned long seed = first; seed <= last; seed++) {
        if (!run(seed)) {
            failed++;
            printf("seed %lu: %s\n", seed, s.wrong);
            if (caught)
                break;
        }
        done += s.done;
        cancelled += s.cancelled;
        attempts += s.attempts;
        for (unsigned slot = 0; slot < SLOTS; slot++)
            acked += s.clients[slot].acked;
    }
    printf("%lu seeds, %llu failed; %llu moves done, %llu cancelled, %llu attempts, %llu writes\n",
           last - first + 1, (unsigned long long)failed, (unsigned long long)done,
           (unsigned long long)cancelled, (unsigned long long)attempts, (unsigned long long)acked);
    return caught == (failed > 0) ? 0 : 1;
}

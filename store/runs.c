#include "store/runs.h"

#include <stdlib.h>
#include <string.h>

#include "common/slot.h"
#include "store/value.h"

enum { TABLE = 1 << 14, BLANKED_MOST = 16, FIELD_MSGS = 1, RESERVE_MOST = 8 << 10 };

struct run_place {
    uint64_t time_ms;
    uint32_t at, msg; /* in bytes: the field, and the message in it; the field ends where the next
                         begins */
    uint16_t flags;
    bool there;
};

struct run {
    struct run *chain;
    struct run *older, *newer; /* by last use */
    struct convlog log;
    uint64_t base;  /* its first place */
    uint32_t known; /* places that were looked at, from base on */
    struct run_place places[RUN_ROWS];
    struct hy_buf bytes;
};

struct runs {
    size_t limit, bytes;
    struct run *newest, *oldest;
    struct convlog blanked[BLANKED_MOST];
    size_t blanked_count; /* over BLANKED_MOST: too many to name */
    uint64_t generation;
    struct run *table[TABLE];
};

enum hy_err runs_open(size_t bytes, struct runs **runs)
{
    struct runs *r = calloc(1, sizeof *r);

    if (r == NULL)
        return HY_ENOMEM;
    r->limit = bytes;
    *runs = r;
    return HY_OK;
}

static bool same_log(const struct convlog *a, const struct convlog *b)
{
    return a->conversation == b->conversation && a->home.slot == b->home.slot &&
           a->home.app == b->home.app && a->conv_type == b->conv_type;
}

static struct run **bucket(struct runs *runs, const struct convlog *log, uint64_t base)
{
    uint64_t hash = hy_mix64(log->conversation ^ (uint64_t)log->home.slot << 48 ^ base << 20);

    return &runs->table[hash % TABLE];
}

static struct run *find(struct runs *runs, const struct convlog *log, uint64_t base)
{
    struct run *run = *bucket(runs, log, base);

    while (run != NULL && (run->base != base || !same_log(&run->log, log)))
        run = run->chain;
    return run;
}

/* ---- by age ---- */

static void unlink_age(struct runs *runs, struct run *run)
{
    *(run->newer != NULL ? &run->newer->older : &runs->newest) = run->older;
    *(run->older != NULL ? &run->older->newer : &runs->oldest) = run->newer;
}

static void link_newest(struct runs *runs, struct run *run)
{
    run->newer = NULL;
    run->older = runs->newest;
    *(runs->newest != NULL ? &runs->newest->newer : &runs->oldest) = run;
    runs->newest = run;
}

static size_t size_of(const struct run *run)
{
    return sizeof *run + run->bytes.cap;
}

/* Out of everything; the run is the caller's. */
static void take_out(struct runs *runs, struct run *run)
{
    struct run **at = bucket(runs, &run->log, run->base);

    while (*at != run)
        at = &(*at)->chain;
    *at = run->chain;
    unlink_age(runs, run);
    runs->bytes -= size_of(run);
}

static void put_in(struct runs *runs, struct run *run)
{
    struct run **at = bucket(runs, &run->log, run->base);

    run->chain = *at;
    *at = run;
    link_newest(runs, run);
    runs->bytes += size_of(run);
}

static void free_run(struct run *run)
{
    hy_buf_free(&run->bytes);
    free(run);
}

static void drop(struct runs *runs, struct run *run)
{
    take_out(runs, run);
    free_run(run);
}

void runs_clear(struct runs *runs)
{
    if (runs == NULL)
        return;
    while (runs->newest != NULL)
        drop(runs, runs->newest);
    runs->blanked_count = 0;
    runs->generation++;
}

void runs_close(struct runs **runs)
{
    if (*runs == NULL)
        return;
    runs_clear(*runs);
    free(*runs);
    *runs = NULL;
}

void runs_trim(struct runs *runs)
{
    while (runs->bytes > runs->limit)
        drop(runs, runs->oldest);
}

size_t runs_bytes(const struct runs *runs)
{
    return runs->bytes;
}

/* ---- filling ---- */

static struct run *add(struct runs *runs, const struct convlog *log, uint64_t base)
{
    struct run *run = calloc(1, sizeof *run);

    if (run == NULL)
        return NULL;
    run->log = *log;
    run->base = base;
    put_in(runs, run);
    return run;
}

/* A run that a walk fills, from its first unknown place up to top. */
struct part {
    struct run *run;
    uint64_t top;
    size_t bytes, size; /* before */
};

/* Messages are mostly as long as each other: make room for all at once. */
static enum hy_err reserve(const struct part *part, const struct convlog_walk *walk)
{
    size_t all = (part->top - walk->seq + 1) * (walk->row.msg_len + 4);

    return hy_buf_reserve(&part->run->bytes, all < RESERVE_MOST ? all : RESERVE_MOST);
}

static enum hy_err put(const struct part *part, const struct convlog_walk *walk)
{
    struct run *run = part->run;
    struct run_place *place = &run->places[walk->seq - run->base];
    size_t at = run->bytes.len;
    enum hy_err err = at == 0 ? reserve(part, walk) : HY_OK;

    if (err == HY_OK)
        err = value_put_field(&run->bytes, FIELD_MSGS, walk->row.msg, walk->row.msg_len);
    if (err != HY_OK)
        return err;
    *place = (struct run_place){
        .time_ms = walk->row.time_ms,
        .at = (uint32_t)at,
        .msg = (uint32_t)(run->bytes.len - walk->row.msg_len),
        .flags = walk->row.flags,
        .there = true,
    };
    return HY_OK;
}

/* Parts that lie one behind the other, of one log. All or nothing: a walk that fails half way has
 * told nothing about the rest. */
static enum hy_err fill(struct db *db, struct part *parts, size_t count)
{
    const struct run *run = parts->run;
    uint64_t first = run->base + run->known;
    struct part *part = parts;
    struct convlog_walk walk;
    enum hy_err err = convlog_open(db, &run->log, first, parts[count - 1].top, &walk);

    if (err != HY_OK)
        return err;
    for (convlog_seek(&walk, first); walk.valid && err == HY_OK; convlog_next(&walk)) {
        while (walk.seq > part->top)
            part++;
        err = put(part, &walk);
    }
    if (err == HY_OK)
        err = db_scan_err(walk.scan);
    convlog_close(&walk);
    for (size_t i = 0; i < count; i++) {
        if (err == HY_OK)
            parts[i].run->known = (uint32_t)(parts[i].top - parts[i].run->base + 1);
        else
            parts[i].run->bytes.len = parts[i].bytes;
    }
    return err;
}

static uint64_t base_of(uint64_t seq)
{
    return seq / RUN_ROWS * RUN_ROWS;
}

static uint64_t top_of(uint64_t base, uint64_t last)
{
    return base + RUN_ROWS - 1 < last ? base + RUN_ROWS - 1 : last;
}

static struct part part_of(struct run *run, uint64_t last)
{
    return (struct part){run, top_of(run->base, last), run->bytes.len, size_of(run)};
}

/* Fill r, and in the same walk its neighbour that holds ahead, when nothing is known of both. */
static enum hy_err load(struct runs *runs, struct db *db, struct run *r, uint64_t last,
                        uint64_t ahead)
{
    uint64_t other = base_of(ahead);
    bool below = other + RUN_ROWS == r->base, above = r->base + RUN_ROWS == other && other <= last;
    bool both = r->known == 0 && (below || above) && find(runs, &r->log, other) == NULL;
    struct run *neighbour = both ? add(runs, &r->log, other) : NULL;
    struct part parts[2];
    size_t count = 0;
    enum hy_err err;

    if (neighbour != NULL && below)
        parts[count++] = part_of(neighbour, last);
    parts[count++] = part_of(r, last);
    if (neighbour != NULL && above)
        parts[count++] = part_of(neighbour, last);
    err = fill(db, parts, count);
    for (size_t i = 0; i < count; i++)
        runs->bytes += size_of(parts[i].run) - parts[i].size;
    if (err != HY_OK && neighbour != NULL)
        drop(runs, neighbour);
    return err;
}

enum hy_err runs_get(struct runs *runs, struct db *db, const struct runs_place *at,
                     const struct run **run)
{
    uint64_t base = base_of(at->seq);
    struct run *r = find(runs, at->log, base);
    enum hy_err err = HY_OK;

    if (r == NULL)
        r = add(runs, at->log, base);
    if (r == NULL)
        return HY_ENOMEM;
    if (base + r->known <= top_of(base, at->last))
        err = load(runs, db, r, at->last, at->ahead);
    unlink_age(runs, r);
    link_newest(runs, r);
    *run = r;
    if (err != HY_OK && r->known == 0)
        drop(runs, r);
    return err;
}

const struct run *runs_find(struct runs *runs, const struct convlog *log, uint64_t seq)
{
    struct run *run = find(runs, log, base_of(seq));

    return run != NULL && run_holds(run, seq) ? run : NULL;
}

/* ---- looking ---- */

bool run_holds(const struct run *run, uint64_t seq)
{
    return seq >= run->base && seq - run->base < run->known;
}

bool run_row(const struct run *run, uint64_t seq, struct value_log *row, ProtobufCBinaryData *field)
{
    const struct run_place *place = &run->places[seq - run->base];
    uint32_t end = (uint32_t)run->bytes.len;

    if (!place->there)
        return false;
    for (uint64_t i = seq - run->base + 1; i < run->known; i++) {
        if (run->places[i].there) {
            end = run->places[i].at;
            break;
        }
    }
    *row = (struct value_log){place->flags, place->time_ms, run->bytes.data + place->msg,
                              end - place->msg};
    *field = (ProtobufCBinaryData){end - place->at, run->bytes.data + place->at};
    return true;
}

/* ---- blanking ---- */

void runs_blanked(struct runs *runs, const struct convlog *log)
{
    if (runs->blanked_count < BLANKED_MOST)
        runs->blanked[runs->blanked_count] = *log;
    runs->blanked_count++;
}

static bool is_blanked(const struct runs *runs, const struct convlog *log)
{
    for (size_t i = 0; i < runs->blanked_count && i < BLANKED_MOST; i++)
        if (same_log(&runs->blanked[i], log))
            return true;
    return runs->blanked_count > BLANKED_MOST;
}

void runs_settle(struct runs *runs)
{
    if (runs->blanked_count == 0)
        return;
    for (struct run *run = runs->newest, *older; run != NULL; run = older) {
        older = run->older;
        if (is_blanked(runs, &run->log))
            drop(runs, run);
    }
    runs->blanked_count = 0;
    runs->generation++;
}

/* ---- from thread to thread ---- */

struct run *runs_release(struct runs *runs)
{
    struct run *list = NULL;

    while (runs->newest != NULL) {
        struct run *run = runs->newest;

        take_out(runs, run);
        run->chain = list;
        list = run;
    }
    return list;
}

void runs_free(struct run *list)
{
    while (list != NULL) {
        struct run *next = list->chain;

        free_run(list);
        list = next;
    }
}

uint64_t runs_generation(const struct runs *runs)
{
    return runs->generation;
}

void runs_adopt(struct runs *runs, struct run *list, uint64_t generation)
{
    if (generation != runs->generation) {
        runs_free(list);
        return;
    }
    while (list != NULL) {
        struct run *run = list, *mine = find(runs, &run->log, run->base);

        list = run->chain;
        if (mine != NULL && mine->known >= run->known) {
            free_run(run);
            continue;
        }
        if (mine != NULL)
            drop(runs, mine);
        put_in(runs, run);
    }
}

#include "store/replica/chase.h"

#include <stdlib.h>
#include <string.h>

#include "store/replica/wire.h"

enum { PIECE_BYTES = 4 << 20, PIECE_BATCHES = 4096 };

struct chase {
    struct job job; /* first: is the chase */
    struct worker *worker;
    void (*done)(void *arg);
    void *arg;
    bool busy;
    /* the worker's while busy */
    struct db *db;
    struct db_log *log; /* goes on at next */
    uint64_t next;
    enum hy_err err;
    struct batch_ref *batches; /* offsets into bytes until they are lent */
    size_t count;
    uint8_t *bytes;
    size_t used, room;
};

/* ---- in the worker ---- */

static enum hy_err keep(struct chase *c, const uint8_t *bytes, size_t len, uint64_t first,
                        uint32_t count)
{
    if (c->used + len > c->room) {
        size_t room = c->used + len + PIECE_BYTES;
        uint8_t *more = realloc(c->bytes, room);

        if (more == NULL)
            return HY_ENOMEM;
        c->bytes = more;
        c->room = room;
    }
    memcpy(c->bytes + c->used, bytes, len);
    c->batches[c->count++] = (struct batch_ref){.first = first, .count = count, .len = len};
    c->used += len;
    return HY_OK;
}

static enum hy_err read_on(struct chase *c)
{
    const uint8_t *bytes;
    size_t len;
    uint64_t first;
    uint32_t count;
    enum hy_err err = HY_OK;

    while (err == HY_OK && c->used < PIECE_BYTES && c->count < PIECE_BATCHES) {
        err = db_log_next(c->log, &bytes, &len, &first, &count);
        if (err == HY_OK)
            err = keep(c, bytes, len, first, count);
        if (err == HY_OK)
            c->next = first + count;
    }
    return err;
}

/* At the end of a file of the log the walk has to begin anew. */
static void run(struct job *job)
{
    struct chase *c = (struct chase *)job;

    for (int tries = 0; tries < 2 && c->count == 0; tries++) {
        c->err = HY_OK;
        if (c->log == NULL)
            c->err = db_log_open(c->db, c->next, &c->log);
        if (c->err == HY_OK)
            c->err = read_on(c);
        if (c->err != HY_OK)
            db_log_close(&c->log);
    }
}

/* ---- in the loop ---- */

static void on_done(struct job *job, bool ran)
{
    struct chase *c = (struct chase *)job;
    const uint8_t *at = c->bytes;

    c->busy = false;
    if (!ran)
        return;
    for (size_t i = 0; i < c->count; i++) {
        struct batch_ref *b = &c->batches[i];

        b->bytes = at;
        b->reign = wire_reign(at, b->len);
        at += b->len;
    }
    c->done(c->arg);
}

enum hy_err chase_open(struct worker *worker, void (*done)(void *arg), void *arg,
                       struct chase **chase)
{
    struct chase *c = calloc(1, sizeof *c);

    if (c == NULL)
        return HY_ENOMEM;
    c->batches = calloc(PIECE_BATCHES, sizeof *c->batches);
    if (c->batches == NULL) {
        free(c);
        return HY_ENOMEM;
    }
    *c = (struct chase){.job = {.run = run, .done = on_done},
                        .worker = worker,
                        .done = done,
                        .arg = arg,
                        .batches = c->batches};
    *chase = c;
    return HY_OK;
}

void chase_rest(struct chase *chase)
{
    db_log_close(&chase->log);
    free(chase->bytes);
    chase->bytes = NULL;
    chase->used = chase->room = chase->count = 0;
    chase->err = HY_OK;
}

void chase_close(struct chase **chase)
{
    struct chase *c = *chase;

    if (c == NULL)
        return;
    *chase = NULL;
    if (c->busy)
        worker_wait(c->worker);
    chase_rest(c);
    free(c->batches);
    free(c);
}

static const struct batch_ref *find(const struct chase *c, uint64_t first)
{
    size_t low = 0, high = c->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (c->batches[middle].first < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->count && c->batches[low].first == first ? &c->batches[low] : NULL;
}

enum hy_err chase_read(struct chase *chase, struct db *db, uint64_t first, struct batch_ref *batch)
{
    const struct batch_ref *found;

    if (chase->busy)
        return HY_EBUSY;
    found = find(chase, first);
    if (found != NULL) {
        *batch = *found;
        return HY_OK;
    }
    if (chase->err != HY_OK && chase->next == first && chase->count == 0) {
        enum hy_err err = chase->err;

        chase->err = HY_OK; /* who asks again tries again */
        return err == HY_ENOMEM ? HY_EBUSY : HY_ENOTFOUND;
    }
    if (chase->next != first)
        db_log_close(&chase->log);
    chase->db = db;
    chase->next = first;
    chase->count = chase->used = 0;
    chase->err = HY_OK;
    chase->busy = true;
    worker_do(chase->worker, &chase->job);
    return HY_EBUSY;
}

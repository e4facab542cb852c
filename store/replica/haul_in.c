/* The side of a full copy that gets it. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster.pb-c.h"
#include "common/clock.h"
#include "common/file.h"
#include "store/replica/haul.h"
#include "store/replica/home.h"

enum { MAKE_MS = 60000, PIECE_MS = 20000, PAUSE_MS = 10 };

struct ask { /* for a piece */
    struct haul_in *in;
    uint64_t call; /* 0: free */
    size_t file;
    uint64_t offset;
    uint32_t bytes;
};

struct haul_in {
    struct job sync; /* first: is the haul */
    struct haul_in_config config;
    char dir[560], why[256];
    struct hy_timer *timer;
    Hy__ReplicaCopyRes *res;
    uint64_t call; /* for the list */
    int *fds;
    size_t file; /* the next piece to ask for */
    uint64_t offset;
    struct ask asks[HAUL_CREDIT];
    unsigned asked;
    uint64_t bytes, began_ms;
    enum hy_err synced;
    bool syncing, closing;
};

static void finish(struct haul_in *h, enum hy_err err)
{
    h->config.done(h->config.arg, err);
}

/* ---- syncing ---- */

static void sync_all(struct job *job)
{
    struct haul_in *h = (struct haul_in *)job;

    h->synced = HY_OK;
    for (size_t i = 0; i < h->res->n_files && h->synced == HY_OK; i++)
        if (fsync(h->fds[i]) != 0)
            h->synced = errno == ENOSPC ? HY_EFULL : HY_EIO;
    if (h->synced == HY_OK)
        h->synced = hy_dir_sync(h->dir, h->why);
}

static void all_synced(struct job *job, bool ran)
{
    struct haul_in *h = (struct haul_in *)job;

    h->syncing = false;
    if (ran && !h->closing)
        finish(h, h->synced);
}

/* ---- pieces ---- */

static void go_on(struct haul_in *h);

static enum hy_err keep(struct haul_in *h, const struct ask *ask, const struct hy_record *answer)
{
    if (answer->len != ask->bytes)
        return HY_ENOTFOUND; /* that copy is gone */
    if (pwrite(h->fds[ask->file], answer->payload, answer->len, (off_t)ask->offset) !=
        (ssize_t)answer->len)
        return errno == ENOSPC ? HY_EFULL : HY_EIO;
    /* Towards the disk at once, so that little is left when all of it is synced. */
    (void)sync_file_range(h->fds[ask->file], (off_t)ask->offset, (off_t)answer->len,
                          SYNC_FILE_RANGE_WRITE);
    h->bytes += answer->len;
    return HY_OK;
}

static void piece_came(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct ask *ask = arg;
    struct haul_in *h = ask->in;

    ask->call = 0;
    h->asked--;
    if (err == HY_OK)
        err = keep(h, ask, answer);
    if (err == HY_OK)
        go_on(h);
    else
        finish(h, err);
}

static void next_file(struct haul_in *h)
{
    while (h->file < h->res->n_files && h->offset >= h->res->files[h->file]->bytes) {
        h->file++;
        h->offset = 0;
    }
}

static void ask_for(struct haul_in *h, struct ask *ask)
{
    const Hy__ReplicaFile *file = h->res->files[h->file];
    uint64_t left = file->bytes - h->offset;
    Hy__ReplicaCopyRead req = HY__REPLICA_COPY_READ__INIT;
    struct hy_call call = {.kind = HY__BUS_KIND__REPLICA_COPY_READ,
                           .deadline_ms = PIECE_MS,
                           .retry_ms = PIECE_MS / 4,
                           .peer = h->config.from,
                           .done = piece_came,
                           .arg = ask};

    *ask = (struct ask){.in = h,
                        .file = h->file,
                        .offset = h->offset,
                        .bytes = left < HAUL_PIECE ? (uint32_t)left : HAUL_PIECE};
    req.copy = h->res->copy;
    req.name = file->name;
    req.offset = ask->offset;
    req.bytes = ask->bytes;
    h->offset += ask->bytes;
    h->asked++;
    ask->call = hy_bus_call_pb(h->config.bus, &call, &req.base);
}

/* May one more piece be asked for, at this rate? */
static bool may_ask(const struct haul_in *h)
{
    uint64_t ms = hy_steady_ms() - h->began_ms;
    uint64_t rate = h->config.bytes_per_second;

    return rate == 0 || h->bytes + h->asked * (uint64_t)HAUL_PIECE <= rate * (ms + PAUSE_MS) / 1000;
}

static void go_on(struct haul_in *h)
{
    next_file(h);
    for (int i = 0; i < HAUL_CREDIT && h->file < h->res->n_files; i++) {
        if (h->asks[i].call != 0)
            continue;
        if (!may_ask(h)) {
            hy_timer_set(h->timer, PAUSE_MS);
            return;
        }
        ask_for(h, &h->asks[i]);
        next_file(h);
    }
    if (h->file == h->res->n_files && h->asked == 0 && !h->syncing) {
        h->syncing = true;
        worker_do(h->config.worker, &h->sync);
    }
}

static void on_timer(void *arg)
{
    go_on(arg);
}

/* ---- the list ---- */

static enum hy_err open_files(struct haul_in *h)
{
    char path[1100];

    h->fds = calloc(h->res->n_files, sizeof *h->fds);
    if (h->fds == NULL)
        return HY_ENOMEM;
    memset(h->fds, 0xff, h->res->n_files * sizeof *h->fds);
    for (size_t i = 0; i < h->res->n_files; i++) {
        const char *name = h->res->files[i]->name;

        if (*name == '\0' || *name == '.' || strchr(name, '/') != NULL || strlen(name) > 255)
            return HY_EMALFORMED;
        snprintf(path, sizeof path, "%s/%s", h->dir, name);
        h->fds[i] = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (h->fds[i] < 0)
            return errno == ENOSPC ? HY_EFULL : HY_EIO;
    }
    return HY_OK;
}

static void list_came(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct haul_in *h = arg;

    h->call = 0;
    if (err == HY_OK) {
        h->res = hy__replica_copy_res__unpack(NULL, answer->len, answer->payload);
        err = h->res == NULL ? HY_EMALFORMED : h->res->copy == 0 ? HY_EBUSY : open_files(h);
    }
    h->began_ms = hy_steady_ms();
    if (err == HY_OK)
        go_on(h);
    else
        finish(h, err);
}

/* ---- life ---- */

enum hy_err haul_in_open(const struct haul_in_config *config, struct haul_in **in)
{
    struct haul_in *h = calloc(1, sizeof *h);
    Hy__ReplicaCopyReq req = HY__REPLICA_COPY_REQ__INIT;
    struct hy_call call = {.kind = HY__BUS_KIND__REPLICA_COPY,
                           .deadline_ms = MAKE_MS,
                           .retry_ms = MAKE_MS / 4,
                           .peer = config->from,
                           .done = list_came};
    enum hy_err err;

    if (h == NULL)
        return HY_ENOMEM;
    h->config = *config;
    h->sync = (struct job){.run = sync_all, .done = all_synced};
    snprintf(h->dir, sizeof h->dir, "%s", config->dir);
    (void)hy_dir_remove(h->dir);
    err = mkdir(h->dir, 0700) == 0 ? HY_OK : HY_EIO;
    if (err == HY_OK)
        err = hy_timer_open(config->loop, on_timer, h, &h->timer);
    if (err != HY_OK) {
        haul_in_close(&h);
        return err;
    }
    call.arg = h;
    req.shard = config->shard;
    h->call = hy_bus_call_pb(config->bus, &call, &req.base);
    *in = h;
    return HY_OK;
}

void haul_in_close(struct haul_in **in)
{
    struct haul_in *h = *in;

    if (h == NULL)
        return;
    *in = NULL;
    h->closing = true;
    if (h->syncing)
        worker_wait(h->config.worker);
    if (h->call != 0)
        hy_bus_cancel(h->config.bus, h->call);
    for (int i = 0; i < HAUL_CREDIT; i++)
        if (h->asks[i].call != 0)
            hy_bus_cancel(h->config.bus, h->asks[i].call);
    for (size_t i = 0; h->fds != NULL && i < h->res->n_files; i++)
        if (h->fds[i] >= 0)
            close(h->fds[i]);
    free(h->fds);
    if (h->res != NULL)
        hy__replica_copy_res__free_unpacked(h->res, NULL);
    hy_timer_close(&h->timer);
    free(h);
}

uint64_t haul_in_bytes(const struct haul_in *in)
{
    return in->bytes;
}

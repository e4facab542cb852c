/* The leader's side of a full copy. */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster.pb-c.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "store/replica/haul.h"
#include "store/replica/home.h"

enum { FILES_MAX = 16384 };

struct haul_out {
    struct job job; /* making the checkpoint; first: is the haul */
    struct worker *worker;
    char dir[560];
    char node[64]; /* who copies */
    uint64_t copy; /* its number, 0: none */
    uint64_t read_ms;
    bool making;
    struct db *db;
    struct hy_reply reply;
    Hy__ReplicaCopyRes res;
    char why[256];
};

/* ---- making ---- */

static void add_file(Hy__ReplicaCopyRes *res, const char *dir, const char *name)
{
    Hy__ReplicaFile *file;
    struct stat st;
    char path[1100];

    snprintf(path, sizeof path, "%s/%.255s", dir, name);
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || res->n_files == FILES_MAX)
        return;
    file = malloc(sizeof *file);
    if (file == NULL)
        return; /* the other side finds it missing when it opens */
    hy__replica_file__init(file);
    file->name = strdup(name);
    file->bytes = (uint64_t)st.st_size;
    res->files[res->n_files++] = file;
}

static void free_files(Hy__ReplicaCopyRes *res)
{
    for (size_t i = 0; i < res->n_files; i++) {
        free(res->files[i]->name);
        free(res->files[i]);
    }
    free(res->files);
    hy__replica_copy_res__init(res);
}

static void make(struct job *job)
{
    struct haul_out *h = (struct haul_out *)job;
    DIR *dir;

    (void)hy_dir_remove(h->dir);
    h->why[0] = '\0';
    h->res.files = calloc(FILES_MAX, sizeof(Hy__ReplicaFile *));
    if (h->res.files == NULL || db_checkpoint(h->db, h->dir, h->why) != HY_OK)
        return;
    dir = opendir(h->dir);
    if (dir == NULL)
        return;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        add_file(&h->res, h->dir, e->d_name);
    closedir(dir);
}

static void made(struct job *job, bool ran)
{
    struct haul_out *h = (struct haul_out *)job;

    h->making = false;
    h->read_ms = hy_steady_ms();
    if (ran && h->res.n_files > 0)
        h->copy = h->res.copy = hy_random64() | 1;
    else if (ran)
        hy_log_warn("store.copy_not_made", "why=\"%s\"", h->why);
    if (ran)
        hy_bus_reply_pb(&h->reply, &h->res.base);
    free_files(&h->res);
}

static bool is_taken(const struct haul_out *h)
{
    return h->making || (h->copy != 0 && hy_steady_ms() < h->read_ms + HAUL_BUSY_MS);
}

void haul_out_begin(struct haul_out *out, struct db *db, const char *node,
                    const struct hy_reply *reply)
{
    Hy__ReplicaCopyRes later = HY__REPLICA_COPY_RES__INIT;
    bool same = strcmp(out->node, node) == 0;

    if (!same && is_taken(out)) {
        hy_bus_reply_pb(reply, &later.base);
        return;
    }
    if (out->making) {
        out->reply = *reply; /* it asks again */
        return;
    }
    snprintf(out->node, sizeof out->node, "%s", node);
    out->making = true;
    out->copy = 0;
    out->db = db;
    out->reply = *reply;
    worker_do(out->worker, &out->job);
}

/* ---- reading ---- */

struct piece {
    struct job job;
    struct hy_reply reply;
    char path[1100];
    uint64_t offset;
    ssize_t got;
    size_t want;
    uint8_t bytes[];
};

static void read_piece(struct job *job)
{
    struct piece *p = (struct piece *)job;
    int fd = open(p->path, O_RDONLY | O_CLOEXEC);

    p->got = fd < 0 ? -1 : pread(fd, p->bytes, p->want, (off_t)p->offset);
    if (fd >= 0)
        close(fd);
}

static void piece_read(struct job *job, bool ran)
{
    struct piece *p = (struct piece *)job;

    if (ran)
        hy_bus_reply(&p->reply, p->bytes, p->got > 0 ? (size_t)p->got : 0);
    free(p);
}

static bool plain_name(const char *name)
{
    return *name != '\0' && *name != '.' && strchr(name, '/') == NULL && strlen(name) < 256;
}

void haul_out_read(struct haul_out *out, const struct hy_record *record,
                   const struct hy_reply *reply)
{
    Hy__ReplicaCopyRead *req = hy__replica_copy_read__unpack(NULL, record->len, record->payload);
    struct piece *p = NULL;

    if (req != NULL && req->copy == out->copy && out->copy != 0 && plain_name(req->name) &&
        req->bytes <= HAUL_PIECE)
        p = malloc(sizeof *p + req->bytes);
    if (p == NULL) {
        hy_bus_reply(reply, NULL, 0);
    } else {
        *p = (struct piece){.job = {.run = read_piece, .done = piece_read},
                            .reply = *reply,
                            .offset = req->offset,
                            .want = req->bytes};
        snprintf(p->path, sizeof p->path, "%s/%s", out->dir, req->name);
        out->read_ms = hy_steady_ms();
        worker_do(out->worker, &p->job);
    }
    hy__replica_copy_read__free_unpacked(req, NULL);
}

/* ---- life ---- */

enum hy_err haul_out_open(struct worker *worker, const char *dir, struct haul_out **out)
{
    struct haul_out *h = calloc(1, sizeof *h);

    if (h == NULL)
        return HY_ENOMEM;
    h->job = (struct job){.run = make, .done = made};
    h->worker = worker;
    snprintf(h->dir, sizeof h->dir, "%s", dir);
    hy__replica_copy_res__init(&h->res);
    (void)hy_dir_remove(h->dir);
    *out = h;
    return HY_OK;
}

void haul_out_tick(struct haul_out *out, uint64_t now_ms)
{
    if (out->copy == 0 || now_ms < out->read_ms + HAUL_IDLE_MS)
        return;
    out->copy = 0;
    (void)hy_dir_remove(out->dir);
}

void haul_out_close(struct haul_out **out)
{
    struct haul_out *h = *out;

    if (h == NULL)
        return;
    *out = NULL;
    worker_wait(h->worker);
    (void)hy_dir_remove(h->dir);
    free(h);
}

#include "store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/codes.h"
#include "common/file.h"
#include "common/log.h"
#include "store/db_backup.h"
#include "store/metric.h"

enum {
    CUT_WAIT_S = 30, /* READY, and nobody says CUT: given up */
    LOOK_MS = 200,   /* how far the process is is looked at so often */
    NICE = 10,
    RUN_MAX = 64,
    SAID_MAX = 512,
};

typedef Hy__BackupRes__State state_t;
#define STATE(name) HY__BACKUP_RES__STATE__##name

struct backup {
    char *work; /* the checkpoint */
    char *program;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* of what follows */
    struct db *db;
    bool in_use;   /* the thread works on db */
    bool cut;      /* go on from READY */
    bool stopping; /* give up */
    bool keeps;    /* the job is KEEP */
    state_t state;
    pid_t pid; /* of the process, 0: none */
    char run[RUN_MAX + 1], why[256];
    char folder[PATH_MAX];
    uint64_t rate_bytes, began_ms, took_ms, written;
    uint32_t keep_from;
    struct db_backup made;
    bool started; /* the thread is to be joined */
    pthread_t thread;
    char said_run[RUN_MAX + 1], said_why[256]; /* lent to who asked last */
};

/* ---- the thread ---- */

static void set_state(struct backup *b, state_t state)
{
    b->state = state;
    pthread_cond_broadcast(&b->changed);
}

/* The database, for as long as it takes; NULL: closed, or told to stop. */
static struct db *take_db(struct backup *b)
{
    struct db *db;

    pthread_mutex_lock(&b->lock);
    db = b->stopping ? NULL : b->db;
    b->in_use = db != NULL;
    pthread_mutex_unlock(&b->lock);
    return db;
}

static void give_db(struct backup *b)
{
    pthread_mutex_lock(&b->lock);
    b->in_use = false;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

static enum hy_err flush(struct backup *b, char why[static 256])
{
    struct db *db = take_db(b);
    enum hy_err err = HY_ECLOSED;

    if (db == NULL) {
        snprintf(why, 256, "the database is closed");
        return err;
    }
    err = db_flush(db, why);
    give_db(b);
    return err;
}

static enum hy_err checkpoint(struct backup *b, char why[static 256])
{
    struct db *db = take_db(b);
    enum hy_err err = HY_ECLOSED;

    if (db == NULL) {
        snprintf(why, 256, "the database is closed");
        return err;
    }
    err = db_checkpoint(db, b->work, why);
    give_db(b);
    return err;
}

/* READY until CUT. */
static enum hy_err wait_for_cut(struct backup *b, char why[static 256])
{
    struct timespec end;
    enum hy_err err = HY_OK;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += CUT_WAIT_S;
    pthread_mutex_lock(&b->lock);
    set_state(b, STATE(READY));
    while (!b->cut && !b->stopping && err == HY_OK)
        if (pthread_cond_timedwait(&b->changed, &b->lock, &end) == ETIMEDOUT)
            err = HY_ETIMEOUT;
    if (b->cut)
        set_state(b, STATE(CUTTING));
    else
        snprintf(why, 256, "%s", b->stopping ? "told to stop" : "nobody said how to go on");
    err = b->cut ? HY_OK : HY_ETIMEOUT;
    pthread_mutex_unlock(&b->lock);
    return err;
}

/* ---- the process ---- */

static pid_t start(struct backup *b, int *out)
{
    char rate[32], keep[32];
    char *copy[] = {b->program,
                    (char *)"create",
                    (char *)"--from",
                    b->work,
                    (char *)"--to",
                    b->folder,
                    (char *)"--rate",
                    rate,
                    NULL};
    char *clear[] = {
        b->program, (char *)"keep", (char *)"--to", b->folder, (char *)"--from-id", keep, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid = 0;

    snprintf(rate, sizeof rate, "%" PRIu64, b->rate_bytes);
    snprintf(keep, sizeof keep, "%" PRIu32, b->keep_from);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    errno = posix_spawn(&pid, b->program, &actions, NULL, b->keeps ? clear : copy, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (errno != 0) {
        close(ends[0]);
        return -1;
    }
    *out = ends[0];
    return pid;
}

static void look_how_far(struct backup *b, pid_t pid)
{
    char path[64], line[128];
    uint64_t bytes = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/io", (int)pid);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "wchar: ", 7) == 0)
            bytes = strtoull(line + 7, NULL, 10);
    if (file != NULL)
        fclose(file);
    pthread_mutex_lock(&b->lock);
    if (bytes > b->written)
        b->written = bytes;
    pthread_mutex_unlock(&b->lock);
}

/* What it says, to the end: one line. */
static void listen_to(struct backup *b, pid_t pid, int fd, char line[static SAID_MAX])
{
    struct pollfd in = {.fd = fd, .events = POLLIN};
    size_t len = 0;
    ssize_t n = 1;

    while (n != 0) {
        if (poll(&in, 1, LOOK_MS) == 0) {
            look_how_far(b, pid);
            continue;
        }
        n = read(fd, line + len, SAID_MAX - 1 - len);
        if (n < 0 && errno != EINTR)
            break;
        len += n > 0 ? (size_t)n : 0;
    }
    line[len] = '\0';
    line[strcspn(line, "\n")] = '\0';
}

static enum hy_err understand(const char *line, int status, struct db_backup *made,
                              char why[static 256])
{
    if (strcmp(line, "done") == 0)
        return HY_OK;
    if (sscanf(line,
               "done id=%" SCNu32 " sequence=%" SCNu64 " epoch=%" SCNu64 " bytes=%" SCNu64
               " copied=%" SCNu64 " files=%" SCNu32,
               &made->id, &made->sequence, &made->epoch, &made->bytes, &made->copied,
               &made->files) == 6)
        return HY_OK;
    if (strncmp(line, "failed ", 7) == 0)
        snprintf(why, 256, "%.255s", line + 7);
    else if (WIFSIGNALED(status))
        snprintf(why, 256, "hongyan-backup was ended by signal %d", WTERMSIG(status));
    else
        snprintf(why, 256, "hongyan-backup ended with code %d", WEXITSTATUS(status));
    return HY_EIO;
}

static enum hy_err copy(struct backup *b, char why[static 256])
{
    struct db_backup made = {0};
    char line[SAID_MAX];
    int fd = -1, status = 0;
    pid_t pid = start(b, &fd);
    bool stopping;
    enum hy_err err;

    if (pid < 0) {
        snprintf(why, 256, "cannot start %.180s: %s", b->program, strerror(errno));
        return HY_EIO;
    }
    pthread_mutex_lock(&b->lock);
    b->pid = pid;
    stopping = b->stopping;
    set_state(b, STATE(COPYING));
    pthread_mutex_unlock(&b->lock);
    if (stopping)
        kill(pid, SIGKILL);
    listen_to(b, pid, fd, line);
    close(fd);
    pthread_mutex_lock(&b->lock); /* from here on nobody kills it */
    b->pid = 0;
    pthread_mutex_unlock(&b->lock);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    err = understand(line, status, &made, why);
    pthread_mutex_lock(&b->lock);
    b->made = made;
    pthread_mutex_unlock(&b->lock);
    return err;
}

static enum hy_err work(struct backup *b, char why[static 256])
{
    enum hy_err err = HY_OK;

    if (b->keeps)
        return copy(b, why);
    err = hy_dir_make(b->folder, why);
    if (err == HY_OK)
        err = flush(b, why);
    if (err == HY_OK)
        err = wait_for_cut(b, why);
    if (err == HY_OK && !hy_dir_remove(b->work))
        err = hy_file_failed("remove", b->work, why);
    if (err == HY_OK)
        err = checkpoint(b, why);
    if (err == HY_OK)
        err = copy(b, why);
    return err;
}

static void end(struct backup *b, enum hy_err err, const char *why)
{
    pthread_mutex_lock(&b->lock);
    b->took_ms = hy_steady_ms() - b->began_ms;
    if (err == HY_OK && b->made.copied > b->written)
        b->written = b->made.copied;
    if (b->stopping && err != HY_OK)
        why = "told to stop";
    snprintf(b->why, sizeof b->why, "%s", err == HY_OK ? "" : why);
    if (!b->keeps)
        metric_backup(err == HY_OK, b->took_ms, b->made.bytes, b->made.copied);
    if (err != HY_OK)
        hy_log_warn("store.backup_failed", "folder=\"%s\" why=\"%s\"", b->folder, b->why);
    else if (b->keeps)
        hy_log_info("store.backups_kept", "folder=\"%s\" from=%" PRIu32, b->folder, b->keep_from);
    else
        hy_log_info("store.backup_done",
                    "folder=\"%s\" id=%" PRIu32 " bytes=%" PRIu64 " copied=%" PRIu64
                    " took_ms=%" PRIu64,
                    b->folder, b->made.id, b->made.bytes, b->made.copied, b->took_ms);
    set_state(b, err == HY_OK ? STATE(DONE) : STATE(FAILED));
    pthread_mutex_unlock(&b->lock);
}

static void remove_work(const struct backup *b)
{
    if (!hy_dir_remove(b->work))
        hy_log_warn("store.backup_left", "folder=\"%s\" why=\"%s\"", b->work, strerror(errno));
}

static void *run(void *arg)
{
    struct backup *b = arg;
    char why[256] = "";
    enum hy_err err;

    (void)setpriority(PRIO_PROCESS, 0, NICE);
    db_thread();
    err = work(b, why);
    if (err != HY_OK && why[0] == '\0')
        snprintf(why, sizeof why, "%s", hy_err_text(err));
    remove_work(b);
    end(b, err, why);
    return NULL;
}

/* ---- opening and closing ---- */

static char *beside_us(void)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
    char *slash;

    path[n > 0 ? n : 0] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL)
        return strdup("hongyan-backup");
    strcpy(slash + 1, "hongyan-backup");
    return strdup(path);
}

enum hy_err backup_open(const struct backup_config *config, struct backup **backup)
{
    struct backup *b = calloc(1, sizeof *b);

    if (b == NULL)
        return HY_ENOMEM;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    b->program = config->program != NULL ? strdup(config->program) : beside_us();
    if (asprintf(&b->work, "%s/backup", config->data_dir) < 0)
        b->work = NULL;
    if (b->program == NULL || b->work == NULL) {
        backup_close(&b);
        return HY_ENOMEM;
    }
    remove_work(b);
    *backup = b;
    return HY_OK;
}

static void stop(struct backup *b)
{
    pthread_mutex_lock(&b->lock);
    b->stopping = true;
    if (b->pid > 0)
        kill(b->pid, SIGKILL);
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

void backup_close(struct backup **backup)
{
    struct backup *b = *backup;

    if (b == NULL)
        return;
    *backup = NULL;
    if (b->started) {
        stop(b);
        pthread_join(b->thread, NULL);
    }
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->lock);
    free(b->work);
    free(b->program);
    free(b);
}

void backup_use(struct backup *b, struct db *db)
{
    if (b == NULL)
        return;
    pthread_mutex_lock(&b->lock);
    while (b->in_use)
        pthread_cond_wait(&b->changed, &b->lock);
    b->db = db;
    pthread_mutex_unlock(&b->lock);
}

/* ---- requests ---- */

static bool busy(const struct backup *b)
{
    return b->state != STATE(IDLE) && b->state != STATE(DONE) && b->state != STATE(FAILED);
}

static uint32_t refuse(Hy__BackupRes *res, uint32_t code, const char *info)
{
    res->code = code;
    res->info = (char *)info;
    return code;
}

static uint32_t begin(struct backup *b, const Hy__BackupReq *req, Hy__BackupRes *res)
{
    if (*req->run == '\0' || strlen(req->run) > RUN_MAX || req->path[0] != '/' ||
        strlen(req->path) >= sizeof b->folder)
        return refuse(res, HY_CODE_PARAM, "a backup has a name and a folder with a whole path");
    if (busy(b))
        return refuse(res, HY_CODE_BUSY, "another backup is under way");
    if (b->started)
        pthread_join(b->thread, NULL);
    b->started = false;
    b->keeps = req->op == HY__BACKUP_REQ__OP__KEEP;
    b->cut = b->stopping = false;
    b->written = b->took_ms = 0;
    b->made = (struct db_backup){0};
    b->rate_bytes = req->rate_bytes;
    b->keep_from = req->keep_from;
    b->began_ms = hy_steady_ms();
    b->why[0] = '\0';
    snprintf(b->run, sizeof b->run, "%s", req->run);
    snprintf(b->folder, sizeof b->folder, "%s", req->path);
    b->state = b->keeps ? STATE(COPYING) : STATE(FLUSHING);
    b->started = pthread_create(&b->thread, NULL, run, b) == 0;
    if (b->started)
        return HY_CODE_OK;
    b->state = STATE(FAILED);
    return refuse(res, HY_CODE_BUSY, "no thread can be started");
}

static void tell(struct backup *b, Hy__BackupRes *res)
{
    strcpy(b->said_run, b->run);
    strcpy(b->said_why, b->why);
    res->state = b->state;
    res->run = b->said_run;
    res->why = b->said_why;
    res->written = b->written;
    res->id = b->made.id;
    res->epoch = b->made.epoch;
    res->sequence = b->made.sequence;
    res->bytes = b->made.bytes;
    res->copied = b->made.copied;
    res->files = b->made.files;
    res->took_ms = busy(b) ? hy_steady_ms() - b->began_ms : b->took_ms;
}

void backup_handle(struct backup *b, const Hy__BackupReq *req, Hy__BackupRes *res)
{
    bool mine;

    pthread_mutex_lock(&b->lock);
    mine = strcmp(b->run, req->run) == 0;
    switch (req->op) {
    case HY__BACKUP_REQ__OP__BEGIN:
    case HY__BACKUP_REQ__OP__KEEP:
        if (!mine)
            (void)begin(b, req, res);
        break;
    case HY__BACKUP_REQ__OP__CUT:
        b->cut = b->cut || mine;
        pthread_cond_broadcast(&b->changed);
        break;
    case HY__BACKUP_REQ__OP__STOP:
        if (mine && busy(b)) {
            b->stopping = true;
            if (b->pid > 0)
                kill(b->pid, SIGKILL);
            pthread_cond_broadcast(&b->changed);
        }
        break;
    default:
        break;
    }
    if (*req->run != '\0' && res->code == 0 && strcmp(b->run, req->run) != 0)
        (void)refuse(res, HY_CODE_PARAM, "this is not the backup that is under way");
    tell(b, res);
    pthread_mutex_unlock(&b->lock);
}

/* hongyan-backup - works on databases that nobody serves: copies a checkpoint into a backup, clears
 * old backups away, restores. The store and hongyanctl start it; it says one line for each step on
 * stdout, the last begins with "done" or "failed". */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "store/db_backup.h"
#include "store/restore.h"

enum { NICE = 10, TELL_MS = 500 };
enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_BEST_EFFORT_LAST = 2 << 13 | 7 };

struct options {
    const char *from, *to;
    uint64_t rate;
    uint32_t from_id, shards, copies;
    bool no_check, loose, moved;
    struct restore_source sources[RESTORE_MOST];
    size_t source_count;
    struct restore_run runs[16384];
    size_t run_count;
};

static int usage(FILE *out)
{
    fputs("usage: hongyan-backup create --from CHECKPOINT --to FOLDER [--rate BYTES]\n"
          "       hongyan-backup keep --to FOLDER --from-id ID\n"
          "       hongyan-backup restore --to DIR --shards N --source FOLDER:ID... --run "
          "SLOT:SOURCE...\n"
          "                              [--copies N] [--moved] [--loose] [--no-check]\n\n"
          "Started by hongyan-store and hongyanctl; see hongyanctl backup --help.\n",
          out);
    return out == stdout ? EXIT_SUCCESS : 2;
}

static int failed(const char *why, enum hy_err err)
{
    printf("failed %s\n", *why != '\0' ? why : hy_err_text(err));
    return EXIT_FAILURE;
}

/* ---- arguments ---- */

static bool number(const char *text, uint64_t most, uint64_t *n)
{
    char *end = NULL;

    errno = 0;
    *n = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *n <= most;
}

/* "FOLDER:ID" */
static bool add_source(struct options *o, char *text)
{
    char *colon = strrchr(text, ':');
    uint64_t id;

    if (colon == NULL || o->source_count == RESTORE_MOST || !number(colon + 1, UINT32_MAX, &id))
        return false;
    *colon = '\0';
    o->sources[o->source_count++] = (struct restore_source){text, (uint32_t)id};
    return true;
}

/* "SLOT:SOURCE" */
static bool add_run(struct options *o, char *text)
{
    char *colon = strchr(text, ':');
    uint64_t first, source;

    if (colon == NULL || o->run_count == sizeof o->runs / sizeof *o->runs)
        return false;
    *colon = '\0';
    if (!number(text, 16383, &first) || !number(colon + 1, RESTORE_MOST - 1, &source) ||
        (o->run_count > 0 && first <= o->runs[o->run_count - 1].first))
        return false;
    o->runs[o->run_count++] = (struct restore_run){(uint16_t)first, (uint32_t)source};
    return true;
}

static bool parse(struct options *o, int argc, char **argv)
{
    enum { FROM, TO, RATE, FROM_ID, SHARDS, COPIES, SOURCE, RUN, LOOSE, MOVED, NO_CHECK };
    static const struct option rows[] = {
        {"from", 1, NULL, FROM},         {"to", 1, NULL, TO},
        {"rate", 1, NULL, RATE},         {"from-id", 1, NULL, FROM_ID},
        {"shards", 1, NULL, SHARDS},     {"copies", 1, NULL, COPIES},
        {"source", 1, NULL, SOURCE},     {"run", 1, NULL, RUN},
        {"loose", 0, NULL, LOOSE},       {"moved", 0, NULL, MOVED},
        {"no-check", 0, NULL, NO_CHECK}, {0},
    };
    bool good = true;
    uint64_t n = 0;
    int what;

    while (good && (what = getopt_long(argc, argv, "", rows, NULL)) != -1) {
        if (what == FROM)
            o->from = optarg;
        else if (what == TO)
            o->to = optarg;
        else if (what == RATE)
            good = number(optarg, UINT64_MAX, &o->rate);
        else if (what == FROM_ID && (good = number(optarg, UINT32_MAX, &n)))
            o->from_id = (uint32_t)n;
        else if (what == SHARDS && (good = number(optarg, RESTORE_MOST, &n)))
            o->shards = (uint32_t)n;
        else if (what == COPIES && (good = number(optarg, RESTORE_COPIES, &n)))
            o->copies = (uint32_t)n;
        else if (what == SOURCE)
            good = add_source(o, optarg);
        else if (what == RUN)
            good = add_run(o, optarg);
        else if (what == LOOSE)
            o->loose = true;
        else if (what == MOVED)
            o->moved = true;
        else if (what == NO_CHECK)
            o->no_check = true;
        else
            good = false;
    }
    return good && optind == argc && o->to != NULL;
}

/* ---- what it can do ---- */

/* What the store's users do comes first. */
static void be_modest(void)
{
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_BEST_EFFORT_LAST);
}

static int create(const struct options *o)
{
    struct db_backup made;
    char why[256] = "";
    enum hy_err err;

    if (o->from == NULL)
        return usage(stderr);
    be_modest();
    err = hy_dir_make(o->to, why);
    if (err == HY_OK)
        err = db_backup_make(o->from, o->to, o->rate, &made, why);
    if (err != HY_OK)
        return failed(why, err);
    printf("done id=%" PRIu32 " sequence=%" PRIu64 " epoch=%" PRIu64 " bytes=%" PRIu64
           " copied=%" PRIu64 " files=%" PRIu32 "\n",
           made.id, made.sequence, made.epoch, made.bytes, made.copied, made.files);
    return EXIT_SUCCESS;
}

static int keep(const struct options *o)
{
    char why[256] = "";
    enum hy_err err;

    be_modest();
    err = db_backup_keep(o->to, o->from_id, why);
    if (err != HY_OK)
        return failed(why, err);
    puts("done");
    return EXIT_SUCCESS;
}

static void tell(void *arg, uint64_t bytes, uint64_t rows)
{
    uint64_t *told_ms = arg, now_ms = hy_steady_ms();

    if (now_ms - *told_ms < TELL_MS)
        return;
    *told_ms = now_ms;
    printf("progress bytes=%" PRIu64 " rows=%" PRIu64 "\n", bytes, rows);
    fflush(stdout);
}

static int restore(const struct options *o)
{
    uint64_t told_ms = hy_steady_ms();
    struct restore_config config = {.to = o->to,
                                    .sources = o->sources,
                                    .source_count = o->source_count,
                                    .runs = o->runs,
                                    .run_count = o->run_count,
                                    .shards = o->shards,
                                    .copies = o->copies,
                                    .moved = o->moved,
                                    .check = !o->no_check,
                                    .loose = o->loose,
                                    .progress = tell,
                                    .arg = &told_ms};
    struct restore_result result;
    char why[256] = "";
    enum hy_err err = restore_all(&config, &result, why);
    const struct restore_index *x = &result.index;

    if (err != HY_OK)
        return failed(why, err);
    printf("done epoch=%" PRIu64 " bytes=%" PRIu64 " rows=%" PRIu64 " stray=%" PRIu64
           " looked=%" PRIu64 " waiting=%" PRIu64 " behind=%" PRIu64 " ahead=%" PRIu64
           " missing=%" PRIu64 " orphans=%" PRIu64 " repaired=%" PRIu64 "\n",
           result.epoch, result.bytes, result.rows, result.stray, x->looked, x->waiting, x->behind,
           x->ahead, x->missing, x->orphans, x->repaired);
    return EXIT_SUCCESS;
}

static const struct {
    const char *name;
    int (*run)(const struct options *options);
} verbs[] = {{"create", create}, {"keep", keep}, {"restore", restore}};

static void raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    static struct options options;

    if (argc >= 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        puts("hongyan-backup " HY_VERSION);
        return EXIT_SUCCESS;
    }
    if (argc < 2 || !parse(&options, argc - 1, argv + 1))
        return usage(stderr);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* who started it gives the backup up */
    raise_limits();
    umask(077);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].name, argv[1]) == 0)
            return verbs[i].run(&options);
    return usage(stderr);
}

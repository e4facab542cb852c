/* hongyan-bench-floor - what this machine can do at best, beside what a server reaches on it.
 *
 * usage: hongyan-bench-floor FLOOR [options]; see --help. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/floor/floor.h"
#include "bench/peers/outcome.h"

static const char help[] =
    "usage: hongyan-bench-floor FLOOR [options]\n"
    "\n"
    "  echo     epoll echo: frames a second              --links N (200) --window W (1)\n"
    "  fanout   one writer to N sockets: frames a second --links N (200) --batch B (1) a send()\n"
    "  connect  connections, one question and answer on each\n"
    "  commit   RocksDB, B messages of three rows to a write with fsync\n"
    "                                                     --batch B (1) --dir DIR\n"
    "  scan     RocksDB, 20 rows from a random place, cached      --dir DIR\n"
    "  hop      ZeroMQ between two processes: messages a second\n"
    "                                                     --batch B (1) to a frame, --tcp\n"
    "\n"
    "  --seconds S   measured time (5)\n"
    "  --pin         each side has a core of its own; else the scheduler may put both on one, as "
    "a\n"
    "                server and its driver are\n"
    "  --bytes N     of a frame or message (192)\n"
    "  --json FILE   write the figures as JSON too\n"
    "\n"
    "CPU of the server is that of the side that stands for one. DIR is made, and removed at the "
    "end.\n";

static const struct floor_row {
    const char *name, *title, *unit;
    enum hy_err (*run)(const struct floor_options *, struct result *);
} floors[] = {
    {"echo", "raw epoll echo", "frames", floor_echo},
    {"fanout", "raw fan-out write loop", "frames", floor_fanout},
    {"connect", "connections", "connections", floor_connect},
    {"commit", "RocksDB group commit", "messages", floor_commit},
    {"scan", "RocksDB, pages of 20 rows, cached", "pages", floor_scan},
    {"hop", "ZeroMQ hop", "messages", floor_hop},
};

static const struct floor_row *find(const char *name)
{
    for (size_t i = 0; i < sizeof floors / sizeof *floors; i++)
        if (strcmp(floors[i].name, name) == 0)
            return &floors[i];
    return NULL;
}

static bool number(const char *text, uint32_t *value)
{
    char *end = NULL;
    unsigned long n = strtoul(text, &end, 10);

    *value = (uint32_t)n;
    return *text != '\0' && *end == '\0' && n > 0 && n <= 1000000;
}

/* false: wrong options, already told. */
static bool parse(int argc, char **argv, struct floor_options *o, const char **json)
{
    static const struct option options[] = {
        {"seconds", required_argument, NULL, 's'}, {"links", required_argument, NULL, 'l'},
        {"window", required_argument, NULL, 'w'},  {"batch", required_argument, NULL, 'b'},
        {"bytes", required_argument, NULL, 'n'},   {"dir", required_argument, NULL, 'd'},
        {"tcp", no_argument, NULL, 't'},           {"pin", no_argument, NULL, 'p'},
        {"json", required_argument, NULL, 'j'},    {NULL, 0, NULL, 0}};
    bool good = true;
    int option = 0;

    while (good && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 's':
            good = number(optarg, &o->seconds);
            break;
        case 'l':
            good = number(optarg, &o->links);
            break;
        case 'w':
            good = number(optarg, &o->window);
            break;
        case 'b':
            good = number(optarg, &o->batch);
            break;
        case 'n':
            good = number(optarg, &o->bytes) && o->bytes <= 4096;
            break;
        case 'd':
            o->dir = optarg;
            break;
        case 't':
            o->tcp = true;
            break;
        case 'p':
            pin_sides();
            break;
        case 'j':
            *json = optarg;
            break;
        default:
            good = false;
            break;
        }
    }
    if (!good || optind != argc)
        fprintf(stderr, "hongyan-bench-floor: wrong option near %s; see --help\n",
                argv[optind - 1]);
    return good && optind == argc;
}

static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* without it fewer links fit */
    }
}

int main(int argc, char **argv)
{
    struct floor_options o = {.seconds = 5,
                              .links = 200,
                              .window = 1,
                              .batch = 1,
                              .bytes = 192,
                              .dir = "hongyan-bench-floor.data"};
    const struct floor_row *row = argc > 1 ? find(argv[1]) : NULL;
    static struct result result;
    const char *json = NULL;
    enum hy_err err = HY_OK;

    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return 0;
    }
    if (row == NULL) {
        fputs(help, stderr);
        return 2;
    }
    if (!parse(argc - 1, argv + 1, &o, &json))
        return 2;
    raise_descriptors();
    if (strcmp(row->name, "commit") != 0) /* RocksDB has threads of its own */
        pin_to(0);
    result_title(&result, row->title);
    result.unit = row->unit;
    result.durability = "none";
    err = row->run(&o, &result);
    if (err == HY_OK)
        err = outcome_write(row->name, "floor", &result, json);
    if (err != HY_OK)
        fprintf(stderr, "hongyan-bench-floor: %s\n", hy_err_text(err));
    result_free(&result);
    return err != HY_OK;
}

/* hongyan-bench-peer - drives another server as hongyan-bench drives Hongyan.
 *
 * usage: hongyan-bench-peer PROTOCOL SCENARIO --port P [options]; see --help. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/peers/load.h"
#include "bench/peers/outcome.h"

static const char help[] =
    "usage: hongyan-bench-peer mqtt|xmpp SCENARIO --port P [--pid SERVER]... [options]\n"
    "\n"
    "  accounts  register the users u0, u1, ... with their name as password (xmpp)  --links N\n"
    "  s1        idle signed-in links: memory a link           --links N (1000)\n"
    "  s2, s3    one-to-one                                    --pairs P (100) --window W (8)\n"
    "  s4        one topic or room of N members: deliveries    --members N (200) --pairs SENDERS\n"
    "  s5        sign-ins                                      --links N\n"
    "  s6        history, pages of 20 (xmpp)                   --pairs READERS --depth MESSAGES\n"
    "\n"
    "  --port P        of the server, on 127.0.0.1\n"
    "  --pid P         process of the server, may be repeated: its CPU and memory count, and\n"
    "                  those of its children\n"
    "  --workers N     processes of this driver (2)\n"
    "  --seconds S     measured time (10); a tenth more runs before\n"
    "  --rate R        open loop: R messages/s, latency from when each was due; without it the\n"
    "                  loop is closed: W messages of each sender are under way. One is through "
    "when\n"
    "                  the server acknowledges it (mqtt), when it is received (xmpp), or when all\n"
    "                  of a room have it\n"
    "  --heartbeat-ms MS  idle links beat so often (s1; 30000)\n"
    "  --at-once N     sign-ins that each worker has under way (64)\n"
    "  --qos Q         of the subscription in s4 (mqtt; 0)\n"
    "  --durability T  what the table says of it\n"
    "  --json FILE     write the figures as JSON too\n"
    "\n"
    "Exit status: 0, or 1 when something was lost, doubled or reordered, 2 for a wrong call.\n";

static const struct protocol *const protocols[] = {&mqtt_protocol, &xmpp_protocol};

static const struct scenario {
    const char *name, *text;
    enum load_kind kind;
} scenarios[] = {
    {"accounts", "accounts registered", LOAD_ACCOUNTS},
    {"s1", "idle links", LOAD_IDLE},
    {"s2", "one-to-one, stored", LOAD_PAIRS},
    {"s3", "one-to-one, online only", LOAD_PAIRS},
    {"s4", "fan-out, one topic or room", LOAD_ROOM},
    {"s5", "sign-ins", LOAD_SIGN_IN},
    {"s6", "history, pages of 20", LOAD_PAGES},
};

static const struct protocol *find_protocol(const char *name)
{
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (strcmp(protocols[i]->name, name) == 0)
            return protocols[i];
    return NULL;
}

static const struct scenario *find_scenario(const char *name)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    return NULL;
}

enum option_key {
    PORT = 1,
    PID,
    WORKERS,
    SECONDS,
    RATE,
    PAIRS,
    WINDOW,
    LINKS,
    MEMBERS,
    DEPTH,
    HEARTBEAT,
    AT_ONCE,
    QOS,
    DURABILITY,
    JSON
};

static const struct option options[] = {{"port", required_argument, NULL, PORT},
                                        {"pid", required_argument, NULL, PID},
                                        {"workers", required_argument, NULL, WORKERS},
                                        {"seconds", required_argument, NULL, SECONDS},
                                        {"rate", required_argument, NULL, RATE},
                                        {"pairs", required_argument, NULL, PAIRS},
                                        {"window", required_argument, NULL, WINDOW},
                                        {"links", required_argument, NULL, LINKS},
                                        {"members", required_argument, NULL, MEMBERS},
                                        {"depth", required_argument, NULL, DEPTH},
                                        {"heartbeat-ms", required_argument, NULL, HEARTBEAT},
                                        {"at-once", required_argument, NULL, AT_ONCE},
                                        {"qos", required_argument, NULL, QOS},
                                        {"durability", required_argument, NULL, DURABILITY},
                                        {"json", required_argument, NULL, JSON},
                                        {NULL, 0, NULL, 0}};

static bool number(const char *text, uint32_t least, uint32_t most, uint32_t *value)
{
    char *end = NULL;
    unsigned long n = strtoul(text, &end, 10);

    *value = (uint32_t)n;
    return *text != '\0' && *end == '\0' && n >= least && n <= most;
}

static bool take_number(struct load_options *o, int key, const char *text)
{
    static const struct {
        uint32_t least, most;
    } ranges[] = {[PORT] = {1, 65535},      [PID] = {1, INT32_MAX}, [WORKERS] = {1, LOAD_WORKERS},
                  [SECONDS] = {1, 86400},   [RATE] = {1, 10000000}, [PAIRS] = {1, 1000000},
                  [WINDOW] = {1, 100000},   [LINKS] = {1, 1000000}, [MEMBERS] = {1, 1000000},
                  [DEPTH] = {20, 10000000}, [QOS] = {0, 1},         [HEARTBEAT] = {1, 3600000},
                  [AT_ONCE] = {1, 10000}};
    uint32_t value = 0;

    if (!number(text, ranges[key].least, ranges[key].most, &value) ||
        (key == PID && o->pid_count == LOAD_PIDS))
        return false;
    switch ((enum option_key)key) {
    case PORT:
        o->port = (uint16_t)value;
        break;
    case PID:
        o->pids[o->pid_count++] = (int)value;
        break;
    case QOS:
        o->qos = (uint8_t)value;
        break;
    default:
        *(uint32_t *[]){
            [WORKERS] = &o->workers, [SECONDS] = &o->seconds, [RATE] = &o->rate,
            [PAIRS] = &o->pairs,     [WINDOW] = &o->window,   [LINKS] = &o->links,
            [MEMBERS] = &o->members, [DEPTH] = &o->depth,     [HEARTBEAT] = &o->heartbeat_ms,
            [AT_ONCE] = &o->at_once}[key] = value;
        break;
    }
    return true;
}

/* false: wrong options, already told. */
static bool parse(int argc, char **argv, struct load_options *o, const char **json)
{
    bool good = true;
    int key = 0;

    while (good && (key = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (key == DURABILITY)
            o->durability = optarg;
        else if (key == JSON)
            *json = optarg;
        else
            good = key != '?' && take_number(o, key, optarg);
    }
    if (!good || optind != argc)
        fprintf(stderr, "hongyan-bench-peer: wrong option near %s; see --help\n", argv[optind - 1]);
    return good && optind == argc;
}

static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE,
                        &limit); /* without it fewer links fit; opening them says so */
    }
}

/* What a run must be for its account to hold. */
static bool fits(const struct load_options *o, enum load_kind kind)
{
    if (kind == LOAD_ROOM && o->pairs > LOAD_STREAMS) {
        fprintf(stderr, "hongyan-bench-peer: at most %d --pairs send to one room\n", LOAD_STREAMS);
        return false;
    }
    if (kind == LOAD_PAGES && o->protocol->page == NULL) {
        fprintf(stderr, "hongyan-bench-peer: %s has no history\n", o->protocol->name);
        return false;
    }
    if (o->port == 0)
        fprintf(stderr, "hongyan-bench-peer: --port is missing; see --help\n");
    return o->port != 0;
}

int main(int argc, char **argv)
{
    struct load_options o = {.workers = 2,
                             .seconds = 10,
                             .pairs = 100,
                             .window = 8,
                             .links = 1000,
                             .members = 200,
                             .depth = 200,
                             .durability = "none",
                             .heartbeat_ms = 30000,
                             .at_once = 64};
    const struct scenario *scenario = argc > 2 ? find_scenario(argv[2]) : NULL;
    static struct result result;
    const char *json = NULL;
    enum hy_err err = HY_OK;
    bool lost = false;

    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return 0;
    }
    o.protocol = argc > 1 ? find_protocol(argv[1]) : NULL;
    if (o.protocol == NULL || scenario == NULL) {
        fputs(help, stderr);
        return 2;
    }
    if (!parse(argc - 2, argv + 2, &o, &json) || !fits(&o, scenario->kind))
        return 2;
    raise_descriptors();
    result_title(&result, scenario->text);
    err = load_run(&o, scenario->kind, &result);
    if (err == HY_OK)
        err = outcome_write(scenario->name, o.protocol->name, &result, json);
    if (err != HY_OK) {
        fprintf(stderr, "hongyan-bench-peer: %s\n", hy_err_text(err));
        return 1;
    }
    lost = result.lost + result.doubled + result.reordered > 0;
    result_free(&result);
    return lost;
}

/* hongyan-bench - measures a running cluster.
 *
 * usage: hongyan-bench SCENARIO --cluster FILE [options]; see --help. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/bench.h"

static const char help[] =
    "usage: hongyan-bench SCENARIO --cluster DIR/cluster.json [options]\n"
    "\n"
    "  s1  idle signed-in links: memory a link        --links N (1000)\n"
    "  s2  one-to-one, durable, acknowledged and delivered\n"
    "  s3  one-to-one, online only                    --pairs P (100) --window W (8)\n"
    "  s4  one group of N online members: deliveries  --members N (200) --pairs SENDERS --window "
    "W\n"
    "  s5  sign-ins                                   --links N\n"
    "\n"
    "  --seconds S   measured time (10); a tenth more runs before\n"
    "  --rate R      open loop: R messages/s, latency from when each was due; without it the loop "
    "is\n"
    "                closed: each sender keeps W messages under way\n"
    "  --tls         over TLS\n"
    "  --json FILE   write the figures as JSON too\n"
    "\n"
    "lost, doubled and reordered count pushes as they come, without what a client does about them:\n"
    "it drops what comes twice and pulls what is missing. They are 0 on a cluster that is left alone;\n"
    "when processes are killed or restarted meanwhile they are not, though no user misses or sees\n"
    "anything twice. What users see then is counted by: hongyan-probe load\n"
    "\n"
    "Start a cluster with: hongyanctl up --dir DIR --detach\n"
    "Exit status: 0, or 1 when a push was lost, doubled or reordered, 2 for a wrong call.\n";

struct scenario {
    const char *name;
    enum hy_err (*run)(const struct target *, const struct bench_options *, struct report *);
};

static enum hy_err run_durable(const struct target *target, const struct bench_options *options,
                               struct report *report)
{
    return bench_c2c(target, options, false, report);
}

static enum hy_err run_online(const struct target *target, const struct bench_options *options,
                              struct report *report)
{
    return bench_c2c(target, options, true, report);
}

static const struct scenario scenarios[] = {
    {"s1", bench_idle},  {"s2", run_durable},   {"s3", run_online},
    {"s4", bench_group}, {"s5", bench_sign_in},
};

static const struct scenario *find(const char *name)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    return NULL;
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

static bool number(const char *text, uint32_t *value)
{
    char *end = NULL;
    unsigned long n = strtoul(text, &end, 10);

    *value = (uint32_t)n;
    return *text != '\0' && *end == '\0' && n <= UINT32_MAX;
}

/* false: wrong options, already told. */
static bool parse(int argc, char **argv, struct bench_options *o, const char **cluster,
                  const char **json)
{
    static const struct option options[] = {
        {"cluster", required_argument, NULL, 'c'}, {"json", required_argument, NULL, 'j'},
        {"tls", no_argument, NULL, 't'},           {"seconds", required_argument, NULL, 's'},
        {"rate", required_argument, NULL, 'r'},    {"pairs", required_argument, NULL, 'p'},
        {"window", required_argument, NULL, 'w'},  {"links", required_argument, NULL, 'l'},
        {"members", required_argument, NULL, 'm'}, {NULL, 0, NULL, 0}};
    bool good = true;
    int option = 0;

    while (good && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            *cluster = optarg;
            break;
        case 'j':
            *json = optarg;
            break;
        case 't':
            o->tls = true;
            break;
        case 's':
            good = number(optarg, &o->seconds) && o->seconds > 0;
            break;
        case 'r':
            good = number(optarg, &o->rate);
            break;
        case 'p':
            good = number(optarg, &o->pairs) && o->pairs > 0;
            break;
        case 'w':
            good = number(optarg, &o->window) && o->window > 0;
            break;
        case 'l':
            good = number(optarg, &o->links) && o->links > 0;
            break;
        case 'm':
            good = number(optarg, &o->members) && o->members > 1;
            break;
        default:
            good = false;
            break;
        }
        if (!good)
            fprintf(stderr, "hongyan-bench: wrong option near %s; see --help\n", argv[optind - 1]);
    }
    return good;
}

int main(int argc, char **argv)
{
    struct bench_options options = {
        .seconds = 10, .pairs = 100, .window = 8, .links = 1000, .members = 200};
    const struct scenario *scenario = argc > 1 ? find(argv[1]) : NULL;
    const char *cluster = NULL, *json = NULL;
    struct report report = {.scenario = ""};
    struct target target;
    enum hy_err err = HY_OK;

    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return 0;
    }
    if (scenario == NULL || !parse(argc - 1, argv + 1, &options, &cluster, &json) ||
        cluster == NULL) {
        fputs(help, stderr);
        return 2;
    }
    raise_descriptors();
    if (target_load(cluster, &target) != HY_OK)
        return 2;
    err = scenario->run(&target, &options, &report);
    if (err == HY_OK)
        err = report_write(&report, stdout, json);
    target_free(&target);
    if (err != HY_OK) {
        fprintf(stderr, "hongyan-bench: %s\n", hy_err_text(err));
        return 1;
    }
    return report.lost + report.doubled + report.reordered > 0;
}

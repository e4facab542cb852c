/* hongyan-sim: replication under simulated faults, many seeds in a row.
 *
 * usage: hongyan-sim [--seeds A-B] [--break RULE] [--expect-caught] [--verbose]
 * One line for each seed that fails, and a summary. Exit status 0: none failed; with
 * --expect-caught, with a rule broken: one did. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "store/replica/broken.h"
#include "tests/sim/sim.h"

static const struct {
    const char *name, *text;
    unsigned rule;
} rules[] = {
    {"ack", "the leader's own disk is enough to tell", BROKEN_ACK},
    {"epoch", "followers take what an older reign sends", BROKEN_EPOCH},
    {"shrink", "the set may fall below min_insync", BROKEN_SHRINK},
    {"rebuild", "a copy that is being rebuilt may lead", BROKEN_REBUILD},
    {"lease", "a lease is trusted though it ran out", BROKEN_LEASE},
    {"diverged", "logs are compared by their length alone", BROKEN_DIVERGED},
    {"joiner", "a joiner counts only when its change is confirmed", BROKEN_JOINER},
    {"leaver", "a leaver stops to count when its change is sent", BROKEN_LEAVER},
    {"member", "who is not in the set may lead", BROKEN_MEMBER},
    {"floor", "a joiner need not have what earlier reigns told", BROKEN_FLOOR},
    {"boot", "who may have lost the end of its log leads without asking", BROKEN_BOOT},
    {"sync", "followers confirm what is not synced", BROKEN_SYNC},
};

struct options {
    uint64_t first, last;
    bool caught, verbose;
};

static int usage(void)
{
    fprintf(stderr,
            "usage: hongyan-sim [--seeds A-B] [--break RULE] [--expect-caught] [--verbose]\n");
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        fprintf(stderr, "  --break %-9s %s\n", rules[i].name, rules[i].text);
    return 2;
}

static bool break_rule(const char *name)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].name, name) == 0) {
            replica_broken_rules |= rules[i].rule;
            return true;
        }
    return false;
}

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0)
            o->verbose = true;
        else if (strcmp(argv[i], "--expect-caught") == 0)
            o->caught = true;
        else if (i + 1 < argc && strcmp(argv[i], "--seeds") == 0) {
            int n = sscanf(argv[++i], "%lu-%lu", &o->first, &o->last);

            if (n == 1)
                o->last = o->first;
            if (n < 1)
                return false;
        } else if (i + 1 < argc && strcmp(argv[i], "--break") == 0) {
            if (!break_rule(argv[++i]))
                return false;
        } else
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options o = {.first = 1, .last = 1000};
    uint64_t failed = 0, unwell = 0, events = 0, appended = 0, reads = 0, reigns = 0, seconds = 0,
             seeds = 0;
    uint64_t began = hy_steady_ms();

    if (!parse(argc, argv, &o))
        return usage();
    for (uint64_t seed = o.first; seed <= o.last; seed++) {
        struct sim_result r;

        sim_run(seed, o.verbose, &r);
        seeds++;
        failed += r.failed;
        unwell += r.unwell;
        events += r.events;
        appended += r.appended;
        reads += r.reads;
        reigns += r.reigns;
        seconds += r.seconds;
        if ((r.failed || r.unwell) && (!o.caught || r.failed))
            printf("seed %lu: %s\n", seed, r.why);
        fflush(stdout);
        if (r.failed && o.caught)
            break;
    }
    printf("%lu seeds, %lu failed, %lu did not get well; %lu appends and %lu reads told in %lu "
           "reigns, %lu s simulated, "
           "%lu events, %.1f s\n",
           seeds, failed, unwell, appended, reads, reigns, seconds, events,
           (double)(hy_steady_ms() - began) / 1000);
    return o.caught ? failed == 0 : failed + unwell > 0;
}

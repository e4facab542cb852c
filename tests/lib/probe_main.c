#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/log.h"
#include "tests/lib/probe.h"

int main(int argc, char **argv)
{
    struct rlimit limit;

    hy_log_open("probe", "probe", HY_LOG_WARN, false);
    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (argc == 1)
        return probe_drive();
    if (strcmp(argv[1], "load") == 0)
        return probe_load(argc - 2, argv + 2);
    fprintf(stderr, "usage: hongyan-probe            commands on stdin; see tests/lib/probe.h\n"
                    "       hongyan-probe load ...   see hongyan-probe load --help\n");
    return strcmp(argv[1], "--help") == 0 ? EXIT_SUCCESS : 2;
}

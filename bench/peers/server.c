/* server - see server.h. */

#include "bench/peers/server.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROCESSES = 4096 };

struct process {
    int pid, parent;
    uint64_t user, system, pages; /* CPU: clock ticks */
    bool counts;
};

/* Fields 4, 14 to 17 and 24, counted after the command's closing bracket. */
static bool read_process(const char *pid, struct process *process)
{
    char path[300], line[1024] = "";
    unsigned long user = 0, sys = 0, child_user = 0, child_sys = 0, pages = 0;
    const char *rest = NULL;
    FILE *file = NULL;

    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    file = fopen(path, "r");
    if (file == NULL)
        return false;
    if (fgets(line, sizeof line, file) != NULL)
        rest = strrchr(line, ')');
    fclose(file);
    if (rest == NULL ||
        sscanf(rest,
               ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu %*d %*d %*d %*d %*u "
               "%*u %lu",
               &process->parent, &user, &sys, &child_user, &child_sys, &pages) != 6)
        return false;
    process->pid = atoi(pid);
    process->user = user + child_user;
    process->system = sys + child_sys;
    process->pages = pages;
    process->counts = false;
    return true;
}

static unsigned read_all(struct process *all)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry = NULL;
    unsigned count = 0;

    while (dir != NULL && count < PROCESSES && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            read_process(entry->d_name, &all[count]))
            count++;
    if (dir != NULL)
        closedir(dir);
    return count;
}

/* Mark the descendants of what is marked; false: there was none new. */
static bool spread(struct process *all, unsigned count)
{
    bool found = false;

    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < count && !all[i].counts; k++)
            if (all[k].counts && all[i].parent == all[k].pid)
                found = all[i].counts = true;
    return found;
}

struct server_use server_use(const int *pids, unsigned pid_count)
{
    static struct process all[PROCESSES];
    uint64_t tick_us = 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    struct server_use use = {.rss = 0};
    unsigned count = read_all(all);

    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < pid_count; k++)
            all[i].counts = all[i].counts || all[i].pid == pids[k];
    while (spread(all, count))
        ;
    for (unsigned i = 0; i < count; i++) {
        if (!all[i].counts)
            continue;
        use.user_us += all[i].user * tick_us;
        use.system_us += all[i].system * tick_us;
        use.rss += all[i].pages * page;
    }
    return use;
}

uint64_t kernel_tcp_bytes(void)
{
    FILE *file = fopen("/proc/net/sockstat", "r");
    char line[256];
    unsigned long pages = 0;

    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        const char *mem = strncmp(line, "TCP:", 4) == 0 ? strstr(line, " mem ") : NULL;

        if (mem != NULL && sscanf(mem, " mem %lu", &pages) == 1)
            break;
    }
    fclose(file);
    return pages * 4096;
}

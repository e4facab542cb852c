/* usage - see usage.h. */

#include "bench/usage.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const usage_names[USAGE_KINDS] = {"gateway", "router", "presence", "store", "server"};

/* utime and stime are fields 14 and 15, counted after the command's closing bracket. */
bool usage_process_cpu(int pid, uint64_t *user_us, uint64_t *system_us)
{
    char path[64], line[1024] = "";
    unsigned long user = 0, sys = 0;
    const char *rest = NULL;
    uint64_t tick_us = 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
    FILE *file = NULL;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    file = fopen(path, "r");
    if (file == NULL)
        return false;
    if (fgets(line, sizeof line, file) != NULL)
        rest = strrchr(line, ')');
    fclose(file);
    if (rest == NULL ||
        sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys) != 2)
        return false;
    *user_us = user * tick_us;
    *system_us = sys * tick_us;
    return true;
}

/* The sum of the numbers behind a word at the beginning of lines. */
static uint64_t sum_lines(const char *path, const char *word)
{
    FILE *file = fopen(path, "r");
    char line[256];
    uint64_t sum = 0, value = 0;

    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, word, strlen(word)) == 0 &&
            sscanf(line + strlen(word), " %" SCNu64, &value) == 1)
            sum += value;
    fclose(file);
    return sum;
}

static uint64_t switches_of(int pid)
{
    char path[64 + sizeof(((struct dirent *)0)->d_name)];
    uint64_t sum = 0;
    struct dirent *entry = NULL;
    DIR *dir = NULL;

    snprintf(path, sizeof path, "/proc/%d/task", pid);
    dir = opendir(path);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/status", pid, entry->d_name);
        sum += sum_lines(path, "voluntary_ctxt_switches:");
        sum += sum_lines(path, "nonvoluntary_ctxt_switches:");
    }
    if (dir != NULL)
        closedir(dir);
    return sum;
}

static int kind_of(const char *name)
{
    for (int kind = 0; kind < USAGE_KINDS; kind++)
        if (strncmp(name, usage_names[kind], strlen(usage_names[kind])) == 0)
            return kind;
    return -1;
}

void usage_now(const struct target *target, struct usage *usage)
{
    memset(usage, 0, sizeof *usage);
    for (size_t i = 0; i < target->processes; i++) {
        int kind = kind_of(target->names[i]);
        uint64_t user = 0, sys = 0;
        char path[64];

        if (kind < 0 || !usage_process_cpu(target->pids[i], &user, &sys))
            continue;
        usage->of[kind].user_us += user;
        usage->of[kind].system_us += sys;
        usage->of[kind].switches += switches_of(target->pids[i]);
        snprintf(path, sizeof path, "/proc/%d/io", target->pids[i]);
        if (kind == USAGE_STORE)
            usage->disk_bytes += sum_lines(path, "write_bytes:");
    }
}

static uint64_t grown(uint64_t later, uint64_t earlier)
{
    return later > earlier ? later - earlier : 0; /* a process may have been restarted */
}

void usage_since(const struct usage *later, const struct usage *earlier, struct usage *since)
{
    for (int i = 0; i < USAGE_KINDS; i++) {
        since->of[i].user_us = grown(later->of[i].user_us, earlier->of[i].user_us);
        since->of[i].system_us = grown(later->of[i].system_us, earlier->of[i].system_us);
        since->of[i].switches = grown(later->of[i].switches, earlier->of[i].switches);
    }
    since->disk_bytes = grown(later->disk_bytes, earlier->disk_bytes);
}

uint64_t usage_cpu_us(const struct usage *usage, enum usage_kind kind)
{
    return usage->of[kind].user_us + usage->of[kind].system_us;
}

uint64_t usage_cpu_all_us(const struct usage *usage)
{
    uint64_t sum = 0;

    for (int i = 0; i < USAGE_KINDS; i++)
        sum += usage_cpu_us(usage, (enum usage_kind)i);
    return sum;
}

uint64_t usage_switches(const struct usage *usage)
{
    uint64_t sum = 0;

    for (int i = 0; i < USAGE_KINDS; i++)
        sum += usage->of[i].switches;
    return sum;
}

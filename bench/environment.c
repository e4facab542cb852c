/* environment - see environment.h. */

#include "bench/environment.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

enum { SYNCS = 64, MIDDLE = SYNCS / 2, BLOCK = 4096 };

#ifndef HY_VERSION
#define HY_VERSION "dev"
#endif

/* What follows "word ... :" in the first line that begins with it. */
static json_t *line_of(const char *path, const char *word)
{
    FILE *file = fopen(path, "r");
    char line[512];
    json_t *found = NULL;

    while (file != NULL && found == NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');

        if (strncmp(line, word, strlen(word)) != 0 || colon == NULL)
            continue;
        line[strcspn(line, "\n")] = '\0';
        found = json_string(colon + 1 + strspn(colon + 1, " \t"));
    }
    if (file != NULL)
        fclose(file);
    return found != NULL ? found : json_string("unknown");
}

/* The file system of a directory, by the longest mount point that leads to it. */
static json_t *filesystem_of(const char *dir)
{
    char *full = realpath(dir, NULL), line[1024], type[64] = "unknown";
    FILE *file = fopen("/proc/mounts", "r");
    size_t best = 0;

    while (full != NULL && file != NULL && fgets(line, sizeof line, file) != NULL) {
        char point[512], kind[64];
        size_t len = 0;

        if (sscanf(line, "%*s %511s %63s", point, kind) != 2)
            continue;
        len = strlen(point);
        if (len < best || strncmp(full, point, len) != 0 ||
            (len > 1 && full[len] != '/' && full[len] != '\0'))
            continue;
        best = len;
        snprintf(type, sizeof type, "%s", kind);
    }
    if (file != NULL)
        fclose(file);
    free(full);
    return json_string(type);
}

static int ascending(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The median time to append 4 KB and fdatasync, us; 0: it cannot be written there. */
static double sync_us(const char *dir)
{
    char path[512], block[BLOCK];
    uint64_t took[SYNCS];
    bool good = true;
    int fd = -1;

    snprintf(path, sizeof path, "%s/bench-sync-XXXXXX", dir);
    fd = mkstemp(path);
    if (fd < 0)
        return 0;
    memset(block, 'x', sizeof block);
    for (int i = 0; i < SYNCS && good; i++) {
        uint64_t begun = hy_steady_us();

        good = write(fd, block, sizeof block) == BLOCK && fdatasync(fd) == 0;
        took[i] = hy_steady_us() - begun;
    }
    close(fd);
    unlink(path);
    qsort(took, SYNCS, sizeof *took, ascending);
    return good ? (double)took[MIDDLE] : 0;
}

static void count_processes(const struct target *target, json_t *out)
{
    static const char *const kinds[] = {"gateway", "router", "presence", "store"};

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        int count = 0;

        for (size_t i = 0; i < target->processes; i++)
            count += strncmp(target->names[i], kinds[k], strlen(kinds[k])) == 0;
        json_object_set_new(out, kinds[k], json_integer(count));
    }
}

json_t *environment_of(const struct target *target)
{
    json_t *out = json_object(), *processes = json_object();
    struct utsname uts;
    char date[32];
    time_t now = time(NULL);
    struct tm tm;

    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    json_object_set_new(out, "date", json_string(date));
    json_object_set_new(out, "version", json_string(HY_VERSION));
    json_object_set_new(out, "cpu", line_of("/proc/cpuinfo", "model name"));
    json_object_set_new(out, "cores", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    json_object_set_new(out, "memory", line_of("/proc/meminfo", "MemTotal"));
    if (uname(&uts) == 0)
        json_object_set_new(out, "kernel", json_sprintf("%s %s", uts.sysname, uts.release));
    json_object_set_new(out, "filesystem", filesystem_of(target->dir));
    json_object_set_new(out, "fsync_us", json_real(sync_us(target->dir)));
    count_processes(target, processes);
    json_object_set_new(out, "processes", processes);
    return out;
}

/* memory - see memory.h. */

#include "bench/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The number behind a word somewhere in a line that begins with another. */
static uint64_t number_of(const char *path, const char *line_word, const char *word)
{
    FILE *file = fopen(path, "r");
    char line[256];
    uint64_t value = 0;

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *at =
            strncmp(line, line_word, strlen(line_word)) == 0 ? strstr(line, word) : NULL;

        if (at != NULL && sscanf(at + strlen(word), " %" SCNu64, &value) == 1)
            break;
    }
    if (file != NULL)
        fclose(file);
    return value;
}

static uint64_t meminfo(const char *word)
{
    return number_of("/proc/meminfo", word, word) * 1024;
}

void memory_now(const struct target *target, struct memory *memory)
{
    memory->gateway_rss = target_rss(target, "gateway");
    memory->slab = meminfo("Slab:");
    memory->sockets =
        number_of("/proc/net/sockstat", "TCP:", " mem ") * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t grown(uint64_t after, uint64_t before)
{
    return after > before ? after - before : 0;
}

void memory_figures(struct result *result, const struct memory *before, const struct memory *after,
                    uint64_t links)
{
    double n = links > 0 ? (double)links : 1;
    uint64_t slab = grown(after->slab, before->slab);
    uint64_t sockets = grown(after->sockets, before->sockets);

    result->kernel_bytes = (slab + sockets) / 2;
    result_figure(result, "kernel_bytes_per_socket", "kernel memory a socket",
                  (double)(slab + sockets) / n / 2, "B");
    result_figure(result, "slab_bytes_per_link", "slab growth a link, both ends", (double)slab / n,
                  "B");
    result_figure(result, "socket_buffer_bytes_per_link", "TCP buffers a link, both ends",
                  (double)sockets / n, "B");
}

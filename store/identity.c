#include "store/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/file.h"

enum { TEXT_MAX = 256 << 10 };

/* ---- as text: lines of name=value ---- */

/* Which slots of a directory or a map are the shard's. */
struct slots {
    bool has[HY_SLOTS];
};

static void slots_of(const struct hy_shardmap *map, uint32_t shard, struct slots *slots)
{
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        slots->has[slot] = map->owner[slot] == shard;
}

[[gnu::format(printf, 2, 3)]] static enum hy_err put(struct hy_buf *text, const char *format, ...)
{
    char line[320];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return hy_buf_put(text, line, len < (int)sizeof line ? (size_t)len : sizeof line - 1);
}

/* FIRST-LAST,FIRST-LAST... */
static enum hy_err put_slots(struct hy_buf *text, const struct slots *slots)
{
    enum hy_err err = put(text, "slots=");
    const char *comma = "";

    for (uint32_t slot = 0, end; slot < HY_SLOTS && err == HY_OK; slot = end) {
        for (end = slot + 1; end < HY_SLOTS && slots->has[end] == slots->has[slot];)
            end++;
        if (!slots->has[slot])
            continue;
        err = put(text, "%s%u-%u", comma, slot, end - 1);
        comma = ",";
    }
    return err == HY_OK ? put(text, "\n") : err;
}

static bool is_even(const struct hy_shardmap *map)
{
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        if (map->owner[slot] != hy_slot_shard((uint16_t)slot, map->shards))
            return false;
    return true;
}

/* Even shares are told by the number of shards, as they always were. */
static enum hy_err write_text(const struct identity *id, struct hy_buf *text)
{
    struct slots slots;
    enum hy_err err =
        put(text, "format=%d\ncluster=%s\nshard=%u\n", IDENTITY_FORMAT, id->cluster_id, id->shard);

    if (err != HY_OK || !id->fixed)
        return err;
    if (is_even(id->map))
        return put(text, "shards=%u\n", id->map->shards);
    slots_of(id->map, id->shard, &slots);
    return put_slots(text, &slots);
}

/* The value of a name; it ends with the line. NULL: there is none. */
static const char *value_of(const char *text, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = text; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n');

        if (strncmp(line, name, len) == 0 && line[len] == '=')
            return line + len + 1;
        line = end == NULL ? NULL : end + 1;
    }
    return NULL;
}

static bool is_value(const char *text, const char *name, const char *want)
{
    const char *value = value_of(text, name);
    size_t len = strlen(want);

    return value != NULL && strncmp(value, want, len) == 0 && value[len] == '\n';
}

static bool read_shares(const char *value, uint32_t shard, struct slots *slots)
{
    unsigned long shards = strtoul(value, NULL, 10);

    if (shards < 1 || shards > HY_SLOTS)
        return false;
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        slots->has[slot] = hy_slot_shard((uint16_t)slot, (uint32_t)shards) == shard;
    return true;
}

static bool read_runs(const char *value, struct slots *slots)
{
    unsigned first, last;
    int len;

    while (sscanf(value, "%u-%u%n", &first, &last, &len) == 2) {
        if (first > last || last >= HY_SLOTS)
            return false;
        memset(slots->has + first, true, last - first + 1);
        value += len;
        value += *value == ',';
    }
    return *value == '\n';
}

static bool read_slots(const char *text, uint32_t shard, struct slots *slots)
{
    const char *shards = value_of(text, "shards"), *runs = value_of(text, "slots");

    *slots = (struct slots){0};
    return shards != NULL ? read_shares(shards, shard, slots)
                          : runs != NULL && read_runs(runs, slots);
}

/* ---- the file ---- */

static enum hy_err read_file(const char *path, char *text, char why[static 256])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0)
        return errno == ENOENT ? HY_ENOTFOUND : hy_file_failed("open", path, why);
    got = read(fd, text, TEXT_MAX - 1);
    close(fd);
    if (got < 0)
        return hy_file_failed("read", path, why);
    text[got] = '\0';
    return HY_OK;
}

/* ---- is it ours? ---- */

static enum hy_err others(const char *dir, char *text, char why[static 256])
{
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
    snprintf(
        why, 256,
        "%.60s holds other data (%.79s); point data_dir at an empty directory, or mend cluster_id,"
        " shard and stores",
        dir, text);
    return HY_ECONFIG;
}

static enum hy_err compare(const char *dir, char *text, const struct identity *mine,
                           char why[static 256])
{
    struct slots have, want;
    char format[16], shard[16];

    snprintf(format, sizeof format, "%d", IDENTITY_FORMAT);
    snprintf(shard, sizeof shard, "%u", mine->shard);
    if (!is_value(text, "format", format) || !is_value(text, "cluster", mine->cluster_id) ||
        !is_value(text, "shard", shard) || (mine->fixed && !read_slots(text, mine->shard, &have)))
        return others(dir, text, why);
    if (!mine->fixed)
        return HY_OK;
    slots_of(mine->map, mine->shard, &want);
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++) {
        if (want.has[slot] == have.has[slot])
            continue;
        snprintf(why, 256,
                 "%.60s %s slot %u, which %s shard %u's: the number or order of stores changed,"
                 " but the data did not move; mend stores, shard or data_dir",
                 dir, have.has[slot] ? "has" : "never had", slot,
                 want.has[slot] ? "is to be" : "is not", mine->shard);
        return HY_ECONFIG;
    }
    return HY_OK;
}

enum hy_err identity_check(const char *dir, const struct identity *mine, char why[static 256])
{
    struct hy_buf fresh = {0};
    char path[1024], *text = malloc(TEXT_MAX);
    enum hy_err err = HY_ENOMEM;

    snprintf(why, 256, "%s", hy_err_text(err));
    if (text == NULL)
        return err;
    snprintf(path, sizeof path, "%s/identity", dir);
    err = read_file(path, text, why);
    if (err == HY_OK) {
        err = compare(dir, text, mine, why);
    } else if (err == HY_ENOTFOUND) {
        err = write_text(mine, &fresh);
        if (err == HY_OK)
            err = hy_file_replace(path, fresh.data, fresh.len, true, why);
    }
    free(text);
    hy_buf_free(&fresh);
    return err;
}

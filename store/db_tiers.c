/* Messages and what tells their retries apart lie in tiers: files of about one age, which are
 * merged with those of about the same size. So a row is written again two to four times until a
 * hundred million lie upon it, where levels did it 13 times at ten million; but while files are
 * merged both the old and the new are there. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/db_rocks.h"

static const enum family tiered[] = {FAMILY_LOG, FAMILY_DEDUPE};

enum { TIERED = sizeof tiered / sizeof *tiered };

/* What merges of a family may need. */
struct need {
    uint64_t fresh; /* with all but a whole merge that only age asks for */
    uint64_t whole;
};

/* The files of the last level that has any are the oldest; they are merged when all others are
 * together as large, or almost (DB_TIER_RATIO). At level 0 each file is a tier. */
static struct need need_of(const uint64_t levels[], int count)
{
    struct need need = {0, 0};
    uint64_t oldest = 0;

    for (int i = 0; i < count; i++) {
        need.whole += levels[i];
        if (i > 0 && levels[i] > 0)
            oldest = levels[i];
    }
    need.fresh = need.whole - oldest;
    if (need.fresh + need.fresh * DB_TIER_RATIO / 100 >= oldest)
        need.fresh = need.whole;
    return need;
}

/* From RocksDB's table of levels: number, files, MB. */
static struct need look(struct db *db, enum family family)
{
    char *text = rocksdb_property_value_cf(db->rocks, db->handles[family], "rocksdb.levelstats");
    uint64_t levels[16] = {0};
    int count = 0;

    for (const char *line = text; line != NULL && count < 16; line = strchr(line, '\n')) {
        unsigned long level, files, mb;

        line += *line == '\n';
        if (sscanf(line, "%lu %lu %lu", &level, &files, &mb) == 3)
            levels[count++] = files > 0 ? (mb + 1) << 20 : 0;
    }
    rocksdb_free(text);
    return need_of(levels, count);
}

static enum db_room room_for(const struct need *need, uint64_t free_bytes)
{
    if (free_bytes >= need->whole)
        return DB_ROOM_WHOLE;
    return free_bytes >= need->fresh ? DB_ROOM_FRESH : DB_ROOM_NONE;
}

static bool allow(struct db *db, enum family family, enum db_room room)
{
    const char *const names[] = {"disable_auto_compactions", "periodic_compaction_seconds"};
    const char *const values[] = {room == DB_ROOM_NONE ? "true" : "false",
                                  room == DB_ROOM_WHOLE ? DB_DAY : "0"};
    char *error = NULL;

    rocksdb_set_options_cf(db->rocks, db->handles[family], 2, names, values, &error);
    return db_classify(error, NULL) == HY_OK;
}

enum db_room db_room(struct db *db, uint64_t free_bytes)
{
    struct need need = {0, 0};
    enum db_room room;
    bool done = true;

    if (db->levels)
        return DB_ROOM_WHOLE;
    for (int i = 0; i < TIERED; i++) {
        struct need one = look(db, tiered[i]);

        need.fresh += one.fresh;
        need.whole += one.whole;
    }
    room = room_for(&need, free_bytes);
    if (room > db->room) /* with some to spare, so that it does not flap */
        room = room_for(&need, free_bytes - free_bytes / 10);
    for (int i = 0; i < TIERED && room != db->room; i++)
        done &= allow(db, tiered[i], room);
    if (done) /* else the next look tries again */
        db->room = room;
    return db->room;
}

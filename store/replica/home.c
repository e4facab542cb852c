#include "store/replica/home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"

static bool there(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

static enum hy_err move(const struct home *home, const char *from, const char *to,
                        char why[static 256])
{
    if (rename(from, to) != 0)
        return hy_file_failed("rename", from, why);
    return hy_dir_sync(home->dir, why);
}

static enum hy_err make_dir(const char *dir, char why[static 256])
{
    return mkdir(dir, 0700) == 0 || errno == EEXIST ? HY_OK : hy_file_failed("create", dir, why);
}

static enum hy_err read_id(struct home *home, const char *path, char why[static 256])
{
    FILE *file = fopen(path, "re");
    bool good = file != NULL && fscanf(file, "%39s", home->id) == 1;

    if (file != NULL)
        fclose(file);
    return good ? HY_OK : hy_file_failed("read", path, why);
}

/* A database that was taken away is not the one others counted on. */
static enum hy_err find_id(struct home *home, char why[static 256])
{
    char path[540];

    snprintf(path, sizeof path, "%s/db-id", home->dir);
    if (there(path) && there(home->db))
        return read_id(home, path, why);
    snprintf(home->id, sizeof home->id, "%016" PRIx64, hy_random64());
    return hy_file_replace(path, home->id, strlen(home->id), true, why);
}

/* ---- a database that lies in the directory itself ---- */

static bool of_database(const char *name)
{
    static const char *const starts[] = {"CURRENT",  "MANIFEST-", "OPTIONS-",
                                         "IDENTITY", "LOCK",      "LOG"};
    size_t len = strlen(name);

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(name, starts[i], strlen(starts[i])) == 0)
            return true;
    return len > 4 && (strcmp(name + len - 4, ".sst") == 0 || strcmp(name + len - 4, ".log") == 0);
}

static enum hy_err move_in(struct home *home, const char *name, char why[static 256])
{
    char from[1100], to[1100];

    snprintf(from, sizeof from, "%s/%.255s", home->dir, name);
    snprintf(to, sizeof to, "%s/%.255s", home->making, name);
    return rename(from, to) == 0 ? HY_OK : hy_file_failed("rename", from, why);
}

/* CURRENT goes last: as long as it is here, this is not done. */
static enum hy_err adopt(struct home *home, char why[static 256])
{
    enum hy_err err = make_dir(home->making, why);
    DIR *dir = err == HY_OK ? opendir(home->dir) : NULL;

    if (dir == NULL)
        return err == HY_OK ? hy_file_failed("read", home->dir, why) : err;
    for (struct dirent *e; err == HY_OK && (e = readdir(dir)) != NULL;)
        if (of_database(e->d_name) && strcmp(e->d_name, "CURRENT") != 0)
            err = move_in(home, e->d_name, why);
    closedir(dir);
    if (err == HY_OK)
        err = move_in(home, "CURRENT", why);
    if (err == HY_OK)
        err = hy_dir_sync(home->making, why);
    return err == HY_OK ? move(home, home->making, home->db, why) : err;
}

/* ---- opening ---- */

static void name_paths(const char *dir, struct home *home)
{
    *home = (struct home){0};
    snprintf(home->dir, sizeof home->dir, "%s", dir);
    snprintf(home->db, sizeof home->db, "%s/db", home->dir);
    snprintf(home->aside, sizeof home->aside, "%s/aside", home->dir);
    snprintf(home->fetched, sizeof home->fetched, "%s/fetched", home->dir);
    snprintf(home->making, sizeof home->making, "%s/making", home->dir);
    snprintf(home->trash, sizeof home->trash, "%s/trash", home->dir);
    snprintf(home->checkpoints, sizeof home->checkpoints, "%s/checkpoints", home->dir);
    snprintf(home->marker, sizeof home->marker, "%s/rebuilding", home->dir);
}

enum hy_err home_open(const char *dir, struct home *home, char why[static 256])
{
    char current[560];
    enum hy_err err;

    name_paths(dir, home);
    err = make_dir(home->dir, why);
    snprintf(current, sizeof current, "%s/CURRENT", home->dir);
    if (err == HY_OK && there(current))
        err = adopt(home, why);
    snprintf(current, sizeof current, "%s/CURRENT", home->making);
    if (err == HY_OK && there(current) && !there(home->db) && !there(home->aside))
        err = move(home, home->making, home->db, why);
    if (err != HY_OK)
        return err;
    (void)hy_dir_remove(home->making);
    (void)hy_dir_remove(home->fetched);
    (void)hy_dir_remove(home->trash);
    home->rebuilding = there(home->marker);
    if (!there(home->db) && there(home->aside))
        err = move(home, home->aside, home->db, why);
    if (err == HY_OK)
        err = make_dir(home->checkpoints, why);
    if (err == HY_OK)
        err = find_id(home, why);
    return err == HY_OK ? make_dir(home->db, why) : err;
}

/* ---- rebuilding ---- */

enum hy_err home_mark(struct home *home, char why[static 256])
{
    if (home->rebuilding)
        return HY_OK;
    home->rebuilding = true;
    static const char text[] = "this copy may not lead\n";

    return hy_file_replace(home->marker, text, strlen(text), true, why);
}

/* The old database goes first: without the marker it would not be known as old. */
enum hy_err home_whole(struct home *home, char why[static 256])
{
    if (there(home->aside) && rename(home->aside, home->trash) != 0)
        return hy_file_failed("rename", home->aside, why);
    if (unlink(home->marker) != 0 && errno != ENOENT)
        return hy_file_failed("remove", home->marker, why);
    home->rebuilding = false;
    (void)hy_dir_remove(home->trash);
    return hy_dir_sync(home->dir, why);
}

struct found {
    size_t count;
    struct place places[16];
};

static void find_checkpoints(const struct home *home, struct found *found)
{
    DIR *dir = opendir(home->checkpoints);

    *found = (struct found){0};
    if (dir == NULL)
        return;
    for (struct dirent *e; found->count < 16 && (e = readdir(dir)) != NULL;) {
        struct place p;
        size_t i = found->count;

        if (sscanf(e->d_name, "%" SCNu64 "-%" SCNu64, &p.epoch, &p.seq) != 2)
            continue;
        for (; i > 0 && place_compare(p, found->places[i - 1]) > 0; i--)
            found->places[i] = found->places[i - 1];
        found->places[i] = p;
        found->count++;
    }
    closedir(dir);
}

static void path_of(const struct home *home, struct place place, char path[static 600])
{
    snprintf(path, 600, "%s/%" PRIu64 "-%" PRIu64, home->checkpoints, place.epoch, place.seq);
}

size_t home_places(const struct home *home, struct place places[static HOME_CHECKPOINTS])
{
    struct found found;
    size_t count;

    find_checkpoints(home, &found);
    count = found.count < HOME_CHECKPOINTS ? found.count : HOME_CHECKPOINTS;
    memcpy(places, found.places, count * sizeof *places);
    return count;
}

enum hy_err home_keep(struct home *home, struct place place, char why[static 256])
{
    struct found found;
    char path[600];

    path_of(home, place, path);
    (void)hy_dir_remove(path);
    if (rename(home->making, path) != 0)
        return hy_file_failed("rename", home->making, why);
    find_checkpoints(home, &found);
    for (size_t i = HOME_CHECKPOINTS; i < found.count; i++) {
        path_of(home, found.places[i], path);
        (void)hy_dir_remove(path);
    }
    return hy_dir_sync(home->checkpoints, why);
}

/* The first that is set aside is the one with everything; what was rebuilt halfway is not kept. */
static enum hy_err set_aside(struct home *home, char why[static 256])
{
    if (!there(home->aside))
        return move(home, home->db, home->aside, why);
    (void)hy_dir_remove(home->db);
    return HY_OK;
}

enum hy_err home_go_back(struct home *home, size_t i, char why[static 256])
{
    struct found found;
    char path[600];
    enum hy_err err;

    find_checkpoints(home, &found);
    if (i >= found.count) {
        snprintf(why, 256, "there is no such checkpoint");
        return HY_ENOTFOUND;
    }
    path_of(home, found.places[i], path);
    err = set_aside(home, why);
    if (err == HY_OK)
        err = move(home, path, home->db, why);
    return err == HY_OK ? hy_dir_sync(home->checkpoints, why) : err;
}

enum hy_err home_take_fetched(struct home *home, char why[static 256])
{
    enum hy_err err = set_aside(home, why);

    return err == HY_OK ? move(home, home->fetched, home->db, why) : err;
}

/* What stores tell of their copies, read from the pages of their metrics. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/http.h"
#include "ctl/shard.h"

enum { PAGE_MAX = 1 << 20, ANSWER_MS = 1000 };

static const char prefix[] = "hongyan_store_replica_";

/* The value of a label, as the only one of its series. */
static bool read_label(const char *labels, const char *name, char out[static 64])
{
    char format[48];

    snprintf(format, sizeof format, "{%s=\"%%63[^\"]\"}", name);
    return sscanf(labels, format, out) == 1;
}

static void add_lag(json_t *copy, const char *follower, const char *what, json_int_t value)
{
    json_t *lag = json_object_get(copy, "lag"), *entry;

    if (lag == NULL)
        json_object_set_new(copy, "lag", lag = json_object());
    entry = json_object_get(lag, follower);
    if (entry == NULL)
        json_object_set_new(lag, follower, entry = json_object());
    json_object_set_new(entry, what, json_integer(value));
}

/* One line: NAME{LABEL="..."} NUMBER */
static void read_line(json_t *copy, const char *line)
{
    const char *name = line + strlen(prefix), *space = strchr(line, ' ');
    size_t len = strcspn(name, "{ ");
    json_int_t value = space != NULL ? strtoll(space + 1, NULL, 10) : 0;
    char label[64], key[64];

    snprintf(key, sizeof key, "%.*s", (int)(len < 63 ? len : 63), name);
    if (read_label(name + len, "role", label)) {
        if (value == 1)
            json_object_set_new(copy, "role", json_string(label));
    } else if (strncmp(key, "lag_", 4) == 0 && read_label(name + len, "follower", label)) {
        add_lag(copy, label, key + 4, value);
    } else {
        json_object_set_new(copy, key, json_integer(value));
    }
}

static json_t *read_page(char *page)
{
    json_t *copy = json_object();
    char *rest = NULL;

    for (char *line = strtok_r(page, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        if (strncmp(line, prefix, strlen(prefix)) == 0)
            read_line(copy, line);
    if (json_integer_value(json_object_get(copy, "leads")) == 0)
        json_object_del(copy, "lag"); /* of an earlier reign */
    return copy;
}

/* What a process shows; free() it. NULL: nothing. */
static char *page_of(const json_t *cluster, const char *name)
{
    const char *url = json_string_value(json_object_get(json_object_get(cluster, "metrics"), name));
    const char *colon = url == NULL ? NULL : strrchr(url, ':');
    char *page = colon == NULL ? NULL : malloc(PAGE_MAX);

    if (page != NULL &&
        http_get((uint16_t)atoi(colon + 1), "/metrics", ANSWER_MS, page, PAGE_MAX) == 200)
        return page;
    free(page);
    return NULL;
}

json_t *shard_copies_read(const json_t *cluster)
{
    json_t *out = json_object(), *url;
    const char *name;

    json_object_foreach(json_object_get(cluster, "metrics"), name, url)
    {
        char *page = strncmp(name, "store-", 6) == 0 ? page_of(cluster, name) : NULL;

        if (page != NULL)
            json_object_set_new(out, name, read_page(page));
        free(page);
    }
    return out;
}

uint64_t shard_bytes(const json_t *cluster, const char *store)
{
    static const char *const names[] = {"\nhongyan_store_rocksdb_live_bytes ",
                                        "\nhongyan_store_rocksdb_memtable_bytes "};
    char *page = page_of(cluster, store);
    uint64_t bytes = 0;

    for (size_t i = 0; page != NULL && i < sizeof names / sizeof *names; i++) {
        const char *line = strstr(page, names[i]);

        if (line != NULL)
            bytes += strtoull(line + strlen(names[i]), NULL, 10);
    }
    free(page);
    return bytes;
}

static void print_lag(const json_t *lag)
{
    const char *follower;
    json_t *entry;

    json_object_foreach((json_t *)lag, follower, entry)
    {
        printf("  %s is %lld rows, %lld s behind", follower,
               (long long)json_integer_value(json_object_get(entry, "sequences")),
               (long long)json_integer_value(json_object_get(entry, "seconds")));
    }
}

void shard_copies_print(const json_t *copies)
{
    const char *name, *role;
    json_t *copy;

    printf("%-14s %-10s %6s %7s %12s %12s\n", "copy", "role", "epoch", "in sync", "latest",
           "committed");
    json_object_foreach((json_t *)copies, name, copy)
    {
        static const char *const keys[] = {"epoch", "insync", "latest", "commit"};
        long long numbers[4];

        for (int i = 0; i < 4; i++)
            numbers[i] = json_integer_value(json_object_get(copy, keys[i]));
        role = json_string_value(json_object_get(copy, "role"));
        printf("%-14s %-10s %6lld %7lld %12lld %12lld", name, role == NULL ? "" : role, numbers[0],
               numbers[1], numbers[2], numbers[3]);
        print_lag(json_object_get(copy, "lag"));
        putchar('\n');
    }
}

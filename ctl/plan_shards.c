/* How many shards a cluster has, and copies of them. A static store's part of the slots depends on
 * their number: other than it was, it would not find what it has. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/files.h"
#include "ctl/plan.h"

static void path_of(const struct layout *layout, char out[static 4096])
{
    files_path(out, "%s/data/shards", layout->dir);
}

/* How many there are, and plan->gone. 0: it is not known. */
static int64_t read_shards(struct plan *plan, char *text)
{
    char *rest = NULL, *word = text == NULL ? NULL : strtok_r(text, " \n", &rest);
    int64_t count = 0, shard;

    if (word == NULL || !args_number(word, 1, PLAN_SHARDS, &count))
        return 0;
    while ((word = strtok_r(NULL, " \n", &rest)) != NULL)
        if (args_number(word, 0, count - 1, &shard))
            plan->gone[shard] = true;
    return count;
}

/* With etcd the number that is asked for is that of the beginning. */
static bool fits(const struct plan *plan, int64_t count)
{
    return plan->shards == 0 || plan->shards == count || (plan->etcd > 0 && plan->shards < count);
}

enum hy_err plan_settle_shards(struct plan *plan, const struct layout *layout)
{
    char path[4096];
    char *text;
    int64_t count;

    path_of(layout, path);
    text = files_read(path, NULL);
    count = read_shards(plan, text);
    free(text);
    if (count == 0) {
        plan->shards = plan->shards > 0 ? plan->shards : 1;
        return plan_write_shards(plan, layout);
    }
    if (!fits(plan, count)) {
        fprintf(stderr,
                "hongyanctl: this cluster was made with --shards %d; start it with that%s\n",
                (int)count, plan->etcd > 0 ? ", and hongyanctl shard add" : "");
        return HY_ECONFIG;
    }
    plan->shards = count;
    return HY_OK;
}

enum hy_err plan_write_shards(const struct plan *plan, const struct layout *layout)
{
    char path[4096];
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    enum hy_err err = HY_ENOMEM;

    if (out == NULL)
        return err;
    fprintf(out, "%d", (int)plan->shards);
    for (int64_t i = 0; i < plan->shards; i++)
        if (plan->gone[i])
            fprintf(out, " %d", (int)i);
    path_of(layout, path);
    if (fclose(out) == 0)
        err = files_write(path, text, len);
    free(text);
    return err;
}

/* ---- copies ---- */

static void restored_path(const char *dir, char out[static 4096])
{
    files_path(out, "%s/data/restored", dir);
}

enum hy_err plan_settle_copies(struct plan *plan)
{
    char path[4096];
    char *text;
    int64_t copies;
    bool known;

    restored_path(plan->dir, path);
    text = files_read(path, NULL);
    known = text != NULL && args_number(text, 0, PLAN_COPIES, &copies);
    free(text);
    if (!known)
        return HY_OK;
    if (copies > 0 && plan->etcd == 0)
        plan->etcd = 1;
    if (copies > 0 && plan->replicas == 0)
        plan->replicas = copies;
    if (copies == 0 ? plan->etcd == 0 : plan->replicas <= copies)
        return HY_OK;
    fprintf(stderr,
            "hongyanctl: this was restored for %d copies of each shard (0: without etcd): start it"
            " like that, or restore it with other --replicas\n",
            (int)copies);
    return HY_ECONFIG;
}

void plan_copies_settled(const struct layout *layout)
{
    char path[4096];

    restored_path(layout->dir, path);
    unlink(path);
}

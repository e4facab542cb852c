#include "common/etcd_follow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/metrics.h"

enum { WAIT_LEAST_MS = 25, WAIT_MOST_MS = 1000, STAND_MS = 1000 };

struct etcd_follow {
    struct hy_coord *coord;
    struct etcd_client *client;
    const char *prefix;
    struct etcd_follow_handler handler;
    struct hy_timer *timer; /* to the next try; or until the watch has to stand */
    struct etcd_ask *read;  /* at most one of these two */
    struct etcd_http_call *watch;
    bool standing;     /* the watch is confirmed */
    unsigned failures; /* in a row */
    struct hy_arena arena;
    struct hy_metric *restarts, *values_bad;
};

/* ---- trying again ---- */

static void stop(struct etcd_follow *follow)
{
    etcd_client_forget(&follow->read);
    if (follow->watch != NULL)
        etcd_client_unstream(follow->client, &follow->watch);
    follow->standing = false;
}

void etcd_follow_again(struct etcd_follow *follow, const char *why)
{
    uint64_t wait_ms = (uint64_t)WAIT_LEAST_MS << (follow->failures < 6 ? follow->failures : 6);

    hy_log_debug("coord.follow_again", "why=\"%s\" failures=%u", why, follow->failures);
    stop(follow);
    follow->failures++;
    hy_timer_set(follow->timer, wait_ms < WAIT_MOST_MS ? wait_ms : WAIT_MOST_MS);
}

/* A read finds its way itself. */
void etcd_follow_moved(struct etcd_follow *follow)
{
    if (follow->watch == NULL)
        return;
    hy_add(follow->restarts, 1);
    etcd_follow_again(follow, "another member is asked");
}

static void watch_failed(struct etcd_follow *follow, const char *why)
{
    hy_add(follow->restarts, 1);
    etcd_follow_again(follow, why);
}

static void count_unusable(struct etcd_follow *follow, const struct etcd_values *values)
{
    hy_add(follow->values_bad, (int64_t)values->unusable);
    if (values->unusable > 0)
        hy_log_warn("coord.unusable",
                    "values=%zu prefix=\"%s\" hint=\"somebody else writes below this prefix; look "
                    "with etcdctl get --prefix\"",
                    values->unusable, follow->prefix);
}

/* ---- watching ---- */

static void on_stands(struct etcd_follow *follow)
{
    follow->standing = true;
    follow->failures = 0;
    hy_timer_stop(follow->timer);
}

static enum hy_err apply(struct etcd_follow *follow, const struct etcd_values *values)
{
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < values->count && err == HY_OK; i++)
        err = coord_apply(follow->coord, &values->values[i]);
    return err;
}

static void watch_ended(struct etcd_follow *follow, const struct etcd_watch *watch)
{
    if (watch->compacted > 0)
        hy_log_info("coord.compacted", "revision=%" PRIu64, watch->compacted);
    else
        etcd_client_sign_out(follow->client); /* if it was the token, that is all it says */
    watch_failed(follow, *watch->why != '\0' ? watch->why : "etcd ended the watch");
}

static void on_line(void *arg, const char *line, size_t len)
{
    struct etcd_follow *follow = arg;
    struct etcd_watch watch;
    enum hy_err err;

    if (len == 0)
        return;
    hy_arena_reset(&follow->arena);
    err = etcd_watch_read(line, len, follow->prefix, &follow->arena, &watch);
    if (err == HY_OK && watch.ended) {
        watch_ended(follow, &watch);
        return;
    }
    if (err == HY_OK && watch.created)
        on_stands(follow);
    if (err == HY_OK) {
        count_unusable(follow, &watch.values);
        err = apply(follow, &watch.values);
    }
    if (err != HY_OK)
        watch_failed(follow, hy_err_text(err));
    else
        follow->handler.news(follow->handler.arg);
}

static void on_watch_done(void *arg, const struct etcd_http_answer *answer)
{
    struct etcd_follow *follow = arg;

    follow->watch = NULL;
    if (answer->err != HY_OK)
        etcd_client_move(follow->client, answer->why);
    watch_failed(follow, answer->err != HY_OK ? answer->why : "etcd closed the watch");
}

static void watch(struct etcd_follow *follow)
{
    const struct etcd_stream stream = {
        .path = "/v3/watch",
        .body = etcd_watch_text(follow->prefix, coord_revision(follow->coord) + 1),
        .line = on_line,
        .done = on_watch_done,
        .arg = follow,
    };

    follow->watch = etcd_client_stream(follow->client, &stream);
    if (follow->watch == NULL)
        etcd_follow_again(follow, hy_err_text(HY_ENOMEM));
    else
        hy_timer_set(follow->timer, STAND_MS);
}

/* ---- reading ---- */

static enum hy_err take_all(struct etcd_follow *follow, const struct etcd_reply *reply)
{
    struct etcd_range range;
    enum hy_err err;

    hy_arena_reset(&follow->arena);
    err = etcd_range_read(reply->text, reply->len, follow->prefix, &follow->arena, &range);
    if (err != HY_OK)
        return err;
    count_unusable(follow, &range.values);
    if (range.revision < coord_revision(follow->coord))
        hy_log_warn("coord.set_back",
                    "revision=%" PRIu64 " known=%" PRIu64 " hint=\"this etcd is empty, another, or "
                    "restored from a backup; what it says is taken\"",
                    range.revision, coord_revision(follow->coord));
    return coord_replace(follow->coord, range.values.values, range.values.count, range.revision);
}

static void on_read(void *arg, const struct etcd_reply *reply)
{
    struct etcd_follow *follow = arg;
    enum hy_err err = reply->err;

    follow->read = NULL;
    if (err == HY_EDENIED)
        hy_log_error("coord.refused",
                     "what=\"read\" prefix=\"%s\" why=\"%s\" hint=\"give etcd.user a role that may "
                     "read and write below this prefix\"",
                     follow->prefix, reply->error.text);
    if (err == HY_OK)
        err = take_all(follow, reply);
    if (err != HY_OK) {
        etcd_follow_again(follow, hy_err_text(err));
        return;
    }
    watch(follow);
    follow->handler.whole(follow->handler.arg);
    follow->handler.news(follow->handler.arg);
}

static void on_timer(void *arg)
{
    struct etcd_follow *follow = arg;
    struct etcd_question question = {.path = "/v3/kv/range", .done = on_read, .arg = follow};

    if (follow->watch != NULL) { /* it should stand by now */
        etcd_client_move(follow->client, "a watch is not confirmed");
        watch_failed(follow, "not confirmed");
    } else if (follow->read == NULL) {
        question.body = etcd_range_text(follow->prefix);
        follow->read = etcd_client_ask(follow->client, &question);
    }
}

/* ---- open and close ---- */

enum hy_err etcd_follow_open(struct hy_coord *coord, struct etcd_client *client, const char *prefix,
                             const struct etcd_follow_handler *handler, struct etcd_follow **follow)
{
    struct etcd_follow *f = calloc(1, sizeof *f);

    if (f == NULL)
        return HY_ENOMEM;
    f->coord = coord;
    f->client = client;
    f->prefix = prefix;
    f->handler = *handler;
    hy_arena_init(&f->arena);
    f->restarts = hy_counter("hongyan_coord_watch_restarts_total", "",
                             "Times the watch of etcd ended and all values were read again");
    f->values_bad = hy_counter("hongyan_coord_unusable_values_total", "",
                               "Values below the cluster's prefix that no reader can use");
    enum hy_err err = hy_timer_open(coord_loop(coord), on_timer, f, &f->timer);

    if (err != HY_OK) {
        etcd_follow_close(&f);
        return err;
    }
    hy_timer_set(f->timer, 0);
    *follow = f;
    return HY_OK;
}

void etcd_follow_close(struct etcd_follow **follow)
{
    struct etcd_follow *f = *follow;

    if (f == NULL)
        return;
    *follow = NULL;
    stop(f);
    hy_timer_close(&f->timer);
    hy_arena_free(&f->arena);
    free(f);
}

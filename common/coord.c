#include "common/coord.h"

#include <stdlib.h>
#include <string.h>

#include "common/coord_copy.h"
#include "common/coord_int.h"
#include "common/metrics.h"

/* Beyond these the change is a mistake; etcd takes 128 in a transaction. */
enum { GUARDS_MAX = 64, PUTS_MAX = 64 };

struct hy_coord {
    struct hy_loop *loop;
    struct hy_coord_handler handler;
    void *ctx;
    const struct coord_driver *driver;
    void *state;
    struct coord_copy copy;
    uint64_t revision; /* of the copy */
    bool whole;        /* it has been, once */
};

/* ---- changes under way ---- */

void coord_ops_init(struct coord_ops *ops)
{
    ops->first = NULL;
    ops->end = &ops->first;
}

void coord_ops_add(struct coord_ops *ops, struct coord_op *op)
{
    op->next = NULL;
    *ops->end = op;
    ops->end = &op->next;
}

struct coord_op *coord_ops_take(struct coord_ops *ops)
{
    struct coord_op *op = ops->first;

    if (op == NULL)
        return NULL;
    ops->first = op->next;
    if (ops->first == NULL)
        ops->end = &ops->first;
    return op;
}

void coord_ops_free(struct coord_ops *ops)
{
    struct coord_op *op;

    while ((op = coord_ops_take(ops)) != NULL)
        free(op);
}

void coord_ops_forget(struct coord_ops *ops, const void *arg)
{
    for (struct coord_op *op = ops->first; op != NULL; op = op->next)
        if (op->arg == arg)
            op->done = NULL;
}

static size_t change_bytes(const struct hy_coord_change *change)
{
    size_t bytes = change->guard_count * sizeof(struct hy_coord_guard) +
                   change->put_count * sizeof(struct hy_coord_put);

    for (size_t i = 0; i < change->guard_count; i++)
        bytes += strlen(change->guards[i].key) + 1;
    for (size_t i = 0; i < change->put_count; i++) {
        bytes += strlen(change->puts[i].key) + 1;
        bytes += change->puts[i].text != NULL ? strlen(change->puts[i].text) + 1 : 0;
    }
    return bytes;
}

/* Copy text to *at and move on. */
static const char *keep(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *kept = memcpy(*at, text, size);

    *at += size;
    return kept;
}

static struct coord_op *op_make(const struct hy_coord_change *change, hy_coord_done_fn *done,
                                void *arg)
{
    struct coord_op *op = malloc(sizeof *op + change_bytes(change));

    if (op == NULL)
        return NULL;
    struct hy_coord_guard *guards = (struct hy_coord_guard *)(op + 1);
    struct hy_coord_put *puts = (struct hy_coord_put *)(guards + change->guard_count);
    char *at = (char *)(puts + change->put_count);

    *op = (struct coord_op){.change = *change, .done = done, .arg = arg};
    op->change.guards = guards;
    op->change.puts = puts;
    for (size_t i = 0; i < change->guard_count; i++) {
        guards[i] = change->guards[i];
        guards[i].key = keep(&at, change->guards[i].key);
    }
    for (size_t i = 0; i < change->put_count; i++) {
        puts[i] = change->puts[i];
        puts[i].key = keep(&at, change->puts[i].key);
        puts[i].text = change->puts[i].text != NULL ? keep(&at, change->puts[i].text) : NULL;
    }
    return op;
}

static bool too_big(const struct hy_coord_change *change)
{
    if (change->guard_count > GUARDS_MAX || change->put_count > PUTS_MAX)
        return true;
    for (size_t i = 0; i < change->guard_count; i++)
        if (strlen(change->guards[i].key) > HY_COORD_KEY_MAX)
            return true;
    for (size_t i = 0; i < change->put_count; i++)
        if (strlen(change->puts[i].key) > HY_COORD_KEY_MAX ||
            (change->puts[i].text != NULL && strlen(change->puts[i].text) > HY_COORD_VALUE_MAX))
            return true;
    return false;
}

/* A series by outcome; the codes that have none of their own count as failed. */
static struct hy_metric *outcome_counter(enum hy_err err)
{
    static const char *const labels[HY_ERR_COUNT] = {
        [HY_OK] = "result=\"done\"",
        [HY_EEXIST] = "result=\"refused\"",
        [HY_ECLOSED] = "result=\"no_lease\"",
        [HY_ETIMEOUT] = "result=\"unknown\"",
    };

    return hy_counter("hongyan_coord_changes_total",
                      labels[err] != NULL ? labels[err] : "result=\"failed\"",
                      "Changes asked of the coordinator, by outcome");
}

void coord_finish(struct coord_op *op, enum hy_err err, uint64_t revision)
{
    hy_add(outcome_counter(err), 1);
    if (op->done != NULL)
        op->done(op->arg, err, revision);
    free(op);
}

void hy_coord_change(struct hy_coord *coord, const struct hy_coord_change *change,
                     hy_coord_done_fn *done, void *arg)
{
    enum hy_err err = too_big(change) ? HY_ETOOBIG : HY_OK;
    struct coord_op *op = err == HY_OK ? op_make(change, done, arg) : NULL;

    if (op != NULL) {
        coord->driver->change(coord->state, op);
        return;
    }
    done(arg, err == HY_OK ? HY_ENOMEM : err, 0);
}

void hy_coord_forget(struct hy_coord *coord, const void *arg)
{
    coord->driver->forget(coord->state, arg);
}

bool coord_wants_lease(const struct hy_coord_change *change)
{
    for (size_t i = 0; i < change->put_count; i++)
        if (change->puts[i].text != NULL && change->puts[i].leased)
            return true;
    return false;
}

static bool guard_holds(const struct hy_coord_guard *guard, const struct coord_entry *entry)
{
    switch (guard->test) {
    case HY_COORD_ABSENT:
        return entry == NULL;
    case HY_COORD_CREATED:
        return entry != NULL && entry->value.created == guard->revision;
    case HY_COORD_CHANGED:
        return entry != NULL && entry->value.changed == guard->revision;
    }
    return false;
}

bool coord_guards_hold(const struct hy_coord *coord, const struct hy_coord_change *change)
{
    for (size_t i = 0; i < change->guard_count; i++)
        if (!guard_holds(&change->guards[i], coord_copy_find(&coord->copy, change->guards[i].key)))
            return false;
    return true;
}

/* ---- the copy ---- */

uint64_t coord_revision(const struct hy_coord *coord)
{
    return coord->revision;
}

void coord_reached(struct hy_coord *coord, uint64_t revision)
{
    if (revision > coord->revision)
        coord->revision = revision;
}

static void gone(struct hy_coord *coord, size_t i, uint64_t revision)
{
    struct coord_entry *entry = coord_copy_take(&coord->copy, i);

    entry->value.text = NULL;
    entry->value.len = 0;
    entry->value.changed = revision;
    coord->handler.changed(coord->ctx, &entry->value);
    free(entry);
}

enum hy_err coord_apply(struct hy_coord *coord, const struct hy_coord_value *value)
{
    size_t i = coord_copy_place(&coord->copy, value->key);
    struct coord_entry *entry = coord_copy_find(&coord->copy, value->key);

    if (value->text == NULL) {
        if (entry != NULL && entry->value.changed < value->changed)
            gone(coord, i, value->changed);
        coord_reached(coord, value->changed);
        return HY_OK;
    }
    if (entry != NULL && entry->value.changed >= value->changed)
        return HY_OK;
    enum hy_err err = coord_copy_put(&coord->copy, value);

    if (err != HY_OK)
        return err;
    coord_reached(coord, value->changed);
    coord->handler.changed(coord->ctx, &coord->copy.entries[i]->value);
    return HY_OK;
}

static int by_change(const void *a, const void *b)
{
    const struct hy_coord_value *one = a, *other = b;

    return (one->changed > other->changed) - (one->changed < other->changed);
}

/* Let those go that are no more, or that went and came again meanwhile. */
static void drop_unseen(struct hy_coord *coord, const struct hy_coord_value *values, size_t count,
                        uint64_t revision)
{
    for (size_t i = 0; i < coord->copy.count; i++)
        coord->copy.entries[i]->seen = false;
    for (size_t i = 0; i < count; i++) {
        struct coord_entry *entry = coord_copy_find(&coord->copy, values[i].key);

        if (entry != NULL)
            entry->seen = entry->value.created == values[i].created;
    }
    for (size_t i = coord->copy.count; i-- > 0;)
        if (!coord->copy.entries[i]->seen)
            gone(coord, i, revision);
}

enum hy_err coord_replace(struct hy_coord *coord, struct hy_coord_value *values, size_t count,
                          uint64_t revision)
{
    enum hy_err err = HY_OK;

    qsort(values, count, sizeof *values, by_change);
    coord->revision = revision; /* of a coordinator that was set back it may be less than it was */
    drop_unseen(coord, values, count, revision);
    for (size_t i = 0; i < count && err == HY_OK; i++) {
        struct coord_entry *entry = coord_copy_find(&coord->copy, values[i].key);

        if (entry != NULL && entry->value.changed > values[i].changed)
            gone(coord, coord_copy_place(&coord->copy, values[i].key), revision);
        err = coord_apply(coord, &values[i]);
    }
    return err;
}

bool hy_coord_get(const struct hy_coord *coord, const char *key, struct hy_coord_value *value)
{
    const struct coord_entry *entry = coord_copy_find(&coord->copy, key);

    if (entry != NULL)
        *value = entry->value;
    return entry != NULL;
}

void hy_coord_each(const struct hy_coord *coord, const char *prefix,
                   void (*fn)(void *arg, const struct hy_coord_value *value), void *arg)
{
    size_t len = strlen(prefix);

    for (size_t i = coord_copy_place(&coord->copy, prefix); i < coord->copy.count; i++) {
        const struct hy_coord_value *value = &coord->copy.entries[i]->value;

        if (strncmp(value->key, prefix, len) != 0)
            return;
        fn(arg, value);
    }
}

void coord_whole(struct hy_coord *coord)
{
    coord->whole = true;
    if (coord->handler.whole != NULL)
        coord->handler.whole(coord->ctx);
}

void coord_lease_lost(struct hy_coord *coord)
{
    if (coord->handler.lease_lost != NULL)
        coord->handler.lease_lost(coord->ctx);
}

void coord_leased(struct hy_coord *coord)
{
    if (coord->handler.leased != NULL)
        coord->handler.leased(coord->ctx);
}

/* ---- opening ---- */

enum hy_err hy_coord_open(struct hy_loop *loop, const struct hy_common_settings *settings,
                          uint32_t lease_s, const char *lease_file,
                          const struct hy_coord_handler *handler, void *ctx,
                          struct hy_coord **coord, char why[static 256])
{
    struct coord_opening opening = {settings, lease_s, lease_file};
    struct hy_coord *c = calloc(1, sizeof *c);

    why[0] = '\0';
    if (c == NULL)
        return HY_ENOMEM;
    c->loop = loop;
    c->handler = *handler;
    c->ctx = ctx;
    c->driver = settings->etcd_endpoints.count > 0 ? &coord_etcd_driver : &coord_static_driver;
    enum hy_err err = c->driver->open(c, &opening, &c->state, why);

    if (err != HY_OK)
        hy_coord_close(&c);
    else
        *coord = c;
    return err;
}

void hy_coord_close(struct hy_coord **coord)
{
    struct hy_coord *c = *coord;

    if (c == NULL)
        return;
    *coord = NULL;
    c->driver->close(c->state);
    coord_copy_free(&c->copy);
    free(c);
}

struct hy_loop *coord_loop(const struct hy_coord *coord)
{
    return coord->loop;
}

uint64_t hy_coord_trusted_until_ms(const struct hy_coord *coord)
{
    return coord->driver->trusted_until_ms(coord->state);
}

bool hy_coord_whole(const struct hy_coord *coord)
{
    return coord->whole;
}

bool hy_coord_static(const struct hy_coord *coord)
{
    return coord->driver == &coord_static_driver;
}

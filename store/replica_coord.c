/* The coordinator's values of a shard, as text and as what the steps know. */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "store/replica_int.h"

enum { MEMBER_TEXT = COPY_NODE + 2 * COPY_DB };

/* ---- reading ---- */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

/* "node:db:boot" */
static bool read_member(const char *text, struct copy_id *id)
{
    *id = (struct copy_id){0};
    return sscanf(text, "%63[^:]:%39[^:]:%39[^:]", id->node, id->db, id->boot) == 3;
}

static bool read_set(const json_t *list, struct copies *set)
{
    const json_t *item;
    size_t i;

    *set = (struct copies){0};
    json_array_foreach(list, i, item)
    {
        struct copy_id id;
        const char *text = json_string_value(item);

        if (text == NULL || !read_member(text, &id) || !copies_add(set, &id))
            return false;
    }
    return true;
}

static bool read_shard(const struct hy_coord_value *value, struct copy_state *state)
{
    json_t *object = json_loads(value->text, 0, NULL);
    bool good = object != NULL && read_set(json_object_get(object, "insync"), &state->set);

    state->there = true;
    state->changed = value->changed;
    state->epoch = (uint64_t)json_integer_value(json_object_get(object, "epoch"));
    snprintf(state->heir, sizeof state->heir, "%s", text_of(object, "heir"));
    json_decref(object);
    return good && state->epoch > 0 && state->set.count > 0;
}

static bool read_leader(const struct hy_coord_value *value, struct copy_state *state)
{
    json_t *object = json_loads(value->text, 0, NULL);

    state->led = true;
    state->leader_created = value->created;
    state->leader_epoch = (uint64_t)json_integer_value(json_object_get(object, "epoch"));
    snprintf(state->leader, sizeof state->leader, "%s", text_of(object, "node"));
    json_decref(object);
    return state->leader[0] != '\0';
}

/* What does not decode is not acted upon, nor what is not there while not all has been read: nobody
 * takes over a shard whose state is not understood. */
void replica_read_state(struct replica *r)
{
    struct copy_state state = {.known = true};
    struct hy_coord_value value;

    if (!hy_coord_whole(r->config.coord))
        return;
    if (hy_coord_get(r->config.coord, r->key_state, &value) && !read_shard(&value, &state)) {
        hy_log_error("store.state_unreadable", "key=%s text=\"%s\"", r->key_state, value.text);
        return;
    }
    if (hy_coord_get(r->config.coord, r->key_leader, &value) && !read_leader(&value, &state)) {
        hy_log_error("store.state_unreadable", "key=%s text=\"%s\"", r->key_leader, value.text);
        return;
    }
    r->knows_state = true;
    copy_coordinated(r->copy, hy_steady_ms(), &state);
}

static void read_node(void *arg, const struct hy_coord_value *value)
{
    struct replica *r = arg;
    const char *name = strrchr(value->key, '/');
    json_t *object = value->text == NULL ? NULL : json_loads(value->text, 0, NULL);
    const json_t *shard = json_object_get(object, "shard");

    if (name != NULL && json_is_integer(shard) &&
        (uint64_t)json_integer_value(shard) == r->config.shard) {
        replica_link(r, name + 1, text_of(object, "endpoint"));
        copy_leaving(r->copy, name + 1, strcmp(text_of(object, "state"), "leaving") == 0);
    }
    json_decref(object);
}

void replica_read_nodes(struct replica *r)
{
    hy_coord_each(r->config.coord, "node/store/", read_node, r);
}

void replica_coordinated(struct replica *replica, const struct hy_coord_value *value)
{
    if (replica->alone || replica->worker == NULL)
        return;
    if (strcmp(value->key, replica->key_state) == 0 || strcmp(value->key, replica->key_leader) == 0)
        replica_read_state(replica);
    else if (strncmp(value->key, "node/store/", 11) == 0)
        read_node(replica, value);
}

/* ---- changing ---- */

static void changed(void *arg, enum hy_err err, uint64_t revision)
{
    struct replica *r = arg;

    (void)revision;
    if (err == HY_OK)
        replica_read_state(r); /* the copy shows it already */
    else if (err != HY_EEXIST && err != HY_ECLOSED)
        err = HY_ETIMEOUT; /* whatever it was: nobody knows */
    copy_changed(r->copy, hy_steady_ms(), err);
}

static char *print_state(const struct replica *r, const struct copy_change *change)
{
    json_t *list = json_array(), *object;
    char text[MEMBER_TEXT], *printed;

    for (size_t i = 0; i < change->set.count; i++) {
        const struct copy_id *id = &change->set.ids[i];

        snprintf(text, sizeof text, "%s:%s:%s", id->node, id->db, id->boot);
        json_array_append_new(list, json_string(text));
    }
    object = json_pack("{s:I, s:s, s:o}", "epoch", (json_int_t)change->epoch, "leader",
                       r->config.name, "insync", list);
    if (change->heir[0] != '\0')
        json_object_set_new(object, "heir", json_string(change->heir));
    printed = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return printed;
}

static char *print_leader(const struct replica *r, const struct copy_change *change)
{
    json_t *object =
        json_pack("{s:s, s:I}", "node", r->config.name, "epoch", (json_int_t)change->epoch);
    char *printed = json_dumps(object, JSON_COMPACT);

    json_decref(object);
    return printed;
}

static const struct {
    bool guards_state, puts_state, puts_leader, drops_leader;
} kinds[] = {
    [CHANGE_TAKE] = {true, true, true, false},   [CHANGE_CLAIM] = {true, false, true, false},
    [CHANGE_SET] = {true, true, false, false},   [CHANGE_RELEASE] = {true, true, false, true},
    [CHANGE_DROP] = {false, false, false, true},
};

void replica_ask_change(struct replica *r, const struct copy_change *change)
{
    char *state = print_state(r, change), *leader = print_leader(r, change);
    struct hy_coord_guard guards[2] = {
        {r->key_leader, change->leader_created == 0 ? HY_COORD_ABSENT : HY_COORD_CREATED,
         change->leader_created},
        {r->key_state, change->state_there ? HY_COORD_CHANGED : HY_COORD_ABSENT,
         change->state_changed}};
    struct hy_coord_put puts[2];
    struct hy_coord_change ask = {
        .guards = guards, .guard_count = kinds[change->kind].guards_state ? 2 : 1, .puts = puts};

    if (state == NULL || leader == NULL)
        abort(); /* a few hundred bytes */
    if (kinds[change->kind].puts_state)
        puts[ask.put_count++] = (struct hy_coord_put){r->key_state, state, false};
    if (kinds[change->kind].puts_leader)
        puts[ask.put_count++] = (struct hy_coord_put){r->key_leader, leader, true};
    if (kinds[change->kind].drops_leader)
        puts[ask.put_count++] = (struct hy_coord_put){r->key_leader, NULL, false};
    hy_coord_change(r->config.coord, &ask, changed, r);
    free(state);
    free(leader);
}

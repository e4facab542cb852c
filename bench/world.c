/* world - see world.h. */

#include "bench/world.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/codes.h"
#include "common/slot.h"
#include "ctl/admin.h"

/* A call takes some 20 ms, and is asked again after 300: few at once. */
enum { AT_ONCE = 200, CALLS = 3, WAIT_MS = 60000 };

enum { TRIES = 60, PAUSE_MS = 500 }; /* of a call that a store has no room for just now */

uint32_t world_member(const struct world *world, uint32_t g, uint32_t k)
{
    uint32_t part = world->users / (world->members - 2);

    if (k < 2)
        return 2 * (g % world->pairs) + k;
    return (k - 2) * part + (uint32_t)(hy_mix64((uint64_t)g << 8 | k) % part);
}

void world_name(const struct world *world, uint32_t g, uint32_t k, char out[static 32])
{
    snprintf(out, 32, "%s%u", k < 2 ? WORLD_PREFIX : "away", world_member(world, g, k));
}

bool world_among(uint32_t n, uint32_t from, uint32_t to)
{
    uint64_t percent = hy_mix64((uint64_t)n + 1) % 100;

    return percent >= from && percent < to;
}

/* ---- making ---- */

/* One call at a time. */
struct lane {
    struct making *making;
    uint32_t first, end; /* groups; none: it takes the next */
    uint32_t tries;
    uint64_t not_before_ms;
    bool asked;
};

struct making {
    const struct world *world;
    const struct target *target;
    struct admin *admin;
    struct lane lanes[CALLS];
    uint32_t next, calls;
    enum hy_err err;
};

/* The groups of one call and all they are made of. */
struct load {
    Hy__GroupsImport import;
    Hy__GroupCreateReq *requests[AT_ONCE], request[AT_ONCE];
    Hy__GroupInfo info[AT_ONCE];
    char id[AT_ONCE][16], owner[AT_ONCE][32];
};

/* A store that compacts what it was given says so for a while, or says nothing; what it has done of
 * a call, it knows when the call comes again. */
static bool passes(uint32_t code)
{
    return code == HY_CODE_BUSY || code == HY_CODE_TIMEOUT || code == HY_CODE_UNAVAILABLE;
}

static bool again(struct lane *lane, enum hy_err err, uint32_t code)
{
    if (err != HY_OK || !passes(code) || ++lane->tries > TRIES)
        return false;
    lane->not_before_ms = hy_steady_ms() + PAUSE_MS;
    return true;
}

/* A shard that could not take its part says so for each group of it. */
static uint32_t code_of(const Hy__AdminAnswer *answer)
{
    if (answer == NULL || answer->code != 0)
        return answer == NULL ? 0 : answer->code;
    if (answer->res_case == HY__ADMIN_ANSWER__RES_IMPORTED)
        for (size_t i = 0; i < answer->imported->n_codes; i++)
            if (passes(answer->imported->codes[i]))
                return answer->imported->codes[i];
    return 0;
}

static void on_made(void *arg, enum hy_err err, const Hy__AdminAnswer *answer)
{
    struct lane *lane = arg;
    struct making *m = lane->making;
    uint32_t code = code_of(answer);

    m->calls--;
    lane->asked = false;
    if (again(lane, err, code))
        return;
    lane->first = lane->end;
    lane->tries = 0;
    if (answer != NULL && answer->res_case == HY__ADMIN_ANSWER__RES_IMPORTED)
        for (size_t i = 0; i < answer->imported->n_codes; i++)
            if (answer->imported->codes[i] != HY_CODE_GROUP_ID_OWN) /* a retry of ours */
                code |= answer->imported->codes[i];
    if (err == HY_OK && code == 0)
        return;
    if (m->err == HY_OK)
        fprintf(stderr, "groups are not imported: %s %u %s\n", hy_err_text(err), code,
                code == 0 ? "" : hy_code_text(code));
    m->err = err == HY_OK ? HY_EDENIED : err;
}

static bool fill_group(const struct making *m, struct load *load, struct hy_arena *arena,
                       uint32_t i, uint32_t g)
{
    const struct world *w = m->world;
    Hy__MemberInfo *members = hy_arena_alloc(arena, w->members * sizeof *members);
    char *names = hy_arena_alloc(arena, w->members * 32);

    hy__group_create_req__init(&load->request[i]);
    hy__group_info__init(&load->info[i]);
    load->requests[i] = &load->request[i];
    load->request[i].info = &load->info[i];
    load->request[i].members = hy_arena_alloc(arena, w->members * sizeof(Hy__MemberInfo *));
    if (members == NULL || names == NULL || load->request[i].members == NULL)
        return false;
    snprintf(load->id[i], sizeof load->id[i], "m%u", g);
    world_name(w, g, 0, load->owner[i]);
    load->info[i].group = load->info[i].name = load->id[i];
    load->info[i].type = (char *)"Public";
    load->info[i].owner = load->owner[i];
    load->info[i].sweep = 1;
    for (uint32_t k = 1; k < w->members; k++) {
        hy__member_info__init(&members[k]);
        world_name(w, g, k, names + k * 32);
        members[k].user = names + k * 32;
        load->request[i].members[load->request[i].n_members++] = &members[k];
    }
    return true;
}

/* The next groups, or those of the call that is to come again. */
static void make_some(struct making *m, struct lane *lane, struct hy_arena *arena)
{
    struct load *load = hy_arena_alloc(arena, sizeof *load);
    Hy__AdminCall call = HY__ADMIN_CALL__INIT;
    uint32_t most = 19999 / m->world->members, count = most < AT_ONCE ? most : AT_ONCE;

    if (load == NULL) {
        m->err = HY_ENOMEM;
        return;
    }
    if (lane->first == lane->end) {
        lane->first = m->next;
        lane->end = m->world->groups - m->next < count ? m->world->groups : m->next + count;
        m->next = lane->end;
    }
    hy__groups_import__init(&load->import);
    load->import.groups = load->requests;
    for (uint32_t g = lane->first; g < lane->end; g++)
        if (!fill_group(m, load, arena, (uint32_t)load->import.n_groups++, g)) {
            m->err = HY_ENOMEM;
            return;
        }
    call.op_case = HY__ADMIN_CALL__OP_GROUPS_IMPORT;
    call.groups_import = &load->import;
    m->calls++;
    lane->asked = true;
    admin_begin(m->admin, m->target->sdkappid, &call, WAIT_MS, on_made, lane);
    hy_arena_reset(arena);
}

/* Is there something that the lane could ask for now? */
static bool may_ask(const struct making *m, const struct lane *lane)
{
    if (m->err != HY_OK || lane->asked)
        return false;
    return lane->first < lane->end ? hy_steady_ms() >= lane->not_before_ms
                                   : m->next < m->world->groups;
}

/* All is asked for and answered, or it failed and nothing is under way. */
static bool made(const struct making *m)
{
    bool left = m->err == HY_OK && m->next < m->world->groups;

    for (int i = 0; i < CALLS; i++)
        left |= m->err == HY_OK && m->lanes[i].first < m->lanes[i].end;
    return !left && m->calls == 0;
}

enum hy_err world_make(const struct world *world, const struct target *target)
{
    struct making m = {.world = world, .target = target};
    struct cluster cluster;
    struct hy_loop *loop = NULL;
    struct hy_arena arena;
    uint64_t shown_ms = hy_steady_ms();
    enum hy_err err = cluster_load(target->dir, NULL, 0, &cluster);

    if (err != HY_OK)
        return err;
    hy_arena_init(&arena);
    err = hy_loop_open(&loop);
    if (err == HY_OK)
        err = admin_open_cluster(loop, &cluster, &m.admin);
    for (int i = 0; i < CALLS; i++)
        m.lanes[i].making = &m;
    while (err == HY_OK && !made(&m)) {
        for (int i = 0; i < CALLS; i++)
            if (may_ask(&m, &m.lanes[i]))
                make_some(&m, &m.lanes[i], &arena);
        hy_loop_turn(loop, 100);
        if (hy_steady_ms() > shown_ms + 5000) {
            shown_ms = hy_steady_ms();
            fprintf(stderr, "%u of %u groups\n", m.next, world->groups);
        }
    }
    if (err == HY_OK)
        err = m.err;
    admin_close(&m.admin);
    hy_loop_close(&loop);
    hy_arena_free(&arena);
    cluster_free(&cluster);
    return err;
}

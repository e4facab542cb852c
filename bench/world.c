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

struct making {
    const struct world *world;
    const struct target *target;
    struct admin *admin;
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

static void on_made(void *arg, enum hy_err err, const Hy__AdminAnswer *answer)
{
    struct making *m = arg;
    uint32_t code = answer == NULL ? 0 : answer->code;

    m->calls--;
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

static void make_some(struct making *m, struct hy_arena *arena)
{
    struct load *load = hy_arena_alloc(arena, sizeof *load);
    Hy__AdminCall call = HY__ADMIN_CALL__INIT;
    uint32_t most = 19999 / m->world->members, count = most < AT_ONCE ? most : AT_ONCE;

    if (load == NULL) {
        m->err = HY_ENOMEM;
        return;
    }
    hy__groups_import__init(&load->import);
    load->import.groups = load->requests;
    while (load->import.n_groups < count && m->next < m->world->groups) {
        if (!fill_group(m, load, arena, (uint32_t)load->import.n_groups, m->next)) {
            m->err = HY_ENOMEM;
            return;
        }
        load->import.n_groups++;
        m->next++;
    }
    call.op_case = HY__ADMIN_CALL__OP_GROUPS_IMPORT;
    call.groups_import = &load->import;
    m->calls++;
    admin_begin(m->admin, m->target->sdkappid, &call, WAIT_MS, on_made, m);
    hy_arena_reset(arena);
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
    while (err == HY_OK && (m.next < world->groups || m.calls > 0)) {
        while (m.err == HY_OK && m.calls < CALLS && m.next < world->groups)
            make_some(&m, &arena);
        hy_loop_turn(loop, 100);
        if (m.err != HY_OK && m.calls == 0)
            err = m.err;
        if (hy_steady_ms() > shown_ms + 5000) {
            shown_ms = hy_steady_ms();
            fprintf(stderr, "%u of %u groups\n", m.next, world->groups);
        }
    }
    admin_close(&m.admin);
    hy_loop_close(&loop);
    hy_arena_free(&arena);
    cluster_free(&cluster);
    return err;
}

#include "ctl/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/settings.h"
#include "ctl/cluster.h"

enum { MAX_ROUTERS = 64, ASK_MS = 10000, RETRY_MS = 300 };

struct admin {
    struct hy_loop *loop;
    struct hy_bus *bus;
    struct hy_peer *routers[MAX_ROUTERS];
    size_t router_count;
};

static void on_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    (void)ctx;
    (void)peer;
    (void)record; /* pushes are for gateways */
}

static enum hy_err dial_all(struct admin *a, const struct admin_config *config)
{
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < config->router_count && i < MAX_ROUTERS && err == HY_OK; i++) {
        char name[64], endpoint[256];

        err = hy_settings_peer(config->routers[i], name, endpoint);
        if (err == HY_OK)
            err = hy_bus_dial(a->bus, "router", name, endpoint, &a->routers[a->router_count]);
        if (err == HY_OK)
            a->router_count++;
    }
    return err;
}

enum hy_err admin_open(struct hy_loop *loop, const struct admin_config *config,
                       struct admin **admin)
{
    static const struct hy_bus_handler handler = {.record = on_record};
    char name[64];
    struct admin *a = calloc(1, sizeof *a);
    enum hy_err err = HY_ENOMEM;

    if (a == NULL)
        return err;
    a->loop = loop;
    snprintf(name, sizeof name, "ctl-%d-%08x", (int)getpid(), (unsigned)hy_random64());
    err = hy_bus_open(loop,
                      &(struct hy_bus_config){
                          .name = name,
                          .component = "ctl",
                          .cluster_id = config->cluster_id,
                          .curve_dir = config->curve_dir != NULL && config->curve_dir[0] != '\0'
                                           ? config->curve_dir
                                           : NULL,
                      },
                      &handler, a, &a->bus);
    if (err == HY_OK)
        err = dial_all(a, config);
    if (err != HY_OK) {
        fprintf(stderr, "hongyanctl: the bus cannot be opened: %s\n", hy_err_text(err));
        admin_close(&a);
        return err;
    }
    *admin = a;
    return HY_OK;
}

void admin_close(struct admin **admin)
{
    struct admin *a = *admin;

    if (a == NULL)
        return;
    *admin = NULL;
    hy_bus_close(&a->bus);
    free(a);
}

static struct hy_peer *pick(void *arg, const void *key)
{
    struct admin *a = arg;

    (void)key;
    for (size_t i = 0; i < a->router_count; i++)
        if (hy_peer_up(a->routers[i]))
            return a->routers[i];
    return NULL;
}

/* One question under way. */
struct question {
    admin_fn *done;
    void *arg;
};

static void on_answer(void *arg, enum hy_err err, const struct hy_record *record)
{
    struct question *question = arg;
    struct hy_arena arena;
    Hy__AdminAnswer *answer = NULL;

    hy_arena_init(&arena);
    if (err == HY_OK)
        answer = hy__admin_answer__unpack(&arena.pb, record->len, record->payload);
    if (err == HY_OK && answer == NULL)
        err = HY_EMALFORMED;
    question->done(question->arg, err, answer);
    hy_arena_free(&arena);
    free(question);
}

void admin_begin(struct admin *admin, uint32_t app, Hy__AdminCall *call, uint32_t wait_ms,
                 admin_fn *done, void *arg)
{
    struct question *question = malloc(sizeof *question);
    Hy__Caller caller = HY__CALLER__INIT;
    char op_id[32];
    struct hy_call how = {
        .kind = HY__BUS_KIND__ROUTER_ADMIN,
        .deadline_ms = wait_ms,
        .retry_ms = RETRY_MS,
        .pick = pick,
        .pick_arg = admin,
        .done = on_answer,
        .arg = question,
    };

    if (question == NULL) {
        done(arg, HY_ENOMEM, NULL);
        return;
    }
    *question = (struct question){done, arg};
    caller.app = app;
    caller.admin = true;
    call->caller = &caller;
    snprintf(op_id, sizeof op_id, "ctl-%016" PRIx64, hy_random64());
    call->op_id = op_id;
    (void)hy_bus_call_pb(admin->bus, &how, &call->base);
    call->caller = NULL;
    call->op_id = (char *)protobuf_c_empty_string;
}

/* What a blocking call waits for. */
struct wait {
    bool done;
    enum hy_err err;
    struct hy_arena *arena;
    Hy__AdminAnswer *answer;
};

/* The answer is lent: keep a copy by way of its bytes. */
static void keep(void *arg, enum hy_err err, const Hy__AdminAnswer *answer)
{
    struct wait *wait = arg;
    size_t len = answer != NULL ? hy__admin_answer__get_packed_size(answer) : 0;
    uint8_t *bytes = answer != NULL ? hy_arena_alloc(wait->arena, len + 1) : NULL;

    wait->done = true;
    wait->err = err;
    if (bytes != NULL) {
        hy__admin_answer__pack(answer, bytes);
        wait->answer = hy__admin_answer__unpack(&wait->arena->pb, len, bytes);
    }
    if (err == HY_OK && wait->answer == NULL)
        wait->err = HY_ENOMEM;
}

enum hy_err admin_call(struct admin *admin, uint32_t app, Hy__AdminCall *call, uint32_t wait_ms,
                       struct hy_arena *arena, Hy__AdminAnswer **answer)
{
    struct wait wait = {.arena = arena};

    admin_begin(admin, app, call, wait_ms, keep, &wait);
    while (!wait.done)
        hy_loop_turn(admin->loop, 100);
    *answer = wait.answer;
    return wait.err;
}

enum hy_err admin_open_cluster(struct hy_loop *loop, const struct cluster *cluster,
                               struct admin **admin)
{
    const json_t *list = json_object_get(json_object_get(cluster->json, "bus"), "routers");
    const char *routers[MAX_ROUTERS];
    struct admin_config config = {
        .cluster_id = cluster->id, .curve_dir = cluster->curve_dir, .routers = routers};

    for (size_t i = 0; i < json_array_size(list) && i < MAX_ROUTERS; i++) {
        routers[i] = json_string_value(json_array_get(list, i));
        if (routers[i] != NULL)
            config.router_count = i + 1;
    }
    return admin_open(loop, &config, admin);
}

enum hy_err admin_ask(const char *dir, uint32_t app, Hy__AdminCall *call, struct hy_arena *arena,
                      Hy__AdminAnswer **answer)
{
    struct cluster cluster;
    struct hy_loop *loop = NULL;
    struct admin *admin = NULL;
    enum hy_err err = cluster_load(dir, NULL, 0, &cluster);

    if (err != HY_OK)
        return err;
    err = hy_loop_open(&loop);
    if (err == HY_OK)
        err = admin_open_cluster(loop, &cluster, &admin);
    if (err == HY_OK)
        err = admin_call(admin, app, call, ASK_MS, arena, answer);
    if (err == HY_ETIMEOUT || err == HY_EBUSY)
        fprintf(stderr, "hongyanctl: no router answered; is the cluster up (hongyanctl status)?\n");
    if (err == HY_OK && (*answer)->code != 0) {
        fprintf(stderr, "hongyanctl: %u %s\n", (*answer)->code, (*answer)->info);
        err = HY_EDENIED;
    }
    admin_close(&admin);
    hy_loop_close(&loop);
    cluster_free(&cluster);
    return err;
}

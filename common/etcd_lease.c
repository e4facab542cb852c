#include "common/etcd_lease.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/metrics.h"

enum { RETRY_MS = 200, LAST_WORD_MS = 300 };

enum lease_state {
    LEASE_ENDING, /* the predecessor's is being ended */
    LEASE_ASKED,  /* ours is being granted */
    LEASE_HELD,
};

struct etcd_lease {
    struct etcd_client *client;
    uint32_t lease_s;
    char *file;
    void (*told)(void *arg, bool held);
    void *arg;
    enum lease_state state;
    uint64_t id; /* the one that state is about */
    uint64_t trusted_until_ms;
    struct hy_timer *timer;
    struct etcd_ask *ask;
    bool told_held;
    struct hy_metric *good, *failed, *lost;
};

/* ---- the file ---- */

/* 0: there was none. */
static uint64_t file_read(const char *path)
{
    char text[32] = "";
    FILE *file = *path != '\0' ? fopen(path, "re") : NULL;

    if (file == NULL)
        return 0;
    if (fgets(text, sizeof text, file) == NULL)
        *text = '\0';
    fclose(file);
    return strtoull(text, NULL, 10) & INT64_MAX;
}

static void keep_id(const struct etcd_lease *lease)
{
    char text[24], why[256];
    int len = snprintf(text, sizeof text, "%" PRIu64 "\n", lease->id);

    if (*lease->file == '\0' ||
        hy_file_replace(lease->file, text, (size_t)len, false, why) == HY_OK)
        return;
    hy_log_warn("coord.lease_file",
                "file=\"%s\" why=\"%s\" hint=\"the next start of this process may have to wait "
                "%u s for this one's lease; make the directory writable\"",
                lease->file, why, lease->lease_s);
}

/* ---- steps ---- */

static void step(struct etcd_lease *lease);

static void again_in(struct etcd_lease *lease, uint64_t ms)
{
    hy_timer_set(lease->timer, ms);
}

static void ask_for_new(struct etcd_lease *lease)
{
    lease->state = LEASE_ASKED;
    lease->id = (hy_random64() >> 2) | 1; /* positive as a signed number */
    lease->trusted_until_ms = 0;
    keep_id(lease);
    again_in(lease, 0);
}

static void trust(struct etcd_lease *lease, uint64_t sent_ms)
{
    lease->trusted_until_ms = sent_ms + (uint64_t)lease->lease_s * 1000 * 2 / 3;
}

static void next_renewal(struct etcd_lease *lease, uint64_t sent_ms)
{
    uint64_t due = sent_ms + lease->lease_s * 1000 / 6, now = hy_steady_ms();

    again_in(lease, due > now ? due - now : 0);
}

static void tell(struct etcd_lease *lease, bool held)
{
    if (lease->told_held == held)
        return;
    lease->told_held = held;
    lease->told(lease->arg, held);
}

static void held(struct etcd_lease *lease)
{
    lease->state = LEASE_HELD;
    hy_log_debug("coord.lease", "id=%" PRIu64 " seconds=%u", lease->id, lease->lease_s);
    tell(lease, true);
}

static void over(struct etcd_lease *lease)
{
    hy_add(lease->lost, 1);
    hy_log_warn("coord.lease_lost",
                "id=%" PRIu64 " hint=\"this process did not reach etcd for %u s, or stood still; "
                "others may have taken its places\"",
                lease->id, lease->lease_s);
    ask_for_new(lease);
    tell(lease, false);
}

static void refused(const struct etcd_lease *lease, const char *what,
                    const struct etcd_reply *reply)
{
    (void)lease;
    if (reply->err == HY_EDENIED)
        hy_log_error("coord.refused", "what=\"%s\" why=\"%s\"", what, reply->error.text);
}

static void on_ended(struct etcd_lease *lease, const struct etcd_reply *reply)
{
    bool gone = reply->err == HY_EDENIED && reply->error.code == ETCD_NOT_FOUND;

    if (reply->err == HY_OK || gone) {
        ask_for_new(lease);
        return;
    }
    refused(lease, "end of the predecessor's lease", reply);
    again_in(lease, RETRY_MS);
}

static void on_granted(struct etcd_lease *lease, const struct etcd_reply *reply)
{
    uint64_t ttl_s = 0;

    if (reply->err == HY_OK && etcd_ttl_read(reply->text, reply->len, &ttl_s) == HY_OK &&
        ttl_s > 0) {
        trust(lease, reply->sent_ms);
        next_renewal(lease, reply->sent_ms);
        held(lease);
    } else if (reply->err == HY_EDENIED && strstr(reply->error.text, "already exists") != NULL) {
        again_in(lease, 0); /* an earlier try was heard: how old it is the renewal will tell */
        held(lease);
    } else {
        refused(lease, "lease", reply);
        again_in(lease, RETRY_MS);
    }
}

static void on_renewed(struct etcd_lease *lease, const struct etcd_reply *reply)
{
    bool gone = reply->err == HY_EDENIED && reply->error.code == ETCD_NOT_FOUND;
    uint64_t ttl_s = 0;
    bool read = reply->err == HY_OK && etcd_ttl_read(reply->text, reply->len, &ttl_s) == HY_OK;

    hy_add(read && ttl_s > 0 ? lease->good : lease->failed, 1);
    if (gone || (read && ttl_s == 0)) {
        over(lease);
    } else if (read) {
        trust(lease, reply->sent_ms);
        next_renewal(lease, reply->sent_ms);
    } else {
        refused(lease, "renewal of the lease", reply);
        again_in(lease, RETRY_MS); /* by now another member is asked */
    }
}

static void on_reply(void *arg, const struct etcd_reply *reply)
{
    struct etcd_lease *lease = arg;

    lease->ask = NULL;
    switch (lease->state) {
    case LEASE_ENDING:
        on_ended(lease, reply);
        break;
    case LEASE_ASKED:
        on_granted(lease, reply);
        break;
    case LEASE_HELD:
        on_renewed(lease, reply);
        break;
    }
}

static void step(struct etcd_lease *lease)
{
    static const char *const paths[] = {
        [LEASE_ENDING] = "/v3/lease/revoke",
        [LEASE_ASKED] = "/v3/lease/grant",
        [LEASE_HELD] = "/v3/lease/keepalive",
    };
    const struct etcd_question question = {
        .path = paths[lease->state],
        .body = lease->state == LEASE_ASKED ? etcd_grant_text(lease->id, lease->lease_s)
                                            : etcd_lease_text(lease->id),
        .done = on_reply,
        .arg = lease,
    };

    lease->ask = etcd_client_ask(lease->client, &question);
}

static void on_timer(void *arg)
{
    struct etcd_lease *lease = arg;

    if (lease->ask == NULL)
        step(lease);
}

/* ---- open and close ---- */

enum hy_err etcd_lease_open(struct hy_loop *loop, struct etcd_client *client, uint32_t lease_s,
                            const char *file, void (*told)(void *arg, bool held), void *arg,
                            struct etcd_lease **lease)
{
    static const char renewals[] = "Renewals of this process's lease in etcd, by result";
    struct etcd_lease *l = calloc(1, sizeof *l);
    enum hy_err err = HY_ENOMEM;

    if (l == NULL)
        return HY_ENOMEM;
    l->client = client;
    l->lease_s = lease_s;
    l->told = told;
    l->arg = arg;
    l->good = hy_counter("hongyan_coord_lease_renewals_total", "result=\"good\"", renewals);
    l->failed = hy_counter("hongyan_coord_lease_renewals_total", "result=\"failed\"", renewals);
    l->lost = hy_counter("hongyan_coord_leases_lost_total", "",
                         "Leases of this process that ended while it ran");
    l->file = strdup(file);
    if (l->file != NULL)
        err = hy_timer_open(loop, on_timer, l, &l->timer);
    if (err != HY_OK) {
        etcd_lease_close(&l);
        return err;
    }
    l->id = file_read(l->file);
    l->state = LEASE_ENDING;
    if (l->id == 0)
        ask_for_new(l);
    else
        again_in(l, 0);
    *lease = l;
    return HY_OK;
}

static void end_it(struct etcd_lease *lease)
{
    if (lease->state == LEASE_HELD && etcd_client_up(lease->client) &&
        etcd_client_last_word(lease->client, "/v3/lease/revoke", etcd_lease_text(lease->id),
                              LAST_WORD_MS) &&
        *lease->file != '\0')
        (void)unlink(lease->file);
}

void etcd_lease_close(struct etcd_lease **lease)
{
    struct etcd_lease *l = *lease;

    if (l == NULL)
        return;
    *lease = NULL;
    end_it(l);
    etcd_client_forget(&l->ask);
    hy_timer_close(&l->timer);
    free(l->file);
    free(l);
}

uint64_t etcd_lease_id(const struct etcd_lease *lease)
{
    return lease->state == LEASE_HELD ? lease->id : 0;
}

uint64_t etcd_lease_trusted_until_ms(const struct etcd_lease *lease)
{
    return lease->trusted_until_ms;
}

void etcd_lease_over(struct etcd_lease *lease, uint64_t id)
{
    if (lease->state != LEASE_HELD || lease->id != id)
        return;
    etcd_client_forget(&lease->ask);
    over(lease);
}

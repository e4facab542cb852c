#include "gateway/rest_ticket.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "common/codes.h"
#include "common/usersig.h"

enum { PLACES = 512 };

struct ticket {
    char *usersig; /* NULL: empty */
    char *identifier;
    uint32_t sdkappid;
    uint64_t app_version;
    struct hy_usersig content;
    bool confirmed;
    uint64_t confirmed_ms;
};

struct rest_tickets {
    struct ticket places[PLACES];
};

enum hy_err rest_tickets_open(struct rest_tickets **tickets)
{
    *tickets = calloc(1, sizeof **tickets);
    return *tickets != NULL ? HY_OK : HY_ENOMEM;
}

static void clear(struct ticket *t)
{
    free(t->usersig);
    free(t->identifier);
    *t = (struct ticket){0};
}

void rest_tickets_close(struct rest_tickets **tickets)
{
    if (*tickets == NULL)
        return;
    for (size_t i = 0; i < PLACES; i++)
        clear(&(*tickets)->places[i]);
    free(*tickets);
    *tickets = NULL;
}

static struct ticket *place_of(struct rest_tickets *tickets, const char *usersig)
{
    return &tickets->places[XXH3_64bits(usersig, strlen(usersig)) % PLACES];
}

static bool same(const struct ticket *t, uint32_t sdkappid, const char *identifier,
                 const char *usersig)
{
    return t->usersig != NULL && t->sdkappid == sdkappid &&
           strcmp(t->identifier, identifier) == 0 && strcmp(t->usersig, usersig) == 0;
}

static uint32_t verify(const Hy__App *app, const char *identifier, const char *usersig,
                       uint64_t wall_s, struct hy_usersig *content)
{
    const struct hy_usersig_keys keys = {
        .secrets = (const char *const *)app->keys,
        .secret_count = app->n_keys,
        .public_keys = (const char *const *)app->public_keys,
        .public_key_count = app->n_public_keys,
    };

    return hy_usersig_verify(usersig, strlen(usersig), app->sdkappid, identifier, &keys, wall_s,
                             content);
}

/* Without memory the ticket is simply not remembered. */
static void keep(struct ticket *t, const Hy__App *app, const char *identifier, const char *usersig,
                 const struct hy_usersig *content)
{
    clear(t);
    t->usersig = strdup(usersig);
    t->identifier = strdup(identifier);
    t->sdkappid = app->sdkappid;
    t->app_version = app->version;
    t->content = *content;
    if (t->usersig == NULL || t->identifier == NULL)
        clear(t);
}

uint32_t rest_tickets_check(struct rest_tickets *tickets, const Hy__App *app,
                            const char *identifier, const char *usersig, uint64_t wall_s,
                            uint64_t steady_ms, uint64_t *issued_s, bool *ask)
{
    struct ticket *t = place_of(tickets, usersig);
    struct hy_usersig content;
    uint32_t code;

    if (same(t, app->sdkappid, identifier, usersig) && t->app_version == app->version) {
        if (wall_s > t->content.expires_s)
            return HY_CODE_SIG_EXPIRED;
        *issued_s = t->content.time_s;
        *ask = !t->confirmed || steady_ms - t->confirmed_ms > REST_REVOCATION_MS;
        return HY_CODE_OK;
    }
    code = verify(app, identifier, usersig, wall_s, &content);
    if (code != HY_CODE_OK)
        return code;
    keep(t, app, identifier, usersig, &content);
    *issued_s = content.time_s;
    *ask = true;
    return HY_CODE_OK;
}

void rest_tickets_confirm(struct rest_tickets *tickets, uint32_t sdkappid, const char *identifier,
                          const char *usersig, uint64_t steady_ms)
{
    struct ticket *t = place_of(tickets, usersig);

    if (!same(t, sdkappid, identifier, usersig))
        return;
    t->confirmed = true;
    t->confirmed_ms = steady_ms;
}

void rest_tickets_doubt(struct rest_tickets *tickets, uint32_t sdkappid, const char *identifier)
{
    for (size_t i = 0; i < PLACES; i++) {
        struct ticket *t = &tickets->places[i];

        if (t->usersig != NULL && t->sdkappid == sdkappid && strcmp(t->identifier, identifier) == 0)
            t->confirmed = false;
    }
}

#include "sdk/c/resume.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The sessions of one address, the newest last. */
struct kept {
    struct kept *next;
    SSL_SESSION **sessions;
    unsigned count, cap;
    char address[];
};

struct keeper {
    const unsigned *most;
    struct kept *first;
};

static void forget(struct kept *kept)
{
    while (kept->count > 0)
        SSL_SESSION_free(kept->sessions[--kept->count]);
}

static void free_keeper(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long arg,
                        void *more)
{
    struct keeper *keeper = ptr;

    (void)parent, (void)data, (void)index, (void)arg, (void)more;
    while (keeper != NULL && keeper->first != NULL) {
        struct kept *kept = keeper->first;

        keeper->first = kept->next;
        forget(kept);
        free(kept->sessions);
        free(kept);
    }
    free(keeper);
}

static int keeper_index = -1;

static void make_index(void)
{
    keeper_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_keeper);
}

static struct keeper *keeper_of(const SSL *ssl)
{
    return keeper_index < 0 ? NULL : SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), keeper_index);
}

static bool make_room(struct kept *kept)
{
    unsigned cap = kept->cap == 0 ? 1 : kept->cap * 2;
    SSL_SESSION **sessions = NULL;

    if (kept->count < kept->cap)
        return true;
    sessions = realloc(kept->sessions, cap * sizeof(SSL_SESSION *));
    if (sessions == NULL)
        return false;
    kept->sessions = sessions;
    kept->cap = cap;
    return true;
}

/* The gateway gave a ticket. 1: we keep the session. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct kept *kept = SSL_get_app_data(ssl);
    const struct keeper *keeper = keeper_of(ssl);

    if (kept == NULL || keeper == NULL)
        return 0;
    if (kept->count > 0 && kept->count >= *keeper->most)
        SSL_SESSION_free(kept->sessions[--kept->count]); /* a newer one lives longer */
    if (!make_room(kept))
        return 0;
    kept->sessions[kept->count++] = session;
    return 1;
}

void resume_keep(SSL_CTX *context, const unsigned *most)
{
    static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
    struct keeper *keeper = calloc(1, sizeof *keeper);

    if (keeper == NULL)
        return;
    keeper->most = most;
    CRYPTO_THREAD_run_once(&once, make_index);
    if (SSL_CTX_set_ex_data(context, keeper_index, keeper) != 1) {
        free(keeper);
        return;
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_session);
}

void resume_name(SSL *ssl, const char *address)
{
    struct keeper *keeper = keeper_of(ssl);
    struct kept *kept = keeper == NULL ? NULL : keeper->first;
    size_t len = strlen(address) + 1;

    while (kept != NULL && strcmp(kept->address, address) != 0)
        kept = kept->next;
    if (kept == NULL && keeper != NULL && (kept = calloc(1, sizeof *kept + len)) != NULL) {
        memcpy(kept->address, address, len);
        kept->next = keeper->first;
        keeper->first = kept;
    }
    SSL_set_app_data(ssl, kept);
}

void resume_try(SSL *ssl)
{
    struct kept *kept = SSL_get_app_data(ssl);
    SSL_SESSION *session = NULL;

    if (kept == NULL || kept->count == 0)
        return;
    session = kept->sessions[--kept->count];
    (void)SSL_set_session(ssl, session); /* else in full */
    SSL_SESSION_free(session);
}

void resume_forget(SSL *ssl)
{
    struct kept *kept = SSL_get_app_data(ssl);

    if (kept != NULL)
        forget(kept);
}

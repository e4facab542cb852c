#include "sdk/c/resume.h"

#include <stdlib.h>
#include <string.h>

struct kept {
    struct kept *next;
    SSL_SESSION *session; /* NULL: none, or it was of no use */
    char address[];
};

static void free_all(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long arg, void *more)
{
    struct kept *kept = ptr;

    (void)parent, (void)data, (void)index, (void)arg, (void)more;
    while (kept != NULL) {
        struct kept *next = kept->next;

        SSL_SESSION_free(kept->session);
        free(kept);
        kept = next;
    }
}

static int list_index = -1;

static void make_index(void)
{
    list_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_all);
}

static void replace(struct kept *kept, SSL_SESSION *session)
{
    SSL_SESSION_free(kept->session);
    kept->session = session;
}

/* The gateway gave a ticket. 1: we keep the session. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct kept *kept = SSL_get_app_data(ssl);

    if (kept == NULL)
        return 0;
    replace(kept, session);
    return 1;
}

void resume_keep(SSL_CTX *context)
{
    static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

    CRYPTO_THREAD_run_once(&once, make_index);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_session);
}

static struct kept *find(SSL_CTX *context, const char *address)
{
    struct kept *first = SSL_CTX_get_ex_data(context, list_index), *kept = first;
    size_t len = strlen(address) + 1;

    while (kept != NULL && strcmp(kept->address, address) != 0)
        kept = kept->next;
    if (kept != NULL)
        return kept;
    kept = calloc(1, sizeof *kept + len);
    if (kept == NULL)
        return NULL;
    memcpy(kept->address, address, len);
    kept->next = first;
    if (SSL_CTX_set_ex_data(context, list_index, kept) == 1)
        return kept;
    free(kept);
    return NULL;
}

void resume_try(SSL *ssl, const char *address)
{
    SSL_CTX *context = SSL_get_SSL_CTX(ssl);
    struct kept *kept = NULL;

    if ((SSL_CTX_get_session_cache_mode(context) & SSL_SESS_CACHE_CLIENT) != 0)
        kept = find(context, address);
    SSL_set_app_data(ssl, kept);
    if (kept != NULL && kept->session != NULL && SSL_set_session(ssl, kept->session) != 1)
        replace(kept, NULL);
}

void resume_forget(SSL *ssl)
{
    struct kept *kept = SSL_get_app_data(ssl);

    if (kept != NULL)
        replace(kept, NULL);
}

#include "common/bus_curve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "common/bus.h"
#include "common/log.h"
#include "common/metrics.h"

enum { PATH_BYTES = 4096, KEY_CHARS = BUS_KEY - 1, RAW_KEY = 32, ZAP_FRAMES = 16 };

/* ---- files ---- */

static enum hy_err path_of(char path[static PATH_BYTES], const char *dir, const char *component,
                           const char *suffix)
{
    int len = snprintf(path, PATH_BYTES, "%s/%s%s", dir, component, suffix);

    return len > 0 && len < PATH_BYTES && strchr(component, '/') == NULL ? HY_OK : HY_ECONFIG;
}

/* Read `count` keys, one a line. */
static enum hy_err read_keys(const char *path, bool secret, int count, char keys[][BUS_KEY])
{
    char line[256];
    uint8_t raw[RAW_KEY];
    struct stat st;
    enum hy_err err = HY_ECONFIG;
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return HY_ENOTFOUND;
    if (fstat(fileno(file), &st) != 0 || (secret && (st.st_mode & 077) != 0)) {
        err = HY_EDENIED;
        goto done;
    }
    for (int i = 0; i < count; i++) {
        if (fgets(line, sizeof line, file) == NULL)
            goto done;
        line[strcspn(line, "\r\n")] = '\0';
        if (strlen(line) != KEY_CHARS || zmq_z85_decode(raw, line) == NULL)
            goto done;
        memcpy(keys[i], line, BUS_KEY);
    }
    err = HY_OK;

done:
    fclose(file);
    explicit_bzero(line, sizeof line);
    explicit_bzero(raw, sizeof raw);
    return err;
}

static enum hy_err complain(const char *path, enum hy_err err)
{
    const char *why = err == HY_ENOTFOUND ? "cannot be read; make it with hongyanctl keygen"
                      : err == HY_EDENIED ? "is open to others; chmod 600 it"
                                          : "does not hold the keys in Z85, one a line";

    if (err == HY_OK)
        return HY_OK;
    hy_log_error("bus.key", "file=\"%s\" why=\"%s\"", path, why);
    return HY_ECONFIG;
}

enum hy_err bus_keys_load(const char *dir, const char *component, struct bus_keys *keys)
{
    char path[PATH_BYTES], pair[2][BUS_KEY];
    enum hy_err err = path_of(path, dir, component, ".key");

    if (err == HY_OK)
        err = read_keys(path, true, 2, pair);
    if (err != HY_OK)
        return complain(path, err);
    memcpy(keys->public_key, pair[0], BUS_KEY);
    memcpy(keys->secret_key, pair[1], BUS_KEY);
    explicit_bzero(pair, sizeof pair);
    return HY_OK;
}

enum hy_err bus_keys_public(const char *dir, const char *component, char key[static BUS_KEY])
{
    char path[PATH_BYTES], found[1][BUS_KEY];
    enum hy_err err = path_of(path, dir, component, ".pub");

    if (err == HY_OK)
        err = read_keys(path, false, 1, found);
    if (err != HY_OK)
        return complain(path, err);
    memcpy(key, found[0], BUS_KEY);
    return HY_OK;
}

static enum hy_err write_new(const char *path, mode_t mode, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    size_t len = strlen(text);
    bool whole = false;

    if (fd < 0)
        return errno == EEXIST ? HY_EEXIST : HY_EIO;
    whole = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    if (close(fd) == 0 && whole)
        return HY_OK;
    unlink(path);
    return HY_EIO;
}

enum hy_err hy_bus_keygen(const char *dir, const char *component)
{
    char secret_path[PATH_BYTES], public_path[PATH_BYTES], text[2 * BUS_KEY + 2];
    struct bus_keys keys;
    enum hy_err err = path_of(secret_path, dir, component, ".key");

    if (err == HY_OK)
        err = path_of(public_path, dir, component, ".pub");
    if (err != HY_OK)
        return err;
    if (zmq_curve_keypair(keys.public_key, keys.secret_key) != 0)
        return HY_EIO;
    snprintf(text, sizeof text, "%s\n%s\n", keys.public_key, keys.secret_key);
    err = write_new(secret_path, 0600, text);
    if (err == HY_OK) {
        snprintf(text, sizeof text, "%s\n", keys.public_key);
        err = write_new(public_path, 0644, text);
        if (err != HY_OK)
            unlink(secret_path);
    }
    explicit_bzero(&keys, sizeof keys);
    explicit_bzero(text, sizeof text);
    return err;
}

/* ---- who may connect ---- */

struct bus_zap {
    pthread_t thread;
    void *socket;
    struct hy_metric *failures;
};

/* Which component has this public key? Copies its name; false when none has. */
static bool find_owner(const char *dir, const char *key, char owner[static HY_BUS_NAME_MAX + 1])
{
    DIR *files = opendir(dir);
    struct dirent *entry = NULL;
    bool found = false;

    if (files == NULL)
        return false;
    while (!found && (entry = readdir(files)) != NULL) {
        size_t len = strlen(entry->d_name);
        char path[PATH_BYTES], keys[1][BUS_KEY];

        if (len <= 4 || len - 4 > HY_BUS_NAME_MAX || strcmp(entry->d_name + len - 4, ".pub") != 0)
            continue;
        if (path_of(path, dir, entry->d_name, "") != HY_OK ||
            read_keys(path, false, 1, keys) != HY_OK || strcmp(keys[0], key) != 0)
            continue;
        memcpy(owner, entry->d_name, len - 4);
        owner[len - 4] = '\0';
        found = true;
    }
    closedir(files);
    return found;
}

/* A ZAP request: version, request id, domain, address, identity, mechanism, credentials. */
struct zap_request {
    char frame[7][PATH_BYTES];
    size_t len[7];
};
enum { ZAP_ID = 1, ZAP_DOMAIN, ZAP_ADDRESS, ZAP_IDENTITY, ZAP_MECHANISM, ZAP_KEY };

/* False: the context is shut down. Too many or too long frames make an empty request. */
static bool zap_receive(void *socket, struct zap_request *request)
{
    int more = 1;
    size_t more_size = sizeof more;

    memset(request->len, 0, sizeof request->len);
    for (int i = 0; more; i++) {
        char *frame = request->frame[i < 7 ? i : 6];
        int got = zmq_recv(socket, frame, PATH_BYTES - 1, 0);

        if (got < 0 && errno == EINTR) {
            i--;
            continue;
        }
        if (got < 0)
            return false;
        if (i < 7 && got < PATH_BYTES) {
            frame[got] = '\0';
            request->len[i] = (size_t)got;
        }
        if (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size) != 0)
            return false;
    }
    return true;
}

static bool zap_decide(struct zap_request *request, char owner[static HY_BUS_NAME_MAX + 1])
{
    char key[BUS_KEY];

    if (strcmp(request->frame[ZAP_MECHANISM], "CURVE") != 0 || request->len[ZAP_KEY] != RAW_KEY ||
        zmq_z85_encode(key, (const uint8_t *)request->frame[ZAP_KEY], RAW_KEY) == NULL)
        return false;
    if (find_owner(request->frame[ZAP_DOMAIN], key, owner))
        return true;
    hy_log_warn("bus.refused", "address=\"%s\" key=\"%s\" why=\"no .pub file in %s has this key\"",
                request->frame[ZAP_ADDRESS], key, request->frame[ZAP_DOMAIN]);
    return false;
}

static void zap_answer(void *socket, const struct zap_request *request, bool may, const char *owner)
{
    const char *code = may ? "200" : "400";

    if (!may)
        owner = "";
    zmq_send(socket, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(socket, request->frame[ZAP_ID], request->len[ZAP_ID], ZMQ_SNDMORE);
    zmq_send(socket, code, 3, ZMQ_SNDMORE);
    zmq_send(socket, "", 0, ZMQ_SNDMORE);
    zmq_send(socket, owner, strlen(owner), ZMQ_SNDMORE);
    zmq_send(socket, "", 0, 0);
}

static void *zap_run(void *arg)
{
    struct bus_zap *zap = arg;
    struct zap_request *request = calloc(1, sizeof *request);
    char owner[HY_BUS_NAME_MAX + 1];

    while (request != NULL && zap_receive(zap->socket, request)) {
        bool may = zap_decide(request, owner);

        if (!may)
            hy_add(zap->failures, 1);
        zap_answer(zap->socket, request, may, owner);
    }
    free(request);
    zmq_close(zap->socket);
    return NULL;
}

enum hy_err bus_zap_start(void *context, struct bus_zap **zap)
{
    struct bus_zap *z = calloc(1, sizeof *z);
    sigset_t all, before;
    int linger = 0, failed = 1;

    if (z == NULL)
        return HY_ENOMEM;
    z->failures = hy_counter("hongyan_bus_auth_failures_total", "",
                             "Bus connections refused because their key is not in the allow-list");
    z->socket = zmq_socket(context, ZMQ_REP);
    if (z->socket == NULL || zmq_setsockopt(z->socket, ZMQ_LINGER, &linger, sizeof linger) != 0 ||
        zmq_bind(z->socket, "inproc://zeromq.zap.01") != 0)
        goto fail;
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&z->thread, NULL, zap_run, z);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0)
        goto fail;
    *zap = z;
    return HY_OK;

fail:
    if (z->socket != NULL)
        zmq_close(z->socket);
    free(z);
    return HY_EIO;
}

void bus_zap_join(struct bus_zap **zap)
{
    if (*zap == NULL)
        return;
    pthread_join((*zap)->thread, NULL);
    free(*zap);
    *zap = NULL;
}

#include "ctl/static_files.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *suffix, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".map", "application/json"},
    {".woff2", "font/woff2"},
};

static const char *type_of(const char *path)
{
    size_t len = strlen(path);

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t n = strlen(types[i].suffix);

        if (len > n && strcmp(path + len - n, types[i].suffix) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

/* Open dir/path if that lies in dir, links followed. -1: it does not. */
static int open_inside(const char *dir, const char *path)
{
    char joined[4096];
    char *real_dir = realpath(dir, NULL), *real = NULL;
    size_t len = real_dir != NULL ? strlen(real_dir) : 0;
    int fd = -1;
    int n = snprintf(joined, sizeof joined, "%s%s%s", dir, path,
                     path[strlen(path) - 1] == '/' ? "index.html" : "");

    if (n > 0 && n < (int)sizeof joined)
        real = realpath(joined, NULL);
    if (real_dir != NULL && real != NULL && strncmp(real, real_dir, len) == 0 && real[len] == '/')
        fd = open(real, O_RDONLY | O_CLOEXEC);
    free(real);
    free(real_dir);
    return fd;
}

void static_files_serve(struct evhttp_request *request, const char *dir, const char *path)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    struct evbuffer *body = evhttp_request_get_output_buffer(request);
    struct stat st;
    int fd = path[0] == '/' ? open_inside(dir, path) : -1;

    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        evhttp_send_error(request, HTTP_NOTFOUND, NULL);
        return;
    }
    evhttp_add_header(headers, "Content-Type",
                      path[strlen(path) - 1] == '/' ? types[0].type : type_of(path));
    evhttp_add_header(headers, "Cache-Control", "no-cache");
    evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
    evbuffer_add_file(body, fd, 0, st.st_size); /* takes fd */
    evhttp_send_reply(request, HTTP_OK, NULL, NULL);
}

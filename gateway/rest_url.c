#include "gateway/rest_url.h"

#include <string.h>
#include <strings.h>

#include "common/codes.h"

enum { NOT_FOUND = 404 };

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Undo %XX. NULL: a bad escape, a NUL, or no memory. '+' stays: no parameter here has spaces in
 * form encoding, and a ticket made with plain base64 must not change. */
static const char *decode(struct hy_arena *arena, const char *text, size_t len)
{
    char *out = hy_arena_alloc(arena, len + 1);
    size_t n = 0;

    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        out[n] = text[i];
        if (text[i] == '%') {
            int high = len - i > 2 ? hex(text[i + 1]) : -1;
            int low = len - i > 2 ? hex(text[i + 2]) : -1;

            if (high < 0 || low < 0 || (high == 0 && low == 0))
                return NULL;
            out[n] = (char)(high << 4 | low);
            i += 2;
        }
        n++;
    }
    out[n] = '\0';
    return out;
}

static bool parameter(struct rest_url *url, struct hy_arena *arena, const char *pair, size_t len)
{
    const char **slots[] = {&url->sdkappid, &url->identifier, &url->usersig};
    static const char *const names[] = {"sdkappid", "identifier", "usersig"};
    const char *eq = memchr(pair, '=', len);
    size_t name_len = eq != NULL ? (size_t)(eq - pair) : len;
    size_t skip = eq != NULL ? name_len + 1 : len;

    for (size_t i = 0; i < 3; i++) {
        if (strlen(names[i]) != name_len || strncasecmp(names[i], pair, name_len) != 0)
            continue;
        if (*slots[i] == NULL)
            *slots[i] = decode(arena, pair + skip, len - skip);
        return *slots[i] != NULL;
    }
    return true;
}

static uint32_t parse_query(const char *query, struct hy_arena *arena, struct rest_url *url)
{
    while (*query != '\0' && *query != '#') {
        size_t len = strcspn(query, "&#");

        if (!parameter(url, arena, query, len))
            return HY_CODE_HTTP_PARSE;
        query += len;
        query += *query == '&';
    }
    return HY_CODE_OK;
}

uint32_t rest_url_parse(const char *target, struct hy_arena *arena, struct rest_url *url)
{
    const char *path = target, *query, *slash;
    size_t len;

    *url = (struct rest_url){0};
    if (strncasecmp(path, "http://", 7) == 0 || strncasecmp(path, "https://", 8) == 0) {
        path = strchr(strstr(path, "//") + 2, '/');
        if (path == NULL)
            return NOT_FOUND;
    }
    if (strncmp(path, "/v4/", 4) != 0)
        return NOT_FOUND;
    path += 4;
    len = strcspn(path, "?#");
    slash = memchr(path, '/', len);
    if (slash == NULL)
        return NOT_FOUND;
    url->service = decode(arena, path, (size_t)(slash - path));
    url->command = decode(arena, slash + 1, len - (size_t)(slash - path) - 1);
    if (url->service == NULL || url->command == NULL)
        return HY_CODE_HTTP_PARSE;
    query = path + len;
    return *query == '?' ? parse_query(query + 1, arena, url) : (uint32_t)HY_CODE_OK;
}

bool rest_url_app(const char *text, uint32_t *sdkappid)
{
    uint64_t number = 0;

    for (const char *p = text; *p != '\0'; p++) {
        if (*p < '0' || *p > '9' || number > UINT32_MAX)
            return false;
        number = number * 10 + (uint64_t)(*p - '0');
    }
    *sdkappid = (uint32_t)number;
    return number > 0 && number <= UINT32_MAX;
}

/* fuzz_http - the target of a request: path, escapes, parameters. */

#include <stdlib.h>
#include <string.h>

#include "common/codes.h"
#include "gateway/rest_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char *target = malloc(len + 1);
    struct hy_arena arena;
    struct rest_url url;
    uint32_t code, app;

    if (target == NULL)
        return 0;
    memcpy(target, bytes, len);
    target[len] = '\0';
    hy_arena_init(&arena);
    code = rest_url_parse(target, &arena, &url);
    if (code == HY_CODE_OK && (url.service == NULL || url.command == NULL))
        abort();
    if (code != HY_CODE_OK && code != HY_CODE_HTTP_PARSE && code != 404)
        abort();
    if (code == HY_CODE_OK && url.sdkappid != NULL && rest_url_app(url.sdkappid, &app) && app == 0)
        abort();
    hy_arena_free(&arena);
    free(target);
    return 0;
}

#include "common/codes.h"

#include <stddef.h>

#define CODE_CASE(name, number, text)                                                              \
    case number:                                                                                   \
        return text;

/* A switch: two rows with one number do not compile. */
const char *hy_code_text(uint32_t code)
{
    switch (code) {
        HY_CODES(CODE_CASE)
    default:
        return "unknown code";
    }
}

bool hy_code_certain(uint32_t code)
{
    switch (code) {
    case HY_CODE_OK:
    case HY_CODE_CLIENT_ID_REUSED:
    case HY_CODE_C2C_ACCOUNT:
    case HY_CODE_GROUP_ACCOUNT:
    case HY_CODE_REST_ACCOUNT:
    case HY_CODE_REST_TO_UNKNOWN:
    case HY_CODE_FRAME_TOO_BIG:
    case HY_CODE_FRAME_MALFORMED:
    case HY_CODE_MSG_EMPTY:
    case HY_CODE_NOT_UTF8:
    case HY_CODE_MSG_INVALID:
    case HY_CODE_PARAM:
    case HY_CODE_KIND_UNKNOWN:
        return true;
    default:
        return false;
    }
}

#define CODE_ROW(name, number, text) {#name, number, text},
static const struct code {
    const char *name;
    uint32_t number;
    const char *text;
} codes[] = {HY_CODES(CODE_ROW)};

void hy_code_each(void (*fn)(void *arg, const char *name, uint32_t code, const char *text),
                  void *arg)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        fn(arg, codes[i].name, codes[i].number, codes[i].text);
}

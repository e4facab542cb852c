#include "common/err.h"

#include <stddef.h>

#define ERR_TEXT(name, text) [name] = text,

const char *hy_err_text(enum hy_err err)
{
    static const char *const texts[HY_ERR_COUNT] = {[HY_OK] = "ok", HY_ERRORS(ERR_TEXT)};

    if ((unsigned)err >= HY_ERR_COUNT || texts[err] == NULL)
        return "unknown error";
    return texts[err];
}

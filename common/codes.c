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

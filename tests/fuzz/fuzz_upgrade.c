/* The HTTP request with which a WebSocket begins. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/upgrade.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *allowed[] = {(char *)"https://chat.example"};
    static const struct hy_text_list origins = {allowed, 1};
    char answer[UPGRADE_ANSWER_MAX];
    struct upgrade upgrade;

    if (upgrade_parse((const char *)data, size, &origins, &upgrade) == UPGRADE_MORE)
        return 0;
    if (upgrade_answer(&upgrade, answer) >= UPGRADE_ANSWER_MAX || upgrade.used > size)
        abort();
    return 0;
}

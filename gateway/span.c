#include "gateway/span.h"

#include <string.h>
#include <strings.h>

bool span_is(struct span span, const char *text)
{
    return span.len == strlen(text) && strncasecmp(span.at, text, span.len) == 0;
}

struct span span_trim(struct span span)
{
    while (span.len > 0 && (span.at[0] == ' ' || span.at[0] == '\t'))
        span.at++, span.len--;
    while (span.len > 0 && (span.at[span.len - 1] == ' ' || span.at[span.len - 1] == '\t'))
        span.len--;
    return span;
}

bool span_list_has(struct span list, const char *token)
{
    while (list.len > 0) {
        const char *comma = memchr(list.at, ',', list.len);
        struct span one = {list.at, comma == NULL ? list.len : (size_t)(comma - list.at)};

        if (span_is(span_trim(one), token))
            return true;
        list.len -= comma == NULL ? one.len : one.len + 1;
        list.at += comma == NULL ? one.len : one.len + 1;
    }
    return false;
}

/* notice - see notice.h. */

#include "bench/notice.h"

#include "bench/field.h"
#include "client.pb-c.h"

enum { NOTICE_MSGS = 1, MSG_BODY = 6 }; /* fields of MsgNotice and Msg */

static void look_at_message(struct span msg, notice_fn *fn, void *arg)
{
    struct field field;

    while (field_next(&msg, &field)) {
        if (field.number != MSG_BODY || !field.bytes)
            continue;
        fn(arg, field.content.at, (size_t)(field.content.end - field.content.at));
        return;
    }
}

static bool look_at_notice(struct span notice, notice_fn *fn, void *arg)
{
    struct field field;

    while (field_next(&notice, &field))
        if (field.number == NOTICE_MSGS && field.bytes)
            look_at_message(field.content, fn, arg);
    return notice.at == notice.end;
}

bool notice_each(const uint8_t *frame, size_t len, notice_fn *fn, void *arg)
{
    struct span span = {frame, frame + len};
    struct field field;

    while (field_next(&span, &field))
        if (field.number == HY__FRAME__BODY_MSG_NOTICE && field.bytes)
            return look_at_notice(field.content, fn, arg);
    return false;
}

#include "store/replica/apply.h"

#include <stdio.h>
#include <string.h>

static enum verdict judge_batch(const struct msg *msg, uint64_t latest)
{
    if (msg->batch.first == latest + 1)
        return APPLY_WRITE;
    return batch_last(&msg->batch) <= latest ? APPLY_HAVE : APPLY_GAP;
}

enum verdict apply_judge(const struct apply *apply, const char *from, const struct msg *msg,
                         uint64_t latest)
{
    bool leads = msg->epoch == apply->epoch && strcmp(from, apply->leader) == 0;

    if (msg->epoch < apply->seen)
        return APPLY_REFUSE;
    if (!leads)
        return APPLY_TURN;
    if (msg->kind == MSG_START)
        return msg->number == apply->number && !apply->streaming ? APPLY_WRITE : APPLY_IGNORE;
    if (!apply->streaming)
        return APPLY_IGNORE;
    if (msg->kind == MSG_BEAT)
        return msg->number != apply->number || msg->seq > latest ? APPLY_GAP : APPLY_WRITE;
    return judge_batch(msg, latest);
}

void apply_follow(struct apply *apply, const char *leader, uint64_t epoch)
{
    snprintf(apply->leader, sizeof apply->leader, "%s", leader);
    apply->epoch = epoch;
    if (epoch > apply->seen)
        apply->seen = epoch;
    apply->stamp = 0;
    apply->reign = 0;
    apply->commit = 0;
    apply_again(apply);
}

void apply_again(struct apply *apply)
{
    apply->number++;
    apply->streaming = false;
}

bool apply_whole(const struct apply *apply, uint64_t durable)
{
    return apply->streaming && apply->reign > 0 && durable >= apply->reign &&
           durable >= apply->commit;
}

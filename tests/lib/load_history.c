#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/slot.h"
#include "tests/lib/load.h"

struct seen load_parse(const Hy__Msg *msg, uint64_t at_ms)
{
    struct seen seen = {.seq = msg->seq, .at_ms = at_ms, .seat = SEAT_NONE};
    char text[64];

    if ((msg->flags & HY__MSG_FLAG__MSG_SYSTEM) != 0)
        return seen;
    hongyan_body_text(msg->body.data, msg->body.len, text, sizeof text);
    if (sscanf(text, "%" SCNu32 ":%" SCNu32, &seen.seat, &seen.n) != 2)
        seen.seat = SEAT_NONE;
    return seen;
}

/* Room for one more. */
static void *grow(void *items, size_t count, size_t *size, size_t of)
{
    if (count < *size)
        return items;
    *size = *size > 0 ? *size * 2 : 64;
    items = realloc(items, *size * of);
    if (items == NULL)
        abort();
    return items;
}

void seen_add(struct seen_list *list, struct seen seen)
{
    list->items = grow(list->items, list->count, &list->size, sizeof seen);
    list->items[list->count++] = seen;
}

void peek_add(struct peek_list *list, struct peek peek)
{
    list->items = grow(list->items, list->count, &list->size, sizeof peek);
    list->items[list->count++] = peek;
}

/* ---- the file ---- */

static void put_seen(FILE *out, const struct seen *items, size_t count)
{
    fputc('[', out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s[%" PRIu64 ",%d,%" PRIu32 ",%" PRIu64 "]", i > 0 ? "," : "", items[i].seq,
                (int)items[i].seat, items[i].n, items[i].at_ms);
    fputc(']', out);
}

static void put_sends(FILE *out, const struct seat *seat)
{
    static const char *const states[] = {
        [SEND_OPEN] = "unknown",
        [SEND_OK] = "ok",
        [SEND_FAILED] = "failed",
        [SEND_UNKNOWN] = "unknown",
    };

    fputc('[', out);
    for (size_t n = 0; n < seat->sent; n++) {
        const struct sending *s = &seat->sends[n];

        fprintf(out, "%s[%" PRIu64 ",%" PRIu64 ",\"%s\",%" PRIu64 ",%" PRIu32 "]", n > 0 ? "," : "",
                s->at_ms, s->done_ms, states[s->state], s->seq, s->code);
    }
    fputc(']', out);
}

static void put_peeks(FILE *out, const struct seat *seat)
{
    fputc('[', out);
    for (size_t i = 0; i < seat->peeks.count; i++) {
        const struct peek *peek = &seat->peeks.items[i];

        fprintf(out, "%s[%" PRIu64 ",%" PRIu64 ",", i > 0 ? "," : "", peek->asked_ms,
                peek->answered_ms);
        put_seen(out, seat->pages.items + peek->first, peek->count);
        fputc(']', out);
    }
    fputc(']', out);
}

static void put_talk(FILE *out, const struct load *load, const struct talk *talk)
{
    bool pair = talk->type == HY__CONV_TYPE__CONV_C2C;
    const struct seat *first = &load->seats[talk->first];
    uint16_t slot = hy_slot_conv(load->cluster.app.sdkappid, (int)talk->type, first->user,
                                 pair ? first[1].user : talk->group);

    fprintf(out, "{\"talk\":%zu,\"type\":\"%s\",\"slot\":%u}\n", (size_t)(talk - load->talks),
            pair ? "pair" : "group", slot);
}

static void put_seat(FILE *out, const struct load *load, const struct seat *seat)
{
    fprintf(out,
            "{\"seat\":%zu,\"talk\":%zu,\"user\":\"%s\",\"sends\":", (size_t)(seat - load->seats),
            (size_t)(seat->talk - load->talks), seat->user);
    put_sends(out, seat);
    fputs(",\"stream\":", out);
    put_seen(out, seat->stream.items, seat->stream.count);
    fputs(",\"history\":", out);
    put_seen(out, seat->history.items, seat->history.count);
    fputs(",\"peeks\":", out);
    put_peeks(out, seat);
    fputs("}\n", out);
}

enum hy_err load_write_history(const struct load *load)
{
    FILE *out = fopen(load->history_file, "w");

    if (out == NULL)
        return HY_EIO;
    fprintf(out, "{\"run\":\"%.8s\",\"complete\":%s}\n", load->run,
            load->stage == LOAD_HEARS ? "true" : "false");
    for (size_t t = 0; t < load->talk_count; t++)
        put_talk(out, load, &load->talks[t]);
    for (size_t i = 0; i < load->seat_count; i++)
        put_seat(out, load, &load->seats[i]);
    return fclose(out) == 0 ? HY_OK : HY_EIO;
}

#include "store/replica/marks.h"

#include <stdlib.h>

void marks_close(struct marks *marks)
{
    free(marks->list);
    *marks = (struct marks){0};
}

void marks_forget(struct marks *marks)
{
    if (marks->count > 0) {
        marks->lost_from = marks->passed + 1;
        marks->lost_end = marks->made + 1;
    }
    marks->count = 0;
    marks->passed = ++marks->made; /* a number that nobody was given */
}

bool marks_passed(const struct marks *marks, uint64_t number)
{
    return number <= marks->passed && (number < marks->lost_from || number >= marks->lost_end);
}

static bool grow(struct marks *marks)
{
    size_t room = marks->room == 0 ? 64 : 2 * marks->room;
    struct mark *list = malloc(room * sizeof *list);

    if (list == NULL)
        return false;
    for (size_t i = 0; i < marks->count; i++)
        list[i] = marks->list[(marks->first + i) % marks->room];
    free(marks->list);
    marks->list = list;
    marks->room = room;
    marks->first = 0;
    return true;
}

uint64_t marks_add(struct marks *marks, uint64_t seq, uint64_t stamp, uint64_t now_ms)
{
    const struct mark *newest = marks_newest(marks);

    if (newest != NULL && newest->seq == seq && newest->stamp == stamp)
        return marks->made;
    if (marks->count == marks->room && !grow(marks))
        return UINT64_MAX;
    marks->list[(marks->first + marks->count++) % marks->room] = (struct mark){seq, stamp, now_ms};
    return ++marks->made;
}

bool marks_pass(struct marks *marks, uint64_t commit, bool trusted, uint64_t proven)
{
    uint64_t before = marks->passed;

    while (marks->count > 0) {
        const struct mark *mark = marks_oldest(marks);

        if (mark->seq > commit || (!trusted && mark->stamp > proven))
            break;
        marks->first = (marks->first + 1) % marks->room;
        marks->count--;
        marks->passed = marks->made - marks->count;
    }
    return marks->passed != before;
}

const struct mark *marks_oldest(const struct marks *marks)
{
    return marks->count == 0 ? NULL : &marks->list[marks->first];
}

const struct mark *marks_newest(const struct marks *marks)
{
    return marks->count == 0 ? NULL : &marks->list[(marks->first + marks->count - 1) % marks->room];
}

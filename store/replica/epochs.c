#include "store/replica/epochs.h"

#include <stdlib.h>

#include "store/replica/broken.h"

void epochs_clear(struct epochs *epochs)
{
    free(epochs->rows);
    *epochs = (struct epochs){0};
}

enum hy_err epochs_add(struct epochs *epochs, uint64_t epoch, uint64_t first)
{
    const struct epochs_row *last = epochs->count > 0 ? &epochs->rows[epochs->count - 1] : NULL;

    if (last != NULL && (epoch <= last->epoch || first <= last->first))
        return HY_ECORRUPT;
    if (epochs->count == epochs->room) {
        size_t room = epochs->room == 0 ? 16 : 2 * epochs->room;
        struct epochs_row *rows = realloc(epochs->rows, room * sizeof *rows);

        if (rows == NULL)
            return HY_ENOMEM;
        epochs->rows = rows;
        epochs->room = room;
    }
    epochs->rows[epochs->count++] = (struct epochs_row){epoch, first};
    return HY_OK;
}

uint64_t epochs_last(const struct epochs *epochs)
{
    return epochs->count == 0 ? 0 : epochs->rows[epochs->count - 1].epoch;
}

/* Backwards: those who ask were here lately. */
bool epochs_hold(const struct epochs *epochs, uint64_t latest, struct place place)
{
    uint64_t end = latest; /* of the row's reign */

    if (place.seq == 0)
        return true;
    if (BROKEN(BROKEN_DIVERGED))
        return place.seq <= latest;
    for (size_t i = epochs->count; i > 0; i--) {
        const struct epochs_row *row = &epochs->rows[i - 1];

        if (row->epoch == place.epoch)
            return place.seq >= row->first && place.seq <= end;
        if (row->epoch < place.epoch)
            return false;
        end = row->first - 1;
    }
    return false;
}

#include "ctl/coordinate.h"

enum { TURN_MS = 50 };

struct outcome {
    bool known;
    enum hy_err err;
};

static void on_done(void *arg, enum hy_err err, uint64_t revision)
{
    (void)revision;
    *(struct outcome *)arg = (struct outcome){true, err};
}

enum hy_err coordinate(const struct nodes_visit *visit, const struct hy_coord_change *change)
{
    struct outcome outcome = {0};

    hy_coord_change(visit->coord, change, on_done, &outcome);
    while (!outcome.known) /* within two seconds, whatever becomes of the coordinator */
        hy_loop_turn(visit->loop, TURN_MS);
    return outcome.err;
}

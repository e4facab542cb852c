/* fuzz_moves - the values of the coordinator about moves. The first byte chooses which. */

#include <stdlib.h>
#include <string.h>

#include "common/moves.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What reads must print, and read the same again. */
static void check_move(const char *text)
{
    struct hy_move move, again;
    char *printed;

    if (hy_move_parse(text, &move) != HY_OK)
        return;
    if (move.id == 0 || move.first > move.last || move.last >= HY_SLOTS || move.from == move.to)
        abort();
    printed = hy_move_print(&move);
    if (printed == NULL || hy_move_parse(printed, &again) != HY_OK || again.id != move.id ||
        again.state != move.state || again.last != move.last)
        abort();
    free(printed);
}

static void check_rebalance(const char *text)
{
    struct hy_rebalance rebalance, again;
    char *printed;

    if (hy_rebalance_parse(text, &rebalance) != HY_OK)
        return;
    printed = hy_rebalance_print(&rebalance);
    if (printed == NULL || hy_rebalance_parse(printed, &again) != HY_OK ||
        again.moves != rebalance.moves || again.state != rebalance.state)
        abort();
    free(printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = size < 1 ? NULL : malloc(size);

    if (text == NULL)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (data[0] % 2 == 0)
        check_move(text);
    else
        check_rebalance(text);
    free(text);
    return 0;
}

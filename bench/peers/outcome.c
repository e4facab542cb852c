/* outcome - see outcome.h. */

#include "bench/peers/outcome.h"

#include <stdio.h>

#include "bench/json.h"
#include "bench/table.h"

enum hy_err outcome_write(const char *scenario, const char *system, const struct result *result,
                          const char *file)
{
    json_t *root = NULL;
    enum hy_err err = HY_OK;

    table_print(scenario, result, stdout);
    if (file == NULL)
        return HY_OK;
    root = json_of_result(scenario, result);
    if (root == NULL || json_object_set_new(root, "system", json_string(system)) != 0 ||
        json_dump_file(root, file, JSON_INDENT(2)) != 0) {
        fprintf(stderr, "%s: cannot be written\n", file);
        err = HY_EIO;
    }
    json_decref(root);
    return err;
}

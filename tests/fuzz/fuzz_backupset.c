/* The list of a backup's files, as it lies in a folder that anybody may have written. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/backupset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hy_backup_set set;
    char name[64];

    if (hy_backup_set_parse((const char *)data, size, &set) != HY_OK)
        return 0;
    for (size_t i = 0; i < set.count; i++) {
        hy_backup_file_name(&set.files[i], name);
        if (strchr(name, '/') != NULL || strlen(set.files[i].name) > 4000)
            abort();
    }
    hy_backup_set_free(&set);
    return 0;
}

/* Settings files. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 loses a text that is not ended when it reports the error. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig\n";
}

struct thing {
    struct hy_common_settings common;
    int64_t number;
    bool flag;
    struct hy_text_list list;
};

static const struct hy_setting table[] = {
    HY_INT(struct thing, number, "deep.er.number", 5, -10, 10, true, "a number"),
    HY_BOOL(struct thing, flag, "flag", false, true, "a flag"),
    HY_LIST(struct thing, list, "deep.list", "a,b", true, "a list"),
    {0},
};
static const struct hy_settings_spec spec = {"thing", table, sizeof(struct thing)};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    void *settings = NULL;
    FILE *null;
    int fd;

    /* an include could name any file of the machine */
    if (memmem(data, size, "@include", 8) != NULL)
        return 0;
    null = fopen("/dev/null", "w");
    fd = memfd_create("settings", 0);
    if (null == NULL || fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (hy_settings_load(&spec, path, null, &settings) == HY_OK) {
        hy_settings_print(&spec, settings, null);
        hy_settings_free(&spec, &settings);
    }
    close(fd);
    fclose(null);
    return 0;
}

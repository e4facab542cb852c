#include "ctl/programs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/files.h"

enum hy_err programs_find(const char *given, char bin[static 4096])
{
    ssize_t n = 0;
    char *slash = NULL;

    if (given != NULL) {
        files_path(bin, "%s", given);
        return HY_OK;
    }
    n = readlink("/proc/self/exe", bin, 4095);
    bin[n > 0 ? n : 0] = '\0';
    slash = strrchr(bin, '/');
    if (slash == NULL)
        return HY_ENOTFOUND;
    *slash = '\0';
    return HY_OK;
}

bool programs_find_console(const char *bin, const char *given, char console[static 4096])
{
    static const char *const places[] = {"../share/hongyan/console", "../../console"};

    if (given != NULL) {
        files_path(console, "%s", given);
        return console[0] != '\0';
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char page[4096];

        files_path(console, "%s/%s", bin, places[i]);
        files_path(page, "%s/%s/index.html", bin, places[i]);
        if (access(page, R_OK) == 0)
            return true;
    }
    return false;
}

#include "ctl/files.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/file.h"

enum { PATH_SIZE = 4096 };

void files_path(char out[static PATH_SIZE], const char *format, ...)
{
    va_list list;
    int n = 0;

    va_start(list, format);
    n = vsnprintf(out, PATH_SIZE, format, list);
    va_end(list);
    if (n < 0 || n >= PATH_SIZE) {
        fprintf(stderr, "hongyanctl: a path is longer than %d bytes\n", PATH_SIZE);
        exit(EXIT_FAILURE);
    }
}

enum hy_err files_make_dir(const char *path)
{
    char why[256];

    return hy_dir_make(path, why) == HY_OK ? HY_OK : HY_EIO;
}

static enum hy_err write_file(const char *path, const char *text, size_t len, bool durably)
{
    char why[256];

    return hy_file_replace(path, text, len, durably, why) == HY_OK ? HY_OK : HY_EIO;
}

enum hy_err files_write(const char *path, const char *text, size_t len)
{
    return write_file(path, text, len, false);
}

enum hy_err files_write_durably(const char *path, const char *text, size_t len)
{
    return write_file(path, text, len, true);
}

char *files_read(const char *path, size_t *len)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0, used = 0;

    if (file == NULL)
        return NULL;
    do {
        char *more = NULL;

        if (used + 1 >= size) {
            size = size > 0 ? size * 2 : 4096;
            more = realloc(text, size);
            if (more == NULL)
                break;
            text = more;
        }
        used += fread(text + used, 1, size - used - 1, file);
    } while (!feof(file) && !ferror(file));
    fclose(file);
    if (text != NULL)
        text[used] = '\0';
    if (len != NULL)
        *len = used;
    return text;
}

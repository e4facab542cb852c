/* files - small files read and written whole, and the folders they are in. */

#ifndef CTL_FILES_H
#define CTL_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* Make a folder with mode 0700, and the ones above it. HY_EIO. */
enum hy_err files_make_dir(const char *path) HY_CHECKED;

/* Write text so that the file is there whole or not at all; mode 0600. HY_EIO. */
enum hy_err files_write(const char *path, const char *text, size_t len) HY_CHECKED;

/* The same, on the disk when it returns HY_OK. */
enum hy_err files_write_durably(const char *path, const char *text, size_t len) HY_CHECKED;

/* The whole file, NUL-terminated; free() it. NULL: it cannot be read. */
char *files_read(const char *path, size_t *len);

/* Append "%s/..." into out of 4096 bytes; aborts when it does not fit. */
void files_path(char out[static 4096], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

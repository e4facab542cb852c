/* programs - where the programs and the pages of the demo lie. */

#ifndef CTL_PROGRAMS_H
#define CTL_PROGRAMS_H

#include <stdbool.h>

#include "common/err.h"

/* The folder of this program, or given. HY_ENOTFOUND. */
enum hy_err programs_find(const char *given, char bin[static 4096]) HY_CHECKED;

/* The folder with the demo's pages: given, or as installed beside bin, or in the source tree that
 * bin was built in. False: there is none, or given is "". */
bool programs_find_console(const char *bin, const char *given, char console[static 4096]);

#endif

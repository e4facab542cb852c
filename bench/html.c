#include "bench/html.h"
enum hy_err html_write(const char *file, const json_t *runs)
{
    (void)file;
    (void)runs;
    return HY_OK;
}

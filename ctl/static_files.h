/* static_files - pages of a folder over evhttp. */

#ifndef CTL_STATIC_FILES_H
#define CTL_STATIC_FILES_H

#include <stddef.h>

struct evhttp_request;

/* Answer with the file that path (decoded, beginning with "/") names below dir; "/" is index.html.
 * 404 for what is not there or would lie outside. */
void static_files_serve(struct evhttp_request *request, const char *dir, const char *path);

#endif

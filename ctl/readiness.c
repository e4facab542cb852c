#include "ctl/readiness.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "ctl/http.h"
#include "ctl/plan.h"

enum { WAIT_MS = 1000 };

static const char *why_ended(const struct layout *layout, const struct child *child, char *text,
                             size_t size)
{
    int status = child->exit_status;

    snprintf(text, size, "it ended with %s %d; see %s/log/%s.log",
             WIFSIGNALED(status) ? "signal" : "code",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), layout->dir,
             child->name);
    return text;
}

const char *readiness_why_not(const struct layout *layout, const struct child *child, char *text,
                              size_t size)
{
    int status = 0;

    if (child->pid == 0 || (child->failures > 1 && !child->ports_told))
        return why_ended(layout, child, text, size);
    if (!child->ports_told)
        return "it has not told its ports yet";
    if (child->part == PARTS)
        return NULL;
    status = http_get(child_port(child, "status"), child->part == PART_ETCD ? "/health" : "/readyz",
                      WAIT_MS, text, size);
    if (status == 200)
        return NULL;
    text[strcspn(text, "\r\n")] = '\0';
    return status == 0 ? "/readyz does not answer" : text;
}

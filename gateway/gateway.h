/* gateway - the program's parts together: workers, each with its thread, and what they start from.
 */

#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "common/err.h"
#include "common/process.h"

struct gateway;

/* Open sockets and workers as process->settings say, write the ports file, start the threads. Sets
 * the process's callbacks. Says itself in the log what is wrong. */
enum hy_err gateway_open(struct hy_process *process, struct gateway **gateway) HY_CHECKED;

/* Stop the threads. The status server may still ask about the gateway. NULL is fine. */
void gateway_stop(struct gateway *gateway);

/* Free everything, once the status server is gone. NULL is fine. */
void gateway_close(struct gateway **gateway);

#endif

/* host_target.h - our own process as something to be read. What was learnt of the interpreter stays while nothing is
 * recorded; descriptors are open only while something is. */
#ifndef SL_SAMPLER_HOST_TARGET_H
#define SL_SAMPLER_HOST_TARGET_H

#include "base/error.h"
#include "cpython/context.h"
#include "sampler/subject.h"

#include <stdbool.h>
#include <stdint.h>

struct sl_host_target {
    struct sl_process process;
    struct sl_python *python; /* NULL until the first opening; owned */
    struct sl_subject subject;
    bool open;
    size_t descriptors_left;

    struct sl_context_variable variable; /* that was last met, as long as it is open; address 0: none */

    char *command; /* the program, for a person; owned, as are: */
    char *executable;
    struct sl_python_facts facts; /* as of `facts_ns` */
    uint64_t facts_ns;            /* 0: never */
};

bool sl_host_target_open(struct sl_host_target *target, struct sl_error *error);
void sl_host_target_close(struct sl_host_target *target);

/* After fork(2), in the child: nothing that is known holds any more. */
void sl_host_target_forget(struct sl_host_target *target);

/* Brings `facts` up to date if they are older than a second. */
void sl_host_target_refresh(struct sl_host_target *target, uint64_t now_ns);

#endif

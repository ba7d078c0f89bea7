#include "sampler/host_target.h"

#include "target/description.h"
#include "target/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Files of threads that are kept open at most: two for each. The program's own limit on descriptors is not raised, and
 * mostly not used up by this. */
#define DESCRIPTORS_MAX 128

#define FACTS_EVERY_NS UINT64_C(1000000000)

/* Sentences of attaching speak of a process by its number; this one is ours. */
static bool not_readable(struct sl_error *error)
{
    return sl_error_set(error, SL_ERROR_PERMISSION,
                        "this process may not read its own memory: both process_vm_readv(2) and /proc/self/mem are "
                        "forbidden here (a seccomp filter, or a process that may not be dumped); allow one of them");
}

static bool attach(struct sl_host_target *target, struct sl_error *error)
{
    struct sl_error own = {0};
    uint64_t runtime = sl_own_symbol("_PyRuntime");
    if (runtime != 0) {
        target->python = sl_python_attach_own(&target->process, runtime, sl_own_symbol("Py_Version"),
                                              sl_own_symbol("_Py_NegativeRefcount") != 0, &own);
    } else {
        target->python = sl_python_attach(&target->process, NULL, &own);
    }
    if (target->python != NULL) {
        return true;
    }
    if (own.kind == SL_ERROR_PERMISSION) {
        return not_readable(error);
    }
    if (error != NULL) {
        *error = own;
    }
    return false;
}

bool sl_host_target_open(struct sl_host_target *target, struct sl_error *error)
{
    if (target->open) {
        return true;
    }
    if (!sl_process_open(&target->process, getpid(), error)) {
        return false;
    }
    target->descriptors_left = DESCRIPTORS_MAX;
    if (target->python == NULL && !attach(target, error)) {
        sl_process_close(&target->process);
        return false;
    }
    if (!sl_subject_open(&target->subject, &target->process, target->python, &target->descriptors_left, false, true)) {
        sl_error_system(error, errno, "cannot open /proc/self/task");
        sl_process_close(&target->process);
        return false;
    }
    if (target->command == NULL) {
        char text[SL_DESCRIPTION_MAX];
        sl_process_command(&target->process, text);
        target->command = strdup(text);
        sl_process_executable(&target->process, text);
        target->executable = strdup(text);
    }
    target->open = true;
    return true;
}

void sl_host_target_close(struct sl_host_target *target)
{
    if (target->open) {
        sl_subject_close(&target->subject);
        sl_process_close(&target->process);
        target->variable = (struct sl_context_variable){0};
        target->open = false;
    }
}

void sl_host_target_forget(struct sl_host_target *target)
{
    sl_host_target_close(target);
    sl_python_detach(target->python);
    sl_python_facts_destroy(&target->facts);
    free(target->command);
    free(target->executable);
    *target = (struct sl_host_target){0};
}

void sl_host_target_refresh(struct sl_host_target *target, uint64_t now_ns)
{
    if (target->facts_ns != 0 && now_ns < target->facts_ns + FACTS_EVERY_NS) {
        return;
    }
    struct sl_python_facts facts;
    if (sl_python_facts(target->python, &facts)) {
        sl_python_facts_destroy(&target->facts);
        target->facts = facts;
        target->facts_ns = now_ns;
    }
}

#include "sampler/member.h"

#include "sampler/member_end.h"
#include "sampler/member_facts.h"
#include "sampler/member_thread.h"
#include "target/description.h"
#include "target/root.h"
#include "target/usage.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

/* How often attaching is tried: an interpreter needs about 10 ms to start, and what it runs first shall not be missed;
 * what has not come up after a while is likely no Python. */
static const struct {
    uint64_t age_ns, every_ns;
} patience[] = {{50 * MS, MS / 2}, {500 * MS, 2 * MS}, {UINT64_MAX, 20 * MS}};

/* While the loader maps an interpreter, what lies at its addresses may be another part of its file, which looks like a
 * Python that cannot be read. Only what stays so is. */
#define SETTLING_NS (50 * MS)

/* How often the names of threads and the CPU totals are read again. */
#define THREADS_EVERY_NS (10 * MS)

static bool has_ended(const struct sl_member *member)
{
    if (member->pid_descriptor >= 0) {
        struct pollfd end = {.fd = member->pid_descriptor, .events = POLLIN};
        return poll(&end, 1, 0) > 0;
    }
    return !sl_process_alive(&member->process);
}

/* Another program may have been executed: then there is memory again. */
static bool has_memory(const struct sl_member *member)
{
    struct sl_image image;
    sl_image_open(&image, &member->process);
    bool memory = image.memory >= 0 && sl_image_current(&image);
    sl_image_close(&image);
    return memory;
}

/* The interpreter was found. Whether its threads can be looked at. */
static bool open_subject(struct sl_member *member, struct sl_error *error)
{
    if (!sl_subject_open(&member->subject, &member->process, member->python, member->descriptors_left,
                         member->options->main_thread_only, member->options->states)) {
        sl_python_detach(member->python);
        member->python = NULL;
        return sl_error_set(error, SL_ERROR_GONE, "process %d has ended", (int)member->process.pid);
    }
    return true;
}

/* From now on its threads are looked at. */
static void start_sampling(struct sl_member *member, uint64_t now_ns)
{
    sl_translation_init(&member->translation, member->recording->recorder);
    if (!member->past && member->record.python == 0) {
        /* A wrapper's, or a shim's such as pyenv's. */
        sl_member_leave_out_children(member);
    }
    sl_member_know(member, SL_MEMBER_PYTHON, sl_python_version(member->python));
    char executable[SL_DESCRIPTION_MAX];
    sl_process_executable(&member->process, executable);
    sl_member_know(member, SL_MEMBER_EXECUTABLE, executable);
    if (!member->named) {
        char command[SL_DESCRIPTION_MAX];
        sl_process_command(&member->process, command);
        sl_member_know(member, SL_MEMBER_COMMAND, command);
    }
    sl_recorder_process_update(member->recording->recorder, member->index, &member->record);
    member->facts_read = 0;
    sl_member_set_phase(member, SL_MEMBER_SAMPLING, now_ns);
    sl_member_read_facts(member, now_ns);
}

static uint64_t next_attempt(const struct sl_member *member, uint64_t now_ns)
{
    uint64_t age_ns = now_ns - member->phase_since_ns;
    size_t step = 0;
    while (age_ns >= patience[step].age_ns) {
        step++;
    }
    return now_ns + patience[step].every_ns;
}

void sl_member_tell_program(struct sl_member *member)
{
    char path[SL_DESCRIPTION_MAX];
    sl_process_executable(&member->process, path);
    bool unknown = path[0] == '\0' && !member->was_sampled;
    if (unknown || sl_python_named(&member->process)) {
        member->meanwhile = member->recording->starting;
        return;
    }
    const char *slash = strrchr(path, '/');
    char name[sizeof "[not Python: ]" + NAME_MAX];
    snprintf(name, sizeof name, "[not Python: %.*s]", NAME_MAX, slash != NULL ? slash + 1 : path);
    sl_stack mark = path[0] != '\0' ? sl_recorder_mark(member->recording->recorder, name) : SL_NONE;
    member->meanwhile = mark != SL_NONE ? mark : member->recording->not_python;
    /* Should it become one again, the search finds it. */
    member->left = member->found && member->was_sampled;
}

static void attempt_start(struct sl_member *member, uint64_t now_ns)
{
    member->may_start = false;
    member->python = sl_python_attach(&member->process, &member->may_start, &member->error);
    if (member->python != NULL && open_subject(member, &member->error)) {
        start_sampling(member, now_ns);
        return;
    }
    sl_member_tell_program(member);
    bool refused =
        !member->may_start && (member->error.kind == SL_ERROR_UNSUPPORTED || member->error.kind == SL_ERROR_PERMISSION);
    member->refused_since_ns = !refused ? 0 : member->refused_since_ns != 0 ? member->refused_since_ns : now_ns;
    bool never = refused && now_ns - member->refused_since_ns >= SETTLING_NS;
    bool too_long = now_ns - member->phase_since_ns >= SL_STARTUP_LIMIT_NS;
    /* What was a Python once is followed to its end: it may become one again. */
    if ((never || too_long) && !member->was_sampled) {
        sl_member_set_phase(member, SL_MEMBER_FAILED, now_ns);
        return;
    }
    member->attempt_due_ns = next_attempt(member, now_ns);
}

void sl_member_attempt(struct sl_member *member, uint64_t now_ns)
{
    if (sl_member_over(member)) {
        return;
    }
    if (has_ended(member)) {
        if (member->phase == SL_MEMBER_SAMPLING) {
            sl_member_lose_memory(member, now_ns);
        }
        sl_member_end_process(member, now_ns);
        return;
    }
    switch (member->phase) {
    case SL_MEMBER_STARTING:
        attempt_start(member, now_ns);
        break;
    case SL_MEMBER_EXITING:
        if (has_memory(member)) {
            member->ran = false;
            sl_member_set_phase(member, SL_MEMBER_STARTING, now_ns);
            attempt_start(member, now_ns);
        } else {
            member->attempt_due_ns = next_attempt(member, now_ns);
        }
        break;
    default:
        member->attempt_due_ns = UINT64_MAX;
        break;
    }
}

void sl_member_refresh(struct sl_member *member, uint64_t now_ns)
{
    if (member->phase == SL_MEMBER_SAMPLING && sl_member_facts_due(member, now_ns)) {
        sl_member_read_facts(member, now_ns);
        sl_member_read_usage(member);
    }
    if (sl_member_over(member) || now_ns < member->threads_due_ns) {
        return;
    }
    member->threads_due_ns = now_ns + THREADS_EVERY_NS;
    if (member->phase == SL_MEMBER_SAMPLING) {
        sl_member_read_cpu(member);
        for (size_t i = 0; i < member->subject.count; i++) {
            struct sl_subject_thread *observed = member->subject.all[i];
            if (observed->viewer != NULL && !observed->ended) {
                sl_member_thread_refresh(observed->viewer, member->recording, &member->subject, observed, now_ns);
            }
        }
    }
}

struct sl_member *sl_member_create(struct sl_recording *recording, const struct sl_session_options *options,
                                   const struct sl_session_target *target, size_t *descriptors_left, uint64_t now_ns,
                                   struct sl_error *error)
{
    struct sl_member *member = calloc(1, sizeof *member);
    if (member == NULL) {
        sl_error_memory(error);
        return NULL;
    }
    member->recording = recording;
    member->options = options;
    member->descriptors_left = descriptors_left;
    member->pid_descriptor = -1;
    member->index = SL_NONE;
    member->joined = !target->starting;
    member->past = member->joined || target->again;
    member->named = target->command != NULL;
    member->meanwhile = recording->starting;
    if (!sl_process_open(&member->process, target->pid, error)) {
        free(member);
        return NULL;
    }
    member->pid_descriptor = (int)syscall(SYS_pidfd_open, target->pid, 0);
    /* The descriptor was made from the number; that it is of the same process shows if that still is there. */
    if (member->pid_descriptor >= 0 && member->joined && !sl_process_alive(&member->process)) {
        sl_error_set(error, SL_ERROR_GONE, "process %d has ended", (int)target->pid);
        goto failed;
    }

    struct sl_usage usage;
    if (member->past && sl_usage_read(&member->process, &usage)) {
        member->cpu_before_ns = usage.cpu_ns;
        member->children_cpu_before_ns = usage.children_cpu_ns;
        member->children_all_ns = usage.children_cpu_ns;
        member->cpu_told_ns = target->again ? usage.cpu_ns + usage.children_cpu_ns : 0;
    }

    /* What cannot be looked at leaves no trace in the recording. */
    if (member->joined) {
        member->python = sl_python_attach(&member->process, NULL, error);
        if (member->python == NULL || !open_subject(member, error)) {
            goto failed;
        }
    }

    char command[SL_DESCRIPTION_MAX];
    sl_process_command(&member->process, command);
    char executable[SL_DESCRIPTION_MAX];
    sl_process_executable(&member->process, executable);
    uint64_t begin_ns = sl_member_time(member, target->started_ns != 0 ? target->started_ns : now_ns);
    member->record = (struct sl_process_record){
        .pid = (uint32_t)target->pid,
        .parent_pid = sl_process_parent(&member->process),
        .begin_ns = begin_ns,
        .exit_status = -1,
    };
    sl_member_know(member, SL_MEMBER_COMMAND, target->command != NULL ? target->command : command);
    sl_member_know(member, SL_MEMBER_EXECUTABLE, executable);
    sl_root_number(&member->process, &member->record.root);
    sl_member_set_phase(member, SL_MEMBER_STARTING, now_ns);
    member->index = sl_recorder_process(recording->recorder, &member->record);
    if (member->index == SL_NONE) {
        sl_error_memory(error);
        goto failed;
    }
    if (member->joined) {
        start_sampling(member, now_ns);
    } else {
        member->main_thread = sl_member_thread_create(recording, member->index, target->pid, true, begin_ns);
        if (member->main_thread == NULL) {
            sl_error_memory(error);
            goto failed;
        }
        /* All other threads have ended when it executed its program. */
        member->main_thread->cpu_before_ns = member->cpu_before_ns;
    }
    return member;

failed:
    sl_member_destroy(member);
    return NULL;
}

void sl_member_destroy(struct sl_member *member)
{
    if (member == NULL) {
        return;
    }
    sl_member_stop_sampling(member);
    sl_member_thread_destroy(member->main_thread);
    if (member->pid_descriptor >= 0) {
        close(member->pid_descriptor);
    }
    sl_process_close(&member->process);
    for (enum sl_member_text which = 0; which < SL_MEMBER_TEXTS; which++) {
        free(member->texts[which]);
    }
    free(member);
}

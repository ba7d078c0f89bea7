#include "sampler/member_thread.h"

#include <stdlib.h>
#include <string.h>

/* A thread is mostly named within its first milliseconds (CPython 3.14: before its first line runs). */
#define NAME_SOON_NS UINT64_C(20000000)
#define NAME_EVERY_NS UINT64_C(1000000000)

static bool begin(struct sl_member_thread *thread, struct sl_recording *recording, uint32_t process, uint64_t begin_ns)
{
    sl_string name = sl_recorder_string(recording->recorder, thread->name, strlen(thread->name));
    const struct sl_thread_record record = {
        .process = process,
        .kind = SL_THREAD_OS,
        .id = (uint64_t)thread->id,
        .name = name != SL_NONE ? name : 0,
        .main = thread->main,
        .begin_ns = begin_ns,
    };
    thread->recorded.index = sl_recorder_thread(recording->recorder, &record);
    return thread->recorded.index != SL_NONE;
}

struct sl_member_thread *sl_member_thread_create(struct sl_recording *recording, uint32_t process, pid_t id, bool main,
                                                 uint64_t begin_ns)
{
    struct sl_member_thread *thread = calloc(1, sizeof *thread);
    if (thread == NULL) {
        return NULL;
    }
    thread->id = id;
    thread->main = main;
    if (!begin(thread, recording, process, begin_ns)) {
        free(thread);
        return NULL;
    }
    for (size_t s = 0; s < SL_STRANDS_MAX; s++) {
        sl_strand_init(&thread->strands[s].strand);
    }
    return thread;
}

bool sl_member_thread_enter(struct sl_member_thread *thread, struct sl_recording *recording, uint32_t process)
{
    return thread->recorded.index != SL_NONE || begin(thread, recording, process, 0);
}

void sl_member_thread_leave(struct sl_member_thread *thread, struct sl_recording *recording, uint64_t end_ns)
{
    sl_recorder_thread_end(recording->recorder, thread->recorded.index, end_ns, thread->cpu_ns);
    thread->cpu_before_ns += thread->cpu_ns;
    thread->cpu_ns = 0;
    sl_member_thread_forget(thread);
    sl_tasks_destroy(&thread->recorded.tasks);
    thread->recorded = (struct sl_recording_thread){.index = SL_NONE};
}

void sl_member_thread_forget(struct sl_member_thread *thread)
{
    for (size_t s = 0; s < SL_STRANDS_MAX; s++) {
        sl_strand_destroy(&thread->strands[s].strand);
        thread->strands[s].serial = 0;
    }
    sl_tasks_forget(&thread->recorded.tasks);
}

void sl_member_thread_destroy(struct sl_member_thread *thread)
{
    if (thread != NULL) {
        sl_member_thread_forget(thread);
        sl_tasks_destroy(&thread->recorded.tasks);
        free(thread);
    }
}

void sl_member_thread_end(struct sl_member_thread *thread, struct sl_recording *recording, uint64_t end_ns)
{
    sl_recorder_thread_end(recording->recorder, thread->recorded.index, end_ns, thread->cpu_ns);
    sl_member_thread_destroy(thread);
}

void sl_member_thread_take_cpu(struct sl_member_thread *thread, const struct sl_subject_thread *observed)
{
    if (observed->cpu_ns > thread->cpu_before_ns + thread->cpu_ns) {
        thread->cpu_ns = observed->cpu_ns - thread->cpu_before_ns;
    }
}

void sl_member_thread_walked(struct sl_member_thread *thread, struct sl_translation *translation,
                             const struct sl_python *python, size_t strand, uint64_t serial, const struct sl_walk *walk)
{
    if (thread->strands[strand].serial != serial) {
        thread->strands[strand].serial = serial;
        thread->strands[strand].strand.count = 0;
    }
    if (walk->task != 0) {
        thread->task = walk->task;
        thread->task_code = walk->task_code;
    }
    sl_stack root = thread->seen != SL_NONE ? thread->seen : 0;
    thread->seen = sl_translate(translation, python, &thread->strands[strand].strand, root, 0, walk);
}

void sl_member_thread_refresh(struct sl_member_thread *thread, struct sl_recording *recording,
                              struct sl_subject *subject, struct sl_subject_thread *observed, uint64_t now_ns)
{
    /* One that has not run has used no CPU time and not renamed itself; what others called it is seen at the end. */
    bool waits = observed->settled && now_ns != UINT64_MAX;
    bool waited = waits && thread->named_once && observed->runs == thread->named_runs;
    bool naming = now_ns >= thread->name_due_ns;
    struct sl_thread_runs runs;
    if ((!waits || (naming && !waited)) &&
        sl_thread_runs(&observed->thread, &subject->threads, &runs) == SL_THREAD_OK) {
        observed->cpu_ns = runs.cpu_ns;
        sl_member_thread_take_cpu(thread, observed);
    }
    if (!naming) {
        return;
    }
    thread->name_due_ns = now_ns + (thread->named_once ? NAME_EVERY_NS : NAME_SOON_NS);
    if (waited) {
        return;
    }
    sl_thread_name(&subject->threads, observed->thread.id, thread->name);
    if (thread->name[0] != '\0' || thread->named_once) {
        sl_string string = sl_recorder_string(recording->recorder, thread->name, strlen(thread->name));
        sl_recorder_thread_name(recording->recorder, thread->recorded.index, string != SL_NONE ? string : 0);
    }
    thread->named_runs = waits ? observed->runs : 0;
    thread->named_once = true;
}

#include "sound_profile.h"
#include "profile/utf8.h"

static const char *broken_string(const struct sl_profile *profile)
{
    if (profile->string_count == 0 || sl_profile_text_size(profile, 0) != 0) {
        return "string 0 is the empty one";
    }
    for (uint32_t i = 0; i < profile->string_count; i++) {
        if (profile->text_offsets[i + 1] <= profile->text_offsets[i]) {
            return "offsets of strings rise";
        }
        if (sl_profile_text(profile, i)[sl_profile_text_size(profile, i)] != '\0') {
            return "a NUL follows each string";
        }
        if (!sl_utf8_is_clean(sl_profile_text(profile, i), sl_profile_text_size(profile, i))) {
            return "strings are valid UTF-8";
        }
    }
    return NULL;
}

static const char *broken_stack(const struct sl_profile *profile)
{
    if (profile->function_count == 0 || profile->stack_count == 0) {
        return "number 0 is there";
    }
    for (uint32_t i = 0; i < profile->function_count; i++) {
        const struct sl_function_record *function = &profile->functions[i];
        if (function->name >= profile->string_count || function->file >= profile->string_count) {
            return "the strings of a function exist";
        }
        if (function->kind > SL_FUNCTION_MARK) {
            return "the kind of a function is known";
        }
    }
    for (uint32_t i = 0; i < profile->stack_count; i++) {
        const struct sl_stack_record *stack = &profile->stacks[i];
        if (stack->function >= profile->function_count) {
            return "the function of a stack exists";
        }
        if (i > 0 && stack->caller >= i) {
            return "a caller has a smaller number";
        }
    }
    return NULL;
}

static const char *broken_process(const struct sl_profile *profile)
{
    for (uint32_t i = 0; i < profile->process_count; i++) {
        const struct sl_process_record *process = &profile->processes[i];
        const sl_string strings[] = {process->command, process->python, process->executable, process->prefixes,
                                     process->path};
        for (size_t j = 0; j < sizeof strings / sizeof strings[0]; j++) {
            if (strings[j] >= profile->string_count) {
                return "the strings of a process exist";
            }
        }
        if (process->begin_ns > process->end_ns || process->end_ns > profile->facts.duration_ns) {
            return "a process lives within the recording";
        }
    }
    return NULL;
}

static const char *broken_run(const struct sl_profile *profile, uint32_t number)
{
    const struct sl_thread_record *thread = &profile->threads[number];
    uint64_t before_ns = thread->begin_ns;
    for (uint32_t i = thread->first_run; i < thread->first_run + thread->run_count; i++) {
        const struct sl_run *run = &profile->runs[i];
        if (run->thread != number || run->stack >= profile->stack_count || run->samples == 0) {
            return "a run has its thread, its stack and samples";
        }
        if (run->begin_ns < before_ns || run->end_ns < run->begin_ns || run->end_ns > thread->end_ns) {
            return "runs lie in order of time, within the life of their thread";
        }
        before_ns = run->end_ns;
    }
    return NULL;
}

static const char *broken_thread(const struct sl_profile *profile)
{
    uint32_t next_run = 0;
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const struct sl_thread_record *thread = &profile->threads[i];
        if (thread->process >= profile->process_count || thread->name >= profile->string_count ||
            thread->kind > SL_THREAD_SCOPE) {
            return "a thread has its process, its name and its kind";
        }
        if (thread->begin_ns > thread->end_ns || thread->end_ns > profile->facts.duration_ns) {
            return "a thread lives within the recording";
        }
        if (thread->first_run != next_run || thread->run_count > profile->run_count - next_run) {
            return "runs of a thread lie together, in the order of the threads";
        }
        next_run += thread->run_count;
        const char *broken = broken_run(profile, i);
        if (broken != NULL) {
            return broken;
        }
    }
    return next_run == profile->run_count ? NULL : "every run belongs to a thread";
}

static const char *broken_task(const struct sl_profile *profile)
{
    for (uint32_t i = 0; i < profile->task_count; i++) {
        const struct sl_task_record *task = &profile->tasks[i];
        if (task->thread >= profile->thread_count || task->coroutine >= profile->function_count || task->number == 0 ||
            task->number > SL_STATE_TASK_MAX) {
            return "a task has its thread, its function and a number";
        }
        const struct sl_task_record *before = i > 0 ? task - 1 : NULL;
        if (before != NULL &&
            (before->thread > task->thread || (before->thread == task->thread && before->number >= task->number))) {
            return "tasks are in order of threads and numbers";
        }
    }
    return NULL;
}

const char *broken_promise(const struct sl_profile *profile)
{
    if (profile->facts.description >= profile->string_count || profile->facts.version >= profile->string_count) {
        return "the strings of the facts exist";
    }
    if (profile->facts.interval_ns == 0) {
        return "there is an interval";
    }
    const char *broken = broken_string(profile);
    broken = broken != NULL ? broken : broken_stack(profile);
    broken = broken != NULL ? broken : broken_process(profile);
    broken = broken != NULL ? broken : broken_task(profile);
    return broken != NULL ? broken : broken_thread(profile);
}

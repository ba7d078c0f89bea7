#include "render/labels.h"

#include <inttypes.h>

static void append_string(struct sl_buffer *buffer, const struct sl_profile *profile, sl_string string)
{
    sl_buffer_append(buffer, sl_profile_text(profile, string), sl_profile_text_size(profile, string));
}

void sl_process_label(struct sl_buffer *buffer, const struct sl_profile *profile, uint32_t process)
{
    const struct sl_process_record *record = &profile->processes[process];
    if (sl_profile_text_size(profile, record->command) == 0) {
        sl_buffer_format(buffer, "process %" PRIu32, record->pid);
        return;
    }
    append_string(buffer, profile, record->command);
    sl_buffer_format(buffer, " (process %" PRIu32 ")", record->pid);
}

void sl_thread_label(struct sl_buffer *buffer, const struct sl_profile *profile, const struct sl_thread_summary *thread)
{
    const struct sl_thread_record *record = &profile->threads[thread->thread];
    if (record->kind == SL_THREAD_SCOPE) {
        bool described = sl_profile_text_size(profile, profile->facts.description) > 0;
        sl_string name = described ? profile->facts.description : record->name;
        append_string(buffer, profile, name);
        if (sl_profile_text_size(profile, name) == 0) {
            sl_buffer_text(buffer, "profiler");
        }
        return;
    }
    if (thread->name != SL_NONE) {
        append_string(buffer, profile, thread->name);
    } else if (record->main) {
        sl_buffer_format(buffer, "main thread (%" PRIu64 ")", record->id);
        return;
    } else if (thread->first_function != SL_NONE) {
        append_string(buffer, profile, profile->functions[thread->first_function].name);
    } else {
        sl_buffer_format(buffer, "thread %" PRIu64, record->id);
        return;
    }
    sl_buffer_format(buffer, " (thread %" PRIu64 ")", record->id);
}

const char *sl_mode_label(enum sl_mode mode)
{
    static const char *const labels[] = {
        [SL_MODE_WALL] = "all time",
        [SL_MODE_CPU] = "time on a CPU or ready for one",
        [SL_MODE_GIL] = "time holding the GIL",
    };
    return labels[mode];
}

const char *sl_function_kind_name(uint32_t kind)
{
    static const char *const names[] = {
        [SL_FUNCTION_PYTHON] = "python", [SL_FUNCTION_NATIVE] = "native", [SL_FUNCTION_MARK] = "mark"};
    return names[kind <= SL_FUNCTION_MARK ? kind : SL_FUNCTION_MARK];
}

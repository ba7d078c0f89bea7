#include "profile/combine_processes.h"

#include "base/array.h"
#include "profile/combine_match.h"

#include <stdlib.h>

/* Two recordings between which less time lies than this follow each other without a gap. */
#define GAP_NS UINT64_C(100000000)

static struct sl_match match_of(uint32_t pid, sl_string executable, sl_string command, uint32_t number)
{
    return (struct sl_match){.kind = {(uint64_t)pid << 32 | executable, command}, .number = number};
}

/* Whether the recording begins where the last one ended. */
static bool follows(const struct sl_joined_processes *processes, const struct sl_profile *profile)
{
    uint64_t start_ns = profile->facts.start_time_ns;
    uint64_t gap_ns = start_ns > processes->ended_ns ? start_ns - processes->ended_ns : processes->ended_ns - start_ns;
    return start_ns > 0 && processes->count > 0 && gap_ns < GAP_NS;
}

/* Finds the numbers of those that go on from one before; SL_NONE for all others. */
static bool find_earlier(struct sl_joined_processes *processes, const struct sl_profile *profile,
                         const sl_string *strings)
{
    struct sl_match *known = malloc(((size_t)processes->count + profile->process_count + 1) * sizeof *known);
    if (known == NULL) {
        return false;
    }
    /* What was executed in between has another command, in the same process. */
    bool any_command = follows(processes, profile);
    size_t known_count = 0;
    for (uint32_t i = 0; i < processes->count; i++) {
        const struct sl_joined_process *process = &processes->all[i];
        if (process->open) {
            known[known_count++] = match_of(process->pid, process->executable, any_command ? 0 : process->command, i);
        }
    }
    struct sl_match *added = known + known_count;
    for (uint32_t i = 0; i < profile->process_count; i++) {
        const struct sl_process_record *record = &profile->processes[i];
        added[i] = match_of(record->pid, strings[record->executable], any_command ? 0 : strings[record->command], i);
    }
    sl_match(known, known_count, added, profile->process_count);
    for (uint32_t i = 0; i < profile->process_count; i++) {
        processes->numbers[added[i].number] = added[i].earlier;
    }
    free(known);
    return true;
}

static uint32_t new_process(struct sl_joined_processes *processes, struct sl_recorder *recorder,
                            const struct sl_process_record *record)
{
    if (!sl_array_room(&processes->all, &processes->capacity, processes->count, sizeof *processes->all) ||
        sl_recorder_process(recorder, record) == SL_NONE) {
        return SL_NONE;
    }
    processes->all[processes->count] = (struct sl_joined_process){
        .pid = record->pid,
        .executable = record->executable,
        .command = record->command,
    };
    return processes->count++;
}

bool sl_joined_processes_add(struct sl_joined_processes *processes, struct sl_recorder *recorder,
                             const struct sl_profile *profile, const sl_string *strings, uint64_t offset_ns)
{
    free(processes->numbers);
    processes->numbers = malloc(((size_t)profile->process_count + 1) * sizeof *processes->numbers);
    if (processes->numbers == NULL || !find_earlier(processes, profile, strings)) {
        return false;
    }
    for (uint32_t i = 0; i < profile->process_count; i++) {
        struct sl_process_record record = profile->processes[i];
        bool lasts = record.end_ns == profile->facts.duration_ns && record.exit_status < 0;
        record.command = strings[record.command];
        record.python = strings[record.python];
        record.executable = strings[record.executable];
        record.prefixes = strings[record.prefixes];
        record.path = strings[record.path];
        record.begin_ns += offset_ns;
        uint32_t earlier = processes->numbers[i];
        uint32_t number = earlier != SL_NONE ? earlier : new_process(processes, recorder, &record);
        if (number == SL_NONE) {
            return false;
        }
        processes->numbers[i] = number;
        struct sl_joined_process *process = &processes->all[number];
        process->open = lasts;
        process->command = record.command;
        process->end_ns = record.end_ns + offset_ns;
        process->cpu_ns += record.cpu_ns;
        process->exit_status = record.exit_status;
    }
    processes->ended_ns = profile->facts.start_time_ns + profile->facts.duration_ns;
    return true;
}

void sl_joined_processes_end(const struct sl_joined_processes *processes, struct sl_recorder *recorder)
{
    for (uint32_t i = 0; i < processes->count; i++) {
        const struct sl_joined_process *process = &processes->all[i];
        sl_recorder_process_end(recorder, i, process->end_ns, process->cpu_ns, process->exit_status);
    }
}

void sl_joined_processes_destroy(struct sl_joined_processes *processes)
{
    free(processes->all);
    free(processes->numbers);
}

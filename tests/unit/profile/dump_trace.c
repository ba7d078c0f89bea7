/* dump_trace.c - prints what sl_trace_read makes of a trace, number by number, for a comparison with another reader:
 * `dump_trace FILE`. Strings are printed as their bytes in hexadecimal. */
#include "profile/trace_reader.h"

#include <inttypes.h>
#include <stdio.h>

static void print_string(const struct sl_profile *profile, sl_string string)
{
    putchar(' ');
    putchar('"');
    for (uint32_t i = 0; i < sl_profile_text_size(profile, string); i++) {
        printf("%02x", (unsigned char)sl_profile_text(profile, string)[i]);
    }
    putchar('"');
}

static void print_facts(const struct sl_profile *profile)
{
    const struct sl_facts *facts = &profile->facts;
    const uint64_t numbers[] = {
        facts->start_time_ns, facts->interval_ns,    facts->duration_ns, facts->looks,
        facts->samples,       facts->broken,         facts->missed,      facts->late,
        facts->retried,       facts->sampler_cpu_ns, facts->cpu_ns,      facts->children_cpu_ns,
    };
    printf("facts");
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        printf(" %" PRIu64, numbers[i]);
    }
    printf(" %d", facts->complete);
    print_string(profile, facts->description);
    print_string(profile, facts->version);
    putchar('\n');
}

static void print_processes(const struct sl_profile *profile)
{
    for (uint32_t i = 0; i < profile->process_count; i++) {
        const struct sl_process_record *process = &profile->processes[i];
        printf("process %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId32 " %" PRIu64, process->pid,
               process->parent_pid, process->begin_ns, process->end_ns, process->cpu_ns, process->exit_status,
               process->root);
        print_string(profile, process->command);
        print_string(profile, process->python);
        print_string(profile, process->executable);
        print_string(profile, process->prefixes);
        print_string(profile, process->path);
        putchar('\n');
    }
}

static void print_threads(const struct sl_profile *profile)
{
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const struct sl_thread_record *thread = &profile->threads[i];
        printf("thread %" PRIu32 " %" PRIu32 " %" PRIu64 " %d %" PRIu64 " %" PRIu64 " %" PRIu64, thread->process,
               thread->kind, thread->id, thread->main, thread->begin_ns, thread->end_ns, thread->cpu_ns);
        print_string(profile, thread->name);
        putchar('\n');
        for (uint32_t r = thread->first_run; r < thread->first_run + thread->run_count; r++) {
            const struct sl_run *run = &profile->runs[r];
            printf("run %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", run->begin_ns, run->end_ns,
                   run->stack, run->state, run->samples);
        }
    }
}

int main(int count, char **arguments)
{
    struct sl_error error = {0};
    struct sl_profile *profile = count == 2 ? sl_trace_read_file(arguments[1], &error) : NULL;
    if (profile == NULL) {
        fprintf(stderr, "dump_trace: %s\n", count == 2 ? error.sentence : "usage: dump_trace FILE");
        return 1;
    }
    print_facts(profile);
    for (uint32_t i = 0; i < profile->function_count; i++) {
        const struct sl_function_record *function = &profile->functions[i];
        printf("function %" PRIu32 " %" PRIu32, function->first_line, function->kind);
        print_string(profile, function->name);
        print_string(profile, function->file);
        putchar('\n');
    }
    for (uint32_t i = 0; i < profile->stack_count; i++) {
        const struct sl_stack_record *stack = &profile->stacks[i];
        printf("stack %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", stack->caller, stack->function, stack->line);
    }
    print_processes(profile);
    print_threads(profile);
    sl_profile_destroy(profile);
    return 0;
}

#include "support/profile_builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct column {
    char *items;
    size_t count, capacity, size;
};

struct builder {
    struct sl_profile profile;
    struct column text, offsets, functions, stacks, processes, threads, runs, sorted, tasks;
    uint32_t *stack_index; /* open addressing over stacks, number plus one */
    size_t stack_index_size;
};

static void *checked(void *memory)
{
    if (memory == NULL) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return memory;
}

static void *added(struct column *column, const void *items, size_t count)
{
    if (column->count + count > column->capacity) {
        column->capacity = (column->count + count) * 2;
        column->items = checked(realloc(column->items, column->capacity * column->size));
    }
    char *place = column->items + column->count * column->size;
    if (count > 0) {
        memcpy(place, items, count * column->size);
    }
    column->count += count;
    return place;
}

sl_string builder_bytes(struct builder *builder, const char *bytes, size_t size)
{
    const uint32_t *offsets = (const uint32_t *)(void *)builder->offsets.items;
    for (uint32_t i = 0; i + 1 < builder->offsets.count; i++) {
        if (offsets[i + 1] - offsets[i] - 1 == size && memcmp(builder->text.items + offsets[i], bytes, size) == 0) {
            return i;
        }
    }
    added(&builder->text, bytes, size);
    added(&builder->text, "", 1);
    uint32_t end = (uint32_t)builder->text.count;
    added(&builder->offsets, &end, 1);
    return (sl_string)builder->offsets.count - 2;
}

sl_string builder_string(struct builder *builder, const char *text)
{
    return builder_bytes(builder, text, strlen(text));
}

struct builder *builder_create(void)
{
    struct builder *builder = checked(calloc(1, sizeof *builder));
    builder->text.size = 1;
    builder->offsets.size = sizeof(uint32_t);
    builder->functions.size = sizeof(struct sl_function_record);
    builder->stacks.size = sizeof(struct sl_stack_record);
    builder->processes.size = sizeof(struct sl_process_record);
    builder->threads.size = sizeof(struct sl_thread_record);
    builder->runs.size = sizeof(struct sl_run);
    builder->sorted.size = sizeof(struct sl_run);
    builder->tasks.size = sizeof(struct sl_task_record);
    uint32_t zero = 0;
    added(&builder->offsets, &zero, 1);
    builder_string(builder, "");
    added(&builder->functions, &(struct sl_function_record){0}, 1);
    added(&builder->stacks, &(struct sl_stack_record){0}, 1);
    builder_process(builder, (struct sl_process_record){
                                 .pid = 100,
                                 .command = builder_string(builder, "app.py"),
                                 .python = builder_string(builder, "3.12.1"),
                                 .executable = builder_string(builder, "/usr/bin/python3.12"),
                                 .prefixes = builder_string(builder, "/usr\n/usr/lib/python3.12"),
                                 .path = builder_string(builder, "/app\n/usr/lib/python3.12\n"
                                                                 "/usr/lib/python3/dist-packages"),
                             });
    builder->profile.facts.interval_ns = 1000000;
    builder->profile.facts.complete = true;
    builder->profile.facts.version = builder_string(builder, "0.1.0");
    return builder;
}

void builder_destroy(struct builder *builder)
{
    struct column *columns[] = {&builder->text,   &builder->offsets,   &builder->functions,
                                &builder->stacks, &builder->processes, &builder->threads,
                                &builder->runs,   &builder->sorted,    &builder->tasks};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        free(columns[i]->items);
    }
    free(builder->stack_index);
    free(builder);
}

sl_function builder_namesake(struct builder *builder, const char *name, const char *file, uint32_t first_line)
{
    struct sl_function_record record = {
        .name = builder_string(builder, name), .file = builder_string(builder, file), .first_line = first_line};
    added(&builder->functions, &record, 1);
    return (sl_function)builder->functions.count - 1;
}

sl_function builder_function_of_kind(struct builder *builder, const char *name, const char *file,
                                     enum sl_function_kind kind)
{
    struct sl_function_record record = {
        .name = builder_string(builder, name), .file = builder_string(builder, file), .kind = kind};
    const struct sl_function_record *functions = (const void *)builder->functions.items;
    for (uint32_t i = 1; i < builder->functions.count; i++) {
        if (functions[i].name == record.name && functions[i].file == record.file && functions[i].kind == record.kind) {
            return i;
        }
    }
    record.first_line = kind == SL_FUNCTION_PYTHON ? 1 : 0;
    added(&builder->functions, &record, 1);
    return (sl_function)builder->functions.count - 1;
}

sl_function builder_function(struct builder *builder, const char *name, const char *file)
{
    return builder_function_of_kind(builder, name, file, SL_FUNCTION_PYTHON);
}

static size_t stack_place(const struct builder *builder, const struct sl_stack_record *record)
{
    const struct sl_stack_record *stacks = (const void *)builder->stacks.items;
    uint64_t hash = record->caller * UINT64_C(0x9e3779b97f4a7c15) ^ record->function * UINT64_C(0xc2b2ae3d27d4eb4f) ^
                    record->line * UINT64_C(0x165667b19e3779f9);
    size_t place = (hash ^ hash >> 31) & (builder->stack_index_size - 1);
    while (builder->stack_index[place] != 0 &&
           memcmp(&stacks[builder->stack_index[place] - 1], record, sizeof *record) != 0) {
        place = (place + 1) & (builder->stack_index_size - 1);
    }
    return place;
}

sl_stack builder_stack(struct builder *builder, sl_stack caller, sl_function function, uint32_t line)
{
    struct sl_stack_record record = {.caller = caller, .function = function, .line = line};
    if (builder->stacks.count * 2 >= builder->stack_index_size) {
        builder->stack_index_size = builder->stack_index_size == 0 ? 256 : builder->stack_index_size * 2;
        free(builder->stack_index);
        builder->stack_index = checked(calloc(builder->stack_index_size, sizeof *builder->stack_index));
        const struct sl_stack_record *stacks = (const void *)builder->stacks.items;
        for (uint32_t i = 1; i < builder->stacks.count; i++) {
            builder->stack_index[stack_place(builder, &stacks[i])] = i + 1;
        }
    }
    size_t place = stack_place(builder, &record);
    if (builder->stack_index[place] == 0) {
        added(&builder->stacks, &record, 1);
        builder->stack_index[place] = (uint32_t)builder->stacks.count;
    }
    return builder->stack_index[place] - 1;
}

/* By its name alone, in whatever file. */
static sl_function function_named(struct builder *builder, const char *name)
{
    sl_string wanted = builder_string(builder, name);
    const struct sl_function_record *functions = (const void *)builder->functions.items;
    for (uint32_t i = 1; i < builder->functions.count; i++) {
        if (functions[i].name == wanted) {
            return i;
        }
    }
    return builder_function(builder, name, "/app/app.py");
}

sl_stack builder_stack_named(struct builder *builder, const char *frames)
{
    sl_stack stack = 0;
    while (*frames != '\0') {
        char name[128];
        size_t size = strcspn(frames, " ");
        if (size >= sizeof name) {
            abort();
        }
        memcpy(name, frames, size);
        name[size] = '\0';
        frames += size + (frames[size] == ' ');
        char *colon = strrchr(name, ':');
        uint32_t line = colon == NULL ? 0 : (uint32_t)strtoul(colon + 1, NULL, 10);
        if (colon != NULL) {
            *colon = '\0';
        }
        stack = builder_stack(builder, stack, function_named(builder, name), line);
    }
    return stack;
}

uint32_t builder_process(struct builder *builder, struct sl_process_record process)
{
    added(&builder->processes, &process, 1);
    return (uint32_t)builder->processes.count - 1;
}

uint32_t builder_thread(struct builder *builder, uint32_t process, const char *name)
{
    struct sl_thread_record thread = {.process = process, .name = builder_string(builder, name), .main = true};
    const struct sl_thread_record *threads = (const void *)builder->threads.items;
    for (size_t i = 0; thread.main && i < builder->threads.count; i++) {
        thread.main = threads[i].process != process;
    }
    thread.id = 1000 + builder->threads.count;
    added(&builder->threads, &thread, 1);
    return (uint32_t)builder->threads.count - 1;
}

void builder_run(struct builder *builder, uint32_t thread, sl_stack stack, sl_state state, uint64_t begin_ns,
                 uint64_t end_ns, uint32_t samples)
{
    struct sl_run run = {
        .begin_ns = begin_ns, .end_ns = end_ns, .stack = stack, .state = state, .samples = samples, .thread = thread};
    added(&builder->runs, &run, 1);
    struct sl_thread_record *record = builder_thread_record(builder, thread);
    record->run_count++;
    record->end_ns = end_ns > record->end_ns ? end_ns : record->end_ns;
    struct sl_facts *facts = &builder->profile.facts;
    facts->duration_ns = end_ns > facts->duration_ns ? end_ns : facts->duration_ns;
    facts->samples += samples;
}

void builder_task(struct builder *builder, uint32_t thread, uint32_t number, sl_function coroutine)
{
    struct sl_task_record task = {.thread = thread, .number = number, .coroutine = coroutine};
    added(&builder->tasks, &task, 1);
}

void builder_ran(struct builder *builder, uint32_t thread, const char *frames, sl_state state, uint32_t milliseconds)
{
    uint64_t begin_ns = builder_thread_record(builder, thread)->end_ns;
    builder_run(builder, thread, builder_stack_named(builder, frames), state, begin_ns,
                begin_ns + milliseconds * UINT64_C(1000000), milliseconds);
}

struct sl_process_record *builder_process_record(struct builder *builder, uint32_t process)
{
    return &((struct sl_process_record *)(void *)builder->processes.items)[process];
}

struct sl_thread_record *builder_thread_record(struct builder *builder, uint32_t thread)
{
    return &((struct sl_thread_record *)(void *)builder->threads.items)[thread];
}

struct sl_facts *builder_facts(struct builder *builder)
{
    return &builder->profile.facts;
}

const struct sl_profile *builder_profile(struct builder *builder)
{
    struct sl_thread_record *threads = (struct sl_thread_record *)(void *)builder->threads.items;
    const struct sl_run *runs = (const void *)builder->runs.items;
    uint32_t first = 0;
    for (size_t i = 0; i < builder->threads.count; i++) {
        threads[i].first_run = first;
        first += threads[i].run_count;
        threads[i].run_count = 0;
    }
    builder->sorted.items = checked(realloc(builder->sorted.items, (builder->runs.count + 1) * sizeof *runs));
    struct sl_run *sorted = (struct sl_run *)(void *)builder->sorted.items;
    for (size_t i = 0; i < builder->runs.count; i++) {
        struct sl_thread_record *thread = &threads[runs[i].thread];
        sorted[thread->first_run + thread->run_count++] = runs[i];
    }
    struct sl_profile *profile = &builder->profile;
    profile->text = builder->text.items;
    profile->text_offsets = (const void *)builder->offsets.items;
    profile->string_count = (uint32_t)builder->offsets.count - 1;
    profile->functions = (const void *)builder->functions.items;
    profile->function_count = (uint32_t)builder->functions.count;
    profile->stacks = (const void *)builder->stacks.items;
    profile->stack_count = (uint32_t)builder->stacks.count;
    profile->processes = (const void *)builder->processes.items;
    profile->process_count = (uint32_t)builder->processes.count;
    profile->threads = threads;
    profile->thread_count = (uint32_t)builder->threads.count;
    profile->runs = sorted;
    profile->run_count = (uint32_t)builder->runs.count;
    profile->tasks = (const void *)builder->tasks.items;
    profile->task_count = (uint32_t)builder->tasks.count;
    return profile;
}

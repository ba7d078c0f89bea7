/* profile_builder.h - puts the columns of a profile together while a trace is read, in any state that the trace is in.
 *
 * A trace numbers what it defines. When a part of it is lost, so are the definitions in that part, and the numbers that
 * come later have a gap. The builder keeps which number of the trace is which of the profile; what refers to something
 * lost gets the mark [lost] in its place. */
#ifndef SL_PROFILE_PROFILE_BUILDER_H
#define SL_PROFILE_PROFILE_BUILDER_H

#include "base/error.h"
#include "profile/functions.h"
#include "profile/profile.h"
#include "profile/situations.h"
#include "profile/stacks.h"
#include "profile/strings.h"

/* Ranges of the trace's numbers that are known, in rising order. */
struct sl_numbering {
    struct sl_number_range {
        uint32_t first, count; /* in the trace */
        uint32_t base;         /* the number of the first one in the profile */
    } * ranges;
    uint32_t count, capacity;
};

struct sl_built_process {
    uint32_t number; /* in the trace */
    struct sl_process_record record;
    bool ended;
};

struct sl_built_thread {
    uint32_t number; /* in the trace */
    struct sl_thread_record record;
    bool ended;
    bool live;
    uint32_t seen; /* last block in whose list of live threads it was */
    sl_stack stem; /* its stacks begin above this one */
    struct sl_situation situation;
    uint64_t begin_ns; /* of its current run, and the look that began it */
    uint64_t first_look;
};

struct sl_profile_builder {
    struct sl_strings strings;
    struct sl_functions functions;
    struct sl_stacks stacks;
    struct sl_situations situations;
    struct sl_numbering string_numbers, function_numbers, stack_numbers, situation_numbers;
    sl_stack lost; /* the mark [lost] alone, SL_NONE until it is needed */

    struct sl_built_process *processes;
    uint32_t process_count, process_capacity;
    struct sl_hash_index process_index;
    struct sl_built_thread *threads;
    uint32_t thread_count, thread_capacity;
    struct sl_hash_index thread_index;

    struct sl_task_record *tasks; /* in the order in which they were told */
    uint32_t task_count, task_capacity;

    struct sl_run *runs; /* in the order in which they ended */
    uint32_t run_count, run_capacity;

    bool exhausted; /* memory; nothing that is added from then on counts */
};

void sl_profile_builder_init(struct sl_profile_builder *builder);
void sl_profile_builder_destroy(struct sl_profile_builder *builder);

/* Definitions: `number` is the trace's, larger than any before of its kind (the caller checks by `sl_numbering_next`).
 * Strings, functions and callers are the trace's numbers too; a line is told by its distance from the function's first.
 */
uint32_t sl_numbering_next(const struct sl_numbering *numbering);
void sl_build_string(struct sl_profile_builder *builder, uint32_t number, const char *bytes, size_t size);
void sl_build_function(struct sl_profile_builder *builder, uint32_t number, struct sl_function_record record);
void sl_build_stack(struct sl_profile_builder *builder, uint32_t number, uint32_t caller, uint32_t function,
                    int64_t line_offset);
void sl_build_situation(struct sl_profile_builder *builder, uint32_t number, uint32_t stack, sl_state state);

/* What the trace calls `number`: the mark [lost], or "" for a string, where it is not known. */
sl_string sl_built_string(const struct sl_profile_builder *builder, uint32_t number);
struct sl_situation sl_built_situation(struct sl_profile_builder *builder, uint32_t number);
struct sl_situation sl_built_lost(struct sl_profile_builder *builder);

/* The process or thread that the trace calls `number`; a blank one where its definition was lost. NULL when memory is
 * exhausted. Valid until the next call. */
struct sl_built_process *sl_built_process(struct sl_profile_builder *builder, uint32_t number);
struct sl_built_thread *sl_built_thread(struct sl_profile_builder *builder, uint32_t number);

/* A task of the thread that the trace calls `thread`; `coroutine` is the trace's number of the function. */
void sl_build_task(struct sl_profile_builder *builder, uint32_t thread, uint32_t number, uint32_t coroutine);

/* The stacks of the thread that the trace calls `thread` begin above the one that it calls `stack`; one that is not known
 * is none. */
void sl_build_stem(struct sl_profile_builder *builder, uint32_t thread, uint32_t stack);

/* Ends the current run of a thread before look `look`, which begins at `end_ns`. */
void sl_build_run_end(struct sl_profile_builder *builder, struct sl_built_thread *thread, uint64_t end_ns,
                      uint64_t look);

/* From look `look` on, at `begin_ns`, the thread is in `situation` (its stack is the profile's number). */
void sl_build_run(struct sl_profile_builder *builder, struct sl_built_thread *thread, uint64_t begin_ns, uint64_t look,
                  struct sl_situation situation);

/* What was built so far as a profile: its processes, threads and runs are its own (give them back by the function
 * below), the tables are the builder's, and valid until something is added. `facts` are put into it, with the trace's
 * numbers for the strings; `duration_ns` ends what did not end. False when memory is or was exhausted. */
bool sl_profile_view(const struct sl_profile_builder *builder, const struct sl_facts *facts, struct sl_profile *view);
void sl_profile_view_release(struct sl_profile *view);

/* The profile, which takes over what the builder holds, without the stems of its threads; else as the view. NULL when
 * memory is or was exhausted. */
struct sl_profile *sl_profile_build(struct sl_profile_builder *builder, const struct sl_facts *facts);

#endif

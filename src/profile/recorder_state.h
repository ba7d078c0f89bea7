/* recorder_state.h - the inside of a recorder: recorder.c collects, recorder_blocks.c puts into blocks. */
#ifndef SL_PROFILE_RECORDER_STATE_H
#define SL_PROFILE_RECORDER_STATE_H

#include "profile/functions.h"
#include "profile/recorder.h"
#include "profile/situations.h"
#include "profile/stacks.h"
#include "profile/strings.h"
#include "profile/trace_writer.h"

/* A block of looks is closed by itself when it holds this many, so that the memory for it is bounded even if nobody
 * flushes. 16,384 samples are a sixth of a second at 100,000 a second. */
#define SL_RECORDER_LOOKS_MAX 16384
#define SL_RECORDER_CHANGES_MAX 16384

/* How much a block of definitions holds. Strings are up to SL_STRING_BYTES_MAX long: one more than fits may be in it. */
#define SL_RECORDER_DEFINITIONS_MAX 65536
#define SL_RECORDER_TEXT_MAX ((size_t)4 * 1024 * 1024)

/* So many stacks, and situations, are remembered: beyond that what was not met again is forgotten, and written once more when
 * it is (remembered.h). It bounds the memory of a recording of a program whose stacks are hardly ever the same. Of a trace
 * that is kept in memory itself, finding what is there must not take more than the trace: an index of 65,536 slots does, with
 * what most looks add. */
#define SL_RECORDER_REMEMBERED_MAX ((uint32_t)1 << 20)
#define SL_RECORDER_REMEMBERED_IN_MEMORY_MAX (SL_HASH_ROOM((uint32_t)1 << 16) - 8192)

/* Threads that come and go between two flushes fill a block of definitions of their own when they take more. */
#define SL_RECORDER_EVENTS_MAX ((size_t)4 * 1024 * 1024)

struct sl_recorded_process {
    struct sl_process_record known;
    bool ended;
};

struct sl_recorded_thread {
    sl_string name;
    uint32_t place; /* in recorder.live, SL_NONE when it takes no part in looks */
    uint32_t situation;
    uint64_t changed_in; /* number of the last look in which it was named, plus one */
    uint32_t change;     /* its place in recorder.changes then */
    bool ended;
};

struct sl_recorded_look {
    uint64_t length_ns;
    uint32_t changes;
    uint8_t instant;
};

struct sl_recorded_change {
    uint32_t thread;
    uint32_t situation;
};

struct sl_recorded_live {
    uint32_t thread;
    uint32_t situation;
};

struct sl_recorder {
    struct sl_strings strings;
    struct sl_functions functions;
    struct sl_stacks stacks;
    struct sl_situations situations;
    uint32_t remembered_max; /* stacks, and situations */

    struct sl_recorded_process *processes;
    uint32_t process_count, process_capacity;
    struct sl_recorded_thread *threads;
    uint32_t thread_count, thread_capacity;
    uint32_t *live; /* threads that take part in looks; thread_capacity of them fit */
    uint32_t live_count;

    /* What is new since the last block of definitions: everything from these numbers on. */
    struct {
        uint32_t strings, functions, stacks, situations;
    } written;
    struct sl_buffer events;

    /* The block of looks that is being collected. */
    struct sl_recorded_look *looks;
    uint32_t look_count;
    struct sl_recorded_change *changes;
    uint32_t change_count, change_capacity;
    struct sl_recorded_live *live_at_begin; /* as of its begin, sorted by thread */
    uint32_t live_at_begin_count, live_at_begin_capacity;
    uint64_t begin_ns;
    uint32_t next_situation; /* higher than any that a change in a block before named */
    struct sl_buffer ends;
    uint32_t last_end; /* look before which the thread ended that `ends` names last */

    uint64_t time_ns; /* end of the last look */
    struct sl_facts facts;
    bool closed;

    struct sl_trace_writer writer;
    struct sl_buffer column;
};

/* sl_recorder_create for a trace that names another version of stacklapse as its maker. */
struct sl_recorder *sl_recorder_create_as(const struct sl_recorder_options *options, const char *version,
                                          struct sl_error *error);

/* Puts everything that was defined since the last time into blocks of its own, so that it lies before the looks that
 * refer to it; the first block of a trace comes even if nothing was. False when memory is exhausted: what was not written
 * stays pending. */
bool sl_recorder_write_definitions(struct sl_recorder *recorder);

/* Whether it is time for that because it lets go of what was written. */
bool sl_recorder_remembers_much(const struct sl_recorder *recorder);

/* Puts the looks collected so far into a block, and starts the next one. What cannot be written for want of memory is
 * given up, and counted. */
void sl_recorder_write_looks(struct sl_recorder *recorder);

/* The last block. */
bool sl_recorder_write_end(struct sl_recorder *recorder);

#endif

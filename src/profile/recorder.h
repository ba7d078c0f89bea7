/* recorder.h - the writing side of a recording: what the sampler saw goes in, a trace comes out.
 *
 * A recorder interns strings, functions and stacks, keeps what every thread did last, and writes only what is new or
 * changed (docs/trace-format.md). Whatever is handed in is written to the sink at most a second later
 * (`sl_recorder_flush`), so that a kill -9 loses no more than that. Its memory is the intern tables and one block; it
 * does not grow with the number of samples unless the sink is memory.
 *
 * Not thread-safe: one sampler owns one recorder. No function here waits for anything but the write(2) of a flush. */
#ifndef SL_PROFILE_RECORDER_H
#define SL_PROFILE_RECORDER_H

#include "base/buffer.h"
#include "base/error.h"
#include "profile/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_recorder;

struct sl_recorder_options {
    uint64_t start_time_ns; /* wall clock, since 1970 */
    uint64_t interval_ns;
    const char *description; /* NULL: none */
    const char *command;     /* that was started and ended up in Python; NULL: none */
    int descriptor;          /* an open file, which the caller closes; -1: the trace is kept in memory */
    bool late; /* the first block, which says what the trace is of, waits until something follows: for a trace in memory
                * that may be thrown away */
};

/* Writes the header. NULL with an error when memory is exhausted or the first write fails. */
struct sl_recorder *sl_recorder_create(const struct sl_recorder_options *options, struct sl_error *error);

/* Frees it. What was not flushed is lost: call `sl_recorder_close` before, unless the recording is given up. */
void sl_recorder_destroy(struct sl_recorder *recorder);

/* Interning. The same content gives the same number; a new one is added. A stack that comes back after very many others gets
 * another number; both are good then. Returns SL_NONE when memory is exhausted or 2^32 - 2 of them exist; the caller then
 * counts the sample as missed. `bytes` need not be valid UTF-8 (it is made so) nor NUL-terminated. O(size), and O(1) for
 * functions and stacks. */
sl_string sl_recorder_string(struct sl_recorder *recorder, const char *bytes, size_t size);
sl_function sl_recorder_function(struct sl_recorder *recorder, struct sl_function_record function);
sl_stack sl_recorder_stack(struct sl_recorder *recorder, sl_stack caller, sl_function function, uint32_t line);

/* The stack that consists of the mark `name` alone, such as "[broken]". */
sl_stack sl_recorder_mark(struct sl_recorder *recorder, const char *name);

/* A process or thread that is new to the recording. Returns its index, or SL_NONE. Of the record, `end_ns`, `cpu_ns`,
 * `exit_status`, `first_run` and `run_count` are ignored. */
uint32_t sl_recorder_process(struct sl_recorder *recorder, const struct sl_process_record *process);
uint32_t sl_recorder_thread(struct sl_recorder *recorder, const struct sl_thread_record *thread);

/* What became known later: replaces the strings of a process (its Python, prefixes, path, command) and its root, or a thread's
 * name. Writing what is already known writes nothing. */
void sl_recorder_process_update(struct sl_recorder *recorder, uint32_t process, const struct sl_process_record *known);
void sl_recorder_thread_name(struct sl_recorder *recorder, uint32_t thread, sl_string name);

/* What the samples of a thread mean from now on that were taken in its task `number` (state.h), 1 to SL_STATE_TASK_MAX: its
 * outermost coroutine; 0: several are counted as this one. */
void sl_recorder_task(struct sl_recorder *recorder, uint32_t thread, uint32_t number, sl_function coroutine);

/* What was seen of a thread begins above `stem`: of all stacks that go through that stack, a reader leaves it out, also of
 * those that were told before. The last one that is told counts. */
void sl_recorder_thread_stem(struct sl_recorder *recorder, uint32_t thread, sl_stack stem);

/* The end of a thread or process: it takes no part in later looks, and a thread's last run is cut or stretched to
 * `end_ns` (on the recording's clock). A thread that a look finds gone is ended before that look's `sl_recorder_look`.
 * Threads end before their process. */
void sl_recorder_thread_end(struct sl_recorder *recorder, uint32_t thread, uint64_t end_ns, uint64_t cpu_ns);
void sl_recorder_process_end(struct sl_recorder *recorder, uint32_t process, uint64_t end_ns, uint64_t cpu_ns,
                             int32_t exit_status);

/* One look: begins with `sl_recorder_look`, then come the samples of those threads whose stack or state is not as in
 * the look before. Every live thread that is not named keeps its last stack and state, and the look counts as one more
 * sample of it, so that 999 sleeping threads cost nothing.
 *
 * `begin_ns` to `end_ns` is the time the look stands for (its slot, and before it the slots that were skipped);
 * `instant_ns` when it was taken, to some microseconds. All on the recording's clock, which starts at 0. Looks come in
 * order of time and do not overlap. A thread's first sample stands for the part of the look that lies after the thread's
 * `begin_ns`, its last run lasts to the thread's end: a look is told before it is known whether its slot lies in the
 * recording to its end, so the run is cut or stretched to there (sl_recorder_thread_end, sl_recorder_close). */
void sl_recorder_look(struct sl_recorder *recorder, uint64_t begin_ns, uint64_t end_ns, uint64_t instant_ns);
void sl_recorder_sample(struct sl_recorder *recorder, uint32_t thread, sl_stack stack, sl_state state);

/* Writes out what is pending. Call it once a second, and when the sampler is idle. False when the sink
 * failed (disk full): the recorder then keeps what it has and tries again with the next flush, until 64 MiB are
 * pending; what does not fit is dropped from the oldest and told in the trace. */
bool sl_recorder_flush(struct sl_recorder *recorder, struct sl_error *error);

/* Bytes pending since the last flush: a sampler at a high rate flushes when they pass SL_RECORDER_BLOCK_BYTES. */
size_t sl_recorder_pending(const struct sl_recorder *recorder);
#define SL_RECORDER_BLOCK_BYTES ((size_t)256 * 1024)

/* The counters of the recording so far. The sampler adds to `broken`, `missed`, `late`, `retried`, `sampler_cpu_ns`,
 * `cpu_ns` and `children_cpu_ns` as it goes; the recorder counts `looks` and `samples` itself. They are written with
 * every flush, so that a trace that was cut off still tells them. */
struct sl_facts *sl_recorder_facts(struct sl_recorder *recorder);

/* The recording ends at `end_ns`, within the slot of the last look. That this look came before the end was only as likely as
 * the slot had passed by then, so it stands for as much time as if all of the slot had: for so much before the end, and the
 * look before it for so much less. If it stood for no more than what lies in the recording, what a program does last would be
 * seen too rarely, in many short recordings by much. To be called before `sl_recorder_close`; what was flushed stays as it
 * is. */
void sl_recorder_end_in_slot(struct sl_recorder *recorder, uint64_t end_ns);

/* Ends every thread and process that has not ended, at `duration_ns`, and writes the last block with the mark that the
 * recording is complete. The instant of the last look must not lie behind it; the end of its slot may. */
bool sl_recorder_close(struct sl_recorder *recorder, uint64_t duration_ns, struct sl_error *error);

/* The trace so far, for a recorder whose sink is memory: valid until the next call on it. */
const struct sl_buffer *sl_recorder_trace(const struct sl_recorder *recorder);

/* The same for the caller to keep, of a recorder that was closed, which then has none: its tables are many times as large. */
struct sl_buffer sl_recorder_take_trace(struct sl_recorder *recorder);

#endif

/* member_thread.h - a thread of a process as a recording has it: its number there, what it used before, its name, and
 * what its stack was translated to. It is the `viewer` of a subject's thread. */
#ifndef SL_SAMPLER_MEMBER_THREAD_H
#define SL_SAMPLER_MEMBER_THREAD_H

#include "sampler/recording.h"
#include "sampler/subject.h"
#include "sampler/translation.h"

struct sl_member_thread {
    struct sl_recording_thread recorded; /* with the index SL_NONE, it is not in the recording (yet) */
    pid_t id;
    bool main;
    char name[SL_THREAD_NAME_MAX];
    uint64_t cpu_before_ns; /* used before it was recorded */
    uint64_t cpu_ns;        /* used since, as last read */
    uint64_t name_due_ns;
    bool named_once;
    uint64_t named_runs; /* how often it had run then, if it waited */
    uint64_t task;       /* what the innermost of these walks said of it, as struct sl_walk */
    uint32_t task_code;
    sl_stack seen; /* what the walks of the look in progress were translated to; SL_NONE: memory exhausted */
    struct {
        uint64_t serial; /* of the subject's strand that it belongs to */
        struct sl_strand strand;
    } strands[SL_STRANDS_MAX];
};

/* A thread that begins in the recording. NULL when memory is exhausted. */
struct sl_member_thread *sl_member_thread_create(struct sl_recording *recording, uint32_t process, pid_t id, bool main,
                                                 uint64_t begin_ns);

/* Whether it is in the recording. One that the last recording had, and that was not seen in this one yet, is put into it, from
 * the begin on. False when memory is exhausted. */
bool sl_member_thread_enter(struct sl_member_thread *thread, struct sl_recording *recording, uint32_t process);

/* Ends it in the recording, which comes to its end, and counts its CPU time anew. */
void sl_member_thread_leave(struct sl_member_thread *thread, struct sl_recording *recording, uint64_t end_ns);

/* Ends it in the recording and frees it. */
void sl_member_thread_end(struct sl_member_thread *thread, struct sl_recording *recording, uint64_t end_ns);

/* Frees it only. NULL is allowed. */
void sl_member_thread_destroy(struct sl_member_thread *thread);

/* Its interpreter is gone: what was translated means nothing any more. */
void sl_member_thread_forget(struct sl_member_thread *thread);

/* Takes over the CPU time that was last read. */
void sl_member_thread_take_cpu(struct sl_member_thread *thread, const struct sl_subject_thread *observed);

/* A strand of it was walked; puts that on top of what `seen` holds by now. */
void sl_member_thread_walked(struct sl_member_thread *thread, struct sl_translation *translation,
                             const struct sl_python *python, size_t strand, uint64_t serial,
                             const struct sl_walk *walk);

/* Reads its CPU time again if it runs, since nobody can once it has ended; and its name if that is due: threads are
 * named late, and renamed. */
void sl_member_thread_refresh(struct sl_member_thread *thread, struct sl_recording *recording,
                              struct sl_subject *subject, struct sl_subject_thread *observed, uint64_t now_ns);

#endif

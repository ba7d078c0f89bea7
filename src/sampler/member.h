/* member.h - one process in a recording, from its start or from when it is joined to its end: waits until it is a
 * Python that can be read, looks at its threads, notices when it executes another program or ends, and tells the
 * recorder what is to be known of it. */
#ifndef SL_SAMPLER_MEMBER_H
#define SL_SAMPLER_MEMBER_H

#include "sampler/recording.h"
#include "sampler/session.h"
#include "sampler/subject.h"
#include "sampler/translation.h"

enum sl_member_phase {
    SL_MEMBER_STARTING, /* not readable yet: attaching is tried from time to time */
    SL_MEMBER_SAMPLING,
    SL_MEMBER_EXITING, /* its memory is gone, and it has not ended yet */
    SL_MEMBER_ENDED,
    SL_MEMBER_FAILED, /* cannot be read, and never will; `error` says why. It goes on unharmed */
};

/* Texts of a process's record. */
enum sl_member_text {
    SL_MEMBER_COMMAND,
    SL_MEMBER_PYTHON,
    SL_MEMBER_EXECUTABLE,
    SL_MEMBER_PREFIXES,
    SL_MEMBER_PATH,
    SL_MEMBER_TEXTS,
};

struct sl_member {
    enum sl_member_phase phase;
    struct sl_recording *recording;
    const struct sl_session_options *options;
    size_t *descriptors_left;
    size_t descriptors; /* that were set aside for it */

    struct sl_process process;
    int pid_descriptor; /* pidfd_open(2); readable once it has ended; -1 when the kernel has none */
    struct sl_python *python;
    struct sl_subject subject;
    struct sl_translation translation;

    bool was_sampled; /* it was readable at some time */
    bool named;       /* its command was given */
    bool joined;      /* it ran before the recording */
    bool past;        /* so its threads have a past, or they have one because it was recorded before */
    bool ran;         /* Python code was seen since its program was started */
    bool may_start;   /* the last attempt to attach said "not yet" */
    bool found;       /* a search came upon it, and would again */
    bool left;        /* it has executed what is no Python, and its recording ends with that, though it lives */
    bool left_told;
    sl_stack meanwhile; /* what stands for the time in which it runs no Python */
    struct sl_error error;
    uint64_t phase_since_ns;
    uint64_t refused_since_ns; /* since when every attempt said that it can never be read; 0: it did not */
    uint64_t attempt_due_ns;   /* to attach, or to see whether it has ended */

    uint32_t index; /* in the recorder */
    struct sl_process_record record;
    /* What the strings of `record` say, also in the next recording; owned; NULL: nothing. */
    char *texts[SL_MEMBER_TEXTS];
    struct sl_member_thread *main_thread; /* recorded from the start on, across exec; owned while no subject has it */
    uint64_t cpu_ns, children_cpu_ns;     /* while recorded, as last read */
    uint64_t cpu_before_ns, children_cpu_before_ns;
    uint64_t cpu_told_ns;     /* by what was recorded of the process earlier */
    uint64_t covered_ns;      /* CPU time of descendants that it waited for and that are recorded themselves */
    uint64_t children_all_ns; /* of all that it ever waited for, as last read */
    uint64_t facts_due_ns;
    uint64_t facts_read_ns; /* when that was tried last */
    unsigned facts_read;    /* how often, successfully */
    uint64_t threads_due_ns;
};

/* CPU time that its parent gets to see when it has waited for it, as last read, without what was told of it before. */
static inline uint64_t sl_member_new_cpu(const struct sl_member *member)
{
    return member->cpu_before_ns + member->cpu_ns + member->children_all_ns - member->cpu_told_ns;
}

/* Of the descendants that it has waited for, `covered_ns` more are accounted for. */
void sl_member_cover(struct sl_member *member, uint64_t covered_ns);

/* Joins a process to the recording. Times here are CLOCK_MONOTONIC. */
struct sl_member *sl_member_create(struct sl_recording *recording, const struct sl_session_options *options,
                                   const struct sl_session_target *target, size_t *descriptors_left, uint64_t now_ns,
                                   struct sl_error *error);
void sl_member_destroy(struct sl_member *member);

/* Whether it is to be looked at any more. */
static inline bool sl_member_over(const struct sl_member *member)
{
    return member->phase == SL_MEMBER_ENDED || member->phase == SL_MEMBER_FAILED;
}

/* Whether it was a Python that can be read at some time, even if no look came upon it, or was about to be one. */
static inline bool sl_member_came_up(const struct sl_member *member)
{
    return member->was_sampled || member->may_start || member->record.python != 0;
}

/* What is due between looks: attaching, noticing the end. To be called at `attempt_due_ns` or later, and when
 * `pid_descriptor` is readable. */
void sl_member_attempt(struct sl_member *member, uint64_t now_ns);

/* Looks at all its threads. */
void sl_member_look(struct sl_member *member, const struct sl_span *span);

/* Nobody has looked at its threads in the slots that the next look of the recording stands for. */
void sl_member_miss(struct sl_member *member);

/* Keeps up with what changes slowly: sys.path, the names of threads, CPU totals. Does only what is due. */
void sl_member_refresh(struct sl_member *member, uint64_t now_ns);

/* Before a recording ends and the next begins: what has ended by now does so in this one. */
void sl_member_notice(struct sl_member *member, uint64_t now_ns);

/* The recording ends: reads the last totals, and ends the process and its threads in it. Nothing of it is kept. */
void sl_member_leave(struct sl_member *member, uint64_t now_ns);

/* The next one, which `recording` is by now, begins while the process goes on: puts it into that. Its threads are put there
 * when they are looked at. False when memory is exhausted. */
bool sl_member_enter(struct sl_member *member);

/* Nothing follows on the recording that ends: also lets go of the process. */
void sl_member_finish(struct sl_member *member, uint64_t now_ns);

#endif

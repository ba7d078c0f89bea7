/* member_end.h - how a member comes to an end, or a part of it: a thread, its program, itself; the inside of member.h. Times
 * with `end_ns` are the recording's, others CLOCK_MONOTONIC. */
#ifndef SL_SAMPLER_MEMBER_END_H
#define SL_SAMPLER_MEMBER_END_H

#include "sampler/member.h"

static inline uint64_t sl_member_time(const struct sl_member *member, uint64_t now_ns)
{
    return now_ns > member->recording->base_ns ? now_ns - member->recording->base_ns : 0;
}

static inline void sl_member_set_phase(struct sl_member *member, enum sl_member_phase phase, uint64_t now_ns)
{
    member->phase = phase;
    member->phase_since_ns = now_ns;
    member->attempt_due_ns = now_ns;
}

/* The thread has ended, or the recording of it has. */
void sl_member_end_thread(struct sl_member *member, struct sl_subject_thread *observed, uint64_t end_ns);

/* Lets go of the interpreter, and of all threads but the first. */
void sl_member_stop_sampling(struct sl_member *member);

/* The memory that was read is gone: the process ends, or has executed another program. All threads but the first are
 * gone with it; that one is followed on. */
void sl_member_lose_memory(struct sl_member *member, uint64_t now_ns);

/* Nothing has come up yet in the program that it runs, a wrapper of a Python's or one that a Python has executed: that is no
 * Python, unless it is called one. */
void sl_member_tell_program(struct sl_member *member);

void sl_member_end_process(struct sl_member *member, uint64_t now_ns);

#endif

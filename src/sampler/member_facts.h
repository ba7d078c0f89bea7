/* member_facts.h - what the recorder is told of a process beside its stacks: its interpreter's paths and its CPU time; the
 * inside of member.h. */
#ifndef SL_SAMPLER_MEMBER_FACTS_H
#define SL_SAMPLER_MEMBER_FACTS_H

#include "sampler/member.h"

/* Of the recording. */
static inline struct sl_facts *sl_member_facts(const struct sl_member *member)
{
    return sl_recorder_facts(member->recording->recorder);
}

/* Puts a text into `record`; an empty one when memory is exhausted. */
void sl_member_know(struct sl_member *member, enum sl_member_text which, const char *text);

/* Puts all texts that are known into `record`, for a recorder that has not seen them. */
void sl_member_tell_texts(struct sl_member *member);

/* From now on its CPU time is counted from 0: what was used until now has been told. */
void sl_member_count_anew(struct sl_member *member);

/* What the interpreter says of itself, and when to ask again. */
void sl_member_read_facts(struct sl_member *member, uint64_t now_ns);

/* Whether that is to be asked again now. */
bool sl_member_facts_due(const struct sl_member *member, uint64_t now_ns);

/* CPU time of the process and of the children it has waited for. */
void sl_member_read_usage(struct sl_member *member);

/* What the process has waited for until now is not its program's: it was not yet a Python. */
void sl_member_leave_out_children(struct sl_member *member);

/* CPU time of the process alone, which costs less. Whoever waits for a process takes its counters away as soon as it has
 * ended, so they are read while it runs. */
void sl_member_read_cpu(struct sl_member *member);

#endif

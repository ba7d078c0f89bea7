/* subject_list.h - which thread states the interpreter lists, and which threads of the process they belong to; the inside
 * of subject.h. */
#ifndef SL_SAMPLER_SUBJECT_LIST_H
#define SL_SAMPLER_SUBJECT_LIST_H

#include "sampler/subject.h"

/* Whether it is time to read the list: it was not read for long, or is a long one in which a thread may have begun. */
bool sl_subject_list_due(const struct sl_subject *subject, uint64_t now_ns);

/* Reads the list, and brings `all` and the strands up to date: threads are added, strands added and taken out. Sets when it
 * is due again. False when the process is gone. */
bool sl_subject_read_list(struct sl_subject *subject, uint64_t now_ns);

#endif

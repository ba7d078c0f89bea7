/* host_sight.h - what is seen of one thread in a look, and what of that its recordings are told. */
#ifndef SL_SAMPLER_HOST_SIGHT_H
#define SL_SAMPLER_HOST_SIGHT_H

#include "sampler/host_looking.h"

/* Looks at the thread if any recording that is due wants to know, and tells those in whose scope it was seen. Of one that has
 * ended, recordings are told no more. */
void sl_host_look_at_thread(struct sl_host_look *look, struct sl_subject_thread *observed);

/* Looks at the thread whoever wants to know: look->walks are its walks. */
enum sl_sight sl_host_walk(struct sl_host_look *look, struct sl_subject_thread *observed);

/* Tells the view's recording what was seen: a sample of the thread's time, or for a scope one more that its sample may be
 * of. */
void sl_host_tell(struct sl_host_look *look, struct sl_host_view *view, const struct sl_subject_thread *observed,
                  enum sl_sight sight);

#endif

/* labels.h - what processes and threads are called where a format has one text for each. */
#ifndef SL_RENDER_LABELS_H
#define SL_RENDER_LABELS_H

#include "analysis/thread_summary.h"
#include "base/buffer.h"

/* `app.py --port 0 (process 4711)` */
void sl_process_label(struct sl_buffer *buffer, const struct sl_profile *profile, uint32_t process);

/* `main thread (4711)`, `worker-1 (thread 4712)`, `Pool.run (thread 4713)`, `thread 4714`; of a Profiler's scope the
 * description of the recording. */
void sl_thread_label(struct sl_buffer *buffer, const struct sl_profile *profile,
                     const struct sl_thread_summary *thread);

#endif

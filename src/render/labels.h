/* labels.h - what processes, threads, modes and kinds of functions are called where each has one text. */
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

/* What a mode counts: `all time`, `time holding the GIL`. */
const char *sl_mode_label(enum sl_mode mode);

/* `python`, `native`, `mark`. */
const char *sl_function_kind_name(uint32_t kind);

#endif

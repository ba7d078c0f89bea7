/* top_feed.h - a session whose recording is not kept but read while it is made.
 *
 * The session's thread writes its trace into a pipe twice a second, and never waits for that: what the pipe does not
 * take stays in the recorder. The view's thread reads it (profile/trace_follower.h). Nothing else is shared between the
 * two. */
#ifndef SL_CLI_TOP_FEED_H
#define SL_CLI_TOP_FEED_H

#include "cli/sampling.h"
#include "profile/trace_follower.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the recording told of CPU time at one moment. */
struct sl_top_use {
    uint64_t time_ns; /* on the recording's clock */
    uint64_t cpu_ns;  /* used until then by all recorded processes, those that have ended too */
};

/* A minute of them, at one in half a second. */
enum { SL_TOP_USES_MAX = 128 };

struct sl_top_feed {
    struct sl_sampling sampling;
    bool sampled;
    int descriptors[2]; /* of the pipe */
    struct sl_trace_follower *follower;
    struct sl_top_use uses[SL_TOP_USES_MAX]; /* a ring */
    size_t use_count, next_use;
};

/* A feed of nothing yet. To be closed in any case. */
bool sl_top_feed_open(struct sl_top_feed *feed, const struct sl_options *options, struct sl_error *error);
void sl_top_feed_close(struct sl_top_feed *feed);

/* To be called once the processes were added to `sampling`. */
bool sl_top_feed_start(struct sl_top_feed *feed, struct sl_error *error);

/* Readable when there is more. */
int sl_top_feed_descriptor(const struct sl_top_feed *feed);

/* Reads what there is. */
bool sl_top_feed_read(struct sl_top_feed *feed, struct sl_error *error);

/* CPUs in use in about the last `window_ns`, from the kernel's counters; below 0 when that is not known yet. */
double sl_top_feed_cpu_share(const struct sl_top_feed *feed, uint64_t window_ns);

#endif

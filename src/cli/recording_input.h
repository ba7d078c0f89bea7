/* recording_input.h - a recording that view, info or diff is asked for. */
#ifndef SL_CLI_RECORDING_INPUT_H
#define SL_CLI_RECORDING_INPUT_H

#include "base/buffer.h"
#include "cli/options.h"
#include "profile/profile.h"

struct sl_recording_input {
    const char *name; /* as it was named: "last", "3", a path */
    char *path;
    struct sl_profile *profile;
    /* The file's bytes, where they are to be saved as they are; of several, what they make together. */
    struct sl_buffer trace;
    bool partial; /* of several, some could not be read */
    struct sl_recording_named {
        const char *name;
        char *path;
    } * more; /* of several, the second one that could be read, and so on */
    size_t more_count;
};

/* Reads the recording that the operands name (none: the last one), and keeps its bytes if `keep_trace`. Several are put together
 * in their order (profile/combine.h), without those that cannot be read; name and path are then those of the first that can. Says
 * what is wrong, also when part of it is missing. Returns an exit code; SL_EXIT_DONE: it is open. */
int sl_recording_input_open(struct sl_recording_input *input, const struct sl_options *options, bool keep_trace);

/* The same for the recording of that name: "last", a number, a path. */
int sl_recording_input_open_named(struct sl_recording_input *input, const char *name, bool keep_trace);

/* Whether it has the time that --mode counts: folded stacks do not tell what a thread was doing, so they have all time
 * only. Says so if not. */
bool sl_recording_input_has_mode(const struct sl_recording_input *input, const struct sl_options *options);

void sl_recording_input_close(struct sl_recording_input *input);

#endif

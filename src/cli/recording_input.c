#include "cli/recording_input.h"

#include "cli/command.h"
#include "cli/recordings.h"
#include "profile/recording_file.h"
#include "profile/trace_reader.h"

#include <inttypes.h>
#include <stdlib.h>

int sl_recording_input_open(struct sl_recording_input *input, const struct sl_options *options, bool keep_trace)
{
    *input = (struct sl_recording_input){0};
    if (options->operand_count > 1) {
        sl_say("one recording at a time, not also '%s'", options->operands[1]);
        return SL_EXIT_USAGE;
    }
    return sl_recording_input_open_named(input, options->operand_count == 1 ? options->operands[0] : "last",
                                         keep_trace);
}

int sl_recording_input_open_named(struct sl_recording_input *input, const char *name, bool keep_trace)
{
    *input = (struct sl_recording_input){.name = name};
    struct sl_error error = {0};
    input->path = sl_recordings_find(input->name, &error);
    if (input->path != NULL) {
        input->profile = keep_trace ? sl_recording_file_read_trace(input->path, &input->trace, &error)
                                    : sl_recording_file_read(input->path, &error);
    }
    if (input->profile == NULL) {
        sl_say_error(&error);
        sl_recording_input_close(input);
        return SL_EXIT_FAILED;
    }
    const struct sl_facts *facts = &input->profile->facts;
    if (facts->lost_bytes > 0) {
        sl_say("%s is damaged: %" PRIu64 " of its %" PRIu64 " bytes could not be read", input->path, facts->lost_bytes,
               facts->trace_bytes);
    } else if (!facts->complete) {
        sl_say("%s was cut off while it was recorded: up to a second is missing at its end", input->path);
    }
    return SL_EXIT_DONE;
}

void sl_recording_input_close(struct sl_recording_input *input)
{
    sl_profile_destroy(input->profile);
    sl_buffer_destroy(&input->trace);
    free(input->path);
}

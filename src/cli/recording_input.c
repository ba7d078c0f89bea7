#include "cli/recording_input.h"

#include "cli/command.h"
#include "cli/recordings.h"
#include "profile/combine.h"
#include "profile/recording_file.h"
#include "profile/trace_reader.h"

#include <inttypes.h>
#include <stdlib.h>

/* Puts them together, one after the other as they are named. */
static bool combine(struct sl_recording_input *input, const struct sl_recording_input *parts, size_t count,
                    struct sl_error *error)
{
    const struct sl_profile **profiles = calloc(count, sizeof *profiles);
    if (profiles == NULL) {
        return sl_error_memory(error);
    }
    bool whole = true;
    for (size_t i = 0; i < count && whole; i++) {
        profiles[i] = parts[i].profile;
        whole = !sl_profile_is_folded(parts[i].profile) ||
                sl_error_set(error, SL_ERROR_FORMAT, "%s has folded stacks, which cannot be put together with others",
                             parts[i].path);
    }
    whole = whole && sl_profile_combine(profiles, count, &input->trace, error);
    free(profiles);
    input->profile = whole ? sl_trace_read(input->trace.bytes, input->trace.size, error) : NULL;
    return input->profile != NULL;
}

/* Takes over what the parts are called by. */
static bool take_names(struct sl_recording_input *input, struct sl_recording_input *parts, size_t count,
                       struct sl_error *error)
{
    input->more = calloc(count, sizeof *input->more);
    if (input->more == NULL) {
        return sl_error_memory(error);
    }
    input->name = parts[0].name;
    input->path = parts[0].path;
    parts[0].path = NULL;
    for (size_t i = 1; i < count; i++) {
        input->more[input->more_count++] = (struct sl_recording_named){parts[i].name, parts[i].path};
        parts[i].path = NULL;
    }
    return true;
}

/* Those that cannot be read are said, and left out. */
static int open_several(struct sl_recording_input *input, const char **names, size_t count)
{
    struct sl_error error = {0};
    struct sl_recording_input *parts = calloc(count, sizeof *parts);
    size_t opened = 0;
    bool named = false;
    for (size_t i = 0; i < count && parts != NULL; i++) {
        bool open = sl_recording_input_open_named(&parts[opened], names[i], false) == SL_EXIT_DONE;
        opened += open;
        input->partial |= !open;
    }
    if (parts == NULL) {
        sl_error_memory(&error);
    } else if (opened > 0 && combine(input, parts, opened, &error)) {
        named = take_names(input, parts, opened, &error);
    }
    for (size_t i = 0; i < opened; i++) {
        sl_recording_input_close(&parts[i]);
    }
    free(parts);
    if (error.kind != SL_ERROR_NONE) {
        sl_say_error(&error);
    }
    if (!named) {
        sl_recording_input_close(input);
        return SL_EXIT_FAILED;
    }
    return SL_EXIT_DONE;
}

int sl_recording_input_open(struct sl_recording_input *input, const struct sl_options *options, bool keep_trace)
{
    *input = (struct sl_recording_input){0};
    if (options->operand_count > 1) {
        return open_several(input, options->operands, options->operand_count);
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

bool sl_recording_input_has_mode(const struct sl_recording_input *input, const struct sl_options *options)
{
    if (options->mode == SL_MODE_WALL || !sl_profile_is_folded(input->profile)) {
        return true;
    }
    sl_say("%s has folded stacks, which do not tell when a thread was on a CPU or held the GIL: leave out --mode %s",
           input->path, sl_mode_words[options->mode]);
    return false;
}

void sl_recording_input_close(struct sl_recording_input *input)
{
    sl_profile_destroy(input->profile);
    sl_buffer_destroy(&input->trace);
    free(input->path);
    for (size_t i = 0; i < input->more_count; i++) {
        free(input->more[i].path);
    }
    free(input->more);
}

#include "profile/trace_reader.h"

#include "base/file.h"
#include "profile/trace_decoder.h"

struct sl_profile *sl_trace_read(const void *bytes, size_t size, struct sl_error *error)
{
    struct sl_profile *profile = NULL;
    struct sl_trace_blocks blocks;
    struct sl_trace_decoder decoder;
    sl_trace_decoder_init(&decoder);
    if (!sl_trace_blocks_open(&blocks, bytes, size, error)) {
        goto done;
    }
    enum sl_trace_step step = SL_TRACE_STEP_NONE;
    struct sl_trace_block_view block;
    while (!decoder.ended && !decoder.builder.exhausted &&
           (step = sl_trace_blocks_next(&blocks, &block)) == SL_TRACE_STEP_BLOCK) {
        sl_trace_decode(&decoder, &block);
    }
    if (step == SL_TRACE_STEP_MEMORY || decoder.builder.exhausted) {
        sl_error_memory(error);
        goto done;
    }
    sl_trace_decode_end(&decoder);

    struct sl_facts *facts = &decoder.facts;
    if (!decoder.ended) {
        facts->duration_ns = decoder.time_ns;
    }
    facts->interval_ns = facts->interval_ns > 0 ? facts->interval_ns : SL_INTERVAL_UNKNOWN;
    facts->trace_bytes = size;
    facts->lost_bytes = blocks.lost_bytes + decoder.lost_bytes + decoder.dropped_bytes;
    facts->complete = decoder.ended && decoder.whole && facts->lost_bytes == 0;
    profile = sl_profile_build(&decoder.builder, facts);
    if (profile == NULL) {
        sl_error_memory(error);
    }

done:
    sl_trace_blocks_close(&blocks);
    sl_trace_decoder_destroy(&decoder);
    return profile;
}

struct sl_profile *sl_trace_read_file(const char *path, struct sl_error *error)
{
    struct sl_buffer buffer;
    sl_buffer_init(&buffer);
    struct sl_profile *profile = NULL;
    if (sl_file_read(path, NULL, &buffer, error)) {
        struct sl_error reason = {0};
        profile = sl_trace_read(buffer.bytes != NULL ? buffer.bytes : "", buffer.size, &reason);
        if (profile == NULL) {
            sl_error_set(error, reason.kind, "cannot read %s: %s", path, reason.sentence);
        }
    }
    sl_buffer_destroy(&buffer);
    return profile;
}

/* One stack a line, from its root, frames joined by `;`, then a space and its time in whole microseconds: what
 * flamegraph.pl and everything that imitates it reads. Everything that was sampled is written, whatever its role. */
#include "analysis/stack_samples.h"
#include "analysis/thread_summary.h"
#include "profile/utf8.h"
#include "render/folded_text.h"
#include "render/labels.h"
#include "render/renderers.h"

#include <inttypes.h>
#include <string.h>

struct folded {
    const struct sl_profile *profile;
    struct sl_output *output;
    struct sl_buffer names;  /* what each function is written as, up to the line's number */
    size_t *name_ends;       /* of each function, in `names` */
    bool *located;           /* of each function: a place follows in brackets */
    sl_stack *way;           /* from a stack down to its root */
    struct sl_buffer prefix; /* the process and the thread, with a `;` after each */
    struct sl_buffer line;
    uint64_t written_ns; /* of all lines, so that their rounded weights add up */
};

void sl_folded_text(struct sl_buffer *buffer, const char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t control = sl_utf8_control_size((const unsigned char *)text + i, size - i);
        sl_buffer_byte(buffer, control > 0 ? ' ' : text[i] == ';' ? ',' : text[i]);
        i += control > 0 ? control : 1;
    }
}

const char *sl_folded_place(const struct sl_profile *profile, sl_function function)
{
    sl_string file = profile->functions[function].file;
    return sl_profile_text_size(profile, file) > 0 ? sl_short_path(profile, function) : "";
}

static bool prepare(struct folded *folded, struct sl_arena *arena)
{
    const struct sl_profile *profile = folded->profile;
    folded->name_ends = SL_ARENA_NEW(arena, size_t, (size_t)profile->function_count + 1);
    folded->way = SL_ARENA_NEW(arena, sl_stack, profile->stack_count);
    folded->located = SL_ARENA_NEW(arena, bool, profile->function_count);
    if (folded->name_ends == NULL || folded->located == NULL || folded->way == NULL) {
        return false;
    }
    for (sl_function i = 0; i < profile->function_count; i++) {
        const struct sl_function_record *record = &profile->functions[i];
        sl_folded_text(&folded->names, sl_profile_text(profile, record->name),
                       sl_profile_text_size(profile, record->name));
        const char *path = sl_folded_place(profile, i);
        folded->located[i] = path[0] != '\0';
        if (folded->located[i]) {
            sl_buffer_text(&folded->names, " (");
            sl_folded_text(&folded->names, path, strlen(path));
        }
        folded->name_ends[i] = folded->names.size;
    }
    return !folded->names.failed;
}

static void append_frame(struct folded *folded, const struct sl_stack_record *frame)
{
    size_t start = frame->function == 0 ? 0 : folded->name_ends[frame->function - 1];
    size_t end = folded->name_ends[frame->function];
    sl_buffer_append(&folded->line, folded->names.bytes + start, end - start);
    if (folded->located[frame->function]) {
        if (frame->line > 0) {
            sl_buffer_format(&folded->line, ":%u", frame->line);
        }
        sl_buffer_byte(&folded->line, ')');
    }
}

static void write_stack(struct folded *folded, sl_stack stack, uint64_t ns)
{
    /* Rounded by the sum so far, so that the weights add up to the rounded whole. */
    uint64_t before = (folded->written_ns + 500) / 1000;
    folded->written_ns += ns;
    uint64_t weight = (folded->written_ns + 500) / 1000 - before;
    if (weight == 0) {
        return;
    }
    sl_buffer_clear(&folded->line);
    uint32_t depth = 0;
    for (; stack != 0; stack = folded->profile->stacks[stack].caller) {
        folded->way[depth++] = stack;
    }
    sl_buffer_append(&folded->line, folded->prefix.bytes, folded->prefix.size);
    if (depth == 0) {
        sl_buffer_text(&folded->line, "[no stack]");
    }
    while (depth > 0) {
        append_frame(folded, &folded->profile->stacks[folded->way[--depth]]);
        if (depth > 0) {
            sl_buffer_byte(&folded->line, ';');
        }
    }
    sl_buffer_format(&folded->line, " %" PRIu64 "\n", weight);
    sl_output_write(folded->output, folded->line.bytes, folded->line.size);
}

/* The frames that stand for the process and the thread, where there are several. */
static void begin_thread(struct folded *folded, const struct sl_thread_summary *thread, bool processes, bool threads)
{
    sl_buffer_clear(&folded->prefix);
    struct sl_buffer label;
    sl_buffer_init(&label);
    if (processes) {
        sl_process_label(&label, folded->profile, folded->profile->threads[thread->thread].process);
        sl_folded_text(&folded->prefix, label.bytes, label.size);
        sl_buffer_byte(&folded->prefix, ';');
    }
    if (threads) {
        sl_buffer_clear(&label);
        sl_thread_label(&label, folded->profile, thread);
        sl_folded_text(&folded->prefix, label.bytes, label.size);
        sl_buffer_byte(&folded->prefix, ';');
    }
    folded->prefix.failed = folded->prefix.failed || label.failed;
    sl_buffer_destroy(&label);
}

static bool write_threads(struct folded *folded, const struct sl_render_options *options, struct sl_arena *arena)
{
    const struct sl_profile *profile = folded->profile;
    uint32_t count;
    const struct sl_thread_summary *threads = sl_thread_summaries(arena, profile, &options->selection, &count);
    const uint8_t *taken = sl_selection_stacks(arena, profile, &options->selection);
    struct sl_stack_samples samples;
    if (arena->exhausted || !sl_stack_samples_init(&samples, arena, profile, &options->selection, taken)) {
        return false;
    }
    bool processes = false;
    for (uint32_t i = 1; i < count && !options->merge_processes; i++) {
        processes =
            processes || profile->threads[threads[i].thread].process != profile->threads[threads[0].thread].process;
    }
    for (uint32_t i = 0; i < count; i++) {
        sl_stack_samples_clear(&samples);
        sl_stack_samples_add(&samples, threads[i].thread);
        begin_thread(folded, &threads[i], processes, count > 1);
        for (uint32_t j = 0; j < samples.touched_count; j++) {
            write_stack(folded, samples.touched[j], samples.stacks[samples.touched[j]].self.ns);
        }
    }
    return !folded->prefix.failed && !folded->line.failed && !arena->exhausted;
}

bool sl_render_folded(const struct sl_profile *profile, const struct sl_render_options *options,
                      struct sl_output *output, struct sl_error *error)
{
    struct folded folded = {.profile = profile, .output = output};
    struct sl_arena arena;
    sl_arena_init(&arena);
    bool done = prepare(&folded, &arena) && write_threads(&folded, options, &arena);
    sl_buffer_destroy(&folded.names);
    sl_buffer_destroy(&folded.prefix);
    sl_buffer_destroy(&folded.line);
    sl_arena_reset(&arena);
    return done || sl_error_memory(error);
}

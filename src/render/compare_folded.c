/* What differs between two recordings as folded stacks with two weights, in microseconds before and after: what
 * difffolded.pl of FlameGraph gives, and flamegraph.pl draws in red and blue. Frames have no lines, which move from one
 * version of a program to the next. */
#include "analysis/roles.h"
#include "render/compare.h"
#include "render/folded_text.h"
#include "render/renderers.h"

#include <inttypes.h>
#include <string.h>

struct folding {
    struct sl_compare compare;
    struct sl_output *output;
    uint32_t *way; /* from a node down to its root */
    double scale;  /* of what was before */
    struct sl_buffer line;
};

/* Where shares are compared: what was before as if it had lasted as long as what came after, as difffolded.pl -n
 * does. */
static double scale_of(const struct sl_compare *compare)
{
    const struct sl_amount *wholes = compare->differences->measure.wholes;
    bool scaled = compare->options->percent && wholes[SL_BEFORE].ns > 0 && wholes[SL_AFTER].ns > 0;
    return scaled ? (double)wholes[SL_AFTER].ns / (double)wholes[SL_BEFORE].ns : 1;
}

static void append_function(struct folding *folding, const struct sl_node_difference *node)
{
    int named = sl_compare_named(node->functions);
    const struct sl_profile *profile = folding->compare.sides[named].profile;
    sl_function function = node->functions[named];
    sl_string name = profile->functions[function].name;
    sl_folded_text(&folding->line, sl_profile_text(profile, name), sl_profile_text_size(profile, name));
    const char *path = sl_folded_place(profile, function);
    if (path[0] != '\0') {
        sl_buffer_text(&folding->line, " (");
        sl_folded_text(&folding->line, path, strlen(path));
        sl_buffer_byte(&folding->line, ')');
    }
}

static void write_node(struct folding *folding, uint32_t node)
{
    const struct sl_node_difference *nodes = folding->compare.differences->nodes;
    uint64_t before_ns = nodes[node].self[SL_BEFORE].ns;
    before_ns = folding->scale == 1 ? before_ns : sl_compare_whole_ns((double)before_ns * folding->scale);
    uint64_t before = before_ns / 1000 + (before_ns % 1000 >= 500);
    uint64_t after = (nodes[node].self[SL_AFTER].ns + 500) / 1000;
    if (before == 0 && after == 0) {
        return;
    }
    uint32_t depth = 0;
    for (uint32_t at = node; at != 0; at = nodes[at].parent) {
        folding->way[depth++] = at;
    }
    sl_buffer_clear(&folding->line);
    if (depth == 0) {
        sl_buffer_text(&folding->line, "[no stack]");
    }
    while (depth > 0) {
        append_function(folding, &nodes[folding->way[--depth]]);
        if (depth > 0) {
            sl_buffer_byte(&folding->line, ';');
        }
    }
    sl_buffer_format(&folding->line, " %" PRIu64 " %" PRIu64 "\n", before, after);
    sl_output_write(folding->output, folding->line.bytes, folding->line.size);
}

bool sl_compare_folded(const struct sl_comparison *comparison, const struct sl_render_options *options,
                       struct sl_output *output, struct sl_error *error)
{
    struct folding folding = {.output = output};
    sl_buffer_init(&folding.line);
    bool done = sl_compare_open(&folding.compare, comparison, options, (struct sl_compare_needs){.trees = true}, error);
    if (done) {
        uint32_t count = folding.compare.differences->node_count;
        folding.scale = scale_of(&folding.compare);
        folding.way = SL_ARENA_NEW(&folding.compare.arena, uint32_t, count);
        for (uint32_t node = 0; folding.way != NULL && node < count; node++) {
            write_node(&folding, node);
        }
        done = (folding.way != NULL && !folding.line.failed) || sl_error_memory(error);
    }
    sl_buffer_destroy(&folding.line);
    sl_compare_close(&folding.compare);
    return done;
}

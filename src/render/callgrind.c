/* callgrind.c - what KCachegrind and callgrind_annotate read (Valgrind manual, "Callgrind Format Specification").
 *
 * A function's block has its own time by line, and for each call the line, the callee and the time spent in the call.
 * Readers take the inclusive time of a function to be that of the calls to it. For recursion to come out right, a
 * sample therefore counts for one call of each function on its stack only: the outermost. So that every function is
 * called by another, those at the bottom of a stack are called by a function `(root)`, which is nobody's. */
#include "analysis/functions.h"
#include "base/arena.h"
#include "base/hash_index.h"
#include "profile/utf8.h"
#include "render/renderers.h"

#include <inttypes.h>
#include <string.h>

struct call {
    sl_function caller;
    sl_function callee;
    uint32_t line;
    uint32_t next; /* of the same caller, SL_NONE at the end */
    uint64_t ns;
    uint64_t samples;
};

struct calls {
    struct call *items;
    uint32_t count;
    uint32_t *first; /* for each caller */
    struct sl_hash_index index;
};

/* What the walk over all stacks needs: one number each. */
struct walk {
    const struct sl_profile *profile;
    struct sl_amount *self;
    struct sl_amount *total; /* of a stack and all on top of it */
    sl_stack *first_child;
    sl_stack *next_sibling;
    sl_stack *outermost; /* for each function its outermost frame on the present path, 0: none */
};

static struct call *call_of(struct calls *calls, sl_function caller, uint32_t line, sl_function callee)
{
    uint64_t mixed = sl_hash_mix((uint64_t)caller << 32 | callee) ^ line;
    uint32_t hash = (uint32_t)sl_hash_mix(mixed);
    struct sl_hash_probe probe = sl_hash_probe(&calls->index, hash);
    for (uint32_t number; (number = sl_hash_next(&calls->index, &probe)) != SL_HASH_NONE;) {
        struct call *call = &calls->items[number];
        if (call->caller == caller && call->callee == callee && call->line == line) {
            return call;
        }
    }
    if (!sl_hash_index_add(&calls->index, hash, calls->count)) {
        return NULL;
    }
    struct call *call = &calls->items[calls->count];
    *call = (struct call){.caller = caller, .callee = callee, .line = line, .next = calls->first[caller]};
    calls->first[caller] = calls->count++;
    return call;
}

static bool prepare(struct walk *walk, struct calls *calls, struct sl_arena *arena, const struct sl_profile *profile,
                    const struct sl_selection *selection)
{
    size_t stacks = profile->stack_count;
    walk->profile = profile;
    walk->self = SL_ARENA_NEW(arena, struct sl_amount, stacks);
    walk->total = SL_ARENA_NEW(arena, struct sl_amount, stacks);
    walk->first_child = SL_ARENA_NEW(arena, sl_stack, stacks);
    walk->next_sibling = SL_ARENA_NEW(arena, sl_stack, stacks);
    walk->outermost = SL_ARENA_NEW(arena, sl_stack, profile->function_count);
    calls->items = SL_ARENA_NEW(arena, struct call, stacks);
    calls->first = SL_ARENA_NEW(arena, uint32_t, profile->function_count);
    if (arena->exhausted) {
        return false;
    }
    memset(calls->first, 0xff, profile->function_count * sizeof *calls->first);
    sl_stack_amounts(profile, selection, SL_NONE, walk->self);
    memcpy(walk->total, walk->self, stacks * sizeof *walk->total);
    for (sl_stack stack = profile->stack_count; stack-- > 1;) {
        sl_stack caller = profile->stacks[stack].caller;
        walk->next_sibling[stack] = walk->first_child[caller];
        walk->first_child[caller] = stack;
        walk->total[caller].ns += walk->total[stack].ns;
        walk->total[caller].samples += walk->total[stack].samples;
    }
    return true;
}

/* Adds all the time on top of `stack` to the call that made it, if that is the outermost of its function. */
static bool count_frame(struct walk *walk, struct calls *calls, sl_stack stack)
{
    const struct sl_stack_record *stacks = walk->profile->stacks;
    if (walk->outermost[stacks[stack].function] != stack || walk->total[stack].ns == 0) {
        return true;
    }
    const struct sl_stack_record *caller = &stacks[stacks[stack].caller];
    struct call *call = call_of(calls, caller->function, caller->line, stacks[stack].function);
    if (call == NULL) {
        return false;
    }
    call->ns += walk->total[stack].ns;
    call->samples += walk->total[stack].samples;
    return true;
}

static bool count_calls(struct walk *walk, struct calls *calls)
{
    const struct sl_stack_record *stacks = walk->profile->stacks;
    sl_stack stack = walk->profile->stack_count > 0 ? walk->first_child[0] : 0;
    while (stack != 0) {
        sl_function function = stacks[stack].function;
        if (walk->outermost[function] == 0) {
            walk->outermost[function] = stack;
        }
        if (!count_frame(walk, calls, stack)) {
            return false;
        }
        if (walk->first_child[stack] != 0) {
            stack = walk->first_child[stack];
            continue;
        }
        while (stack != 0) {
            if (walk->outermost[stacks[stack].function] == stack) {
                walk->outermost[stacks[stack].function] = 0;
            }
            if (walk->next_sibling[stack] != 0) {
                stack = walk->next_sibling[stack];
                break;
            }
            stack = stacks[stack].caller;
        }
    }
    return true;
}

/* A name ends at the end of its line. Each is written once, after that by number: `(7) name`, then `(7)`. */
static void write_name(struct sl_output *output, const struct sl_profile *profile, const char *key, uint32_t number,
                       sl_string name, const char *no_name, bool *written)
{
    sl_output_format(output, "%s=(%u)", key, number);
    if (!*written) {
        *written = true;
        const char *text = sl_profile_text(profile, name);
        uint32_t size = sl_profile_text_size(profile, name);
        sl_output_write(output, " ", 1);
        for (size_t i = 0; i < size;) {
            size_t control = sl_utf8_control_size((const unsigned char *)text + i, size - i);
            sl_output_write(output, control > 0 ? " " : text + i, 1);
            i += control > 0 ? control : 1;
        }
        if (size == 0) {
            sl_output_text(output, no_name);
        }
    }
    sl_output_text(output, "\n");
}

struct names {
    bool *function; /* written already */
    bool *file;     /* by string */
};

static void write_function(struct sl_output *output, const struct sl_profile *profile, struct names *names,
                           sl_function function, const char *file_key, const char *function_key)
{
    const struct sl_function_record *record = &profile->functions[function];
    /* ??? is Valgrind's own sign for an unknown file; function 0 is the empty one. */
    write_name(output, profile, file_key, record->file + 1, record->file, "???", &names->file[record->file]);
    write_name(output, profile, function_key, function + 1, record->name, "(root)", &names->function[function]);
}

static void write_calls(struct sl_output *output, const struct sl_profile *profile, struct names *names,
                        const struct calls *calls, sl_function caller)
{
    for (uint32_t number = calls->first[caller]; number != SL_NONE; number = calls->items[number].next) {
        const struct call *call = &calls->items[number];
        if (call->ns == 0) {
            continue;
        }
        write_function(output, profile, names, call->callee, "cfi", "cfn");
        sl_output_format(output, "calls=%" PRIu64 " %u\n%u %" PRIu64 " %" PRIu64 "\n",
                         call->samples > 0 ? call->samples : 1, profile->functions[call->callee].first_line, call->line,
                         call->ns, call->samples);
    }
}

static void write_header(struct sl_output *output, const struct sl_profile *profile, enum sl_mode mode,
                         struct sl_amount sum)
{
    const char *word = sl_mode_words[mode];
    sl_output_text(output, "# callgrind format\nversion: 1\ncreator: stacklapse " SL_VERSION "\n");
    if (profile->process_count > 0) {
        sl_output_format(output, "pid: %u\n", profile->processes[0].pid);
    }
    sl_output_format(output,
                     "positions: line\nevent: %s_ns : %s time, nanoseconds\nevent: samples : samples\n"
                     "events: %s_ns samples\n",
                     word, word, word);
    sl_output_format(output, "summary: %" PRIu64 " %" PRIu64 "\n\n", sum.ns, sum.samples);
}

bool sl_render_callgrind(const struct sl_profile *profile, const struct sl_render_options *options,
                         struct sl_output *output, struct sl_error *error)
{
    struct sl_arena arena;
    sl_arena_init(&arena);
    struct walk walk = {0};
    struct calls calls = {0};
    sl_hash_index_init(&calls.index);
    uint32_t line_count = 0;
    const struct sl_line_total *lines = sl_line_totals(&arena, NULL, profile, &options->selection, &line_count);
    struct names names = {
        .function = SL_ARENA_NEW(&arena, bool, profile->function_count),
        .file = SL_ARENA_NEW(&arena, bool, profile->string_count),
    };
    bool done = prepare(&walk, &calls, &arena, profile, &options->selection) && count_calls(&walk, &calls);
    if (done) {
        struct sl_amount sum = {0};
        if (profile->stack_count > 0) {
            sum = walk.total[0];
        }
        write_header(output, profile, options->selection.mode, sum);
        if (profile->function_count > 0) {
            write_function(output, profile, &names, 0, "fl", "fn");
            write_calls(output, profile, &names, &calls, 0);
        }
        for (uint32_t i = 0; i < line_count;) {
            sl_function function = lines[i].function;
            write_function(output, profile, &names, function, "fl", "fn");
            for (; i < line_count && lines[i].function == function; i++) {
                if (lines[i].self.ns > 0) {
                    sl_output_format(output, "%u %" PRIu64 " %" PRIu64 "\n", lines[i].line, lines[i].self.ns,
                                     lines[i].self.samples);
                }
            }
            write_calls(output, profile, &names, &calls, function);
            sl_output_text(output, "\n");
        }
        sl_output_format(output, "totals: %" PRIu64 " %" PRIu64 "\n", sum.ns, sum.samples);
    }
    sl_hash_index_destroy(&calls.index);
    sl_arena_reset(&arena);
    return done ? true : sl_error_memory(error);
}

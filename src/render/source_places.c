#include "render/source_places.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int unseen = INT_MIN;

static int place_of_root(const struct sl_render_options *options, uint64_t root)
{
    if (root == 0) {
        return AT_FDCWD;
    }
    for (size_t i = 0; i < options->source_root_count; i++) {
        if (options->source_roots[i].root == root) {
            return options->source_roots[i].descriptor;
        }
    }
    return SL_SOURCE_NOWHERE;
}

/* What was seen at `other` too. */
static void meet(int *place, int other)
{
    if (other != unseen && *place != other) {
        *place = *place == unseen ? other : SL_SOURCE_NOWHERE;
    }
}

static bool all_ours(const struct sl_profile *profile)
{
    for (uint32_t i = 0; i < profile->process_count; i++) {
        if (profile->processes[i].root != 0) {
            return false;
        }
    }
    return true;
}

static bool find_places(struct sl_arena *arena, const struct sl_profile *profile,
                        const struct sl_render_options *options, int *places)
{
    int *processes = SL_ARENA_NEW(arena, int, profile->process_count);
    int *stacks = SL_ARENA_NEW(arena, int, profile->stack_count);
    if (processes == NULL || stacks == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < profile->process_count; i++) {
        processes[i] = place_of_root(options, profile->processes[i].root);
    }
    for (uint32_t i = 0; i < profile->stack_count; i++) {
        stacks[i] = unseen;
    }
    for (uint32_t i = 0; i < profile->run_count; i++) {
        const struct sl_run *run = &profile->runs[i];
        meet(&stacks[run->stack], processes[profile->threads[run->thread].process]);
    }
    /* Callers come before what they call. */
    for (sl_stack stack = profile->stack_count; stack-- > 1;) {
        const struct sl_stack_record *record = &profile->stacks[stack];
        meet(&places[profile->functions[record->function].file], stacks[stack]);
        meet(&stacks[record->caller], stacks[stack]);
    }
    return true;
}

const int *sl_source_places(struct sl_arena *arena, const struct sl_profile *profile,
                            const struct sl_render_options *options)
{
    int *places = SL_ARENA_NEW(arena, int, profile->string_count);
    if (places == NULL) {
        return NULL;
    }
    bool ours = all_ours(profile);
    for (uint32_t i = 0; i < profile->string_count; i++) {
        places[i] = ours ? AT_FDCWD : unseen;
    }
    return ours || find_places(arena, profile, options, places) ? places : NULL;
}

const char *sl_source_given_text(const struct sl_render_options *options, const char *path)
{
    for (size_t i = 0; i < options->given_source_count; i++) {
        if (strcmp(options->given_sources[i].path, path) == 0) {
            return options->given_sources[i].text;
        }
    }
    return NULL;
}

int sl_source_open(int place, const char *path, int flags)
{
    if (place == AT_FDCWD) {
        return open(path, flags | O_CLOEXEC);
    }
    if (place < 0) {
        errno = ENOENT;
        return -1;
    }
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, place, path, &how, sizeof how);
}

/* The life of a profile outside the report page, where nobody frees one. */
#include "profile/trace_follower.h"
#include "profile/trace_reader.h"

#include <stdlib.h>
#include <string.h>

void sl_profile_destroy(struct sl_profile *profile)
{
    if (profile == NULL) {
        return;
    }
    free((void *)profile->text);
    free((void *)profile->text_offsets);
    free((void *)profile->functions);
    free((void *)profile->stacks);
    free((void *)profile->processes);
    free((void *)profile->threads);
    free((void *)profile->tasks);
    free((void *)profile->runs);
    free(profile);
}

static void *copied(const void *array, size_t count, size_t size)
{
    void *copy = malloc((count + 1) * size);
    if (copy != NULL && count > 0) {
        memcpy(copy, array, count * size);
    }
    return copy;
}

struct sl_profile *sl_profile_copy(const struct sl_profile *profile)
{
    struct sl_profile *copy = malloc(sizeof *copy);
    if (copy == NULL) {
        return NULL;
    }
    size_t text_size = profile->string_count > 0 ? profile->text_offsets[profile->string_count] : 0;
    size_t offsets = profile->string_count > 0 ? (size_t)profile->string_count + 1 : 0;
    *copy = *profile;
    copy->text = copied(profile->text, text_size, 1);
    copy->text_offsets = copied(profile->text_offsets, offsets, sizeof *profile->text_offsets);
    copy->functions = copied(profile->functions, profile->function_count, sizeof *profile->functions);
    copy->stacks = copied(profile->stacks, profile->stack_count, sizeof *profile->stacks);
    copy->processes = copied(profile->processes, profile->process_count, sizeof *profile->processes);
    copy->threads = copied(profile->threads, profile->thread_count, sizeof *profile->threads);
    copy->tasks = copied(profile->tasks, profile->task_count, sizeof *profile->tasks);
    copy->runs = copied(profile->runs, profile->run_count, sizeof *profile->runs);
    if (copy->text == NULL || copy->text_offsets == NULL || copy->functions == NULL || copy->stacks == NULL ||
        copy->processes == NULL || copy->threads == NULL || copy->tasks == NULL || copy->runs == NULL) {
        sl_profile_destroy(copy);
        return NULL;
    }
    return copy;
}

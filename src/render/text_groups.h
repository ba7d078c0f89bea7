/* text_groups.h - which trees the text report has: one for each process and thread that did something.
 *
 * Threads that do the same (the workers of a pool: alike in name but for their numbers, and in the function they run)
 * are added up in one tree, because thirty equal trees are nothing that anyone reads. */
#ifndef SL_RENDER_TEXT_GROUPS_H
#define SL_RENDER_TEXT_GROUPS_H

#include "analysis/thread_summary.h"
#include "render/text_parts.h"

/* Enough to tell names apart, of which the kernel keeps 15 bytes. */
#define SL_TEXT_STEM_SIZE 64

struct sl_text_member {
    const struct sl_thread_summary *summary;
    const struct sl_thread_record *record;
    char stem[SL_TEXT_STEM_SIZE]; /* the name with every number replaced by # */
};

/* Threads in one tree. */
struct sl_text_group {
    const struct sl_text_member *members;
    uint32_t count;
    struct sl_amount total;
    struct sl_amount running;
    uint64_t cpu_ns;
};

struct sl_text_process {
    uint32_t process;
    struct sl_text_group *groups;
    uint32_t group_count;
    uint32_t thread_count;
    uint32_t idle;
    struct sl_amount total;
    struct sl_amount running;
};

/* The processes with their groups, in the order in which they are shown; their number in `*count`. With
 * `merge_processes` all are one. NULL when memory is exhausted. */
struct sl_text_process *sl_text_processes(struct sl_text *text, uint32_t *count);

#endif

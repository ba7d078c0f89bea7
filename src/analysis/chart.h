/* chart.h - what ran when: the boxes of a chart in order of time, one lane for each thread or task, and the strip of its states.
 *
 * A chart is asked for as it will be drawn: for a span of time and the time that a pixel stands for. What is narrower
 * than a pixel is merged, so that the number of boxes is bounded by the pixels and not by the samples. */
#ifndef SL_ANALYSIS_CHART_H
#define SL_ANALYSIS_CHART_H

#include "analysis/kinds.h"
#include "analysis/selection.h"

/* The frames that a chart shows: the stacks with lines merged and library code folded as in a call tree, numbered so
 * that a frame's caller has a smaller number. Frame 0 is the empty one. */
struct sl_frames {
    uint32_t *callers;
    sl_function *functions;
    uint32_t *depths; /* the outermost frame has depth 1 */
    uint32_t count;
    uint32_t *of_stack; /* the innermost shown frame of each stack */
};

/* `roles` from sl_roles, NULL: everything is shown. Linear in stacks. False when the arena is exhausted. */
bool sl_frames_build(struct sl_arena *arena, const struct sl_profile *profile, const uint8_t *roles,
                     struct sl_frames *frames);

/* What a lane shows: all that a thread did, or one task of it. */
struct sl_lane {
    uint32_t thread;
    uint32_t task; /* number of the thread's task, 0: all */
};

/* A task of a thread, as a lane: its outermost row is that of its coroutine, without the event loop that runs it. */
struct sl_task_lane {
    uint32_t task;
    sl_function coroutine; /* 0: several tasks, counted as one */
    uint32_t rows;         /* the most that it needs */
    uint64_t ns;           /* in which it ran, in that mode and those functions */
};

/* The tasks in which the thread spent time, the longest first. Of the selection its functions and mode count. Linear in the
 * runs of the thread and in how much a task's stack changes between them, if it has tasks. NULL when the arena is exhausted. */
const struct sl_task_lane *sl_chart_tasks(struct sl_arena *arena, const struct sl_profile *profile,
                                          const struct sl_selection *selection, const struct sl_frames *frames,
                                          uint32_t thread, uint32_t *count);

/* The most rows that any of the runs from `first` to before `end` needs. */
uint32_t sl_chart_rows(const struct sl_profile *profile, const struct sl_frames *frames, uint32_t first, uint32_t end);

struct sl_box {
    uint32_t frame; /* of a merged box the longest of what was merged */
    uint32_t row;   /* the outermost frame is in row 0 */
    uint64_t begin_ns, end_ns;
    uint32_t merged; /* the number of boxes that it stands for, 1 for an ordinary one */
};

struct sl_boxes {
    struct sl_box *boxes; /* in the order in which they ended */
    uint32_t count, capacity;
    uint32_t rows; /* one more than the highest row */
};

/* The boxes of one lane from `begin_ns` to `end_ns`, cut to that span. Of the selection its functions and mode count:
 * runs that they leave out leave a gap. Frames from row `rows_max` on are left out (the result's `rows` tells that there
 * are more). Linear in the runs of the span and in how much the stack changes between them. False when the arena is
 * exhausted. */
bool sl_chart_boxes(struct sl_arena *arena, const struct sl_profile *profile, const struct sl_selection *selection,
                    const struct sl_frames *frames, struct sl_lane lane, uint64_t begin_ns, uint64_t end_ns,
                    uint64_t pixel_ns, uint32_t rows_max, struct sl_boxes *boxes);

/* For each of `columns` equal parts of the span the time in ns that a lane spent in each kind: columns * SL_KIND_COUNT
 * numbers, added to `amounts`. Of the selection its functions count. */
void sl_chart_kinds(const struct sl_profile *profile, const struct sl_selection *selection, const uint8_t *taken,
                    struct sl_lane lane, uint64_t begin_ns, uint64_t end_ns, uint32_t columns, double *amounts);

#endif

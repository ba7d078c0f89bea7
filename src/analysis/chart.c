#include "analysis/chart.h"

#include "analysis/map.h"
#include "analysis/roles.h"
#include "analysis/sort.h"

bool sl_frames_build(struct sl_arena *arena, const struct sl_profile *profile, const uint8_t *roles,
                     struct sl_frames *frames)
{
    uint32_t count = profile->stack_count;
    *frames = (struct sl_frames){
        .callers = SL_ARENA_NEW(arena, uint32_t, count),
        .functions = SL_ARENA_NEW(arena, sl_function, count),
        .depths = SL_ARENA_NEW(arena, uint32_t, count),
        .of_stack = SL_ARENA_NEW(arena, uint32_t, count),
        .count = 1,
    };
    uint8_t *inside = SL_ARENA_NEW(arena, uint8_t, count); /* of each stack: a library frame above it is folded */
    struct sl_map numbers;
    sl_map_init(&numbers, arena);
    if (arena->exhausted) {
        return false;
    }
    for (sl_stack stack = 1; stack < count; stack++) {
        const struct sl_stack_record *record = &profile->stacks[stack];
        uint32_t caller = frames->of_stack[record->caller];
        uint8_t role = roles != NULL ? roles[record->function] : SL_ROLE_OWN;
        inside[stack] = inside[record->caller];
        frames->of_stack[stack] = caller;
        if (role == SL_ROLE_MACHINERY || (role == SL_ROLE_LIBRARY && inside[stack] != 0)) {
            continue;
        }
        inside[stack] = role == SL_ROLE_LIBRARY;
        uint32_t frame = sl_map_number(&numbers, caller, record->function, frames->count);
        if (frame == SL_NONE) {
            return false;
        }
        if (frame == frames->count) {
            frames->callers[frame] = caller;
            frames->functions[frame] = record->function;
            frames->depths[frame] = frames->depths[caller] + 1;
            frames->count++;
        }
        frames->of_stack[stack] = frame;
    }
    return true;
}

/* Where a lane has come to: from there to its next frame it is only as far as the stack has changed, however deep both are. */
struct place {
    uint32_t frame;
    uint32_t outermost; /* the depth of the coroutine's outermost frame; 0: it is in none */
};

/* Goes to `frame`. Returns the depth down to which the stack stayed the same. */
static uint32_t go_to(struct place *place, const struct sl_frames *frames, uint32_t frame, sl_function coroutine)
{
    uint32_t before = place->frame;
    uint32_t common = frame;
    uint32_t found = 0;
    while (common != before) {
        if (frames->depths[common] < frames->depths[before]) {
            before = frames->callers[before];
            continue;
        }
        if (coroutine != 0 && frames->functions[common] == coroutine) {
            found = frames->depths[common];
        }
        common = frames->callers[common];
    }
    if (place->outermost == 0 || place->outermost > frames->depths[common]) {
        place->outermost = found;
    }
    place->frame = frame;
    return frames->depths[common];
}

/* How many frames lie below the coroutine's outermost one; 0 where it is not shown. */
static uint32_t frames_below(const struct place *place)
{
    return place->outermost > 0 ? place->outermost - 1 : 0;
}

/* A chart while it is made. `open` holds the frames that go on, outermost first. */
struct chart {
    struct sl_arena *arena;
    const struct sl_frames *frames;
    uint64_t pixel_ns;
    uint32_t rows_max;
    sl_function coroutine; /* whose frame is the outermost row, 0: that of the stack is */
    struct sl_boxes *boxes;
    struct place place;
    uint32_t shown; /* the frame there, or the one in the last row that is drawn */
    uint32_t *open;
    uint64_t *open_begin_ns;
    uint32_t open_count;
    uint32_t *last_of_row; /* the box that ended last in each row, SL_NONE: none */
    uint64_t *longest_ns;  /* of that box, when it is merged: the longest that went into it */
};

static bool add_box(struct chart *chart, const struct sl_box *box)
{
    struct sl_boxes *boxes = chart->boxes;
    uint64_t length_ns = box->end_ns - box->begin_ns;
    uint32_t last = chart->last_of_row[box->row];
    if (last != SL_NONE && length_ns < chart->pixel_ns) {
        struct sl_box *before = &boxes->boxes[last];
        bool narrow = before->merged > 1 || before->end_ns - before->begin_ns < chart->pixel_ns;
        /* A row of narrow boxes becomes one as wide as it takes, as long as no gap in it would be seen. */
        if (narrow && box->begin_ns - before->end_ns < chart->pixel_ns) {
            before->end_ns = box->end_ns;
            before->merged++;
            if (length_ns > chart->longest_ns[box->row]) {
                chart->longest_ns[box->row] = length_ns;
                before->frame = box->frame;
            }
            return true;
        }
    }
    if (boxes->count == boxes->capacity) {
        uint32_t capacity = boxes->capacity * 2 + 256;
        struct sl_box *grown = SL_ARENA_NEW(chart->arena, struct sl_box, capacity);
        if (grown == NULL) {
            return false;
        }
        for (uint32_t i = 0; i < boxes->count; i++) {
            grown[i] = boxes->boxes[i];
        }
        boxes->boxes = grown;
        boxes->capacity = capacity;
    }
    chart->last_of_row[box->row] = boxes->count;
    chart->longest_ns[box->row] = length_ns;
    boxes->boxes[boxes->count++] = *box;
    return true;
}

/* Ends what goes on beyond `depth` frames. */
static bool end_beyond(struct chart *chart, uint32_t depth, uint64_t end_ns)
{
    while (chart->open_count > depth) {
        uint32_t row = --chart->open_count;
        struct sl_box box = {.frame = chart->open[row],
                             .row = row,
                             .begin_ns = chart->open_begin_ns[row],
                             .end_ns = end_ns,
                             .merged = 1};
        if (box.end_ns > box.begin_ns && !add_box(chart, &box)) {
            return false;
        }
    }
    return true;
}

/* From now on `frame` is the innermost. */
static bool change_to(struct chart *chart, uint32_t frame, uint64_t begin_ns)
{
    const struct sl_frames *frames = chart->frames;
    uint32_t below_before = frames_below(&chart->place);
    uint32_t same = go_to(&chart->place, frames, frame, chart->coroutine);
    uint32_t below = frames_below(&chart->place);
    if (frames->depths[frame] - below > chart->boxes->rows) {
        chart->boxes->rows = frames->depths[frame] - below;
    }
    uint32_t deepest = below + chart->rows_max;
    /* Where the stack has changed only beyond the rows that are drawn, that frame is still the same. */
    if (below != below_before || same < deepest) {
        chart->shown = frame;
        while (frames->depths[chart->shown] > deepest) {
            chart->shown = frames->callers[chart->shown];
        }
    }
    frame = chart->shown;
    uint32_t depth = frames->depths[frame] - below;
    uint32_t common = frame;
    uint32_t common_depth = depth;
    while (common_depth > 0 && (common_depth > chart->open_count || chart->open[common_depth - 1] != common)) {
        common = frames->callers[common];
        common_depth--;
    }
    if (!end_beyond(chart, common_depth, begin_ns)) {
        return false;
    }
    for (uint32_t row = depth; row-- > chart->open_count; frame = frames->callers[frame]) {
        chart->open[row] = frame;
        chart->open_begin_ns[row] = begin_ns;
    }
    chart->open_count = depth;
    return true;
}

uint32_t sl_chart_rows(const struct sl_profile *profile, const struct sl_frames *frames, uint32_t first, uint32_t end)
{
    uint32_t depth = 0;
    for (uint32_t i = first; i < end; i++) {
        uint32_t frame = frames->of_stack[profile->runs[i].stack];
        depth = frames->depths[frame] > depth ? frames->depths[frame] : depth;
    }
    return depth;
}

static bool in_lane(const struct sl_run *run, struct sl_lane lane)
{
    return lane.task == 0 || sl_state_task(run->state) == lane.task;
}

static sl_function coroutine_of(const struct sl_profile *profile, struct sl_lane lane)
{
    for (uint32_t i = 0; lane.task != 0 && i < profile->task_count; i++) {
        if (profile->tasks[i].thread == lane.thread && profile->tasks[i].number == lane.task) {
            return profile->tasks[i].coroutine;
        }
    }
    return 0;
}

static bool longer(const void *context, uint32_t a, uint32_t b)
{
    const struct sl_task_lane *lanes = context;
    return lanes[a].ns != lanes[b].ns ? lanes[a].ns > lanes[b].ns : lanes[a].task < lanes[b].task;
}

static bool has_tasks(const struct sl_profile *profile, uint32_t thread)
{
    for (uint32_t i = 0; i < profile->task_count; i++) {
        if (profile->tasks[i].thread == thread) {
            return true;
        }
    }
    return false;
}

const struct sl_task_lane *sl_chart_tasks(struct sl_arena *arena, const struct sl_profile *profile,
                                          const struct sl_selection *selection, const struct sl_frames *frames,
                                          uint32_t thread, uint32_t *count)
{
    *count = 0;
    if (!has_tasks(profile, thread)) {
        return SL_ARENA_NEW(arena, struct sl_task_lane, 1);
    }
    struct sl_task_lane *lanes = SL_ARENA_NEW(arena, struct sl_task_lane, SL_STATE_TASK_MAX + 1);
    struct sl_task_lane *sorted = SL_ARENA_NEW(arena, struct sl_task_lane, SL_STATE_TASK_MAX + 1);
    uint32_t *order = SL_ARENA_NEW(arena, uint32_t, SL_STATE_TASK_MAX + 1);
    struct place *places = SL_ARENA_NEW(arena, struct place, SL_STATE_TASK_MAX + 1);
    struct sl_selection all = *selection;
    all.begin_ns = 0;
    all.end_ns = UINT64_MAX;
    const uint8_t *taken = sl_selection_stacks(arena, profile, &all);
    if (arena->exhausted) {
        return NULL;
    }
    for (uint32_t i = 0; i < profile->task_count; i++) {
        if (profile->tasks[i].thread == thread) {
            lanes[profile->tasks[i].number].coroutine = profile->tasks[i].coroutine;
        }
    }
    const struct sl_thread_record *record = &profile->threads[thread];
    for (uint32_t i = record->first_run; i < record->first_run + record->run_count; i++) {
        const struct sl_run *run = &profile->runs[i];
        struct sl_task_lane *lane = &lanes[sl_state_task(run->state)];
        if (taken == NULL || taken[run->stack] != 0) {
            uint32_t frame = frames->of_stack[run->stack];
            struct place *place = &places[lane - lanes];
            go_to(place, frames, frame, lane->coroutine);
            uint32_t rows = frames->depths[frame] - frames_below(place);
            lane->rows = rows > lane->rows ? rows : lane->rows;
            lane->ns += sl_run_amount(&all, run).ns;
        }
    }
    for (uint32_t task = 1; task <= SL_STATE_TASK_MAX; task++) {
        lanes[task].task = task;
        if (lanes[task].ns > 0) {
            order[(*count)++] = task;
        }
    }
    if (!sl_sort(arena, order, *count, longer, lanes)) {
        return NULL;
    }
    for (uint32_t i = 0; i < *count; i++) {
        sorted[i] = lanes[order[i]];
    }
    return sorted;
}

bool sl_chart_boxes(struct sl_arena *arena, const struct sl_profile *profile, const struct sl_selection *selection,
                    const struct sl_frames *frames, struct sl_lane lane, uint64_t begin_ns, uint64_t end_ns,
                    uint64_t pixel_ns, uint32_t rows_max, struct sl_boxes *boxes)
{
    struct sl_selection span = *selection;
    span.begin_ns = begin_ns;
    span.end_ns = end_ns;
    span.threads = NULL;
    *boxes = (struct sl_boxes){0};
    uint32_t first, end;
    sl_selection_runs(profile, &span, lane.thread, &first, &end);
    uint32_t rows = sl_chart_rows(profile, frames, first, end);
    rows = rows < rows_max ? rows : rows_max;
    struct chart chart = {
        .arena = arena,
        .frames = frames,
        .pixel_ns = pixel_ns,
        .rows_max = rows,
        .coroutine = coroutine_of(profile, lane),
        .boxes = boxes,
        .open = SL_ARENA_NEW(arena, uint32_t, rows),
        .open_begin_ns = SL_ARENA_NEW(arena, uint64_t, rows),
        .last_of_row = SL_ARENA_NEW(arena, uint32_t, rows),
        .longest_ns = SL_ARENA_NEW(arena, uint64_t, rows),
    };
    const uint8_t *taken = sl_selection_stacks(arena, profile, &span);
    if (arena->exhausted) {
        return false;
    }
    for (uint32_t i = 0; i < rows; i++) {
        chart.last_of_row[i] = SL_NONE;
    }
    uint64_t until_ns = begin_ns;
    for (uint32_t i = first; i < end; i++) {
        const struct sl_run *run = &profile->runs[i];
        struct sl_amount amount = sl_run_amount(&span, run);
        bool shown = amount.ns != 0 && in_lane(run, lane) && (taken == NULL || taken[run->stack] != 0);
        if (!shown) {
            continue;
        }
        uint64_t run_begin_ns = run->begin_ns > begin_ns ? run->begin_ns : begin_ns;
        if (run_begin_ns > until_ns && !end_beyond(&chart, 0, until_ns)) {
            return false;
        }
        if (!change_to(&chart, frames->of_stack[run->stack], run_begin_ns)) {
            return false;
        }
        until_ns = run->end_ns < end_ns ? run->end_ns : end_ns;
    }
    return end_beyond(&chart, 0, until_ns);
}

void sl_chart_kinds(const struct sl_profile *profile, const struct sl_selection *selection, const uint8_t *taken,
                    struct sl_lane lane, uint64_t begin_ns, uint64_t end_ns, uint32_t columns, double *amounts)
{
    if (end_ns <= begin_ns || columns == 0) {
        return;
    }
    struct sl_selection span = *selection;
    span.begin_ns = begin_ns;
    span.end_ns = end_ns;
    span.threads = NULL;
    double column_ns = (double)(end_ns - begin_ns) / columns;
    uint32_t first, end;
    sl_selection_runs(profile, &span, lane.thread, &first, &end);
    for (uint32_t i = first; i < end; i++) {
        const struct sl_run *run = &profile->runs[i];
        if (!in_lane(run, lane) || (taken != NULL && taken[run->stack] == 0)) {
            continue;
        }
        double from = run->begin_ns > begin_ns ? (double)(run->begin_ns - begin_ns) : 0;
        double to = run->end_ns < end_ns ? (double)(run->end_ns - begin_ns) : (double)(end_ns - begin_ns);
        enum sl_kind kind = sl_kind_of(run->state);
        uint32_t column = (uint32_t)(from / column_ns);
        while (column < columns && from < to) {
            double column_end = (column + 1) * column_ns;
            double part_end = to < column_end ? to : column_end;
            if (part_end > from) {
                amounts[(size_t)column * SL_KIND_COUNT + kind] += part_end - from;
                from = part_end;
            }
            column++;
        }
    }
}

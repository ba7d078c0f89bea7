#include "analysis/thread_summary.h"

#include "analysis/roles.h"
#include "analysis/sort.h"

#include <string.h>

/* The kernel cuts a thread's name to this many bytes (TASK_COMM_LEN - 1). */
enum { kernel_name_size = 15 };

/* What an idle thread may do beside waiting in one place, as a part of its time: run, and wait for something else. Getting
 * there and back takes longer, above all with many others or on a busy machine: it waits for locks and for a processor. */
enum { idle_part = 200, idle_start_part = 10 };

struct work {
    const struct sl_profile *profile;
    const struct sl_selection *selection;
    struct sl_selection wall; /* the same selection in wall time */
    const uint8_t *taken;     /* of each stack, NULL: all */
    uint32_t *places;         /* of each stack: the same for two that are alike */
    sl_function *outermost;   /* of each stack: its first function for a name, SL_NONE when there is none */
    uint64_t *function_ns;    /* of each function, 0 between threads */
    sl_function *touched;     /* the functions that have some */
    sl_string *main_name;     /* of each process: its main thread's name */
};

static bool starts_with(const char *text, const char *start)
{
    while (*start != '\0' && *text == *start) {
        text++;
        start++;
    }
    return *start == '\0';
}

/* Whether a function only starts what a thread is for. */
static bool is_starter(const struct sl_profile *profile, sl_function function)
{
    if (profile->functions[function].kind == SL_FUNCTION_MARK) {
        return true;
    }
    const char *path = sl_short_path(profile, function);
    return (starts_with(path, "threading.py") && path[sizeof "threading.py" - 1] == '\0') ||
           starts_with(path, "concurrent/futures/") || starts_with(path, "<frozen importlib._bootstrap") ||
           starts_with(path, "<frozen runpy>");
}

/* A hash, because a long recording may have the same stack more than once. */
static uint32_t place_on(uint32_t caller, const struct sl_stack_record *record)
{
    return (caller + record->function) * 0x9e3779b1U + record->line * 0x85ebca6bU;
}

static bool prepare(struct work *work, struct sl_arena *scratch)
{
    const struct sl_profile *profile = work->profile;
    work->wall = *work->selection;
    work->wall.mode = SL_MODE_WALL;
    work->taken = sl_selection_stacks(scratch, profile, work->selection);
    work->places = SL_ARENA_NEW(scratch, uint32_t, profile->stack_count);
    work->outermost = SL_ARENA_NEW(scratch, sl_function, profile->stack_count);
    work->function_ns = SL_ARENA_NEW(scratch, uint64_t, profile->function_count);
    work->touched = SL_ARENA_NEW(scratch, sl_function, profile->function_count);
    work->main_name = SL_ARENA_NEW(scratch, sl_string, profile->process_count);
    bool *starters = SL_ARENA_NEW(scratch, bool, profile->function_count);
    if (scratch->exhausted) {
        return false;
    }
    for (sl_function i = 1; i < profile->function_count; i++) {
        starters[i] = is_starter(profile, i);
    }
    for (uint32_t i = 0; i < profile->process_count; i++) {
        work->main_name[i] = SL_NONE;
    }
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        if (profile->threads[i].main) {
            work->main_name[profile->threads[i].process] = profile->threads[i].name;
        }
    }
    work->outermost[0] = SL_NONE;
    for (sl_stack stack = 1; stack < profile->stack_count; stack++) {
        const struct sl_stack_record *record = &profile->stacks[stack];
        work->places[stack] = place_on(work->places[record->caller], record);
        work->outermost[stack] = work->outermost[record->caller];
        if (work->outermost[stack] == SL_NONE && !starters[record->function]) {
            work->outermost[stack] = record->function;
        }
    }
    return true;
}

/* Whether a kernel's name is what the program at `path` gives its threads: the last part of the path, cut. */
static bool is_program_name(const char *name, const char *path, size_t path_size)
{
    size_t start = path_size;
    while (start > 0 && path[start - 1] != '/') {
        start--;
    }
    size_t size = path_size - start < kernel_name_size ? path_size - start : kernel_name_size;
    return strlen(name) == size && memcmp(name, path + start, size) == 0;
}

/* python, python3, python3.12: the interpreter is often started by a link of another name than its own. */
static bool is_interpreter_name(const char *name)
{
    if (!starts_with(name, "python")) {
        return false;
    }
    name += sizeof "python" - 1;
    while (*name == '.' || (*name >= '0' && *name <= '9')) {
        name++;
    }
    return *name == '\0';
}

/* What Python itself calls a thread: Thread-7 (fetch), or ThreadPoolExecutor-0_3 of a pool. Since 3.14 the kernel is told,
 * and cuts it. */
static bool is_pythons_name(const char *name)
{
    static const char of_a_thread[] = "Thread-";
    if (!starts_with(name, of_a_thread)) {
        return starts_with(name, "ThreadPoolExecu");
    }
    const char *number = name + sizeof of_a_thread - 1;
    const char *end = number;
    while (*end >= '0' && *end <= '9') {
        end++;
    }
    return end > number && (*end == '\0' || *end == ' ');
}

static sl_string own_name(const struct work *work, const struct sl_thread_record *thread)
{
    const struct sl_profile *profile = work->profile;
    const char *name = sl_profile_text(profile, thread->name);
    const struct sl_process_record *process = &profile->processes[thread->process];
    if (name[0] == '\0' || (!thread->main && thread->name == work->main_name[thread->process])) {
        return SL_NONE;
    }
    const char *executable = sl_profile_text(profile, process->executable);
    const char *command = sl_profile_text(profile, process->command);
    size_t word = 0;
    while (command[word] != '\0' && command[word] != ' ') {
        word++;
    }
    bool program = is_program_name(name, executable, strlen(executable)) || is_program_name(name, command, word) ||
                   is_interpreter_name(name);
    return program ? SL_NONE : thread->name;
}

static sl_function heaviest(struct work *work, uint32_t touched)
{
    sl_function found = SL_NONE;
    for (uint32_t i = 0; i < touched; i++) {
        sl_function function = work->touched[i];
        if (found == SL_NONE || work->function_ns[function] > work->function_ns[found]) {
            found = function;
        }
    }
    for (uint32_t i = 0; i < touched; i++) {
        work->function_ns[work->touched[i]] = 0;
    }
    return found;
}

/* The time of a run that counts for a thread, whatever the selection's mode; 0: none. */
static struct sl_amount counted(const struct work *work, const struct sl_run *run)
{
    bool taken = work->taken == NULL || work->taken[run->stack] != 0;
    return taken ? sl_run_amount(&work->wall, run) : (struct sl_amount){0};
}

/* The place that more than half of the time was spent in, if there is one: what is left when times in different places
 * cancel each other out. */
struct main_place {
    uint64_t lead_ns;
    uint32_t place;
};

static void add_to_main_place(struct main_place *kept, uint32_t place, uint64_t ns)
{
    if (place == kept->place) {
        kept->lead_ns += ns;
    } else if (ns > kept->lead_ns) {
        *kept = (struct main_place){.place = place, .lead_ns = ns - kept->lead_ns};
    } else {
        kept->lead_ns -= ns;
    }
}

/* Whether a thread that ran for `running_ns` of `wall_ns` only waited, at `place`. */
static bool only_waited(const struct work *work, uint32_t number, uint64_t running_ns, uint64_t wall_ns, uint32_t place)
{
    const struct sl_thread_record *thread = &work->profile->threads[number];
    /* A thread that is woken up on a busy machine counts as running until it has had its turn. */
    uint64_t cpu_ns = thread->cpu_ns > 0 && thread->cpu_ns < running_ns ? thread->cpu_ns : running_ns;
    uint64_t beside_ns = 0;
    uint32_t first, end;
    sl_selection_runs(work->profile, work->selection, number, &first, &end);
    for (uint32_t i = first; i < end; i++) {
        const struct sl_run *run = &work->profile->runs[i];
        sl_state on_the_way = run->state & (SL_STATE_ON_CPU | SL_STATE_WAITS_GIL | SL_STATE_LOCK);
        if (work->places[run->stack] != place || (run->state & SL_STATE_WAITS_GIL) != 0) {
            beside_ns += counted(work, run).ns * (on_the_way != 0 ? 1 : idle_part / idle_start_part);
        }
    }
    return !thread->main && thread->kind == SL_THREAD_OS && cpu_ns <= wall_ns / idle_part &&
           beside_ns <= wall_ns / idle_start_part;
}

/* `*seen`: at all, whatever the selection's mode. */
static struct sl_thread_summary summarize(struct work *work, uint32_t number, bool *seen)
{
    const struct sl_profile *profile = work->profile;
    const struct sl_thread_record *thread = &profile->threads[number];
    struct sl_thread_summary summary = {.thread = number, .name = own_name(work, thread)};
    struct sl_amount wall = {0};
    struct main_place main_place = {0};
    uint32_t touched = 0;
    uint32_t first, end;
    sl_selection_runs(profile, work->selection, number, &first, &end);
    for (uint32_t i = first; i < end; i++) {
        const struct sl_run *run = &profile->runs[i];
        struct sl_amount amount = counted(work, run);
        if (sl_amount_is_zero(amount)) {
            continue;
        }
        sl_amount_add(&wall, amount);
        add_to_main_place(&main_place, work->places[run->stack], amount.ns);
        if (!sl_state_waits(run->state)) {
            sl_amount_add(&summary.running, amount);
        }
        amount = sl_run_amount(work->selection, run);
        sl_amount_add(&summary.total, amount);
        sl_function function = work->outermost[run->stack];
        if (function != SL_NONE && amount.ns > 0) {
            if (work->function_ns[function] == 0) {
                work->touched[touched++] = function;
            }
            work->function_ns[function] += amount.ns;
        }
    }
    summary.first_function = heaviest(work, touched);
    if (summary.name != SL_NONE && summary.first_function != SL_NONE &&
        is_pythons_name(sl_profile_text(profile, summary.name))) {
        summary.name = SL_NONE; /* the function and its place say more */
    }
    summary.idle = only_waited(work, number, summary.running.ns, wall.ns, main_place.place);
    *seen = !sl_amount_is_zero(wall);
    return summary;
}

struct ranking {
    const struct sl_profile *profile;
    const struct sl_thread_summary *summaries;
};

static bool more_important(const void *context, uint32_t a, uint32_t b)
{
    const struct ranking *ranking = context;
    const struct sl_thread_summary *left = &ranking->summaries[a];
    const struct sl_thread_summary *right = &ranking->summaries[b];
    bool left_main = ranking->profile->threads[left->thread].main;
    bool right_main = ranking->profile->threads[right->thread].main;
    if (left_main != right_main) {
        return left_main;
    }
    if (left_main) {
        return ranking->profile->threads[left->thread].process < ranking->profile->threads[right->thread].process;
    }
    if (left->running.ns != right->running.ns) {
        return left->running.ns > right->running.ns;
    }
    return left->total.ns > right->total.ns;
}

static const struct sl_thread_summary *summaries_of(struct sl_arena *arena, const struct sl_profile *profile,
                                                    const struct sl_selection *selection, bool all, uint32_t *count)
{
    struct sl_arena scratch;
    sl_arena_init(&scratch);
    struct work work = {.profile = profile, .selection = selection};
    struct sl_thread_summary *summaries = SL_ARENA_NEW(&scratch, struct sl_thread_summary, profile->thread_count);
    uint32_t *order = SL_ARENA_NEW(&scratch, uint32_t, profile->thread_count);
    struct sl_thread_summary *sorted = SL_ARENA_NEW(arena, struct sl_thread_summary, profile->thread_count);
    bool done = summaries != NULL && order != NULL && sorted != NULL && prepare(&work, &scratch);
    uint32_t kept = 0;
    for (uint32_t i = 0; done && i < profile->thread_count; i++) {
        bool seen;
        summaries[kept] = summarize(&work, i, &seen);
        order[kept] = kept;
        kept += all ? seen : !sl_amount_is_zero(summaries[kept].total);
    }
    struct ranking ranking = {.profile = profile, .summaries = summaries};
    done = done && sl_sort(&scratch, order, kept, more_important, &ranking);
    for (uint32_t i = 0; done && i < kept; i++) {
        sorted[i] = summaries[order[i]];
    }
    sl_arena_reset(&scratch);
    arena->exhausted = arena->exhausted || !done;
    *count = done ? kept : 0;
    return done ? sorted : NULL;
}

const struct sl_thread_summary *sl_thread_summaries(struct sl_arena *arena, const struct sl_profile *profile,
                                                    const struct sl_selection *selection, uint32_t *count)
{
    return summaries_of(arena, profile, selection, false, count);
}

const struct sl_thread_summary *sl_thread_summaries_of_all(struct sl_arena *arena, const struct sl_profile *profile,
                                                           const struct sl_selection *selection, uint32_t *count)
{
    return summaries_of(arena, profile, selection, true, count);
}

#include "sampler/host_recording.h"

#include "sampler/host_pulse.h"
#include "sampler/host_view.h"
#include "sampler/session.h"
#include "target/clock.h"
#include "target/own.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static sl_string intern(const struct sl_host_recording *recording, const char *text)
{
    sl_string string = text != NULL ? sl_recorder_string(recording->recorder, text, strlen(text)) : 0;
    return string != SL_NONE ? string : 0;
}

static void describe(struct sl_host_recording *recording, const struct sl_host_target *target)
{
    recording->record.prefixes = intern(recording, target->facts.prefixes);
    recording->record.path = intern(recording, target->facts.path);
    if (target->facts.executable != NULL && target->facts.executable[0] != '\0') {
        recording->record.executable = intern(recording, target->facts.executable);
    }
}

/* Walks the stack of the thread that starts, which is the caller and so stands still, though its list of threads may not.
 * The thread state that has it, or NULL. */
static const struct sl_python_thread *walk_starter(const struct sl_host_recording *recording,
                                                   struct sl_host_target *target)
{
    struct sl_subject *subject = &target->subject;
    for (size_t i = 0; i < subject->count; i++) {
        struct sl_subject_thread *thread = subject->all[i];
        if (thread->thread.id != recording->starter || thread->ended) {
            continue;
        }
        sl_host_views_miss_walk(thread);
        for (size_t s = thread->strand_count; s > 0; s--) {
            const struct sl_python_thread *state = &thread->strands[s - 1].python;
            struct sl_walk walk = {0};
            enum sl_look look = SL_LOOK_TORN;
            for (int attempt = 0; attempt < 8 && sl_look_again(look); attempt++) {
                look = sl_python_walk(target->python, state, &walk);
            }
            if (look == SL_LOOK_OK && walk.count > 0) {
                return state;
            }
        }
    }
    return NULL;
}

/* Where the caller's stack stands now. */
static bool find_start(struct sl_host_recording *recording, struct sl_host_target *target)
{
    const struct sl_python_thread *state = walk_starter(recording, target);
    if (state == NULL) {
        return true;
    }
    recording->stem_state = state->address;
    recording->interpreter = state->interpreter;
    return sl_stem_take(&recording->stem, target->python, state, recording->options.skip, recording->options.coroutine);
}

/* What stands at the end of a stack in the place of a function. */
static sl_function mark(const struct sl_host_recording *recording, const char *name)
{
    const struct sl_function_record record = {.name = intern(recording, name), .kind = SL_FUNCTION_MARK};
    return sl_recorder_function(recording->recorder, record);
}

static bool begin_scope(struct sl_host_recording *recording)
{
    const struct sl_thread_record record = {
        .process = recording->process,
        .kind = SL_THREAD_SCOPE,
        .id = (uint64_t)recording->starter,
        .name = recording->options.task != NULL ? intern(recording, recording->options.task) : 0,
        .main = recording->starter == getpid(),
    };
    recording->scope.index = sl_recorder_thread(recording->recorder, &record);
    recording->await_mark = mark(recording, "[await]");
    recording->switched_out_mark = mark(recording, "[switched out]");
    recording->broken_mark = mark(recording, "[broken]");
    return recording->scope.index != SL_NONE && recording->await_mark != SL_NONE &&
           recording->switched_out_mark != SL_NONE && recording->broken_mark != SL_NONE;
}

static uint64_t since(uint64_t before, uint64_t now)
{
    return now > before ? now - before : 0;
}

/* The time begins. */
static void begin(struct sl_host_recording *recording)
{
    recording->begin_ns = sl_clock_now_ns();
    recording->start_time_ns = sl_clock_wall_ns();
    recording->running = true;
}

struct sl_host_recording *sl_host_recording_create(const struct sl_host_options *options, uint64_t epoch_ns,
                                                   uint64_t seed, struct sl_random *random)
{
    struct sl_host_recording *recording = calloc(1, sizeof *recording);
    if (recording == NULL) {
        return NULL;
    }
    recording->options = *options;
    recording->starter = sl_own_thread_id();
    recording->random.state = sl_random_next(random);
    recording->epoch_ns = epoch_ns;
    recording->slots.seed = seed;
    sl_stem_init(&recording->stem);
    sl_await_init(&recording->await);
    sl_strand_init(&recording->await_strand);
    if (options->caller != 0) {
        begin(recording);
        sl_slots_init_late(&recording->slots, options->interval_ns, recording->begin_ns - epoch_ns, UINT64_MAX, seed,
                           options->first_ns, sl_host_pulse_interval_ns(options->first_ns), &recording->random);
    }
    return recording;
}

/* Where its stacks begin. */
static bool open_stem(struct sl_host_recording *recording, struct sl_host_target *target)
{
    const struct sl_host_options *options = &recording->options;
    if (options->caller != 0) {
        recording->stem_state = options->thread_state;
        recording->interpreter = options->interpreter;
        sl_stem_expect(&recording->stem, target->python, options->caller, options->caller_outer, options->coroutine);
        return true;
    }
    bool wanted = options->trim || options->scope != SL_HOST_THREADS;
    return !wanted || find_start(recording, target);
}

static bool open_recorder(struct sl_host_recording *recording, struct sl_host_target *target, struct sl_error *error)
{
    const struct sl_host_options *options = &recording->options;
    const struct sl_recorder_options recorder_options = {
        .start_time_ns = recording->running ? recording->start_time_ns : sl_clock_wall_ns(),
        .interval_ns = options->interval_ns,
        .description = options->description,
        .descriptor = -1,
        .late = true,
    };
    recording->recorder = sl_recorder_create(&recorder_options, error);
    if (recording->recorder == NULL) {
        return false;
    }
    sl_translation_init(&recording->translation, recording->recorder);
    recording->translation.without_profiler = true;
    sl_host_target_refresh(target, sl_clock_now_ns());
    recording->record = (struct sl_process_record){
        .pid = (uint32_t)getpid(),
        .parent_pid = (uint32_t)getppid(),
        .command = intern(recording, target->command),
        .python = intern(recording, sl_python_version(target->python)),
        .executable = intern(recording, target->executable),
        .exit_status = -1,
    };
    describe(recording, target);
    recording->process = sl_recorder_process(recording->recorder, &recording->record);
    return (recording->process != SL_NONE && (options->scope == SL_HOST_THREADS || begin_scope(recording))) ||
           sl_error_memory(error);
}

/* The variable by which its contexts are known: mostly that of the recording before. */
static bool find_variable(struct sl_host_recording *recording, struct sl_host_target *target)
{
    uint64_t address = recording->options.variable;
    if (address != 0 && address != target->variable.address &&
        sl_context_variable(&target->variable, target->python, address) != SL_LOOK_OK) {
        target->variable = (struct sl_context_variable){0};
        return false;
    }
    if (address != 0) {
        recording->variable = target->variable;
    }
    return true;
}

static void count_from_now(struct sl_host_recording *recording, uint64_t sampler_cpu_ns)
{
    recording->sampler_cpu_before_ns = sampler_cpu_ns;
    recording->cpu_before_ns = sl_own_thread_cpu_ns(recording->starter);
    recording->process_cpu_before_ns = sl_own_cpu_ns();
    recording->children_cpu_before_ns = sl_own_children_cpu_ns();
}

/* What is needed to find it in memory. */
static bool find_scope(struct sl_host_recording *recording, struct sl_host_target *target, struct sl_error *error)
{
    if (!open_stem(recording, target)) {
        return sl_error_memory(error);
    }
    if (!find_variable(recording, target)) {
        sl_stem_destroy(&recording->stem);
        return sl_error_set(error, SL_ERROR_UNSUPPORTED, "this Python %s keeps its context variables in an unknown way",
                            sl_python_version(target->python));
    }
    recording->met = true;
    return true;
}

bool sl_host_recording_meet(struct sl_host_recording *recording, struct sl_host_target *target, uint64_t sampler_cpu_ns,
                            struct sl_error *error)
{
    if (!find_scope(recording, target, error)) {
        return false;
    }
    count_from_now(recording, sampler_cpu_ns);
    return true;
}

static void tell_stem(struct sl_host_recording *recording, uint32_t thread, const sl_stack *stacks)
{
    struct sl_host_stem *waited = &recording->waited;
    if (waited->told != waited->count) {
        waited->told = waited->count;
        sl_recorder_thread_stem(recording->recorder, thread, waited->count > 0 ? stacks[waited->count - 1] : 0);
    }
}

sl_state sl_host_recording_state(struct sl_host_recording *recording, const struct sl_python *python,
                                 struct sl_recording_thread *thread, sl_state state, uint64_t task, uint32_t code)
{
    if (task == 0) {
        return state;
    }
    sl_function coroutine = sl_translate_function(&recording->translation, python, code);
    return coroutine == SL_NONE ? state
                                : sl_recording_in_task(&recording->recording, thread, state, task, code, coroutine);
}

/* `caller` with the mark on top. */
static sl_stack marked(struct sl_host_recording *recording, sl_stack caller, sl_function mark)
{
    return caller != SL_NONE ? sl_recorder_stack(recording->recorder, caller, mark, 0) : SL_NONE;
}

sl_stack sl_host_recording_on_stem(struct sl_host_recording *recording, uint32_t thread, sl_stack root,
                                   const sl_stack *stacks, size_t count)
{
    size_t above = recording->waited.count < count ? recording->waited.count : count;
    if (above == recording->waited.count) {
        tell_stem(recording, thread, stacks);
    }
    /* On the stem there is no place for a mark before its end: a reader leaves that out. */
    sl_stack stem = above < recording->waited.count ? 0 : above > 0 ? stacks[above - 1] : root;
    while (above < count && stacks[above] == stem) {
        above++;
    }
    if (above < count) {
        recording->first_call = stacks[above];
        return stacks[count - 1];
    }
    return recording->first_call != 0 ? recording->first_call : marked(recording, stem, mark(recording, "[profiler]"));
}

sl_stack sl_host_recording_stack(struct sl_host_recording *recording, sl_stack frames, enum sl_host_top top)
{
    switch (top) {
    case SL_HOST_TOP_FRAME:
        break;
    case SL_HOST_TOP_NO_FRAME:
        return recording->recording.no_frame;
    case SL_HOST_TOP_AWAIT:
        return marked(recording, frames, recording->await_mark);
    case SL_HOST_TOP_SWITCHED_OUT:
        return marked(recording, frames, recording->switched_out_mark);
    case SL_HOST_TOP_RAN:
        return marked(recording, frames, recording->broken_mark);
    case SL_HOST_TOP_BROKEN:
        return recording->recording.broken;
    case SL_HOST_TOP_TOO_DEEP:
        return recording->recording.too_deep;
    case SL_HOST_TOP_MISSED:
        return recording->recording.missed;
    }
    return frames;
}

/* What was sketched becomes the first sample. */
static void tell_sketch(struct sl_host_recording *recording, const struct sl_python *python)
{
    struct sl_host_sketch *sketch = &recording->sketch;
    if (!sketch->taken) {
        return;
    }
    const struct sl_host_choice *choice = &recording->choice;
    sl_stack frames = sl_host_sketch_translate(sketch, &recording->translation, python);
    if (frames != SL_NONE && sketch->on_stem) {
        frames = sl_host_recording_on_stem(recording, recording->scope.index,
                                           sketch->stem_first > 0 ? sketch->stacks[sketch->stem_first - 1] : 0,
                                           sketch->stacks + sketch->stem_first, sketch->count - sketch->stem_first);
    }
    sl_stack stack = sl_host_recording_stack(recording, frames, choice->top);
    stack = stack != SL_NONE ? stack : recording->recording.missed;
    struct sl_facts *facts = sl_recorder_facts(recording->recorder);
    facts->broken += stack == recording->recording.broken || stack == recording->recording.too_deep ||
                     (choice->top == SL_HOST_TOP_RAN && stack != recording->recording.missed);
    facts->missed += stack == recording->recording.missed;
    facts->retried += sketch->retried;
    if (choice->top == SL_HOST_TOP_FRAME && stack == frames) {
        recording->last_stack = stack;
    }
    sl_state state =
        sl_host_recording_state(recording, python, &recording->scope, choice->state, choice->task, choice->task_code);
    sl_recording_sample(&recording->recording, &recording->scope, stack, state);
    sl_recording_look(&recording->recording, &sketch->span);
    sl_host_sketch_destroy(sketch);
}

static bool open_all(struct sl_host_recording *recording, struct sl_host_target *target, uint64_t sampler_cpu_ns,
                     struct sl_error *error)
{
    bool met = recording->met;
    if ((!met && !find_scope(recording, target, error)) || !open_recorder(recording, target, error)) {
        return false;
    }
    if (!met) {
        count_from_now(recording, sampler_cpu_ns);
    }
    if (!recording->running) {
        begin(recording);
        sl_slots_init(&recording->slots, recording->options.interval_ns, recording->begin_ns - recording->epoch_ns,
                      UINT64_MAX, recording->slots.seed);
    }
    if (!sl_recording_init(&recording->recording, recording->recorder, recording->begin_ns, error)) {
        return false;
    }
    tell_sketch(recording, target->python);
    return true;
}

bool sl_host_recording_open(struct sl_host_recording *recording, struct sl_host_target *target, uint64_t sampler_cpu_ns,
                            struct sl_error *error)
{
    recording->open = open_all(recording, target, sampler_cpu_ns, error);
    if (recording->open) {
        recording->options.description = NULL;
        recording->options.task = NULL;
        return true;
    }
    sl_translation_destroy(&recording->translation);
    sl_recorder_destroy(recording->recorder);
    recording->recorder = NULL;
    return false;
}

void sl_host_recording_ran(struct sl_host_recording *recording, uint64_t now_ns)
{
    uint64_t ran_ns = now_ns - recording->begin_ns;
    recording->cpu_before_ns = since(ran_ns, recording->cpu_before_ns);
    recording->process_cpu_before_ns = since(ran_ns, recording->process_cpu_before_ns);
}

void sl_host_recording_retried(struct sl_host_recording *recording, uint64_t retried)
{
    if (recording->open) {
        sl_recorder_facts(recording->recorder)->retried += retried;
    } else {
        recording->sketch.retried += retried;
    }
}

void sl_host_recording_miss(struct sl_host_recording *recording)
{
    struct sl_span span = sl_host_span(recording);
    sl_recorder_facts(recording->recorder)->missed++;
    sl_recording_sample(&recording->recording, &recording->scope, recording->recording.missed, 0);
    sl_recording_look(&recording->recording, &span);
    recording->due = false;
}

struct sl_span sl_host_span(const struct sl_host_recording *recording)
{
    uint64_t begin_ns = recording->begin_ns - recording->epoch_ns;
    struct sl_span span = recording->span;
    span.begin_ns -= begin_ns;
    span.end_ns -= begin_ns;
    span.instant_ns -= begin_ns;
    span.slot_begin_ns -= begin_ns;
    return span;
}

/* What is needed of the program while it is recorded. */
static void forget(struct sl_host_recording *recording)
{
    sl_stem_destroy(&recording->stem);
    sl_host_stem_destroy(&recording->waited);
    sl_host_sketch_destroy(&recording->sketch);
    sl_await_destroy(&recording->await);
    sl_await_init(&recording->await);
    sl_strand_destroy(&recording->await_strand);
    sl_tasks_destroy(&recording->scope.tasks);
}

void sl_host_recording_abandon(struct sl_host_recording *recording, struct sl_host_target *target, uint64_t now_ns)
{
    if (recording->met) {
        sl_host_views_end(recording, &target->subject, now_ns - recording->begin_ns);
    }
    recording->running = false;
    recording->duration_ns = now_ns - recording->begin_ns;
    sl_translation_destroy(&recording->translation);
    sl_recording_destroy(&recording->recording);
    forget(recording);
}

bool sl_host_recording_close(struct sl_host_recording *recording, struct sl_host_target *target, uint64_t now_ns,
                             uint64_t sampler_cpu_ns, struct sl_error *error)
{
    uint64_t end_ns = now_ns - recording->begin_ns;
    sl_host_views_end(recording, &target->subject, end_ns);
    recording->running = false;
    recording->duration_ns = end_ns;
    struct sl_facts *facts = sl_recorder_facts(recording->recorder);
    uint64_t sampler_ns = since(recording->sampler_cpu_before_ns, sampler_cpu_ns);
    facts->sampler_cpu_ns = sampler_ns;
    facts->cpu_ns = since(recording->process_cpu_before_ns + sampler_ns, sl_own_cpu_ns());
    facts->children_cpu_ns = since(recording->children_cpu_before_ns, sl_own_children_cpu_ns());
    if (recording->options.scope != SL_HOST_THREADS) {
        uint64_t cpu_ns = since(recording->cpu_before_ns, sl_own_thread_cpu_ns(recording->starter));
        sl_recorder_thread_end(recording->recorder, recording->scope.index, end_ns, cpu_ns);
    }
    sl_host_target_refresh(target, now_ns);
    describe(recording, target);
    sl_recorder_process_update(recording->recorder, recording->process, &recording->record);
    sl_recorder_end_in_slot(recording->recorder, end_ns);
    sl_recorder_process_end(recording->recorder, recording->process, end_ns, facts->cpu_ns, -1);
    bool closed = sl_recorder_close(recording->recorder, end_ns, error);
    atomic_store(&recording->samples, facts->samples);
    sl_translation_destroy(&recording->translation);
    sl_recording_destroy(&recording->recording);
    forget(recording);
    return closed;
}

void sl_host_recording_destroy(struct sl_host_recording *recording)
{
    if (recording->abandoned) {
        return;
    }
    sl_translation_destroy(&recording->translation);
    sl_recording_destroy(&recording->recording);
    forget(recording);
    sl_recorder_destroy(recording->recorder);
    free(recording);
}

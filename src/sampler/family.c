#include "sampler/family.h"

#include "cpython/python.h"
#include "target/clock.h"
#include "target/description.h"
#include "target/threads.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

#define POLL_EVERY_NS (2 * MS)
#define POLL_EVERY_MAX_NS (1000 * MS)

/* A poll may cost one part in so many of the time, and what it costs is believed by and by. */
#define POLL_SHARE 100
#define COST_STEPS 8

/* A Python is ready 10 ms after it was started, and a fork of one at once. What is not named like one mostly is none;
 * it is looked at ever more seldom, because a look costs up to a millisecond. */
#define NAMED_FIRST_NS MS
#define OTHER_FIRST_NS (8 * MS)
#define NAMED_EVERY_MAX_NS (20 * MS)
#define OTHER_EVERY_MAX_NS (2000 * MS)

/* More descendants than this are not kept in mind; each takes so many descriptors. */
#define KIN_MAX ((size_t)4096)
#define KIN_DESCRIPTORS 2

void sl_family_init(struct sl_family *family, size_t *descriptors_left)
{
    *family = (struct sl_family){
        .due_ns = UINT64_MAX,
        .arrivals = {.load = -1},
        .descriptors_left = descriptors_left,
    };
}

static void close_kin(struct sl_family *family, struct sl_kin *kin)
{
    sl_image_close(&kin->image);
    sl_process_close(&kin->process);
    *family->descriptors_left += KIN_DESCRIPTORS;
}

void sl_family_destroy(struct sl_family *family)
{
    for (size_t i = 0; i < family->count; i++) {
        close_kin(family, &family->kin[i]);
    }
    free(family->kin);
    free(family->found);
    sl_arrivals_destroy(&family->arrivals);
    sl_family_init(family, family->descriptors_left);
}

static struct sl_kin *kin_of(struct sl_family *family, pid_t pid)
{
    for (size_t i = 0; i < family->count; i++) {
        if (family->kin[i].process.pid == pid) {
            return &family->kin[i];
        }
    }
    return NULL;
}

static void begin_attempts(struct sl_kin *kin, uint64_t now_ns)
{
    kin->settled = false;
    kin->wait_ns = sl_python_named(&kin->process) ? NAMED_FIRST_NS : OTHER_FIRST_NS;
    kin->attempt_due_ns = now_ns + (kin->wait_ns == NAMED_FIRST_NS ? 0 : kin->wait_ns);
}

static struct sl_kin *add(struct sl_family *family, pid_t pid, pid_t parent, uint64_t now_ns, struct sl_error *error)
{
    if (family->count == KIN_MAX || *family->descriptors_left < KIN_DESCRIPTORS) {
        sl_error_set(error, SL_ERROR_SYSTEM, "no more than %zu descendants can be followed here", family->count);
        return NULL;
    }
    if (family->count == family->capacity) {
        size_t capacity = family->capacity > 0 ? family->capacity * 2 : 16;
        struct sl_kin *grown = realloc(family->kin, capacity * sizeof *grown);
        if (grown == NULL) {
            sl_error_memory(error);
            return NULL;
        }
        family->kin = grown;
        family->capacity = capacity;
    }
    struct sl_kin *kin = &family->kin[family->count];
    *kin = (struct sl_kin){.parent = parent, .image = {.memory = -1}};
    if (!sl_process_open(&kin->process, pid, error)) {
        return NULL;
    }
    sl_image_open(&kin->image, &kin->process);
    *family->descriptors_left -= KIN_DESCRIPTORS;
    begin_attempts(kin, now_ns);
    family->count++;
    return kin;
}

bool sl_family_add(struct sl_family *family, pid_t pid, uint64_t now_ns, struct sl_error *error)
{
    struct sl_kin *kin = add(family, pid, 0, now_ns, error);
    if (kin != NULL) {
        kin->root = true;
    }
    return kin != NULL;
}

void sl_family_keep(struct sl_family *family, pid_t pid, uint64_t now_ns)
{
    struct sl_kin *kin = add(family, pid, sl_parent_of(pid), now_ns, NULL);
    if (kin != NULL) {
        kin->settled = true;
    }
}

void sl_family_take_back(struct sl_family *family, pid_t pid, uint64_t now_ns)
{
    struct sl_kin *kin = add(family, pid, sl_parent_of(pid), now_ns, NULL);
    if (kin != NULL) {
        kin->again = true;
    }
}

/* Keeps the first reason why a Python is missed. That it has ended is none, also where its parent has not noticed. */
static void keep_refusal(struct sl_family *family, const struct sl_error *error)
{
    bool reason = error->kind != SL_ERROR_GONE && error->kind != SL_ERROR_NOT_PYTHON;
    if (reason && family->refusal.kind == SL_ERROR_NONE) {
        family->refusal = *error;
    }
}

void sl_family_return(struct sl_family *family, const struct sl_found *found, const struct sl_error *error,
                      uint64_t now_ns)
{
    keep_refusal(family, error);
    struct sl_kin *kin = add(family, found->pid, sl_parent_of(found->pid), now_ns, NULL);
    if (kin != NULL) {
        kin->root = found->root;
        kin->before = true; /* what it does until it is found again is not recorded */
        kin->returned = true;
        kin->again = found->again;
        kin->covered_ns = found->covered_ns;
        kin->wait_ns = found->wait_ns;
        kin->attempt_due_ns = now_ns + kin->wait_ns;
    }
}

static void remove_at(struct sl_family *family, size_t place)
{
    close_kin(family, &family->kin[place]);
    memmove(&family->kin[place], &family->kin[place + 1], (family->count - place - 1) * sizeof *family->kin);
    family->count--;
}

void sl_family_search(struct sl_family *family, uint64_t now_ns)
{
    sl_arrivals_destroy(&family->arrivals);
    sl_arrivals_init(&family->arrivals);
    sl_arrivals_all(&family->arrivals);
    family->searching = true;
    family->fresh = true;
    family->due_ns = now_ns;
}

void sl_family_rest(struct sl_family *family)
{
    for (size_t i = family->count; i > 0; i--) {
        if (!family->kin[i - 1].root) {
            remove_at(family, i - 1);
        }
    }
    family->searching = false;
    family->found_count = 0;
    family->due_ns = UINT64_MAX;
}

bool sl_family_cover(struct sl_family *family, pid_t parent, uint64_t covered_ns)
{
    struct sl_kin *kin = kin_of(family, parent);
    if (kin != NULL) {
        kin->covered_ns += covered_ns;
    }
    return kin != NULL;
}

pid_t sl_family_heir(const struct sl_family *family, pid_t ended)
{
    size_t kept = family->ended_count < SL_ENDED_KIN_MAX ? family->ended_count : SL_ENDED_KIN_MAX;
    for (size_t i = 1; i <= kept; i++) {
        const struct sl_ended_kin *kin = &family->ended[(family->ended_count - i) % SL_ENDED_KIN_MAX];
        if (kin->pid == ended) {
            return kin->parent;
        }
    }
    return 0;
}

bool sl_family_has_root(const struct sl_family *family)
{
    for (size_t i = 0; i < family->count; i++) {
        if (family->kin[i].root) {
            return true;
        }
    }
    return false;
}

/* Takes in those of the newly started processes that descend from ours. They are told in the order of their ids, which
 * is mostly that of their age: as long as one was taken in, another may descend from it. */
static void take_in(struct sl_family *family, uint64_t now_ns, const struct sl_relation *relation)
{
    const struct sl_arrivals *arrivals = &family->arrivals;
    pid_t self = getpid();
    bool any = arrivals->count > 0;
    while (any) {
        any = false;
        for (size_t i = 0; i < arrivals->count; i++) {
            struct sl_arrival arrival = arrivals->list[i];
            bool related =
                kin_of(family, arrival.parent) != NULL || relation->belongs(relation->context, arrival.parent);
            if (related && arrival.pid != self && kin_of(family, arrival.pid) == NULL &&
                !relation->belongs(relation->context, arrival.pid)) {
                struct sl_error error = {0};
                struct sl_kin *kin = add(family, arrival.pid, arrival.parent, now_ns, &error);
                if (kin != NULL) {
                    kin->before = family->fresh;
                    any = true;
                } else {
                    keep_refusal(family, &error);
                }
            }
        }
    }
}

/* Whether one of its interpreter's threads is its own. Where it has been forked off and not come back from fork(2), or
 * shares its parent's memory until it executes another program, all are its parent's. */
static bool has_own_thread(struct sl_kin *kin, struct sl_python *python)
{
    const struct sl_python_thread *threads;
    size_t count;
    enum sl_look look = sl_python_threads(python, &threads, &count);
    size_t no_descriptors = 0;
    struct sl_threads kernel;
    if ((look != SL_LOOK_OK && look != SL_LOOK_TORN) || !sl_threads_open(&kernel, &kin->process, &no_descriptors)) {
        return false;
    }
    bool own = false;
    for (size_t i = 0; i < count && !own; i++) {
        struct sl_thread thread;
        pid_t id = sl_threads_id(&kernel, threads[i].native_id);
        own = id != 0 && sl_thread_open(&thread, &kernel, id);
        if (own) {
            sl_thread_close(&thread, &kernel);
        }
    }
    sl_threads_close(&kernel);
    return own;
}

/* Whether it has executed a program since it was forked off: what the kernel hands to a program at its start
 * (getauxval(3)) has addresses and a number drawn by lot in it. */
static bool has_executed(const struct sl_kin *kin)
{
    struct sl_process parent;
    if (!sl_process_open(&parent, kin->parent, NULL)) {
        return false;
    }
    char ours[SL_DESCRIPTION_MAX];
    char theirs[SL_DESCRIPTION_MAX];
    size_t size = sl_process_start_values(&kin->process, ours);
    bool same = size > 0 && size == sl_process_start_values(&parent, theirs) && memcmp(ours, theirs, size) == 0;
    sl_process_close(&parent);
    return size > 0 && !same;
}

/* Whether it is a Python by now. */
static bool attempt(struct sl_family *family, struct sl_kin *kin, uint64_t now_ns)
{
    bool named = sl_python_named(&kin->process);
    uint64_t longest_ns = named && !kin->returned ? NAMED_EVERY_MAX_NS : OTHER_EVERY_MAX_NS;
    kin->wait_ns = kin->wait_ns * 2 < longest_ns ? kin->wait_ns * 2 : longest_ns;
    kin->attempt_due_ns = now_ns + kin->wait_ns;
    /* One that runs already is told once it can be attached to at once. That it has executed a program may be true only
     * since it was asked for its name, and the name have been that of its parent's program. */
    if (named && !kin->before && (kin->root || has_executed(kin)) && sl_python_named(&kin->process)) {
        return true;
    }
    bool not_yet = false;
    struct sl_error error = {0};
    struct sl_python *python = sl_python_attach(&kin->process, &not_yet, &error);
    if (python == NULL) {
        bool refused = !not_yet && (error.kind == SL_ERROR_UNSUPPORTED || error.kind == SL_ERROR_PERMISSION);
        if (refused) {
            keep_refusal(family, &error);
        }
        return false;
    }
    bool own = has_own_thread(kin, python);
    sl_python_detach(python);
    return own;
}

/* False when memory is exhausted. */
static bool tell_found(struct sl_family *family, const struct sl_kin *kin)
{
    if (family->found_count == family->found_capacity) {
        size_t capacity = family->found_capacity > 0 ? family->found_capacity * 2 : 16;
        struct sl_found *grown = realloc(family->found, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        family->found = grown;
        family->found_capacity = capacity;
    }
    family->found[family->found_count++] = (struct sl_found){
        .pid = kin->process.pid,
        .root = kin->root,
        .before = kin->before,
        .again = kin->again,
        .covered_ns = kin->covered_ns,
        .wait_ns = kin->wait_ns,
    };
    return true;
}

/* Notices that it has ended (false), or executes another program. */
static bool keep_up(struct sl_kin *kin, uint64_t now_ns)
{
    if (kin->image.memory < 0) {
        /* Its memory may not be read: that it has ended is noticed at the next attempt. */
        return now_ns < kin->attempt_due_ns || sl_process_alive(&kin->process);
    }
    if (!sl_image_current(&kin->image)) {
        if (!sl_process_alive(&kin->process)) {
            return false;
        }
        sl_image_close(&kin->image);
        sl_image_open(&kin->image, &kin->process);
        begin_attempts(kin, now_ns);
    }
    return true;
}

static void drop_ended(struct sl_family *family, uint64_t now_ns, const struct sl_relation *relation)
{
    for (size_t i = 0; i < family->count;) {
        if (keep_up(&family->kin[i], now_ns)) {
            i++;
            continue;
        }
        struct sl_kin ended = family->kin[i];
        remove_at(family, i);
        family->ended[family->ended_count++ % SL_ENDED_KIN_MAX] =
            (struct sl_ended_kin){.pid = ended.process.pid, .parent = ended.parent};
        if (ended.covered_ns > 0 && !sl_family_cover(family, ended.parent, ended.covered_ns)) {
            relation->cover(relation->context, ended.parent, ended.covered_ns);
        }
    }
}

static void find_pythons(struct sl_family *family, uint64_t now_ns)
{
    for (size_t i = 0; i < family->count;) {
        struct sl_kin *kin = &family->kin[i];
        if (kin->settled || now_ns < kin->attempt_due_ns) {
            i++;
            continue;
        }
        /* One that was forked off by vfork(2) had its parent's memory when it was opened. */
        sl_image_close(&kin->image);
        sl_image_open(&kin->image, &kin->process);
        if (attempt(family, kin, now_ns) && tell_found(family, kin)) {
            remove_at(family, i);
        } else {
            i++;
        }
    }
}

void sl_family_poll(struct sl_family *family, uint64_t now_ns, const struct sl_relation *relation)
{
    uint64_t before_ns = sl_clock_thread_cpu_ns();
    family->found_count = 0;
    if (family->fresh) {
        take_in(family, now_ns, relation); /* what there was when the search began */
        family->fresh = false;
    }
    sl_arrivals_next(&family->arrivals);
    take_in(family, now_ns, relation);
    drop_ended(family, now_ns, relation);
    uint64_t cost_ns = sl_clock_thread_cpu_ns() - before_ns;
    family->cost_ns = family->cost_ns - family->cost_ns / COST_STEPS + cost_ns / COST_STEPS;
    /* What follows costs something for each new process, not for each poll. */
    find_pythons(family, now_ns);

    uint64_t every_ns = family->cost_ns * POLL_SHARE;
    every_ns = every_ns > POLL_EVERY_NS ? every_ns : POLL_EVERY_NS;
    family->due_ns = now_ns + (every_ns < POLL_EVERY_MAX_NS ? every_ns : POLL_EVERY_MAX_NS);
}

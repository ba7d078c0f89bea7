/* profile_builder.h - profiles made by hand, so that a test knows every number by construction.
 *
 * The content is kept in growing arrays; `built` puts it together. Everything is freed by `builder_destroy`. Running out
 * of memory aborts the test. */
#ifndef SL_TESTS_PROFILE_BUILDER_H
#define SL_TESTS_PROFILE_BUILDER_H

#include "profile/profile.h"

struct builder;

/* A profile with one process ("app.py", sys.path /app, Python 3.12 in /usr) and an interval of 1 ms. */
struct builder *builder_create(void);
void builder_destroy(struct builder *builder);

sl_string builder_string(struct builder *builder, const char *text);
sl_string builder_bytes(struct builder *builder, const char *bytes, size_t size);

/* The function of that name in that file; made when it is new. */
sl_function builder_function(struct builder *builder, const char *name, const char *file);
sl_function builder_namesake(struct builder *builder, const char *name, const char *file,
                             uint32_t first_line); /* a new one */
sl_function builder_function_of_kind(struct builder *builder, const char *name, const char *file,
                                     enum sl_function_kind kind);

/* The stack of `function` at `line` on top of `caller`; made when it is new. */
sl_stack builder_stack(struct builder *builder, sl_stack caller, sl_function function, uint32_t line);

/* A stack from its root: "main:3 work:7" names functions, by their names alone, which are made in /app/app.py unless they
 * exist already. "" is the empty stack. */
sl_stack builder_stack_named(struct builder *builder, const char *frames);

/* More processes and threads. The first thread of a process is its main thread. Return the index. */
uint32_t builder_process(struct builder *builder, struct sl_process_record process);
uint32_t builder_thread(struct builder *builder, uint32_t process, const char *name);

/* A run. Those of one thread are added in order of time. */
void builder_run(struct builder *builder, uint32_t thread, sl_stack stack, sl_state state, uint64_t begin_ns,
                 uint64_t end_ns, uint32_t samples);

/* A task of a thread. In order of threads and numbers. */
void builder_task(struct builder *builder, uint32_t thread, uint32_t number, sl_function coroutine);

/* The same, right after the thread's last one: `milliseconds` long with one sample each. */
void builder_ran(struct builder *builder, uint32_t thread, const char *frames, sl_state state, uint32_t milliseconds);

/* For what the above cannot say. */
struct sl_process_record *builder_process_record(struct builder *builder, uint32_t process);
struct sl_thread_record *builder_thread_record(struct builder *builder, uint32_t thread);
struct sl_facts *builder_facts(struct builder *builder);

/* The profile so far, valid until the builder is destroyed or asked again. */
const struct sl_profile *builder_profile(struct builder *builder);

#endif

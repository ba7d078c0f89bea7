/* program_double.h - a real process with threads that each do one thing, as python_double.h then says of it. */
#ifndef SL_TESTS_PROGRAM_DOUBLE_H
#define SL_TESTS_PROGRAM_DOUBLE_H

#include "python_double.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MS UINT64_C(1000000)

/* What it shares with the test. */
struct program {
    atomic_int ids[8]; /* of its threads */
    int gil, lock;     /* futexes that nobody wakes */
    atomic_bool go;
};
extern struct program *program;
extern pid_t pid; /* of the program; 0: none, or it has been waited for */

/* What a thread does, for ever or as long as said: its argument is where it puts its id. */
typedef void *(*activity)(void *);
void *spin(void *argument);
void *wait_for_gil(void *argument);
void *wait_for_lock(void *argument);
void *sleep_on(void *argument);
void *live_briefly(void *argument); /* until `go` */
void *execute(void *argument);      /* another program, after 50 ms */

/* The first activity is the main thread's. Each thread is said to run f0, and on top of that f1 the first one, f2 the second
 * and so on. */
void start_program(const activity *activities, size_t count);

/* For cmocka: the shared memory; and the end of the program. */
int set_up(void **state);
int tear_down(void **state);

#endif

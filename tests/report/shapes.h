/* shapes.h - recordings made up for the tests of the report page: the same each time, each with something that a page
 * must stand. */
#ifndef SL_TESTS_REPORT_SHAPES_H
#define SL_TESTS_REPORT_SHAPES_H

#include "profile/profile.h"

/* The recording of that name, to be destroyed by sl_profile_destroy; NULL when there is none such:
 *   empty    nothing was sampled
 *   tiny     three samples
 *   app      one thread, 100,000 samples, four hundred functions of a program and its libraries
 *   large    the same with 1,000,000 samples
 *   deep     recursion 10,000 frames deep
 *   threads  two hundred and ten threads, most of them idle, in states of every kind
 *   pool     four processes with two threads each
 *   tasks    an event loop that takes turns with tasks of two coroutines
 *   hostile  names that try to break out of the page, or to break it
 *   late     two looks of five were late; two threads, each with a function of its own, and the import system
 *   folded   read from folded stacks, which tell of stacks and times only */
struct sl_profile *shape_named(const char *name);

extern const char *const shape_names[]; /* NULL at the end */

#endif

/* top_view.h - what a person at the live view has chosen, and what each key makes of it. */
#ifndef SL_CLI_TOP_VIEW_H
#define SL_CLI_TOP_VIEW_H

#include "analysis/selection.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sl_top_page {
    SL_TOP_FUNCTIONS,
    SL_TOP_THREADS,
    SL_TOP_STACKS, /* of one function */
    SL_TOP_HELP,
};

enum sl_top_order {
    SL_TOP_BY_SELF,      /* in the last seconds */
    SL_TOP_BY_TOTAL,     /* the same */
    SL_TOP_BY_ALL_SELF,  /* since the start */
    SL_TOP_BY_ALL_TOTAL, /* the same */
    SL_TOP_BY_NAME,
};

#define SL_TOP_FILTER_MAX 128

/* Where a page is looked at. Rows change places all the time, so the chosen row goes with what stands in it, once it
 * was moved. */
struct sl_top_place {
    uint32_t cursor;
    bool cursor_moved;
    uint64_t cursor_on; /* a function, or a thread's id */
    uint32_t first;     /* row that is shown first */
};

struct sl_top_view {
    enum sl_top_page page;
    enum sl_top_page before_help;
    enum sl_top_order order;
    enum sl_mode mode;
    uint64_t window_ns; /* the last seconds are so many */
    bool own_only;      /* functions of libraries are not listed */
    bool idle_shown;    /* threads that only wait count, too */
    bool since_start;   /* stacks: all of the recording, not only the last seconds */
    bool paused;
    bool ended;   /* nothing more comes; what there is is looked at until the pause ends */
    bool editing; /* keys go into the filter */
    char filter[SL_TOP_FILTER_MAX + 1];
    size_t filter_size;
    char filter_before[SL_TOP_FILTER_MAX + 1]; /* comes back when the editing is given up */

    sl_function focus; /* whose stacks are shown */
    bool one_thread;   /* only one thread counts: the one with this id */
    uint64_t thread_id;

    struct sl_top_place at;
    struct sl_top_place
        left[SL_TOP_HELP]; /* where each page was when stacks or keys were opened from it: Esc leads back */
};

/* What there is to choose from, as it is on the screen. */
struct sl_top_choice {
    uint32_t rows;                                     /* of the page */
    uint32_t rows_shown;                               /* at a time */
    uint64_t (*on)(const void *context, uint32_t row); /* what stands in a row: as `cursor_on` */
    const void *context;
};

void sl_top_view_init(struct sl_top_view *view, enum sl_mode mode, bool own_only);

enum sl_top_effect {
    SL_TOP_NOTHING,
    SL_TOP_MOVED,   /* the rows are the same */
    SL_TOP_CHANGED, /* there are other rows, or others in their places: the next key chooses from these */
    SL_TOP_QUIT,
};
enum sl_top_effect sl_top_view_key(struct sl_top_view *view, int key, const struct sl_top_choice *choice);

/* The processes have ended. False when nobody reads what there is: one who has paused it, or is in a function's stacks
 * or the keys, does, and has it paused until the pause is ended. */
bool sl_top_view_end(struct sl_top_view *view);

/* Puts the cursor where its row is now, and the first row so that it is shown. */
void sl_top_view_follow(struct sl_top_view *view, const struct sl_top_choice *choice);

#endif

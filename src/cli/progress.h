/* progress.h - the line that says that a recording is going on, in the last row of the terminal.
 *
 * The program writes to the same terminal, at any time, and must look as it does without us. So the line is not put
 * among the program's: the last row is taken out of what scrolls (DECSTBM) for as long as the line is there, and given
 * back before anything else may want it: when the program stops or ends, when it reads keys by itself (an editor, a
 * prompt with history), or when we are not in the foreground. */
#ifndef SL_CLI_PROGRESS_H
#define SL_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* How often it is seen to how the recording goes on. */
enum { SL_PROGRESS_PERIOD_MS = 500 };

struct sl_progress {
    int descriptor; /* of the terminal, -1: there is none */
    bool shown;
    unsigned short rows; /* of the terminal when the line was shown */
    unsigned short columns;
};

/* On `descriptor` if it is a terminal that can show it and the user wants it (not in continuous integration). */
void sl_progress_init(struct sl_progress *progress, int descriptor);

/* Shows the line, or what has become of it. */
void sl_progress_show(struct sl_progress *progress, uint64_t elapsed_ns, uint64_t samples);

/* Gives the row back, blank, and leaves the cursor where it was. */
void sl_progress_erase(struct sl_progress *progress);

#endif

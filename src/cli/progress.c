#include "cli/progress.h"

#include "base/buffer.h"
#include "render/text_number.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* In a smaller window the row is worth more than the line. */
enum { ROWS_MIN = 6, COLUMNS_MIN = 50 };

void sl_progress_init(struct sl_progress *progress, int descriptor)
{
    *progress = (struct sl_progress){.descriptor = -1};
    const char *terminal = getenv("TERM");
    bool able = terminal != NULL && *terminal != '\0' && strcmp(terminal, "dumb") != 0;
    if (able && getenv("CI") == NULL && isatty(descriptor)) {
        progress->descriptor = descriptor;
    }
}

/* Whether the row may be taken: nobody else draws on this terminal. */
static bool is_free(const struct sl_progress *progress, struct winsize *size)
{
    struct termios terminal;
    return tcgetpgrp(progress->descriptor) == getpgrp() && tcgetattr(progress->descriptor, &terminal) == 0 &&
           (terminal.c_lflag & ICANON) != 0 && ioctl(progress->descriptor, TIOCGWINSZ, size) == 0 &&
           size->ws_row >= ROWS_MIN && size->ws_col >= COLUMNS_MIN;
}

/* In one write, so that nothing of the program's comes in between. */
static void send(const struct sl_progress *progress, struct sl_buffer *sequence)
{
    if (!sequence->failed) {
        (void)!write(progress->descriptor, sequence->bytes, sequence->size);
    }
    sl_buffer_destroy(sequence);
}

void sl_progress_show(struct sl_progress *progress, uint64_t elapsed_ns, uint64_t samples)
{
    if (progress->descriptor < 0) {
        return;
    }
    struct winsize size = {0};
    bool free = is_free(progress, &size);
    if (progress->shown && (!free || size.ws_row != progress->rows || size.ws_col != progress->columns)) {
        sl_progress_erase(progress);
    }
    if (!free) {
        return;
    }
    struct sl_buffer sequence;
    sl_buffer_init(&sequence);
    if (!progress->shown) {
        /* Index and cursor up: there is a row below the cursor now, and the column is as it was. Setting the margins
         * moves the cursor, so it is saved before. */
        sl_buffer_format(&sequence, "\033D\033[A\0337\033[1;%dr\0338", size.ws_row - 1);
    }
    uint64_t seconds = elapsed_ns / 1000000000;
    char number[SL_TEXT_NUMBER_SIZE];
    sl_text_count(samples, number);
    sl_buffer_format(&sequence, "\0337\033[%d;1H\033[2mstacklapse  ", size.ws_row);
    if (seconds >= 60) {
        sl_buffer_format(&sequence, "%llu min ", (unsigned long long)(seconds / 60));
    }
    sl_buffer_format(&sequence, "%llu s  %s samples\033[0m\033[K\0338", (unsigned long long)(seconds % 60), number);
    progress->shown = true;
    progress->rows = size.ws_row;
    progress->columns = size.ws_col;
    send(progress, &sequence);
}

void sl_progress_erase(struct sl_progress *progress)
{
    if (!progress->shown) {
        return;
    }
    progress->shown = false;
    struct sl_buffer sequence;
    sl_buffer_init(&sequence);
    sl_buffer_format(&sequence, "\0337\033[r\033[%d;1H\033[K\0338", progress->rows);
    send(progress, &sequence);
}

/* A process for a person: each thread with what it does, and its stack with the innermost call first. */
#include "cli/dump_view.h"

#include "render/state_word.h"
#include "render/text_style.h"
#include "target/descriptors.h"

#include <stdio.h>
#include <string.h>

/* A recursion is folded if it repeats up to so many frames, so often. */
enum { CYCLE_MAX = 8, CYCLES_FOLDED = 3 };

struct writer {
    struct sl_output *output;
    struct sl_text_row row;
    struct sl_dump_view *view;
};

static void add_foreign(struct writer *writer, enum sl_text_color color, const char *text)
{
    sl_text_row_fit(&writer->row, color, text, strlen(text), SL_TEXT_WIDTH_MAX, SL_TEXT_CUT_END);
}

static void end_row(struct writer *writer)
{
    sl_text_row_end(&writer->row, writer->output);
}

static void write_process(struct writer *writer)
{
    const struct sl_dump_view *view = writer->view;
    sl_text_row_format(&writer->row, SL_TEXT_PLAIN, "process %d", (int)view->pid);
    if (view->command[0] != '\0') {
        sl_text_row_add(&writer->row, SL_TEXT_PLAIN, "  ");
        add_foreign(writer, SL_TEXT_STRONG, view->command);
    }
    end_row(writer);
    if (view->taken) {
        sl_text_row_format(&writer->row, SL_TEXT_QUIET, "Python %s  ", sl_python_version(view->dump.python));
        add_foreign(writer, SL_TEXT_QUIET, view->executable);
        end_row(writer);
    }
}

/* "read fd 7 (socket 127.0.0.1:5432)" */
static void add_wait(struct writer *writer, const struct sl_dump_thread *thread)
{
    const char *word = sl_state_word(thread->state);
    sl_text_row_add(&writer->row, SL_TEXT_TAG, word != NULL ? word : "wait");
    size_t others;
    int descriptor = sl_descriptor_awaited(&writer->view->process, &thread->activity, &others);
    if (descriptor < 0) {
        return;
    }
    char text[SL_DESCRIPTOR_TEXT_MAX];
    sl_descriptor_describe(&writer->view->process, descriptor, text);
    sl_text_row_format(&writer->row, SL_TEXT_TAG, " fd %d", descriptor);
    if (text[0] != '\0') {
        sl_text_row_add(&writer->row, SL_TEXT_TAG, " (");
        add_foreign(writer, SL_TEXT_TAG, text);
        sl_text_row_add(&writer->row, SL_TEXT_TAG, ")");
    }
    if (others > 0) {
        sl_text_row_format(&writer->row, SL_TEXT_TAG, " and %zu more", others);
    }
}

/* NULL for one that simply waits, in something. */
static const char *word_of(const struct sl_dump_thread *thread)
{
    sl_state state = thread->state;
    if ((state & SL_STATE_KNOWN) == 0) {
        return "state unknown";
    }
    if (thread->stop != SL_THREAD_GOES_ON) {
        return thread->stop == SL_THREAD_TRACED ? "stopped by a tracer" : "stopped";
    }
    if ((state & SL_STATE_GC) != 0) {
        return "has the GIL, collects garbage";
    }
    if ((state & SL_STATE_WAITS_GIL) != 0) {
        return "waits for the GIL";
    }
    if ((state & SL_STATE_ON_CPU) != 0) {
        return (state & SL_STATE_HAS_GIL) != 0 ? "has the GIL" : "running";
    }
    return NULL;
}

static void add_state(struct writer *writer, const struct sl_dump_thread *thread)
{
    const char *word = word_of(thread);
    if (word != NULL) {
        sl_text_row_add(&writer->row, SL_TEXT_TAG, word);
    } else {
        add_wait(writer, thread);
    }
    bool said = word != NULL && thread->stop == SL_THREAD_GOES_ON;
    if (!said && (thread->state & SL_STATE_HAS_GIL) != 0) {
        sl_text_row_add(&writer->row, SL_TEXT_TAG, ", has the GIL");
    }
}

static void write_frame(struct writer *writer, struct sl_frame frame)
{
    sl_text_row_add(&writer->row, SL_TEXT_PLAIN, "    ");
    if (frame.code == SL_CODE_NAMELESS) {
        sl_text_row_add(&writer->row, SL_TEXT_PLAIN, "[unknown function]");
    } else {
        const struct sl_code *code = sl_python_code(writer->view->dump.python, frame.code);
        sl_text_row_fit(&writer->row, SL_TEXT_STRONG, code->name, code->name_size, SL_TEXT_WIDTH_MAX, SL_TEXT_CUT_END);
        sl_text_row_add(&writer->row, SL_TEXT_QUIET, "  ");
        sl_text_row_fit(&writer->row, SL_TEXT_QUIET, code->file, code->file_size, SL_TEXT_WIDTH_MAX, SL_TEXT_CUT_BEGIN);
        sl_text_row_format(&writer->row, SL_TEXT_QUIET, ":%u", frame.line);
    }
    end_row(writer);
}

static bool same_function(struct sl_frame one, struct sl_frame other)
{
    return one.code == other.code && one.code != SL_CODE_NAMELESS;
}

/* How often the `length` innermost of the first `count` frames follow each other. */
static size_t cycles(const struct sl_frame *frames, size_t count, size_t length)
{
    size_t times = 1;
    for (; (times + 1) * length <= count; times++) {
        for (size_t i = 0; i < length; i++) {
            if (!same_function(frames[count - times * length - 1 - i], frames[count - 1 - i])) {
                return times;
            }
        }
    }
    return times;
}

/* The innermost call first; what calls itself over and over is shown once and counted. */
static void write_stack(struct writer *writer, const struct sl_dump_thread *thread, bool show_all)
{
    size_t left = thread->count;
    while (left > 0) {
        size_t length = 1;
        size_t times = 1;
        for (size_t tried = 1; tried <= CYCLE_MAX && times < CYCLES_FOLDED && !show_all; tried++) {
            length = tried;
            times = cycles(thread->frames, left, tried);
        }
        if (times < CYCLES_FOLDED) {
            length = 1;
            times = 1;
        }
        for (size_t i = 0; i < length; i++) {
            write_frame(writer, thread->frames[left - 1 - i]);
        }
        if (times > 1) {
            char frames[32] = "this frame";
            if (length > 1) {
                snprintf(frames, sizeof frames, "these %zu frames", length);
            }
            sl_text_row_format(&writer->row, SL_TEXT_QUIET, "    [%s %zu times more; --show-all shows them]", frames,
                               times - 1);
            end_row(writer);
        }
        left -= length * times;
    }
}

static void write_thread(struct writer *writer, const struct sl_dump_thread *thread, bool show_all)
{
    end_row(writer);
    sl_text_row_format(&writer->row, SL_TEXT_PLAIN, "thread %d", (int)thread->id);
    if (thread->main) {
        sl_text_row_add(&writer->row, SL_TEXT_PLAIN, " main");
    } else if (thread->name[0] != '\0') {
        sl_text_row_add(&writer->row, SL_TEXT_PLAIN, " ");
        add_foreign(writer, SL_TEXT_PLAIN, thread->name);
    }
    sl_text_row_add(&writer->row, SL_TEXT_PLAIN, "  ");
    add_state(writer, thread);
    end_row(writer);
    if (!thread->consistent) {
        const char *broken = "    [broken: the stack changed faster than it could be read]";
        const char *too_deep = "    [too deep: more than 65,536 frames, or 64 MiB of them]";
        sl_text_row_add(&writer->row, SL_TEXT_WARN, thread->too_deep ? too_deep : broken);
        end_row(writer);
    } else if (thread->count == 0) {
        sl_text_row_add(&writer->row, SL_TEXT_QUIET, "    [no Python frame]");
        end_row(writer);
    }
    write_stack(writer, thread, show_all);
}

void sl_dump_text(struct sl_output *output, struct sl_dump_view *view, bool show_all, bool color, bool unicode)
{
    struct sl_text_style style = sl_text_style(color, unicode, SL_TEXT_WIDTH_MAX);
    struct writer writer = {.output = output, .view = view};
    sl_text_row_init(&writer.row, &style);
    write_process(&writer);
    if (view->taken) {
        for (size_t i = 0; i < view->dump.count; i++) {
            write_thread(&writer, &view->dump.threads[i], show_all);
        }
    } else {
        add_foreign(&writer, SL_TEXT_QUIET, view->error.sentence);
        end_row(&writer);
    }
    sl_text_row_destroy(&writer.row);
}

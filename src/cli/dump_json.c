/* Processes for a program to read: docs/dump.md, docs/dump.schema.json. */
#include "cli/dump_view.h"

#include "render/json_writer.h"
#include "render/state_word.h"
#include "target/descriptors.h"

#include <string.h>

enum { VERSION = 1 };

static void write_wait(struct sl_json *json, struct sl_dump_view *view, const struct sl_dump_thread *thread)
{
    int32_t call = sl_state_call(thread->state);
    size_t others;
    int descriptor = call >= 0 ? sl_descriptor_awaited(&view->process, &thread->activity, &others) : -1;
    if (call >= 0) {
        sl_json_signed(json, "system_call", call);
    } else {
        sl_json_null(json, "system_call");
    }
    if (descriptor < 0) {
        sl_json_null(json, "descriptor");
        sl_json_null(json, "descriptor_is");
        return;
    }
    char text[SL_DESCRIPTOR_TEXT_MAX];
    sl_descriptor_describe(&view->process, descriptor, text);
    sl_json_signed(json, "descriptor", descriptor);
    sl_json_text(json, "descriptor_is", text);
}

static void write_stop(struct sl_json *json, const struct sl_dump_thread *thread)
{
    if (thread->stop == SL_THREAD_GOES_ON) {
        sl_json_null(json, "stopped_by");
    } else {
        sl_json_text(json, "stopped_by", thread->stop == SL_THREAD_TRACED ? "tracer" : "signal");
    }
}

static void write_frames(struct sl_json *json, const struct sl_python *python, const struct sl_dump_thread *thread)
{
    sl_json_open_array(json, "frames");
    for (size_t i = thread->count; i > 0; i--) {
        struct sl_frame frame = thread->frames[i - 1];
        sl_json_new_line(json);
        sl_json_open_object(json, NULL);
        if (frame.code == SL_CODE_NAMELESS) {
            sl_json_text(json, "function", "[unknown function]");
            sl_json_text(json, "file", "");
        } else {
            const struct sl_code *code = sl_python_code(python, frame.code);
            sl_json_string(json, "function", code->name, code->name_size);
            sl_json_string(json, "file", code->file, code->file_size);
        }
        sl_json_unsigned(json, "line", frame.line);
        sl_json_close_object(json);
    }
    sl_json_close_array(json);
}

static void write_thread(struct sl_json *json, struct sl_dump_view *view, const struct sl_dump_thread *thread)
{
    sl_json_new_line(json);
    sl_json_open_object(json, NULL);
    sl_json_unsigned(json, "id", (uint64_t)thread->id);
    sl_json_text(json, "name", thread->name);
    sl_json_bool(json, "main", thread->main);
    sl_json_text(json, "state", sl_state_name(thread->state));
    sl_json_bool(json, "has_gil", (thread->state & SL_STATE_HAS_GIL) != 0);
    write_stop(json, thread);
    write_wait(json, view, thread);
    sl_json_bool(json, "consistent", thread->consistent);
    sl_json_bool(json, "too_deep", thread->too_deep);
    write_frames(json, view->dump.python, thread);
    sl_json_close_object(json);
}

static void write_process(struct sl_json *json, struct sl_dump_view *view)
{
    sl_json_new_line(json);
    sl_json_open_object(json, NULL);
    sl_json_unsigned(json, "pid", (uint64_t)view->pid);
    sl_json_unsigned(json, "parent_pid", (uint64_t)view->parent);
    sl_json_text(json, "command", view->command);
    sl_json_text(json, "executable", view->executable);
    if (view->taken) {
        sl_json_text(json, "python", sl_python_version(view->dump.python));
        sl_json_null(json, "error");
    } else {
        sl_json_null(json, "python");
        sl_json_text(json, "error", view->error.sentence);
    }
    sl_json_open_array(json, "threads");
    for (size_t i = 0; view->taken && i < view->dump.count; i++) {
        write_thread(json, view, &view->dump.threads[i]);
    }
    sl_json_close_array(json);
    sl_json_close_object(json);
}

void sl_dump_json(struct sl_output *output, struct sl_dump_view *const *views, size_t count)
{
    struct sl_json json;
    sl_json_begin(&json, output);
    sl_json_open_object(&json, NULL);
    sl_json_text(&json, "format", "stacklapse-dump");
    sl_json_unsigned(&json, "version", VERSION);
    sl_json_open_array(&json, "processes");
    for (size_t i = 0; i < count; i++) {
        write_process(&json, views[i]);
    }
    sl_json_close_array(&json);
    sl_json_close_object(&json);
    sl_output_text(output, "\n");
}

/* state.h - what the module keeps: a state for each interpreter that imports it. Each part belongs to the file that is named
 * with it, which makes, visits and clears it. Owned references; NULL until they are made. */
#ifndef SL_EXTENSION_STATE_H
#define SL_EXTENSION_STATE_H

#include <Python.h>

/* contexts.h */
struct sl_contexts {
    PyObject *token_type;
    PyObject *variable; /* the ContextVar that holds a token */
    PyObject *name_get, *name_set, *name_reset, *name_old_value;
};

/* recording.h */
struct sl_recording_state {
    PyObject *type;       /* Recording */
    PyObject *frame_type; /* types.FrameType */
    PyObject *name_f_back;
    struct sl_contexts contexts;
};

/* running_task.h: interned names. */
struct sl_running_task_names {
    PyObject *names[10];
};

/* watch_types.h: the types, and interned names. */
struct sl_watch_state {
    PyObject *watches_type, *watch_type, *wsgi_type, *asgi_type;
    PyObject *name_type, *name_status, *name_method, *name_close, *name_length, *name_read;
    PyObject *name_request_method, *name_werkzeug_request, *name_file_wrapper;
};

struct sl_module_state {
    PyObject *session_type;
    struct sl_recording_state recording;
    struct sl_running_task_names tasks;
    struct sl_watch_state watch;
};

/* Of the module; of the one whose types `object` is an instance of. NULL with an exception set on failure: when the
 * interpreter ends there is none any more. */
struct sl_module_state *sl_module_state(PyObject *module);
struct sl_module_state *sl_module_state_of(PyObject *object);

#endif

#include "extension/token.h"

#include "sampler/host.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>

struct token {
    PyObject_HEAD;
    uint64_t id;
    PyObject *parent; /* a token, or NULL */
    bool running;
};

static_assert(offsetof(struct token, id) == SL_TOKEN_ID && offsetof(struct token, parent) == SL_TOKEN_PARENT,
              "the sampler reads tokens in memory");

static void deallocate(PyObject *self)
{
    /* Of this thread, as the last reference to each is given up in the loop below: what that one was on top of, in its turn.
     * So a chain of any length is freed without recursion. */
    static _Thread_local bool in_loop;
    static _Thread_local PyObject *next;
    PyTypeObject *type = Py_TYPE(self);
    PyObject *parent = ((struct token *)self)->parent;
    PyObject_Free(self);
    Py_DECREF(type);
    if (in_loop) {
        next = parent;
        return;
    }
    in_loop = true;
    while (parent != NULL) {
        next = NULL;
        Py_DECREF(parent);
        parent = next;
    }
    in_loop = false;
}

PyObject *sl_token_type(PyObject *module)
{
    PyType_Slot slots[] = {
        {Py_tp_dealloc, (void *)deallocate},
        {Py_tp_doc, (void *)"Marks a context as belonging to a recording."},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "stacklapse._native.Token",
        .basicsize = sizeof(struct token),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };
    return PyType_FromModuleAndSpec(module, &spec, NULL);
}

PyObject *sl_token_running(PyObject *type, PyObject *token)
{
    while (token != NULL && Py_TYPE(token) == (PyTypeObject *)type && !((struct token *)token)->running) {
        token = ((struct token *)token)->parent;
    }
    return token != NULL && Py_TYPE(token) == (PyTypeObject *)type ? token : NULL;
}

/* Lets those that run, from `token` on, be on top of each other without those between them that have ended: else scopes that
 * overlap hand over hand would be held by the next without end. The sampler reads these links at any time and reads what has
 * changed again, so none may lead elsewhere than to a token that is there. */
static void unlink_ended(PyObject *type, PyObject *token)
{
    while (token != NULL) {
        PyObject *before = ((struct token *)token)->parent;
        PyObject *running = sl_token_running(type, before);
        if (running != before) {
            ((struct token *)token)->parent = Py_XNewRef(running);
            Py_DECREF(before);
        }
        token = running;
    }
}

PyObject *sl_token_create(PyObject *type, PyObject *before)
{
    static atomic_uint_fast64_t last_id;
    struct token *token = PyObject_New(struct token, (PyTypeObject *)type);
    if (token == NULL) {
        return NULL;
    }
    token->id = atomic_fetch_add(&last_id, 1) + 1;
    token->parent = Py_XNewRef(sl_token_running(type, before));
    token->running = true;
    unlink_ended(type, token->parent);
    return (PyObject *)token;
}

uint64_t sl_token_id(PyObject *token)
{
    return ((struct token *)token)->id;
}

void sl_token_end(PyObject *token)
{
    ((struct token *)token)->running = false;
}

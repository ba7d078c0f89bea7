#include "extension/state.h"

struct sl_module_state *sl_module_state(PyObject *module)
{
    return module != NULL ? PyModule_GetState(module) : NULL;
}

struct sl_module_state *sl_module_state_of(PyObject *object)
{
    return sl_module_state(PyType_GetModule(Py_TYPE(object)));
}

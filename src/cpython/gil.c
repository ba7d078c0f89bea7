#include "cpython/runtime.h"

uint64_t sl_gil_address(struct sl_python *python, uint64_t interpreter)
{
    const struct sl_layout *layout = &python->layout;
    if (layout->runtime_gil != 0) {
        return python->runtime + layout->runtime_gil;
    }
    uint64_t address = 0;
    if (sl_process_read(python->process, interpreter + layout->interpreter_gil, &address, 8) != SL_READ_OK) {
        return 0;
    }
    return address;
}

void sl_python_gil_range(struct sl_python *python, const struct sl_python_thread *thread, uint64_t *begin,
                         uint64_t *end)
{
    const struct sl_thread_memory *memory = sl_thread_memory(&python->memories, thread);
    *begin = memory != NULL && memory->gil != 0 ? memory->gil : sl_gil_address(python, thread->interpreter);
    *end = *begin == 0 ? 0 : *begin + python->layout.gil_size;
}

uint64_t sl_python_gil_holder(struct sl_python *python, uint64_t begin)
{
    const struct sl_layout *layout = &python->layout;
    uint64_t holder = 0;
    uint32_t locked = 0;
    struct sl_read_piece pieces[] = {
        {begin + layout->gil_holder, &holder, sizeof holder},
        {begin + layout->gil_locked, &locked, sizeof locked},
    };
    return sl_process_read_pieces(python->process, pieces, 2) == SL_READ_OK && locked == 1 ? holder : 0;
}

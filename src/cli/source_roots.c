#include "cli/source_roots.h"

#include "target/process.h"
#include "target/root.h"

#include <stdlib.h>
#include <unistd.h>

/* Many processes have the same root; no more roots than this are read from. */
enum { ROOTS_MAX = 64 };

static bool has(const struct sl_source_roots *roots, uint64_t root)
{
    for (size_t i = 0; i < roots->count; i++) {
        if (roots->items[i].root == root) {
            return true;
        }
    }
    return false;
}

static void add(struct sl_source_roots *roots, const struct sl_process_record *record)
{
    struct sl_process process;
    if (!sl_process_open(&process, (pid_t)record->pid, NULL)) {
        return;
    }
    /* Whoever has the pid by now: the root is the one that was recorded. */
    uint64_t number;
    if (sl_root_number(&process, &number) && number == record->root) {
        int descriptor = sl_root_open(&process);
        if (descriptor >= 0) {
            roots->items[roots->count++] = (struct sl_source_root){.root = record->root, .descriptor = descriptor};
        }
    }
    sl_process_close(&process);
}

void sl_source_roots_open(struct sl_source_roots *roots, const struct sl_profile *profile)
{
    *roots = (struct sl_source_roots){.items = calloc(ROOTS_MAX, sizeof *roots->items)};
    for (uint32_t i = 0; roots->items != NULL && i < profile->process_count && roots->count < ROOTS_MAX; i++) {
        const struct sl_process_record *record = &profile->processes[i];
        bool lives = record->end_ns == profile->facts.duration_ns;
        if (record->root != 0 && lives && !has(roots, record->root)) {
            add(roots, record);
        }
    }
}

void sl_source_roots_close(struct sl_source_roots *roots)
{
    for (size_t i = 0; i < roots->count; i++) {
        close(roots->items[i].descriptor);
    }
    free(roots->items);
    *roots = (struct sl_source_roots){0};
}

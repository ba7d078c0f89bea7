/* door.h - what the page's TypeScript may ask of src/analysis.
 *
 * One recording is open. A view is asked for by one function, which returns the address of what was computed, or 0 when
 * memory is exhausted; TypeScript reads it in place, by the layouts of report/src/engine/layout.ts, which are held
 * against the structs here at compile time (door_layout.c). It stays valid until the same function is called again.
 * Times and sizes that may pass 32 bits go in as doubles. */
#ifndef SL_WASM_DOOR_H
#define SL_WASM_DOOR_H

#include "analysis/selection.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_EXPORT(name) __attribute__((export_name(#name), visibility("default")))

/* An array that was computed. */
struct sl_door_array {
    const void *items;
    uint32_t count;
};

#endif

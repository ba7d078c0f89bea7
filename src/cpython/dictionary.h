/* dictionary.h - looks up names in a dict of the interpreter (Include/internal/pycore_dict.h), which may change
 * meanwhile: what is found is an address that must be checked for what it is taken for. */
#ifndef SL_CPYTHON_DICTIONARY_H
#define SL_CPYTHON_DICTIONARY_H

#include "cpython/layout.h"
#include "target/process.h"

#include <stddef.h>
#include <stdint.h>

struct sl_dictionary_entry {
    const char *name; /* ASCII */
    uint64_t value;   /* out: address of the value, 0 when there is none; */
    uint64_t place;   /* and where that is written */
};

/* A namespace with more entries than this is not searched to its end: sys has some 120. */
#define SL_DICTIONARY_ENTRIES_MAX 4096u

/* Looks up `count` names in the dict at `address`. A few reads. */
enum sl_read sl_dictionary_find(struct sl_process *process, const struct sl_layout *layout, uint64_t address,
                                struct sl_dictionary_entry *entries, size_t count);

#endif

/* elf.h - where in a process a symbol or section of one of its mapped files lies. Uses libelf. */
#ifndef SL_TARGET_ELF_H
#define SL_TARGET_ELF_H

#include "target/modules.h"
#include "target/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sl_elf {
    SL_ELF_OK = 0,
    SL_ELF_UNREADABLE, /* the file cannot be reached, or is no ELF file */
    SL_ELF_NOT_64_BIT,
    SL_ELF_OTHER_MACHINE, /* for another processor than ours (run by an emulator) */
};

struct sl_elf_name {
    const char *name;
    bool section;     /* the name of a section, else of a symbol in .dynsym */
    uint64_t address; /* out: in the process's memory; 0: there is none such */
    uint64_t size;    /* out: as the file has it */
};

/* Looks up `count` names at once. */
enum sl_elf sl_elf_find(const struct sl_process *process, const struct sl_module *module, struct sl_elf_name *names,
                        size_t count);

#endif

#include "target/elf.h"

#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#else
#error "stacklapse reads processes on x86-64 and aarch64"
#endif

/* Sections are read whole and held until the file is closed. Those that matter have 2 MB together in a large libpython; a file
 * in which they have more than this is not believed. */
#define SECTIONS_BYTES_MAX ((GElf_Xword)256 * 1024 * 1024)

/* Takes what the section has from the bytes that may still be read. False when that is too much, if there is no such section,
 * and if libelf would unpack it. */
static bool may_be_read(Elf *elf, size_t section, GElf_Xword *bytes_left)
{
    GElf_Shdr header;
    if (gelf_getshdr(elf_getscn(elf, section), &header) == NULL || header.sh_size > *bytes_left ||
        (header.sh_flags & SHF_COMPRESSED) != 0) {
        return false;
    }
    *bytes_left -= header.sh_size;
    return true;
}

/* What must be added to an address in the file to get the one in memory. The mapping that `module` describes was made
 * from the segment that holds its file offset. */
static bool load_bias(Elf *elf, const GElf_Ehdr *header, const struct sl_module *module, uint64_t *bias)
{
    if (header->e_type == ET_EXEC) {
        *bias = 0;
        return true;
    }
    size_t count;
    if (elf_getphdrnum(elf, &count) != 0) {
        return false;
    }
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (gelf_getphdr(elf, (int)i, &segment) == NULL || segment.p_type != PT_LOAD) {
            continue;
        }
        if ((segment.p_offset & ~(page - 1)) == module->file_offset) {
            *bias = module->begin - (segment.p_vaddr & ~(page - 1));
            return true;
        }
    }
    return false;
}

static void find_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, uint64_t bias, struct sl_elf_name *names,
                         size_t count)
{
    Elf_Data *data = elf_getdata(section, NULL);
    if (data == NULL || header->sh_entsize == 0) {
        return;
    }
    size_t symbols = (size_t)(header->sh_size / header->sh_entsize);
    for (size_t i = 0; i < symbols; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(data, (int)i, &symbol) == NULL) {
            return;
        }
        if (symbol.st_shndx == SHN_UNDEF) {
            continue;
        }
        const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
        if (name == NULL) {
            continue;
        }
        for (size_t n = 0; n < count; n++) {
            if (!names[n].section && names[n].address == 0 && strcmp(name, names[n].name) == 0) {
                names[n].address = symbol.st_value + bias;
                names[n].size = symbol.st_size;
            }
        }
    }
}

static enum sl_elf find(Elf *elf, const struct sl_module *module, struct sl_elf_name *names, size_t count)
{
    GElf_Ehdr header;
    size_t section_names;
    uint64_t bias;
    GElf_Xword bytes_left = SECTIONS_BYTES_MAX;
    if (elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &header) == NULL) {
        return SL_ELF_UNREADABLE;
    }
    if (gelf_getclass(elf) != ELFCLASS64) {
        return SL_ELF_NOT_64_BIT;
    }
    if (header.e_machine != OUR_MACHINE) {
        return SL_ELF_OTHER_MACHINE;
    }
    if (!load_bias(elf, &header, module, &bias) || elf_getshdrstrndx(elf, &section_names) != 0 ||
        !may_be_read(elf, section_names, &bytes_left)) {
        return SL_ELF_UNREADABLE;
    }
    bool symbols_seen = false; /* a program has one table of them */
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(elf, section)) != NULL) {
        GElf_Shdr section_header;
        if (gelf_getshdr(section, &section_header) == NULL) {
            continue;
        }
        if (section_header.sh_type == SHT_DYNSYM && !symbols_seen) {
            symbols_seen = true;
            if (may_be_read(elf, elf_ndxscn(section), &bytes_left) &&
                may_be_read(elf, section_header.sh_link, &bytes_left)) {
                find_symbols(elf, section, &section_header, bias, names, count);
            }
        }
        const char *name = elf_strptr(elf, section_names, section_header.sh_name);
        for (size_t n = 0; name != NULL && n < count; n++) {
            if (names[n].section && (section_header.sh_flags & SHF_ALLOC) != 0 && strcmp(name, names[n].name) == 0) {
                names[n].address = section_header.sh_addr + bias;
                names[n].size = section_header.sh_size;
            }
        }
    }
    return SL_ELF_OK;
}

enum sl_elf sl_elf_find(const struct sl_process *process, const struct sl_module *module, struct sl_elf_name *names,
                        size_t count)
{
    for (size_t n = 0; n < count; n++) {
        names[n].address = 0;
        names[n].size = 0;
    }
    if (elf_version(EV_CURRENT) == EV_NONE) {
        return SL_ELF_UNREADABLE;
    }
    int descriptor = sl_module_open(module, process);
    if (descriptor < 0) {
        return SL_ELF_UNREADABLE;
    }
    enum sl_elf result = SL_ELF_UNREADABLE;
    /* Not mapped: where another process cuts the file off, touching what was mapped of it would kill us. */
    Elf *elf = elf_begin(descriptor, ELF_C_READ, NULL);
    if (elf != NULL) {
        result = find(elf, module, names, count);
        elf_end(elf);
    }
    close(descriptor);
    return result;
}

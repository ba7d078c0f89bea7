/* Symbols and sections of our own program, and of one whose file is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "target/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern const uint64_t a_symbol_to_be_found;
const uint64_t a_symbol_to_be_found __attribute__((visibility("default"), used, section(".FoundHere"))) =
    0x5ec7104f0417d00d;

static const struct sl_module *executable_of(const struct sl_modules *modules)
{
    for (size_t i = 0; i < modules->count; i++) {
        if (modules->items[i].executable_file) {
            return &modules->items[i];
        }
    }
    fail_msg("no executable among %zu modules", modules->count);
    return NULL;
}

/* Finds the symbol and the section in `process`, which runs this program. */
static void assert_found(struct sl_process *process, const struct sl_module *module)
{
    struct sl_elf_name names[] = {
        {.name = "a_symbol_to_be_found"},
        {.name = ".FoundHere", .section = true},
        {.name = "no_such_symbol"},
        {.name = ".NoSuchSection", .section = true},
    };
    assert_int_equal(sl_elf_find(process, module, names, 4), SL_ELF_OK);
    assert_true(names[0].address != 0);
    assert_int_equal(names[0].address, names[1].address);
    assert_int_equal(names[0].size, 8);
    assert_int_equal(names[2].address, 0);
    assert_int_equal(names[3].address, 0);
    uint64_t value = 0;
    assert_int_equal(sl_process_read(process, names[0].address, &value, 8), SL_READ_OK);
    assert_int_equal(value, a_symbol_to_be_found);
}

static void test_a_symbol_and_a_section_of_our_own_are_where_the_linker_put_them(void **state)
{
    (void)state;
    struct sl_process process;
    struct sl_modules modules;
    assert_true(sl_process_open(&process, getpid(), NULL));
    assert_true(sl_modules_read(&modules, &process, NULL));
    assert_found(&process, executable_of(&modules));
    struct sl_elf_name name = {.name = "a_symbol_to_be_found"};
    assert_int_equal(sl_elf_find(&process, executable_of(&modules), &name, 1), SL_ELF_OK);
    assert_int_equal(name.address, (uint64_t)(uintptr_t)&a_symbol_to_be_found);
    sl_modules_destroy(&modules);
    sl_process_close(&process);
}

/* Writes this program into a file, from its begin on. */
static void copy_into(int copy)
{
    int original = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat file;
    assert_true(copy >= 0 && original >= 0);
    assert_int_equal(fstat(original, &file), 0);
    assert_int_equal(lseek(copy, 0, SEEK_SET), 0);
    off_t sent = 0;
    while (sent < file.st_size) {
        assert_true(sendfile(copy, original, &sent, (size_t)(file.st_size - sent)) > 0);
    }
    close(original);
}

/* A copy of this program that runs, with its path in `path`. */
static pid_t start_copy(char *path)
{
    strcpy(path, "/tmp/stacklapse-test-elf-XXXXXX");
    int copy = mkstemp(path);
    copy_into(copy);
    fchmod(copy, 0700);
    close(copy);
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ready[1], 1);
        execl(path, path, "sleep", (char *)NULL);
        _exit(127);
    }
    close(ready[1]);
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void test_a_program_whose_file_is_deleted_or_replaced_is_read_all_the_same(void **state)
{
    (void)state;
    char path[64];
    pid_t pid = start_copy(path);
    for (int replaced = 0; replaced < 2; replaced++) {
        unlink(path);
        if (replaced != 0) {
            int other = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
            assert_int_equal(write(other, "no program", 10), 10);
            close(other);
        }
        struct sl_process process;
        struct sl_modules modules;
        assert_true(sl_process_open(&process, pid, NULL));
        assert_true(sl_modules_read(&modules, &process, NULL));
        assert_string_equal(executable_of(&modules)->path, path);
        assert_found(&process, executable_of(&modules));
        sl_modules_destroy(&modules);
        sl_process_close(&process);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    unlink(path);
}

static void test_a_file_that_is_no_program_is_told_apart(void **state)
{
    (void)state;
    char path[] = "/tmp/stacklapse-test-elf-XXXXXX";
    int descriptor = mkstemp(path);
    static const uint8_t small[64] = {0x7f, 'E', 'L', 'F', 1 /* 32 bit */, 1, 1, [16] = 2, [18] = 3, [20] = 1};
    struct stat file;
    struct sl_process process;
    assert_true(sl_process_open(&process, getpid(), NULL));
    for (size_t size = 0; size <= sizeof small; size += 32) {
        assert_int_equal(ftruncate(descriptor, 0), 0);
        assert_int_equal(pwrite(descriptor, small, size, 0), (ssize_t)size);
        assert_int_equal(fstat(descriptor, &file), 0);
        struct sl_module module = {.begin = 1, .end = 2, .inode = (uint64_t)file.st_ino, .path = path};
        struct sl_elf_name name = {.name = "a_symbol_to_be_found", .address = 7};
        enum sl_elf found = sl_elf_find(&process, &module, &name, 1);
        assert_int_equal(found, size < sizeof small ? SL_ELF_UNREADABLE : SL_ELF_NOT_64_BIT);
        assert_int_equal(name.address, 0);
    }
    close(descriptor);
    unlink(path);
    sl_process_close(&process);
}

/* A program file with so many tables of dynamic symbols, of which the first has "first" and the second "second". Behind that
 * they hold nothing but zeros. */
static void write_program(int descriptor, size_t tables, uint64_t symbols_size, uint64_t names_size)
{
    enum { SECTIONS_AT = 512, SYMBOLS_AT = 1024 };
    static const char names[] = "\0first\0second";
    Elf64_Ehdr header;
    int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(own, &header, sizeof header), sizeof header);
    close(own);
    header.e_type = ET_DYN;
    header.e_phoff = sizeof header;
    header.e_phnum = 1;
    header.e_shoff = SECTIONS_AT;
    header.e_shnum = (Elf64_Half)(2 + tables);
    header.e_shstrndx = 1;
    const Elf64_Phdr segment = {.p_type = PT_LOAD};
    uint64_t names_at = SYMBOLS_AT + tables * symbols_size;
    Elf64_Shdr sections[4] = {[1] = {.sh_type = SHT_STRTAB, .sh_offset = names_at, .sh_size = names_size}};
    for (size_t i = 0; i < tables; i++) {
        const Elf64_Sym symbol = {.st_name = i == 0 ? 1 : 7, .st_shndx = 1, .st_value = 16};
        sections[2 + i] = (Elf64_Shdr){
            .sh_type = SHT_DYNSYM,
            .sh_offset = SYMBOLS_AT + i * symbols_size,
            .sh_size = symbols_size,
            .sh_link = 1,
            .sh_entsize = sizeof symbol,
        };
        assert_int_equal(pwrite(descriptor, &symbol, sizeof symbol, (off_t)sections[2 + i].sh_offset), sizeof symbol);
    }
    assert_int_equal(ftruncate(descriptor, (off_t)(names_at + names_size)), 0);
    assert_int_equal(pwrite(descriptor, &header, sizeof header, 0), sizeof header);
    assert_int_equal(pwrite(descriptor, &segment, sizeof segment, sizeof header), sizeof segment);
    assert_int_equal(pwrite(descriptor, sections, sizeof sections, SECTIONS_AT), sizeof sections);
    assert_int_equal(pwrite(descriptor, names, sizeof names, (off_t)names_at), sizeof names);
}

/* Every table that is read stays in memory, and tables of a small file may lie one upon the other. */
static void test_no_more_than_one_table_of_a_credible_size_is_read(void **state)
{
    (void)state;
    static const struct {
        size_t tables;
        uint64_t symbols_size, names_size;
        bool first, second;
    } cases[] = {
        {1, 2400, 4096, true, false},
        {2, 2400, 4096, true, false},
        {1, 264000000, 8000000, false, false},
    };
    char path[] = "/tmp/stacklapse-test-elf-XXXXXX";
    int descriptor = mkstemp(path);
    struct stat file;
    struct sl_process process;
    assert_int_equal(fstat(descriptor, &file), 0);
    assert_true(sl_process_open(&process, getpid(), NULL));
    struct sl_module module = {.begin = 1 << 20, .end = 2 << 20, .inode = (uint64_t)file.st_ino, .path = path};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(ftruncate(descriptor, 0), 0);
        write_program(descriptor, cases[i].tables, cases[i].symbols_size, cases[i].names_size);
        struct sl_elf_name names[] = {{.name = "first"}, {.name = "second"}};
        assert_int_equal(sl_elf_find(&process, &module, names, 2), SL_ELF_OK);
        assert_int_equal(names[0].address != 0, cases[i].first);
        assert_int_equal(names[1].address != 0, cases[i].second);
    }
    close(descriptor);
    unlink(path);
    sl_process_close(&process);
}

/* A process that is there has not ended because we can open nothing more. */
static void test_descriptors_that_are_used_up_are_told(void **state)
{
    (void)state;
    struct sl_process process;
    struct sl_modules modules;
    struct sl_error error = {0};
    struct rlimit before;
    assert_true(sl_process_open(&process, getpid(), NULL));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, before.rlim_max}), 0);
    bool known = sl_modules_read(&modules, &process, &error);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(known);
    assert_int_equal(error.kind, SL_ERROR_SYSTEM);
    assert_non_null(strstr(error.sentence, strerror(EMFILE)));
    sl_process_close(&process);
}

struct unsteady {
    int descriptor;
    atomic_bool over;
};

static void *cut_off_and_write_again(void *argument)
{
    struct unsteady *unsteady = argument;
    while (!unsteady->over) {
        if (ftruncate(unsteady->descriptor, 64) == 0) {
            copy_into(unsteady->descriptor);
        }
    }
    return NULL;
}

/* What was mapped of such a file would be a fatal signal to touch. */
static void test_a_file_that_is_cut_off_meanwhile_is_only_unreadable(void **state)
{
    (void)state;
    char path[] = "/tmp/stacklapse-test-elf-XXXXXX";
    struct unsteady unsteady = {.descriptor = mkstemp(path)};
    struct stat file;
    struct sl_process process;
    pthread_t cutting;
    assert_true(sl_process_open(&process, getpid(), NULL));
    assert_int_equal(fstat(unsteady.descriptor, &file), 0);
    struct sl_module module = {.begin = 1 << 20, .end = 2 << 20, .inode = (uint64_t)file.st_ino, .path = path};
    assert_int_equal(pthread_create(&cutting, NULL, cut_off_and_write_again, &unsteady), 0);
    size_t unreadable = 0;
    for (int turn = 0; turn < 2000; turn++) {
        struct sl_elf_name name = {.name = "a_symbol_to_be_found"};
        unreadable += sl_elf_find(&process, &module, &name, 1) == SL_ELF_UNREADABLE;
    }
    unsteady.over = true;
    pthread_join(cutting, NULL);
    assert_true(unreadable > 0);
    close(unsteady.descriptor);
    unlink(path);
    sl_process_close(&process);
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "sleep") == 0) {
        if (write(1, "r", 1) != 1) {
            return 1;
        }
        for (;;) {
            pause();
        }
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_symbol_and_a_section_of_our_own_are_where_the_linker_put_them),
        cmocka_unit_test(test_a_program_whose_file_is_deleted_or_replaced_is_read_all_the_same),
        cmocka_unit_test(test_a_file_that_is_no_program_is_told_apart),
        cmocka_unit_test(test_no_more_than_one_table_of_a_credible_size_is_read),
        cmocka_unit_test(test_descriptors_that_are_used_up_are_told),
        cmocka_unit_test(test_a_file_that_is_cut_off_meanwhile_is_only_unreadable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

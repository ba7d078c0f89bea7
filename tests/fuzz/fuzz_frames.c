/* fuzz_frames.c - no memory, however damaged or made up, may make the reader of frames crash, hang, allocate without
 * bound, or break a promise of python.h: chains that run in circles, sizes that are huge, words of any value in the place
 * of a pointer or a type, pages that vanish and come back between two looks.
 *
 * A sound interpreter lies in our own memory and is read as any other process is. An input first says which CPython it
 * pretends to be; then come operations of 11 bytes on its memory. Looks come where the input asks for one, and at the
 * end. */
#include "cpython/await.h"
#include "cpython/context.h"
#include "unit/cpython/descriptions.h"
#include "unit/cpython/made_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* More looks than this tell nothing new. */
enum { LOOKS_MAX = 16, OPERATION_BYTES = 11 };

enum operation {
    PUT_WORD,    /* any word */
    PUT_ADDRESS, /* an address in the image */
    PUT_ALIGNED, /* the same, as a pointer has it */
    PUT_END,     /* an address shortly before the end of the image */
    COPY_WORD,   /* a word of the image: links things that are what they should be, but not there */
    PUT_BYTE,    /* a flag or a letter */
    TAKE_PAGE,   /* a page vanishes */
    GIVE_PAGE,   /* it is there again, as it was */
    LOOK,
    OPERATIONS,
};

static const struct {
    uint64_t version;
    const uint64_t *description;
    size_t size;
} versions[] = {
    {0x030f00f0, description_3_15_0, sizeof description_3_15_0},
    {0x030e08f0, description_3_14_8, sizeof description_3_14_8},
    {0x030d00f0, description_3_13_0, sizeof description_3_13_0},
    {0x030c01f0, NULL, 0},
    {0x030b07f0, NULL, 0},
};

struct fuzzed {
    struct sl_process process;
    struct image *image;
    size_t bytes; /* of the image, in whole pages */
    size_t page;
    uint64_t version;
    struct sl_python *python;
    unsigned looks;
};

static void require(bool kept, const char *promise)
{
    if (!kept) {
        fprintf(stderr, "a promise is broken: %s\n", promise);
        abort();
    }
}

static void check_walk(const struct sl_python *python, const struct sl_walk *walk)
{
    require(walk->count <= SL_FRAMES_MAX, "a stack is longer than any may be");
    require(walk->unchanged <= walk->count, "more frames are unchanged than there are");
    for (size_t i = 0; i < walk->count; i++) {
        if (walk->frames[i].code != SL_CODE_NAMELESS) {
            const struct sl_code *code = sl_python_code(python, walk->frames[i].code);
            require(code != NULL && code->name[code->name_size] == '\0', "a name does not end");
            require(code->file[code->file_size] == '\0', "the name of a file does not end");
        }
    }
}

/* Everything that is read of an interpreter. */
static void look(struct fuzzed *fuzzed)
{
    if (fuzzed->python == NULL) {
        struct sl_error error = {0};
        fuzzed->python = sl_python_attach_own(&fuzzed->process, address(fuzzed->image->runtime),
                                              address(&fuzzed->version), false, &error);
        require(fuzzed->python != NULL || error.kind != SL_ERROR_NONE, "a failure without an error");
    }
    if (fuzzed->python == NULL || fuzzed->looks++ == LOOKS_MAX) {
        return;
    }
    struct sl_python *python = fuzzed->python;
    sl_python_threads_forget(python);
    const struct sl_python_thread *listed = NULL;
    size_t count = 0;
    enum sl_look seen = sl_python_threads(python, &listed, &count);
    require(count <= SL_PYTHON_THREADS_MAX, "there are more threads than may be");
    struct sl_python_thread thread = {
        .address = address(fuzzed->image->thread),
        .native_id = 4321,
        .interpreter = address(fuzzed->image->interpreter),
    };
    if ((seen == SL_LOOK_OK || seen == SL_LOOK_TORN) && count > 0) {
        thread = listed[0];
    }
    for (int attempt = 0; attempt < 2; attempt++) {
        struct sl_walk walk = {0};
        if (sl_python_walk(python, &thread, &walk) == SL_LOOK_OK) {
            check_walk(python, &walk);
        }
    }
    uint64_t begin;
    uint64_t end;
    sl_python_gil_range(python, &thread, &begin, &end);
    struct sl_python_facts facts;
    if (sl_python_facts(python, &facts)) {
        sl_python_facts_destroy(&facts);
    }
}

/* What lies at any place, taken for a coroutine and for a context variable. */
static void look_at_place(struct fuzzed *fuzzed, uint64_t place)
{
    if (fuzzed->python == NULL) {
        return;
    }
    struct sl_await await;
    sl_await_init(&await);
    if (sl_await_read(&await, fuzzed->python, place) == SL_AWAITING) {
        require(await.chain.walk.count <= SL_AWAIT_FRAMES_MAX, "a chain of awaits is longer than any may be");
        check_walk(fuzzed->python, &await.chain.walk);
    }
    sl_await_destroy(&await);
    struct sl_context_variable variable;
    if (sl_context_variable(&variable, fuzzed->python, place) == SL_LOOK_OK) {
        struct sl_python_thread thread = {.address = address(fuzzed->image->thread),
                                          .interpreter = address(fuzzed->image->interpreter)};
        struct sl_trail trail;
        uint64_t context = 0;
        uint64_t value;
        sl_process_read(sl_python_process(fuzzed->python), sl_context_place(fuzzed->python, &thread), &context,
                        sizeof context);
        sl_trail_init(&trail);
        sl_context_find(&trail, fuzzed->python, context, &variable, &value);
        sl_trail_destroy(&trail);
    }
}

/* A word or byte is put where it can be put: not into a page that is not there. */
static void write_bytes(struct fuzzed *fuzzed, size_t offset, const void *bytes, size_t size)
{
    struct sl_read_piece piece = {address(fuzzed->image) + offset, &(uint8_t[8]){0}, size};
    if (sl_process_read_pieces(&fuzzed->process, &piece, 1) == SL_READ_OK) {
        memcpy((uint8_t *)fuzzed->image + offset, bytes, size);
    }
}

static void operate(struct fuzzed *fuzzed, const uint8_t *data)
{
    size_t words = sizeof *fuzzed->image / 8;
    size_t place = (size_t)(data[1] | data[2] << 8) % words * 8;
    uint64_t value;
    memcpy(&value, data + 3, 8);
    uint64_t inside = address(fuzzed->image) + value % sizeof *fuzzed->image;
    uint8_t *page = (uint8_t *)fuzzed->image + place / fuzzed->page * fuzzed->page;
    switch ((enum operation)(data[0] % OPERATIONS)) {
    case PUT_WORD:
        write_bytes(fuzzed, place, &value, 8);
        break;
    case PUT_ADDRESS:
        write_bytes(fuzzed, place, &inside, 8);
        break;
    case PUT_ALIGNED:
        inside &= ~UINT64_C(7);
        write_bytes(fuzzed, place, &inside, 8);
        break;
    case PUT_END:
        value = address(fuzzed->image) + fuzzed->bytes - value % 256;
        write_bytes(fuzzed, place, &value, 8);
        break;
    case COPY_WORD:
        if (sl_process_read(&fuzzed->process, inside & ~UINT64_C(7), &value, 8) == SL_READ_OK) {
            write_bytes(fuzzed, place, &value, 8);
        }
        break;
    case PUT_BYTE:
        write_bytes(fuzzed, place + (value >> 8) % 8, &value, 1);
        break;
    case TAKE_PAGE:
        mprotect(page, fuzzed->page, PROT_NONE);
        break;
    case GIVE_PAGE:
        mprotect(page, fuzzed->page, PROT_READ | PROT_WRITE);
        break;
    default:
        look(fuzzed);
        look_at_place(fuzzed, inside);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzzed fuzzed;
    if (fuzzed.image == NULL) {
        fuzzed.page = (size_t)sysconf(_SC_PAGESIZE);
        fuzzed.bytes = (sizeof *fuzzed.image + fuzzed.page - 1) / fuzzed.page * fuzzed.page;
        fuzzed.image = mmap(NULL, fuzzed.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        require(fuzzed.image != MAP_FAILED && sl_process_open(&fuzzed.process, getpid(), NULL), "no memory to look at");
    }
    if (size == 0) {
        return 0;
    }
    mprotect(fuzzed.image, fuzzed.bytes, PROT_READ | PROT_WRITE);
    size_t which = data[0] % (sizeof versions / sizeof versions[0]);
    uint8_t description[SL_DESCRIPTION_BYTES] = {0};
    if (versions[which].description != NULL) {
        memcpy(description, versions[which].description, versions[which].size);
    }
    struct sl_layout layout;
    fuzzed.version = versions[which].version;
    fuzzed.looks = 0;
    require(sl_layout_choose(&layout, fuzzed.version, description, NULL), "a layout that is known is refused");
    make_image(fuzzed.image, &layout);
    memcpy(fuzzed.image->runtime, description, versions[which].size);
    for (size_t at = 1; at + OPERATION_BYTES <= size; at += OPERATION_BYTES) {
        operate(&fuzzed, data + at);
    }
    look(&fuzzed);
    sl_python_detach(fuzzed.python);
    fuzzed.python = NULL;
    return 0;
}

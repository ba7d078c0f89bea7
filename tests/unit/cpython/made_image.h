/* made_image.h - a made interpreter in our own memory: two functions by turns in one thread, and everything that a walk
 * reads of them. */
#ifndef MADE_IMAGE_H
#define MADE_IMAGE_H

#include "cpython/layout.h"
#include "cpython/runtime.h"

#include <stdint.h>
#include <string.h>

#define FRAMES 40
#define INTERPRETER_BYTES 16384
#define CHUNK_BYTES 16384
#define FRAME_WORDS 14
#define CODE_BYTES 512
#define UNITS 16

/* Everything that a walk on 3.15 can touch. */
struct image {
    uint8_t runtime[1024];
    uint8_t interpreter[INTERPRETER_BYTES];
    uint8_t thread[1024];
    uint8_t chunk[CHUNK_BYTES];
    uint8_t base[128];
    uint8_t code[2][CODE_BYTES];
    uint8_t type[512];
    uint8_t name[2][128];
    uint8_t file[128];
    uint8_t table[128];
    char type_name[16];
};

static inline uint64_t address(const void *place)
{
    return (uint64_t)(uintptr_t)place;
}

static inline void put(uint8_t *object, size_t offset, uint64_t word)
{
    memcpy(object + offset, &word, 8);
}

static inline void put_half(uint8_t *object, size_t offset, uint32_t word)
{
    memcpy(object + offset, &word, 4);
}

static inline void put_text(uint8_t *object, const char *text)
{
    put(object, 0, 1);
    put(object, 16, strlen(text));
    put_half(object, 32, 1 << 2 | 1 << 5 | 1 << 6);
    strcpy((char *)object + 40, text);
}

/* A thread in FRAMES calls, of two functions by turns, line 10 and 11. */
static inline void make_image(struct image *image, const struct sl_layout *layout)
{
    static const uint8_t lines[] = {0xe8 | 7, 0x00, 0xe8 | 7, 0x02}; /* eight units of line 10, eight of line 11 */
    memset(image, 0, sizeof *image);
    put(image->runtime, layout->runtime_interpreters, address(image->interpreter));
    put(image->interpreter, layout->interpreter_threads, address(image->thread));
    put(image->interpreter, layout->interpreter_gil, address(image->interpreter + 7736));
    put(image->interpreter, 7736 + layout->gil_holder, address(image->thread));
    put_half(image->interpreter, 7736 + layout->gil_locked, 1);
    put(image->thread, layout->thread_interpreter, address(image->interpreter));
    put(image->thread, layout->thread_native_id, 4321);
    put(image->thread, layout->thread_chunk, address(image->chunk));
    put(image->thread, layout->thread_base, address(image->base));
    put(image->chunk, SL_CHUNK_SIZE, CHUNK_BYTES);
    strcpy(image->type_name, "code");
    put(image->type, layout->type_name, address(image->type_name));
    put_text(image->name[0], "even");
    put_text(image->name[1], "odd");
    put_text(image->file, "/srv/made.py");
    put(image->table, layout->bytes_size, sizeof lines);
    memcpy(image->table + layout->bytes_data, lines, sizeof lines);
    for (int i = 0; i < 2; i++) {
        uint8_t *code = image->code[i];
        put(code, 0, 3);
        put(code, layout->object_type, address(image->type));
        put(code, layout->code_size, UNITS);
        put(code, layout->code_qualified_name, address(image->name[i]));
        put(code, layout->code_file, address(image->file));
        put(code, layout->code_line_table, address(image->table));
        put_half(code, layout->code_first_line, 10);
        put_half(code, layout->code_version, 100 + (uint32_t)i);
        put_half(code, layout->code_frame_size, FRAME_WORDS);
    }
    image->base[layout->frame_owner] = 3;
    uint64_t previous = address(image->base);
    for (int i = 0; i < FRAMES; i++) {
        uint8_t *frame = image->chunk + SL_CHUNK_DATA + 8 + (size_t)i * FRAME_WORDS * 8;
        uint64_t code = address(image->code[i % 2]);
        put(frame, layout->frame_code, code | 1); /* tagged */
        put(frame, layout->frame_previous, previous);
        put(frame, layout->frame_instruction, code + layout->code_instructions + (i % 2 == 0 ? 4 : 20));
        previous = address(frame);
    }
    put(image->thread, layout->thread_frame, previous);
}

#endif

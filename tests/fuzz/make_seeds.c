/* make_seeds.c - writes the corpus of fuzz_trace_reader: `make_seeds FOLDER`.
 *
 * Recordings as the recorder makes them, each with something special about it. They are so small that nothing in them is
 * worth compressing; the one that is not is there once more with its sections unpacked, so that a mutation meets the
 * numbers and not the compression. */
#include "profile/recorder.h"
#include "profile/trace_blocks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const uint64_t interval_ns = 1000000;

static void require(bool done, const char *what)
{
    if (!done) {
        fprintf(stderr, "make_seeds: %s failed\n", what);
        exit(1);
    }
}

static void write_file(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    require(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0, path);
}

static void append32(struct sl_buffer *buffer, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        sl_buffer_byte(buffer, (char)(value >> (8 * i)));
    }
}

/* The same trace with every section stored as it is. */
static void unpack(const struct sl_buffer *trace, struct sl_buffer *plain)
{
    struct sl_trace_blocks blocks;
    struct sl_trace_block_view block;
    struct sl_buffer payload;
    sl_buffer_init(&payload);
    require(sl_trace_blocks_open(&blocks, trace->bytes, trace->size, NULL), "reading back");
    sl_buffer_append(plain, trace->bytes, SL_TRACE_HEADER_SIZE);
    while (sl_trace_blocks_next(&blocks, &block) == SL_TRACE_STEP_BLOCK) {
        sl_buffer_clear(&payload);
        for (uint32_t section = 1; section < SL_TRACE_SECTION_COUNT; section++) {
            size_t size = sl_cursor_left(&block.sections[section]);
            if (size > 0) {
                sl_buffer_varint(&payload, section);
                sl_buffer_varint(&payload, SL_TRACE_PLAIN);
                sl_buffer_varint(&payload, size);
                sl_buffer_append(&payload, block.sections[section].at, size);
            }
        }
        size_t begin = plain->size;
        sl_buffer_append(plain, SL_TRACE_BLOCK_MARK, SL_TRACE_BLOCK_MARK_SIZE);
        append32(plain, block.kind);
        append32(plain, block.number);
        append32(plain, (uint32_t)payload.size);
        append32(plain, (uint32_t)crc32_z(0, (const Bytef *)payload.bytes, payload.size));
        append32(plain, (uint32_t)crc32_z(0, (const Bytef *)plain->bytes + begin, plain->size - begin));
        sl_buffer_append(plain, payload.bytes, payload.size);
    }
    sl_trace_blocks_close(&blocks);
    sl_buffer_destroy(&payload);
}

static void write_recording(const char *folder, const char *name, struct sl_recorder *recorder)
{
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    write_file(folder, name, trace->bytes, trace->size);
    sl_recorder_destroy(recorder);
}

static struct sl_recorder *create(void)
{
    struct sl_recorder_options options = {.interval_ns = interval_ns, .description = "seed", .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    require(recorder != NULL, "creating a recorder");
    return recorder;
}

static sl_string string(struct sl_recorder *recorder, const char *text)
{
    return sl_recorder_string(recorder, text, strlen(text));
}

static sl_stack call(struct sl_recorder *recorder, sl_stack caller, const char *name, uint32_t line)
{
    struct sl_function_record function = {
        .name = string(recorder, name),
        .file = string(recorder, "/srv/app.py"),
        .first_line = line - line % 10,
    };
    return sl_recorder_stack(recorder, caller, sl_recorder_function(recorder, function), line);
}

static void begin(struct sl_recorder *recorder, uint32_t threads)
{
    struct sl_process_record process = {.pid = 7, .command = string(recorder, "app.py")};
    sl_recorder_process(recorder, &process);
    for (uint32_t i = 0; i < threads; i++) {
        struct sl_thread_record thread = {.id = 7 + i, .main = i == 0};
        sl_recorder_thread(recorder, &thread);
    }
}

/* Two threads that change, one that hardly does and ends, late and partial slots, a second process, several blocks. */
static struct sl_recorder *record_much(uint32_t looks, uint32_t flush_every)
{
    struct sl_recorder *recorder = create();
    begin(recorder, 3);
    sl_stack root = call(recorder, 0, "<module>", 1);
    sl_stack work = call(recorder, root, "work", 12);
    sl_stack rest = call(recorder, root, "r\xc3\xa9st", 25);
    uint64_t time_ns = 0;
    for (uint32_t i = 0; i < looks; i++) {
        uint64_t length_ns = i % 7 == 3 ? interval_ns * 3 : i % 11 == 5 ? interval_ns / 3 : interval_ns;
        time_ns += i == 17 ? interval_ns / 2 : 0;
        sl_recorder_look(recorder, time_ns, time_ns + length_ns, time_ns + length_ns / 2);
        sl_recorder_sample(recorder, 0, i % 2 == 0 ? work : call(recorder, work, "deeper", 30 + i % 10), i % 5);
        if (i % 3 == 0) {
            sl_recorder_sample(recorder, 1, i % 2 == 0 ? rest : root, sl_state_in_call(SL_STATE_KNOWN, 202));
        }
        if (i == 1) {
            sl_recorder_sample(recorder, 2, rest, SL_STATE_KNOWN);
        }
        time_ns += length_ns;
        if (i == looks / 2) {
            struct sl_process_record process = {.pid = 8, .parent_pid = 7, .begin_ns = time_ns};
            sl_recorder_process(recorder, &process);
            sl_recorder_thread_name(recorder, 2, string(recorder, "resting"));
            sl_recorder_thread_end(recorder, 2, time_ns, 1);
        }
        if (flush_every > 0 && i % flush_every == flush_every - 1) {
            require(sl_recorder_flush(recorder, NULL), "flushing");
        }
    }
    require(sl_recorder_close(recorder, time_ns - interval_ns / 4, NULL), "closing");
    return recorder;
}

int main(int count, char **arguments)
{
    require(count == 2, "usage: make_seeds FOLDER, and that");
    const char *folder = arguments[1];

    struct sl_recorder *recorder = create();
    write_recording(folder, "nothing", recorder);

    recorder = create();
    begin(recorder, 1);
    sl_recorder_look(recorder, 0, interval_ns, 1);
    sl_recorder_sample(recorder, 0, call(recorder, 0, "main", 3), 0);
    require(sl_recorder_close(recorder, interval_ns, NULL), "closing");
    write_recording(folder, "one-look", recorder);

    write_recording(folder, "one-block", record_much(40, 0));

    recorder = record_much(60, 6);
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    write_file(folder, "blocks", trace->bytes, trace->size);
    write_file(folder, "cut", trace->bytes, trace->size * 2 / 3);

    /* A block that is missing, and checksums that are to stay as they are. */
    struct sl_buffer damaged;
    sl_buffer_init(&damaged);
    sl_buffer_append(&damaged, trace->bytes, trace->size);
    memset(damaged.bytes + damaged.size / 2, 0x55, 40);
    write_file(folder, "damaged", damaged.bytes, damaged.size);
    damaged.bytes[10] = 1;
    write_file(folder, "damaged-checksums", damaged.bytes, damaged.size);
    sl_buffer_destroy(&damaged);
    sl_recorder_destroy(recorder);

    recorder = record_much(600, 0);
    struct sl_buffer plain;
    sl_buffer_init(&plain);
    unpack(sl_recorder_trace(recorder), &plain);
    write_file(folder, "packed-plain", plain.bytes, plain.size);
    write_recording(folder, "packed", recorder);
    sl_buffer_destroy(&plain);
    return 0;
}

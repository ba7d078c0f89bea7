/* trace_format.h - the numbers of the .lapse format, once for writer and reader. docs/trace-format.md explains them. */
#ifndef SL_PROFILE_TRACE_FORMAT_H
#define SL_PROFILE_TRACE_FORMAT_H

#include <stdint.h>

/* A trace begins with these 16 bytes: the magic, the version, two bytes of zero, the CRC-32 of the 12 before. As with
 * PNG, the first byte is no text and the line ending tells a transfer that "corrected" it. */
#define SL_TRACE_MAGIC "\x89LAPSE\r\n"
enum {
    SL_TRACE_MAGIC_SIZE = 8,
    SL_TRACE_HEADER_SIZE = 16,
    SL_TRACE_MAJOR = 1, /* a reader refuses a later one */
    SL_TRACE_MINOR = 0, /* a reader skips what a later one added */
};

/* Then come blocks. Each begins with these 24 bytes, all numbers little-endian: the mark, the kind (one byte), three
 * bytes of zero, the block's number, the size of its payload, the CRC-32 of the payload, the CRC-32 of the 20 before. */
#define SL_TRACE_BLOCK_MARK "\xB1\x0C\x8B\x9E"
enum {
    SL_TRACE_BLOCK_MARK_SIZE = 4,
    SL_TRACE_BLOCK_HEADER_SIZE = 24,
};

enum sl_trace_block {
    SL_TRACE_BLOCK_DEFINITIONS = 1, /* strings, functions, stacks, situations, what became of processes and threads */
    SL_TRACE_BLOCK_LOOKS = 2,       /* looks and their samples */
    SL_TRACE_BLOCK_END = 3,         /* the recording was closed in order */
};

/* A payload is a list of sections: number, codec, size of the content, with SL_TRACE_ZSTD the stored size, bytes. */
enum sl_trace_section {
    SL_TRACE_FACTS = 1,
    SL_TRACE_STRINGS = 2,
    SL_TRACE_FUNCTIONS = 3,
    SL_TRACE_STACKS = 4,
    SL_TRACE_SITUATIONS = 5,
    SL_TRACE_EVENTS = 6,
    SL_TRACE_LOOK_TIMES = 7,
    SL_TRACE_INSTANTS = 8,
    SL_TRACE_LIVE = 9,
    SL_TRACE_CHANGE_COUNTS = 10,
    SL_TRACE_CHANGE_THREADS = 11,
    SL_TRACE_CHANGE_SITUATIONS = 12,
    SL_TRACE_ENDS = 13,
    SL_TRACE_SECTION_COUNT = 14,
};

enum sl_trace_codec {
    SL_TRACE_PLAIN = 0,
    SL_TRACE_ZSTD = 1, /* one Zstandard frame (RFC 8878), then zeros up to the stored size */
};

enum sl_trace_event {
    SL_TRACE_PROCESS_NEW = 1,
    SL_TRACE_PROCESS_KNOWN = 2,
    SL_TRACE_PROCESS_END = 3,
    SL_TRACE_THREAD_NEW = 4,
    SL_TRACE_THREAD_NAME = 5,
    SL_TRACE_THREAD_END = 6,
    SL_TRACE_TASK_NEW = 7,
    SL_TRACE_THREAD_STEM = 8,
};

/* A section's content is at most this many times as large as what is stored of it, so that the memory a reader needs is
 * bounded by the size of the trace; what compresses better is padded with zeros. */
#define SL_TRACE_EXPANSION_MAX 32

/* The contents of a block's sections together: what a reader must hold at a time. */
#define SL_TRACE_BLOCK_MAX ((uint32_t)16 * 1024 * 1024)

/* An instant within its slot is kept in 6 bits. */
enum { SL_TRACE_INSTANT_BITS = 6, SL_TRACE_INSTANT_STEPS = 1 << SL_TRACE_INSTANT_BITS };

/* The widest number in a column of numbers with a fixed count of bits. */
enum { SL_TRACE_WIDTH_MAX = 8 };

/* No time and no length of a slot is later or longer: 146 years. Sums of two do not overflow. */
#define SL_TRACE_TIME_MAX ((uint64_t)1 << 62)

#endif

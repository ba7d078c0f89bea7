/* words.h - numbers out of copied memory, which need not be aligned, and the largest pieces that are copied whole. */
#ifndef SL_CPYTHON_WORDS_H
#define SL_CPYTHON_WORDS_H

#include <stdint.h>
#include <string.h>

#define SL_FRAME_HEADER_MAX 128u /* 72 to 80 bytes are used */
#define SL_CODE_HEADER_MAX 256u  /* 184 to 208 bytes are used */
#define SL_THREAD_BYTES_MAX 512u /* the fields needed lie in the first 304 bytes of a PyThreadState */

static inline uint64_t sl_word(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static inline uint32_t sl_half_word(const uint8_t *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static inline int32_t sl_int(const uint8_t *bytes)
{
    return (int32_t)sl_half_word(bytes);
}

#endif

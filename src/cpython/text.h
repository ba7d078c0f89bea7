/* text.h - a str of the interpreter, as UTF-8.
 *
 * The layout is PyASCIIObject, PyCompactUnicodeObject or PyUnicodeObject (Include/cpython/unicodeobject.h); the bits of
 * `state` are the same in the GIL builds of 3.11 to 3.15: 2 of interned, 3 of kind, 1 compact, 1 ascii. Characters that
 * UTF-8 cannot hold (lone surrogates, as from file names that were no valid UTF-8) are written as \udcXX. */
#ifndef SL_CPYTHON_TEXT_H
#define SL_CPYTHON_TEXT_H

#include "base/buffer.h"
#include "cpython/layout.h"
#include "target/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A name or path is cut after so many characters. The longest qualified names of real programs have some hundreds;
 * PATH_MAX is 4096. */
#define SL_TEXT_CHARACTERS_MAX 8192u

/* Bytes that are read with the header on the chance that they hold the whole text. */
#define SL_TEXT_HEAD_BYTES 256u

/* Where the characters of a str lie, from its header. */
struct sl_text_shape {
    uint64_t characters; /* address of the first one */
    uint32_t count;      /* capped */
    uint32_t width;      /* bytes each: 1, 2 or 4 */
};

/* So many bytes at the beginning of text that is not compact say where its characters are. */
#define SL_TEXT_APART_BYTES(layout) ((layout)->text_compact + (size_t)8)

/* From the first `size` bytes of the object at `address`; at least SL_TEXT_APART_BYTES of them for text that is not
 * compact. False when it cannot be a str. */
bool sl_text_shape(struct sl_text_shape *shape, const struct sl_layout *layout, uint64_t address, const uint8_t *head,
                   size_t size);

/* Whether the first `size` bytes of an object, at least layout->text_ascii, end short of what they must say: text that
 * is not compact, whose header lies across the end of a page. */
bool sl_text_cut(const struct sl_layout *layout, const uint8_t *head, size_t size);

/* Appends `count` characters of `width` bytes as UTF-8. */
void sl_text_append(struct sl_buffer *buffer, const uint8_t *characters, uint32_t count, uint32_t width);

/* Appends the str at `address`; up to two reads. SL_READ_FAULT also when it is no str. */
enum sl_read sl_text_read(struct sl_process *process, const struct sl_layout *layout, uint64_t address,
                          struct sl_buffer *buffer);

/* As sl_text_read, when the first `size` bytes of the object have been read already. */
enum sl_read sl_text_finish(struct sl_process *process, const struct sl_layout *layout, uint64_t address,
                            const uint8_t *head, size_t size, struct sl_buffer *buffer);

/* How many of `wanted` bytes at `address` can be read without touching a page beyond the one that the first `needed`
 * bytes end in, so that what lies behind an object is never asked of a page that may not be there. */
size_t sl_page_bounded(uint64_t address, size_t needed, size_t wanted);

#endif

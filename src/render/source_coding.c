#include "render/source_coding.h"

#include <iconv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Longer than any that is known. */
#define NAME_SIZE 24

/* Python's names (without `-` and `_`) and iconv's. Only these are handed to iconv(3), as the file may name anything: other
 * decoders of the C library have been known to read too far or for ever. */
static const struct {
    const char *python;
    const char *iconv;
} codings[] = {
    {"latin1", "ISO-8859-1"},
    {"iso88591", "ISO-8859-1"},
    {"l1", "ISO-8859-1"},
    {"iso88592", "ISO-8859-2"},
    {"latin2", "ISO-8859-2"},
    {"iso88593", "ISO-8859-3"},
    {"iso88594", "ISO-8859-4"},
    {"iso88595", "ISO-8859-5"},
    {"iso88596", "ISO-8859-6"},
    {"iso88597", "ISO-8859-7"},
    {"iso88598", "ISO-8859-8"},
    {"iso88599", "ISO-8859-9"},
    {"iso885910", "ISO-8859-10"},
    {"iso885913", "ISO-8859-13"},
    {"iso885914", "ISO-8859-14"},
    {"iso885915", "ISO-8859-15"},
    {"latin9", "ISO-8859-15"},
    {"iso885916", "ISO-8859-16"},
    {"cp1250", "CP1250"},
    {"windows1250", "CP1250"},
    {"cp1251", "CP1251"},
    {"windows1251", "CP1251"},
    {"cp1252", "CP1252"},
    {"windows1252", "CP1252"},
    {"cp1253", "CP1253"},
    {"cp1254", "CP1254"},
    {"cp1255", "CP1255"},
    {"cp1256", "CP1256"},
    {"cp1257", "CP1257"},
    {"cp1258", "CP1258"},
    {"cp437", "CP437"},
    {"cp850", "CP850"},
    {"cp852", "CP852"},
    {"cp866", "CP866"},
    {"koi8r", "KOI8-R"},
    {"koi8u", "KOI8-U"},
    {"macroman", "MACINTOSH"},
    {"shiftjis", "SHIFT_JIS"},
    {"sjis", "SHIFT_JIS"},
    {"cp932", "CP932"},
    {"eucjp", "EUC-JP"},
    {"gbk", "GBK"},
    {"cp936", "GBK"},
    {"gb2312", "GBK"},
    {"gb18030", "GB18030"},
    {"big5", "BIG5"},
};

/* A line of the text, without its end. */
struct line {
    const char *text;
    size_t size;
};

static bool is_one_of(char byte, const char *bytes)
{
    return byte != '\0' && strchr(bytes, byte) != NULL;
}

static struct line line_at(const char *text, size_t size, size_t at)
{
    size_t end = at;
    while (end < size && !is_one_of(text[end], "\r\n")) {
        end++;
    }
    return (struct line){.text = text + at, .size = end - at};
}

/* Where what is neither blank nor form feed begins: at its size if there is no such. */
static size_t begin_of(const struct line *line)
{
    size_t at = 0;
    while (at < line->size && is_one_of(line->text[at], " \t\f")) {
        at++;
    }
    return at;
}

static bool is_comment(const struct line *line)
{
    size_t at = begin_of(line);
    return at < line->size && line->text[at] == '#';
}

/* The name behind `coding:` or `coding=` in a comment, in lower case and without `-` and `_`. False if there is none. */
static bool coding_in(const struct line *line, char name[NAME_SIZE])
{
    static const char word[] = "coding";
    const size_t word_size = sizeof word - 1;
    if (!is_comment(line)) {
        return false;
    }
    for (size_t at = 0; at + word_size < line->size; at++) {
        if (memcmp(line->text + at, word, word_size) != 0 || !is_one_of(line->text[at + word_size], ":=")) {
            continue;
        }
        struct line rest = {.text = line->text + at + word_size + 1, .size = line->size - at - word_size - 1};
        size_t count = 0;
        size_t i = 0;
        while (i < rest.size && is_one_of(rest.text[i], " \t")) {
            i++;
        }
        for (; i < rest.size && count + 1 < NAME_SIZE; i++) {
            char byte = rest.text[i];
            bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
            if (letter || (byte >= '0' && byte <= '9')) {
                name[count++] = (char)(letter ? byte | 0x20 : byte);
            } else if (!is_one_of(byte, "-_.")) {
                break;
            }
        }
        name[count] = '\0';
        return count > 0;
    }
    return false;
}

/* The coding that the text says that it is in, as iconv(3) names it; NULL when that is none of those that are known. */
static const char *coding_of(const char *text, size_t size)
{
    char name[NAME_SIZE];
    struct line first = line_at(text, size, 0);
    bool named = coding_in(&first, name);
    /* The second line counts when nothing stands in the first but a comment. */
    if (!named && (is_comment(&first) || begin_of(&first) == first.size) && first.size < size) {
        size_t end = first.size + 1;
        end += text[first.size] == '\r' && end < size && text[end] == '\n';
        struct line second = line_at(text, size, end);
        named = coding_in(&second, name);
    }
    for (size_t i = 0; named && i < sizeof codings / sizeof codings[0]; i++) {
        if (strcmp(codings[i].python, name) == 0) {
            return codings[i].iconv;
        }
    }
    return NULL;
}

/* NULL when it is not in that coding. */
static char *converted(const char *coding, char *text, size_t size, size_t *converted_size)
{
    iconv_t conversion = iconv_open("UTF-8", coding);
    if (conversion == (iconv_t)-1) {
        return NULL;
    }
    size_t room = 3 * size;
    char *result = malloc(room);
    char *to = result;
    bool done = result != NULL && iconv(conversion, &text, &size, &to, &room) != (size_t)-1 &&
                iconv(conversion, NULL, NULL, &to, &room) != (size_t)-1; /* what was held back to be composed */
    iconv_close(conversion);
    if (!done) {
        free(result);
        return NULL;
    }
    *converted_size = (size_t)(to - result);
    return result;
}

void sl_source_decode(char **text, size_t *size)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (*size >= 3 && memcmp(*text, mark, 3) == 0) {
        *size -= 3;
        memmove(*text, *text + 3, *size);
        return;
    }
    const char *coding = coding_of(*text, *size);
    char *result = coding != NULL ? converted(coding, *text, *size, size) : NULL;
    if (result != NULL) {
        free(*text);
        *text = result;
    }
}

/* For libFuzzer: what must hold of console, whatever a person types and whatever a peer sends.
 *   - A number is accepted if and only if it is digits, with one point at most among them where it
 *     is in seconds, and what strtod makes of it is in the range; and then it is that number.
 *   - A text is valid UTF-8 without a control character, ends in the buffer, and tells, its escapes
 *     undone, exactly the bytes that came; or, if they are too many, nearly 256 and the true size.
 * console.c is compiled with -Dexit=fuzz_exit. */
#include "console.h"

#include <locale.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define must(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
_Noreturn void fuzz_exit(int status);
static jmp_buf refused;

_Noreturn void fuzz_exit(int status)
{
    longjmp(refused, status);
}

static void try_number(const char *text, bool whole, double low, double high)
{
    const char *point = strchr(text, '.');
    bool right = text[strspn(text, whole ? "0123456789" : "0123456789.")] == '\0' &&
                 strpbrk(text, "0123456789") != NULL &&
                 (point == NULL || strchr(point + 1, '.') == NULL) && strtod(text, NULL) >= low &&
                 strtod(text, NULL) <= high;

    if (setjmp(refused) != 0) {
        must(!right);
    } else if (whole) {
        must(console_count("-c", text, (long)low, (long)high) == (long)strtod(text, NULL));
        must(right);
    } else {
        double off = console_seconds("-W", text, low, high) - strtod(text, NULL) * 1000;

        must(right && off >= -0.5 && off <= 0.5);
    }
}

static void try_text(const uint8_t *bytes, size_t size)
{
    char *text = malloc(CONSOLE_TEXT); /* so that one byte beyond is seen */
    size_t told = 0, width;
    mbstate_t state = {0};
    wchar_t wide;
    char tail[40];

    must(text != NULL && console_text(bytes, size, text) == text);
    for (const char *p = text; (width = mbrtowc(&wide, p, MB_CUR_MAX, &state)) != 0; p += width) {
        must(width <= 4);
        must(wide >= 0x20 && (wide < 0x7F || wide > 0x9F) && wide <= 0x10FFFF);
        must(wide < 0xD800 || wide > 0xDFFF);
    }
    for (const char *p = text; *p != '\0' && told < size; told++) {
        uint8_t byte = (uint8_t)*p++;

        if (told > 252 && size > CONSOLE_SHOWN && byte == ' ' && *p == '[')
            break;
        if (byte == '\\') {
            byte = *p == 'n' ? '\n' : *p == 't' ? '\t' : (uint8_t)*p;
            if (*p++ == 'x') {
                byte = (uint8_t)strtoul((char[]){p[0], p[1], '\0'}, NULL, 16);
                p += 2;
            }
        }
        must(byte == bytes[told]);
    }
    snprintf(tail, sizeof tail, " [%zu bytes]", size);
    if (size <= CONSOLE_SHOWN)
        must(told == size);
    else
        must(told > CONSOLE_SHOWN - 4 && told <= CONSOLE_SHOWN &&
             strcmp(text + strlen(text) - strlen(tail), tail) == 0);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started = false;
    char *text;

    if (!started) {
        started = true;
        must(setlocale(LC_CTYPE, "C.UTF-8") != NULL);
        /* glibc's stderr: libFuzzer writes to 2 itself. */
        must((stderr = fopen("/dev/null", "w")) != NULL);
    }
    try_text(data, size);
    must((text = calloc(size + 1, 1)) != NULL);
    memcpy(text, data, size);
    try_number(text, true, 1, 65535);
    try_number(text, true, 0, 1000000000);
    try_number(text, false, 0.001, 86400);
    free(text);
    return 0;
}

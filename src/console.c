/* console.h describes what each function does. */
#define _POSIX_C_SOURCE 200809L /* makes the headers declare POSIX too, not only standard C */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program_name, *program_usage;
static bool quiet;

static _Noreturn void refuse(const char *word, const char *why)
{
    fprintf(stderr, "%s: \"%s\" %s\n%s", program_name, word, why, program_usage);
    exit(2);
}

static long number(const char *word, long low, long high)
{
    bool plain = *word != '\0' && strspn(word, "0123456789") == strlen(word); /* no sign, no 1e3 */
    long value = strtol(word, NULL, 10); /* LONG_MAX, if that is not enough */
    char why[80];

    snprintf(why, sizeof why, "is not a whole number from %ld to %ld", low, high);
    if (!plain || value < low || value > high)
        refuse(word, why);
    return value;
}

struct options console_options(
    int argc, char **argv, const char *program, const char *letters, const char *usage)
{
    struct options o = {"127.0.0.1", 9999, LLONG_MAX, CONSOLE_MAX_ROOM, 1};
    bool is_server = strchr(letters, 'b') != NULL;
    const char *word;
    int letter;

    program_name = program;
    program_usage = usage;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    /* If a standard stream is closed, a socket would get its number, and our lines would go to a
     * client. (It is opened for reading only, so that what we print still fails.) */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", O_RDONLY) == -1)
            console_die("open", "/dev/null");
    opterr = 0; /* so that refuse() complains, and the program's name stands before it */
    while (optind < argc && (word = argv[optind], letter = getopt(argc, argv, letters)) != -1) {
        switch (letter) {
        case 'b': o.room = (size_t)number(optarg, 1, CONSOLE_MAX_ROOM); break;
        case 'c': o.count = number(optarg, 1, 1000000000); break;
        case 'i': o.pause = (unsigned)number(optarg, 0, 86400); break;
        case 'q': quiet = true; break;
        default: refuse(word, "is no option, or lacks its value");
        }
    }
    if (optind < argc && strspn(argv[optind], "0123456789") < strlen(argv[optind]))
        o.host = argv[optind++];
    if (optind < argc)
        o.port = (uint16_t)number(argv[optind++], is_server ? 0 : 1, 65535);
    if (optind < argc)
        refuse(argv[optind], "is one word too many");
    return o;
}

void console_log(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    if (!quiet)
        vprintf(format, values);
    va_end(values);
}

/* How many of the bytes at p (there are `left`) may stand as they are: 1 for plain ASCII, 2 to 4
 * for another character of UTF-8, as its first two bytes tell (RFC 3629, section 4), or 0 if this
 * byte must be escaped, as those of the control characters U+0080 to U+009F. */
static size_t safe(const unsigned char *p, size_t left)
{
    unsigned head = left < 2 ? 0 : p[0] * 256U + p[1];
    bool one = p[0] >= ' ' && p[0] < 0x7F && p[0] != '\\';
    bool two = head >= 0xC2A0 && head <= 0xDFBF;
    bool three = (head >= 0xE0A0 && head <= 0xED9F) || (head >= 0xEE80 && head <= 0xEFBF);
    bool four = head >= 0xF090 && head <= 0xF48F;
    size_t length = one ? 1 : two ? 2 : three ? 3 : four ? 4 : 0;

    for (size_t i = 1; i < length; i++)
        if (i == left || p[i] >> 6 != 2) /* each byte but the first begins with the bits 10 */
            return 0;
    return length;
}

void console_show(const char *label, const void *bytes, size_t size)
{
    enum { SHOWN = 240 }; /* so that a line has less than 1024 bytes, which is one write */
    char text[4 * SHOWN + 40] = "", *end = text;
    const unsigned char *p = bytes;

    if (quiet)
        return;
    for (size_t i = 0, length; i < SHOWN && i < size; i += (length > 0) ? length : 1) {
        length = safe(p + i, size - i);
        if (length > 0)
            end += sprintf(end, "%.*s", (int)length, (const char *)p + i);
        else
            end += sprintf(end, p[i] == '\n' ? "\\n" : "\\x%02x", p[i]);
    }
    if (size > SHOWN)
        sprintf(end, " [%zu bytes]", size);
    printf("%s%s\n", label, text);
}

void console_error(const char *call, const char *address)
{
    fprintf(stderr, "%s: %s %s: %s\n", program_name, call, address, strerror(errno));
}

_Noreturn void console_die(const char *call, const char *address)
{
    console_error(call, address);
    exit(2);
}

_Noreturn void console_die_lookup(const char *host, int error)
{
    fprintf(stderr, "%s: cannot look up \"%s\": %s\n", program_name, host,
        error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
    exit(2);
}

bool console_works(void)
{
    if (ferror(stdout))
        fprintf(stderr, "%s: not all could be printed\n", program_name);
    return !ferror(stdout);
}

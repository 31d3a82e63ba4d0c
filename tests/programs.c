#define _POSIX_C_SOURCE 200809L
#include "programs.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 4 };
static struct program programs[AT_ONCE];

/* Wait for the end of the program. Returns its status, as waitpid has it. */
static int reap(struct program *program)
{
    int status;

    assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
    program->pid = 0;
    fclose(program->out);
    fclose(program->err);
    return status;
}

int programs_off(void **state)
{
    for (int i = 0; i < AT_ONCE; i++)
        if (programs[i].pid != 0) {
            kill(programs[i].pid, SIGKILL);
            reap(&programs[i]);
        }
    return alarm_off(state);
}

struct program *start_child(void)
{
    int out[2], err[2], i = 0;

    while (programs[i].pid != 0)
        assert_int_not_equal(++i, AT_ONCE);
    assert_int_equal(pipe(out), 0);
    assert_int_equal(pipe(err), 0);
    fflush(NULL); /* or the child would print it once more */
    pid_t pid = fork();
    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
    }
    close(out[1]);
    close(err[1]);
    programs[i] = (struct program){pid, fdopen(out[0], "r"), fdopen(err[0], "r")};
    return pid == 0 ? NULL : &programs[i];
}

struct program *start(const char *format, ...)
{
    char command[1024] = "exec ";
    va_list values;

    va_start(values, format);
    vsnprintf(command + strlen(command), sizeof command - strlen(command), format, values);
    va_end(values);
    struct program *program = start_child();
    if (program != NULL)
        return program;
    for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
        close(fd); /* a connection that stays open in a child would never end */
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* Read until this text has come; one byte at a time, so that what comes after it is left. */
void await(FILE *from, const char *text)
{
    char seen[4096] = "";

    for (size_t used = 0; strstr(seen, text) == NULL; used++)
        if (used == sizeof seen - 1 || fread(seen + used, 1, 1, from) != 1)
            fail_msg("\"%s\" does not come after \"%s\"", text, seen);
}

const char *next_line(FILE *from)
{
    static char line[4096];

    if (fgets(line, sizeof line, from) == NULL)
        return "";
    line[strcspn(line, "\n")] = '\0';
    return line;
}

static bool matches(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '*' || *pattern == '~') {
            while (!matches(text, pattern + 1))
                if (*text == '\0' || (*text++ == '\n' && *pattern == '*'))
                    return false;
            return true;
        }
        size_t taken = *pattern == '#' ? strspn(text, "0123456789.") : *text == *pattern;
        if (taken == 0)
            return false;
        text += taken;
    }
    return *text == '\0';
}

void match(const char *text, const char *pattern, const char *file, int line)
{
    if (!matches(text, pattern)) {
        print_error("expected \"%s\"\n     got \"%s\"\n", pattern, text);
        _fail(file, line);
    }
}

void claim_end(struct program *program, int status, const char *out, const char *err,
    const char *file, int line)
{
    static char said[70000], complained[70000]; /* a full pipe fits */

    said[fread(said, 1, sizeof said - 1, program->out)] = '\0';
    complained[fread(complained, 1, sizeof complained - 1, program->err)] = '\0';
    int end = reap(program);
    match(complained, err, file, line);
    match(said, out, file, line);
    claim_call(
        WIFSIGNALED(end) ? -WTERMSIG(end) : WEXITSTATUS(end), status, 0, "its status", file, line);
}

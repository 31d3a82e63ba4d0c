#include "programs.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 4 };
static struct program programs[AT_ONCE];

int programs_off(void **state)
{
    for (int i = 0; i < AT_ONCE; i++)
        if (programs[i].pid != 0) {
            kill(programs[i].pid, SIGKILL);
            waitpid(programs[i].pid, NULL, 0);
            programs[i].pid = 0;
        }
    return alarm_off(state);
}

struct program *start_child(void)
{
    static int last;
    int out[2], err[2], tried = 0;

    do
        last = (last + 1) % AT_ONCE;
    while (programs[last].pid != 0 && ++tried < AT_ONCE);
    assert_int_equal(programs[last].pid, 0);
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
    programs[last] = (struct program){pid, out[0], err[0], .port = ""};
    return pid == 0 ? NULL : &programs[last];
}

struct program *start(const char *format, ...)
{
    char command[1024] = "exec ";
    struct program *program;
    va_list values;

    va_start(values, format);
    vsnprintf(command + strlen(command), sizeof command - strlen(command), format, values);
    va_end(values);
    program = start_child();
    if (program != NULL)
        return program;
    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
        close(fd); /* a connection that stays open in a child would never end */
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

struct program *serve(const char *options)
{
    return await_ready(start("echo-server %s 0", options));
}

struct program *await_ready(struct program *server)
{
    snprintf(server->ready, sizeof server->ready, "%.99s", next_line(server->out));
    assert_match(server->ready, "listening on *:#");
    server->port = port_in(server->ready);
    return server;
}

void interrupt(const struct program *program)
{
    assert_int_equal(kill(program->pid, SIGINT), 0);
}

static void read_rest(int fd, char *text, size_t room)
{
    size_t used = 0;
    ssize_t got;

    while ((got = read(fd, text + used, room - 1 - used)) > 0)
        used += (size_t)got;
    text[used] = '\0';
    close(fd);
}

int finish(struct program *program)
{
    int status;

    read_rest(program->out, program->said, sizeof program->said);
    read_rest(program->err, program->complained, sizeof program->complained);
    assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
    program->pid = 0;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* Read until this text has come, or no more does; one byte at a time, so that what comes after it
 * stays in the pipe. */
static char *read_until(int fd, const char *text)
{
    static char seen[4096];
    size_t used = 0;

    seen[0] = '\0';
    while (strstr(seen, text) == NULL && used < sizeof seen - 1 && read(fd, seen + used, 1) == 1)
        seen[++used] = '\0';
    return seen;
}

void await(int fd, const char *text)
{
    const char *seen = read_until(fd, text);

    if (strstr(seen, text) == NULL)
        fail_msg("\"%s\" does not come after \"%s\"", text, seen);
}

const char *next_line(int fd)
{
    char *line = read_until(fd, "\n");

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

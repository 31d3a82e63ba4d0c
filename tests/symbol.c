#define _POSIX_C_SOURCE 200809L
#include "symbol.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

const char *symbol(int error)
{
#define SYMBOL(name) name, #name
    static const struct {
        int error;
        const char *name;
    } symbols[] = {
#ifdef __linux__ /* accept(2) and socket(2) have these four too */
        {SYMBOL(EHOSTDOWN)}, {SYMBOL(ENONET)}, {SYMBOL(ENOSR)}, {SYMBOL(ESOCKTNOSUPPORT)},
#endif
        {SYMBOL(EACCES)}, {SYMBOL(EADDRINUSE)}, {SYMBOL(EADDRNOTAVAIL)}, {SYMBOL(EAFNOSUPPORT)},
        {SYMBOL(EAGAIN)}, {SYMBOL(EALREADY)}, {SYMBOL(EBADF)}, {SYMBOL(ECONNABORTED)},
        {SYMBOL(ECONNREFUSED)}, {SYMBOL(ECONNRESET)}, {SYMBOL(EDESTADDRREQ)}, {SYMBOL(EDQUOT)},
        {SYMBOL(EFAULT)}, {SYMBOL(EFBIG)}, {SYMBOL(EHOSTUNREACH)}, {SYMBOL(EINPROGRESS)},
        {SYMBOL(EINTR)}, {SYMBOL(EINVAL)}, {SYMBOL(EIO)}, {SYMBOL(EISCONN)}, {SYMBOL(EMFILE)},
        {SYMBOL(ENETDOWN)}, {SYMBOL(ENETUNREACH)}, {SYMBOL(ENFILE)}, {SYMBOL(ENOENT)},
        {SYMBOL(ENOBUFS)}, {SYMBOL(ENODEV)}, {SYMBOL(ENOMEM)}, {SYMBOL(ENOPROTOOPT)},
        {SYMBOL(ENOSPC)}, {SYMBOL(ENOTCONN)}, {SYMBOL(ENOTSOCK)}, {SYMBOL(EOPNOTSUPP)},
        {SYMBOL(EPERM)}, {SYMBOL(EPIPE)}, {SYMBOL(EPROTO)}, {SYMBOL(EPROTONOSUPPORT)},
        {SYMBOL(EPROTOTYPE)}, {SYMBOL(ETIMEDOUT)}};
    static char number[20];

    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++)
        if (symbols[i].error == error)
            return symbols[i].name;
    snprintf(number, sizeof number, "errno %d", error);
    return number;
}

/* SPDX-License-Identifier: ISC
 *
 * What all readers of secrets do alike. Whether a file is secret is known when it has been read: a
 * public key need not be.
 */
#include "base/secret_file.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t base_secret_file_read(const char *file, char *bytes, size_t room)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got = fd < 0 ? -1 : 1;
    while (got > 0 && len < room) {
        got = read(fd, bytes + len, room - len);
        if (got > 0)
            len += (size_t)got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return got < 0 ? -1 : (ssize_t)len;
}

void base_secret_file_check(const char *file)
{
    struct stat status;
    if (stat(file, &status) < 0 || !S_ISREG(status.st_mode))
        return; /* a pipe of a shell, for one */
    if (status.st_mode & S_IROTH)
        base_log(BASE_LOG_WARNING, "%s: everybody on this computer can read this secret", file);
    else if (status.st_mode & S_IWOTH)
        base_log(BASE_LOG_WARNING, "%s: everybody on this computer can change this secret", file);
}

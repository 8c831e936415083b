/* Lets writes below a folder fail: preloaded, it stands between a program and the C library.
   faults_arm says which: the calls from number `first` on, `many` of them, fail with `number` as their errno. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX];
static long calls, first_failing, how_many;
static int error_number;

void faults_arm(const char *below, long first, long many, int number) {
    strncpy(folder, below, sizeof folder - 1);
    calls = 0, first_failing = first, how_many = many, error_number = number;
}

long faults_calls(void) { return calls; }

static int fails(const char *path) {
    if (!folder[0] || strncmp(path, folder, strlen(folder)) != 0) return 0;
    long number = __sync_add_and_fetch(&calls, 1);
    if (number < first_failing || number - first_failing >= how_many) return 0;
    errno = error_number;
    return 1;
}

static int fails_file(int file) {
    char link[64], path[PATH_MAX];
    if (!folder[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(path);
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define ON_FILE(type, name, parameters, arguments) \
    type name parameters { REAL(name); return fails_file(file) ? -1 : real arguments; }
#define ON_PATH(name, parameters, arguments) \
    int name parameters { REAL(name); return fails(path) ? -1 : real arguments; }

ON_FILE(ssize_t, write, (int file, const void *bytes, size_t count), (file, bytes, count))
ON_FILE(ssize_t, pwrite, (int file, const void *bytes, size_t count, off_t at), (file, bytes, count, at))
ON_FILE(ssize_t, pwrite64, (int file, const void *bytes, size_t count, off64_t at), (file, bytes, count, at))
ON_FILE(ssize_t, writev, (int file, const struct iovec *parts, int count), (file, parts, count))
ON_FILE(int, fsync, (int file), (file))
ON_FILE(int, fdatasync, (int file), (file))
ON_FILE(int, ftruncate, (int file, off_t length), (file, length))
ON_FILE(int, ftruncate64, (int file, off64_t length), (file, length))
ON_PATH(rename, (const char *other, const char *path), (other, path))
ON_PATH(mkdir, (const char *path, mode_t mode), (path, mode))

#define OPENS(name, declared, passed)                                  \
    int name(declared const char *path, int flags, ...) {              \
        REAL(name);                                                    \
        va_list rest;                                                  \
        va_start(rest, flags);                                         \
        int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0; \
        va_end(rest);                                                  \
        if ((flags & O_CREAT) && fails(path)) return -1;               \
        return real(passed path, flags, mode);                         \
    }
#define NOTHING
#define AT_TYPE int at,
#define AT_NAME at,
OPENS(open, NOTHING, NOTHING)
OPENS(open64, NOTHING, NOTHING)
OPENS(openat, AT_TYPE, AT_NAME)
OPENS(openat64, AT_TYPE, AT_NAME)

/* A disk under one process: what it writes into a folder is written down, and can be made to fail.
 *
 * Loaded before the C library, it stands in for the calls by which files are changed. ATTACHE_DISK_FOLDER is the
 * folder that is watched, ATTACHE_DISK_LOG the file that it is written down in: a header as below and its bytes, for
 * each change, sync and line on the standard output, in the order in which they were made.
 *
 * ATTACHE_DISK_FAIL is "N ERRNO once" or "N ERRNO on": the Nth change or sync fails, or all writes from it on.
 *
 * The index of SQLite's log (-shm) is memory that processes share and is left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { OPENED = 1, WRITTEN, CUT, SYNCED, REMOVED, RENAMED, TOLD };
enum { FILES_MAX = 4096 };

struct header {
    uint32_t what;
    uint32_t handle;
    uint64_t offset;
    uint64_t length;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static char folder[4096];
static size_t folder_length;
/* The handle of each open file of the folder; 0: not one of them. */
static uint32_t handles[FILES_MAX];
static uint32_t last_handle;
static long changes, fail_at, fail_errno;
static int fail_on;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int (*real_open)(const char *, int, ...);
static int (*real_close)(int);
static int (*real_truncate)(int, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);
static int (*real_rename)(const char *, const char *);

static void find(void *where, const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(where, &found, sizeof found);
}

__attribute__((constructor)) static void begin(void) {
    find(&real_write, "write");
    find(&real_pwrite, "pwrite64");
    find(&real_open, "open64");
    find(&real_close, "close");
    find(&real_truncate, "ftruncate64");
    find(&real_fsync, "fsync");
    find(&real_fdatasync, "fdatasync");
    find(&real_unlink, "unlink");
    find(&real_rename, "rename");
    const char *of = getenv("ATTACHE_DISK_FOLDER"), *log = getenv("ATTACHE_DISK_LOG");
    const char *fail = getenv("ATTACHE_DISK_FAIL");
    char until[8] = "";
    if (!of || !log) return;
    folder_length = (size_t)snprintf(folder, sizeof folder, "%s/", of);
    log_fd = real_open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fail && sscanf(fail, "%ld %ld %7s", &fail_at, &fail_errno, until) == 3) fail_on = !strcmp(until, "on");
}

/* The name of a file in the folder; none for others, and for what is no file on the disk. */
static const char *name_of(const char *path) {
    size_t length = path ? strlen(path) : 0;
    if (log_fd < 0 || length <= folder_length || strncmp(path, folder, folder_length)) return NULL;
    if (length > 4 && !strcmp(path + length - 4, "-shm")) return NULL;
    return path + folder_length;
}

static uint32_t handle_of(int fd) {
    return fd >= 0 && fd < FILES_MAX ? handles[fd] : 0;
}

static void note(uint32_t what, uint32_t handle, uint64_t offset, const void *bytes, uint64_t length) {
    struct header header = {what, handle, offset, length};
    if (real_write(log_fd, &header, sizeof header) != (ssize_t)sizeof header) abort();
    for (uint64_t done = 0; done < length;) {
        ssize_t n = real_write(log_fd, (const char *)bytes + done, length - done);
        if (n <= 0) abort();
        done += (uint64_t)n;
    }
}

/* Counts a change or a sync, and says whether it fails. The lock is held. */
static int fails(int takes_room) {
    changes++;
    if (!fail_at || changes < fail_at || (changes > fail_at && !(fail_on && takes_room))) return 0;
    errno = (int)fail_errno;
    return 1;
}

static void opened(int fd, const char *path, int flags) {
    const char *name = name_of(path);
    struct stat what;
    if (!name || fd < 0 || fd >= FILES_MAX || fstat(fd, &what) || !S_ISREG(what.st_mode)) return;
    pthread_mutex_lock(&lock);
    handles[fd] = ++last_handle;
    note(OPENED, last_handle, 0, name, strlen(name));
    if (flags & O_TRUNC) note(CUT, last_handle, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
}

#define OPEN(NAME)                                        \
    int NAME(const char *path, int flags, ...) {          \
        va_list more;                                     \
        va_start(more, flags);                            \
        mode_t mode = va_arg(more, mode_t);               \
        va_end(more);                                     \
        int fd = real_open(path, flags, mode);            \
        opened(fd, path, flags);                          \
        return fd;                                        \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < FILES_MAX) handles[fd] = 0;
    pthread_mutex_unlock(&lock);
    return real_close(fd);
}

static ssize_t put(int fd, const void *bytes, size_t length, off64_t offset, int moves) {
    uint32_t handle = handle_of(fd);
    if (!handle) return moves ? real_write(fd, bytes, length) : real_pwrite(fd, bytes, length, offset);
    pthread_mutex_lock(&lock);
    ssize_t n = -1;
    if (!fails(1)) {
        if (moves) offset = lseek64(fd, 0, SEEK_CUR);
        n = moves ? real_write(fd, bytes, length) : real_pwrite(fd, bytes, length, offset);
        if (n > 0) note(WRITTEN, handle, (uint64_t)offset, bytes, (uint64_t)n);
    }
    pthread_mutex_unlock(&lock);
    return n;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    return put(fd, bytes, length, offset, 0);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    return put(fd, bytes, length, offset, 0);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    if (fd == STDOUT_FILENO && log_fd >= 0) {
        pthread_mutex_lock(&lock);
        note(TOLD, 0, 0, bytes, length);
        pthread_mutex_unlock(&lock);
    }
    return put(fd, bytes, length, 0, 1);
}

static int cut(int fd, off64_t length) {
    uint32_t handle = handle_of(fd);
    if (!handle) return real_truncate(fd, length);
    pthread_mutex_lock(&lock);
    int done = fails(0) ? -1 : real_truncate(fd, length);
    if (!done) note(CUT, handle, (uint64_t)length, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate64(int fd, off64_t length) { return cut(fd, length); }
int ftruncate(int fd, off_t length) { return cut(fd, length); }

static int sync_by(int fd, int (*real)(int)) {
    uint32_t handle = handle_of(fd);
    if (!handle) return real(fd);
    pthread_mutex_lock(&lock);
    /* What is to be lost is decided by the reader of the log: nothing has to wait for the real disk. */
    int done = fails(0) ? -1 : 0;
    if (!done) note(SYNCED, handle, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int fsync(int fd) { return sync_by(fd, real_fsync); }
int fdatasync(int fd) { return sync_by(fd, real_fdatasync); }

int unlink(const char *path) {
    const char *name = name_of(path);
    if (!name) return real_unlink(path);
    pthread_mutex_lock(&lock);
    int done = real_unlink(path);
    if (!done) note(REMOVED, 0, 0, name, strlen(name));
    pthread_mutex_unlock(&lock);
    return done;
}

int rename(const char *from, const char *to) {
    const char *old = name_of(from), *name = name_of(to);
    if (!old || !name) return real_rename(from, to);
    char both[8192];
    int length = snprintf(both, sizeof both, "%s\n%s", old, name);
    pthread_mutex_lock(&lock);
    int done = real_rename(from, to);
    if (!done) note(RENAMED, 0, 0, both, (uint64_t)length);
    pthread_mutex_unlock(&lock);
    return done;
}

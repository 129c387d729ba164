/* Makes the n-th call of a kind fail, for a program that is started with this library in LD_PRELOAD.
 *
 * STANCH_FAULT        KIND:N:ERRNO:MODE, such as read:3:5:once; nothing fails without it
 * STANCH_FAULT_PATH   counts, and fails, only calls for a path that ends so
 * STANCH_FAULT_TALLY  a file of TALLY_BYTES zeros: one 64-bit count of calls for each kind, then what was hit, as text
 *
 * KIND is one of `kinds`, or `system`: then the kernel refuses every system call of group N, for those that do not go
 * through the C library (1 renaming, 2 locking a file). MODE is `once`, `on` (the n-th call and all after it), `short` (a transfer moves one byte)
 * or `kill` (the process ends at once, as with kill -9).
 *
 * What the loader and the C library do among themselves does not pass here, and need not: it is what the program asks
 * for that counts. Writing to standard error is no call of any kind. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { OPEN, STAT, LIST, READ, LINK, SEEK, MAP, WRITE, SYNC, RENAME, MAKE, LOCK, THREAD, ALLOC, KINDS };

static const char *const kinds[KINDS] = {
    "open", "stat", "list", "read", "link", "seek", "map", "write", "sync", "rename", "make", "lock", "thread", "alloc",
};

#define TALLY_BYTES 4096
#define HIT_BYTES (TALLY_BYTES - KINDS * sizeof(uint64_t))

struct tally {
    _Atomic uint64_t calls[KINDS];
    char hit[HIT_BYTES];
};

enum mode { ONCE, ON, SHORT, KILL };

static struct tally spare;
static struct tally *tally = &spare;
static int wanted_kind = -1;
static uint64_t wanted_call;
static int wanted_errno;
static enum mode wanted_mode;
static const char *wanted_path;

/* The names are looked up once, on first use: other libraries call before any constructor here has run. */
#define REAL(result, name, ...)                                                                                        \
    static result (*real_##name)(__VA_ARGS__);                                                                         \
    static result (*get_##name(void))(__VA_ARGS__) {                                                                   \
        if (!real_##name) *(void **)&real_##name = dlsym(RTLD_NEXT, #name);                                            \
        return real_##name;                                                                                            \
    }

static void refuse(long number, int code) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)code),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) abort();
}

static void refuse_group(unsigned long long group, int code) {
    switch (group) {
    case 1:
#ifdef SYS_rename
        refuse(SYS_rename, code);
#endif
#ifdef SYS_renameat
        refuse(SYS_renameat, code);
#endif
        refuse(SYS_renameat2, code);
        refuse(SYS_linkat, code);
        break;
    case 2: refuse(SYS_flock, code); break;
    default: abort();
    }
}

__attribute__((constructor)) static void prepare(void) {
    const char *file = getenv("STANCH_FAULT_TALLY");
    if (file) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR, 0);
        if (fd >= 0) {
            long at = syscall(SYS_mmap, NULL, (size_t)TALLY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            if (at != -1) tally = (struct tally *)at;
            syscall(SYS_close, fd);
        }
    }
    for (int kind = 0; kind < KINDS; kind++) atomic_store(&tally->calls[kind], 0);
    wanted_path = getenv("STANCH_FAULT_PATH");
    const char *fault = getenv("STANCH_FAULT");
    if (!fault) return;
    char name[16], mode[16];
    unsigned long long call;
    int code;
    if (sscanf(fault, "%15[a-z]:%llu:%d:%15[a-z]", name, &call, &code, mode) != 4) abort();
    if (!strcmp(name, "system")) {
        refuse_group(call, code);
        return;
    }
    for (int kind = 0; kind < KINDS; kind++)
        if (!strcmp(name, kinds[kind])) wanted_kind = kind;
    if (wanted_kind < 0) abort();
    /* An abort for want of memory need not write a core file. */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    wanted_call = call;
    wanted_errno = code;
    wanted_mode = !strcmp(mode, "on") ? ON : !strcmp(mode, "short") ? SHORT : !strcmp(mode, "kill") ? KILL : ONCE;
}

enum verdict { PASS, FAIL, PARTLY };

static void note(const char *call, const char *what) {
    static atomic_int is_noted;
    if (atomic_exchange(&is_noted, 1)) return;
    size_t at = 0;
    for (const char *text = call; *text && at + 2 < HIT_BYTES; text++) tally->hit[at++] = *text;
    tally->hit[at++] = ' ';
    for (const char *text = what; *text && at + 1 < HIT_BYTES; text++) tally->hit[at++] = *text;
    tally->hit[at] = 0;
}

static int is_wanted(const char *what) {
    size_t len = what ? strlen(what) : 0, end = strlen(wanted_path);
    return len >= end && !strcmp(what + len - end, wanted_path);
}

static enum verdict judge(enum kind kind, const char *call, const char *what) {
    if (wanted_path && !is_wanted(what)) return PASS;
    uint64_t number = atomic_fetch_add(&tally->calls[kind], 1) + 1;
    if ((int)kind != wanted_kind) return PASS;
    if (number != wanted_call && !(wanted_mode == ON && number > wanted_call)) return PASS;
    note(call, what ? what : "");
    if (wanted_mode == KILL) {
        syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
        for (;;) syscall(SYS_pause);
    }
    if (wanted_mode == SHORT) return PARTLY;
    errno = wanted_errno;
    return FAIL;
}

/* The path behind a descriptor. */
static enum verdict judge_fd(enum kind kind, const char *call, int fd) {
    char link[32], path[512];
    long len = -1;
    if ((int)kind == wanted_kind || wanted_path) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        len = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    }
    path[len > 0 ? len : 0] = 0;
    return judge(kind, call, path);
}

static mode_t mode_of(int flags, va_list rest) {
    return (flags & (O_CREAT | O_TMPFILE)) ? (mode_t)va_arg(rest, int) : 0;
}

#define OPENER(name)                                                                                                   \
    REAL(int, name, const char *, int, ...)                                                                            \
    int name(const char *path, int flags, ...) {                                                                       \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = mode_of(flags, rest);                                                                            \
        va_end(rest);                                                                                                  \
        return judge(OPEN, #name, path) == FAIL ? -1 : get_##name()(path, flags, mode);                                \
    }
OPENER(open)
OPENER(open64)

#define OPENER_AT(name)                                                                                                \
    REAL(int, name, int, const char *, int, ...)                                                                       \
    int name(int dir, const char *path, int flags, ...) {                                                              \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = mode_of(flags, rest);                                                                            \
        va_end(rest);                                                                                                  \
        return judge(OPEN, #name, path) == FAIL ? -1 : get_##name()(dir, path, flags, mode);                           \
    }
OPENER_AT(openat)
OPENER_AT(openat64)

/* One function of the C library whose failure is told by a value, with a path or a descriptor to name. */
#define CALL(kind, result, name, failed, what, parameters, arguments)                                                  \
    REAL(result, name, ARGS parameters)                                                                                \
    result name parameters {                                                                                           \
        return judge(kind, #name, what) == FAIL ? failed : get_##name() arguments;                                     \
    }
#define CALL_FD(kind, result, name, failed, fd, parameters, arguments)                                                 \
    REAL(result, name, ARGS parameters)                                                                                \
    result name parameters {                                                                                           \
        return judge_fd(kind, #name, fd) == FAIL ? failed : get_##name() arguments;                                    \
    }
#define ARGS(...) __VA_ARGS__

CALL(OPEN, int, creat, -1, path, (const char *path, mode_t mode), (path, mode))
CALL(OPEN, int, creat64, -1, path, (const char *path, mode_t mode), (path, mode))
CALL(OPEN, DIR *, opendir, NULL, path, (const char *path), (path))
CALL(OPEN, FILE *, fopen, NULL, path, (const char *path, const char *mode), (path, mode))
CALL(OPEN, FILE *, fopen64, NULL, path, (const char *path, const char *mode), (path, mode))

CALL(STAT, int, stat, -1, path, (const char *path, struct stat *into), (path, into))
CALL(STAT, int, stat64, -1, path, (const char *path, struct stat64 *into), (path, into))
CALL(STAT, int, lstat, -1, path, (const char *path, struct stat *into), (path, into))
CALL(STAT, int, lstat64, -1, path, (const char *path, struct stat64 *into), (path, into))
CALL_FD(STAT, int, fstat, -1, fd, (int fd, struct stat *into), (fd, into))
CALL_FD(STAT, int, fstat64, -1, fd, (int fd, struct stat64 *into), (fd, into))
CALL(STAT, int, fstatat, -1, path, (int dir, const char *path, struct stat *into, int flags), (dir, path, into, flags))
CALL(STAT, int, fstatat64, -1, path, (int dir, const char *path, struct stat64 *into, int flags),
     (dir, path, into, flags))
CALL(STAT, int, statx, -1, path, (int dir, const char *path, int flags, unsigned mask, struct statx *into),
     (dir, path, flags, mask, into))
CALL(STAT, int, access, -1, path, (const char *path, int mode), (path, mode))
CALL(STAT, int, faccessat, -1, path, (int dir, const char *path, int mode, int flags), (dir, path, mode, flags))

CALL(LINK, ssize_t, readlink, -1, path, (const char *path, char *into, size_t len), (path, into, len))
CALL(LINK, ssize_t, readlinkat, -1, path, (int dir, const char *path, char *into, size_t len), (dir, path, into, len))
CALL(LINK, char *, realpath, NULL, path, (const char *path, char *into), (path, into))
CALL(LINK, char *, getcwd, NULL, "", (char *into, size_t len), (into, len))

CALL_FD(LIST, struct dirent *, readdir, NULL, dirfd(dir), (DIR * dir), (dir))
CALL_FD(LIST, struct dirent64 *, readdir64, NULL, dirfd(dir), (DIR * dir), (dir))

CALL_FD(SEEK, off_t, lseek, -1, fd, (int fd, off_t offset, int whence), (fd, offset, whence))
CALL_FD(SEEK, off64_t, lseek64, -1, fd, (int fd, off64_t offset, int whence), (fd, offset, whence))

/* Transfers, which may also come short. */
#define TRANSFER(kind, name, counted, parameters, whole, part)                                                         \
    REAL(ssize_t, name, ARGS parameters)                                                                               \
    ssize_t name parameters {                                                                                          \
        switch ((counted) ? judge_fd(kind, #name, fd) : PASS) {                                                        \
        case FAIL: return -1;                                                                                          \
        case PARTLY: return get_##name() part;                                                                         \
        default: return get_##name() whole;                                                                            \
        }                                                                                                              \
    }
#define ONE(len) ((len) > 1 ? 1 : (len))
TRANSFER(READ, read, 1, (int fd, void *into, size_t len), (fd, into, len), (fd, into, ONE(len)))
TRANSFER(READ, pread, 1, (int fd, void *into, size_t len, off_t at), (fd, into, len, at), (fd, into, ONE(len), at))
TRANSFER(READ, pread64, 1, (int fd, void *into, size_t len, off64_t at), (fd, into, len, at), (fd, into, ONE(len), at))
TRANSFER(READ, readv, 1, (int fd, const struct iovec *into, int len), (fd, into, len), (fd, into, ONE(len)))
TRANSFER(WRITE, write, fd != 2, (int fd, const void *from, size_t len), (fd, from, len), (fd, from, ONE(len)))
TRANSFER(WRITE, pwrite, 1, (int fd, const void *from, size_t len, off_t at), (fd, from, len, at),
         (fd, from, ONE(len), at))
TRANSFER(WRITE, pwrite64, 1, (int fd, const void *from, size_t len, off64_t at), (fd, from, len, at),
         (fd, from, ONE(len), at))
TRANSFER(WRITE, writev, fd != 2, (int fd, const struct iovec *from, int len), (fd, from, len), (fd, from, ONE(len)))

CALL_FD(WRITE, int, ftruncate, -1, fd, (int fd, off_t len), (fd, len))
CALL_FD(WRITE, int, ftruncate64, -1, fd, (int fd, off64_t len), (fd, len))
CALL_FD(SYNC, int, fsync, -1, fd, (int fd), (fd))
CALL_FD(SYNC, int, fdatasync, -1, fd, (int fd), (fd))

CALL(RENAME, int, rename, -1, to, (const char *from, const char *to), (from, to))
CALL(RENAME, int, renameat, -1, to, (int from_dir, const char *from, int to_dir, const char *to),
     (from_dir, from, to_dir, to))
CALL(RENAME, int, renameat2, -1, to, (int from_dir, const char *from, int to_dir, const char *to, unsigned flags),
     (from_dir, from, to_dir, to, flags))
CALL(RENAME, int, link, -1, to, (const char *from, const char *to), (from, to))
CALL(RENAME, int, linkat, -1, to, (int from_dir, const char *from, int to_dir, const char *to, int flags),
     (from_dir, from, to_dir, to, flags))
CALL(MAKE, int, mkdir, -1, path, (const char *path, mode_t mode), (path, mode))
CALL(MAKE, int, chmod, -1, path, (const char *path, mode_t mode), (path, mode))
CALL_FD(MAKE, int, fchmod, -1, fd, (int fd, mode_t mode), (fd, mode))
CALL_FD(LOCK, int, flock, -1, fd, (int fd, int operation), (fd, operation))

/* Memory without a file is memory, not a map; a thread's stack is one. */
#define MAPPER(name, offset)                                                                                           \
    REAL(void *, name, void *, size_t, int, int, int, offset)                                                          \
    void *name(void *at, size_t len, int protection, int flags, int fd, offset from) {                                 \
        if (fd >= 0 && judge_fd(MAP, #name, fd) == FAIL) return MAP_FAILED;                                            \
        return get_##name()(at, len, protection, flags, fd, from);                                                     \
    }
MAPPER(mmap, off_t)
MAPPER(mmap64, off64_t)

REAL(int, pthread_create, pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)
int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*work)(void *), void *with) {
    return judge(THREAD, "pthread_create", "") == FAIL ? wanted_errno : get_pthread_create()(thread, how, work, with);
}

/* dlsym itself asks for memory, so these go by the names that the GNU C library gives to its own. */
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
void *malloc(size_t len) { return judge(ALLOC, "malloc", "") == FAIL ? NULL : __libc_malloc(len); }
void *calloc(size_t number, size_t len) {
    return judge(ALLOC, "calloc", "") == FAIL ? NULL : __libc_calloc(number, len);
}
void *realloc(void *old, size_t len) { return judge(ALLOC, "realloc", "") == FAIL ? NULL : __libc_realloc(old, len); }
int posix_memalign(void **into, size_t alignment, size_t len) {
    if (judge(ALLOC, "posix_memalign", "") == FAIL) return ENOMEM;
    return (*into = __libc_memalign(alignment, len)) ? 0 : ENOMEM;
}

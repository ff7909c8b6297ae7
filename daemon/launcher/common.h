/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What laked-launcher, mount.lakefs and lake-shutdown share: paths, the lock
 * that makes one daemon per machine, and messages.
 */
#ifndef LAKE_COMMON_H
#define LAKE_COMMON_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LAKE_RUN_DIR		"/run/deeplake"
#define LAKE_LOCK_PATH		LAKE_RUN_DIR "/launcher.lock"
#define LAKE_SOCKET_PATH	LAKE_RUN_DIR "/laked.sock"
#define LAKE_LOG_PATH		LAKE_RUN_DIR "/laked.log"
#define LAKE_SYSFS_DIR		"/sys/fs/lakefs"
#define LAKE_LIB_DIR		"/usr/lib/deeplake"

/*
 * Messages: stderr while a person may read it, the kernel log after
 * lake_log_detach(), which lets go of the caller's terminal or pipes.
 */
void lake_log_init(const char *program);
void lake_log_detach(void);
void lake_log(int level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
#define LAKE_ERR	3
#define LAKE_WARN	4
#define LAKE_INFO	6

/*
 * The lock is held by the launcher and, through the inherited descriptor, by
 * its laked: a new launcher cannot start beside a laked that lost its own.
 */
int lake_lock_open(void);
bool lake_lock_try(int fd);
int lake_lock_write_pid(int fd, pid_t pid);
pid_t lake_lock_read_pid(int fd);
bool lake_lock_is_held(void);

/* Milliseconds on the monotonic clock. */
long long lake_now_ms(void);
void lake_sleep_ms(long ms);

/*
 * Asks the running launcher to stop laked cleanly and waits until both are
 * gone. 0: gone (or there was none); -1: still there after timeout_ms.
 */
int lake_stop(long timeout_ms);

/* Reads a small text file without its last newline; -1 when there is none. */
ssize_t lake_read_text(const char *path, char *buf, size_t size);
int lake_write_text(const char *path, const char *text);

/* mkdir that takes an existing directory as success. */
int lake_mkdir(const char *path, mode_t mode);

#endif /* LAKE_COMMON_H */

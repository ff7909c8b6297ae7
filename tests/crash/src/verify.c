// SPDX-License-Identifier: MPL-2.0
/*
 * Asks laked to verify the lake that is mounted on a folder: its structure,
 * as data may change meanwhile (the oracle has read it all).
 *
 * The few messages of proto/control.proto that this takes are coded by hand:
 * starting lakectl for every state would cost more than the state itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "lakecrash.h"

/* Field numbers of control.proto. */
enum {
	REQUEST_VERSION = 1, REQUEST_VERIFY = 4,
	VERIFY_MAJOR = 2, VERIFY_MINOR = 3,
	RESPONSE_RESULT = 2, RESPONSE_ERROR = 3,
	RESULT_VERIFY = 3, ERROR_MESSAGE = 2,
	REPORT_CLEAN = 1, REPORT_PROBLEMS = 2,
};

#define CONTROL_VERSION 1
#define MAX_MESSAGE (16u << 20)

struct message {
	const uint8_t *at, *end;
};

struct field {
	uint32_t number;
	uint64_t value;			/* of a number */
	struct message bytes;		/* of anything with a length */
};

static size_t put_varint(uint8_t *out, uint64_t value)
{
	size_t n = 0;

	for (; value > 0x7f; value >>= 7)
		out[n++] = value | 0x80;
	out[n++] = value;
	return n;
}

static size_t put_number(uint8_t *out, uint32_t number, uint64_t value)
{
	size_t n = put_varint(out, number << 3);

	return n + put_varint(out + n, value);
}

static bool get_varint(struct message *m, uint64_t *value)
{
	*value = 0;
	for (int shift = 0; m->at < m->end && shift < 64; shift += 7) {
		uint8_t byte = *m->at++;

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool get_field(struct message *m, struct field *f)
{
	uint64_t key, length;

	memset(f, 0, sizeof(*f));
	if (!get_varint(m, &key))
		return false;
	f->number = key >> 3;
	if ((key & 7) == 0)
		return get_varint(m, &f->value);
	if ((key & 7) != 2 || !get_varint(m, &length) ||
	    length > (uint64_t)(m->end - m->at))
		return false;
	f->bytes = (struct message){ m->at, m->at + length };
	m->at += length;
	return true;
}

static bool find_field(struct message m, uint32_t number, struct field *f)
{
	while (get_field(&m, f))
		if (f->number == number)
			return true;
	return false;
}

static int transfer(int fd, uint8_t *data, size_t bytes, bool out)
{
	while (bytes) {
		ssize_t n = out ? write(fd, data, bytes)
				: read(fd, data, bytes);

		if (n <= 0)
			return n < 0 ? errno : ECONNRESET;
		data += n;
		bytes -= n;
	}
	return 0;
}

static int dial(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address,
			       sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

static int send_request(int fd, const char *dir)
{
	uint8_t body[64], frame[80];
	uint32_t length;
	struct stat st;
	size_t n = 0, at;

	if (stat(dir, &st))
		return errno;
	n += put_number(body + n, VERIFY_MAJOR, major(st.st_dev));
	n += put_number(body + n, VERIFY_MINOR, minor(st.st_dev));
	at = 4 + put_number(frame + 4, REQUEST_VERSION, CONTROL_VERSION);
	at += put_varint(frame + at, REQUEST_VERIFY << 3 | 2);
	at += put_varint(frame + at, n);
	memcpy(frame + at, body, n);
	at += n;
	length = htole32(at - 4);
	memcpy(frame, &length, 4);
	return transfer(fd, frame, at, true);
}

/* Adds what is wrong to out; the number of problems. */
static int judge_report(struct message report, FILE *out)
{
	struct field f;
	bool clean = false;
	int problems = 0;

	while (get_field(&report, &f)) {
		if (f.number == REPORT_CLEAN)
			clean = f.value;
		if (f.number != REPORT_PROBLEMS)
			continue;
		fprintf(out, "verify: %.*s\n",
			(int)(f.bytes.end - f.bytes.at), f.bytes.at);
		problems++;
	}
	if (!clean && !problems)
		fprintf(out, "verify: not clean\n");
	return problems + (!clean && !problems);
}

/* -1: only progress so far; else the number of problems. */
static int judge_response(struct message m, FILE *out)
{
	struct field f, inner;

	if (find_field(m, RESPONSE_RESULT, &f) &&
	    find_field(f.bytes, RESULT_VERIFY, &inner))
		return judge_report(inner.bytes, out);
	if (!find_field(m, RESPONSE_ERROR, &f))
		return -1;
	if (!find_field(f.bytes, ERROR_MESSAGE, &inner))
		memset(&inner, 0, sizeof(inner));
	fprintf(out, "verify: %.*s\n",
		(int)(inner.bytes.end - inner.bytes.at), inner.bytes.at);
	return 1;
}

/* Number of problems, each one line on out. */
int lc_verify_mounted(const char *socket_path, const char *dir, FILE *out)
{
	int fd = dial(socket_path), result = -1;
	int error = fd < 0 ? errno : send_request(fd, dir);

	while (!error && result < 0) {
		uint32_t length;
		uint8_t *data;

		error = transfer(fd, (uint8_t *)&length, 4, false);
		length = le32toh(length);
		if (!error && length > MAX_MESSAGE)
			error = EMSGSIZE;
		if (error)
			break;
		data = lc_alloc(length);
		error = transfer(fd, data, length, false);
		if (!error)
			result = judge_response(
				(struct message){ data, data + length }, out);
		free(data);
	}
	if (fd >= 0)
		close(fd);
	if (error)
		fprintf(out, "verify: %s: %s\n", socket_path,
			strerror(error));
	return error ? 1 : result;
}

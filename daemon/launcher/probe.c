// SPDX-License-Identifier: MPL-2.0
/*
 * lake-probe: is there a lake on this device, and which? For udev and for the
 * boot, where `root=UUID=...` has to be found: libblkid has never heard of
 * lakes.
 *
 *   lake-probe DEVICE		properties in udev's form; status 2: no lake
 *   lake-probe --find UUID=X|LABEL=X
 *				the block device that holds it; status 2: none,
 *				3: several
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../../proto/lakefs_format.h"

#define PROBE_NONE	2
#define PROBE_SEVERAL	3
#define UUID_TEXT	37

static uint32_t crc32c(const unsigned char *p, size_t n)
{
	uint32_t crc = ~0u;

	while (n--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static bool super_ok(struct lakefs_sb *sb)
{
	uint32_t stored = sb->crc32c;

	if (sb->magic != LAKEFS_SB_MAGIC)
		return false;
	sb->crc32c = 0;
	return crc32c((const unsigned char *)sb, sizeof(*sb)) == stored;
}

static bool read_copy(int fd, off_t at, struct lakefs_sb *sb)
{
	return at >= 0 && pread(fd, sb, sizeof(*sb), at) == sizeof(*sb) &&
	       super_ok(sb);
}

/* Either copy tells who the lake is; the second is where the device ends. */
static bool probe(const char *path, struct lakefs_sb *sb)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool found;
	off_t end;

	if (fd < 0)
		return false;
	found = read_copy(fd, LAKEFS_SB_A_BLOCK * LAKEFS_BLOCK_SIZE, sb);
	if (!found) {
		end = lseek(fd, 0, SEEK_END);
		found = read_copy(fd, (end / LAKEFS_BLOCK_SIZE - 1) *
				  LAKEFS_BLOCK_SIZE, sb);
	}
	close(fd);
	return found;
}

static void uuid_text(const uint8_t *u, char *text)
{
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		text += sprintf(text, "%02x", u[i]);
	}
}

/* Labels are anybody's bytes: what is not plain goes out as \xNN, as udev's. */
static void put_encoded(const char *key, const char *label)
{
	static const char plain[] = "#+-.:=@_";

	printf("%s=", key);
	for (; *label; label++) {
		unsigned char c = *label;

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z') || strchr(plain, c))
			putchar(c);
		else
			printf("\\x%02x", c);
	}
	putchar('\n');
}

static int show(const char *path)
{
	struct lakefs_sb sb;
	char uuid[UUID_TEXT], label[sizeof(sb.label) + 1] = "";

	if (!probe(path, &sb))
		return PROBE_NONE;
	uuid_text(sb.uuid, uuid);
	memcpy(label, sb.label, sizeof(sb.label));
	printf("ID_FS_TYPE=lakefs\nID_FS_USAGE=filesystem\n"
	       "ID_FS_VERSION=%u\nID_FS_UUID=%s\nID_FS_UUID_ENC=%s\n",
	       sb.format_version, uuid, uuid);
	if (label[0]) {
		put_encoded("ID_FS_LABEL", label);
		put_encoded("ID_FS_LABEL_ENC", label);
	}
	return 0;
}

static bool matches(const char *tag, const struct lakefs_sb *sb)
{
	char uuid[UUID_TEXT], label[sizeof(sb->label) + 1] = "";

	if (!strncmp(tag, "UUID=", 5)) {
		uuid_text(sb->uuid, uuid);
		return !strcasecmp(tag + 5, uuid);
	}
	memcpy(label, sb->label, sizeof(sb->label));
	return !strcmp(tag + 6, label);
}

static int find(const char *tag)
{
	DIR *dir = opendir("/sys/class/block");
	struct dirent *de;
	struct lakefs_sb sb;
	char path[300], hit[300] = "";
	int hits = 0;

	if (!dir) {
		fprintf(stderr, "lake-probe: /sys/class/block: %s\n",
			strerror(errno));
		return 1;
	}
	while ((de = readdir(dir))) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/dev/%s", de->d_name);
		for (char *c = path; (c = strchr(c, '!')); )
			*c = '/';	/* cciss!c0d0 is /dev/cciss/c0d0 */
		if (!probe(path, &sb) || !matches(tag, &sb))
			continue;
		strcpy(hit, path);
		hits++;
	}
	closedir(dir);
	if (hits > 1) {
		fprintf(stderr, "lake-probe: %d devices hold %s; "
			"name the device instead\n", hits, tag);
		return PROBE_SEVERAL;
	}
	if (!hits)
		return PROBE_NONE;
	puts(hit);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--find") &&
	    (!strncmp(argv[2], "UUID=", 5) || !strncmp(argv[2], "LABEL=", 6)))
		return find(argv[2]);
	if (argc == 2 && argv[1][0] != '-')
		return show(argv[1]);
	fprintf(stderr, "usage: lake-probe DEVICE\n"
		"       lake-probe --find UUID=UUID|LABEL=TEXT\n"
		"Says which lake a block device holds, in udev's form, or "
		"which device holds a lake.\n");
	return 1;
}

// SPDX-License-Identifier: MPL-2.0
/*
 * datatest [--dev DEVICE --type TYPE] DIR [NAME...]: runs all tests, or those
 * whose names begin with one of NAME, in DIR. With --dev, DIR is where that
 * device is mounted, and tests may unmount and mount it again. One line each,
 * "pass NAME" or "fail NAME: reason"; exit status 1 when any failed.
 * DATATEST_SEALS: the socket of fakelaked, which seals and shares when it is
 * asked to; the tests of that are there only then.
 */
#include "sealing.h"
#include <sys/mount.h>
#include <sys/vfs.h>

int ops_wanted = 3000;
bool is_lakefs;
static const char *device, *fs_type;
static uint64_t rnd_state;

const char *path(const char *name)
{
	static char names[8][PATH_MAX];
	static int next;
	char *to = names[next++ % 8];

	if (snprintf(to, PATH_MAX, "%s/%s", test_dir, name) >= PATH_MAX)
		fail_at(__FILE__, __LINE__, "%s: too long", name);
	return to;
}

bool remount(void)
{
	if (!device)
		return false;
	OK(umount(top_dir));
	OK(mount(device, top_dir, fs_type, 0, ""));
	return true;
}

/* splitmix64: any seed is a good one */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

void rnd_seed(uint64_t seed)
{
	rnd_state = mix(seed + 1);
}

uint32_t rnd(void)
{
	return mix(rnd_state += 0x9e3779b97f4a7c15ull) >> 32;
}

/*
 * The same however it is cut, and never zero. By words: the tests spend most
 * of their time here.
 */
void pattern(uint8_t *to, size_t bytes, uint64_t seed, uint64_t pos)
{
	const uint64_t ones = 0x0101010101010101ull;
	size_t done = 0;

	while (done < bytes) {
		size_t skip = (pos + done) & 7, n = 8 - skip;
		uint64_t word = mix(seed * 0x9e3779b97f4a7c15ull +
				    ((pos + done) >> 3)) | ones;

		if (n > bytes - done)
			n = bytes - done;
		word >>= 8 * skip;
		if (n == 8)
			memcpy(to + done, &word, 8);
		else
			memcpy(to + done, &word, n);
		done += n;
	}
}

void put_pattern(int fd, uint64_t pos, size_t bytes, uint64_t seed)
{
	uint8_t *buffer = malloc(bytes);

	pattern(buffer, bytes, seed, pos);
	EQ(pwrite(fd, buffer, bytes, pos), bytes);
	free(buffer);
}

static void check_bytes(int fd, uint64_t pos, size_t bytes,
			const uint8_t *want)
{
	uint8_t *got = malloc(bytes + 1);

	EQ(pread(fd, got, bytes, pos), bytes);
	for (size_t i = 0; memcmp(got, want, bytes) && i < bytes; i++)
		if (got[i] != want[i])
			fail_at(__FILE__, __LINE__,
				"byte %llu is %02x, not %02x",
				(unsigned long long)(pos + i), got[i],
				want[i]);
	free(got);
}

void check_pattern(int fd, uint64_t pos, size_t bytes, uint64_t seed)
{
	uint8_t *want = malloc(bytes + 1);

	pattern(want, bytes, seed, pos);
	check_bytes(fd, pos, bytes, want);
	free(want);
}

void check_zero(int fd, uint64_t pos, size_t bytes)
{
	uint8_t *want = calloc(1, bytes + 1);

	check_bytes(fd, pos, bytes, want);
	free(want);
}

void *aligned(size_t bytes)
{
	void *p;

	CHECK(!posix_memalign(&p, BLOCK, bytes));
	return p;
}

uint64_t file_size(int fd)
{
	struct stat st;

	OK(fstat(fd, &st));
	return st.st_size;
}

static void begin(void)
{
	rnd_seed(strlen(test_name) * 1000 + test_name[0]);
}

int main(int argc, char **argv)
{
	const struct test *all[] = {
		/* first those that remount often: fakelaked's log is short yet */
		shift_tests, folio_tests, tail_tests, direct_tests, many_tests,
		model_tests, space_tests, share_tests, clone_tests, trim_tests,
		flush_tests,
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
	};
	struct frame frame = { .lists = all, .seconds = 1500, .begin = begin };
	struct statfs sf;

	if (getenv("DATATEST_OPS"))
		ops_wanted = atoi(getenv("DATATEST_OPS"));
	for (; argc > 2 && !strncmp(argv[1], "--", 2); argc -= 2, argv += 2)
		*(strcmp(argv[1], "--dev") ? &fs_type : &device) = argv[2];
	seal_socket = getenv("DATATEST_SEALS");
	seal_device = device;
	if (seal_socket && device) {
		size_t n = sizeof(all) / sizeof(*all);

		all[n - 9] = seal_tests;
		all[n - 8] = packbad_tests;
		all[n - 7] = remap_tests;
		all[n - 6] = pack_tests;
		all[n - 5] = checked_tests;
		all[n - 4] = sharing_tests;
		all[n - 3] = skew_tests;
		all[n - 2] = sharerace_tests;
	}
	if (argc < 2 || strlen(argv[1]) >= sizeof(top_dir) ||
	    statfs(argv[1], &sf) || (device && !fs_type)) {
		fprintf(stderr, "usage: datatest [--dev DEVICE --type TYPE] "
			"DIR [NAME...]\n");
		return 2;
	}
	strcpy(top_dir, argv[1]);
	is_lakefs = sf.f_type == 0x4c414b45;
	frame.names = argv + 2;
	frame.no_alone = !device;
	return run_tests(&frame) ? 1 : 0;
}

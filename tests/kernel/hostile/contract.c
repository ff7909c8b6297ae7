// SPDX-License-Identifier: MPL-2.0
/* What the other files need of proto/. */
#include <string.h>
#include "../fake.h"
#include "hostile.h"

const unsigned long contract_calls[] = {
	LAKEFS_IOC_NEXT_WANTED, LAKEFS_IOC_ATTACH, LAKEFS_IOC_DECLARE,
	LAKEFS_IOC_READY, LAKEFS_IOC_COMMIT, LAKEFS_IOC_KICK, LAKEFS_IOC_FAIL,
	LAKEFS_IOC_DETACH, LAKEFS_IOC_SEAL, LAKEFS_IOC_CHECKED,
	LAKEFS_IOC_UNSEAL, LAKEFS_IOC_SHARE, LAKEFS_IOC_REMAP,
	LAKEFS_FS_IOC_SHUTDOWN,
};
const size_t contract_call_count =
	sizeof(contract_calls) / sizeof(*contract_calls);
const unsigned long contract_shutdown = LAKEFS_FS_IOC_SHUTDOWN;
const char contract_genl_name[] = LAKEFS_GENL_NAME;
const u16 contract_genl_attr_max = LAKEFS_A_BLOCK;

/* random arguments of these would be refused at once; false: another call */
bool contract_fill(unsigned long cmd, void *arg)
{
	struct lakefs_attach *a = arg;

	if (cmd == LAKEFS_IOC_NEXT_WANTED) {
		memset(arg, 0, sizeof(u64));
		return true;
	}
	if (cmd != LAKEFS_IOC_ATTACH)
		return false;
	a->abi_version = LAKEFS_ABI_VERSION;
	a->dev_major = 7;
	a->dev_minor = random_below(2);
	a->flags = 0;
	a->reserved = 0;
	return true;
}

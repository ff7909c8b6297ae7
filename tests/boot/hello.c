// SPDX-License-Identifier: MPL-2.0
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	printf("%d\n", argc > 1 ? 2 * atoi(argv[1]) : 0);
	return 0;
}

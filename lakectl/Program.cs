// SPDX-License-Identifier: MPL-2.0
return 0;

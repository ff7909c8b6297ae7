// SPDX-License-Identifier: MPL-2.0

// Large structs on the stack are always written before they are read.
[module: System.Runtime.CompilerServices.SkipLocalsInit]

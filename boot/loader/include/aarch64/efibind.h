/*
 * gnu-efi's package for amd64 has no AArch64 binding; both are LLP64 here and the x86-64 one fits.
 */
#include <x86_64/efibind.h>

/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaded at run time: calls back through a frame of its own. */
void call_back(void (*call)(void));

void call_back(void (*call)(void))
{
	call();
	__asm__ volatile("");
}

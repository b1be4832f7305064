/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of a payment: request, risk, session, journal, answer. */
#include "gateway.h"

#include "random.h"
#include "subsystem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	CUSTOMERS = 60000,
	MERCHANTS = 20000,
	BURST_MIN = 20,
	BURST_MAX = 200,
	REPORT_EVERY = 8192, /* payments of one gateway */
	DECLINE_RISK = 245,  /* of 255 */
};

struct payment {
	uint64_t id;
	uint64_t customer;
	uint64_t merchant;
	uint64_t amount_cents;
	char *request; /* as it came in */
	size_t request_bytes;
	char *reference;
};

/* Half of all customers and merchants that pay are of the busiest tenth. */
static uint64_t pick(struct random *random, uint64_t count)
{
	uint64_t high = random_next(random) & 1 ? count / 10 : count;

	return random_between(random, 1, high);
}

static char *receive_request(struct random *random, size_t *bytes)
{
	char *request;

	*bytes = random_between(random, 200, 3000);
	request = allocate(*bytes);
	memset(request, '{', *bytes);
	return request;
}

static void payment_receive(struct payment *payment, struct random *random)
{
	const size_t reference_bytes = 48;

	payment->id = random_next(random);
	payment->customer = pick(random, CUSTOMERS);
	payment->merchant = pick(random, MERCHANTS);
	payment->amount_cents = random_between(random, 100, 50000);
	payment->request = receive_request(random, &payment->request_bytes);
	payment->reference = allocate(reference_bytes);
	snprintf(payment->reference, reference_bytes, "PAY-%016" PRIx64,
		 payment->id);
}

static void payment_release(struct payment *payment)
{
	free(payment->reference);
	free(payment->request);
}

static void post_to_ledger(struct service *service,
			   const struct payment *payment, struct random *random)
{
	struct journal_entry *entry =
		journal_entry_new(random_between(random, 48, 240));

	entry->payment = payment->id;
	entry->amount_cents = payment->amount_cents;
	memset(entry->text, 'j', entry->text_bytes);
	journal_post(service->journal, entry);
}

static void send_answer(const struct payment *payment, bool approved)
{
	const size_t room = 512;
	char *answer = allocate(room);

	snprintf(answer, room, "{\"reference\":\"%s\",\"approved\":%s}",
		 payment->reference, approved ? "true" : "false");
	free(answer);
}

static void handle_payment(struct gateway *gateway, struct random *random)
{
	struct service *service = gateway->service;
	uint64_t now = atomic_fetch_add(&service->taken, 1);
	struct payment payment;
	bool approved;

	payment_receive(&payment, random);
	session_touch(service->sessions, payment.customer,
		      random_between(random, 32, 400), now);
	approved = cache_risk(service->cache, payment.merchant) < DECLINE_RISK;
	if (approved) {
		post_to_ledger(service, &payment, random);
		gateway->approved++;
		gateway->approved_cents += payment.amount_cents;
	} else {
		declines_remember(service->declines, payment.request,
				  payment.request_bytes);
		gateway->declined++;
	}
	send_answer(&payment, approved);
	payment_release(&payment);
}

/* Sleeps off the time that the burst should have taken. */
static void pause_after(const struct gateway *gateway, uint64_t burst)
{
	uint64_t ns;
	struct timespec pause;

	if (!gateway->rate)
		return;
	ns = burst * UINT64_C(1000000000) / gateway->rate;
	pause.tv_sec = (time_t)(ns / UINT64_C(1000000000));
	pause.tv_nsec = (long)(ns % UINT64_C(1000000000));
	nanosleep(&pause, NULL);
}

static bool finished(const struct gateway *gateway, uint64_t taken)
{
	if (gateway->payments)
		return taken == gateway->payments;
	return atomic_load(&gateway->service->stop);
}

static void *gateway_main(void *argument)
{
	struct gateway *gateway = argument;
	struct random random = {gateway->seed + gateway->index};
	uint64_t taken = 0;
	char name[16];

	snprintf(name, sizeof(name), "gateway-%u", gateway->index % 1000);
	pthread_setname_np(pthread_self(), name);
	while (!finished(gateway, taken)) {
		uint64_t burst = random_between(&random, BURST_MIN, BURST_MAX);

		for (uint64_t i = 0; i < burst; i++) {
			if (gateway->payments && taken == gateway->payments)
				break;
			handle_payment(gateway, &random);
			if (++taken % REPORT_EVERY == 0)
				report_settlement(
					gateway->service->reports, taken,
					random_between(&random, 10000, 60000));
		}
		pause_after(gateway, burst);
	}
	return NULL;
}

int gateway_start(struct gateway *gateway)
{
	return pthread_create(&gateway->thread, NULL, gateway_main, gateway);
}

void gateway_join(struct gateway *gateway)
{
	pthread_join(gateway->thread, NULL);
}

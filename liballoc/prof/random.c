/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random intervals. Owns the process's secret; keeps no other state.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/vdso.h"
#include "liballoc/prof/random.h"

#define LN2 0.693147180559945309417232121458

static uint64_t secret[4];

double prof_log(double x)
{
	uint64_t bits;
	double s, z, z2, z4, low, high;
	int exponent;

	memcpy(&bits, &x, sizeof(bits));
	exponent = (int)(bits >> 52) - 1023;
	bits = (bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1023 << 52;
	memcpy(&x, &bits, sizeof(x));
	if (x > 1.41421356237309504880) {
		x /= 2;
		exponent++;
	}
	/*
	 * log x = 2 atanh s = 2 (s + s (z/3 + z^2/5 + ...)), z = s^2, and
	 * |s| < 0.1716: 11 terms reach 1e-17. In pairs, which do not wait for
	 * each other as Horner's terms do.
	 */
	s = (x - 1) / (x + 1);
	z = s * s;
	z2 = z * z;
	z4 = z2 * z2;
	low = (1.0 / 3 + z * (1.0 / 5)) + z2 * (1.0 / 7 + z * (1.0 / 9));
	high = (1.0 / 11 + z * (1.0 / 13)) + z2 * (1.0 / 15 + z * (1.0 / 17)) +
	       z4 * ((1.0 / 19 + z * (1.0 / 21)) + z2 * (1.0 / 23));
	return exponent * LN2 + 2 * (s + s * z * (low + z4 * high));
}

/* exp(-y), y in [0, 700]. */
static double exp_minus(double y)
{
	int halvings = (int)(y / LN2 + 0.5);
	double r = halvings * LN2 - y, sum = 1, scale;
	uint64_t bits = (uint64_t)(1023 - halvings) << 52;

	for (int k = 17; k >= 1; k--)
		sum = 1 + sum * r / k;
	memcpy(&scale, &bits, sizeof(scale));
	return sum * scale;
}

double prof_one_minus_exp(double y)
{
	double sum = 1;

	if (y > 700)
		return 1;
	if (y > 0.5)
		return 1 - exp_minus(y);
	/* y (1 - y/2 (1 - y/3 (1 - ...))): no cancellation near 0. */
	for (int k = 16; k >= 2; k--)
		sum = 1 - y / k * sum;
	return y * sum;
}

/* log(1 - 2^-lg), lg >= 1. */
static __attribute__((noinline)) double log_of_miss(unsigned lg)
{
	double p = 1.0 / (double)((uint64_t)1 << lg), power = p, sum = 0;

	if (lg <= 4)
		return prof_log(1 - p);
	for (int k = 1; k <= 13; k++) {
		sum -= power / k;
		power *= p;
	}
	return sum;
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

__attribute__((cold)) void random_boot(void)
{
	const void *kernel_seed = (const void *)getauxval(AT_RANDOM);
	struct timespec now = {0};
	int kept_errno = errno;

	if (opt.prof_seed) {
		for (unsigned i = 0; i < 4; i++)
			secret[i] = mix(opt.prof_seed * 4 + i);
		return;
	}
	/* Never blocks: early in the machine's boot the rest has to do. */
	if (syscall(SYS_getrandom, secret, sizeof(secret), 1) !=
		    (long)sizeof(secret) &&
	    kernel_seed)
		memcpy(secret, kernel_seed, 16);
	vdso_clock(CLOCK_MONOTONIC, &now);
	secret[2] ^= mix((uint64_t)now.tv_nsec);
	secret[3] ^= mix((uint64_t)getpid());
	errno = kept_errno;
}

__attribute__((cold)) void random_seed(uint64_t state[4], uint64_t stream)
{
	for (unsigned i = 0; i < 4; i++)
		state[i] = mix(secret[i] ^
			       mix(stream * 4 + i + 0x9e3779b97f4a7c15));
	if (!(state[0] | state[1] | state[2] | state[3]))
		state[0] = 1;
}

static uint64_t rotate(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

uint64_t random_next(uint64_t state[4])
{
	uint64_t result = rotate(state[1] * 5, 7) * 9;
	uint64_t t = state[1] << 17;

	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= t;
	state[3] = rotate(state[3], 45);
	return result;
}

/*
 * -1 / the same, kept: the mean of an exponential variable whose whole part is
 * the interval. Of many writers each writes the same.
 */
static inline double kept_mean(unsigned lg)
{
	static uint64_t kept[PROF_LG_SAMPLE_MAX + 1];
	uint64_t bits = __atomic_load_n(&kept[lg], __ATOMIC_RELAXED);
	double value;

	if (__builtin_expect(bits == 0, 0)) {
		value = -1 / log_of_miss(lg);
		memcpy(&bits, &value, sizeof(bits));
		__atomic_store_n(&kept[lg], bits, __ATOMIC_RELAXED);
	}
	memcpy(&value, &bits, sizeof(value));
	return value;
}

/*
 * What lies under exp(-x), in layers of the same area v, one upon the other:
 * the lowest is all that lies left of edges[1], and the tail right of it, as if
 * it were edges[0] = v / exp(-edges[1]) wide; layer i > 0 reaches from the
 * height exp(-edges[i]) to exp(-edges[i + 1]), and to edges[i] from 0. That
 * the last one ends at 1 makes edges[1].
 */
/* clang-format off */
const double random_edges[RANDOM_LAYERS + 1] = {
	7.0788212468567604, 6.0788212468567604, 5.306629282132346,
	4.8264973168769183, 4.4763834231821749, 4.1998918524194595,
	3.9707959621124549, 3.7747681915874707, 3.6031243777127289,
	3.4502021957873046, 3.3121037165756619, 3.1860305013200034,
	3.0699049923787936, 2.9621419801300499, 2.8615039913937519,
	2.7670061403092512, 2.677851433941338, 2.5933855343601095,
	2.5130643499810712, 2.4364303211326845, 2.3630947404080866,
	2.2927243512526854, 2.2250310369289239, 2.1597637794977862,
	2.0967023114426198, 2.0356520465578911, 1.9764399894819915,
	1.918911402089998, 1.8629270609260788, 1.8083609801303744,
	1.755098503657796, 1.7030346921958526, 1.6520729462491159,
	1.6021238188785236, 1.553103980618221, 1.5049353058819148,
	1.4575440552362622, 1.410860131624482, 1.3648163912155851,
	1.3193479911875909, 1.2743917575026629, 1.2298855555998343,
	1.1857676458388688, 1.1419760033021127, 1.0984475778962541,
	1.0551174651036745, 1.0119179494451205, 0.96877737052598989,
	0.92561874353606355, 0.88235803917401001, 0.83890198708903674,
	0.79514520346389606, 0.75096634228014025, 0.70622280395444081,
	0.66074325335323614, 0.61431670116221893, 0.56667597947536719,
	0.51747163268091878, 0.46622844743907804, 0.41226818117367997,
	0.35456005412666841, 0.29139628173471621, 0.2195609671729519,
	0.13155521577588303, 0,
};

/* exp(-edges[i]). */
static const double heights[RANDOM_LAYERS + 1] = {
	0.00084276597615757002, 0.0022908754386326714, 0.0049586126643786322,
	0.0080145445689300942, 0.011374475521795222, 0.014997198643526184,
	0.01885841657454343, 0.02294240826881019, 0.027238486042549023,
	0.031739218193013848, 0.036439434820519284, 0.041335627426969869,
	0.046425565430443634, 0.05170804087159054, 0.057182693281122667,
	0.062849887098663557, 0.068710624988852276, 0.074766486611103314,
	0.081019586088230053, 0.087472543701121022, 0.094128468801148585,
	0.10099095190501887, 0.10806406460608775, 0.11535236641390351,
	0.12286091798923651, 0.13059530051955265, 0.13856164120941478,
	0.14676664506240072, 0.15521763332128163, 0.16392258912391716,
	0.17289021113472064, 0.18212997613656987, 0.19165221182748571,
	0.20146818137393571, 0.21159018164495524, 0.22203165750959125,
	0.23280733515202121, 0.24393337808062868, 0.25542757042854281,
	0.267309533330858, 0.27960098171082487, 0.29232603084381203,
	0.30551156477829761, 0.31918768234298522, 0.33338824144580648,
	0.34815152924871962, 0.36352109544891692, 0.3795467996453763,
	0.39628614371169207, 0.41380598959007608, 0.43218480749496646,
	0.45151566852340036, 0.47191030545040485, 0.4935047455948951,
	0.5164673257297917, 0.54101044084537775, 0.56740838460665766,
	0.59602561617505545, 0.62736394798829853, 0.66214667696584395,
	0.70148198943824525, 0.74721950989536301, 0.80287120741310536,
	0.87673086442637171, 1,
};
/* clang-format on */

/* In [0, 1), from all bits but those that choose a layer. */
static double fraction(uint64_t bits)
{
	return (double)(int64_t)(bits >> 11) * 0x1p-53;
}

/*
 * Is a point of layer i > 0 at x, at any height of it, below the curve? With d
 * left to the layer's end, the curve is exp(d) times as high as there, which
 * lies between the bounds, as d < 0.8; they nearly always tell. Not inlined, so
 * that what is nearly always enough need not save registers.
 */
static __attribute__((noinline)) bool lies_below(uint64_t state[4], size_t i,
						 double x)
{
	double end = heights[i], rise = heights[i + 1] - end;
	double height = end + fraction(random_next(state)) * rise;
	double d = random_edges[i] - x, least = 1 + d + d * d / 2;

	if (height < end * least)
		return true;
	if (height > end * (least + d * d * d / 4))
		return false;
	return height < exp_minus(x);
}

/*
 * An exponential variable of mean 1: the place of a point of all that lies
 * under the curve (Marsaglia and Tsang, "The Ziggurat Method for Generating
 * Random Variables", 2000). Nearly always the point lies left of the layer's
 * end at its upper edge, and neither a logarithm nor a power is wanted. The
 * tail is the same curve again.
 */
static double exponential(uint64_t state[4])
{
	double passed = 0, x;
	uint64_t bits;
	size_t i;

	for (;;) {
		bits = random_next(state);
		i = bits % RANDOM_LAYERS;
		x = fraction(bits) * random_edges[i];
		if (__builtin_expect(x < random_edges[i + 1], 1))
			break;
		if (i == 0)
			passed += random_edges[1];
		else if (lies_below(state, i, x))
			break;
	}
	return passed + x;
}

int64_t random_interval(uint64_t state[4], unsigned lg_sample)
{
	static const double most = (double)((uint64_t)1 << 62);
	double interval;

	if (lg_sample == 0)
		return 0;
	if (lg_sample > PROF_LG_SAMPLE_MAX)
		lg_sample = PROF_LG_SAMPLE_MAX;
	interval = exponential(state) * kept_mean(lg_sample);
	return interval < most ? (int64_t)interval : (int64_t)1 << 62;
}

double random_odds(double bytes, unsigned lg_sample)
{
	if (lg_sample == 0)
		return prof_one_minus_exp(bytes);
	if (lg_sample > PROF_LG_SAMPLE_MAX)
		lg_sample = PROF_LG_SAMPLE_MAX;
	return prof_one_minus_exp(bytes / kept_mean(lg_sample));
}

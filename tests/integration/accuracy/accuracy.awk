# SPDX-License-Identifier: BSD-2-Clause
# Input: "truth estimate standard_error" a line. Prints the number of runs, the
# share within 3 standard errors, and the mean error in standard errors of that
# mean; fails where the mean is off by 4 of them, or where fewer runs than the
# share `least` lie within (the normal distribution has 99.7 %).
{
	n++
	error = $2 - $1
	inside += (error <= 3 * $3 && error >= -3 * $3)
	sum += error
	squares += error * error
}
END {
	if (n < 2)
		exit 1
	mean = sum / n
	spread = sqrt((squares / n - mean * mean) / n)
	z = spread > 0 ? mean / spread : (mean == 0 ? 0 : 99)
	printf "%d runs, %.1f %% within 3 SE, mean error %.2f of its SE\n",
		n, 100 * inside / n, z
	exit !(inside / n >= least && z < 4 && z > -4)
}

# SPDX-License-Identifier: BSD-2-Clause
# perl: hashes, closures, regular expressions, sorting, fork and a pipe.
use strict;
use warnings;

my (%count, @rows);
my $x = 42;
for my $i (1 .. 80000) {
	$x = ($x * 1103515245 + 12345) % 2147483648;
	$count{"key" . $x % 5003} .= chr(97 + $i % 26);
	push @rows, {id => $i, value => $x, name => "row $x"} if $i % 4 == 0;
}
my $text = join ',', map { "$_=$count{$_}" } sort keys %count;
print length($text), "\n";
my $hits = () = $text =~ /(a)(?:[b-y]*)(z)/g;
print "$hits\n";
my @sorted = sort { $a->{value} <=> $b->{value} || $a->{id} <=> $b->{id} } @rows;
print join(' ', map { $_->{name} } @sorted[0 .. 9]), "\n";
my @makers = map { my $n = $_; sub { $n * shift } } 1 .. 5000;
my $sum = 0;
$sum += $_->(3) for @makers;
print "$sum\n";
$| = 1;
my $pid = open(my $child, '-|') // die "fork: $!";
if (!$pid) {
	print scalar(grep { /9/ } keys %count), "\n";
	exit 3;
}
print "child says ", <$child>;
close $child;
print "child's status ", $? >> 8, "\n";
(my $upper = $text) =~ tr/a-z/A-Z/;
print unpack('%32C*', $upper), "\n";

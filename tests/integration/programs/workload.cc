// SPDX-License-Identifier: BSD-2-Clause
// C++: containers, exceptions, over-aligned new, threads that free what
// others allocated. Its compilation is a test as well.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

struct alignas(128) Wide {
	uint64_t words[16];
};

static std::mutex lock;
static std::vector<std::unique_ptr<std::string>> shared;

static uint64_t thrower(unsigned depth)
{
	std::string local(depth * 10, 'x');

	if (depth == 0)
		throw std::runtime_error("at the bottom");
	return thrower(depth - 1) + local.size();
}

static uint64_t work(uint64_t seed)
{
	std::unordered_map<std::string, std::vector<uint64_t>> map;
	uint64_t x = seed, sum = 0;

	for (int i = 0; i < 20000; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		map["key" + std::to_string((x >> 33) % 997)].push_back(x >> 40);
		if (i % 100 == 0) {
			auto wide = std::make_unique<Wide>();

			sum += reinterpret_cast<uintptr_t>(wide.get()) % 128;
			try {
				thrower(20);
			} catch (const std::exception &e) {
				sum += std::string(e.what()).size();
			}
			std::lock_guard<std::mutex> guard(lock);
			shared.push_back(
				std::make_unique<std::string>(200, 'y'));
			if (shared.size() > 50)
				shared.erase(shared.begin(),
					     shared.begin() + 25);
		}
	}
	for (auto &entry : map) {
		std::sort(entry.second.begin(), entry.second.end());
		sum += std::accumulate(entry.second.begin(), entry.second.end(),
				       uint64_t(0));
	}
	return sum;
}

int main()
{
	std::vector<uint64_t> sums(4);
	std::vector<std::thread> threads;
	std::ostringstream out;

	for (unsigned i = 0; i < sums.size(); i++)
		threads.emplace_back([&sums, i] { sums[i] = work(i + 1); });
	for (auto &thread : threads)
		thread.join();
	for (uint64_t sum : sums)
		out << sum << '\n';
	std::smatch match;
	std::string text = out.str();
	if (std::regex_search(text, match, std::regex("([0-9]+)\n([0-9]+)")))
		out << match[2] << '\n';
	std::fputs(out.str().c_str(), stdout);
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause
// Work for a C++ compiler: many instantiations of a small library's templates,
// and the standard library's own.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

template <int N> struct record {
	std::string name = "record" + std::to_string(N);
	std::map<std::string, std::vector<int>> values;
	std::variant<int, double, std::string, std::vector<std::string>> last;

	void add(const std::string &key, int value)
	{
		values[key].push_back(value * N);
		if (value % 2)
			last = value;
		else
			last = key + name;
	}

	std::string show() const
	{
		std::ostringstream text;
		for (const auto &[key, list] : values) {
			text << key << ':';
			for (int value : list)
				text << ' ' << value;
		}
		std::visit(
			[&](const auto &value) {
				if constexpr (std::is_arithmetic_v<std::decay_t<
						      decltype(value)>>)
					text << value + N;
				else
					text << value.size() + N;
			},
			last);
		return text.str();
	}
};

template <int N> int sorted_sum(std::vector<std::pair<int, record<N>>> rows)
{
	std::sort(rows.begin(), rows.end(), [](const auto &a, const auto &b) {
		return a.first * N % 17 < b.first * N % 17;
	});
	std::unordered_map<std::string, std::shared_ptr<record<N>>> index;
	for (auto &[key, row] : rows)
		index.emplace(row.name + std::to_string(key),
			      std::make_shared<record<N>>(row));
	std::set<std::tuple<int, std::string>> order;
	for (const auto &[key, row] : index)
		order.insert({static_cast<int>(row->show().size()), key});
	return std::get<0>(*order.begin());
}

template <int N> int all(const std::string &text)
{
	record<N> row;
	row.add(text, N);
	std::function<int(int)> next = [row](int i) mutable {
		row.add("next", i);
		return static_cast<int>(row.show().size()) + N;
	};
	int sum = next(N) + sorted_sum<N>({{1, row}, {N, row}});
	if constexpr (N > 0)
		sum += all<N - 1>(text);
	return sum;
}

int main(int argc, char **argv)
{
	std::string text = argv[argc - 1];
	return all<HEAVY_DEPTH>(text) & 1;
}

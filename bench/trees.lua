-- SPDX-License-Identifier: BSD-2-Clause
-- Binary trees, built and thrown away.
local function build(depth)
	if depth == 0 then
		return {}
	end
	return {build(depth - 1), build(depth - 1)}
end

local function count(tree)
	if not tree[1] then
		return 1
	end
	return 1 + count(tree[1]) + count(tree[2])
end

local kept, total = build(15), 0
for round = 1, 900 do
	total = total + count(build(12))
end
print(total, count(kept))

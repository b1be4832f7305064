# SPDX-License-Identifier: BSD-2-Clause
# git: a repository with branches, made on the spot; log, merge, gc, clone.
set -eu
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org
export GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@example.org
rm -rf origin copy
git init -q -b main origin
cd origin
for commit in 1 2 3 4 5 6 7 8 9 10 11 12; do
	for file in 1 2 3 4 5 6 7 8 9 10; do
		mkdir -p "folder$file"
		seq "$commit" "$((commit * file * 50))" \
			>"folder$file/file$((commit % 5))"
	done
	git add .
	when="$((1700000000 + commit)) +0000"
	GIT_AUTHOR_DATE=$when GIT_COMMITTER_DATE=$when \
		git commit -q -m "commit $commit"
done
export GIT_AUTHOR_DATE='1700001000 +0000' GIT_COMMITTER_DATE='1700001000 +0000'
git checkout -q -b side HEAD~4
echo side >side
git add side
git commit -q -m side
git checkout -q main
git merge -q --no-edit side
git log --stat --format='%H %an %ad %s' | sha256sum
git diff HEAD~6 | sha256sum
git blame folder3/file1 | sha256sum
git -c gc.auto=0 -c pack.threads=2 gc -q --aggressive --prune=now
git fsck --full --strict --no-progress
cd ..
git clone -q --no-local origin copy
git -C copy log --graph --oneline --all | sha256sum
git -C copy grep -c 77 | sha256sum
rm -rf origin copy

// SPDX-License-Identifier: BSD-2-Clause
// node: JSON, buffers, compression, hashes, and threads of its own.
'use strict';
const {Worker, isMainThread, parentPort, workerData} =
	require('worker_threads');
const crypto = require('crypto');
const zlib = require('zlib');

function work(seed) {
	const map = new Map();
	let x = seed;
	for (let i = 0; i < 60000; i++) {
		x = (Math.imul(x, 1103515245) + 12345) >>> 0;
		map.set('key' + (x % 7001), {i, x, text: 'value ' + x});
	}
	const json = JSON.stringify([...map]);
	const packed = zlib.gzipSync(Buffer.from(json));
	const unpacked = zlib.gunzipSync(packed).toString();
	if (unpacked !== json)
		throw new Error('what was unpacked differs');
	const parts = [];
	for (let i = 0; i < 200; i++)
		parts.push(Buffer.alloc(1 + (i * 7919) % 100000, i));
	return crypto.createHash('sha256').update(json)
		.update(Buffer.concat(parts)).digest('hex');
}

if (isMainThread) {
	const results = [];
	for (let i = 0; i < 4; i++) {
		const worker = new Worker(__filename, {workerData: i + 1});
		worker.on('message', (hash) => { results[i] = hash; });
		worker.on('error', (error) => { throw error; });
	}
	process.on('exit', () => {
		console.log(work(99));
		console.log(results.join('\n'));
		process.exitCode = 5;
	});
} else {
	parentPort.postMessage(work(workerData));
}

// A reader that joins what belongs together: lines and characters that were cut between two reads. It also
// knows a stream that was cut: one that ends with neither `done` nor `error`.
//   node joining.js URL KEY SESSION MESSAGE     says what headless.js says
//   node joining.js --bytes N                   reads a stream from stdin, N bytes at a time

async function* events(chunks) {
	const decoder = new TextDecoder();
	let rest = '';

	for await (const chunk of chunks) {
		const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
		rest = lines.pop();
		for (const line of lines)
			if (line.trim()) // a heartbeat is an empty line
				yield JSON.parse(line);
	}
}

async function show(chunks) {
	let ended = false;

	for await (const event of events(chunks)) {
		ended = event.type === 'done' || event.type === 'error';
		switch (event.type) {
		case 'start':
			console.log('Stream started:', event.conversationId);
			break;
		case 'token':
			process.stdout.write(event.token);
			break;
		case 'done':
			console.log('\nComplete message:', event.message);
			break;
		case 'error':
			console.error('Error:', event.error);
			break;
		}
	}
	if (!ended)
		console.error('Error: the stream was cut');
}

async function* pieces(input, size) {
	const parts = [];
	for await (const part of input)
		parts.push(part);
	const all = Buffer.concat(parts);
	for (let at = 0; at < all.length; at += size)
		yield all.subarray(at, at + size);
}

async function main() {
	const [first, key, sessionId, message] = process.argv.slice(2);

	if (first === '--bytes')
		return show(pieces(process.stdin, Number(key)));
	const response = await fetch(first + '/v1/chat/stream', {
		method: 'POST',
		headers: { 'Content-Type': 'application/json', 'x-api-key': key },
		body: JSON.stringify({ sessionId, message })
	});
	return show(response.body);
}

main();

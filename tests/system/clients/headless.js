// The JavaScript samples of the headless API's pages, their loops as they stand there; only the address, the
// key and the request come from outside.
//   node headless.js chat|stream URL KEY SESSION MESSAGE

const [mode, url, key, sessionId, message] = process.argv.slice(2);

const request = {
	method: 'POST',
	headers: {
		'Content-Type': 'application/json',
		'x-api-key': key
	},
	body: JSON.stringify({
		sessionId: sessionId,
		message: message
	})
};

async function chat() {
	const response = await fetch(url + '/v1/chat', request);

	const data = await response.json();
	console.log(data.message);
}

async function stream() {
	const response = await fetch(url + '/v1/chat/stream', request);

	const reader = response.body.getReader();
	const decoder = new TextDecoder();

	while (true) {
		const { done, value } = await reader.read();
		if (done) break;

		const chunk = decoder.decode(value);
		const lines = chunk.split('\n').filter(line => line.trim());

		for (const line of lines) {
			const event = JSON.parse(line);

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
	}
}

(mode === 'chat' ? chat : stream)();

// AG-UI from a back end: asks, and writes the answer as it comes. npm install @ag-ui/client@1.0.0
//   BANTER_URL=https://chat.example.com BANTER_KEY=sk-workspace_… BANTER_CHATBOT=Support node ag-ui.mjs THREAD QUESTION

import { HttpAgent } from '@ag-ui/client';

const { BANTER_URL, BANTER_KEY, BANTER_CHATBOT } = process.env;
const [threadId, question] = process.argv.slice(2);
const agent = new HttpAgent({
	url: BANTER_URL + '/v1/ag-ui',
	// A widget key is one chatbot's, and needs no name.
	headers: { Authorization: 'Bearer ' + BANTER_KEY, 'X-Chatbot-Id': BANTER_CHATBOT },
	threadId,
});
let failed;

agent.addMessage({ id: crypto.randomUUID(), role: 'user', content: question });
try {
	await agent.runAgent({}, {
		onTextMessageContentEvent: ({ event }) => void process.stdout.write(event.delta),
		onRunErrorEvent: ({ event }) => void (failed = event.message),
	});
	if (failed)
		throw new Error(failed);
	process.stdout.write('\n');
} catch (error) {
	console.error(error.message);
	process.exitCode = 1;
}

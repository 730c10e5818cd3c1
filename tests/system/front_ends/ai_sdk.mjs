// The AI SDK's chat, as pages have it, with nothing changed but address, key and what fetch is.
//   node ai_sdk.mjs MODULES LIBRARY <CONFIG      MODULES: the folder node_modules
// CONFIG, JSON: {"url", "headers", "chat", "messages": so far, "bytes": one at a time,
//   "heard": {"url", "body"} is posted once a stream that runs is heard, "steps": [{"send": TEXT}, {"regenerate": PLACE}, {"resume": true}]}
// Prints one JSON object: {"messages", "status", "error", "finish": [REASON], "sent": [names of headers], "resumed": [STATUS]}.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, library] = process.argv.slice(2);
const config = JSON.parse(readFileSync(0));
const find = createRequire(modules + '/');
const load = name => import(pathToFileURL(find.resolve(name)));
const said = { finish: [], sent: [], resumed: [] };

function byBytes(body) {
	return body.pipeThrough(new TransformStream({
		transform(piece, out) {
			for (const byte of piece)
				out.enqueue(new Uint8Array([byte]));
		},
	}));
}

async function request(input, init) {
	const reply = await fetch(input, init);

	said.sent = [...new Headers(init.headers).keys()];
	if (init.method === 'GET')
		said.resumed.push(reply.status);
	if (init.method === 'GET' && reply.status === 200)
		await fetch(config.heard.url, { method: 'POST', body: config.heard.body });
	return config.bytes && reply.body ? new Response(byBytes(reply.body), reply) : reply;
}

const options = ({ DefaultChatTransport }) => ({
	id: config.chat,
	messages: config.messages,
	transport: new DefaultChatTransport({ api: config.url + '/v1/ui', headers: config.headers, fetch: request }),
	onError: error => (said.error = { name: error.name, status: error.statusCode ?? null, message: error.message }),
	onFinish: ({ finishReason }) => said.finish.push(finishReason ?? null),
});

async function take(chat) {
	for (const step of config.steps) {
		if (step.send)
			await chat().sendMessage({ text: step.send });
		else if (step.resume)
			await chat().resumeStream();
		else
			await chat().regenerate({ messageId: chat().messages[step.regenerate].id });
	}
	said.messages = chat().messages;
	said.status = chat().status;
}

async function plain(name) {
	const sdk = await load(name);
	const state = {
		status: 'ready', error: undefined, messages: config.messages,
		pushMessage: message => (state.messages = [...state.messages, message]),
		popMessage: () => (state.messages = state.messages.slice(0, -1)),
		replaceMessage: (place, message) => (state.messages = state.messages.with(place, message)),
		snapshot: thing => structuredClone(thing),
	};
	const chat = new class extends sdk.AbstractChat {}({ ...options(sdk), state });

	await take(() => chat);
}

async function react() {
	const { Window } = await load('happy-dom');
	const window = new Window({ url: 'https://shop.example' });

	for (const [what, value] of Object.entries({ window, document: window.document, navigator: window.navigator }))
		Object.defineProperty(globalThis, what, { value });
	globalThis.IS_REACT_ACT_ENVIRONMENT = true;
	const { createElement, act } = await load('react');
	const { createRoot } = await load('react-dom/client');
	const { useChat } = await load('@ai-sdk/react');
	const given = options(await load('ai'));
	let chat;

	function Page() {
		chat = useChat(given);
		return null;
	}
	const root = createRoot(document.createElement('div'));

	await act(() => root.render(createElement(Page)));
	await take(() => ({
		...chat,
		sendMessage: message => act(() => chat.sendMessage(message)),
		regenerate: which => act(() => chat.regenerate(which)),
		resumeStream: () => act(() => chat.resumeStream()),
	}));
	await act(() => root.unmount());
	await window.happyDOM.close();
}

async function assistant() {
	const { AssistantMessageAccumulator, UIMessageStreamDecoder } = await load('assistant-stream');
	const [{ send }] = config.steps;
	const messages = [{ id: 'm0', role: 'user', parts: [{ type: 'text', text: send }] }];
	const reply = await request(config.url + '/v1/ui', {
		method: 'POST', headers: { ...config.headers, 'content-type': 'application/json' },
		body: JSON.stringify({ id: config.chat, messages, trigger: 'submit-message' }),
	});
	const stream = reply.body.pipeThrough(new UIMessageStreamDecoder()).pipeThrough(new AssistantMessageAccumulator());
	let last;

	said.header = reply.headers.get('x-vercel-ai-ui-message-stream');
	for await (const message of stream)
		last = message;
	said.messages = [...messages, { role: last.role, parts: last.parts }];
	said.status = last.status;
}

await { ai: () => plain('ai'), ai7: () => plain('ai7'), react, assistant }[library]();
console.log(JSON.stringify(said));

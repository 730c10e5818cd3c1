// The chatbot API's stream read with the clients that pages and programs use, each as its own page has it and with no care of
// ours: every event is parsed as JSON, and one that cannot be asks again wherever the client does so by itself.
//   node sse_clients.mjs MODULES CLIENT URL KEY MESSAGE      MODULES: the folder node_modules
// Prints the events, one a line, and ends with the first `done` or `error`.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, client, url, key, message] = process.argv.slice(2);
const find = createRequire(modules + '/');
const load = name => import(pathToFileURL(find.resolve(name)));

const method = 'POST';
const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` };
const body = JSON.stringify({ message, stream: true });
const request = { method, headers, body };

// What some want of a browser's page.
globalThis.window = globalThis;
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };

function take(event) {
	const said = JSON.parse(event.data);

	console.log(JSON.stringify(said));
	if (said.type === 'done' || said.type === 'error')
		process.exit(0);
}

// As much of a browser's as sse.js asks for.
class PageRequest extends EventTarget {
	static HEADERS_RECEIVED = 2;
	responseText = '';
	fields = {};
	open(method, url) {
		Object.assign(this, { method, url });
	}
	setRequestHeader(name, value) {
		this.fields[name] = value;
	}
	getAllResponseHeaders() {
		return [...this.response.headers].map(([name, value]) => `${name}: ${value}\r\n`).join('');
	}
	abort() {}
	tell(name) {
		this.dispatchEvent(new Event(name));
	}
	async send(body) {
		this.response = await fetch(this.url, { method: this.method, headers: this.fields, body });
		this.status = this.response.status;
		this.readyState = PageRequest.HEADERS_RECEIVED;
		this.tell('readystatechange');
		this.readyState = 3;
		for await (const text of this.response.body.pipeThrough(new TextDecoderStream())) {
			this.responseText += text;
			this.tell('progress');
		}
		this.readyState = 4;
		this.tell('load');
	}
}

async function each(events) {
	for await (const event of events)
		take(event);
}

async function fetchEventSource(name) {
	const { fetchEventSource } = await load(name);

	await fetchEventSource(url, { ...request, onmessage: take });
}

const clients = {
	'@microsoft/fetch-event-source': fetchEventSource,
	'@fortaine/fetch-event-source': fetchEventSource,
	async 'eventsource-parser'() {
		const { EventSourceParserStream } = await load('eventsource-parser/stream');
		const response = await fetch(url, request);

		await each(response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()));
	},
	async 'eventsource'(name) {
		const { EventSource } = await load(name);

		new EventSource(url, { fetch: (url, init) => fetch(url, { ...init, ...request }) }).onmessage = take;
	},
	async 'eventsource-client'(name) {
		const { createEventSource } = await load(name);

		await each(createEventSource({ url, ...request }));
	},
	async 'extended-eventsource'(name) {
		const { EventSource } = await load(name);

		new EventSource(url, { ...request, disableRetry: false }).onmessage = take;
	},
	async 'launchdarkly-eventsource'(name) {
		const { EventSource } = await load(name);

		new EventSource(url, request).onmessage = take;
	},
	async 'event-source-plus'(name) {
		const { EventSourcePlus } = await load(name);

		new EventSourcePlus(url, request).listen({ onMessage: take });
	},
	async 'fetch-event-stream'(name) {
		const { stream } = await load(name);

		await each(await stream(url, request));
	},
	async '@azure/core-sse'(name) {
		const { createSseStream } = await load(name);

		await each(createSseStream((await fetch(url, request)).body));
	},
	async 'sse.js'(name) {
		const { SSE } = await load(name);
		globalThis.XMLHttpRequest = PageRequest;
		globalThis.CustomEvent ??= Event;

		const source = new SSE(url, { method, headers, payload: body });
		source.onmessage = take;
		source.stream();
	}
};

await clients[client](client);
